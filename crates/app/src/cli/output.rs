//! Where answers go: standard output, or a file that is written whole or not at all.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};

use super::global::Color;
use crate::error::AppError;

/// The target of an answer.
#[derive(Debug)]
pub(super) struct Output {
    file: Option<PathBuf>,
    color: Color,
}

impl Output {
    pub(super) fn new(file: Option<PathBuf>, color: Color) -> Self {
        Self { file: file.filter(|path| path != Path::new("-")), color }
    }

    /// Writes text that may hold colours.
    pub(super) fn text(&self, text: &str) -> Result<(), AppError> {
        let choice = match self.color {
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
            Color::Auto if self.file.is_some() => ColorChoice::Never,
            Color::Auto => AutoStream::choice(&io::stdout()),
        };
        let mut plain = AutoStream::new(Vec::new(), choice);
        // Writing into memory cannot fail.
        drop(plain.write_all(text.as_bytes()));
        self.bytes(|out| out.write_all(plain.into_inner().as_slice()))
    }

    /// Writes bytes as they are.
    pub(super) fn bytes(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), AppError> {
        match &self.file {
            Some(path) => to_file(path, write),
            None => to_standard_output(write),
        }
    }

    /// Whether the answer goes to a file.
    pub(super) fn is_file(&self) -> bool {
        self.file.is_some()
    }
}

fn to_standard_output(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), AppError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        // The reader has seen enough (`| head`): nothing is wrong, and the exit code stays what it is.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(e) => Err(AppError::io("write to", "standard output", &e)),
        Ok(()) => Ok(()),
    }
}

/// Through a temporary file beside it, so that a full disk leaves what was there before. What is no regular
/// file (a pipe, a device) is written directly.
fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), AppError> {
    let failed = |e: io::Error| {
        AppError::io("write", path.display(), &e).hint("nothing was written; what was there before still is")
    };
    let special = path.metadata().is_ok_and(|m| !m.is_file());
    if special {
        let mut file = std::fs::OpenOptions::new().write(true).open(path).map_err(failed)?;
        return write(&mut file).and_then(|()| file.flush()).map_err(failed);
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".parallax-").tempfile_in(folder).map_err(failed)?;
    let mut buffered = io::BufWriter::new(&mut file);
    write(&mut buffered).and_then(|()| buffered.flush()).map_err(failed)?;
    drop(buffered);
    readable_as_usual(&file).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// A temporary file is the owner's alone; a report is for everyone whom the umask allows.
#[cfg(unix)]
fn readable_as_usual(file: &tempfile::NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mask = rustix::process::umask(rustix::fs::Mode::empty());
    rustix::process::umask(mask);
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o666 & !mask.bits()))
}

/// Whether standard error is a terminal, where progress may be drawn.
pub(super) fn draws_progress() -> bool {
    io::stderr().is_terminal()
}
