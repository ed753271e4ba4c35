//! `postgresql://` URLs, as users of libpq write them, and what a password may come from besides.
//!
//! Nothing here connects. A URL may hold a password, so it is never shown as it was given: [`Address::place`] is what messages
//! name, and what is wrong with a URL is told without a word of it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::StoreError;

/// What an error says in the place of a URL that could not be understood, and so not be shown.
const SOME_URL: &str = "postgresql://...";
const PORT: u16 = 5432;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a shared store is opened with that need not stand in its URL. What the URL says goes first.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    user: Option<String>,
    password: Option<Secret>,
    password_file: Option<PathBuf>,
    mode: Option<String>,
    root_certificate: Option<String>,
}

impl Credentials {
    /// From the variables that libpq reads: `PGUSER` (or else `USER`), `PGPASSWORD`, `PGPASSFILE` (or else `.pgpass` in `HOME`),
    /// `PGSSLMODE`, `PGSSLROOTCERT`.
    #[must_use]
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name: &str| variable(name).filter(|text| !text.is_empty());
        let own = || read("HOME").map(|home| Path::new(&home).join(".pgpass"));
        Self {
            user: read("PGUSER").or_else(|| read("USER")),
            password: read("PGPASSWORD").map(Secret),
            password_file: read("PGPASSFILE").map(PathBuf::from).or_else(own),
            mode: read("PGSSLMODE"),
            root_certificate: read("PGSSLROOTCERT"),
        }
    }
}

/// How the connection is encrypted, and what of the server's certificate is checked: as in libpq.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Not at all.
    Disable,
    /// Where the server offers it; nothing is checked.
    Prefer,
    /// Always; nothing is checked, unless a root certificate is named.
    Require,
    /// Always; the certificate must come from a root that is trusted.
    VerifyChain,
    /// Always; and it must be that of the host.
    VerifyFull,
}

/// Which roots are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    /// Those of the system.
    System,
    /// Those of a file.
    File(PathBuf),
}

/// A URL as it may be shown where nobody is connected: servers, ports and database; if it is not understood, nothing of it.
pub(crate) fn shown(url: &str, credentials: &Credentials) -> String {
    let Ok(address) = Address::parse(url, credentials) else { return SOME_URL.to_owned() };
    let hosts: Vec<String> =
        address.hosts.iter().map(|(host, port)| format!("{}:{port}", host_shown(host))).collect();
    let database = address.database.as_deref().unwrap_or_default();
    format!("postgresql://{}/{database}", hosts.join(",")).replace(char::is_control, "?")
}

fn host_shown(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.replace('/', "%2F") }
}

/// A URL, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Hosts with their ports: names, addresses, or folders of sockets.
    pub(super) hosts: Vec<(String, u16)>,
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) database: Option<String>,
    pub(super) mode: Mode,
    pub(super) roots: Roots,
    pub(super) options: Option<String>,
    pub(super) application: String,
    pub(super) timeout: u64,
}

/// What is wrong with a URL.
type Wrong = &'static str;

const ENCODE: Wrong = "write `@ / ? # % :` in a user, password or name as %40 %2F %3F %23 %25 %3A";

impl Address {
    /// Reads a URL, and takes from the credentials what it does not say.
    pub(super) fn read(url: &str, credentials: &Credentials) -> Result<Self, StoreError> {
        let wrong = |why: Wrong| StoreError::Unreachable { place: SOME_URL.to_owned(), why: why.to_owned() };
        let mut address = Self::parse(url, credentials).map_err(wrong)?;
        if address.password.is_none() {
            address.password = credentials.password.clone();
        }
        if address.password.is_none()
            && let Some(path) = &credentials.password_file
        {
            address.password = password_from(path, &address);
        }
        Ok(address)
    }

    fn parse(url: &str, credentials: &Credentials) -> Result<Self, Wrong> {
        let (_, rest) = url.split_once("://").ok_or("a URL begins with postgresql://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        if url.contains('#') || [database, query].iter().any(|part| part.contains('@')) {
            return Err(ENCODE);
        }
        let (who, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match who.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (who, None),
        };
        if who.contains('@') || database.contains('/') {
            return Err(ENCODE);
        }
        let mode = credentials.mode.as_deref().map_or(Ok(Mode::Prefer), mode)?;
        let mut address = Self {
            hosts: hosts_of(hosts)?,
            user: some(decoded(user)?).or_else(|| credentials.user.clone()),
            password: password.map(decoded).transpose()?.map(Secret),
            database: some(decoded(database)?),
            mode,
            roots: credentials.root_certificate.as_deref().map_or(Roots::System, roots),
            options: None,
            application: "parallax".to_owned(),
            timeout: 10,
        };
        let has_root = credentials.root_certificate.is_some() || query.contains("sslrootcert=");
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or("an option of the URL has no value")?;
            address.set(name, decoded(value)?)?;
        }
        if address.mode == Mode::Require && has_root {
            address.mode = Mode::VerifyChain;
        }
        Ok(address)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), Wrong> {
        match name {
            "sslmode" => self.mode = mode(&value)?,
            "sslrootcert" => self.roots = roots(&value),
            "host" => self.hosts = hosts_of(&value)?,
            "port" => {
                let port =
                    value.parse().map_err(|_ignored: std::num::ParseIntError| "the port is no number")?;
                self.hosts.iter_mut().for_each(|(_, own)| *own = port);
            }
            "user" => self.user = Some(value),
            "password" => self.password = Some(Secret(value)),
            "dbname" => self.database = Some(value),
            "options" => self.options = Some(value),
            "application_name" => self.application = value,
            "connect_timeout" => {
                let timeout = value.parse::<u64>();
                let timeout = timeout.map_err(|_ignored| "connect_timeout is no number of seconds")?;
                self.timeout = timeout.clamp(2, 600);
            }
            // The name may be a part of a password, so it is not told.
            _ => {
                return Err(
                    "the URL has an option that is none of sslmode, sslrootcert, host, port, user, password, \
                            dbname, options, application_name, connect_timeout",
                );
            }
        }
        Ok(())
    }

    /// The URL as it may be shown: who, where and which database; no password, no options.
    pub(super) fn place(&self) -> String {
        let hosts: Vec<String> = self
            .hosts
            .iter()
            .map(|(host, port)| {
                let host = host_shown(host);
                if *port == PORT { host } else { format!("{host}:{port}") }
            })
            .collect();
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let database = self.database.as_deref().unwrap_or_default();
        let place = format!("postgresql://{user}{}/{database}", hosts.join(","));
        place.replace(char::is_control, "?")
    }
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn mode(text: &str) -> Result<Mode, Wrong> {
    Ok(match text {
        "disable" => Mode::Disable,
        "allow" | "prefer" => Mode::Prefer,
        "require" => Mode::Require,
        "verify-ca" => Mode::VerifyChain,
        "verify-full" => Mode::VerifyFull,
        _ => return Err("sslmode is none of disable, allow, prefer, require, verify-ca, verify-full"),
    })
}

fn roots(text: &str) -> Roots {
    if text == "system" { Roots::System } else { Roots::File(PathBuf::from(text)) }
}

/// Hosts as a URL lists them. What cannot be a host is refused, as it may be a piece of a password.
fn hosts_of(text: &str) -> Result<Vec<(String, u16)>, Wrong> {
    text.split(',').map(host_of).collect()
}

fn host_of(text: &str) -> Result<(String, u16), Wrong> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("an address in brackets is not closed")?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or(ENCODE)?) };
            host.parse::<std::net::Ipv6Addr>()
                .map_err(|_ignored| "what stands in brackets is no IPv6 address")?;
            (host.to_owned(), port)
        }
        None => match text.rsplit_once(':') {
            Some((host, port)) => (decoded(host)?, Some(port)),
            None => (decoded(text)?, None),
        },
    };
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if !(host.starts_with('/') || text.starts_with('[') || host.bytes().all(is_name)) {
        return Err(
            "the host is no name, address or folder; write `@ / ? # % :` in a password as %40 %2F %3F %23 %25 %3A",
        );
    }
    let port = match port.filter(|port| !port.is_empty()) {
        Some(port) => {
            port.parse().map_err(|_ignored: std::num::ParseIntError| "the port is no number up to 65535")?
        }
        None => PORT,
    };
    Ok((if host.is_empty() { "localhost".to_owned() } else { host }, port))
}

/// Percent-encoded text as it is meant.
fn decoded(text: &str) -> Result<String, Wrong> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
            return Err(ENCODE);
        };
        out.push(u8::try_from(high * 16 + low).unwrap_or_default());
    }
    let text = String::from_utf8(out).map_err(|_ignored| "what is percent-encoded is not UTF-8")?;
    if text.contains('\0') { Err("the URL holds a zero byte") } else { Ok(text) }
}

/// The password that a file of libpq's form (`host:port:database:user:password`) has for an address. As with libpq, a file
/// that others may read is not looked at.
#[expect(clippy::disallowed_methods, reason = "the user's own passwords are no part of any environment")]
fn password_from(path: &Path, address: &Address) -> Option<Secret> {
    if is_open_to_others(&std::fs::metadata(path).ok()?) {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| password_in(line, address))
}

#[cfg(unix)]
fn is_open_to_others(file: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

fn password_in(line: &str, address: &Address) -> Option<Secret> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let is_last = fields.len() == 5;
        let last = fields.last_mut()?;
        match letter {
            '\\' => last.extend(letters.next()),
            // The password is the last, and may hold colons.
            ':' if !is_last => fields.push(String::new()),
            other => last.push(other),
        }
    }
    let [host, port, database, user, password] = fields.try_into().ok()?;
    let is = |field: &str, value: &str| field == "*" || field == value;
    let own = address.user.as_deref().unwrap_or_default();
    let is_there = address.hosts.iter().any(|(name, number)| {
        let name = if name.starts_with('/') { "localhost" } else { name };
        is(&host, name) && is(&port, &number.to_string())
    });
    let fits = is_there && is(&database, address.database.as_deref().unwrap_or(own)) && is(&user, own);
    fits.then_some(Secret(password))
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
