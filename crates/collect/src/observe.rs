//! Runs collectors against a machine, all of them in the same round trips.

use parallax_model::{Gap, Resource, SourceReport};

use crate::machine::{Machine, MachineError};
use crate::{Collector, Scope};

/// What was seen of one machine.
#[derive(Debug, Default)]
pub struct Observation {
    /// The resources, in any order.
    pub resources: Vec<Resource>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
    /// What each collector did.
    pub sources: Vec<SourceReport>,
}

/// Observes a machine with the given collectors.
///
/// # Errors
/// Where the machine as a whole could not be reached.
pub fn observe(
    machine: &dyn Machine,
    scope: &Scope,
    collectors: &[&Collector],
) -> Result<Observation, MachineError> {
    let mut seen = Observation::default();
    for collector in collectors {
        let collected = (collector.collect)(machine, scope);
        seen.sources.push(SourceReport {
            source: collector.name.to_owned(),
            place: machine.place().to_owned(),
            status: collected.status(),
            why: collected.skipped.clone(),
        });
        seen.resources.extend(collected.resources);
        seen.gaps.extend(collected.gaps);
    }
    Ok(seen)
}
