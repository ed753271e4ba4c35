//! Observes nothing yet.

use crate::machine::Machine;
use crate::{Collected, Collector, Scope};

/// The collector.
pub(crate) const COLLECTOR: Collector =
    Collector { name: "project", version: 1, kinds: &["pin"], needs_project: true, collect };

fn collect(_machine: &dyn Machine, _scope: &Scope) -> Collected {
    Collected::default()
}
