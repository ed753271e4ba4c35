//! Which files are looked for, how each is read, and which project a file in a sub-folder speaks for. Data and pure
//! functions; opens nothing. Files that hold credentials (`.env`, `.npmrc`, `.pypirc` ...) are not in it.

use super::pin::Read;
use super::{dockerfile, gemfile, gitlab, go_mod, package_json, toml_file, version_file, workflow, wrapper};
use crate::lockfile::{self, fits};
use crate::machine::Find;

/// How a file's pins are read.
type Reader = fn(&str) -> Read;

/// How a file with one tool's version is named.
const SINGLE: &[(&str, &str)] = &[
    (".bun-version", "bun"),
    (".dvmrc", "deno"),
    (".go-version", "go"),
    (".java-version", "java"),
    (".node-version", "node"),
    (".nvmrc", "node"),
    (".php-version", "php"),
    (".python-version", "python"),
    (".ruby-version", "ruby"),
    (".swift-version", "swift"),
    (".terraform-version", "terraform"),
];

/// How a Dockerfile is named.
const DOCKERFILES: &[&str] = &[
    "*.Dockerfile",
    "*.dockerfile",
    "Containerfile",
    "Containerfile.*",
    "Dockerfile",
    "Dockerfile-*",
    "Dockerfile.*",
    "Dockerfile_*",
];

/// Files that pin, by name or by a pattern with one `*`.
const READERS: &[(&str, Reader)] = &[
    (".mise.toml", toml_file::mise),
    (".rtx.toml", toml_file::mise),
    (".sdkmanrc", version_file::sdkmanrc),
    (".tool-versions", version_file::tool_versions),
    ("Gemfile", gemfile::read),
    ("Cargo.toml", toml_file::cargo),
    ("Pipfile", toml_file::pipfile),
    ("go.mod", go_mod::read),
    ("gradle-wrapper.properties", wrapper::read),
    ("maven-wrapper.properties", wrapper::read),
    ("mise.toml", toml_file::mise),
    ("package.json", package_json::read),
    ("pyproject.toml", toml_file::pyproject),
    ("runtime.txt", version_file::runtime_txt),
    ("rust-toolchain", toml_file::rust_toolchain),
    ("rust-toolchain.toml", toml_file::rust_toolchain),
];

/// `Dockerfile.<this>` is a template or a note, not a Dockerfile.
const NO_DOCKERFILE: &[&str] =
    &["bak", "dockerignore", "erb", "j2", "jinja", "md", "orig", "template", "tmpl", "tpl", "txt"];

/// Folders that hold what others wrote, what was built, or what tests feed on.
pub(crate) const PRUNE: &[&str] = &[
    ".cache",
    ".gradle",
    ".next",
    ".nox",
    ".nuxt",
    ".terraform",
    ".tox",
    ".venv",
    ".yarn",
    "__fixtures__",
    "__pycache__",
    "bower_components",
    "build",
    "dist",
    "fixtures",
    "node_modules",
    "site-packages",
    "target",
    "testdata",
    "third_party",
    "vendor",
    "venv",
];

/// How many levels down files are looked for; the project's own folder is the first.
const MAX_DEPTH: usize = 4;
/// More found than this is a gap.
const MAX_FOUND: usize = 4_000;

/// Where GitHub's workflows are.
pub(crate) const WORKFLOWS: &str = ".github/workflows";

/// What a file is to this collector.
pub(super) enum Role {
    /// Its pins are read; the tool where it speaks of one only.
    Pins(PinReader),
    /// It is a lockfile.
    Lock(&'static lockfile::Format),
    /// Readers of lockfiles may need it.
    Beside,
}

/// How a file's pins are read, and of which tool they can be.
pub(super) struct PinReader {
    /// The tool, or `*` where the file may speak of any.
    pub(super) tool: &'static str,
    read: Option<Reader>,
}

impl PinReader {
    /// Reads the file's text.
    pub(super) fn read(&self, text: &str) -> Read {
        match self.read {
            Some(reader) => reader(text),
            None => version_file::single(self.tool, text),
        }
    }
}

/// What the file at a path (relative to the project) is; `None` where it is nothing that is read.
pub(super) fn role(path: &str) -> Option<Role> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(format) = lockfile::by_path(path) {
        return Some(Role::Lock(format));
    }
    if let Some((_, tool)) = SINGLE.iter().find(|(single, _)| *single == name) {
        return Some(Role::Pins(PinReader { tool, read: None }));
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if is_dockerfile(name) {
        return Some(Role::Pins(PinReader { tool: "*", read: Some(dockerfile::read) }));
    }
    let reader = match (folder, name) {
        (WORKFLOWS, _) if matches!(extension, "yml" | "yaml") => Some(workflow::read as Reader),
        ("", ".gitlab-ci.yml") => Some(gitlab::read as Reader),
        (".mise" | ".config/mise", "config.toml") => Some(toml_file::mise as Reader),
        _ => READERS.iter().find(|(pattern, _)| fits(pattern, name)).map(|(_, reader)| *reader),
    };
    let beside = || lockfile::BESIDE.iter().any(|pattern| fits(pattern, name)).then_some(Role::Beside);
    reader.map(|read| Role::Pins(PinReader { tool: "*", read: Some(read) })).or_else(beside)
}

/// Whether a file is a Dockerfile, by its name.
pub(crate) fn is_dockerfile(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let starts_so = fits("Dockerfile*", name) || fits("Containerfile*", name);
    DOCKERFILES.iter().any(|pattern| fits(pattern, name))
        && !(starts_so && NO_DOCKERFILE.contains(&extension))
}

/// The search for all of them.
pub(super) fn find(root: &str) -> Find {
    Find {
        root: root.to_owned(),
        names: names().chain(["config.toml"]).map(str::to_owned).collect(),
        prune: PRUNE.iter().map(ToString::to_string).collect(),
        max_depth: MAX_DEPTH,
        max_entries: MAX_FOUND,
    }
}

/// The names without a pattern: what can be asked for where nothing can be listed.
pub(super) fn exact_names() -> impl Iterator<Item = &'static str> {
    names().filter(|name| !name.contains('*'))
}

fn names() -> impl Iterator<Item = &'static str> {
    let single = SINGLE.iter().map(|(name, _)| *name);
    let readers = READERS.iter().map(|(name, _)| *name);
    let locks = lockfile::FORMATS.iter().map(|format| format.name);
    let beside = lockfile::BESIDE.iter().copied();
    single
        .chain(DOCKERFILES.iter().copied())
        .chain(readers)
        .chain(locks)
        .chain(beside)
        .chain([".gitlab-ci.yml"])
}

/// The folder of the project that a file speaks for: its own, but a hidden folder and one for containers belong to
/// the folder around them (`.github/workflows/ci.yml` and `docker/Dockerfile` speak for the project).
pub(super) fn project_folder(path: &str) -> &str {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folder = match folder.strip_suffix("gradle/wrapper") {
        Some(before) if before.is_empty() || before.ends_with('/') => before.trim_end_matches('/'),
        Some(_) | None => folder,
    };
    let mut end = 0;
    for segment in folder.split('/') {
        if segment.starts_with('.') || matches!(segment, "docker" | "dockerfiles" | "containers" | "ci") {
            return folder.get(..end).unwrap_or_default().trim_end_matches('/');
        }
        end += segment.len() + 1;
    }
    folder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        let check = |path: &str, expected: &str| {
            let found = match role(path) {
                Some(Role::Lock(format)) => format.id,
                Some(Role::Beside) => "beside",
                Some(Role::Pins(reader)) => reader.tool,
                None => "",
            };
            assert_eq!(found, expected, "{path}");
        };
        check(".nvmrc", "node");
        check("a/b/.python-version", "python");
        check("package.json", "*");
        check("package-lock.json", "npm");
        check("Dockerfile.dev", "*");
        check("api.Dockerfile", "*");
        check("Dockerfile.j2", "");
        check("Dockerfile.dockerignore", "");
        check(".github/workflows/ci.yml", "*");
        check("sub/.github/workflows/ci.yml", "");
        check(".config/mise/config.toml", "*");
        check(".cargo/config.toml", "");
        check("php/composer.json", "beside");
        for credentials in [".env", ".npmrc", ".pypirc", ".netrc", ".yarnrc.yml", "auth.json", ".env.local"] {
            check(credentials, "");
        }
    }

    #[test]
    fn folders_speak_for_projects() {
        let check = |path: &str, expected: &str| assert_eq!(project_folder(path), expected, "{path}");
        check(".nvmrc", "");
        check("services/api/.nvmrc", "services/api");
        check(".github/workflows/ci.yml", "");
        check("services/api/.devcontainer/Dockerfile", "services/api");
        check("docker/Dockerfile", "");
        check("gradle/wrapper/gradle-wrapper.properties", "");
        check("a/gradle/wrapper/gradle-wrapper.properties", "a");
        check(".mvn/wrapper/maven-wrapper.properties", "");
        check("a/docker/x/Dockerfile", "a");
    }

    #[test]
    fn every_name_that_is_looked_for_is_read() {
        for name in exact_names() {
            assert!(role(name).is_some(), "{name}");
        }
    }
}
