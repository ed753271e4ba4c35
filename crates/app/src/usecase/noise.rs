//! Which changes of a timeline say nothing of how the software runs: what a comparison would set aside.

use parallax_model::AttributePath;
use parallax_model::ontology::{self, Role};
use parallax_store::{Change, What};

/// The kind of what a change is of: what was seen, or else what has such keys.
#[must_use]
pub fn change_kind(change: &Change) -> Option<&str> {
    match &change.what {
        What::Appeared(resource) | What::Vanished(resource) => Some(&resource.kind),
        What::Shape { after, .. } => Some(&after.kind),
        What::Attribute { .. } => ontology::kind_by_key(&change.key).map(|row| row.id),
    }
}

/// Who owns a change that says nothing of how the software runs: the session that observed, the account, or what only
/// explains others (a line number). `None` for every other.
#[must_use]
pub fn noise(change: &Change) -> Option<&'static str> {
    let kind = change_kind(change)?;
    let context = |path: &AttributePath| match ontology::attribute(kind, path)?.role {
        Role::Context => Some("context"),
        Role::Compared => None,
    };
    ontology::noise_owner(kind, &change.key).or_else(|| change.what.attribute().and_then(context))
}
