//! Observes nothing yet.

use crate::machine::Machine;
use crate::{Collected, Collector, Scope};

/// The collector.
pub(crate) const COLLECTOR: Collector =
    Collector { name: "environment", version: 1, kinds: &["env"], needs_project: false, collect };

fn collect(_machine: &dyn Machine, _scope: &Scope) -> Collected {
    Collected::default()
}
