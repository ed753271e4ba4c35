//! Spreads trees into flat attributes: one tree whole, or of two trees only what differs, with lists addressed
//! alike on both sides. Leaves what is secret to [`super::mask`], and judges nothing.

use std::borrow::Cow;
use std::cmp::Ordering;

use parallax_model::{Attribute, AttributePath, PathBuilder, Value};

use super::mask::{Mask, Surroundings};
use super::natural::Candidate;
use super::tree::{Node, natural_keys};

/// How the value of a row that is no container is addressed: by no field, which no field's path can equal.
const ITSELF: &str = ".";

/// What was spread so far.
#[derive(Debug)]
pub(super) struct Spread<'f> {
    mask: Mask<'f>,
    path: PathBuilder,
    /// The left tree's attributes: all, or those that are not the same on the right.
    pub(super) left: Vec<Attribute>,
    /// The right tree's.
    pub(super) right: Vec<Attribute>,
    /// How many attributes are the same on both sides and left out.
    pub(super) equal: u64,
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// A node and what surrounds it.
type Place<'n, 't> = (&'n Node<'t>, Surroundings<'n>);

impl<'f> Spread<'f> {
    const fn new(mask: Mask<'f>, path: PathBuilder) -> Self {
        Self { mask, path, left: Vec::new(), right: Vec::new(), equal: 0 }
    }

    /// A whole tree, as the left one.
    pub(super) fn of(node: &Node<'_>, mask: Mask<'f>) -> Self {
        let mut spread = Self::new(mask, PathBuilder::new());
        spread.one(Side::Left, (node, Surroundings::default()));
        spread
    }

    /// What differs between two trees.
    pub(super) fn between(left: &Node<'_>, right: &Node<'_>, mask: Mask<'f>) -> Self {
        let mut spread = Self::new(mask, PathBuilder::new());
        spread.both((left, Surroundings::default()), (right, Surroundings::default()));
        spread
    }

    fn both(&mut self, left: Place<'_, '_>, right: Place<'_, '_>) {
        match (left.0, right.0) {
            (Node::Object(a), Node::Object(b)) if !a.is_empty() && !b.is_empty() => {
                self.both_objects((left, a), (right, b));
            }
            (Node::List(a), Node::List(b)) if !a.is_empty() && !b.is_empty() => {
                match natural_keys(a).and(natural_keys(b)).first() {
                    Some((_, candidate)) => self.both_keyed((left, a), (right, b), candidate),
                    None => self.both_ordered((left, a), (right, b)),
                }
            }
            (a, b) if is_same_leaf(a, b) => self.equal += 1,
            _ => {
                self.one(Side::Left, left);
                self.one(Side::Right, right);
            }
        }
    }

    fn both_objects<'n, 't>(
        &mut self,
        (left, a): (Place<'n, 't>, &'n [(Cow<'t, str>, Node<'t>)]),
        (right, b): (Place<'n, 't>, &'n [(Cow<'t, str>, Node<'t>)]),
    ) {
        let named = |members: &'n [(Cow<'t, str>, Node<'t>)]| {
            members.iter().map(|(name, node)| (name.as_ref(), node)).collect::<Vec<_>>()
        };
        for (name, a, b) in pairs(named(a), named(b)) {
            let mark = self.step_field(name);
            let a = a.map(|node| (node, left.1.member(left.0, name)));
            let b = b.map(|node| (node, right.1.member(right.0, name)));
            self.either(a, b);
            self.path.truncate(mark);
        }
    }

    fn both_keyed<'n, 't>(
        &mut self,
        (left, a): (Place<'n, 't>, &'n [Node<'t>]),
        (right, b): (Place<'n, 't>, &'n [Node<'t>]),
        candidate: Candidate,
    ) {
        for (key, a, b) in pairs(by_key(a, candidate), by_key(b, candidate)) {
            let mark = self.step_item(candidate, &key);
            self.either(a.map(|node| (node, left.1.item(None))), b.map(|node| (node, right.1.item(None))));
            self.path.truncate(mark);
        }
    }

    fn both_ordered<'n, 't>(
        &mut self,
        (left, a): (Place<'n, 't>, &'n [Node<'t>]),
        (right, b): (Place<'n, 't>, &'n [Node<'t>]),
    ) {
        let before = |items: &'n [Node<'t>], index: usize| items.get(index.wrapping_sub(1));
        for index in 0..a.len().max(b.len()) {
            let mark = self.path.mark();
            self.path.index(index);
            let a = a.get(index).map(|node| (node, left.1.item(before(a, index))));
            let b = b.get(index).map(|node| (node, right.1.item(before(b, index))));
            self.either(a, b);
            self.path.truncate(mark);
        }
    }

    fn either(&mut self, left: Option<Place<'_, '_>>, right: Option<Place<'_, '_>>) {
        match (left, right) {
            (Some(left), Some(right)) => self.both(left, right),
            (Some(left), None) => self.one(Side::Left, left),
            (None, Some(right)) => self.one(Side::Right, right),
            (None, None) => {}
        }
    }

    /// Everything below a node, on one side.
    fn one(&mut self, side: Side, (node, around): Place<'_, '_>) {
        match node {
            Node::Object(members) if members.is_empty() => self.push(side, Value::from("{}")),
            Node::List(items) if items.is_empty() => self.push(side, Value::from("[]")),
            Node::Object(members) => {
                for (name, child) in members {
                    let mark = self.step_field(name);
                    self.one(side, (child, around.member(node, name)));
                    self.path.truncate(mark);
                }
            }
            Node::List(items) => {
                let candidate = natural_keys(items).first().map(|(_, candidate)| candidate);
                let mut before = None;
                for (index, item) in items.iter().enumerate() {
                    let mark = self.path.mark();
                    match candidate.and_then(|c| Some((c, item.key(c)?))) {
                        Some((candidate, key)) => _ = self.step_item(candidate, &key),
                        None => _ = self.path.index(index),
                    }
                    self.one(side, (item, around.item(before)));
                    self.path.truncate(mark);
                    before = Some(item);
                }
            }
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => {
                self.push(side, self.mask.value(node, around));
            }
        }
    }

    fn push(&mut self, side: Side, value: Value) {
        let path = if self.path.mark() == 0 { AttributePath::new(ITSELF) } else { self.path.path() };
        let list = match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
        };
        list.push(Attribute { path, value });
    }

    /// Steps into a field, and gives the mark to come back to.
    fn step_field(&mut self, name: &str) -> usize {
        let mark = self.path.mark();
        let shown = self.mask.shown("", name);
        self.path.field(shown.as_deref().unwrap_or(name));
        mark
    }

    fn step_item(&mut self, candidate: Candidate, key: &str) -> usize {
        let mark = self.path.mark();
        let shown = self.mask.shown(candidate.fields().0, key);
        self.path.item(shown.as_deref().unwrap_or(key));
        mark
    }
}

/// Whether two nodes are the same leaf, letter for letter. What else counts as equal is the engine's to say.
fn is_same_leaf(left: &Node<'_>, right: &Node<'_>) -> bool {
    match (left, right) {
        (Node::Null, Node::Null) => true,
        (Node::Bool(a), Node::Bool(b)) => a == b,
        (Node::Number(a), Node::Number(b)) | (Node::Text(a), Node::Text(b)) => a == b,
        (Node::Object(a), Node::Object(b)) => a.is_empty() && b.is_empty(),
        (Node::List(a), Node::List(b)) => a.is_empty() && b.is_empty(),
        (
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::Object(_) | Node::List(_),
            _,
        ) => false,
    }
}

fn by_key<'n, 't>(items: &'n [Node<'t>], candidate: Candidate) -> Vec<(Cow<'n, str>, &'n Node<'t>)> {
    let mut keyed: Vec<_> = items.iter().filter_map(|item| Some((item.key(candidate)?, item))).collect();
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    keyed
}

/// Joins two lists that are sorted by their names, each name once.
pub(super) fn pairs<K: Ord, T>(
    left: impl IntoIterator<Item = (K, T)>,
    right: impl IntoIterator<Item = (K, T)>,
) -> impl Iterator<Item = (K, Option<T>, Option<T>)> {
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    std::iter::from_fn(move || {
        let order = match (left.peek(), right.peek()) {
            (Some((a, _)), Some((b, _))) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        let a = if order.is_le() { left.next() } else { None };
        let b = if order.is_ge() { right.next() } else { None };
        match (a, b) {
            (Some((name, a)), b) => Some((name, Some(a), b.map(|(_, b)| b))),
            (None, Some((name, b))) => Some((name, None, Some(b))),
            (None, None) => None,
        }
    })
}
