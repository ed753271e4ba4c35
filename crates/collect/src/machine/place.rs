//! Where a machine is: `local` or an `ssh://` address. Connects to nothing.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use super::{Local, Machine, Ssh, SshOptions};

/// Where a machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// This machine.
    Local,
    /// One that the system's `ssh` reaches.
    Ssh(SshPlace),
}

/// `ssh://[user@]host[:port][/path]`. The host may be an alias of the user's `ssh_config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshPlace {
    /// The account; the user's own configuration decides where there is none.
    pub user: Option<String>,
    /// The host, without brackets.
    pub host: String,
    /// The port.
    pub port: Option<u16>,
    /// The project's folder there: absolute, or `~/..`.
    pub path: Option<String>,
}

/// Why a text is no place. Does not repeat the text where it holds a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlaceError {
    /// Neither `local` nor `ssh://`.
    #[error("`{0}` is no place: `local` or `ssh://[user@]host[:port][/path]` is")]
    Unknown(String),
    /// There is no host, or it holds what no host name holds.
    #[error("`{0}` is no host name")]
    Host(String),
    /// The account's name begins with `-` or holds what a shell would read.
    #[error("`{0}` is no name of an account")]
    User(String),
    /// No port.
    #[error("`{0}` is no port: a number from 1 to 65535 is")]
    Port(String),
    /// A password was given.
    #[error("an address with a password is not taken: use a key or an agent, and ~/.ssh/config")]
    Password,
    /// The folder holds a control character.
    #[error("the folder `{0}` holds a control character")]
    Path(String),
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        match text.strip_prefix("ssh://") {
            Some(rest) => SshPlace::parse(rest).map(Self::Ssh),
            None if text == "local" => Ok(Self::Local),
            None => Err(PlaceError::Unknown(crate::secret::redact_text(text))),
        }
    }
}

impl Place {
    /// The machine that is there. `cache` is a folder where this machine may keep what commands said. Connects
    /// to nothing yet.
    #[must_use]
    pub fn machine(&self, cache: Option<PathBuf>, options: SshOptions) -> Box<dyn Machine> {
        match self {
            Self::Local => Box::new(Local::new(cache)),
            Self::Ssh(place) => Box::new(Ssh::new(place, options)),
        }
    }

    /// The project's folder there, if the place names one.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        match self {
            Self::Local => None,
            Self::Ssh(place) => place.path.as_deref(),
        }
    }
}

impl SshPlace {
    /// What stands behind `ssh://`.
    fn parse(text: &str) -> Result<Self, PlaceError> {
        let (address, path) = match text.split_once('/') {
            Some((address, path)) => (address, Some(path)),
            None => (text, None),
        };
        let (user, address) = match address.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, address),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err(PlaceError::Password);
        }
        // The system's ssh hands both to commands of the user's configuration.
        let name_like = |s: &str, more: &str| {
            !s.is_empty() && !s.starts_with('-') && s.chars().all(|c| c.is_alphanumeric() || more.contains(c))
        };
        if let Some(user) = user.filter(|user| !name_like(user, "._-+@\\")) {
            return Err(PlaceError::User(user.escape_debug().to_string()));
        }
        let (host, port) = split_port(address)?;
        if !name_like(host, "._-:%") {
            return Err(PlaceError::Host(host.escape_debug().to_string()));
        }
        let path = match path {
            Some(home) if home == "~" || home.starts_with("~/") => Some(home.to_owned()),
            Some("") | None => None,
            Some(path) => Some(format!("/{path}")),
        };
        if let Some(path) = path.as_ref().filter(|path| path.contains(char::is_control)) {
            return Err(PlaceError::Path(path.escape_debug().to_string()));
        }
        Ok(Self { user: user.map(str::to_owned), host: host.to_owned(), port, path })
    }

    /// The address without the folder, as people call the machine: `ssh://ann@staging:2222`.
    #[must_use]
    pub fn address(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("ssh://{user}{host}{port}")
    }
}

fn split_port(address: &str) -> Result<(&str, Option<u16>), PlaceError> {
    let (host, port) = match address.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((host, ""))) => return Ok((host, None)),
        Some(Some((host, rest))) => (host, rest.strip_prefix(':')),
        Some(None) => return Err(PlaceError::Host(address.escape_debug().to_string())),
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => return Ok((address, None)),
        },
    };
    let digits = port.filter(|port| port.bytes().all(|b| b.is_ascii_digit()));
    match digits.and_then(|port| port.parse::<u16>().ok()).filter(|port| *port > 0) {
        Some(port) => Ok((host, Some(port))),
        None => Err(PlaceError::Port(port.unwrap_or(address).escape_debug().to_string())),
    }
}

impl fmt::Display for SshPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address())?;
        match &self.path {
            Some(path) if path.starts_with('/') => f.write_str(path),
            Some(path) => write!(f, "/{path}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Ssh(place) => place.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parts<'a> = (Option<&'a str>, &'a str, Option<u16>, Option<&'a str>);

    fn check(text: &str, expected: Option<Parts<'_>>) {
        let got = text.parse::<Place>();
        match expected {
            None => assert!(got.is_err(), "{text}"),
            Some((user, host, port, path)) => {
                let Ok(Place::Ssh(place)) = got else { panic!("{text}: {got:?}") };
                let seen = (place.user.as_deref(), place.host.as_str(), place.port, place.path.as_deref());
                assert_eq!(seen, (user, host, port, path), "{text}");
                assert_eq!(Place::Ssh(place.clone()).to_string().parse(), Ok(Place::Ssh(place)), "{text}");
            }
        }
    }

    #[test]
    fn places() {
        assert_eq!("local".parse(), Ok(Place::Local));
        check("ssh://staging", Some((None, "staging", None, None)));
        check("ssh://staging/", Some((None, "staging", None, None)));
        check(
            "ssh://ann@h.example.org:2222/srv/shop",
            Some((Some("ann"), "h.example.org", Some(2222), Some("/srv/shop"))),
        );
        check("ssh://h/~/shop", Some((None, "h", None, Some("~/shop"))));
        check("ssh://[::1]:22/a b", Some((None, "::1", Some(22), Some("/a b"))));
        check("ssh://[fe80::1%eth0]", Some((None, "fe80::1%eth0", None, None)));
        for bad in [
            "",
            "ssh",
            "ssh://",
            "ssh://-oProxyCommand=x",
            "ssh://-l@h",
            "ssh://a b",
            "ssh://$(x)",
            "ssh://u'@h",
            "ssh://h:0",
            "ssh://h:x",
            "ssh://h:99999",
            "ssh://h:",
            "ssh://[::1",
            "ssh://[]",
            "ssh://h\n",
            "ssh://h/a\nb",
            "ssh://@h",
            "ssh://u:pw@h",
            "http://h",
            "ssh://h:+2",
        ] {
            check(bad, None);
        }
        let error = "ssh://u:hunter2@h".parse::<Place>().unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        let error = "https://u:hunter2@h".parse::<Place>().unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
