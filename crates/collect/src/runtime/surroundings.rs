//! What every resolver may take for granted of the machine: the first round trip's answers.

use std::collections::{BTreeMap, BTreeSet};

use crate::machine::{Candidate, SystemFacts, Variable, VariableValue};

/// Variables that say which of several installed versions answers, and where a manager keeps them.
pub(super) const VARIABLES: &[&str] = &[
    "ASDF_DATA_DIR",
    "COREPACK_HOME",
    "GOENV_VERSION",
    "NODENV_VERSION",
    "PHPENV_VERSION",
    "PLENV_VERSION",
    "PYENV_VERSION",
    "RBENV_VERSION",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "TFENV_TERRAFORM_VERSION",
    "XDG_CACHE_HOME",
    "ASDF_DENO_VERSION",
    "ASDF_ELIXIR_VERSION",
    "ASDF_ERLANG_VERSION",
    "ASDF_GOLANG_VERSION",
    "ASDF_JAVA_VERSION",
    "ASDF_KUBECTL_VERSION",
    "ASDF_NODEJS_VERSION",
    "ASDF_PYTHON_VERSION",
    "ASDF_RUBY_VERSION",
    "ASDF_TERRAFORM_VERSION",
    "MISE_ELIXIR_VERSION",
    "MISE_ERLANG_VERSION",
    "MISE_GO_VERSION",
    "MISE_JAVA_VERSION",
    "MISE_NODE_VERSION",
    "MISE_PYTHON_VERSION",
    "MISE_RUBY_VERSION",
    "MISE_TERRAFORM_VERSION",
];

/// The machine and the folder, as far as they decide which version answers.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// `uname -s`
    pub kernel: String,
    /// `uname -m`
    pub machine: String,
    /// The account's home, without a slash at its end.
    pub home: String,
    /// The project's folder (or where commands start) and all above it, nearest first, without slashes at the
    /// end: the root is empty.
    pub folders: Vec<String>,
    /// Whether `/bin` is a link to `/usr/bin`.
    pub merged_usr: bool,
    /// `R:<file name>` for every file that answers, as Alpine's database writes them.
    pub alpine_files: Vec<String>,
    /// Those of [`VARIABLES`] that are set and not empty.
    variables: BTreeMap<String, String>,
}

impl Surroundings {
    /// From the first round trip.
    pub(super) fn new(
        system: &SystemFacts,
        project: Option<&str>,
        variables: &[Variable],
        candidates: &[Candidate],
        merged_usr: bool,
    ) -> Self {
        let home = system.home.trim_end_matches('/').to_owned();
        let start = absolute(project.unwrap_or("."), &home, &system.folder);
        let names: BTreeSet<&str> = candidates.iter().map(|c| file_name(&c.resolved)).collect();
        Self {
            kernel: system.kernel_name.clone(),
            machine: system.machine.clone(),
            home,
            folders: upwards(&start),
            merged_usr,
            alpine_files: names.into_iter().map(|name| format!("R:{name}")).collect(),
            variables: variables.iter().filter_map(plain).collect(),
        }
    }

    /// A variable's value, where it is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }
}

fn plain(variable: &Variable) -> Option<(String, String)> {
    match &variable.value {
        VariableValue::Plain(text) if !text.is_empty() => Some((variable.name.clone(), text.clone())),
        VariableValue::Plain(_) | VariableValue::Secret(_) => None,
    }
}

/// The last segment of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The folder that holds a file.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` beside a folder, with `..` taken back and `.` dropped; only for folders that hold no link.
pub(super) fn beside(folder: &str, path: &str) -> String {
    let mut segments: Vec<&str> = folder.split('/').filter(|s| !s.is_empty()).collect();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    format!("/{}", segments.join("/"))
}

fn absolute(path: &str, home: &str, folder: &str) -> String {
    match path.strip_prefix("~/") {
        Some(rest) => beside(home, rest),
        None if path == "~" => home.to_owned(),
        None if path.starts_with('/') => beside("", path),
        None => beside(folder, path),
    }
}

/// A folder and all above it, nearest first; the root is the empty text.
fn upwards(folder: &str) -> Vec<String> {
    let mut folders = Vec::new();
    let mut rest = folder.trim_end_matches('/');
    while !rest.is_empty() && folders.len() < 64 {
        folders.push(rest.to_owned());
        rest = parent(rest);
    }
    folders.push(String::new());
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_from_the_project_upwards() {
        let check = |project: Option<&str>, expected: &[&str]| {
            let system =
                SystemFacts { home: "/home/a".into(), folder: "/srv/x".into(), ..Default::default() };
            assert_eq!(Surroundings::new(&system, project, &[], &[], false).folders, expected);
        };
        check(None, &["/srv/x", "/srv", ""]);
        check(Some("../y/"), &["/srv/y", "/srv", ""]);
        check(Some("~/p"), &["/home/a/p", "/home/a", "/home", ""]);
        check(Some("~"), &["/home/a", "/home", ""]);
        check(Some("/"), &[""]);
        check(Some("/../../.."), &[""]);
    }

    #[test]
    fn paths() {
        assert_eq!(beside("/usr/lib/jvm/j/bin", "../release"), "/usr/lib/jvm/j/release");
        assert_eq!((file_name("/a/b"), parent("/a/b"), file_name("b"), parent("b")), ("b", "/a", "b", ""));
    }
}
