//! The user's own accounts at registries, as `docker login` and `podman login` keep them: in a file, or with a program
//! that the file names. Read where this process runs, never on a machine that is observed; only for the registry that
//! is asked, and sent nowhere else.
//! <https://github.com/docker/docker-credential-helpers>

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// The name that Docker's own registry has in these files.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
/// At most so much of a file is read.
const MOST_FILE: u64 = 1 << 20;
/// How long a program that keeps credentials may take.
const HELPER_TIMEOUT: Duration = Duration::from_secs(20);
/// The user name of a token that stands for an account.
const TOKEN_USER: &str = "<token>";

/// Where credentials are looked for.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    files: Vec<PathBuf>,
}

/// An account at a registry. Can't be printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Account {
    /// A name and a password.
    Password { user: String, password: String },
    /// A token that stands for the account.
    Token(String),
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(..)")
    }
}

impl Account {
    /// The value of the header `Authorization`; `None` for a token, which buys another.
    pub(super) fn basic(&self) -> Option<String> {
        match self {
            Self::Password { user, password } => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            Self::Token(_) => None,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// What a program that keeps credentials answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

impl Credentials {
    /// The files of this process's user: Docker's, then Podman's.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "credentials are the user's own, where this process runs")]
    pub fn of_user() -> Self {
        let variable =
            |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = variable("HOME");
        let docker = variable("DOCKER_CONFIG").or_else(|| Some(home.as_ref()?.join(".docker")));
        let files = [
            docker.map(|folder| folder.join("config.json")),
            variable("REGISTRY_AUTH_FILE"),
            variable("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
            home.map(|home| home.join(".config/containers/auth.json")),
        ];
        Self { files: files.into_iter().flatten().collect() }
    }

    /// These files and no others.
    #[must_use]
    pub fn of_files(files: Vec<PathBuf>) -> Self {
        Self { files }
    }

    /// The account for a repository, by the first file that knows the registry.
    ///
    /// # Errors
    /// Words on a file or program that failed, without anything that it said.
    pub(super) fn account(&self, registry: &str, repository: &str) -> Result<Option<Account>, String> {
        for path in &self.files {
            let Some(file) = read(path)? else { continue };
            if let Some(account) =
                file.account(registry, repository).map_err(|e| format!("{}: {e}", path.display()))?
            {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }
}

#[expect(clippy::disallowed_methods, reason = "credentials are the user's own, where this process runs")]
fn read(path: &Path) -> Result<Option<File>, String> {
    use std::io::Read;
    // One that is not there, or may not be read, holds no account for us.
    let Ok(file) = std::fs::File::open(path) else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(MOST_FILE).read_to_end(&mut bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    // What the parser says may repeat what it read.
    let broken = |e: serde_json::Error| {
        format!("{}: line {}: it is not what `docker login` writes", path.display(), e.line())
    };
    serde_json::from_slice(&bytes).map(Some).map_err(broken)
}

impl File {
    fn account(&self, registry: &str, repository: &str) -> Result<Option<Account>, String> {
        let name = if registry == "docker.io" { DOCKER_HUB } else { registry };
        let by_helper = self.cred_helpers.iter().find(|(key, _)| host_of(key) == host_of(name));
        if let Some((key, program)) = by_helper {
            return ask(program, key);
        }
        if !self.creds_store.is_empty()
            && let Some(account) = ask(&self.creds_store, name)?
        {
            return Ok(Some(account));
        }
        // Podman keeps accounts for parts of a registry: the longest key that fits is the nearest.
        let whole = format!("{registry}/{repository}");
        let nearest = self
            .auths
            .iter()
            .filter(|(key, _)| {
                let key = key.as_str();
                host_of(key) == host_of(name)
                    && (is_whole_registry(key) || whole == key || whole.starts_with(&format!("{key}/")))
            })
            .max_by_key(|(key, _)| if is_whole_registry(key) { 0 } else { key.len() });
        nearest.map(|(_, entry)| entry.account()).transpose().map(Option::flatten)
    }
}

impl Entry {
    fn account(&self) -> Result<Option<Account>, String> {
        if !self.identitytoken.is_empty() {
            return Ok(Some(Account::Token(self.identitytoken.clone())));
        }
        if !self.username.is_empty() {
            return Ok(Some(Account::Password {
                user: self.username.clone(),
                password: self.password.clone(),
            }));
        }
        if self.auth.is_empty() {
            return Ok(None);
        }
        let broken = || "an entry under `auths` is not base64 of a name and a password".to_owned();
        let bytes = STANDARD.decode(self.auth.trim()).map_err(|_shown| broken())?;
        let text = String::from_utf8(bytes).map_err(|_shown| broken())?;
        let (user, password) = text.split_once(':').ok_or_else(broken)?;
        Ok(Some(Account::Password {
            user: user.to_owned(),
            password: password.trim_end_matches('\0').to_owned(),
        }))
    }
}

/// The host that a key is about: `https://index.docker.io/v1/` is `index.docker.io`.
fn host_of(key: &str) -> &str {
    let key = key.strip_prefix("https://").or(key.strip_prefix("http://")).unwrap_or(key);
    let host = key.split('/').next().unwrap_or_default();
    if matches!(host, "docker.io" | "registry-1.docker.io") { "index.docker.io" } else { host }
}

/// Whether a key is about all of a registry: its host, or the address of an API.
fn is_whole_registry(key: &str) -> bool {
    let key = key.strip_prefix("https://").or(key.strip_prefix("http://")).unwrap_or(key);
    matches!(key.split_once('/').map_or("", |(_, path)| path), "" | "v1/" | "v2/" | "v1" | "v2")
}

/// Asks a program that keeps credentials; `None` where it has none for this registry.
fn ask(program: &str, registry: &str) -> Result<Option<Account>, String> {
    if !program.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err("a program that keeps credentials has a name that none can have".to_owned());
    }
    ask_program(Path::new(&format!("docker-credential-{program}")), registry)
}

#[expect(clippy::disallowed_methods, reason = "credentials are the user's own, where this process runs")]
fn ask_program(program: &Path, registry: &str) -> Result<Option<Account>, String> {
    let name = program.display().to_string();
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("`{name}` could not be started: {e}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not listen is told by its answer.
        let _told = stdin.write_all(registry.as_bytes());
    }
    let stdout = child.stdout.take();
    let reading = std::thread::spawn(move || {
        use std::io::Read;
        let mut bytes = Vec::new();
        let read = stdout.map(|out| out.take(MOST_FILE).read_to_end(&mut bytes));
        read.and_then(Result::ok).map(|_| bytes).unwrap_or_default()
    });
    let late = || format!("`{name}` gave no answer within {} s", HELPER_TIMEOUT.as_secs());
    if !ended(&mut child).ok_or_else(late)? {
        // By their protocol that is also how they say that they have none.
        return Ok(None);
    }
    let bytes = reading.join().unwrap_or_default();
    let answer: Answer = serde_json::from_slice(&bytes)
        .map_err(|_shown| format!("`{name}` answered with something else than JSON"))?;
    Ok(match (answer.username.as_str(), answer.secret) {
        (_, secret) if secret.is_empty() => None,
        (TOKEN_USER, secret) => Some(Account::Token(secret)),
        (user, password) => Some(Account::Password { user: user.to_owned(), password }),
    })
}

/// Whether a program ended well; `None` where it did not end in time, and was ended.
fn ended(child: &mut std::process::Child) -> Option<bool> {
    let began = Instant::now();
    while began.elapsed() < HELPER_TIMEOUT {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(_) => break,
        }
    }
    let _ended = child.kill();
    let _gone = child.wait();
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[track_caller]
    fn check(file: &str, registry: &str, repository: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, file).unwrap();
        let told = match Credentials::of_files(vec![folder.path().join("none"), path])
            .account(registry, repository)
        {
            Ok(None) => "nobody".to_owned(),
            Ok(Some(Account::Token(token))) => format!("token {token}"),
            Ok(Some(Account::Password { user, password })) => format!("{user} {password}"),
            Err(error) => error.rsplit(": ").next().unwrap().to_owned(),
        };
        assert_eq!(told, expected, "{file}");
    }

    #[test]
    fn as_login_keeps_them() {
        let ann = r#"{"auth": "YW5uOnM6ZWNyZXQ="}"#;
        let hub = format!(r#"{{"auths": {{"https://index.docker.io/v1/": {ann}}}, "HttpHeaders": {{}}}}"#);
        check(&hub, "docker.io", "library/node", "ann s:ecret");
        check(&hub, "registry.example.org", "app", "nobody");
        let here =
            format!(r#"{{"auths": {{"registry.example.org:5000": {ann}, "https://other/v2/": {ann}}}}}"#);
        check(&here, "registry.example.org:5000", "app", "ann s:ecret");
        check(&here, "registry.example.org", "app", "nobody");
        check(&here, "other", "app", "ann s:ecret");
        let parts = format!(
            r#"{{"auths": {{"r": {ann}, "r/team": {{"username": "bob", "password": "p"}}, "r/team/app": {{"identitytoken": "t"}}}}}}"#
        );
        check(&parts, "r", "x", "ann s:ecret");
        check(&parts, "r", "team/y", "bob p");
        check(&parts, "r", "team/app", "token t");
        check(&parts, "r", "teams", "ann s:ecret");
        check("", "r", "x", "nobody");
        check("{}", "r", "x", "nobody");
        check(r#"{"auths": {"r": {}}}"#, "r", "x", "nobody");
        check(
            r#"{"auths": {"r": {"auth": "!hunter2!"}}}"#,
            "r",
            "x",
            "an entry under `auths` is not base64 of a name and a password",
        );
        check(r#"{"auths": "hunter2"}"#, "r", "x", "it is not what `docker login` writes");
        check(
            r#"{"credsStore": "../../bin/sh"}"#,
            "r",
            "x",
            "a program that keeps credentials has a name that none can have",
        );
    }

    #[test]
    fn nothing_of_an_account_is_shown() {
        let account = Account::Password { user: "ann".into(), password: "hunter2".into() };
        assert!(!format!("{account:?}").contains("hunter2"));
        assert_eq!(account.basic().unwrap(), "Basic YW5uOmh1bnRlcjI=");
        assert_eq!(Account::Token("t".into()).basic(), None);
    }

    #[test]
    fn programs_that_keep_them() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("docker-credential-parallaxtest");
        let script = "#!/bin/sh\nread -r r || true\ncase $r in good) echo '{\"Username\":\"ann\",\"Secret\":\"s\"}';; \
                      token) echo '{\"Username\":\"<token>\",\"Secret\":\"t\"}';; *) echo none; exit 1;; esac\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        // The search path of this process is not changed: tests run side by side. `ask` is called with a path in it.
        let ask = |registry: &str| ask_program(&program, registry);
        assert_eq!(ask("good"), Ok(Some(Account::Password { user: "ann".into(), password: "s".into() })));
        assert_eq!(ask("token"), Ok(Some(Account::Token("t".into()))));
        assert_eq!(ask("else"), Ok(None));
        assert!(super::ask("not-there-at-all", "x").unwrap_err().contains("could not be started"));
    }
}
