//! What part of an environment's timeline is asked for, as people write it: a key, short or whole, with an attribute or
//! without, the beginning of keys, or a selector.

use parallax_model::selector::Selector;
use parallax_model::{AttributePath, Gap, Key, Resource};
use parallax_store::{Entry, Query, Store, What};

use super::short_key::{self, Unresolved};
use crate::error::AppError;

/// How many of the newest changes are looked through for keys that are no more.
const LATEST: usize = 20_000;

/// What the changes are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The whole environment.
    Whole,
    /// One resource, or one attribute of it.
    Resource(Key, Option<AttributePath>),
    /// What a selector selects.
    Selected(Selector),
}

impl Scope {
    /// What a person means by a part; nothing is the whole.
    pub(super) fn find(part: Option<&str>, store: &Store, latest: &Entry) -> Result<Self, AppError> {
        part.map_or(Ok(Self::Whole), |part| scope(part, store, latest))
    }

    /// The query for changes of this.
    pub(super) fn query(&self, environment: &str) -> Query {
        let query = Query::of(environment);
        match self {
            Self::Whole => query,
            Self::Resource(key, _) => Query { key: Some(key.clone()), ..query },
            Self::Selected(selector) => Query { selector: Some(selector.clone()), ..query },
        }
    }

    /// Whether a gap could hide changes of this.
    pub(super) fn may_be_hidden_by(&self, gap: &Gap) -> bool {
        match self {
            Self::Whole => true,
            Self::Resource(key, attribute) => gap.hides(key, attribute.as_ref()),
            Self::Selected(selector) => Selector::parse(&gap.what).is_ok_and(|gap| gap.meets(selector)),
        }
    }
}

fn scope(part: &str, store: &Store, latest: &Entry) -> Result<Scope, AppError> {
    if part.contains('*') {
        let selector = Selector::parse(part).map_err(|error| AppError::usage(error.to_string()))?;
        return Ok(Scope::Selected(selector));
    }
    let (text, attribute) = short_key::split(part);
    match (find(text, store, latest)?, attribute) {
        (Found::Resource(key), None) => Ok(Scope::Resource(key, None)),
        (Found::Resource(key), Some(text)) => {
            let paths = paths(&key, store, latest)?;
            let path = short_key::resolve_attribute(text, paths.iter());
            let path = path.map_err(|unresolved| unresolved.told("attribute", text, key.as_str()))?;
            Ok(Scope::Resource(key, Some(path)))
        }
        (Found::Region(selector), None) => Ok(Scope::Selected(selector)),
        (Found::Region(_), Some(_)) => Err(AppError::usage(format!("`{text}` is more than one resource"))
            .hint(format!("for an attribute of all of them: '{text}/**#{}'", attribute.unwrap_or_default()))),
    }
}

/// What a text without `*` stands for.
enum Found {
    Resource(Key),
    /// All keys that begin with it.
    Region(Selector),
}

/// An exact key is found by look-ups; only for a short one are keys listed.
fn find(text: &str, store: &Store, latest: &Entry) -> Result<Found, AppError> {
    let environment = &latest.environment;
    if let Ok(key) = Key::parse(text) {
        let of_key = Query { key: Some(key.clone()), limit: 1, ..Query::of(environment) };
        if store.resource(latest, &key)?.is_some() || !store.changes(&of_key)?.is_empty() {
            return Ok(Found::Resource(key));
        }
    }
    let snapshot = store.read(latest)?;
    let now: Vec<&Key> = snapshot.resources().iter().map(|resource| &resource.key).collect();
    match among(text, &now) {
        Err(Unresolved::Unknown { .. }) => {}
        found => return found.map_err(|unresolved| unresolved.told("key", text, environment)),
    }
    // What is there no more is known by its changes.
    let changes = store.changes(&Query { limit: LATEST, ..Query::of(environment) })?;
    let all: Vec<&Key> = now.into_iter().chain(changes.iter().map(|change| &change.key)).collect();
    among(text, &all).map_err(|unresolved| unresolved.told("key", text, environment))
}

/// The beginning of some keys is all of them; what is no beginning is a short key.
fn among(text: &str, keys: &[&Key]) -> Result<Found, Unresolved> {
    let prefix = format!("{text}/");
    if keys.iter().any(|key| key.as_str().starts_with(&prefix))
        && let Ok(region) = Selector::parse(&format!("{text}/**"))
    {
        return Ok(Found::Region(region));
    }
    short_key::resolve(text, keys.iter().copied()).map(Found::Resource)
}

/// The attributes that a resource has or had.
fn paths(key: &Key, store: &Store, latest: &Entry) -> Result<Vec<AttributePath>, AppError> {
    let of = |resource: &Resource| resource.attributes.iter().map(|a| a.path.clone()).collect::<Vec<_>>();
    let mut paths = store.resource(latest, key)?.as_ref().map(of).unwrap_or_default();
    for change in store.changes(&Query { key: Some(key.clone()), ..Query::of(&latest.environment) })? {
        match change.what {
            What::Attribute { path, .. } => paths.push(path),
            What::Appeared(resource) | What::Vanished(resource) => paths.extend(of(&resource)),
            What::Shape { .. } => {}
        }
    }
    Ok(paths)
}
