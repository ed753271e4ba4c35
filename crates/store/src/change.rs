//! Changes: what differs between a snapshot and the one before it in its timeline, and when it must have happened.
//!
//! Derives changes from pairs of resources and writes them as bytes. Knows nothing of trees or backends, and
//! does not say who or why: that is evidence, which is joined later.

use parallax_model::ontology::{SOURCES, SourceRow};
use parallax_model::selector::Selector;
use parallax_model::{
    AttributePath, Gap, Key, Relation, Resource, SnapshotHeader, SourceStatus, Timestamp, Value,
};

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

    /// Whether something is not there any more.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Self::Vanished(_) | Self::Attribute { after: None, .. })
    }

    /// Whether something is there that was not before.
    pub(crate) fn is_found(&self) -> bool {
        matches!(self, Self::Appeared(_) | Self::Attribute { before: None, .. })
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

/// What an observation could not see, read once for many questions.
#[derive(Debug, Default)]
pub(crate) struct Blindness(Vec<Hidden>);

#[derive(Debug, Clone)]
struct Hidden {
    /// What every key begins with that is hidden by this.
    beginning: Box<str>,
    /// `None` where a gap's text can't be read: it could hide anything, so it is taken to.
    selector: Option<Selector>,
    /// What is seen all the same, where only that was asked for.
    except: Option<Vec<Key>>,
}

impl Hidden {
    fn of(text: &str) -> Self {
        let selector = Selector::parse(text).ok();
        let key = text.split('#').next().filter(|_| selector.is_some()).unwrap_or_default();
        // `a/**` hides `a`, too.
        let beginning = key.split_once('*').map_or(key, |(beginning, _)| beginning.trim_end_matches('/'));
        Self { beginning: beginning.into(), selector, except: None }
    }

    fn excepts(&self, key: &Key) -> bool {
        self.except.as_ref().is_some_and(|except| except.contains(key))
    }

    /// Whether the other is of one thing that is seen here.
    fn sees(&self, other: &Self) -> bool {
        let one = other.selector.as_ref().and_then(Selector::one_key);
        one.is_some_and(|key| self.excepts(&key))
    }

    /// What was not asked for here, and was there: as far as these are known by name.
    fn asked_there(&self, other: &Self) -> Option<Vec<Self>> {
        let (here, there) = (self.except.as_ref()?, other.except.as_ref()?);
        let new = there.iter().filter(|key| self.beginning == other.beginning && !here.contains(key));
        Some(new.map(|key| Self::of(key.as_str())).collect())
    }

    /// As the comparison of environments has it: a resource that is lacking may be explained by a gap over any part of it.
    fn hides(&self, key: &Key, attribute: Option<&AttributePath>) -> bool {
        key.as_str().starts_with(&*self.beginning)
            && !self.excepts(key)
            && self.selector.as_ref().is_none_or(|selector| match attribute {
                Some(_) => selector.selects(key, attribute),
                None => selector.selects_key(key),
            })
    }

    fn covers(&self, other: &Self) -> bool {
        if self.except.iter().flatten().any(|key| other.hides(key, None)) {
            return false;
        }
        match (&self.selector, &other.selector) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => own.covers(other),
        }
    }

    fn meets(&self, other: &Self) -> bool {
        if self.sees(other) || other.sees(self) {
            return false;
        }
        match (&self.selector, &other.selector) {
            (None, _) | (_, None) => true,
            (Some(own), Some(other)) => own.meets(other),
        }
    }
}

impl Blindness {
    pub(crate) fn of(gaps: &[Gap]) -> Self {
        Self(gaps.iter().map(|gap| Hidden::of(&gap.what)).collect())
    }

    pub(crate) fn add(&mut self, region: &str) {
        self.0.push(Hidden::of(region));
    }

    /// What sources were not asked for: all of their regions but the names that they were.
    pub(crate) fn add_left_out(&mut self, header: &SnapshotHeader) {
        for report in &header.sources {
            let Some(names) = report.only_names() else { continue };
            let names: Vec<&str> = names.collect();
            let regions = SOURCES.iter().filter(|row| row.id == report.source).flat_map(|row| row.regions);
            for region in regions {
                let root = region.split('/').next().unwrap_or(region);
                let except = names.iter().map(|name| Key::of([root, name])).collect();
                self.0.push(Hidden { except: Some(except), ..Hidden::of(region) });
            }
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether that part would not have been seen, had it been there.
    pub(crate) fn hides(&self, key: &Key, attribute: Option<&AttributePath>) -> bool {
        self.0.iter().any(|hidden| hidden.hides(key, attribute))
    }

    /// What this hides and the other does not hide wholly.
    pub(crate) fn without(self, other: &Self) -> Self {
        let left = self.0.into_iter().filter(|own| !other.0.iter().any(|other| other.covers(own)));
        let named =
            |own: Hidden| other.0.iter().find_map(|other| own.asked_there(other)).unwrap_or(vec![own]);
        Self(left.flat_map(named).collect())
    }

    /// Takes out what the other hides nothing of.
    pub(crate) fn take_apart_from(&mut self, other: &Self) -> Self {
        let met = |own: &Hidden| other.0.iter().any(|other| other.meets(own));
        let (left, taken) = std::mem::take(&mut self.0).into_iter().partition(met);
        self.0 = left;
        Self(taken)
    }
}

/// How far a source got, by the best of its reports.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    NotNamed,
    Stopped,
    Ran,
}

fn reach(header: &SnapshotHeader, source: &str) -> Reach {
    let reports = header.sources.iter().filter(|report| report.source == source);
    reports.fold(Reach::NotNamed, |best, report| match (report.status, best) {
        (SourceStatus::Complete | SourceStatus::Partial, _) | (_, Reach::Ran) => Reach::Ran,
        (SourceStatus::Failed | SourceStatus::Skipped, Reach::NotNamed | Reach::Stopped) => Reach::Stopped,
    })
}

/// The regions that an observation did not look at: their source failed or was left out, or is not named where the other
/// observation has it. As the comparison of environments has it.
pub(crate) fn unseen(header: &SnapshotHeader, other: &SnapshotHeader) -> impl Iterator<Item = &'static str> {
    let is_unseen = |row: &&SourceRow| match reach(header, row.id) {
        Reach::Ran => false,
        Reach::Stopped => true,
        Reach::NotNamed => reach(other, row.id) == Reach::Ran,
    };
    SOURCES.iter().filter(is_unseen).flat_map(|row| row.regions).copied()
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
