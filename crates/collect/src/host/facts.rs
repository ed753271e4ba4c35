//! What the first batch asks of any host, and its answers. Interprets nothing but the platform.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parallax_model::GapKind;

use crate::machine::{
    Batch, Entry, Environment, FileContent, Output, ProbeError, Replies, Run, SystemFacts, Ticket, Variable,
    VariableValue,
};
use crate::{Collected, Scope};

/// How long one command may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// Where the control groups' file system is, by convention of every distribution.
pub(super) const CGROUP_ROOT: &str = "/sys/fs/cgroup";
/// The time zone's file.
pub(super) const LOCALTIME: &str = "/etc/localtime";

pub(super) const OS_RELEASE: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];
pub(super) const SYSTEM_VERSION: &str = "/System/Library/CoreServices/SystemVersion.plist";
pub(super) const CPUINFO: &str = "/proc/cpuinfo";
pub(super) const LIMITS: &str = "/proc/self/limits";
pub(super) const CGROUP: &str = "/proc/self/cgroup";
pub(super) const TIMEZONE: &str = "/etc/timezone";
pub(super) const DOCKER_MARK: &str = "/.dockerenv";
pub(super) const PODMAN_MARK: &str = "/run/.containerenv";
pub(super) const SYSTEMD_MARK: &str = "/run/systemd/container";
pub(super) const VENDOR: &str = "/sys/class/dmi/id/sys_vendor";
pub(super) const PRODUCT: &str = "/sys/class/dmi/id/product_name";

/// Alpine's list of installed packages, before and since 3.23.
pub(super) const APK: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

/// How much of a file is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// All of it: one that goes on past its limit is not understood.
    Whole,
    /// Its start: the first processor's lines, or that the file is there at all.
    Start,
}

/// The files that are read, and at most how many bytes of each.
const FILES: &[(&str, usize, Need)] = &[
    (OS_RELEASE[0], 16_384, Need::Whole),
    (OS_RELEASE[1], 16_384, Need::Whole),
    (SYSTEM_VERSION, 16_384, Need::Whole),
    (CPUINFO, 8_192, Need::Start),
    (LIMITS, 8_192, Need::Whole),
    (CGROUP, 16_384, Need::Whole),
    (TIMEZONE, 256, Need::Whole),
    (DOCKER_MARK, 16, Need::Start),
    (PODMAN_MARK, 4_096, Need::Start),
    (SYSTEMD_MARK, 256, Need::Whole),
    (VENDOR, 256, Need::Whole),
    (PRODUCT, 256, Need::Whole),
];

/// The bundles of certificate authorities that programs look for, in the order of most of them.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The categories of a locale that a variable can set.
pub(super) const CATEGORIES: &[&str] = &[
    "LC_ADDRESS",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
];

const OTHER_VARIABLES: &[&str] =
    &["KUBERNETES_SERVICE_HOST", "LANG", "LC_ALL", "SSL_CERT_FILE", "TZ", "container"];

/// The claims on the first batch's replies.
#[derive(Debug)]
pub(super) struct Asked {
    system: Ticket<SystemFacts>,
    variables: Ticket<Vec<Variable>>,
    files: Vec<(&'static str, Need, Ticket<FileContent>)>,
    bundles: Vec<(&'static str, Ticket<String>)>,
    libraries: [Ticket<Vec<Entry>>; 2],
    cgroup_root: Ticket<Vec<Entry>>,
    zone_link: Ticket<Output>,
}

/// Which family of kernel answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    Linux,
    Mac,
    /// Something else, or it could not be told.
    Unknown,
}

/// The first batch's answers.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) platform: Platform,
    pub(super) system: Result<SystemFacts, ProbeError>,
    variables: Result<BTreeMap<String, VariableValue>, ProbeError>,
    files: BTreeMap<&'static str, Result<String, ProbeError>>,
    /// Bundles of certificate authorities and their hashes, the preferred first.
    pub(super) bundles: Vec<(&'static str, Result<String, ProbeError>)>,
    /// What is in `/lib` and in `/lib64`.
    pub(super) libraries: [Result<Vec<Entry>, ProbeError>; 2],
    /// What is in the control groups' root.
    pub(super) cgroup_root: Result<Vec<Entry>, ProbeError>,
    /// What `readlink` said of the time zone's file.
    pub(super) zone_link: Result<Output, ProbeError>,
}

impl Asked {
    /// Asks what can be asked of any host.
    pub(super) fn ask(batch: &mut Batch, scope: &Scope) -> Self {
        let mut files: Vec<_> =
            FILES.iter().map(|(path, max, need)| (*path, *need, batch.read(*path, *max))).collect();
        let packages =
            |path: &&'static str| (*path, Need::Start, batch.read_lines(*path, 131_072, &["P:", "V:"]));
        files.extend(APK.iter().map(packages));
        let names = CATEGORIES.iter().chain(OTHER_VARIABLES).map(ToString::to_string).collect();
        Self {
            system: batch.system(),
            variables: batch.environment(Environment {
                names: Some(names),
                fingerprinter: Arc::clone(&scope.fingerprinter),
            }),
            files,
            bundles: BUNDLES.iter().map(|path| (*path, batch.sha256(*path))).collect(),
            libraries: [batch.list("/lib", 8_192), batch.list("/lib64", 8_192)],
            cgroup_root: batch.list(CGROUP_ROOT, 8_192),
            zone_link: batch.run(Run {
                argv: vec!["readlink".to_owned(), LOCALTIME.to_owned()],
                timeout: TIMEOUT,
                max_bytes: 4_096,
                depends_on: vec![LOCALTIME.to_owned()],
            }),
        }
    }
}

impl Facts {
    /// Takes the answers.
    pub(super) fn read(asked: &Asked, replies: &Replies) -> Self {
        let system = replies.get(asked.system).cloned();
        let [lib, lib64] = asked.libraries;
        let text = |need: Need, ticket: Ticket<FileContent>| match replies.get(ticket) {
            Ok(content) if content.truncated && need == Need::Whole => {
                Err(ProbeError::TooLarge(content.bytes.len()))
            }
            Ok(content) => Ok(content.text()),
            Err(error) => Err(error),
        };
        Self {
            platform: platform(system.as_ref().map_or("", |s| s.kernel_name.as_str())),
            system,
            variables: replies
                .get(asked.variables)
                .map(|list| list.iter().map(|v| (v.name.clone(), v.value.clone())).collect()),
            files: asked.files.iter().map(|(path, need, ticket)| (*path, text(*need, *ticket))).collect(),
            bundles: asked.bundles.iter().map(|(p, ticket)| (*p, replies.get(*ticket).cloned())).collect(),
            libraries: [replies.get(lib).cloned(), replies.get(lib64).cloned()],
            cgroup_root: replies.get(asked.cgroup_root).cloned(),
            zone_link: replies.get(asked.zone_link).cloned(),
        }
    }

    /// The text of one of the files that were asked for.
    pub(super) fn file(&self, path: &str) -> Result<&str, ProbeError> {
        match self.files.get(path) {
            Some(Ok(text)) => Ok(text),
            Some(Err(error)) => Err(error.clone()),
            None => Err(ProbeError::Failed("it was not asked for".to_owned())),
        }
    }

    /// The text of a file, or nothing for any reason: for evidence of which none is needed.
    pub(super) fn hint(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref().ok()
    }

    /// A variable that is set and not empty. One whose value was masked counts as set.
    pub(super) fn variable(&self, name: &str) -> Option<&VariableValue> {
        match self.variables.as_ref().ok()?.get(name)? {
            VariableValue::Plain(text) if text.is_empty() => None,
            value @ (VariableValue::Plain(_) | VariableValue::Secret(_)) => Some(value),
        }
    }

    /// Whether a variable is set, even to nothing.
    pub(super) fn has_variable(&self, name: &str) -> bool {
        self.variables.as_ref().is_ok_and(|all| all.contains_key(name))
    }

    /// Why variables could not be read.
    pub(super) fn variables_error(&self) -> Option<&ProbeError> {
        self.variables.as_ref().err()
    }

    /// What the kernel says of itself and the machine, where it says anything.
    pub(super) fn release(&self) -> &str {
        self.system.as_ref().map_or("", |s| s.kernel_release.as_str())
    }
}

/// Adds a gap over what every host has: that the means to see it are not there does not make it absent.
pub(super) fn unseen(out: &mut Collected, what: &str, place: &str, error: &ProbeError) {
    out.gap(what, error.gap_kind().unwrap_or(GapKind::Unsupported), format!("{place}: {error}"));
}

fn platform(kernel_name: &str) -> Platform {
    match kernel_name {
        "Linux" => Platform::Linux,
        "Darwin" => Platform::Mac,
        _ => Platform::Unknown,
    }
}
