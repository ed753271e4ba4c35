//! What a collector is: requirements as data, and one function from a machine to what it saw.

use std::sync::Arc;

use parallax_model::{Gap, GapKind, Resource, SourceStatus};

use crate::machine::{Machine, ProbeError};
use crate::secret::Fingerprinter;

/// One collector: observes one subject on any machine.
#[derive(Debug)]
pub struct Collector {
    /// Its name, as in a snapshot's header: `host`, `runtime`, `environment`, `project`.
    pub name: &'static str,
    /// Raised whenever the same place would be reported otherwise.
    pub version: u32,
    /// The ontology's kinds that it reports. A test holds cases to this.
    pub kinds: &'static [&'static str],
    /// Whether it needs a project folder; without one it is skipped.
    pub needs_project: bool,
    /// Observes. Does not fail: what could not be seen becomes gaps.
    pub collect: fn(&dyn Machine, &Scope) -> Collected,
}

/// What a collector is asked to look at.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The project's folder on that machine: absolute, `~/..`, or relative to where commands start.
    pub project: Option<String>,
    /// Which environment variables.
    pub variables: Variables,
    /// Masks secrets where they are.
    pub fingerprinter: Arc<Fingerprinter>,
}

/// Which environment variables are observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variables {
    /// All of them.
    All,
    /// Only these names.
    Named(Vec<String>),
}

/// What a collector saw.
#[derive(Debug, Default)]
pub struct Collected {
    /// The resources, in any order.
    pub resources: Vec<Resource>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
    /// Why nothing was looked for, if so (`no project folder`).
    pub skipped: Option<String>,
}

impl Collected {
    /// Adds a resource.
    pub fn push(&mut self, resource: Resource) {
        self.resources.push(resource);
    }

    /// Adds a gap over `what` (a key or a region) with words that name the place.
    pub fn gap(&mut self, what: impl Into<Box<str>>, kind: GapKind, why: impl Into<Box<str>>) {
        self.gaps.push(Gap::new(what, kind, why));
    }

    /// Adds a gap over `what` for a probe of `place` that failed. What does not exist is no gap: it was
    /// looked for and is absent.
    pub fn gap_unless_absent(&mut self, what: &str, place: &str, error: &ProbeError) {
        if let Some(kind) = error.gap_kind() {
            self.gap(what, kind, format!("{place}: {error}"));
        }
    }

    /// How far it got, judged by what it holds.
    #[must_use]
    pub fn status(&self) -> SourceStatus {
        match (self.skipped.is_some(), self.gaps.is_empty(), self.resources.is_empty()) {
            (true, _, _) => SourceStatus::Skipped,
            (false, true, _) => SourceStatus::Complete,
            (false, false, false) => SourceStatus::Partial,
            (false, false, true) => SourceStatus::Failed,
        }
    }
}
