//! Files before and after, and writing them: whole or not at all, with the rights that they had, and only where nothing is
//! lost that git does not have.

use std::path::{Path, PathBuf};
use std::time::Duration;

use parallax_collect::machine::{Batch, Local, Machine, Run};

use super::edit::{Edit, Replacement};
use crate::error::AppError;

/// A file that changes.
#[derive(Debug)]
pub(super) struct Change {
    path: PathBuf,
    pub(super) shown: String,
    pub(super) before: String,
    pub(super) after: String,
}

impl Change {
    /// Reads a file, and makes the edits in memory.
    pub(super) fn new(path: &Path, shown: &str, edits: &[&Edit]) -> Result<Self, AppError> {
        // What a link leads to is written, not the link.
        let path = path.canonicalize().map_err(|e| AppError::io("read", shown, &e))?;
        let before = std::fs::read_to_string(&path).map_err(|e| AppError::io("read", shown, &e))?;
        let after = edited(&before, edits).ok_or_else(|| {
            AppError::usage(format!("`{shown}` changed while it was looked at")).hint("run it again")
        })?;
        Ok(Self { path, shown: shown.to_owned(), before, after })
    }

    /// Writes the file, if it is still what it was.
    pub(super) fn write(&self) -> Result<(), AppError> {
        use std::io::Write;
        let failed =
            |e: &std::io::Error| AppError::io("write", &self.shown, e).hint("this file is as it was before");
        let now = std::fs::read_to_string(&self.path).map_err(|e| failed(&e))?;
        if now != self.before {
            return Err(AppError::usage(format!("`{}` changed while it was looked at", self.shown))
                .hint("run it again"));
        }
        let rights = self.path.metadata().map_err(|e| failed(&e))?.permissions();
        let folder = self.path.parent().unwrap_or(&self.path);
        let mut file =
            tempfile::Builder::new().prefix(".parallax-").tempfile_in(folder).map_err(|e| failed(&e))?;
        file.write_all(self.after.as_bytes()).map_err(|e| failed(&e))?;
        file.as_file().set_permissions(rights).map_err(|e| failed(&e))?;
        file.as_file().sync_all().map_err(|e| failed(&e))?;
        file.persist(&self.path).map_err(|e| failed(&e.error))?;
        Ok(())
    }
}

/// The text with all edits made, the last first so that places stay; `None` where one does not fit.
fn edited(before: &str, edits: &[&Edit]) -> Option<String> {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.range.start));
    let mut text = before.to_owned();
    for edit in edits {
        let written = text.get(edit.range.clone())?.to_owned();
        match &edit.with {
            Replacement::Append(what) => text.insert_str(edit.range.end, what),
            Replacement::Revision { commit, version } => {
                let (name, _) = written.rsplit_once('@').filter(|(_, revision)| revision == version)?;
                let rest = text.get(edit.range.end..)?;
                let rest = rest.split('\n').next().unwrap_or_default();
                let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'')).map_or(0, char::len_utf8);
                let after = rest.get(quote..).unwrap_or_default().trim();
                if after.is_empty() || after.starts_with('#') {
                    text.insert_str(edit.range.end + quote, &format!(" # {version}"));
                }
                text.replace_range(edit.range.clone(), &format!("{name}@{commit}"));
            }
        }
    }
    Some(text)
}

/// Refuses where a file has changes that are not committed, or where git does not have it: those could not be undone.
pub(super) fn refuse_what_git_does_not_keep(changes: &[Change]) -> Result<(), AppError> {
    let mut batch = Batch::new();
    let asked: Vec<_> = changes
        .iter()
        .map(|change| {
            let folder = change.path.parent().unwrap_or(&change.path).display().to_string();
            let name = change.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // Of a file that is committed and unchanged it says nothing; `--ignored` names one that git leaves out.
            let words =
                ["git", "-C", &folder, "status", "--porcelain", "--ignored", "--", &format!("./{name}")];
            let argv = words.into_iter().map(str::to_owned).collect();
            let run =
                Run { argv, timeout: Duration::from_secs(30), max_bytes: 1 << 16, depends_on: Vec::new() };
            (change, batch.run(run))
        })
        .collect();
    let failed = |why: String| AppError::unobserved("git could not be asked").caused_by(why);
    let replies = Local::new(None).run(&batch).map_err(|e| failed(e.to_string()))?;
    for (change, ticket) in asked {
        let output = replies.get(ticket).map_err(|e| failed(e.to_string()))?;
        let why = match (output.status, output.stdout.trim_ascii().is_empty()) {
            (0, true) => continue,
            (0, false) => "it has changes that are not committed",
            _ => "git does not keep it",
        };
        return Err(AppError::usage(format!("`{}` is not written: {why}", change.shown))
            .hint("commit it first, so that git can undo this; or say --allow-dirty")
            .hint("to see the patch only: parallax lint --fix --dry-run"));
    }
    Ok(())
}
