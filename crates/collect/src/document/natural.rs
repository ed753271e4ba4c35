//! Natural keys: which field names the items of a list, so that they are matched by it and not by position.
//! Data and pure functions; both the digests and the expansion stand on this one table.
//!
//! A list has a natural key when it is not empty, every item is an object, and every item has, under the same
//! field, a text or whole number that no other item has. Of several such fields the first of the table counts.
//! Between two documents it must be a natural key on both sides, otherwise positions are used on both
//! (an empty list takes the other side's). Whole numbers only, as `1.0` and `1` would be one key or two.
//! The order of a list with a natural key says nothing, by this definition; a list whose order matters although its
//! items have names (`initContainers`) is compared item by item, but not by order.

use super::digest::{DigestKey, Hash, Sort};

/// What a field's text must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Any,
    /// The second part of a composite: after the last `/` of `80/TCP`.
    WithoutSlash,
}

const FIELDS: [(&str, Form); 14] = [
    ("name", Form::Any),
    ("id", Form::Any),
    ("key", Form::Any),
    ("containerPort", Form::Any),
    ("port", Form::Any),
    ("protocol", Form::WithoutSlash),
    ("mountPath", Form::Any),
    ("devicePath", Form::Any),
    ("ip", Form::Any),
    ("topologyKey", Form::Any),
    ("whenUnsatisfiable", Form::WithoutSlash),
    ("uid", Form::Any),
    ("type", Form::Any),
    ("rule", Form::Any),
];

/// A natural key: one field, or two joined by `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    first: usize,
    second: Option<(usize, Option<&'static str>)>,
}

const fn one(first: usize) -> Candidate {
    Candidate { first, second: None }
}

const fn two(first: usize, second: usize, default: Option<&'static str>) -> Candidate {
    Candidate { first, second: Some((second, default)) }
}

/// In order of preference. Where Kubernetes' ports name no protocol, its default is meant.
const CANDIDATES: [Candidate; 12] = [
    one(0),
    one(1),
    one(2),
    two(3, 5, Some("TCP")),
    two(4, 5, Some("TCP")),
    one(6),
    one(7),
    one(8),
    two(9, 10, None),
    one(11),
    one(12),
    one(13),
];

impl Candidate {
    /// The names of its fields; the second with what stands for it where it is absent.
    pub(super) fn fields(self) -> (&'static str, Option<(&'static str, Option<&'static str>)>) {
        let name = |field: usize| FIELDS.get(field).map_or("", |(name, _)| *name);
        (name(self.first), self.second.map(|(field, default)| (name(field), default)))
    }
}

/// Which candidates are still possible for a list, as bits in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice(u16);

impl Choice {
    pub(super) const ALL: Self = Self((1 << CANDIDATES.len()) - 1);
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// What is possible for both.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The candidates, by preference, with their numbers.
    pub(super) fn candidates(self) -> impl Iterator<Item = (usize, Candidate)> {
        CANDIDATES.into_iter().enumerate().filter(move |(number, _)| self.0 >> number & 1 == 1)
    }

    /// Without the candidates that `fits` refuses.
    pub(super) fn filter(self, mut fits: impl FnMut(usize, Candidate) -> bool) -> Self {
        self.candidates()
            .filter(|(number, c)| fits(*number, *c))
            .fold(Self::NONE, |choice, (number, _)| Self(choice.0 | 1 << number))
    }

    /// The most preferred one.
    pub(super) fn first(self) -> Option<(usize, Candidate)> {
        self.candidates().next()
    }

    /// The fields that matter to these candidates, as bits.
    fn fields(self) -> u16 {
        self.candidates().fold(0, |bits, (_, c)| bits | 1 << c.first | c.second.map_or(0, |(f, _)| 1 << f))
    }
}

/// Whether a text may be the value of a field as part of a natural key.
pub(super) fn is_fit(field: &str, text: &str) -> bool {
    let form = FIELDS.iter().find(|(name, _)| *name == field).map_or(Form::Any, |(_, form)| *form);
    form == Form::Any || !text.contains('/')
}

/// Whether a number, by its text, may be a natural key.
pub(super) fn is_whole(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    digits.iter().all(u8::is_ascii_digit) && number != b"-0"
}

/// The hashes of the fields of one object that may be its natural key.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    hashes: [u128; FIELDS.len()],
    wanted: u16,
    seen: u16,
    fit: u16,
    /// Those that also serve as a row of a resource's key, whose segments are never empty.
    segment: u16,
    choice: Choice,
    default_protocol: u128,
}

impl Fields {
    pub(super) fn new(key: DigestKey) -> Self {
        Self {
            hashes: [0; FIELDS.len()],
            wanted: Choice::ALL.fields(),
            seen: 0,
            fit: 0,
            segment: 0,
            choice: Choice::ALL,
            default_protocol: key_hash(key, b"TCP"),
        }
    }

    /// Begins another object of a list for which `choice` is still possible.
    #[inline]
    pub(super) fn restart(&mut self, choice: Choice) {
        (self.seen, self.fit, self.segment) = (0, 0, 0);
        if choice != self.choice {
            self.choice = choice;
            self.wanted = choice.fields();
        }
    }

    /// The number of the field of that name, if it matters.
    #[inline]
    pub(super) fn number(&mut self, name: &[u8]) -> Option<usize> {
        if !matches!(name.len(), 2..=4 | 7..=13 | 17) || self.wanted == 0 {
            return None;
        }
        let number = FIELDS.iter().position(|(field, _)| field.as_bytes() == name)?;
        self.seen |= 1 << number;
        (self.wanted >> number & 1 == 1).then_some(number)
    }

    /// Notes the text of a field.
    pub(super) fn note(&mut self, number: usize, text: &[u8], key: DigestKey) {
        let Some(((_, form), slot)) = FIELDS.get(number).zip(self.hashes.get_mut(number)) else { return };
        let slash = memchr::memchr(b'/', text).is_some();
        if slash && *form == Form::WithoutSlash {
            return;
        }
        *slot = key_hash(key, text);
        self.fit |= 1 << number;
        let empty_segment = || text.split(|b| *b == b'/').any(<[u8]>::is_empty);
        if !text.is_empty() && (!slash || !empty_segment()) {
            self.segment |= 1 << number;
        }
    }

    /// The hash of a candidate's value in this object, if it has one.
    pub(super) fn hash(&self, candidate: Candidate, key: DigestKey) -> Option<u128> {
        self.hash_within(candidate, self.fit, key)
    }

    /// The same, for a row of a resource's key.
    pub(super) fn row_hash(&self, candidate: Candidate, key: DigestKey) -> Option<u128> {
        self.hash_within(candidate, self.segment, key)
    }

    fn hash_within(&self, candidate: Candidate, fit: u16, key: DigestKey) -> Option<u128> {
        let of = |number: usize| {
            let hash = self.hashes.get(number).filter(|_| fit >> number & 1 == 1);
            hash.copied()
        };
        let first = of(candidate.first)?;
        let Some((second, default)) = candidate.second else { return Some(first) };
        let second = match default {
            Some(_) if self.seen >> second & 1 == 0 => self.default_protocol,
            Some(_) | None => of(second)?,
        };
        let mut hash = Hash::begin(key, Sort::Key, 16, 16);
        hash.wide(first);
        hash.wide(second);
        Some(hash.finish())
    }
}

/// The hash of a key's text.
pub(super) fn key_hash(key: DigestKey, text: &[u8]) -> u128 {
    let mut hash = Hash::begin(key, Sort::Key, 0, text.len());
    hash.bytes(text, 0, text.len());
    hash.finish()
}

/// The hashes of a list's possible natural keys, item after item, each marked with its candidate.
#[derive(Debug, Default)]
pub(super) struct Pile(Vec<u128>);

impl Pile {
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    #[inline]
    pub(super) fn push(&mut self, number: usize, hash: u128) {
        self.0.push(hash & !0xF | number as u128);
    }

    /// The hashes for one candidate, from a place in the pile on.
    pub(super) fn of(&self, start: usize, number: usize) -> impl Iterator<Item = u128> + Clone {
        let pile = self.0.get(start..).unwrap_or_default();
        pile.iter().copied().filter(move |hash| hash & 0xF == number as u128)
    }

    /// Whether no two hashes for one candidate are equal.
    pub(super) fn is_unique(&self, start: usize, number: usize) -> bool {
        if self.len() - start <= FEW_HASHES {
            let mut rest = self.of(start, number);
            while let Some(hash) = rest.next() {
                if rest.clone().any(|other| other == hash) {
                    return false;
                }
            }
            return true;
        }
        let mut hashes: Vec<u128> = self.of(start, number).collect();
        hashes.sort_unstable();
        hashes.windows(2).all(|pair| pair.first() != pair.last())
    }
}

/// Up to how many hashes are compared each with each.
const FEW_HASHES: usize = 24;
