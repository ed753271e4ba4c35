//! Observes nothing yet.

use crate::machine::Machine;
use crate::{Collected, Collector, Scope};

/// The collector.
pub(crate) const COLLECTOR: Collector =
    Collector { name: "host", version: 1, kinds: &["kernel"], needs_project: false, collect };

fn collect(_machine: &dyn Machine, _scope: &Scope) -> Collected {
    Collected::default()
}
