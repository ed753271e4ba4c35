//! What a project uses, by its pins and lockfiles on either side.

use std::collections::BTreeSet;

use parallax_model::{Resource, Snapshot, SourceStatus, Value};

use crate::compare::pinned_tool;

/// What a lockfile's format needs: the runtimes, then the package managers.
const FORMATS: &[(&str, &[&str], &[&str])] = &[
    ("npm", &["node"], &["npm"]),
    ("yarn", &["node"], &["yarn"]),
    ("pnpm", &["node"], &["pnpm"]),
    ("bun", &["bun"], &[]),
    ("bun-binary", &["bun"], &[]),
    ("deno", &["deno"], &[]),
    ("cargo", &["rustc"], &["cargo"]),
    ("poetry", &["python"], &["poetry"]),
    ("uv", &["python"], &["uv"]),
    ("pipenv", &["python"], &["pip"]),
    ("pdm", &["python"], &[]),
    ("bundler", &["ruby"], &["bundler"]),
    ("composer", &["php"], &["composer"]),
    ("go-sum", &["go"], &[]),
    ("mix", &["elixir", "erl"], &[]),
    ("gradle", &["java"], &["gradle"]),
    ("nuget", &["dotnet"], &[]),
];

/// What an ecosystem needs, for a lockfile of another format.
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
            tools.extend(snapshot.under("lockfile").flat_map(needed).map(str::to_owned));
        }
        Self { tools, on_both_sides: has_project(left) && has_project(right) }
    }
}

/// What a lockfile needs.
fn needed(lockfile: &Resource) -> Vec<&'static str> {
    let text = |path: &str| lockfile.attributes.get(path).and_then(Value::as_text).unwrap_or_default();
    let format = without_version(text("format"));
    if let Some((_, runtimes, managers)) = FORMATS.iter().find(|(name, _, _)| *name == format) {
        return runtimes.iter().chain(*managers).copied().collect();
    }
    ECOSYSTEMS.iter().filter(|(name, _)| *name == text("ecosystem")).map(|(_, tool)| *tool).collect()
}

/// `npm` of `npm-v3`.
fn without_version(format: &str) -> &str {
    let is_version = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    format.rsplit_once("-v").filter(|(_, version)| is_version(version)).map_or(format, |(name, _)| name)
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

#[cfg(test)]
mod tests {
    use parallax_model::Key;

    use super::*;

    #[test]
    fn by_format_or_else_by_ecosystem() {
        let check = |format: &str, ecosystem: &str, expected: &[&str]| {
            let lockfile = Resource::new(Key::of(["lockfile", "a"]), "lockfile");
            let lockfile = lockfile.with("format", format).with("ecosystem", ecosystem);
            assert_eq!(needed(&lockfile), expected, "{format} {ecosystem}");
        };
        check("npm-v3", "npm", &["node", "npm"]);
        check("bun", "npm", &["bun"]);
        check("requirements", "pypi", &["python"]);
        check("gradle-verification", "maven", &["java"]);
        check("helm", "helm", &[]);
        check("", "", &[]);
        check("-v", "-v1", &[]);
    }
}
