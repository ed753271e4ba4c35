//! What a marker can ask, and what a platform answers.

use crate::platform::Platform;

/// What a marker can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// `implementation_name`: `cpython`.
    ImplementationName,
    /// `implementation_version`
    ImplementationVersion,
    /// `os_name`: `posix`, `nt`.
    OsName,
    /// `platform_machine`: `x86_64`, `AMD64`, `aarch64`.
    PlatformMachine,
    /// `platform_python_implementation`: `CPython`.
    PlatformPythonImplementation,
    /// `platform_release`: the kernel's.
    PlatformRelease,
    /// `platform_system`: `Linux`, `Windows`, `Darwin`.
    PlatformSystem,
    /// `platform_version`: the kernel's build.
    PlatformVersion,
    /// `python_full_version`: `3.11.2`.
    PythonFullVersion,
    /// `python_version`: `3.11`.
    PythonVersion,
    /// `sys_platform`: `linux`, `win32`, `darwin`.
    SysPlatform,
    /// `extra`: one that was asked for.
    Extra,
    /// `extras`: all that were asked for.
    Extras,
    /// `dependency_groups`: all that were asked for.
    DependencyGroups,
}

use Variable as V;

/// By their names, the first of each the one to write; then those from before the PEP.
const NAMES: [(&str, Variable); 20] = [
    ("implementation_name", V::ImplementationName),
    ("implementation_version", V::ImplementationVersion),
    ("os_name", V::OsName),
    ("platform_machine", V::PlatformMachine),
    ("platform_python_implementation", V::PlatformPythonImplementation),
    ("platform_release", V::PlatformRelease),
    ("platform_system", V::PlatformSystem),
    ("platform_version", V::PlatformVersion),
    ("python_full_version", V::PythonFullVersion),
    ("python_version", V::PythonVersion),
    ("sys_platform", V::SysPlatform),
    ("extra", V::Extra),
    ("extras", V::Extras),
    ("dependency_groups", V::DependencyGroups),
    ("os.name", V::OsName),
    ("sys.platform", V::SysPlatform),
    ("platform.version", V::PlatformVersion),
    ("platform.machine", V::PlatformMachine),
    ("platform.python_implementation", V::PlatformPythonImplementation),
    ("python_implementation", V::PlatformPythonImplementation),
];

/// What is known of a variable's value.
pub(super) enum Known {
    /// A text.
    Text(String),
    /// A version.
    Version(String),
    /// A version of which only the start is known.
    Series(String),
}

impl Variable {
    pub(super) fn by_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, variable)| *variable)
    }

    /// Its name, as it is written today.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, variable)| *variable == self).map_or("", |(name, _)| name)
    }

    /// Whether its values are versions of Python.
    #[must_use]
    pub fn is_version(self) -> bool {
        matches!(self, Self::PythonVersion | Self::PythonFullVersion | Self::ImplementationVersion)
    }

    /// Whether it has several values at a time: what was asked for.
    #[must_use]
    pub fn is_many(self) -> bool {
        matches!(self, Self::Extra | Self::Extras | Self::DependencyGroups)
    }

    pub(super) fn value(self, platform: &Platform) -> Option<Known> {
        let os = || platform.os.as_deref();
        let text = |text: &str| Some(Known::Text(text.to_owned()));
        match self {
            Self::OsName => text(os_name(os()?)?),
            Self::SysPlatform => text(sys_platform(os()?)?),
            Self::PlatformSystem => text(system(os()?)?),
            Self::PlatformMachine => text(machine(platform.architecture.as_deref()?, os()?)?),
            Self::PlatformPythonImplementation => text(implementation(platform)?.1),
            Self::ImplementationName => text(implementation(platform)?.0),
            Self::PythonVersion => python_version(platform.python.as_deref()?),
            Self::PythonFullVersion => full_version(platform.python.as_deref()?),
            Self::ImplementationVersion if implementation(platform)?.0 == "cpython" => {
                full_version(platform.python.as_deref()?)
            }
            Self::ImplementationVersion
            | Self::PlatformRelease
            | Self::PlatformVersion
            | Self::Extra
            | Self::Extras
            | Self::DependencyGroups => None,
        }
    }
}

fn python_version(python: &str) -> Option<Known> {
    let mut parts = python.trim().splitn(3, '.');
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    let (major, minor) = (parts.next()?, digits(parts.next()?));
    (!minor.is_empty()).then(|| Known::Version(format!("{major}.{minor}")))
}

fn full_version(python: &str) -> Option<Known> {
    let python = python.trim().trim_end_matches('+');
    let is_series = python.split('.').count() == 2 && python.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    Some(if is_series { Known::Series(python.to_owned()) } else { Known::Version(python.to_owned()) })
}

fn os_name(os: &str) -> Option<&'static str> {
    match os {
        "win32" => Some("nt"),
        "linux" | "darwin" | "freebsd" | "openbsd" | "netbsd" | "sunos" | "aix" | "android" | "cygwin" => {
            Some("posix")
        }
        _ => None,
    }
}

/// The BSDs put their version here, which is not known.
fn sys_platform(os: &str) -> Option<&'static str> {
    ["linux", "darwin", "win32", "aix", "cygwin"].into_iter().find(|known| *known == os)
}

fn system(os: &str) -> Option<&'static str> {
    Some(match os {
        "linux" => "Linux",
        "darwin" => "Darwin",
        "win32" => "Windows",
        "freebsd" => "FreeBSD",
        "openbsd" => "OpenBSD",
        "netbsd" => "NetBSD",
        "sunos" => "SunOS",
        "aix" => "AIX",
        _ => return None,
    })
}

/// How the operating system itself calls an architecture: `uname -m`, or `PROCESSOR_ARCHITECTURE`.
fn machine(architecture: &str, os: &str) -> Option<&'static str> {
    Some(match (architecture, os) {
        ("x86_64", "linux" | "darwin") => "x86_64",
        ("x86_64", "win32") => "AMD64",
        ("x86_64", "freebsd" | "openbsd" | "netbsd") => "amd64",
        ("arm64", "linux") => "aarch64",
        ("arm64", "win32") => "ARM64",
        ("arm64", "darwin" | "freebsd" | "openbsd") => "arm64",
        ("i386", "linux") => "i686",
        ("i386", "win32") => "x86",
        ("armv7", "linux") => "armv7l",
        ("armv6", "linux") => "armv6l",
        ("ppc64le", "linux") => "ppc64le",
        ("s390x", "linux") => "s390x",
        ("riscv64", "linux") => "riscv64",
        ("loongarch64", "linux") => "loongarch64",
        _ => return None,
    })
}

/// `implementation_name` and `platform_python_implementation`.
fn implementation(platform: &Platform) -> Option<(&'static str, &'static str)> {
    let found = platform.python_implementation.as_deref()?;
    [
        ("cpython", "CPython"),
        ("pypy", "PyPy"),
        ("graalpy", "GraalVM"),
        ("jython", "Jython"),
        ("ironpython", "IronPython"),
    ]
    .into_iter()
    .find(|(name, _)| name.eq_ignore_ascii_case(found))
}
