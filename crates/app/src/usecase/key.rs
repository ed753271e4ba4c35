//! The project's key for fingerprints: from the variable `PARALLAX_KEY`, or `.parallax/key` beside the
//! configuration. Without one, a key is made for this run and only the presence of secrets is kept.

use std::path::{Path, PathBuf};

use parallax_collect::secret::Fingerprinter;

use crate::error::AppError;

/// Where a project keeps its key.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join(".parallax").join("key")
}

/// The fingerprinter for a project.
pub(super) fn fingerprinter(folder: &Path) -> Result<Fingerprinter, AppError> {
    if let Some(key) = std::env::var_os("PARALLAX_KEY").filter(|k| !k.is_empty()) {
        return lasting(key.as_encoded_bytes(), "the variable `PARALLAX_KEY`");
    }
    let path = path(folder);
    match std::fs::read(&path) {
        Ok(key) => lasting(key.trim_ascii(), &format!("`{}`", path.display())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Fingerprinter::ephemeral(random()?)),
        Err(e) => Err(AppError::io("read the project's key", path.display(), &e)),
    }
}

fn lasting(key: &[u8], from: &str) -> Result<Fingerprinter, AppError> {
    if key.len() < 32 {
        let what = format!(
            "the key in {from} has {} bytes; 32 at least keep fingerprints safe from guessing",
            key.len()
        );
        return Err(AppError::usage(what).hint("make one with: openssl rand -hex 32"));
    }
    Ok(Fingerprinter::lasting(key))
}

/// Random bytes from the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], AppError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| AppError::unobserved("the system gives no random numbers").caused_by(e.to_string()))?;
    Ok(bytes)
}
