//! Platforms, and conditions on them: whether a locked package is installed there, told without being there.

pub mod marker;
mod npm;
pub mod pep440;

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
    /// What a snapshot tells of its platform.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let text = |key: &str, attribute: &str| {
            let resource = snapshot.get(&Key::of([key]))?;
            resource.attributes.get(attribute).and_then(Value::as_text).map(str::to_owned)
        };
        let distribution = || text("host/os", "id");
        Self {
            os: text("host/kernel", "name").or_else(distribution).and_then(|name| os(&name)),
            // An emulator's is the one that programs are told.
            architecture: text("host/cpu", "emulated").or_else(|| text("host/cpu", "architecture")),
            libc: text("host/libc", "family"),
            python: text("runtime/python", "version"),
            python_implementation: text("runtime/python", "resolved").and_then(|path| implementation(&path)),
        }
    }
}

/// The implementation of Python whose program is at a path, links followed; each has programs of its own name.
fn implementation(path: &str) -> Option<String> {
    let others = ["pypy", "graalpy", "jython", "ironpython"];
    let other = others.into_iter().find(|name| path.contains(name));
    let program = path.rsplit('/').next().unwrap_or_default();
    other.or_else(|| program.starts_with("python").then_some("cpython")).map(str::to_owned)
}

/// Node's name of an operating system, by its kernel's name or its distribution's id; `None` where nothing says more
/// than that there is one.
fn os(name: &str) -> Option<String> {
    let name = match name.to_ascii_lowercase().as_str() {
        "darwin" | "macos" => "darwin",
        "windows" | "windows_nt" => "win32",
        "freebsd" => "freebsd",
        "openbsd" => "openbsd",
        "sunos" => "sunos",
        "aix" => "aix",
        "linux" | "debian" | "ubuntu" | "alpine" | "fedora" | "rhel" | "centos" | "amzn" | "arch"
        | "rocky" | "almalinux" | "ol" | "sles" | "opensuse-leap" | "wolfi" | "nixos" => "linux",
        _ => return None,
    };
    Some(name.to_owned())
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
        let mut unknown = false;
        for alternative in self.0.split(" | ") {
            let holds = match alternative.trim_start().strip_prefix("python:") {
                Some(marker) => marker::holds(marker, platform),
                None => npm::holds(alternative, platform),
            };
            match holds {
                Some(true) => return Some(true),
                Some(false) => {}
                None => unknown = true,
            }
        }
        if unknown { None } else { Some(false) }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Resource, SnapshotHeader, Timestamp};

    #[test]
    fn one_alternative_is_enough() {
        let platform = Platform { os: Some("linux".to_owned()), ..Platform::default() };
        let check = |text: &str, expected: Option<bool>| {
            assert_eq!(Condition::new(text).holds(&platform), expected, "{text}");
        };
        check("os=darwin | os=linux", Some(true));
        check("os=darwin | os=win32", Some(false));
        check("os=darwin | cpu=x64", None);
        check("cpu=x64 | os=linux", Some(true));
        check("", None);
    }

    #[test]
    fn programs_tell_their_implementation() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(implementation(path).as_deref(), expected, "{path}");
        };
        check("/usr/bin/python3.11", Some("cpython"));
        check("/opt/pypy3.10/bin/pypy3.10", Some("pypy"));
        check("/opt/pypy3.10/bin/python3.10", Some("pypy"));
        check("/root/.pyenv/versions/graalpy-24.0/bin/graalpy", Some("graalpy"));
        check("/usr/bin/sh", None);
        check("", None);
    }

    #[test]
    fn a_snapshot_tells_its_platform() {
        let check = |resources: &[(&str, &str, &str)], expected: [Option<&str>; 4]| {
            let resource = |(key, name, value): &(&str, &str, &str)| {
                Resource::new(Key::of([*key]), "x").with(name, *value)
            };
            let header = SnapshotHeader {
                environment: "x".to_owned(),
                captured_at: Timestamp::UNIX_EPOCH,
                tool: "test".to_owned(),
                key_id: None,
                sources: Vec::new(),
                gaps: Vec::new(),
            };
            let found = Platform::of(&Snapshot::new(header, resources.iter().map(resource).collect()));
            let found = [&found.os, &found.architecture, &found.libc, &found.python];
            assert_eq!(found.map(Option::as_deref), expected, "{resources:?}");
        };
        let kernel = ("host/kernel", "name", "Linux");
        let of = |name: &'static str, value: &'static str| ("host/cpu", name, value);
        check(&[kernel, of("architecture", "x86_64")], [Some("linux"), Some("x86_64"), None, None]);
        check(&[of("emulated", "x86_64")], [None, Some("x86_64"), None, None]);
        check(
            &[
                ("host/os", "id", "alpine"),
                ("host/libc", "family", "musl"),
                ("runtime/python", "version", "3.12.1"),
            ],
            [Some("linux"), None, Some("musl"), Some("3.12.1")],
        );
        check(&[("host/kernel", "name", "Darwin")], [Some("darwin"), None, None, None]);
        check(&[], [None; 4]);
    }
}
