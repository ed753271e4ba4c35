//! The shims of asdf and mise, whose versions are installed by plugin and chosen by `.tool-versions` or `mise.toml`.

use super::{Followed, PIN_BYTES, installed};
use crate::machine::Candidate;
use crate::runtime::known::{Known, Pending};
use crate::runtime::surroundings::Surroundings;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Asdf,
    Mise,
}

/// A shim, and where its manager keeps what it installed.
#[derive(Debug)]
pub(super) struct Shim {
    manager: Manager,
    root: String,
}

/// Commands, and the plugins that bring them.
const PLUGINS: &[(&[&str], &[&str])] = &[
    (&["node", "npm", "npx", "corepack"], &["nodejs", "node"]),
    (&["python3", "python", "pip3", "pip"], &["python"]),
    (&["ruby", "gem", "bundle", "bundler"], &["ruby"]),
    (&["java", "javac"], &["java"]),
    (&["mvn"], &["maven"]),
    (&["go"], &["golang", "go"]),
    (&["rustc", "cargo"], &["rust"]),
    (&["erl"], &["erlang"]),
    (&["psql"], &["postgres", "postgresql"]),
    (&["dotnet"], &["dotnet-core", "dotnet"]),
];

/// What mise reads in a folder, first to last.
const MISE_FILES: &[&str] =
    &["mise.local.toml", "mise.toml", ".mise.toml", ".config/mise.toml", ".mise/config.toml", TOOL_VERSIONS];
const TOOL_VERSIONS: &str = ".tool-versions";
/// Keeps mise from installing what it is asked for and does not have.
const MISE_QUIET: &[&str] =
    &["MISE_AUTO_INSTALL=0", "MISE_NOT_FOUND_AUTO_INSTALL=0", "MISE_EXEC_AUTO_INSTALL=0"];

/// The shim that a candidate is, if it is one of the two.
pub(super) fn recognise(candidate: &Candidate) -> Option<Shim> {
    let (folder, _) = candidate.path.rsplit_once('/')?;
    let root = folder.strip_suffix("/shims")?;
    let manager = match root.rsplit_once('/')?.1 {
        ".asdf" | "asdf" => Manager::Asdf,
        "mise" => Manager::Mise,
        _ => return None,
    };
    Some(Shim { manager, root: root.to_owned() })
}

impl Shim {
    /// The file that its manager would start.
    pub(super) fn follow(
        &self,
        command: &str,
        world: &Surroundings,
        known: &mut Known,
    ) -> Result<Followed, Pending> {
        let own = [command];
        let plugins =
            PLUGINS.iter().find(|(commands, _)| commands.contains(&command)).map_or(&own[..], |(_, p)| *p);
        let root = match (self.manager, world.variable("ASDF_DATA_DIR")) {
            (Manager::Asdf, Some(folder)) => folder.trim_end_matches('/'),
            (Manager::Asdf | Manager::Mise, _) => &self.root,
        };
        let lists: Vec<_> =
            plugins.iter().map(|plugin| known.names(&format!("{root}/installs/{plugin}"))).collect();
        let chosen = self.chosen(plugins, world, known)?;
        let Some((from, versions)) = chosen else { return Ok(self.ask()) };
        for version in &versions {
            if version == "system" {
                return Ok(Followed::Next);
            }
            for (plugin, list) in plugins.iter().zip(&lists) {
                let Ok(list) = list else { return Err(Pending) };
                let names = || list.iter().map(String::as_str);
                let found = match self.manager {
                    Manager::Asdf => names().find(|name| name == version),
                    Manager::Mise => installed(version, names()),
                };
                let path = found.map(|name| format!("{root}/installs/{plugin}/{name}/bin/{command}"));
                if let Some(path) = path {
                    let there = known.head(&path)?.is_some();
                    return Ok(if there { Followed::within(path, self.name()) } else { self.ask() });
                }
            }
        }
        let exact = versions.iter().all(|v| v.starts_with(|c: char| c.is_ascii_digit()));
        // `latest`, `lts`, `ref:..` and the like are for the manager itself to resolve.
        if !exact {
            return Ok(self.ask());
        }
        let (name, versions) = (self.name(), versions.join(" "));
        let why = format!("{name}: `{command}` {versions}, which {from} asks for, is not installed");
        Ok(Followed::Nowhere { why, manager: name })
    }

    fn name(&self) -> &'static str {
        match self.manager {
            Manager::Asdf => "asdf",
            Manager::Mise => "mise",
        }
    }

    /// Neither manager's shim installs anything under these variables.
    fn ask(&self) -> Followed {
        let quiet = match self.manager {
            Manager::Asdf => &[],
            Manager::Mise => MISE_QUIET,
        };
        Followed::Ask { quiet, manager: self.name() }
    }

    /// The versions that are asked for, in the order of preference, and by what.
    fn chosen(
        &self,
        plugins: &[&str],
        world: &Surroundings,
        known: &mut Known,
    ) -> Result<Option<(String, Vec<String>)>, Pending> {
        for plugin in plugins {
            let variable =
                format!("{}_{}_VERSION", self.name(), plugin.replace('-', "_")).to_ascii_uppercase();
            if let Some(text) = world.variable(&variable) {
                return Ok(Some((
                    format!("${variable}"),
                    text.split_whitespace().map(str::to_owned).collect(),
                )));
            }
        }
        let files = match self.manager {
            Manager::Asdf => &[TOOL_VERSIONS],
            Manager::Mise => MISE_FILES,
        };
        let in_folders =
            world.folders.iter().flat_map(|folder| files.iter().map(move |file| format!("{folder}/{file}")));
        let mut paths: Vec<String> = in_folders.collect();
        paths.push(format!("{}/{TOOL_VERSIONS}", world.home));
        if self.manager == Manager::Mise {
            paths.push(format!("{}/.config/mise/config.toml", world.home));
        }
        let texts: Vec<_> = paths.iter().map(|path| known.text(path, PIN_BYTES)).collect();
        for (path, text) in paths.into_iter().zip(texts) {
            let Some(text) = text? else { continue };
            let versions = if path.ends_with(".toml") {
                mise_versions(&text, plugins)
            } else {
                tool_versions(&text, plugins)
            };
            if !versions.is_empty() {
                return Ok(Some((path, versions)));
            }
        }
        Ok(None)
    }
}

/// `nodejs 18.19.0 system  # remark`
fn tool_versions(text: &str, plugins: &[&str]) -> Vec<String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let plugin = words.next()?;
            plugins.contains(&plugin).then(|| words.map(str::to_owned).collect())
        })
        .next()
        .unwrap_or_default()
}

/// `[tools]` of a `mise.toml`: a version, a list of them, or a table with `version`. Of a list the first answers.
fn mise_versions(text: &str, plugins: &[&str]) -> Vec<String> {
    let Ok(table) = toml::from_str::<toml::Table>(text) else { return Vec::new() };
    let tools = table.get("tools").and_then(toml::Value::as_table);
    let entry = tools.and_then(|tools| plugins.iter().find_map(|plugin| tools.get(*plugin)));
    let one = |value: &toml::Value| {
        let text = value.as_str().or_else(|| value.get("version")?.as_str())?;
        Some(text.to_owned())
    };
    match entry {
        Some(toml::Value::Array(list)) => list.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins() {
        let check = |found: Vec<String>, expected: &[&str]| assert_eq!(found, expected);
        check(
            tool_versions("ruby 3.2.2\nnodejs 18.19.0 system # x\n", &["nodejs", "node"]),
            &["18.19.0", "system"],
        );
        check(tool_versions("# nodejs 1\n\nnodejsx 2", &["nodejs"]), &[]);
        check(mise_versions("[tools]\nnode = \"20\"\n", &["nodejs", "node"]), &["20"]);
        check(mise_versions("[tools]\nnode = [\"20.1.0\", \"18\"]\n", &["node"]), &["20.1.0", "18"]);
        check(mise_versions("[tools]\nnode = {version = \"20.1.0\"}\n", &["node"]), &["20.1.0"]);
        check(mise_versions("[tools\n", &["node"]), &[]);
        check(mise_versions("tools = 3", &["node"]), &[]);
    }
}
