//! Gaps: what could not be observed, and why. A gap is never parity.

use serde::{Deserialize, Serialize};

use crate::selector::Selector;
use crate::{AttributePath, Key};

/// Why something could not be observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// The account may not read it.
    Permission,
    /// It took longer than its limit.
    TimedOut,
    /// It was larger than its limit.
    TooLarge,
    /// It was read and could not be understood.
    NotParsed,
    /// The place could not be reached.
    Unreachable,
    /// The means to observe it are missing there (a command, a kernel interface).
    Unsupported,
    /// A place of this sort does not have it (an image has no kernel), so that there is nothing to compare.
    NotApplicable,
    /// Observing it failed in another way.
    Failed,
}

/// A part of an environment that could not be observed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// The part, as a selector: a key (`runtime/node`), or a region (`package/apt/**`).
    pub what: Box<str>,
    /// Why, in words, with the place: `/etc/shadow: permission denied`.
    pub why: Box<str>,
    /// The sort of reason.
    pub kind: GapKind,
}

impl Gap {
    /// Makes a gap over one key or region.
    pub fn new(what: impl Into<Box<str>>, kind: GapKind, why: impl Into<Box<str>>) -> Self {
        Self { what: what.into(), why: why.into(), kind }
    }

    /// Whether this gap hides the given attribute (or, with `None`, the given resource as a whole).
    /// A gap over `runtime/node` hides all attributes of that resource.
    #[must_use]
    pub fn hides(&self, key: &Key, attribute: Option<&AttributePath>) -> bool {
        Selector::parse(&self.what).is_ok_and(|s| s.selects(key, attribute))
    }
}
