//! Platforms, and conditions on them: whether a locked package is installed there, told without being there.

use std::fmt;

use crate::{Key, Snapshot, Value};

/// What an installer looks at when it chooses packages. `None` where it is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Platform {
    /// The operating system in Node's spelling (`process.platform`): `linux`, `darwin`, `win32`.
    pub os: Option<String>,
    /// The architecture in Parallax' spelling: `x86_64`, `arm64`, `i386`, ...
    pub architecture: Option<String>,
    /// The C library's family: `glibc`, `musl`.
    pub libc: Option<String>,
    /// The version of Python (`3.11.2`).
    pub python: Option<String>,
    /// Python's implementation (`cpython`, `pypy`).
    pub python_implementation: Option<String>,
}

impl Platform {
    /// The platform of an observed environment.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let value = |key: [&str; 2], path: &str| {
            let resource = snapshot.get(&Key::of(key))?;
            resource.attributes.get(path).and_then(Value::as_text).map(str::to_owned)
        };
        let os = value(["host", "kernel"], "name").map(|name| match name.as_str() {
            "Linux" => "linux".to_owned(),
            "Darwin" => "darwin".to_owned(),
            other => other.to_ascii_lowercase(),
        });
        Self {
            os,
            architecture: value(["host", "cpu"], "architecture"),
            libc: value(["host", "libc"], "family"),
            python: value(["runtime", "python"], "version"),
            python_implementation: None,
        }
    }
}

/// Under which condition a package is installed. The text form is what a snapshot keeps:
///
/// - `os=linux,!win32 cpu=x64,arm64 libc=glibc`: npm's lists, each of which must allow the platform's value; `!` excludes.
/// - `python: sys_platform == 'win32' and python_version < '3.11'`: a marker of PEP 508.
/// - several of these, joined by ` | `: one is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition(String);

impl Condition {
    /// A condition by its text form.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether it holds on a platform; `None` where that depends on something that is not known, or the text is not
    /// understood.
    #[must_use]
    pub fn holds(&self, platform: &Platform) -> Option<bool> {
        let _ = platform;
        None
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
