//! What commands said, kept for as long as the files that fix the answer stay as they are. A cache that is
//! damaged, or written by two at once, costs a command that is run again, and nothing else.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use serde::{Deserialize, Serialize};

use super::super::{Output, ProbeError, Run};
use crate::secret::{is_secret, redact, sha256_hex};

/// Larger outputs are not kept, and a larger file is not read.
const MAX_OUTPUT: usize = 16 * 1024;
const MAX_FILE: u64 = 4 * 1024 * 1024;
const MAX_ENTRIES: usize = 1024;

/// Changes with what a key is made of: answers under other keys are never found, and go as the oldest.
const FORMAT: &str = "2";

/// Variables that change what commands say, or which program answers behind a shim.
pub(super) const VARIABLES: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_MESSAGES",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "ASDF_DATA_DIR",
    "DOTNET_ROOT",
    "GOROOT",
    "GOTOOLCHAIN",
    "JAVA_HOME",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "NODENV_VERSION",
    "NODE_OPTIONS",
    "NVM_DIR",
    "PYENV_VERSION",
    "PYTHONHOME",
    "PYTHONPATH",
    "RBENV_VERSION",
    "RUBYOPT",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "VOLTA_HOME",
];

/// Kept answers.
#[derive(Debug)]
pub(super) struct RunCache {
    file: Option<PathBuf>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: BTreeMap<String, Answer>,
    /// Raised with each answer that is used or made, so that the oldest can go.
    clock: u64,
    changed: bool,
}

/// One line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Answer {
    key: String,
    stdout: String,
    stderr: String,
    #[serde(skip)]
    used: u64,
}

impl RunCache {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { file: folder.map(|folder| folder.join("commands.jsonl")), kept: Mutex::new(None) }
    }

    /// The kept answer, or what `make` gives. Only a success is kept, and nothing that looks secret.
    pub(super) fn answer(
        &self,
        run: &Run,
        program: &Path,
        locate: impl Fn(&str) -> PathBuf,
        surroundings: impl Fn() -> Vec<OsString>,
        make: impl FnOnce() -> Result<Output, ProbeError>,
    ) -> Result<Output, ProbeError> {
        if self.file.is_none() || run.depends_on.is_empty() {
            return make();
        }
        let depends_on = || run.depends_on.iter().map(|path| locate(path));
        let surroundings = surroundings();
        let key = key(run, program, &surroundings, depends_on());
        if let Some(output) = self.find(&key) {
            return Ok(output);
        }
        let output = make()?;
        // A file that changed meanwhile makes the answer one of neither state.
        if key == self::key(run, program, &surroundings, depends_on()) {
            self.keep(key, &output);
        }
        Ok(output)
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: &str) -> Option<Output> {
        let mut kept = self.kept();
        let kept = kept.get_or_insert_with(|| self.load());
        kept.clock += 1;
        let answer = kept.answers.get_mut(key)?;
        answer.used = kept.clock;
        let bytes = |text: &String| text.clone().into_bytes();
        Some(Output { status: 0, stdout: bytes(&answer.stdout), stderr: bytes(&answer.stderr) })
    }

    fn keep(&self, key: String, output: &Output) {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        let (Some(stdout), Some(stderr)) = (text(&output.stdout), text(&output.stderr)) else { return };
        let all = format!("{stdout}\n{stderr}");
        if output.status != 0 || all.len() > MAX_OUTPUT || looks_secret(&all) {
            return;
        }
        let mut kept = self.kept();
        let kept = kept.get_or_insert_with(|| self.load());
        kept.clock += 1;
        kept.changed = true;
        kept.answers.insert(key.clone(), Answer { key, stdout, stderr, used: kept.clock });
    }

    fn load(&self) -> Kept {
        let mut kept = Kept::default();
        let small = |file: &&PathBuf| file.metadata().is_ok_and(|m| m.is_file() && m.size() <= MAX_FILE);
        let bytes = self.file.as_ref().filter(small).and_then(|file| fs::read(file).ok()).unwrap_or_default();
        for line in bytes.split(|b| *b == b'\n') {
            if let Ok(mut answer) = serde_json::from_slice::<Answer>(line) {
                kept.clock += 1;
                answer.used = kept.clock;
                kept.answers.insert(answer.key.clone(), answer);
            }
        }
        kept
    }

    /// Writes the answers down, if there are new ones: beside the file, then in its place.
    pub(super) fn save(&self) {
        // A thread that hangs where the answers are kept holds them.
        let mut kept = match self.kept.try_lock() {
            Ok(kept) => kept,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let (Some(file), Some(kept)) = (&self.file, kept.as_mut()) else { return };
        if !std::mem::take(&mut kept.changed) {
            return;
        }
        let mut answers: Vec<&Answer> = kept.answers.values().collect();
        answers.sort_by_key(|answer| std::cmp::Reverse(answer.used));
        answers.truncate(MAX_ENTRIES);
        answers.reverse();
        let lines: Vec<String> = answers.iter().filter_map(|a| serde_json::to_string(a).ok()).collect();
        if let Err(error) = write(file, &(lines.join("\n") + "\n")) {
            tracing::debug!(path = %file.display(), %error, "what commands said could not be kept");
        }
    }
}

fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(std::io::Error::other)?;
    let beside = folder.join(format!(".commands-{}", crate::secret::hex(&random)));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        // It may never have been made.
        let _gone = fs::remove_file(&beside);
    }
    written
}

/// What fixes an answer: the words of the command, where and with which variables it runs, the program that the
/// words find, and each file's identity.
fn key(
    run: &Run,
    program: &Path,
    surroundings: &[OsString],
    depends_on: impl Iterator<Item = PathBuf>,
) -> String {
    let identity = |path: &Path| match path.metadata() {
        Ok(m) => format!("{} {} {}.{:09} {}\0", path.display(), m.size(), m.mtime(), m.mtime_nsec(), m.ino()),
        Err(_) => format!("{} absent\0", path.display()),
    };
    let mut text = format!("{FORMAT}\0");
    for value in surroundings {
        text.push_str(&crate::secret::hex(value.as_bytes()));
        text.push('\0');
    }
    for word in &run.argv {
        text.push_str(word);
        text.push('\0');
    }
    text.push_str(&format!("\0{}\0", run.max_bytes));
    text.push_str(&identity(program));
    for path in depends_on {
        text.push_str(&identity(&path));
    }
    sha256_hex(text.as_bytes())
}

/// Whether an output holds something that may be secret; what was masked already tells that there was.
fn looks_secret(text: &str) -> bool {
    text.contains("REDACTED")
        || redact(text.as_bytes()) != text.as_bytes()
        || text.split(|c: char| c.is_whitespace() || "=:\"',;()".contains(c)).any(|word| is_secret("", word))
        || text.lines().any(|line| line.split_once('=').is_some_and(|(name, value)| is_secret(name, value)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_oldest_answers_go_and_old_formats_are_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("commands.jsonl");
        fs::write(&file, "{\"key\":\"k\",\"said\":\"x\"}\n[1]\n").unwrap();
        let count = || fs::read_to_string(&file).unwrap().lines().count();
        let cache = RunCache::new(Some(folder.path().to_owned()));
        let ask = |word: usize| {
            let argv = vec!["tool".to_owned(), word.to_string()];
            let depends_on = vec!["/bin/sh".to_owned()];
            let run = Run { argv, timeout: Duration::ZERO, max_bytes: 9, depends_on };
            let mut made = false;
            let make = || {
                made = true;
                Ok(Output { status: 0, stdout: b"x".to_vec(), stderr: Vec::new() })
            };
            cache.answer(&run, Path::new("/bin/sh"), |path| PathBuf::from(path), Vec::new, make).unwrap();
            made
        };
        assert!((0..MAX_ENTRIES + 40).all(ask));
        assert!(!ask(0), "it is kept");
        cache.save();
        assert_eq!(count(), MAX_ENTRIES);
        let again = RunCache::new(Some(folder.path().to_owned()));
        let kept = again.load();
        assert_eq!(kept.answers.len(), MAX_ENTRIES);
    }
}
