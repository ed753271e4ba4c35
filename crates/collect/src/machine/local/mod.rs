//! This machine, natively: no process is started except for [`Op::Run`], and none where the answer was kept.
//! Judges nothing.

mod cache;
mod file;
mod process;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{
    Batch, Candidate, Environment, Machine, MachineError, Op, ProbeError, Replies, Reply, SystemFacts,
    Variable, VariableValue,
};
use crate::secret::{RawSecret, is_secret, redact_text};
use cache::RunCache;

/// At most so many probes of one batch are carried out at the same time.
const CONCURRENT: usize = 12;

/// This machine.
#[derive(Debug)]
pub struct Local {
    cache: RunCache,
    /// In place of this process's own variables.
    variables: Option<Vec<(OsString, OsString)>>,
}

impl Local {
    /// This machine. What commands said is kept in the folder `cache`, if there is one, for as long as
    /// the files that the answer depends on stay as they are.
    #[must_use]
    pub fn new(cache: Option<PathBuf>) -> Self {
        Self { cache: RunCache::new(cache), variables: None }
    }

    /// As if the process had been started with these variables and no others.
    #[must_use]
    pub fn with_variables(mut self, variables: Vec<(OsString, OsString)>) -> Self {
        self.variables = Some(variables);
        self
    }

    fn variables(&self) -> Vec<(OsString, OsString)> {
        self.variables.clone().unwrap_or_else(|| std::env::vars_os().collect())
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        match &self.variables {
            Some(all) => all.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()),
            None => std::env::var_os(name),
        }
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
            Op::Find(find) => file::find(&self.path(&find.root), find).map(Reply::Paths),
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
                        || process::run(run, &program, self.variables.as_deref()),
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
        let slow = |op: &Op| matches!(op, Op::Run(_) | Op::Sha256 { .. } | Op::Find(_));
        let queue: Vec<usize> =
            batch.ops().iter().enumerate().filter(|(_, op)| slow(op)).map(|(i, _)| i).collect();
        let next = AtomicUsize::new(0);
        let answers: Vec<Mutex<Option<Result<Reply, ProbeError>>>> =
            batch.ops().iter().map(|_| Mutex::new(None)).collect();
        let settle = |index: usize| {
            if let (Some(op), Some(slot)) = (batch.ops().get(index), answers.get(index)) {
                *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(self.answer(op));
            }
        };
        let work = || {
            while let Some(index) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
                settle(*index);
            }
        };
        thread::scope(|threads| {
            for _ in 0..queue.len().min(CONCURRENT) {
                threads.spawn(work);
            }
            for (index, _) in batch.ops().iter().enumerate().filter(|(_, op)| !slow(op)) {
                settle(index);
            }
            work();
        });
        self.cache.save();
        let missing = || Err(ProbeError::Failed("there was no reply".to_owned()));
        let taken =
            |slot: Mutex<Option<_>>| slot.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(Replies(answers.into_iter().map(|slot| taken(slot).unwrap_or_else(missing)).collect()))
    }
}
