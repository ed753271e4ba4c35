//! The real registry (`docker-registry`), on a free port of this machine, for tests; ended when it is dropped.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Everybody.
    Open,
    /// The user `ann` with the password `hunter2-canary`.
    Locked,
}

#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) folder: TempDir,
    pub(crate) host: String,
}

/// `ann` and `hunter2-canary`, as `htpasswd -nB` writes them.
const ACCOUNTS: &str = include_str!("accounts.htpasswd");

impl Server {
    pub(crate) fn start(door: Door) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("accounts"), ACCOUNTS).unwrap();
        let auth = match door {
            Door::Open => String::new(),
            Door::Locked => {
                format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", at("accounts").display())
            }
        };
        let settings = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n{auth}",
            at("data").display()
        );
        std::fs::write(at("registry.yml"), settings).unwrap();
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(at("registry.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is missing: run scripts/test --set-up");
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "docker-registry does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, folder, host: format!("127.0.0.1:{port}") }
    }

    /// A file as `docker login` writes it, for this registry.
    pub(crate) fn login(&self) -> PathBuf {
        let path = self.folder.path().join("config.json");
        let auth = "YW5uOmh1bnRlcjItY2FuYXJ5";
        std::fs::write(&path, format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, self.host)).unwrap();
        path
    }

    /// Pushes an OCI layout with a real client, in the form of manifest that is named (`oci`, `v2s2`).
    pub(crate) fn push(&self, layout: &Path, name: &str, form: &str) {
        skopeo(&[
            "--insecure-policy",
            "copy",
            "--all",
            "--format",
            form,
            "--dest-tls-verify=false",
            "--dest-creds=ann:hunter2-canary",
            &format!("oci:{}", layout.display()),
            &format!("docker://{}/{name}", self.host),
        ]);
    }
}

/// Runs `skopeo`.
pub(crate) fn skopeo(words: &[&str]) {
    let done =
        Command::new("skopeo").args(words).output().expect("skopeo is missing: run scripts/test --set-up");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
