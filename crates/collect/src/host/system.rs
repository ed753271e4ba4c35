//! Kernel, distribution, C library and host name. Says what they are, not what they can do.

use parallax_model::{GapKind, Key, Resource};

use super::facts::{self, Facts, Platform, TIMEOUT};
use super::parse;
use crate::Collected;
use crate::machine::{Batch, Entry, Output, ProbeError, Replies, Run, Ticket};

/// The kernel, by `uname`.
pub(super) fn kernel(out: &mut Collected, facts: &Facts) {
    let system = match &facts.system {
        Ok(system) => system,
        Err(error) => return facts::unseen(out, "host/kernel", "uname", error),
    };
    let mut resource = Resource::new(Key::of(["host", "kernel"]), "kernel");
    let parts = [
        ("name", &system.kernel_name),
        ("release", &system.kernel_release),
        ("build", &system.kernel_version),
    ];
    if parts.iter().all(|(_, value)| !parse::is_line(value)) {
        return out.gap("host/kernel", GapKind::Unsupported, "uname does not tell");
    }
    for (path, value) in parts {
        if parse::is_line(value) {
            resource.attributes.set(path, value.as_str());
        } else {
            out.gap(format!("host/kernel#{path}"), GapKind::Unsupported, "uname does not tell");
        }
    }
    out.push(resource);
}

/// The host's name, by `uname`.
pub(super) fn name(out: &mut Collected, facts: &Facts) {
    match &facts.system {
        Ok(system) if parse::is_line(&system.node_name) => out.push(
            Resource::new(Key::of(["host", "name"]), "hostname").with("name", system.node_name.as_str()),
        ),
        Ok(_) => out.gap("host/name", GapKind::Unsupported, "uname does not tell the name"),
        Err(error) => facts::unseen(out, "host/name", "uname", error),
    }
}

/// The distribution, by its own file. A root without one (an image from scratch) has none.
pub(super) fn distribution(out: &mut Collected, facts: &Facts) {
    type Read = fn(&str) -> Option<parse::Distribution>;
    let (paths, read): (&[&str], Read) = match facts.platform {
        Platform::Mac => (&[facts::SYSTEM_VERSION], parse::system_version),
        Platform::Linux | Platform::Unknown => (&facts::OS_RELEASE, parse::os_release),
    };
    for path in paths {
        let text = match facts.file(path) {
            Err(ProbeError::NotFound) => continue,
            Err(error) => return out.gap_unless_absent("host/os", path, &error),
            Ok(text) => text,
        };
        let Some(found) = read(text) else {
            return out.gap("host/os", GapKind::NotParsed, format!("{path}: names no distribution"));
        };
        let mut resource = Resource::new(Key::of(["host", "os"]), "os").with("id", found.id);
        if let Some(version) = found.version {
            resource.attributes.set("version", version);
        }
        if let Some(name) = found.name {
            resource.attributes.set("name", name);
        }
        return out.push(resource);
    }
}

/// How the C library is to be told.
#[derive(Debug)]
pub(super) enum AskedLibc {
    /// Musl, whose version its package's record tells.
    MuslPackage(String),
    /// Musl, whose loader is asked.
    MuslLoader(Ticket<Output>),
    /// The GNU library, or not known: `getconf` is asked.
    Getconf(Ticket<Output>),
    /// macOS has one library, which has no version apart from the system's.
    System,
}

/// Finds out which library programs load, and asks for its version where no file tells it.
pub(super) fn ask_libc(batch: &mut Batch, facts: &Facts) -> AskedLibc {
    if facts.platform == Platform::Mac {
        return AskedLibc::System;
    }
    // Alpine may have a loader of the GNU name (gcompat), and Debian one of musl's: a package that is
    // recorded as the system's own comes first, the GNU loader second.
    let package = facts::APK.iter().find_map(|path| parse::apk_musl(facts.hint(path)?));
    if let Some(version) = package {
        return AskedLibc::MuslPackage(version.to_owned());
    }
    match loader(facts, is_musl_loader) {
        Some(path) if loader(facts, is_gnu_loader).is_none() => {
            let depends_on = vec![path.clone()];
            AskedLibc::MuslLoader(batch.run(run(vec![path], depends_on)))
        }
        Some(_) | None => {
            let argv = vec!["getconf".to_owned(), "GNU_LIBC_VERSION".to_owned()];
            AskedLibc::Getconf(batch.run(run(argv, glibc_files(facts))))
        }
    }
}

fn run(argv: Vec<String>, depends_on: Vec<String>) -> Run {
    Run { argv, timeout: TIMEOUT, max_bytes: 4_096, depends_on }
}

/// The C library, by what was asked.
pub(super) fn libc(out: &mut Collected, facts: &Facts, asked: &AskedLibc, replies: &Replies) {
    let (family, version, source) = match asked {
        AskedLibc::System => ("libsystem", None, None),
        AskedLibc::MuslPackage(version) => ("musl", Some(version.clone()), None),
        AskedLibc::MuslLoader(ticket) => {
            // Without a program the loader explains itself on the error stream and exits with 1.
            let told = replies.get(*ticket);
            let version = told.as_ref().ok().and_then(|output| {
                parse::loader_musl(&String::from_utf8_lossy(&output.stderr)).map(str::to_owned)
            });
            ("musl", version, Some(("musl's loader", told.err())))
        }
        AskedLibc::Getconf(ticket) => {
            let told = replies.get(*ticket);
            let version = told.as_ref().ok().and_then(|output| {
                parse::getconf_glibc(&String::from_utf8_lossy(&output.stdout)).map(str::to_owned)
            });
            if version.is_none() && loader(facts, is_gnu_loader).is_none() {
                return no_libc(out, facts, told.err());
            }
            ("glibc", version, Some(("getconf GNU_LIBC_VERSION", told.err())))
        }
    };
    let mut resource = Resource::new(Key::of(["host", "libc"]), "libc").with("family", family);
    match (version, source) {
        (Some(version), _) => resource.attributes.set("version", version),
        (None, Some((place, Some(error)))) => {
            facts::unseen(out, "host/libc#version", place, &error);
        }
        (None, Some((place, None))) => {
            out.gap("host/libc#version", GapKind::NotParsed, format!("{place}: tells no version"));
        }
        (None, None) => {}
    }
    out.push(resource);
}

/// No loader was seen and `getconf` tells nothing: absent where both folders of libraries could be looked
/// into or do not exist and there is no `getconf`, else a gap.
fn no_libc(out: &mut Collected, facts: &Facts, error: Option<ProbeError>) {
    for (folder, listed) in ["/lib", "/lib64"].iter().zip(&facts.libraries) {
        if let Err(error) = listed
            && error.gap_kind().is_some()
        {
            return out.gap_unless_absent("host/libc", folder, error);
        }
    }
    match error {
        Some(error) => out.gap_unless_absent("host/libc", "getconf GNU_LIBC_VERSION", &error),
        None => out.gap("host/libc", GapKind::NotParsed, "getconf GNU_LIBC_VERSION: tells no version"),
    }
}

fn loader(facts: &Facts, fits: fn(&str) -> bool) -> Option<String> {
    ["/lib", "/lib64"].iter().zip(&facts.libraries).find_map(|(folder, listed)| {
        let entry: &Entry = listed.as_ref().ok()?.iter().find(|e| fits(&e.name))?;
        Some(format!("{folder}/{}", entry.name))
    })
}

fn is_musl_loader(name: &str) -> bool {
    name.strip_prefix("ld-musl-").is_some_and(|rest| rest.ends_with(".so.1") && parse::is_word(rest, "._-"))
}

fn is_gnu_loader(name: &str) -> bool {
    name.starts_with("ld-linux") || name.starts_with("ld64.so.")
}

/// The files that fix `getconf`'s answer; empty where they are not where they usually are, so that
/// nothing old is told.
fn glibc_files(facts: &Facts) -> Vec<String> {
    let [lib, lib64] = &facts.libraries;
    let has = |listed: &Result<Vec<Entry>, ProbeError>, fits: &dyn Fn(&str) -> bool| {
        listed.as_ref().ok()?.iter().find(|e| fits(&e.name)).map(|e| e.name.clone())
    };
    let library = has(lib, &|name| name.ends_with("-linux-gnu"))
        .filter(|_| has(lib64, &|name| name == "libc.so.6").is_none())
        .map(|triplet| format!("/lib/{triplet}/libc.so.6"))
        .or_else(|| has(lib64, &|name| name == "libc.so.6").map(|name| format!("/lib64/{name}")));
    library.map_or_else(Vec::new, |library| vec!["/usr/bin/getconf".to_owned(), library])
}
