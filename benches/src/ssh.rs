//! `ssh`: one capture over ssh against `ssh host true`, on a server that is started here on a loopback port, with keys
//! of its own. The user's own configuration and keys are not touched.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::host::build;
use crate::measure::{Line, is_there, median};
use crate::table::Table;
use crate::{Outcome, Setup};

const SERVER: &str = "/usr/sbin/sshd";

/// A running server; it ends with this value.
struct Server {
    process: Child,
    /// A folder with an `ssh` that knows the server, to stand first on the search path.
    bin: PathBuf,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to end.
        if self.process.kill().is_ok() {
            self.process.wait().ok();
        }
    }
}

pub(crate) fn run(setup: &Setup) -> Outcome {
    if !Path::new(SERVER).exists() || !is_there("ssh") {
        return Err("no OpenSSH server: apt-get install openssh-server".to_owned());
    }
    let server = start(setup.scratch.path()).map_err(|e| format!("sshd: {e}"))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(server.bin.clone()).chain(std::env::split_paths(&path));
    let search = std::env::join_paths(folders).map_err(|e| e.to_string())?;
    let on = |line: Line| {
        line.with("PATH", search.clone()).with("XDG_CACHE_HOME", setup.scratch.path().join("cache"))
    };

    let address = format!("ssh://127.0.0.1:{}", server.port);
    let reach = on(Line::new(&server.bin.join("ssh"), ["-p", &server.port.to_string(), "127.0.0.1", "true"]));
    let reached = reach.output()?;
    if !reached.status.success() {
        return Err(format!("ssh: {}", String::from_utf8_lossy(&reached.stderr).trim()));
    }
    let capture = on(Line::new(&setup.parallax, ["capture", &address, "-o", "-"]));
    let seen = capture.output().map_err(|e| build(&e))?;
    if seen.stdout.is_empty() {
        return Err(build(&String::from_utf8_lossy(&seen.stderr)));
    }
    let (ours, bare) = (median(setup.runs, |_| capture.clone())?, median(setup.runs, |_| reach.clone())?);
    let mut table = Table::default();
    table.measured("parallax capture ssh://..", ours);
    table.measured("ssh host true", bare);
    table.note(format!(
        "wall: {:.2} times `ssh host true`, the far side's probing included",
        ours.wall / bare.wall
    ));
    Ok(table)
}

fn start(scratch: &Path) -> std::io::Result<Server> {
    let folder = scratch.join("ssh");
    let bin = folder.join("bin");
    fs::create_dir_all(&bin)?;
    fs::create_dir_all("/run/sshd")?;
    for name in ["host", "user"] {
        let key = folder.join(name);
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status()?;
        if !made.success() {
            return Err(std::io::Error::other("ssh-keygen failed"));
        }
    }
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let at = |name: &str| folder.join(name).display().to_string();
    fs::copy(at("user.pub"), at("authorized"))?;
    let host_key = fs::read_to_string(at("host.pub"))?;
    fs::write(at("known"), format!("[127.0.0.1]:{port} {host_key}"))?;
    fs::write(
        at("sshd_config"),
        format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\n",
            at("host"),
            at("authorized")
        ),
    )?;
    fs::write(
        at("ssh_config"),
        format!(
            "Host *\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n  BatchMode yes\n",
            at("user"),
            at("known")
        ),
    )?;
    write_program(
        &bin.join("ssh"),
        &format!("#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n", at("ssh_config")),
    )?;
    let process = Command::new(SERVER)
        .args(["-D", "-f", &at("sshd_config"), "-E", &at("log")])
        .stdin(Stdio::null())
        .spawn()?;
    let server = Server { process, bin, port };
    for _ in 0..100 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(server);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(std::io::Error::other(fs::read_to_string(at("log")).unwrap_or_default()))
}

fn write_program(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}
