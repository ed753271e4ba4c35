//! A recorded machine: files, links, commands and variables from one JSON document. For tests of
//! collectors, and for looking at a machine that is not here.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Batch, Candidate, Entry, EntryKind, Environment, FileContent, Find, Found, Keep, Machine, MachineError,
    Op, Output, ProbeError, Replies, Reply, Rest, Run, SystemFacts, Variable, VariableValue,
};

/// A machine as it was recorded. Paths are absolute; folders are implied by what is in them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recorded {
    /// What `uname` and the account say.
    pub system: RecordedSystem,
    /// Environment variables; `PATH` serves to find commands.
    pub variables: BTreeMap<String, String>,
    /// Files and their content; one whose path ends with a slash is a folder that can't be looked into.
    pub files: BTreeMap<String, RecordedFile>,
    /// Symbolic links and their targets.
    pub links: BTreeMap<String, String>,
    /// Commands by their words joined with single spaces.
    pub commands: BTreeMap<String, RecordedCommand>,
}

/// What the kernel and the account say; see [`SystemFacts`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the fields are those of SystemFacts")]
pub struct RecordedSystem {
    pub kernel_name: String,
    pub kernel_release: String,
    pub kernel_version: String,
    pub machine: String,
    pub node_name: String,
    pub page_size: u64,
    pub processors: u64,
    pub home: String,
    pub folder: String,
}

/// A recorded file.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum RecordedFile {
    /// Its text.
    Text(String),
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It can't be read.
    Failure {
        /// `permission` or anything else.
        error: String,
    },
}

/// A recorded command.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordedCommand {
    /// Its exit code.
    pub status: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// It never ends.
    pub hangs: bool,
}

impl Machine for Recorded {
    fn place(&self) -> &'static str {
        "a recording"
    }

    fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
        Ok(Replies(batch.ops().iter().map(|op| self.answer(op)).collect()))
    }
}

impl Recorded {
    fn answer(&self, op: &Op) -> Result<Reply, ProbeError> {
        match op {
            Op::System => Ok(Reply::System(self.system())),
            Op::Read { path, max_bytes, keep } => self.read(path, *max_bytes, keep).map(Reply::Content),
            Op::Sha256 { path } => self.bytes(path).map(|b| Reply::Digest(crate::secret::sha256_hex(&b))),
            Op::List { path, max_entries } => self.list(path, *max_entries).map(Reply::Entries),
            Op::Find(find) => self.find(find).map(Reply::Found),
            Op::Which { names } => Ok(Reply::Candidates(names.iter().flat_map(|n| self.which(n)).collect())),
            Op::Run(run) => self.command(run).map(Reply::Output),
            Op::Environment(wanted) => Ok(Reply::Variables(self.environment(wanted))),
        }
    }

    fn system(&self) -> SystemFacts {
        let s = self.system.clone();
        SystemFacts {
            kernel_name: s.kernel_name,
            kernel_release: s.kernel_release,
            kernel_version: s.kernel_version,
            machine: s.machine,
            node_name: s.node_name,
            page_size: s.page_size,
            processors: s.processors,
            home: s.home,
            folder: s.folder,
        }
    }

    /// Makes a path absolute, follows links (at most 16), and tidies `.` and `..`.
    fn resolve(&self, path: &str) -> String {
        let mut path = self.absolute(path);
        for _ in 0..16 {
            let linked = self.links.iter().find_map(|(from, to)| {
                let rest = path.strip_prefix(from.as_str())?;
                (rest.is_empty() || rest.starts_with('/')).then(|| {
                    let parent = from.rsplit_once('/').map_or("", |(p, _)| p);
                    let target = if to.starts_with('/') { to.clone() } else { format!("{parent}/{to}") };
                    format!("{target}{rest}")
                })
            });
            match linked {
                Some(next) => path = tidy(&next),
                None => break,
            }
        }
        path
    }

    fn absolute(&self, path: &str) -> String {
        tidy(&match path.strip_prefix("~/") {
            Some(rest) => format!("{}/{rest}", self.system.home),
            None if path.starts_with('/') => path.to_owned(),
            None => format!("{}/{path}", self.system.folder),
        })
    }

    fn bytes(&self, path: &str) -> Result<Vec<u8>, ProbeError> {
        match self.files.get(&self.resolve(path)) {
            Some(RecordedFile::Text(text)) => Ok(text.clone().into_bytes()),
            Some(RecordedFile::Bytes(bytes)) => Ok(bytes.clone()),
            Some(RecordedFile::Failure { error }) if error == "permission" => Err(ProbeError::Permission),
            Some(RecordedFile::Failure { error }) => Err(ProbeError::Failed(error.clone())),
            None => Err(ProbeError::NotFound),
        }
    }

    fn read(&self, path: &str, max_bytes: usize, keep: &Keep) -> Result<FileContent, ProbeError> {
        Ok(super::redacted_content(&keep.apply(&self.bytes(path)?), max_bytes, Rest::Nothing))
    }

    fn list(&self, path: &str, max_entries: usize) -> Result<Vec<Entry>, ProbeError> {
        let prefix = format!("{}/", self.resolve(path).trim_end_matches('/'));
        if self.files.contains_key(&prefix) {
            return Err(ProbeError::Permission);
        }
        let mut entries: BTreeMap<String, EntryKind> = BTreeMap::new();
        let all = self.files.keys().map(|p| (p, EntryKind::File));
        for (path, kind) in all.chain(self.links.keys().map(|p| (p, EntryKind::Link))) {
            if let Some(rest) = path.strip_prefix(&prefix) {
                let (name, kind) = rest.split_once('/').map_or((rest, kind), |(n, _)| (n, EntryKind::Folder));
                entries.insert(name.to_owned(), kind);
            }
        }
        match entries.len() {
            0 => Err(ProbeError::NotFound),
            n if n > max_entries => Err(ProbeError::TooLarge(max_entries)),
            _ => Ok(entries.into_iter().map(|(name, kind)| Entry { name, kind }).collect()),
        }
    }

    fn find(&self, find: &Find) -> Result<Found, ProbeError> {
        let prefix = format!("{}/", self.resolve(&find.root).trim_end_matches('/'));
        let paths: Vec<String> = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix).filter(|path| !path.ends_with('/')))
            .filter(|path| find.wants(path))
            .map(str::to_owned)
            .collect();
        let unreadable = self.files.keys().filter_map(|path| path.strip_prefix(&prefix)?.strip_suffix('/'));
        let unreadable = unreadable.filter(|folder| find.enters(folder)).map(str::to_owned).collect();
        let found = Found { paths, unreadable };
        if found.paths.len() > find.max_entries {
            Err(ProbeError::TooLarge(find.max_entries))
        } else {
            Ok(found)
        }
    }

    fn which(&self, name: &str) -> Vec<Candidate> {
        let search_path = self.variables.get("PATH").map_or("", String::as_str);
        let here = |folder: &str| {
            let path = format!("{folder}/{name}");
            let resolved = self.resolve(&path);
            let head = match self.files.get(&resolved)? {
                RecordedFile::Text(text) => text.as_bytes().iter().copied().take(64).collect(),
                RecordedFile::Bytes(bytes) => bytes.iter().copied().take(64).collect(),
                RecordedFile::Failure { .. } => Vec::new(),
            };
            Some(Candidate { name: name.to_owned(), path, resolved, head, size: 1, mtime: 1, inode: 1 })
        };
        search_path.split(':').filter(|f| !f.is_empty()).filter_map(here).collect()
    }

    fn command(&self, run: &Run) -> Result<Output, ProbeError> {
        match self.commands.get(&run.argv.join(" ")) {
            Some(command) if command.hangs => Err(ProbeError::TimedOut(run.timeout)),
            Some(command) => Ok(Output {
                status: command.status,
                stdout: command.stdout.clone().into_bytes(),
                stderr: command.stderr.clone().into_bytes(),
            }),
            None => Err(ProbeError::NotFound),
        }
    }

    fn environment(&self, wanted: &Environment) -> Vec<Variable> {
        let chosen = |name: &String| wanted.names.as_ref().is_none_or(|names| names.contains(name));
        self.variables
            .iter()
            .filter(|(name, _)| chosen(name))
            .map(|(name, value)| Variable { name: name.clone(), value: self.masked(name, value, wanted) })
            .collect()
    }

    fn masked(&self, name: &str, value: &str, wanted: &Environment) -> VariableValue {
        if crate::secret::is_secret(name, value) {
            let raw = crate::secret::RawSecret::new(value);
            VariableValue::Secret(wanted.fingerprinter.fingerprint(&raw))
        } else {
            VariableValue::Plain(value.to_owned())
        }
    }
}

/// Drops `.` and empty segments, and lets `..` take back one.
fn tidy(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    format!("/{}", out.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_a_machine_would() {
        let machine: Recorded = serde_json::from_str(
            r#"{"system": {"home": "/home/a", "folder": "/home/a"},
                "variables": {"PATH": "/usr/bin:/opt/bin"},
                "files": {"/opt/node/bin/node": "\u007fELF", "/home/a/.nvmrc": "18\n", "/etc/shadow": {"error": "permission"},
                          "/home/a/app/sub/package.json": "{}", "/home/a/app/node_modules/x/package.json": "{}"},
                "links": {"/opt/bin": "node/bin"},
                "commands": {"git --version": {"stdout": "git version 2.47.3\n"}, "sleepy": {"hangs": true}}}"#,
        )
        .unwrap();
        let mut batch = Batch::new();
        let which = batch.which(&["node", "go"]);
        let pin = batch.read("~/.nvmrc", 10);
        let shadow = batch.read("/etc/shadow", 10);
        let find = batch.find(Find {
            root: "app".into(),
            names: vec!["package.json".into()],
            prune: vec!["node_modules".into()],
            max_depth: 4,
            max_entries: 10,
        });
        let replies = machine.run(&batch).unwrap();
        let found = replies.get(which).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].path.as_str(), found[0].resolved.as_str()),
            ("/opt/bin/node", "/opt/node/bin/node")
        );
        assert_eq!(replies.get(pin).unwrap().text(), "18\n");
        assert_eq!(replies.get(shadow), Err(ProbeError::Permission));
        assert_eq!(replies.get(find).unwrap().paths, ["sub/package.json"]);
    }
}
