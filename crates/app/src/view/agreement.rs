//! What agrees, in a line per group, so that a reader sees what was looked at.

use parallax_model::{Key, Resource, Value};

use super::{Group, clean};
use crate::usecase::Comparison;

/// How many runtimes are named before the rest is counted.
const NAMED: usize = 8;

/// Lines on what is equal in a group: none where nothing is.
#[must_use]
pub fn agreements(group: Group, comparison: &Comparison) -> Vec<String> {
    let found: Vec<String> = match group {
        Group::Host => ["kernel", "cpu", "libc", "os"].iter().filter_map(|f| host(f, comparison)).collect(),
        Group::Runtime => runtimes(comparison),
        Group::Lockfile => agreed_under("lockfile", comparison, |r| Some(r.key.after(1).to_owned())),
        Group::Environment
        | Group::Configuration
        | Group::Secret
        | Group::Policy
        | Group::Image
        | Group::Infrastructure => Vec::new(),
    };
    if found.is_empty() {
        return found;
    }
    let named = found.iter().take(NAMED).map(|f| clean(f)).collect::<Vec<_>>().join(", ");
    let more = found.len().saturating_sub(NAMED);
    vec![if more > 0 { format!("{named} and {more} more") } else { named }]
}

fn host(facet: &str, comparison: &Comparison) -> Option<String> {
    let key = Key::of(["host", facet]);
    let resource = agreed(comparison, &key)?;
    let text = |path: &str| resource.attributes.get(path).map(Value::to_string);
    match facet {
        "kernel" => Some(format!("kernel {}", text("release")?)),
        "cpu" => text("architecture"),
        "libc" => Some(format!("{} {}", text("family")?, text("version")?)),
        _ => Some(format!("{} {}", text("id")?, text("version").unwrap_or_default()).trim_end().to_owned()),
    }
}

/// The tools that most readers look for first, after those that the project pins.
const FIRST: [&str; 12] =
    ["node", "python", "ruby", "java", "go", "rustc", "php", "dotnet", "deno", "bun", "npm", "openssl"];

/// Runtimes: what the project pins, then languages, then the rest by name.
fn runtimes(comparison: &Comparison) -> Vec<String> {
    let snapshot = &comparison.left.snapshot;
    let mut agreed: Vec<&Resource> =
        snapshot.under("runtime").filter(|r| agreed(comparison, &r.key).is_some()).collect();
    agreed.sort_by_key(|resource| {
        let tool = resource.key.after(1);
        let pinned = snapshot.get(&Key::of(["pin", tool])).is_some();
        (!pinned, FIRST.iter().position(|first| *first == tool).unwrap_or(FIRST.len()))
    });
    agreed.into_iter().filter_map(runtime).collect()
}

fn runtime(resource: &Resource) -> Option<String> {
    Some(format!("{} {}", resource.key.after(1), resource.attributes.get("version")?))
}

fn agreed_under(
    prefix: &str,
    comparison: &Comparison,
    line: impl Fn(&Resource) -> Option<String>,
) -> Vec<String> {
    let left = &comparison.left.snapshot;
    left.under(prefix).filter(|r| agreed(comparison, &r.key).is_some()).filter_map(line).collect()
}

/// The left side's resource, if both sides have it and nothing diverges in it.
fn agreed<'a>(comparison: &'a Comparison, key: &Key) -> Option<&'a Resource> {
    let resource = comparison.left.snapshot.get(key).filter(|_| comparison.filter.wants(key, None))?;
    comparison.right.snapshot.get(key)?;
    let judgement = &comparison.judgement;
    let diverges = judgement.divergences.iter().any(|d| d.difference.key == *key && d.within.is_none());
    let unknown =
        comparison.left.snapshot.header().gaps.iter().chain(&comparison.right.snapshot.header().gaps);
    (!diverges && !unknown.into_iter().any(|gap| gap.hides(key, None))).then_some(resource)
}
