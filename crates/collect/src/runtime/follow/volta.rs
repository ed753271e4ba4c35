//! Volta's shims: the version that the project's `package.json` or the account's platform file asks for.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Followed, PIN_BYTES, nearest};
use crate::machine::Candidate;
use crate::runtime::known::{Known, Pending};
use crate::runtime::surroundings::{Surroundings, file_name, parent};

const MANAGER: &str = "volta";

#[derive(Debug, Default, Deserialize)]
struct Manifest {
    volta: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Platform {
    node: Option<PlatformNode>,
    pnpm: Option<String>,
    yarn: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PlatformNode {
    runtime: Option<String>,
    npm: Option<String>,
}

/// Whether a candidate is one of Volta's shims.
pub(super) fn is_shim(candidate: &Candidate) -> bool {
    file_name(&candidate.resolved) == "volta-shim" || parent(&candidate.path).ends_with("/.volta/bin")
}

/// The file that the shim would start.
pub(super) fn follow(
    candidate: &Candidate,
    world: &Surroundings,
    known: &mut Known,
) -> Result<Followed, Pending> {
    let root = match parent(&candidate.path).strip_suffix("/bin") {
        Some(root) if root.ends_with("volta") => root.to_owned(),
        Some(_) | None => format!("{}/.volta", world.home),
    };
    let platform_path = format!("{root}/tools/user/platform.json");
    let platform = known.text(&platform_path, PIN_BYTES);
    let pinned = nearest(&["package.json"], world, known, |_, text| pins(text).is_some())?;
    let platform: Platform = platform?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let pins = pinned.as_ref().and_then(|(_, text)| pins(text)).unwrap_or_default();
    let own = platform.node.unwrap_or_default();
    // A project that extends another's pins says less here than it means.
    let (node, npm) = match pins.get("node") {
        Some(node) => (Some(node.clone()), pins.get("npm").cloned()),
        None if pins.contains_key("extends") => (None, None),
        None => (own.runtime, own.npm),
    };
    let command = candidate.name.as_str();
    let image = |tool: &str, version: String| format!("{root}/tools/image/{tool}/{version}/bin/{command}");
    let path = match command {
        "node" => node.map(|v| image("node", v)),
        "npm" | "npx" => npm.map(|v| image("npm", v)).or(node.map(|v| image("node", v))),
        "yarn" => pins.get("yarn").cloned().or(platform.yarn).map(|v| image("yarn", v)),
        "pnpm" => pins.get("pnpm").cloned().or(platform.pnpm).map(|v| image("pnpm", v)),
        _ => None,
    };
    let there = match &path {
        Some(path) => known.head(path)?.is_some(),
        None => false,
    };
    Ok(match path.filter(|_| there) {
        Some(path) => Followed::within(path, MANAGER),
        None => {
            let from = pinned.map_or(platform_path, |(path, _)| path);
            let why = format!("volta: the `{command}` that {from} asks for is not installed");
            Followed::Nowhere { why, manager: MANAGER }
        }
    })
}

fn pins(text: &str) -> Option<BTreeMap<String, String>> {
    serde_json::from_str::<Manifest>(text).ok()?.volta
}
