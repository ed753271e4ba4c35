//! rustup's proxies: the toolchain that they start, by variable, override, toolchain file or default.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{Followed, nearest};
use crate::machine::Candidate;
use crate::runtime::known::{Known, Pending};
use crate::runtime::surroundings::{Surroundings, file_name, parent};

const MANAGER: &str = "rustup";
const SETTINGS_BYTES: usize = 256 << 10;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    default_toolchain: Option<String>,
    default_host_triple: Option<String>,
    overrides: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct ToolchainFile {
    toolchain: ToolchainTable,
}

#[derive(Debug, Deserialize)]
struct ToolchainTable {
    channel: Option<String>,
    path: Option<String>,
}

/// Whether a candidate is rustup under another name: a link to it, or the same file beside it.
pub(super) fn is_proxy(candidate: &Candidate, rustup: &[Candidate]) -> bool {
    let own = file_name(&candidate.resolved);
    let twin = |r: &Candidate| {
        parent(&r.path) == parent(&candidate.path)
            && (r.inode, r.size, r.mtime) == (candidate.inode, candidate.size, candidate.mtime)
    };
    matches!(own, "rustup" | "rustup-init") || rustup.iter().any(twin)
}

/// The file that the proxy would start.
pub(super) fn follow(command: &str, world: &Surroundings, known: &mut Known) -> Result<Followed, Pending> {
    let home = match world.variable("RUSTUP_HOME") {
        Some(home) => home.trim_end_matches('/').to_owned(),
        None => format!("{}/.rustup", world.home),
    };
    let settings = known.text(&format!("{home}/settings.toml"), SETTINGS_BYTES);
    let toolchains = format!("{home}/toolchains");
    let listed = known.names(&toolchains);
    let pinned = nearest(&["rust-toolchain", "rust-toolchain.toml"], world, known, |_, _| true);
    let settings: Settings = settings?.and_then(|text| toml::from_str(&text).ok()).unwrap_or_default();
    let (listed, pinned) = (listed?, pinned?);
    let Some((from, name)) = chosen(&settings, pinned, world) else {
        let why = "rustup: no toolchain is chosen, and there is no default".to_owned();
        return Ok(Followed::Nowhere { why, manager: MANAGER });
    };
    let folder = if name.starts_with('/') {
        Some(name.clone())
    } else {
        toolchain(&name, &settings, world, &listed).map(|name| format!("{toolchains}/{name}"))
    };
    let path = folder.map(|folder| format!("{folder}/bin/{command}"));
    let there = match &path {
        Some(path) => known.head(path)?.is_some(),
        None => false,
    };
    Ok(match path.filter(|_| there) {
        Some(path) => Followed::within(path, MANAGER),
        None => {
            let why =
                format!("rustup: `{command}` of toolchain `{name}`, which {from} asks for, is not installed");
            Followed::Nowhere { why, manager: MANAGER }
        }
    })
}

/// The toolchain's name (or folder) and who asks for it.
fn chosen(
    settings: &Settings,
    pinned: Option<(String, Arc<str>)>,
    world: &Surroundings,
) -> Option<(String, String)> {
    if let Some(name) = world.variable("RUSTUP_TOOLCHAIN") {
        return Some(("$RUSTUP_TOOLCHAIN".to_owned(), name.to_owned()));
    }
    let pinned = pinned.and_then(|(path, text)| Some((path.clone(), file_toolchain(&path, &text)?)));
    // In one folder an override comes before the file; a nearer folder comes before both.
    for folder in &world.folders {
        let key = if folder.is_empty() { "/" } else { folder };
        if let Some(name) = settings.overrides.get(key) {
            return Some((format!("the override for {key}"), name.clone()));
        }
        if let Some((path, name)) = pinned.as_ref().filter(|(path, _)| parent(path) == folder) {
            return Some((path.clone(), name.clone()));
        }
    }
    Some(("the default".to_owned(), settings.default_toolchain.clone()?))
}

/// What a `rust-toolchain` file asks for: its one line, or the table of the newer form.
fn file_toolchain(path: &str, text: &str) -> Option<String> {
    let line = text.trim();
    if !path.ends_with(".toml") && !line.contains(['\n', '=', '[']) {
        return (!line.is_empty()).then(|| line.to_owned());
    }
    let table = toml::from_str::<ToolchainFile>(text).ok()?.toolchain;
    let folder = |p: String| if p.starts_with('/') { p } else { format!("{}/{p}", parent(path)) };
    table.path.map(folder).or(table.channel)
}

/// The installed toolchain of a name: itself, or with a host triple after it.
fn toolchain(name: &str, settings: &Settings, world: &Surroundings, listed: &[String]) -> Option<String> {
    if listed.iter().any(|l| l == name) {
        return Some(name.to_owned());
    }
    let start = format!("{name}-");
    // `nightly-2026-01-02-..` is another toolchain than `nightly`.
    let hosts: Vec<&str> = listed
        .iter()
        .filter_map(|l| l.strip_prefix(&start))
        .filter(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    let default = settings.default_host_triple.as_deref();
    let fits = |host: &&&str| match default {
        Some(default) => **host == default,
        None => host.starts_with(&format!("{}-", world.machine)),
    };
    match (hosts.as_slice(), hosts.iter().find(fits)) {
        (_, Some(host)) => Some(format!("{start}{host}")),
        ([only], None) if default.is_none() => Some(format!("{start}{only}")),
        (_, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toolchain_files() {
        let check = |path: &str, text: &str, expected: Option<&str>| {
            assert_eq!(file_toolchain(path, text).as_deref(), expected, "{text}");
        };
        check("/p/rust-toolchain", "1.80.0\n", Some("1.80.0"));
        check("/p/rust-toolchain", "[toolchain]\nchannel = \"nightly\"\n", Some("nightly"));
        check(
            "/p/rust-toolchain.toml",
            "[toolchain]\nchannel = \"1.80\"\nprofile = \"minimal\"",
            Some("1.80"),
        );
        check("/p/rust-toolchain.toml", "[toolchain]\npath = \"tc\"", Some("/p/tc"));
        check("/p/rust-toolchain.toml", "1.80.0", None);
        check("/p/rust-toolchain", "", None);
        check("/p/rust-toolchain.toml", "[toolchain", None);
    }

    #[test]
    fn toolchain_folders() {
        let listed: Vec<String> =
            ["stable-x86_64-unknown-linux-gnu", "nightly-2026-01-02-x86_64-unknown-linux-gnu", "mine"]
                .map(str::to_owned)
                .to_vec();
        let world = Surroundings::default();
        let check = |name: &str, expected: Option<&str>| {
            let found = toolchain(name, &Settings::default(), &world, &listed);
            assert_eq!(found.as_deref(), expected, "{name}");
        };
        check("stable", Some("stable-x86_64-unknown-linux-gnu"));
        check("stable-x86_64-unknown-linux-gnu", Some("stable-x86_64-unknown-linux-gnu"));
        check("mine", Some("mine"));
        check("nightly", None);
        check("1.80", None);
    }
}
