//! What a project uses, by its pins and lockfiles on either side.

use std::collections::BTreeSet;

use parallax_model::{Snapshot, SourceStatus, Value};

use crate::compare::pinned_tool;

/// What each lockfile needs: its file name, then the runtimes, then the package managers.
const LOCKFILES: &[(&str, &[&str], &[&str])] = &[
    ("package-lock.json", &["node"], &["npm"]),
    ("npm-shrinkwrap.json", &["node"], &["npm"]),
    ("yarn.lock", &["node"], &["yarn"]),
    ("pnpm-lock.yaml", &["node"], &["pnpm"]),
    ("bun.lock", &["bun"], &[]),
    ("bun.lockb", &["bun"], &[]),
    ("deno.lock", &["deno"], &[]),
    ("Cargo.lock", &["rustc"], &["cargo"]),
    ("poetry.lock", &["python"], &["poetry"]),
    ("uv.lock", &["python"], &["uv"]),
    ("Pipfile.lock", &["python"], &["pip"]),
    ("pdm.lock", &["python"], &[]),
    ("Gemfile.lock", &["ruby"], &["bundler"]),
    ("composer.lock", &["php"], &["composer"]),
    ("go.sum", &["go"], &[]),
    ("mix.lock", &["elixir", "erl"], &[]),
    ("gradle.lockfile", &["java"], &["gradle"]),
    ("packages.lock.json", &["dotnet"], &[]),
];

/// What an ecosystem needs, for a lockfile of another name.
const ECOSYSTEMS: &[(&str, &str)] = &[
    ("npm", "node"),
    ("cargo", "rustc"),
    ("pypi", "python"),
    ("gem", "ruby"),
    ("composer", "php"),
    ("go", "go"),
    ("hex", "elixir"),
    ("nuget", "dotnet"),
    ("maven", "java"),
];

/// What the project uses.
#[derive(Debug, Clone, Default)]
pub(super) struct Usage {
    /// Runtimes and tools, as in `runtime/<name>`.
    pub(super) tools: BTreeSet<String>,
    /// Whether both sides were observed to hold a project.
    pub(super) on_both_sides: bool,
}

impl Usage {
    pub(super) fn of(left: &Snapshot, right: &Snapshot) -> Self {
        let mut tools = BTreeSet::new();
        for snapshot in [left, right] {
            tools.extend(snapshot.under("pin").map(|pin| pinned_tool(&pin.key).to_owned()));
            for lockfile in snapshot.under("lockfile") {
                let file = lockfile.key.segments().next_back().unwrap_or_default();
                if let Some((_, runtimes, managers)) = LOCKFILES.iter().find(|(name, _, _)| *name == file) {
                    tools.extend(runtimes.iter().chain(*managers).map(|tool| (*tool).to_owned()));
                } else if let Some(ecosystem) = lockfile.attributes.get("ecosystem").and_then(Value::as_text)
                {
                    let tool = ECOSYSTEMS.iter().find(|(name, _)| *name == ecosystem);
                    tools.extend(tool.map(|(_, tool)| (*tool).to_owned()));
                }
            }
        }
        Self { tools, on_both_sides: has_project(left) && has_project(right) }
    }
}

/// A place where nobody looked for a project says nothing about one.
fn has_project(snapshot: &Snapshot) -> bool {
    let looked = snapshot.header().sources.iter().any(|source| {
        source.source == "project"
            && match source.status {
                SourceStatus::Complete | SourceStatus::Partial | SourceStatus::Failed => true,
                SourceStatus::Skipped => false,
            }
    });
    looked || ["lockfile", "pin", "dependency"].iter().any(|root| snapshot.under(root).next().is_some())
}
