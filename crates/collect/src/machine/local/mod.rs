//! This machine, natively: no process is started except for [`Op::Run`], and none where the answer was kept.
//! Judges nothing.

mod cache;
mod crew;
mod file;
mod process;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use super::{
    Batch, Candidate, Environment, Machine, MachineError, Op, ProbeError, Replies, Reply, SystemFacts,
    Variable, VariableValue,
};
use crate::secret::{RawSecret, is_secret, redact_text};
use cache::RunCache;
pub(crate) use file::content;

/// This machine.
#[derive(Debug, Clone)]
pub struct Local {
    cache: Arc<RunCache>,
    /// In place of this process's own variables.
    variables: Option<Arc<Vec<(OsString, OsString)>>>,
}

impl Local {
    /// This machine. What commands said is kept in the folder `cache`, if there is one, for as long as
    /// the files that the answer depends on stay as they are.
    #[must_use]
    pub fn new(cache: Option<PathBuf>) -> Self {
        Self { cache: Arc::new(RunCache::new(cache)), variables: None }
    }

    /// As if the process had been started with these variables and no others.
    #[must_use]
    pub fn with_variables(mut self, variables: Vec<(OsString, OsString)>) -> Self {
        self.variables = Some(Arc::new(variables));
        self
    }

    fn variables(&self) -> Vec<(OsString, OsString)> {
        match &self.variables {
            Some(variables) => variables.to_vec(),
            None => std::env::vars_os().collect(),
        }
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        match &self.variables {
            Some(all) => all.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()),
            None => std::env::var_os(name),
        }
    }

    /// What commands see besides files: the folder where they start, and variables.
    fn surroundings(&self) -> Vec<OsString> {
        let folder = std::env::current_dir().unwrap_or_default().into_os_string();
        let variables = cache::VARIABLES.iter().map(|name| self.variable(name).unwrap_or_default());
        variables.chain([folder]).collect()
    }

    fn home(&self) -> PathBuf {
        self.variable("HOME").map(PathBuf::from).or_else(std::env::home_dir).unwrap_or_default()
    }

    fn path(&self, path: &str) -> PathBuf {
        match path.strip_prefix("~/") {
            Some(rest) => self.home().join(rest),
            None => PathBuf::from(path),
        }
    }

    fn answer(&self, op: &Op) -> Result<Reply, ProbeError> {
        match op {
            Op::System => Ok(Reply::System(self.system())),
            Op::Read { path, max_bytes, keep } => {
                file::read(&self.path(path), *max_bytes, keep).map(Reply::Content)
            }
            Op::Sha256 { path } => file::sha256(&self.path(path)).map(Reply::Digest),
            Op::List { path, max_entries } => file::list(&self.path(path), *max_entries).map(Reply::Entries),
            Op::Find(find) => file::find(&self.path(&find.root), find).map(Reply::Found),
            Op::Which { names } => {
                Ok(Reply::Candidates(names.iter().flat_map(|name| self.which(name)).collect()))
            }
            Op::Run(run) => {
                let program = run.argv.first().ok_or(ProbeError::NotFound)?;
                let program = self.program(program)?;
                self.cache
                    .answer(
                        run,
                        &program,
                        |path| self.path(path),
                        || self.surroundings(),
                        || process::run(run, &program, self.variables.as_ref().map(|all| all.as_slice())),
                    )
                    .map(Reply::Output)
            }
            Op::Environment(wanted) => Ok(Reply::Variables(self.environment(wanted))),
        }
    }

    fn system(&self) -> SystemFacts {
        let uname = rustix::system::uname();
        let text = |s: &std::ffi::CStr| s.to_string_lossy().into_owned();
        let online = std::fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
        let folder = std::env::current_dir().unwrap_or_default();
        SystemFacts {
            kernel_name: text(uname.sysname()),
            kernel_release: text(uname.release()),
            kernel_version: text(uname.version()),
            machine: text(uname.machine()),
            node_name: text(uname.nodename()),
            page_size: u64::try_from(rustix::param::page_size()).unwrap_or_default(),
            processors: super::count_of_ranges(&online).unwrap_or_else(|| {
                thread::available_parallelism()
                    .ok()
                    .and_then(|n| u64::try_from(n.get()).ok())
                    .unwrap_or_default()
            }),
            home: self.home().to_string_lossy().into_owned(),
            folder: folder.canonicalize().unwrap_or(folder).to_string_lossy().into_owned(),
        }
    }

    /// The folders of the search path.
    fn search_path(&self) -> Vec<PathBuf> {
        let path = self.variable("PATH").unwrap_or_default();
        std::env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty()).collect()
    }

    fn which(&self, name: &str) -> Vec<Candidate> {
        if name.is_empty() || name.contains(['/', '\0']) {
            return Vec::new();
        }
        let here = |folder: &PathBuf| file::candidate(name, &folder.join(name));
        self.search_path().iter().filter_map(here).collect()
    }

    /// The file that a command's name stands for.
    fn program(&self, name: &str) -> Result<PathBuf, ProbeError> {
        if name.contains('/') {
            let path = PathBuf::from(name);
            return match path.metadata() {
                Ok(found) if !found.is_file() => Err(ProbeError::NotFound),
                Ok(_) if !file::may_execute(&path) => Err(ProbeError::Permission),
                Ok(_) => Ok(path),
                Err(error) => Err(file::failure(&error)),
            };
        }
        let mut folders = self.search_path().into_iter().map(|folder| folder.join(name));
        let usable = |path: &Path| path.is_file() && file::may_execute(path);
        folders
            .find(|path| !name.is_empty() && !name.starts_with('-') && usable(path))
            .ok_or(ProbeError::NotFound)
    }

    fn environment(&self, wanted: &Environment) -> Vec<Variable> {
        let mut seen: Vec<Variable> = Vec::new();
        for (name, value) in self.variables() {
            let name = name.to_string_lossy().into_owned();
            if wanted.names.as_ref().is_some_and(|names| !names.contains(&name)) {
                continue;
            }
            let text = value.to_string_lossy();
            let value = if is_secret(&name, &text) {
                let raw = RawSecret::new(std::os::unix::ffi::OsStrExt::as_bytes(value.as_os_str()));
                VariableValue::Secret(wanted.fingerprinter.fingerprint(&raw))
            } else {
                VariableValue::Plain(redact_text(&text))
            };
            seen.push(Variable { name, value });
        }
        // The sort is stable: of two with one name the first stays, which is the one that getenv finds.
        seen.sort_by(|a, b| a.name.cmp(&b.name));
        seen.dedup_by(|later, earlier| later.name == earlier.name);
        seen
    }
}

impl Machine for Local {
    fn place(&self) -> &'static str {
        "this machine"
    }

    fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
        let local = self.clone();
        let answers = crew::carry_out(batch.ops(), crew::LIMITS, move |op| local.answer(op));
        self.cache.save();
        Ok(Replies(answers))
    }
}
