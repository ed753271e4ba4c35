//! Attributes: the typed leaves of a resource, in the order of their paths.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{AttributePath, Value};

/// One typed leaf of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Where in the resource it stands.
    pub path: AttributePath,
    /// What it holds.
    pub value: Value,
}

/// A resource's attributes, sorted by path, each path once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes(Vec<Attribute>);

impl Attributes {
    /// No attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes attributes in any order; of two with one path the later wins.
    #[must_use]
    pub fn from_unsorted(mut list: Vec<Attribute>) -> Self {
        if list.is_sorted_by(|a, b| a.path < b.path) {
            return Self(list);
        }
        list.reverse();
        list.sort_by(|a, b| a.path.cmp(&b.path));
        list.dedup_by(|later, earlier| later.path == earlier.path);
        Self(list)
    }

    /// Sets one attribute, replacing what had its path.
    pub fn set(&mut self, path: impl Into<AttributePath>, value: impl Into<Value>) {
        let attribute = Attribute { path: path.into(), value: value.into() };
        match self.0.binary_search_by(|a| a.path.cmp(&attribute.path)) {
            Ok(at) => {
                if let Some(slot) = self.0.get_mut(at) {
                    *slot = attribute;
                }
            }
            Err(at) => self.0.insert(at, attribute),
        }
    }

    /// The value at a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Value> {
        let at = self.0.binary_search_by(|a| a.path.as_str().cmp(path)).ok()?;
        self.0.get(at).map(|a| &a.value)
    }

    /// All attributes, by path.
    pub fn iter(&self) -> std::slice::Iter<'_, Attribute> {
        self.0.iter()
    }

    /// All attributes, by path, as a slice.
    #[must_use]
    pub fn as_slice(&self) -> &[Attribute] {
        &self.0
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Replaces each value by what `map` makes of it; paths stay.
    pub fn map_values(&mut self, mut map: impl FnMut(&Value) -> Option<Value>) {
        for attribute in &mut self.0 {
            if let Some(value) = map(&attribute.value) {
                attribute.value = value;
            }
        }
    }
}

impl<'a> IntoIterator for &'a Attributes {
    type Item = &'a Attribute;
    type IntoIter = std::slice::Iter<'a, Attribute>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|a| (a.path.as_str(), &a.value)))
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MapVisitor)
    }
}

struct MapVisitor;

impl<'de> Visitor<'de> for MapVisitor {
    type Value = Attributes;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of attribute paths and scalars")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let mut list = Vec::new();
        while let Some((path, value)) = map.next_entry::<String, Value>()? {
            list.push(Attribute { path: AttributePath::new(&path), value });
        }
        Ok(Attributes::from_unsorted(list))
    }
}
