//! Runs collectors against a machine, all of them in the same round trips. Does not judge what they saw.

use std::thread;

use parallax_model::{Gap, GapKind, Resource, SourceReport, ontology};

use crate::machine::{Combined, Machine, MachineError};
use crate::{Collected, Collector, Scope};

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

/// Observes a machine with the given collectors, each in a thread of its own; what they ask of the machine
/// travels together, so that four collectors of two phases cost two round trips.
///
/// # Errors
/// Where the machine as a whole could not be reached. Where it fails later, what was seen until then
/// is kept, and the rest is a gap.
pub fn observe(
    machine: &dyn Machine,
    scope: &Scope,
    collectors: &[&Collector],
) -> Result<Observation, MachineError> {
    let apply = |c: &Collector| !c.needs_project || scope.project.is_some();
    let combined = Combined::new(machine, collectors.iter().filter(|c| apply(c)).count());
    let collected: Vec<Option<Collected>> = thread::scope(|threads| {
        // Every seat is taken before the first collector starts, so that none is waited for in vain.
        let mut seats = (0..).map(|number| combined.seat(number));
        let started: Vec<_> = collectors
            .iter()
            .map(|collector| {
                let seat = if apply(collector) { seats.next() } else { None };
                seat.map(|seat| threads.spawn(move || (collector.collect)(&seat, scope)))
            })
            .collect();
        started.into_iter().map(|thread| thread.map(|t| t.join().unwrap_or_else(|_| broken()))).collect()
    });
    let failure = match combined.failure() {
        Some((1, error)) => return Err(error),
        Some((_, error)) => Some(error),
        None => None,
    };
    let mut seen = Observation::default();
    for (collector, collected) in collectors.iter().zip(collected) {
        let collected = collected.unwrap_or_else(|| Collected {
            skipped: Some("no project folder".to_owned()),
            ..Collected::default()
        });
        take(&mut seen, machine.place(), collector, collected, failure.as_ref());
    }
    Ok(seen)
}

/// What stands for a collector that panicked. What it said is not repeated: it may hold what it read.
fn broken() -> Collected {
    let mut collected = Collected::default();
    collected.gap("**", GapKind::Failed, "the collector stopped by an internal error; please report it");
    collected
}

fn take(
    seen: &mut Observation,
    place: &str,
    collector: &Collector,
    mut collected: Collected,
    failure: Option<&MachineError>,
) {
    if let (Some(error), None) = (failure, &collected.skipped) {
        for region in regions(collector) {
            collected.gap(*region, error.gap_kind(), error.to_string());
        }
    }
    seen.sources.push(SourceReport {
        source: collector.name.to_owned(),
        place: place.to_owned(),
        status: collected.status(),
        why: collected.skipped.clone().or_else(|| failure.map(ToString::to_string)),
    });
    seen.resources.extend(collected.resources);
    seen.gaps.extend(collected.gaps);
}

/// Where a collector's resources lie, as selectors: `env/**`.
fn regions(collector: &Collector) -> &'static [&'static str] {
    ontology::source(collector.name).map_or(&["**"], |row| row.regions)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use parallax_model::{Key, SourceStatus};

    use super::*;
    use crate::Variables;
    use crate::machine::{Batch, Recorded, Replies};
    use crate::secret::Fingerprinter;

    /// A recording that counts round trips, and fails from the given one on.
    #[derive(Debug)]
    struct Counted {
        trips: AtomicUsize,
        sizes: Mutex<Vec<usize>>,
        fails_at: usize,
    }

    impl Machine for Counted {
        fn place(&self) -> &'static str {
            "a test"
        }

        fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
            let trip = self.trips.fetch_add(1, Ordering::SeqCst) + 1;
            self.sizes.lock().unwrap().push(batch.ops().len());
            if trip >= self.fails_at {
                return Err(MachineError::Unreachable { place: "a test".into(), why: "gone".into() });
            }
            Recorded {
                files: [("/a".to_owned(), crate::machine::RecordedFile::Text("x".into()))].into(),
                ..Recorded::default()
            }
            .run(batch)
        }
    }

    fn two_phases(machine: &dyn Machine, _: &Scope) -> Collected {
        let mut collected = Collected::default();
        for phase in ["one", "two"] {
            let mut batch = Batch::new();
            let (a, b) = (batch.read("/b", 9), batch.read("/a", 9));
            let Ok(replies) = machine.run(&batch) else { return collected };
            assert!(replies.get(a).is_err());
            assert_eq!(replies.get(b).unwrap().text(), "x");
            collected.push(Resource::new(Key::of(["env", phase]), "env"));
        }
        collected
    }

    fn one_phase(machine: &dyn Machine, _: &Scope) -> Collected {
        let mut batch = Batch::new();
        batch.system();
        let _seen = machine.run(&batch);
        Collected::default()
    }

    fn panics(_: &dyn Machine, _: &Scope) -> Collected {
        panic!("hunter2")
    }

    fn collector(collect: fn(&dyn Machine, &Scope) -> Collected) -> Collector {
        Collector { name: "environment", version: 1, kinds: &["env"], needs_project: false, collect }
    }

    fn check(fails_at: usize, expected: Option<(usize, usize)>) -> Option<Observation> {
        let machine = Counted { trips: 0.into(), sizes: Mutex::default(), fails_at };
        let scope = Scope {
            project: None,
            variables: Variables::All,
            fingerprinter: Arc::new(Fingerprinter::ephemeral([1; 32])),
        };
        let (two, one, bad) = (collector(two_phases), collector(one_phase), collector(panics));
        let project = Collector { needs_project: true, ..collector(one_phase) };
        let seen = observe(&machine, &scope, &[&two, &one, &bad, &project, &two, &two]);
        let trips = machine.trips.load(Ordering::SeqCst);
        let got = seen.as_ref().map(|seen| (trips, seen.resources.len())).ok();
        assert_eq!(got, expected);
        assert_eq!(machine.sizes.lock().unwrap()[0], 7, "all that is asked at once travels at once");
        seen.ok()
    }

    #[test]
    fn round_trips_are_shared_and_failures_stay_where_they_are() {
        let seen = check(99, Some((2, 6))).unwrap();
        let statuses: Vec<SourceStatus> = seen.sources.iter().map(|s| s.status).collect();
        use SourceStatus::{Complete, Failed, Skipped};
        assert_eq!(statuses, [Complete, Complete, Failed, Skipped, Complete, Complete]);
        assert_eq!(seen.gaps.len(), 1);
        assert!(!format!("{seen:?}").contains("hunter2"));
    }

    #[test]
    fn a_machine_that_fails_later_leaves_gaps() {
        check(1, None);
        let seen = check(2, Some((2, 3))).unwrap();
        assert!(seen.gaps.iter().any(|g| &*g.what == "env/**" && g.kind == GapKind::Unreachable), "{seen:?}");
        assert_eq!(seen.sources[0].status, SourceStatus::Partial);
        assert_eq!(seen.sources[3].status, SourceStatus::Skipped);
    }

    #[test]
    fn every_collector_has_a_region_that_the_ontology_knows() {
        for collector in crate::COLLECTORS {
            for kind in collector.kinds {
                let source = ontology::kind(kind).and_then(ontology::source_of);
                assert_eq!(source.map(|row| row.id), Some(collector.name), "{kind}");
            }
        }
    }
}
