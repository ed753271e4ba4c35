//! Changes: what differs between a snapshot and the one before it in its timeline, and when it must have happened.
//!
//! Derives changes from pairs of resources and writes them as bytes. Knows nothing of trees or backends, and
//! does not say who or why: that is evidence, which is joined later.

use parallax_model::selector::Selector;
use parallax_model::{AttributePath, Gap, Key, Relation, Resource, Timestamp, Value};

use crate::tree::{Input, Pair, decode_resource, decode_value, encode_resource, encode_value};
use crate::tree::{put_bytes, put_number};

/// One thing that changed in an environment, between two of its snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The number of the entry that first shows it.
    pub entry: u64,
    /// The resource.
    pub key: Key,
    /// What changed about it.
    pub what: What,
    /// When it was last observed as it was before.
    pub after: Timestamp,
    /// When it was first observed as it is now.
    pub not_after: Timestamp,
    /// When exactly it happened, where evidence says so.
    pub at: Option<Timestamp>,
    /// What is known of who and how, as JSON texts in the order in which they came.
    pub evidence: Vec<String>,
}

/// What changed: before and after, either of which may be nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The resource appeared, as it is.
    Appeared(Resource),
    /// The resource vanished, as it was.
    Vanished(Resource),
    /// One attribute appeared, vanished or has another value.
    Attribute {
        /// Which one.
        path: AttributePath,
        /// What it held; `None` where it was not there.
        before: Option<Value>,
        /// What it holds; `None` where it is not there.
        after: Option<Value>,
    },
    /// The resource's kind or its relations are others.
    Shape {
        /// Kind and relations before.
        before: Shape,
        /// Kind and relations now.
        after: Shape,
    },
}

/// What a resource is besides its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Its kind.
    pub kind: Box<str>,
    /// Its edges.
    pub relations: Vec<Relation>,
}

impl Shape {
    fn of(resource: &Resource) -> Self {
        Self { kind: resource.kind.clone(), relations: resource.relations.clone() }
    }
}

impl What {
    /// The attribute, where the change is of one.
    #[must_use]
    pub fn attribute(&self) -> Option<&AttributePath> {
        match self {
            Self::Attribute { path, .. } => Some(path),
            Self::Appeared(_) | Self::Vanished(_) | Self::Shape { .. } => None,
        }
    }

    /// Does this change to a resource as it was before; gives it as it is after.
    #[must_use]
    pub fn replay(&self, resource: Option<Resource>) -> Option<Resource> {
        match (self, resource) {
            (Self::Appeared(after), _) => Some(after.clone()),
            (Self::Vanished(_), _) | (Self::Attribute { .. } | Self::Shape { .. }, None) => None,
            (Self::Attribute { path, after, .. }, Some(mut resource)) => {
                let others = resource.attributes.iter().filter(|a| a.path != *path).cloned();
                let now = after.clone().map(|value| parallax_model::Attribute { path: path.clone(), value });
                let all = others.chain(now).collect();
                resource.attributes = parallax_model::Attributes::from_unsorted(all);
                Some(resource)
            }
            (Self::Shape { after, .. }, Some(mut resource)) => {
                resource.kind = after.kind.clone();
                resource.relations.clone_from(&after.relations);
                Some(resource)
            }
        }
    }
}

/// What changed in one pair of a diff, in order of attribute paths.
#[must_use]
pub fn derive(pair: Pair) -> Vec<What> {
    match pair {
        (None, None) => Vec::new(),
        (None, Some(after)) => vec![What::Appeared(after)],
        (Some(before), None) => vec![What::Vanished(before)],
        (Some(before), Some(after)) => between(&before, &after),
    }
}

fn between(before: &Resource, after: &Resource) -> Vec<What> {
    let mut out = Vec::new();
    if before.kind != after.kind || before.relations != after.relations {
        out.push(What::Shape { before: Shape::of(before), after: Shape::of(after) });
    }
    let mut right = after.attributes.iter().peekable();
    for old in &before.attributes {
        while let Some(new) = right.next_if(|new| new.path < old.path) {
            out.push(attribute(&new.path, None, Some(&new.value)));
        }
        let same = right.next_if(|new| new.path == old.path).map(|new| &new.value);
        if same != Some(&old.value) {
            out.push(attribute(&old.path, Some(&old.value), same));
        }
    }
    out.extend(right.map(|new| attribute(&new.path, None, Some(&new.value))));
    out
}

fn attribute(path: &AttributePath, before: Option<&Value>, after: Option<&Value>) -> What {
    What::Attribute { path: path.clone(), before: before.cloned(), after: after.cloned() }
}

/// What a snapshot's gaps hide, read once for many questions.
#[derive(Debug, Default)]
pub(crate) struct Blindness(Vec<Selector>);

impl Blindness {
    pub(crate) fn of(gaps: &[Gap]) -> Self {
        Self(gaps.iter().filter_map(|gap| Selector::parse(&gap.what).ok()).collect())
    }

    /// Whether that part would not have been seen, had it been there.
    pub(crate) fn hides(&self, key: &Key, attribute: Option<&AttributePath>) -> bool {
        self.0.iter().any(|selector| selector.selects(key, attribute))
    }
}

/// Changes as they are kept, without what their entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) key: Key,
    pub(crate) what: What,
    /// In microseconds: when it was last seen as before.
    pub(crate) after: i64,
}

/// A number for a key, to look its changes up by. Keys may share one; what is found is held against the key.
pub(crate) fn key_number(key: &Key) -> i64 {
    let hash = blake3::hash(key.as_str().as_bytes());
    hash.as_bytes().first_chunk().map_or(0, |part| i64::from_le_bytes(*part))
}

pub(crate) fn encode(changes: &[Kept]) -> Vec<u8> {
    let mut out = vec![1];
    for change in changes {
        put_bytes(&mut out, change.key.as_str().as_bytes());
        out.extend_from_slice(&change.after.to_le_bytes());
        encode_what(&mut out, &change.what);
    }
    out
}

fn encode_what(out: &mut Vec<u8>, what: &What) {
    match what {
        What::Appeared(resource) => {
            out.push(0);
            put_bytes(out, &encode_resource(resource));
        }
        What::Vanished(resource) => {
            out.push(1);
            put_bytes(out, &encode_resource(resource));
        }
        What::Attribute { path, before, after } => {
            out.push(2);
            put_bytes(out, path.as_str().as_bytes());
            for value in [before, after] {
                put_number(out, u64::from(value.is_some()));
                value.iter().for_each(|value| encode_value(out, value));
            }
        }
        What::Shape { before, after } => {
            out.push(3);
            for shape in [before, after] {
                put_bytes(out, &encode_shape(shape));
            }
        }
    }
}

/// A shape is written as a resource without attributes.
fn encode_shape(shape: &Shape) -> Vec<u8> {
    let mut resource = Resource::new(Key::of(["_"]), shape.kind.clone());
    resource.relations.clone_from(&shape.relations);
    encode_resource(&resource)
}

/// Reads changes back; `None` where the bytes make no sense.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<Kept>> {
    let mut input = Input(bytes);
    if input.byte()? != 1 {
        return None;
    }
    let mut out = Vec::new();
    while !input.is_empty() {
        let key = Key::parse(input.text()?).ok()?;
        let after = i64::from_le_bytes(input.take(8)?.try_into().ok()?);
        let what = decode_what(&mut input, &key)?;
        out.push(Kept { key, what, after });
    }
    Some(out)
}

fn decode_what(input: &mut Input<'_>, key: &Key) -> Option<What> {
    Some(match input.byte()? {
        0 => What::Appeared(decode_resource(key.as_str(), input.bytes()?)?),
        1 => What::Vanished(decode_resource(key.as_str(), input.bytes()?)?),
        2 => {
            let path = AttributePath::new(input.text()?);
            let mut value = || match input.number()? {
                0 => Some(None),
                1 => decode_value(input).map(Some),
                _ => None,
            };
            What::Attribute { path, before: value()?, after: value()? }
        }
        3 => {
            let mut shape = || {
                let resource = decode_resource(key.as_str(), input.bytes()?)?;
                Some(Shape::of(&resource))
            };
            What::Shape { before: shape()?, after: shape()? }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(values: &[(&str, &str)]) -> Resource {
        values.iter().fold(Resource::new(Key::of(["env", "A"]), "env"), |r, (p, v)| r.with(p, *v))
    }

    #[track_caller]
    fn check(before: Option<Resource>, after: &Option<Resource>, expected: usize) {
        let changes = derive((before.clone(), after.clone()));
        assert_eq!(changes.len(), expected, "{changes:?}");
        let replayed = changes.iter().fold(before, |resource, what| what.replay(resource));
        assert_eq!(&replayed, after);
        let kept: Vec<Kept> =
            changes.into_iter().map(|what| Kept { key: Key::of(["env", "A"]), what, after: -5 }).collect();
        let bytes = encode(&kept);
        assert_eq!(decode(&bytes), Some(kept));
        for cut in 2..bytes.len() {
            assert_ne!(decode(&bytes[..cut]), decode(&bytes), "cut at {cut}");
        }
    }

    #[test]
    fn changes_replay_to_what_was_observed() {
        let mut moved = resource(&[("a", "1")]);
        moved.relate(Relation { kind: parallax_model::RelationKind::Mounts, to: Key::of(["x"]) });
        check(None, &None, 0);
        check(None, &Some(resource(&[("a", "1")])), 1);
        check(Some(resource(&[("a", "1")])), &None, 1);
        check(
            Some(resource(&[("a", "1"), ("c", "1")])),
            &Some(resource(&[("b", "1"), ("c", "2"), ("d", "")])),
            4,
        );
        check(Some(resource(&[("a", "1")])), &Some(moved.clone()), 1);
        check(Some(moved), &Some(resource(&[])), 2);
    }
}
