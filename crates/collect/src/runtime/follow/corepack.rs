//! Corepack's shims: they start the package manager that the project asks for, or the last one that was used, and
//! fetch it from the network if need be. So they are never run.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Followed, PIN_BYTES, nearest};
use crate::machine::Candidate;
use crate::runtime::known::{Known, Pending};
use crate::runtime::parse;
use crate::runtime::surroundings::Surroundings;

const MANAGER: &str = "corepack";

#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(rename = "packageManager")]
    package_manager: Option<String>,
}

/// Whether a candidate is one of Corepack's shims (and not Corepack itself).
pub(super) fn is_shim(candidate: &Candidate) -> bool {
    candidate.resolved.contains("/corepack/dist/") && candidate.name != "corepack"
}

/// The version that the shim would start.
pub(super) fn follow(command: &str, world: &Surroundings, known: &mut Known) -> Result<Followed, Pending> {
    let cache = match (world.variable("COREPACK_HOME"), world.variable("XDG_CACHE_HOME")) {
        (Some(home), _) => home.to_owned(),
        (None, Some(cache)) => format!("{cache}/node/corepack"),
        (None, None) => format!("{}/.cache/node/corepack", world.home),
    };
    let last_path = format!("{cache}/lastKnownGood.json");
    let last = known.text(&last_path, PIN_BYTES);
    let pinned = nearest(&["package.json"], world, known, |_, text| asked(text).is_some())?;
    let last = last?;
    let told = match pinned.and_then(|(path, text)| Some((path, asked(&text)?))) {
        Some((path, (name, version))) if name == command => Some((version, path)),
        Some((path, (name, _))) => {
            let why = format!("corepack: {path} asks for `{name}`, so that `{command}` refuses to start");
            return Ok(Followed::Nowhere { why, manager: MANAGER });
        }
        None => last.and_then(|text| {
            let versions: BTreeMap<String, String> = serde_json::from_str(&text).ok()?;
            Some((parse::version(versions.get(command)?)?, last_path))
        }),
    };
    Ok(match told {
        Some(told) => Followed::Version { told, manager: MANAGER },
        None => {
            let why = format!("corepack: no version of `{command}` is chosen; it would fetch one");
            Followed::Nowhere { why, manager: MANAGER }
        }
    })
}

/// `pnpm@9.1.0+sha512.abc` as name and version.
fn asked(text: &str) -> Option<(String, String)> {
    let asked = serde_json::from_str::<Manifest>(text).ok()?.package_manager?;
    let (name, version) = asked.split_once('@')?;
    Some((name.to_owned(), parse::version(version)?))
}
