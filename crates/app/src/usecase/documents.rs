//! Documents as endpoints: one alone, or two compared with what is equal left out.

use std::path::Path;

use parallax_collect::document::{DigestKey, Document, DocumentError, Reader};
use parallax_model::{Resource, Snapshot, SnapshotHeader, SourceReport, SourceStatus};

use super::observe::{Observing, Provenance, Side, is_snapshot, read_bounded};
use super::{Endpoint, Request, key};
use crate::error::AppError;

/// What stands for a document in keys where it is named on the command line: both sides must have the same.
pub(super) const SHARED_NAME: &str = "item";

/// Reads one document whole; its resources' keys begin with `document/<name>/`.
pub(super) fn read(bytes: &[u8], shown: &str, name: &str, with: &Observing<'_>) -> Result<Side, AppError> {
    let reader = Reader { name, fingerprinter: &with.fingerprinter, key: digest_key()? };
    let resources = reader.read(Document { label: shown, bytes }).map_err(|e| wrong(&e))?;
    Ok(side(shown, resources, with))
}

fn wrong(error: &DocumentError) -> AppError {
    let told = AppError::usage(error.to_string());
    if (error.line, error.column) == (1, 1) {
        return told.hint("this version reads snapshot files and JSON documents");
    }
    told
}

/// Reads two documents and leaves out what is equal, with the count of the equal attributes; `None` where not both
/// sides are documents.
pub(super) fn pair(request: &Request, with: &Observing<'_>) -> Result<Option<(Side, Side, u64)>, AppError> {
    let (Endpoint::File(left), Endpoint::File(right)) = (&request.left, &request.right) else {
        return Ok(None);
    };
    let (left_name, right_name) = (left.display().to_string(), right.display().to_string());
    let (left, right) = (open(left, &left_name, with)?, open(right, &right_name, with)?);
    if is_snapshot(&left) || is_snapshot(&right) {
        return Ok(None);
    }
    let reader = Reader { name: SHARED_NAME, fingerprinter: &with.fingerprinter, key: digest_key()? };
    let pair = reader
        .read_pair(
            Document { label: &left_name, bytes: &left },
            Document { label: &right_name, bytes: &right },
        )
        .map_err(|e| wrong(&e))?;
    let equal = pair.equal_attributes;
    Ok(Some((side(&left_name, pair.left, with), side(&right_name, pair.right, with), equal)))
}

fn open(path: &Path, shown: &str, with: &Observing<'_>) -> Result<Vec<u8>, AppError> {
    let file =
        std::fs::File::open(with.context.folder.join(path)).map_err(|e| AppError::io("read", shown, &e))?;
    read_bounded(file, shown)
}

fn digest_key() -> Result<DigestKey, AppError> {
    Ok(DigestKey::new(key::random()?))
}

fn side(shown: &str, resources: Vec<Resource>, with: &Observing<'_>) -> Side {
    let header = SnapshotHeader {
        environment: shown.to_owned(),
        captured_at: with.context.now,
        tool: super::observe::TOOL.to_owned(),
        key_id: with.fingerprinter.key_id().map(str::to_owned),
        sources: vec![SourceReport {
            source: "documents".to_owned(),
            place: shown.to_owned(),
            status: SourceStatus::Complete,
            why: None,
        }],
        gaps: Vec::new(),
    };
    Side {
        place: "document".to_owned(),
        snapshot: Snapshot::new(header, resources),
        origin: Provenance::Live,
    }
}
