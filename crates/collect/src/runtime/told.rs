//! Observes before anything is executed: the version of a file by its path, by files beside it, or by the
//! database of the package that owns it. Takes a file's word only if it is about that very file.

use super::known::{Known, Pending};
use super::surroundings::{Surroundings, beside, file_name, parent};
use super::table::{Tells, Tool};
use super::{manager, package, parse};

/// A version and where it was read.
pub(super) use super::package::Told;

const FILE_BYTES: usize = 64 << 10;
/// A Rust toolchain's manifest is about a megabyte; the lines that matter are a few.
const LINE_BYTES: usize = 64 << 10;
const DPKG_STATUS: &str = "/var/lib/dpkg/status";
/// Minor versions of Python 3 whose folders are tried.
const PYTHON_MINORS: std::ops::RangeInclusive<u8> = 6..=16;

/// The file that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Its path.
    pub path: String,
    /// Whether links on the way were followed.
    pub links: Links,
}

/// Whether a path may still be a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// They were followed.
    Followed,
    /// A manager chose the path, and it may be a link within the manager's folder.
    Within,
}

/// The version that files tell, if they do.
pub(super) fn by_files(
    tool: &Tool,
    target: &Target,
    world: &Surroundings,
    known: &mut Known,
) -> Result<Option<Told>, Pending> {
    if let Some(version) = manager::version_of_path(&target.path, |name| tool.is_package(name)) {
        return Ok(Some((version, target.path.clone())));
    }
    // All are asked for before the first is looked at, so that they share a round trip.
    let beside: Vec<_> = tool.tells.iter().map(|tells| by_tell(tool, tells, target, known)).collect();
    let conda = conda(tool, target, known);
    let snap = snap(target, known);
    let owned = package::owned(tool, &target.path, world, known)?;
    if let Some(told) = owned.or(snap?).or(conda?) {
        return Ok(Some(told));
    }
    for told in beside {
        if let Some(told) = told? {
            return Ok(Some(told));
        }
    }
    Ok(None)
}

fn by_tell(tool: &Tool, tells: &Tells, target: &Target, known: &mut Known) -> Result<Option<Told>, Pending> {
    match tells {
        Tells::NpmPackage => npm_package(tool, target, known),
        Tells::Beside { path, lines, read } => {
            let path = beside(parent(&target.path), path);
            let text = known.lines(&path, LINE_BYTES, lines)?;
            Ok(text.and_then(|text| read(&text)).map(|version| (version, path)))
        }
        Tells::Named { folder, prefix, suffix } => {
            let folder = beside(parent(&target.path), folder);
            let names = known.list(&folder)?.unwrap_or_default();
            let mut found = names.iter().filter_map(|entry| {
                let version = entry.name.strip_prefix(prefix)?.strip_suffix(suffix)?;
                parse::plain_version(version).map(|v| (v, format!("{folder}/{}", entry.name)))
            });
            let first = found.next();
            Ok(first.filter(|_| found.next().is_none()))
        }
        Tells::Distribution(name) => distribution(name, target, known),
        Tells::ErlangRelease => erlang(target, known),
        Tells::PostgresWrapper => postgres(target, known),
    }
}

/// The `package.json` of the innermost package that holds the file, or of the package that a
/// manager's `bin` links to.
fn npm_package(tool: &Tool, target: &Target, known: &mut Known) -> Result<Option<Told>, Pending> {
    let mut places = vec![beside(parent(&target.path), "../package.json")];
    if let Some((before, after)) = target.path.rsplit_once("/node_modules/") {
        let scoped = after.starts_with('@');
        let name: Vec<&str> = after.split('/').take(if scoped { 2 } else { 1 }).collect();
        places.push(format!("{before}/node_modules/{}/package.json", name.join("/")));
    }
    if target.links == Links::Within {
        for package in tool.packages.iter().filter(|p| !p.contains('*')) {
            places.push(beside(parent(&target.path), &format!("../lib/node_modules/{package}/package.json")));
        }
    }
    let texts: Vec<_> = places.iter().map(|place| known.text(place, FILE_BYTES)).collect();
    for (place, text) in places.into_iter().zip(texts) {
        let version = text?.and_then(|text| parse::npm_package(&text, |name| tool.is_package(name)));
        if let Some(version) = version {
            return Ok(Some((version, place)));
        }
    }
    Ok(None)
}

/// `<name>-<version>.dist-info` in the packages of the Python that stands in the same prefix; nothing where
/// several Pythons there have it.
fn distribution(name: &str, target: &Target, known: &mut Known) -> Result<Option<Told>, Pending> {
    let prefix = beside(parent(&target.path), "..");
    if prefix == "/usr" || prefix == "/" {
        return Ok(None);
    }
    let mut folders = Vec::new();
    for minor in PYTHON_MINORS {
        for packages in ["site-packages", "dist-packages"] {
            folders.push(format!("{prefix}/lib/python3.{minor}/{packages}"));
        }
    }
    let mut found = Vec::new();
    let mut pending = false;
    for folder in folders {
        match known.list(&folder) {
            Ok(entries) => found.extend(entries.unwrap_or_default().iter().filter_map(|entry| {
                let rest = entry.name.strip_prefix(name)?.strip_prefix('-')?;
                let version = parse::plain_version(rest.strip_suffix(".dist-info")?)?;
                Some((version, format!("{folder}/{}", entry.name)))
            })),
            Err(Pending) => pending = true,
        }
    }
    if pending {
        return Err(Pending);
    }
    Ok(found.pop().filter(|_| found.is_empty()))
}

/// `releases/<release>/OTP_VERSION`, where `releases/start_erl.data` names the release.
fn erlang(target: &Target, known: &mut Known) -> Result<Option<Told>, Pending> {
    let releases = beside(parent(&target.path), "../releases");
    let Some(start) = known.text(&format!("{releases}/start_erl.data"), FILE_BYTES)? else {
        return Ok(None);
    };
    let Some(release) = start.split_whitespace().nth(1).filter(|r| r.bytes().all(|b| b.is_ascii_digit()))
    else {
        return Ok(None);
    };
    let path = format!("{releases}/{release}/OTP_VERSION");
    let text = known.text(&path, FILE_BYTES)?;
    Ok(text.and_then(|text| parse::version_file(&text)).map(|version| (version, path)))
}

/// Debian's `pg_wrapper` chooses among the versions below `/usr/lib/postgresql`; where there is one, and its
/// client is packaged, that one answers.
fn postgres(target: &Target, known: &mut Known) -> Result<Option<Told>, Pending> {
    if target.path != "/usr/share/postgresql-common/pg_wrapper" {
        return Ok(None);
    }
    let status = known.lines(DPKG_STATUS, 4 << 20, &["Package: ", "Status: ", "Version: "]);
    let only = match known.list("/usr/lib/postgresql")?.unwrap_or_default() {
        [only] => only.name.clone(),
        [] | [_, _, ..] => return Ok(None),
    };
    let package = format!("postgresql-client-{only}");
    let file = format!("/usr/lib/postgresql/{only}/bin/psql");
    let list = known.lines(&format!("/var/lib/dpkg/info/{package}.list"), FILE_BYTES, &[&file]);
    let owns = list?.is_some_and(|text| text.lines().any(|line| line == file));
    let version = status?.filter(|_| owns).and_then(|text| package::debian_version(&text, &package, 2));
    Ok(version.map(|v| (v, format!("{DPKG_STATUS} ({package})"))))
}

/// `conda-meta/<package>-<version>-<build>.json` of the environment that holds the file.
fn conda(tool: &Tool, target: &Target, known: &mut Known) -> Result<Option<Told>, Pending> {
    let prefix = beside(parent(&target.path), "..");
    if !prefix.contains("conda") && !prefix.contains("mamba") && !prefix.contains("/envs/") {
        return Ok(None);
    }
    // Packages that another installer renews in place leave conda's record behind.
    if tool.tells.iter().any(|tells| matches!(tells, Tells::Distribution(_))) {
        return Ok(None);
    }
    let folder = format!("{prefix}/conda-meta");
    let names = known.list(&folder)?.unwrap_or_default();
    Ok(names.iter().find_map(|entry| {
        let (rest, _build) = entry.name.strip_suffix(".json")?.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        let version = parse::version(version).filter(|_| tool.is_package(name))?;
        Some((version, format!("{folder}/{}", entry.name)))
    }))
}

/// The `snap.yaml` of the snap whose name the command has.
fn snap(target: &Target, known: &mut Known) -> Result<Option<Told>, Pending> {
    let Some(name) = target.path.strip_prefix("/snap/bin/").map(file_name) else { return Ok(None) };
    let path = format!("/snap/{name}/current/meta/snap.yaml");
    let text = known.lines(&path, LINE_BYTES, &["version:"])?;
    Ok(text.and_then(|text| parse::snap(&text)).map(|version| (version, path)))
}
