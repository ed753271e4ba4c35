//! Observes the packages of the operating system: `package/<manager>` and `package/<manager>/<name>`, from the lists that
//! package managers keep as files. Runs no package manager. What packages of languages are there is the project's.

mod apk;
mod dpkg;

use std::collections::BTreeMap;

use parallax_model::{GapKind, Key, Resource};

use crate::machine::{Batch, Entry, FileContent, Machine, ProbeError, Replies, Ticket};
use crate::{Collected, Collector, Scope};

/// The collector.
pub(crate) const COLLECTOR: Collector =
    Collector { name: "package", version: 1, kinds: &["packages", "package"], needs_project: false, collect };

const DPKG_STATUS: &str = "/var/lib/dpkg/status";
/// Where images without a package manager (distroless) keep one list for each package.
const DPKG_PARTS: &str = "/var/lib/dpkg/status.d";
/// Alpine's list, before and since 3.23.
const APK: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];
/// Where rpm keeps its database, which is no text.
const RPM: [&str; 2] = ["/var/lib/rpm", "/usr/lib/sysimage/rpm"];
const RPM_FILES: [&str; 3] = ["rpmdb.sqlite", "Packages.db", "Packages"];
/// The lines of ten thousand packages are under 2 MB.
const MOST_LINES: usize = 8 << 20;
const MOST_PARTS: usize = 4_096;

/// A package as its manager lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Package {
    name: String,
    version: String,
    architecture: String,
    source: String,
}

struct Asked {
    dpkg: Ticket<FileContent>,
    parts: Ticket<Vec<Entry>>,
    apk: [Ticket<FileContent>; 2],
    rpm: [Ticket<Vec<Entry>>; 2],
}

fn collect(machine: &dyn Machine, _scope: &Scope) -> Collected {
    let mut collected = Collected::default();
    let mut batch = Batch::new();
    let asked = Asked {
        dpkg: batch.read_lines(DPKG_STATUS, MOST_LINES, dpkg::LINES),
        parts: batch.list(DPKG_PARTS, MOST_PARTS),
        apk: APK.map(|path| batch.read_lines(path, MOST_LINES, apk::LINES)),
        rpm: RPM.map(|path| batch.list(path, MOST_PARTS)),
    };
    let replies = match machine.run(&batch) {
        Ok(replies) => replies,
        Err(error) => {
            collected.gap("package/**", error.gap_kind(), error.to_string());
            return collected;
        }
    };
    let mut packages = listed(&mut collected, "dpkg", DPKG_STATUS, replies.get(asked.dpkg), dpkg::read);
    packages.extend(parts(machine, &mut collected, replies.get(asked.parts)));
    report(&mut collected, "dpkg", packages);
    let mut packages = Vec::new();
    for (path, ticket) in APK.iter().zip(asked.apk) {
        packages.extend(listed(&mut collected, "apk", path, replies.get(ticket), apk::read));
    }
    report(&mut collected, "apk", packages);
    rpm(&mut collected, &asked, &replies);
    collected
}

/// The packages of one list. What is not there was looked for and is absent.
fn listed(
    collected: &mut Collected,
    manager: &str,
    path: &str,
    content: Result<&FileContent, ProbeError>,
    read: fn(&str) -> Vec<Package>,
) -> Vec<Package> {
    match content {
        Ok(content) if content.truncated => {
            let why = format!("{path}: larger than {} MB", MOST_LINES >> 20);
            collected.gap(region(manager), GapKind::TooLarge, why);
            Vec::new()
        }
        Ok(content) => read(&content.text()),
        Err(error) => {
            collected.gap_unless_absent(&region(manager), path, &error);
            Vec::new()
        }
    }
}

/// The packages that have a list each.
fn parts(
    machine: &dyn Machine,
    collected: &mut Collected,
    entries: Result<&Vec<Entry>, ProbeError>,
) -> Vec<Package> {
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            collected.gap_unless_absent(&region("dpkg"), DPKG_PARTS, &error);
            return Vec::new();
        }
    };
    let mut batch = Batch::new();
    let mut asked = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.name.ends_with(".md5sums")) {
        let path = format!("{DPKG_PARTS}/{}", entry.name);
        let ticket = batch.read_lines(path.as_str(), MOST_LINES, dpkg::LINES);
        asked.push((path, ticket));
    }
    if asked.is_empty() {
        return Vec::new();
    }
    match machine.run(&batch) {
        Ok(replies) => asked
            .iter()
            .flat_map(|(path, ticket)| listed(collected, "dpkg", path, replies.get(*ticket), dpkg::read_part))
            .collect(),
        Err(error) => {
            collected.gap(region("dpkg"), error.gap_kind(), error.to_string());
            Vec::new()
        }
    }
}

/// The database of rpm is there, or not; it is not read.
fn rpm(collected: &mut Collected, asked: &Asked, replies: &Replies) {
    for (path, ticket) in RPM.iter().zip(asked.rpm) {
        match replies.get(ticket) {
            Ok(entries) => {
                if let Some(found) = entries.iter().find(|e| RPM_FILES.contains(&e.name.as_str())) {
                    let why = format!("{path}/{}: this version does not read rpm's database", found.name);
                    collected.gap(region("rpm"), GapKind::Unsupported, why);
                    return;
                }
            }
            Err(error) => collected.gap_unless_absent(&region("rpm"), path, &error),
        }
    }
}

fn region(manager: &str) -> String {
    format!("package/{manager}/**")
}

fn report(collected: &mut Collected, manager: &str, packages: Vec<Package>) {
    if packages.is_empty() {
        return;
    }
    let mut named: BTreeMap<String, Vec<Package>> = BTreeMap::new();
    for package in packages {
        named.entry(package.name.clone()).or_default().push(package);
    }
    let mut lines = String::new();
    let mut count = 0_u64;
    for (name, mut several) in named {
        several.sort_by(|a, b| (&a.architecture, &a.version).cmp(&(&b.architecture, &b.version)));
        several.dedup();
        let is_one = several.len() == 1;
        for package in several {
            // The same package for two architectures is two.
            let name = if is_one { name.clone() } else { format!("{name}:{}", package.architecture) };
            lines.push_str(&format!("{name} {} {}\n", package.version, package.architecture));
            count += 1;
            collected.push(resource(manager, &name, package));
        }
    }
    let whole = Resource::new(Key::of(["package", manager]), "packages")
        .with("packages", count)
        .with("sha256", crate::secret::sha256_hex(lines.as_bytes()).as_str());
    collected.push(whole);
}

fn resource(manager: &str, name: &str, package: Package) -> Resource {
    let mut resource = Resource::new(Key::of(["package", manager, name]), "package")
        .with("architecture", package.architecture)
        .with("version", package.version);
    if !package.source.is_empty() && package.source != package.name {
        resource.attributes.set("source", package.source);
    }
    resource
}

#[cfg(test)]
mod tests;
