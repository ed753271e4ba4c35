//! Compare two snapshots by meaning: every difference, no verdict.
//!
//! Every pair of raw values that differs is found in the answer: as a difference, set aside with an
//! owner, hidden by a gap, or counted as equal where a rule says that it means the same. Relations are
//! not compared: they are drawn from attributes, which are.

mod describe;
mod gaps;
mod identity;
mod lockfile;
pub mod show;
mod sources;
mod views;
mod walk;

use std::fmt;

use parallax_model::{AttributePath, Code, Gap, Key, Layer, Snapshot, Value};

/// The short, stable name of a divergence: 8 hex digits of a hash of its key, its attribute and
/// both values, and of nothing else, so that the same drift keeps its id from day to day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DivergenceId(pub Box<str>);

impl fmt::Display for DivergenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How two sides differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Both have it, with other values.
    Changed,
    /// Only the left has it.
    OnlyLeft,
    /// Only the right has it.
    OnlyRight,
}

/// One attribute, or a whole resource, that differs or could not be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its stable name.
    pub id: DivergenceId,
    /// The resource.
    pub key: Key,
    /// The resource's kind.
    pub kind: Box<str>,
    /// The attribute; `None` where a whole resource is on one side only.
    pub attribute: Option<AttributePath>,
    /// The layer of the kind.
    pub layer: Layer,
    /// The sort of finding.
    pub code: Code,
    /// How the sides differ.
    pub change: Change,
    /// The left value as observed; `None` where absent, or for a whole resource. Where the other side's
    /// value is a secret, a plain value is given as a secret that is present. (A resource of two kinds has the
    /// kinds here.)
    pub left: Option<Value>,
    /// The right value as observed.
    pub right: Option<Value>,
    /// Both values as they were compared, in words, where that differs from what was observed.
    pub normalised: (Option<String>, Option<String>),
    /// The comparison rules that were applied: `version`, `search_path` ...
    pub rules: Vec<&'static str>,
    /// Why the values could not be compared at all. Then this is neither equal nor different: it is unknown.
    pub not_comparable: Option<String>,
    /// What differs, in one line, with the environments' names: `node 18.19.0 here, 18.20.1 in staging`.
    pub message: String,
    /// More lines: paths, the first position of a search path that differs, packages that moved.
    pub details: Vec<String>,
    /// The divergence that this one is a part of (a package within its lockfile).
    pub part_of: Option<DivergenceId>,
}

/// A difference that was set aside, with its owner: never dropped silently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// The resource.
    pub key: Key,
    /// The attribute; `None` for a whole resource.
    pub attribute: Option<AttributePath>,
    /// The left value.
    pub left: Option<Value>,
    /// The right value.
    pub right: Option<Value>,
    /// Whose it is: `session`, `account`, `context`, `not_installed`.
    pub owner: &'static str,
}

/// A part that one side could not observe. What the other side has there is neither equal nor
/// different. A gap is listed even where nothing is known to be hidden by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The environment that has the gap.
    pub environment: String,
    /// The gap.
    pub gap: Gap,
    /// Why nobody saw it.
    pub cause: Cause,
    /// What the other side has there, sorted; these are neither equal nor different.
    pub hidden: Vec<Key>,
}

/// Why a part of an environment is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// It should have been seen and was not: a gap, or a source that failed or is not named.
    Unseen,
    /// Its source was left out on this side, on purpose (a host without a project folder).
    LeftOut,
    /// Its source was left out, and the other side does not know it either.
    LeftOutOnBoth,
}

/// Attributes of a resource that were compared and found equal, of those that readers know its kind by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// The resource.
    pub key: Key,
    /// The resource's kind.
    pub kind: Box<str>,
    /// The attributes, in the order of the kind's headline, with the left side's values.
    pub attributes: Vec<(AttributePath, Value)>,
}

/// Everything that a comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    /// Sorted by key, then attribute.
    pub differences: Vec<Difference>,
    /// What was set aside, sorted likewise.
    pub suppressed: Vec<Suppressed>,
    /// What is unknown, because of a gap.
    pub unknown: Vec<Unknown>,
    /// How many attributes are equal on both sides.
    pub equal: u64,
    /// What agrees, of that which readers know a resource by; sorted by key.
    pub agreed: Vec<Agreed>,
}

/// Compares two snapshots. Swapping the sides mirrors the answer; a snapshot compared with itself gives
/// no difference, except that secrets of which only the presence is known are not comparable.
#[must_use]
pub fn compare(left: &Snapshot, right: &Snapshot) -> Differences {
    let mut found = walk::Walk::new(left, right).run(left, right);
    let selected = views::selected(left, right);
    if !selected.is_empty() {
        found.differences.extend(selected);
        found.differences.sort_by(|a, b| (&a.key, &a.attribute).cmp(&(&b.key, &b.attribute)));
    }
    lockfile::fold(&mut found.differences, left, right);
    found
}

pub(crate) use describe::{name, pinned_tool, pins_of, place};
pub(crate) use identity::{of_finding, of_finding_within};
pub(crate) use views::{ecosystem, text};
pub(crate) use walk::layer;

#[cfg(test)]
mod tests;
