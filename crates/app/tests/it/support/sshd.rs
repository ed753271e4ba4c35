//! A real OpenSSH server on a free loopback port, with its own keys, and the client's side of it.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs until dropped.
pub(crate) struct Sshd {
    child: Child,
    pub(crate) port: u16,
    folder: PathBuf,
}

impl Sshd {
    /// Starts a server whose sessions get just these variables on top of the system's.
    pub(crate) fn start(within: &Path, variables: &[(String, String)]) -> Self {
        let folder = within.join("sshd");
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["host", "user"] {
            key(&folder.join(name));
        }
        std::fs::copy(folder.join("user.pub"), folder.join("authorized_keys")).unwrap();
        let port = free_port();
        let set: Vec<String> = variables.iter().map(|(name, value)| format!("\"{name}={value}\"")).collect();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host\nAuthorizedKeysFile {0}/authorized_keys\nPidFile {0}/pid\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nMaxStartups 100\nSetEnv {1}\n",
            folder.display(),
            set.join(" ")
        );
        std::fs::write(folder.join("sshd_config"), config).unwrap();
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .expect("sshd did not start: run scripts/test --set-up");
        let sshd = Self { child, port, folder };
        sshd.wait();
        sshd.write_client("host.pub");
        sshd
    }

    fn wait(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "sshd does not listen:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The client's configuration: the alias `staging`, its key, and what it knows of the host.
    fn write_client(&self, known: &str) {
        let key = std::fs::read_to_string(self.folder.join(known)).unwrap();
        let known_hosts = format!("[127.0.0.1]:{} {key}", self.port);
        std::fs::write(self.folder.join("known_hosts"), known_hosts).unwrap();
        let config = format!(
            "Host staging\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {folder}/user\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n",
            self.port,
            whoami(),
            folder = self.folder.display(),
        );
        std::fs::write(self.folder.join("ssh_config"), config).unwrap();
    }

    /// From now on the client knows another key for this host.
    pub(crate) fn change_known_key(&self) {
        key(&self.folder.join("other"));
        self.write_client("other.pub");
    }

    /// From now on the server knows no key of the client's.
    pub(crate) fn refuse_client(&self) {
        std::fs::write(self.folder.join("authorized_keys"), "").unwrap();
    }

    /// What `PARALLAX_SSH` holds for this server.
    pub(crate) fn client_arguments(&self) -> String {
        format!("-F {}", self.folder.join("ssh_config").display())
    }

    pub(crate) fn stop(&mut self) {
        // Already gone is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

fn key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status()
        .expect("ssh-keygen is missing: run scripts/test --set-up");
    assert!(made.success());
}

fn whoami() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
