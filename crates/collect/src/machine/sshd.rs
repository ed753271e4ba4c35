//! For tests: an OpenSSH server of one's own on a free loopback port, with its own host key, and what a client needs
//! to reach it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{Place, Ssh, SshOptions};

/// A running server.
pub(crate) struct Sshd {
    folder: tempfile::TempDir,
    server: Child,
    port: u16,
}

impl Sshd {
    /// Starts a server; `more` are lines of its configuration.
    pub(crate) fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        make_key(&at("host_key"));
        make_key(&at("key"));
        fs::copy(at("key.pub"), at("authorized_keys")).unwrap();
        if rustix::process::geteuid().is_root() {
            // Only a server of root's separates its privileges, and needs this folder for it.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nAuthorizedKeysFile {keys}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nMaxSessions 50\n{more}\n",
            host = at("host_key").display(),
            keys = at("authorized_keys").display(),
        );
        fs::write(at("sshd_config"), config).unwrap();
        let server = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(at("sshd_config"))
            .stdin(Stdio::null())
            .stderr(fs::File::create(at("log")).unwrap())
            .spawn()
            .expect("the package openssh-server is needed here");
        let mut sshd = Self { folder, server, port };
        sshd.trust(&sshd.path("host_key.pub"));
        sshd.client_config("key");
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return sshd;
            }
            assert!(sshd.server.try_wait().unwrap().is_none(), "{}", sshd.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("sshd does not listen: {}", sshd.log());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Makes a key as the only known one of the server.
    pub(crate) fn trust(&self, public: &Path) {
        let key = fs::read_to_string(public).unwrap();
        fs::write(self.path("known_hosts"), format!("[127.0.0.1]:{} {key}", self.port)).unwrap();
    }

    /// Makes a key that nobody knows; its public part is at `<name>.pub`.
    pub(crate) fn other_key(&self, name: &str) {
        make_key(&self.path(name));
    }

    /// Writes the client's configuration, with that key.
    pub(crate) fn client_config(&self, key: &str) {
        let text = format!(
            "Host *\n HostName 127.0.0.1\n Port {}\n IdentityFile {}\n IdentitiesOnly yes\n IdentityAgent none\n \
             UserKnownHostsFile {}\n GlobalKnownHostsFile none\n StrictHostKeyChecking yes\n",
            self.port,
            self.path(key).display(),
            self.path("known_hosts").display(),
        );
        fs::write(self.path("ssh_config"), text).unwrap();
    }

    /// The arguments for the system's `ssh`.
    pub(crate) fn arguments(&self) -> String {
        format!("-F '{}'", self.path("ssh_config").display())
    }

    /// This server as a machine, through an alias of the client's configuration.
    pub(crate) fn machine(&self, patience: Duration) -> Ssh {
        let Ok(Place::Ssh(place)) = "ssh://staging".parse() else { panic!("it is a place") };
        let options = SshOptions { patience, ..SshOptions::default() };
        Ssh::new(&place, options.with_arguments(&self.arguments()))
    }

    /// Ends the processes that serve connections, as a broken line would.
    pub(crate) fn cut_connections(&self) {
        let server = self.server.id();
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap();
        for child in children.split_whitespace().filter_map(|child| Pid::from_raw(child.parse().ok()?)) {
            // It may have ended meanwhile.
            let _gone = kill_process(child, Signal::KILL);
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.cut_connections();
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

fn make_key(path: &Path) {
    let done = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status()
        .expect("the package openssh-client is needed here");
    assert!(done.success());
}
