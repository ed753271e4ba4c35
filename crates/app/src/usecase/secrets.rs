//! Secrets of which no change can be seen in a span of a timeline: their fingerprints are of different keys, or there are none.
//! Reads recordings; tells no secret.

use parallax_model::{Attribute, Gap, GapKind, Key, Resource, Value};
use parallax_store::{Entry, Store};

use super::Scope;
use crate::error::AppError;

const NO_KEY: &str = "only its presence is recorded, so a change of it is not seen";
const OTHER_KEY: &str = "recorded with another key before, so a change of it may not be seen";

/// Whether it is a secret that can't be compared with anything: only that it is there is known.
pub(super) fn is_bare(attribute: &Attribute) -> bool {
    matches!(&attribute.value, Value::Secret(fingerprint) if fingerprint.same_secret(fingerprint).is_none())
}

fn is_secret(attribute: &Attribute) -> bool {
    matches!(attribute.value, Value::Secret(_))
}

/// The secrets of the newest of some entries whose changes since the oldest can't be seen, as gaps. Recordings between
/// them are not read: a change is held against the last recording of the same key, so only it is dated less exactly.
pub(super) fn unseen(store: &Store, entries: &[Entry], scope: &Scope) -> Result<Vec<Gap>, AppError> {
    let (Some(newest), Some(oldest)) = (entries.first(), entries.last()) else { return Ok(Vec::new()) };
    if newest.number == oldest.number {
        return Ok(Vec::new());
    }
    let key_id = store.header(newest)?.key_id;
    let is_one_key = key_id.is_some() && key_id == store.header(oldest)?.key_id;
    let resources = match scope {
        Scope::Resource(key, _) => store.resource(newest, key)?.into_iter().collect(),
        // With one key, only a host that can't make fingerprints leaves a variable without.
        Scope::Whole | Scope::Selected(_) if is_one_key => store.under(newest, "env")?,
        Scope::Whole | Scope::Selected(_) => store.read(newest)?.resources().to_vec(),
    };
    let mut out = Vec::new();
    for Resource { key, attributes, .. } in &resources {
        for attribute in attributes.iter().filter(|attribute| is_secret(attribute)) {
            let is_bare = is_bare(attribute);
            if (is_bare || !is_one_key) && is_asked(scope, key, attribute) {
                let why = if is_bare { NO_KEY } else { OTHER_KEY };
                out.push(Gap::new(format!("{key}#{}", attribute.path), GapKind::Unsupported, why));
            }
        }
    }
    Ok(out)
}

fn is_asked(scope: &Scope, key: &Key, attribute: &Attribute) -> bool {
    match scope {
        Scope::Whole => true,
        Scope::Resource(of, path) => of == key && path.as_ref().is_none_or(|path| *path == attribute.path),
        Scope::Selected(selector) => selector.selects(key, Some(&attribute.path)),
    }
}
