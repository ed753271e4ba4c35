//! The package databases of Debian and Alpine: which version of a package owns a file. Only where ownership
//! is proven by the database itself; what was put beside or over a package's file is not believed.

use super::known::{Known, Pending};
use super::parse;
use super::surroundings::{Surroundings, file_name, parent};
use super::table::Tool;

const STATUS: &str = "/var/lib/dpkg/status";
const STATUS_BYTES: usize = 4 << 20;
const LIST_BYTES: usize = 4 << 10;
const DIVERSIONS: &str = "/var/lib/dpkg/diversions";
const ALPINE: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

/// A version and the words that say where it was read.
pub(super) type Told = (String, String);

/// The version that the system's package database gives a tool's file.
pub(super) fn owned(
    tool: &Tool,
    target: &str,
    world: &Surroundings,
    known: &mut Known,
) -> Result<Option<Told>, Pending> {
    // The Cloud SDK's packages carry the SDK's version, not the tool's.
    let elsewhere = target.starts_with("/usr/local/") || target.contains("/google-cloud-sdk/");
    let system = ["/usr/", "/bin/", "/sbin/"].iter().any(|prefix| target.starts_with(prefix));
    if !system || elsewhere || world.kernel != "Linux" || tool.packages.is_empty() {
        return Ok(None);
    }
    let debian = debian(tool, target, world, known);
    let alpine = alpine(tool, target, world, known);
    Ok(debian?.or(alpine?))
}

fn debian(
    tool: &Tool,
    target: &str,
    world: &Surroundings,
    known: &mut Known,
) -> Result<Option<Told>, Pending> {
    let owned_as = owned_paths(target, world);
    let starts: Vec<&str> = owned_as.iter().map(String::as_str).collect();
    let status = known.lines(STATUS, STATUS_BYTES, &["Package: ", "Status: ", "Version: "]);
    let diversions = known.text(DIVERSIONS, STATUS_BYTES);
    let names = debian_names(tool, target);
    let lists: Vec<_> = names
        .iter()
        .map(|name| known.lines(&format!("/var/lib/dpkg/info/{name}.list"), LIST_BYTES, &starts))
        .collect();
    let (status, diversions) = (status?, diversions?);
    let owns = |text: &str| text.lines().any(|line| starts.contains(&line));
    let diverted = diversions.is_some_and(|text| owns(&text));
    for (name, list) in names.iter().zip(lists) {
        if list?.is_some_and(|text| owns(&text)) && !diverted {
            let version = status.as_deref().and_then(|s| debian_version(s, name, tool.version_parts));
            return Ok(version.map(|v| (v, format!("{STATUS} ({name})"))));
        }
    }
    Ok(None)
}

/// How a package may have listed a file: as it is, or below `/bin` where that is a link to `/usr/bin`.
fn owned_paths(target: &str, world: &Surroundings) -> Vec<String> {
    let mut paths = vec![target.to_owned()];
    match target.strip_prefix("/usr") {
        Some(short) if world.merged_usr && (short.starts_with("/bin/") || short.starts_with("/sbin/")) => {
            paths.push(short.to_owned());
        }
        Some(_) | None => {}
    }
    paths
}

/// The packages that may own the file: `{file}` is its name without a compiler's triple, `{triple}` that triple.
fn debian_names(tool: &Tool, target: &str) -> Vec<String> {
    let file = file_name(target);
    let (triple, file) = match file.find("-linux-gnu").and_then(|at| file.split_at_checked(at)) {
        Some((machine, rest)) => {
            let short = rest.trim_start_matches("-linux-gnu").trim_start_matches('-');
            (format!("{machine}-linux-gnu").replace('_', "-"), short)
        }
        None => (String::new(), file),
    };
    let mut names: Vec<String> = Vec::new();
    for pattern in tool.packages.iter().filter(|p| !p.contains(['*', '@'])) {
        let name = pattern.replace("{file}", file).replace("{triple}", &triple);
        if !names.contains(&name) && !name.ends_with('-') {
            names.push(name);
        }
    }
    names
}

/// The upstream version of an installed Debian package, from the lines of the status file that matter.
pub(super) fn debian_version(status: &str, package: &str, parts: usize) -> Option<String> {
    upstream(debian_installed(status, package)?, parts)
}

/// The version of an installed package, from the lines of Debian's status file that matter.
fn debian_installed<'a>(status: &'a str, package: &str) -> Option<&'a str> {
    let wanted = format!("Package: {package}\n");
    let at = memchr::memmem::find_iter(status.as_bytes(), &wanted)
        .find(|at| *at == 0 || status.as_bytes().get(at - 1) == Some(&b'\n'))?;
    let mut installed = false;
    for line in status.get(at + wanted.len()..)?.lines() {
        if line.starts_with("Package: ") {
            return None;
        }
        if let Some(state) = line.strip_prefix("Status: ") {
            installed = state.ends_with(" installed");
        }
        if let Some(version) = line.strip_prefix("Version: ") {
            return installed.then_some(version);
        }
    }
    None
}

/// The upstream version within a Debian version (`1:2.39.5-0+deb12u2` is `2.39.5`), if it is one that the tool
/// would print: of at least `parts` numbers, and with no mark that turns its meaning round (`+really`, `~rc1`).
fn upstream(version: &str, parts: usize) -> Option<String> {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let version = version.rsplit_once('-').map_or(version, |(upstream, _)| upstream);
    let version = match version.split_once('+') {
        Some((_, suffix)) if !suffix.starts_with("dfsg") && !suffix.starts_with("ds") => return None,
        Some((upstream, _)) => upstream,
        None => version,
    };
    printed(version, parts)
}

/// The upstream version within an Alpine version: `2.43.0-r0`, `9.6_p1-r0`.
fn upstream_of_alpine(version: &str, parts: usize) -> Option<String> {
    let (version, _) = version.rsplit_once("-r")?;
    printed(&version.replace("_p", "p"), parts)
}

fn printed(version: &str, parts: usize) -> Option<String> {
    let plain = version.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    // At most one run of letters near the end, as in `1.1.1w` and `9.2p1`.
    let letters = version.bytes().filter(u8::is_ascii_alphabetic).count();
    let enough = version.split('.').count() >= parts && version.contains('.');
    parse::version(version).filter(|v| plain && letters <= 1 && enough && v == version)
}

fn alpine(
    tool: &Tool,
    target: &str,
    world: &Surroundings,
    known: &mut Known,
) -> Result<Option<Told>, Pending> {
    let mut starts = vec!["P:", "V:", "F:"];
    starts.extend(world.alpine_files.iter().map(String::as_str));
    let files = ALPINE.map(|path| (path, known.lines(path, STATUS_BYTES, &starts)));
    for (path, text) in files {
        let Some(text) = text? else { continue };
        let owner = owned_paths(target, world).iter().find_map(|owned| alpine_owner(&text, owned));
        let version = owner
            .filter(|(package, _)| tool.is_package(package))
            .and_then(|(package, v)| Some((upstream_of_alpine(&v, tool.version_parts)?, package)));
        if let Some((version, package)) = version {
            return Ok(Some((version, format!("{path} ({package})"))));
        }
    }
    Ok(None)
}

/// The package that lists a file, and its version.
fn alpine_owner(text: &str, target: &str) -> Option<(String, String)> {
    let folder = parent(target).trim_start_matches('/');
    let name = file_name(target);
    let (mut package, mut version, mut within) = ("", "", false);
    for line in text.lines() {
        match line.split_once(':') {
            Some(("P", value)) => (package, version, within) = (value, "", false),
            Some(("V", value)) => version = value,
            Some(("F", value)) => within = value == folder,
            Some(("R", value)) if within && value == name => {
                return Some((package.to_owned(), version.to_owned()));
            }
            Some(_) | None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn debian_versions() {
        let check = |version: &str, parts: usize, expected: Option<&str>| {
            assert_eq!(upstream(version, parts).as_deref(), expected, "{version}");
        };
        check("1:2.39.5-0+deb12u2", 2, Some("2.39.5"));
        check("20.20.2-1nodesource1+repack1", 2, Some("20.20.2"));
        check("18.19.0+dfsg-6~deb12u2", 2, Some("18.19.0"));
        check("4.3.1+ds1-8+deb12u1+b1", 2, Some("4.3.1"));
        check("5:28.2.2-1~debian.12~bookworm", 2, Some("28.2.2"));
        check("8.2.28-1+0~20250313.70+debian12~1.gbp123", 2, Some("8.2.28"));
        check("1.1.1w-0+deb11u1", 2, Some("1.1.1w"));
        check("1:9.2p1-2+deb12u10", 2, Some("9.2p1"));
        check("15.18-0+deb12u1", 2, Some("15.18"));
        check("1.20.5+really1.20.2-1", 2, None);
        check("3.12.0~rc1-1", 2, None);
        check("14-20240330-1", 2, None);
        check("5.1-2+deb11u1", 3, None);
        check("5.2.15-2+b8", 3, Some("5.2.15"));
        check("1.14.0.dfsg-2", 2, None);
        check("", 2, None);
        check("-", 2, None);
        check(":", 2, None);
    }

    #[test]
    fn alpine_versions() {
        let check = |version: &str, expected: Option<&str>| {
            assert_eq!(upstream_of_alpine(version, 2).as_deref(), expected, "{version}");
        };
        check("2.43.0-r0", Some("2.43.0"));
        check("9.6_p1-r0", Some("9.6p1"));
        check("3.0_git20240101-r1", None);
        check("2.0_rc1-r0", None);
        check("2.43.0", None);
    }

    #[test]
    fn installed_packages_only() {
        let status = "Package: git\nStatus: install ok installed\nVersion: 1:2.39.5-0\n\
                      Package: curl\nStatus: deinstall ok config-files\nVersion: 7.88.1-10\n\
                      Package: half\nStatus: install ok half-installed\nVersion: 1.0-1\nPackage: none\nPackage: git-x\n";
        assert_eq!(debian_installed(status, "git"), Some("1:2.39.5-0"));
        for absent in ["curl", "half", "none", "gi", "it", ""] {
            assert_eq!(debian_installed(status, absent), None, "{absent}");
        }
    }

    #[test]
    fn owners_in_alpine() {
        let text = "P:git\nV:2.43.0-r0\nF:usr\nF:usr/bin\nR:git\nR:git-shell\nF:usr/share\nR:x\n\nP:curl\nV:8.5.0-r0\nF:usr/bin\nR:curl\n";
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(alpine_owner(text, path).map(|(p, _)| p).as_deref(), expected, "{path}");
        };
        check("/usr/bin/git", Some("git"));
        check("/usr/bin/curl", Some("curl"));
        check("/usr/bin/x", None);
        check("/usr/share/git", None);
        check("/bin/git", None);
    }

    proptest! {
        #[test]
        fn any_text(text in "[PVFR:a-z0-9./\\n é-]{0,80}") {
            upstream(&text, 2);
            upstream_of_alpine(&text, 2);
            debian_installed(&text, "a");
            alpine_owner(&text, "/a/b");
        }
    }
}
