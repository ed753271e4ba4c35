//! A real PostgreSQL server for the tests of this binary: from the distribution's package, on loopback, in a scratch folder.
//!
//! It is started when the first test needs it. A child of its own waits until this process has ended, however it ends, and then
//! stops the server and removes the folder.

#![expect(clippy::disallowed_methods, reason = "a server of the tests' own has files and processes")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::NoTls;

/// What ends the server when nothing holds the other end of its standard input any more.
const WATCH: &str = r#"read -r _; kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")" 2>/dev/null
i=0; while [ -e "$1/data/postmaster.pid" ] && [ $i -lt 100 ]; do i=$((i+1)); sleep 0.1; done; rm -rf "$1""#;

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    folder: PathBuf,
    pub(crate) port: u16,
    // Never read: it lives as long as this does, and its standard input with it.
    _watch: Child,
}

/// Where Debian and its derivatives put the server's programs, the newest first; others have them in the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.exists());
    let found = found.pop().or(beside);
    found.unwrap_or_else(|| panic!("`{name}` of PostgreSQL is not installed: run scripts/test --set-up"))
}

/// A command as somebody who may run the server, which refuses root.
fn command(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).env("LC_ALL", "C");
    #[cfg(unix)]
    if let Some((user, group)) = servant() {
        use std::os::unix::process::CommandExt as _;
        command.uid(user).gid(group);
    }
    command
}

/// Root lets the package's own account run the server.
fn servant() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").ok().filter(|own| own.uid() == 0)?;
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = accounts.lines().find(|line| line.starts_with("postgres:"));
    let line = line.expect("there is no account `postgres`: run scripts/test --set-up");
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    Some((fields.next()?, fields.next()?))
}

#[track_caller]
fn run(mut command: Command) {
    let output = command.stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Server {
    /// The one server that the tests share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[]))
    }

    /// A server of a test's own, with settings.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("parallax-pg-").tempdir().unwrap().keep();
        if let Some((user, group)) = servant() {
            std::os::unix::fs::chown(&folder, Some(user), Some(group)).unwrap();
        }
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH, "watch"]).arg(&folder).stdin(Stdio::piped());
        watch.stdout(Stdio::null()).stderr(Stdio::null());
        // What ends the tests, such as an interrupt at the terminal, is not to end it too.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut watch, 0);
        let watch = watch.spawn().unwrap();
        let mut init = command("initdb", &folder);
        init.args(["-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "-D", "data"]);
        run(init);
        let mut text =
            String::from("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n");
        text.push_str("max_connections = 200\n");
        for (name, value) in settings {
            text.push_str(&format!("{name} = '{value}'\n"));
        }
        let path = folder.join("data/postgresql.conf");
        let own = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, own + &text).unwrap();
        let mut server = Self { folder, port: 0, _watch: watch };
        // Somebody else may take the port between the look and the start.
        for _ in 0..5 {
            server.port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if server.try_start() {
                return server;
            }
        }
        panic!("{}", std::fs::read_to_string(server.folder.join("log")).unwrap_or_default());
    }

    fn try_start(&self) -> bool {
        let mut start = command("pg_ctl", &self.folder);
        start.args(["-D", "data", "-l", "log", "-w", "-t", "60", "-o"]).arg(format!("-p {}", self.port));
        start.arg("start").stderr(Stdio::null()).status().unwrap().success()
    }

    /// Where the server keeps its files.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts it again at the same port.
    pub(crate) fn start_again(&self) {
        assert!(self.try_start(), "{}", std::fs::read_to_string(self.folder.join("log")).unwrap());
    }

    /// Stops it as a power cut does.
    pub(crate) fn stop(&self) {
        let mut stop = command("pg_ctl", &self.folder);
        stop.args(["-D", "data", "-m", "immediate", "-w", "stop"]);
        run(stop);
    }

    /// The URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of a new, empty database.
    pub(crate) fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
        sql(&self.url("postgres"), &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }
}

/// Runs statements, past the store; gives the first field of each row.
pub(crate) fn sql(url: &str, text: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let connection = runtime.spawn(connection);
        let messages = client.simple_query(text).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
        let field = |message: tokio_postgres::SimpleQueryMessage| {
            let tokio_postgres::SimpleQueryMessage::Row(row) = message else { return None };
            Some(row.get(0).unwrap_or_default().to_owned())
        };
        messages.into_iter().filter_map(field).collect()
    })
}
