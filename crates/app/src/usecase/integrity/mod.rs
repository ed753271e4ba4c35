//! `lint --registry`: what lockfiles fix, against what registries serve now. Each package is asked about once, several at
//! once; an answer that can't change is kept for a week. What could not be asked is told, and is never agreement.

mod cache;
mod cargo;
mod connection;
mod npm;
mod places;
mod pypi;

use std::collections::{BTreeMap, BTreeSet};

use parallax_collect::lockfile::{self, Files, Locked, Origin, Package};
use parallax_engine::boundary::Severity;
use parallax_model::Code;

use self::cache::Cache;
use self::connection::{Connection, Failure};
use self::places::Places;
use super::lint::{Finding, Fix, Unread};
use super::{Context, Network, parallel};

/// How many are asked about at once.
const AT_ONCE: usize = 16;
/// After so many failures of one registry in a row it is taken to be out of reach.
const PATIENCE: usize = 8;

/// Told while registries are asked.
pub trait RegistryProgress: Sync {
    /// So many packages will be asked about.
    fn begin(&self, packages: usize);
    /// One of them was.
    fn step(&self);
    /// All were.
    fn end(&self);
}

/// What registries said.
#[derive(Debug, Default, PartialEq)]
pub struct Integrity {
    /// How many packages with a content hash are locked.
    pub packages: usize,
    /// How many of them are served as they are locked.
    pub agreed: usize,
    /// How many answers were kept from an earlier run.
    pub kept: usize,
    /// How many have a hash that can't be compared: of another kind than any that the registry tells.
    pub incomparable: usize,
    /// How many come from no registry that is asked (git, a path, a URL).
    pub elsewhere: usize,
    /// How many could not be asked about.
    pub unreached: usize,
    /// Why nothing was asked at all.
    pub skipped: Option<String>,
    /// What differs, and what is gone.
    pub findings: Vec<Finding>,
    /// What could not be read or asked.
    pub unread: Vec<Unread>,
}

/// What a registry says of one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Served {
    /// Its content hashes, as lockfiles spell them.
    hashes: Vec<String>,
    state: State,
}

/// What became of a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum State {
    /// It is served.
    #[default]
    There,
    /// It is served, and nobody should use it.
    Yanked,
    /// It is not served any more, or never was.
    Absent,
}

/// One package to ask about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    ecosystem: &'static str,
    name: String,
    version: String,
    /// The registry that the lockfile names, where it names one.
    registry: Option<String>,
}

/// Where a package is locked, and with which hashes.
struct LockedAt<'f> {
    shown: &'f str,
    bytes: &'f [u8],
    hashes: Vec<String>,
}

/// Holds what lockfiles fix (shown path, path, bytes) against what registries serve.
pub(super) fn check(
    lockfiles: &[(&str, &str, &[u8])],
    context: &Context,
    network: Network,
    progress: &dyn RegistryProgress,
) -> Integrity {
    let mut out = Integrity::default();
    let wanted = wanted(lockfiles, &mut out);
    out.packages = wanted.len();
    if wanted.is_empty() {
        return out;
    }
    if network == Network::Offline {
        return skipped(out, "--offline was given".to_owned());
    }
    let asked: Vec<&Asked> = wanted.keys().collect();
    let mut cache = Cache::open(context.cache.as_deref(), context.now);
    let places = Places::read(&context.config.folder);
    let connection = Connection::new(places.certificates());
    progress.begin(asked.len());
    let answers = parallel::each(&asked, AT_ONCE, |asked| {
        let answer = match cache.get(&key(asked, &places)) {
            Some(served) => Ok((served, Source::Kept)),
            None => ask(asked, &places, &connection).map(|served| (served, Source::Asked)),
        };
        progress.step();
        answer
    });
    progress.end();
    if let Some(Err(Failure::Unreachable(why))) = answers.first()
        && answers.iter().all(|answer| matches!(answer, Err(Failure::Unreachable(_))))
    {
        return skipped(out, format!("no registry could be reached: {why}"));
    }
    let mut failures: BTreeMap<String, usize> = BTreeMap::new();
    for (asked, answer) in asked.into_iter().zip(answers) {
        let locked = wanted.get(asked).map(Vec::as_slice).unwrap_or_default();
        match answer {
            Ok((served, source)) => {
                match source {
                    Source::Kept => out.kept += 1,
                    Source::Asked => cache.put(key(asked, &places), &served),
                }
                compare(asked, &served, locked, &mut out);
            }
            Err(failure) => {
                out.unreached += 1;
                *failures.entry(failure.to_string()).or_default() += 1;
            }
        }
    }
    cache.save();
    let told = |(why, count)| Unread { path: format!("{count} packages"), why };
    out.unread.extend(failures.into_iter().map(told));
    out
}

#[derive(Clone, Copy)]
enum Source {
    Kept,
    Asked,
}

fn skipped(mut out: Integrity, why: String) -> Integrity {
    out.unreached = out.packages;
    out.skipped = Some(why);
    out
}

/// The packages of lockfiles that have a content hash, each with where it is locked.
fn wanted<'f>(
    lockfiles: &[(&'f str, &'f str, &'f [u8])],
    out: &mut Integrity,
) -> BTreeMap<Asked, Vec<LockedAt<'f>>> {
    let others: BTreeMap<String, Vec<u8>> =
        lockfiles.iter().map(|(_, path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    let mut wanted: BTreeMap<Asked, Vec<LockedAt<'f>>> = BTreeMap::new();
    for (shown, path, bytes) in lockfiles {
        let Some((format, read)) = lockfile::by_path(path).and_then(|format| Some((format, format.read?)))
        else {
            continue;
        };
        let locked: Locked = match read(&Files::new(path, bytes, &others)) {
            Ok(locked) => locked,
            Err(error) => {
                let path = format!("{shown}:{}:{}", error.line, error.column);
                out.unread.push(Unread { path, why: error.what.to_owned() });
                continue;
            }
        };
        for package in locked.packages.into_iter().filter(|package| !package.integrity.is_empty()) {
            match asked(format.ecosystem, &package) {
                Some(asked) => {
                    let at = LockedAt { shown, bytes, hashes: package.integrity };
                    wanted.entry(asked).or_default().push(at);
                }
                None => out.elsewhere += 1,
            }
        }
    }
    wanted
}

fn asked(ecosystem: &'static str, package: &Package) -> Option<Asked> {
    let registry = match &package.origin {
        None => None,
        Some(Origin::Registry(url)) => Some(url.clone()),
        Some(Origin::Git(_) | Origin::Url(_) | Origin::Path(_)) => return None,
    };
    let (name, version) = (package.name.clone(), package.version.clone());
    // What becomes part of an address must be a name.
    let is_plain = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"@/._-+!~".contains(&b))
            && !text.split('/').any(|part| part.is_empty() || part == "." || part == "..")
    };
    (is_plain(&name) && is_plain(&version)).then_some(Asked { ecosystem, name, version, registry })
}

fn key(asked: &Asked, places: &Places) -> String {
    format!("{} {} {}", places.address(asked), asked.name, asked.version)
}

fn ask(asked: &Asked, places: &Places, connection: &Connection) -> Result<Served, Failure> {
    match asked.ecosystem {
        "npm" => npm::ask(asked, &places.npm(asked), connection),
        "pypi" => pypi::ask(asked, &places.pypi(asked), connection),
        "cargo" => cargo::ask(asked, &places.cargo(asked)?, connection),
        other => Err(Failure::Refused(format!("packages of {other} are not asked about"))),
    }
}

fn compare(asked: &Asked, served: &Served, locked: &[LockedAt<'_>], out: &mut Integrity) {
    let name = format!("{} {}", asked.name, asked.version);
    let mut agreed = true;
    for at in locked {
        match (&served.state, difference(&at.hashes, &served.hashes)) {
            (State::Absent, _) => {
                agreed = false;
                let message = format!("{name} is not in its registry");
                let why = "the next installation without a cache fails, and somebody else may take the name";
                out.findings.push(finding(at, Severity::Warning, message, why));
            }
            (_, Difference::Differs(of)) => {
                agreed = false;
                let message =
                    format!("{name} is served with another content than the one that is locked ({of})");
                let why = "either the lockfile or what the registry serves was tampered with";
                out.findings.push(finding(at, Severity::Error, message, why));
            }
            (_, Difference::Incomparable) => {
                agreed = false;
                out.incomparable += 1;
            }
            (State::Yanked, Difference::Agrees) => {
                let message = format!("{name} was yanked from its registry");
                let why = "its authors ask that nobody uses it";
                out.findings.push(finding(at, Severity::Warning, message, why));
            }
            (State::There, Difference::Agrees) => {}
        }
    }
    out.agreed += usize::from(agreed);
}

fn finding(at: &LockedAt<'_>, severity: Severity, message: String, why: &str) -> Finding {
    // Lockfiles of npm spell it as it is, others behind the algorithm's name or not.
    let digits = |hash: &String| hash.split_once(':').map_or(hash.clone(), |(_, digits)| digits.to_owned());
    let places = at.hashes.iter().map(digits).filter_map(|hash| {
        let text = str::from_utf8(at.bytes).ok()?;
        text.find(&hash).map(|place| text.get(..place).unwrap_or_default().matches('\n').count() + 1)
    });
    let mend = match severity {
        Severity::Error => {
            "find out which of the two is right before anything is installed; then lock it anew"
        }
        Severity::Warning | Severity::Info => "lock another version",
    };
    Finding {
        code: Code::IntegrityMismatch,
        severity,
        path: at.shown.to_owned(),
        line: places.min().unwrap_or(1),
        column: 1,
        message,
        why: why.to_owned(),
        mend: mend.to_owned(),
        fix: Fix::None,
    }
}

/// How locked hashes stand to those that are served.
#[derive(Debug, PartialEq, Eq)]
enum Difference {
    Agrees,
    /// Of which algorithm.
    Differs(String),
    Incomparable,
}

/// Every locked hash of an algorithm that the registry tells must be one of its own.
fn difference(locked: &[String], served: &[String]) -> Difference {
    let algorithm = |hash: &str| hash.split([':', '-']).next().unwrap_or_default().to_owned();
    let told: BTreeSet<String> = served.iter().map(|hash| algorithm(hash)).collect();
    let comparable: Vec<&String> = locked.iter().filter(|hash| told.contains(&algorithm(hash))).collect();
    if comparable.is_empty() {
        return Difference::Incomparable;
    }
    match comparable.iter().find(|hash| !served.contains(hash)) {
        Some(hash) => Difference::Differs(algorithm(hash)),
        None => Difference::Agrees,
    }
}

#[cfg(test)]
mod tests;
