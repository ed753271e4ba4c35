//! What agrees, in a line per group, so that a reader sees what was looked at. Values come from what the engine
//! found equal, and from nowhere else.

use parallax_engine::compare::Agreed;
use parallax_model::Key;

use super::{Group, clean};
use crate::usecase::Comparison;

/// How much is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// The first few; the rest is counted.
    Few,
    /// Everything.
    All,
}

/// How many are named before the rest is counted.
const NAMED: usize = 8;

/// The tools that most readers look for first, after those that the project pins.
const FIRST: [&str; 12] =
    ["node", "python", "ruby", "java", "go", "rustc", "php", "dotnet", "deno", "bun", "npm", "openssl"];

/// A line on what is equal in a group, if anything is.
#[must_use]
pub fn agreement(group: Group, comparison: &Comparison, naming: Naming) -> Option<String> {
    let agreed = comparison.judgement.agreed.iter();
    let found: Vec<String> = match group {
        Group::Host => {
            ["kernel", "cpu", "libc", "os"].iter().filter_map(|kind| host(kind, comparison)).collect()
        }
        Group::Runtime => runtimes(comparison),
        Group::Lockfile => {
            agreed.filter(|a| &*a.kind == "lockfile").map(|a| a.key.after(1).to_owned()).collect()
        }
        Group::Environment
        | Group::Configuration
        | Group::Secret
        | Group::Policy
        | Group::Image
        | Group::Infrastructure => Vec::new(),
    };
    let shown = if naming == Naming::All { found.len() } else { NAMED };
    let named = found.iter().take(shown).map(|f| clean(f)).collect::<Vec<_>>().join(", ");
    match found.len().saturating_sub(shown) {
        _ if found.is_empty() => None,
        0 => Some(named),
        more => Some(format!("{named} and {more} more")),
    }
}

fn value(agreed: &Agreed, path: &str) -> Option<String> {
    agreed.attributes.iter().find(|(p, _)| p.as_str() == path).map(|(_, value)| value.to_string())
}

fn host(kind: &str, comparison: &Comparison) -> Option<String> {
    let agreed = comparison.judgement.agreed.iter().find(|a| *a.kind == *kind)?;
    match kind {
        "kernel" => Some(format!("kernel {}", value(agreed, "release")?)),
        "cpu" => value(agreed, "architecture"),
        "libc" => Some(format!("{} {}", value(agreed, "family")?, value(agreed, "version")?)),
        _ => Some(format!("{} {}", value(agreed, "id")?, value(agreed, "version")?)),
    }
}

/// Runtimes: what the project pins, then languages, then the rest by name.
fn runtimes(comparison: &Comparison) -> Vec<String> {
    let mut agreed: Vec<&Agreed> =
        comparison.judgement.agreed.iter().filter(|a| &*a.kind == "runtime").collect();
    agreed.sort_by_key(|a| {
        let tool = a.key.after(1);
        let pinned = comparison.left.snapshot.get(&Key::of(["pin", tool])).is_some();
        (!pinned, FIRST.iter().position(|first| *first == tool).unwrap_or(FIRST.len()))
    });
    agreed.into_iter().filter_map(|a| Some(format!("{} {}", a.key.after(1), value(a, "version")?))).collect()
}
