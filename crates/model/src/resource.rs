//! Resources: one thing in an environment.

use crate::{Attributes, Key, Relation};

/// One thing in an environment: its key, its kind (an id in the ontology), attributes, relations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its identity in the environment.
    pub key: Key,
    /// The ontology's id of its kind; a kind that the ontology does not know is kept and compared as text.
    pub kind: Box<str>,
    /// Its leaves.
    pub attributes: Attributes,
    /// Its edges, sorted, each once.
    pub relations: Vec<Relation>,
}

impl Resource {
    /// A resource without attributes.
    pub fn new(key: Key, kind: impl Into<Box<str>>) -> Self {
        Self { key, kind: kind.into(), attributes: Attributes::new(), relations: Vec::new() }
    }

    /// Adds one attribute; for building in a chain.
    #[must_use]
    pub fn with(mut self, path: &str, value: impl Into<crate::Value>) -> Self {
        self.attributes.set(path, value);
        self
    }

    /// Adds one relation, keeping them sorted and each once.
    pub fn relate(&mut self, relation: Relation) {
        if let Err(at) = self.relations.binary_search(&relation) {
            self.relations.insert(at, relation);
        }
    }
}
