//! Runs collectors against a machine, all of them in the same round trips. Does not judge what they saw.

use std::io;
use std::thread::{self, ScopedJoinHandle};

use parallax_model::{Gap, GapKind, Resource, SourceReport, ontology};

use crate::machine::{Combined, Machine, MachineError, Seat};
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
    // Every seat is taken before the first collector starts, so that none is waited for in vain: one whose
    // collector does not start is left at once.
    let seats: Vec<Seat<'_>> =
        collectors.iter().filter(|c| apply(c)).enumerate().map(|(number, _)| combined.seat(number)).collect();
    let collected = thread::scope(|threads| {
        let mut seats = seats.into_iter();
        let started: Vec<_> = collectors
            .iter()
            .map(|collector| {
                let seat = if apply(collector) { seats.next() } else { None };
                let collect = |seat| move || (collector.collect)(&seat, scope);
                seat.map(|seat| thread::Builder::new().spawn_scoped(threads, collect(seat)))
            })
            .collect();
        let ended = |(started, collector): (Option<io::Result<ScopedJoinHandle<'_, _>>>, &&Collector)| {
            started.map(|thread| match thread {
                Ok(thread) => thread.join().unwrap_or_else(|_| broken()),
                Err(error) => not_started(collector, &error),
            })
        };
        started.into_iter().zip(collectors).map(ended).collect::<Vec<_>>()
    });
    let failure = match combined.failure() {
        Some((1, error)) => return Err(error),
        Some((_, error)) => Some(error),
        None => None,
    };
    let mut seen = Observation::default();
    let mut seats = 0..;
    for (collector, collected) in collectors.iter().zip(collected) {
        let collected = collected.unwrap_or_else(|| Collected {
            skipped: Some("no project folder".to_owned()),
            ..Collected::default()
        });
        let seat = if apply(collector) { seats.next() } else { None };
        let failure = failure.as_ref().filter(|_| seat.is_some_and(|seat| combined.was_refused(seat)));
        take(&mut seen, machine.place(), collector, collected, failure);
    }
    Ok(seen)
}

/// What stands for a collector that no thread could be had for.
fn not_started(collector: &Collector, error: &io::Error) -> Collected {
    let mut collected = Collected::default();
    for region in regions(collector) {
        collected.gap(*region, GapKind::Failed, format!("the collector could not be started: {error}"));
    }
    collected
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
    // A collector that met the failure says itself what it could not see; what it saw stays in sight.
    let told = |error: &MachineError| {
        let error = error.to_string();
        collected.skipped.is_some() || collected.gaps.iter().any(|gap| gap.why.contains(&error))
    };
    if let Some(error) = failure.filter(|error| !told(error)) {
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

    /// Says by itself what it could not see.
    fn exact(machine: &dyn Machine, scope: &Scope) -> Collected {
        let mut collected = two_phases(machine, scope);
        let mut batch = Batch::new();
        batch.system();
        if let Err(error) = machine.run(&batch) {
            collected.gap("env/two", error.gap_kind(), error.to_string());
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
        assert_eq!(seen.sources[1].status, SourceStatus::Complete, "it had all that it asked for");
    }

    #[test]
    fn what_was_seen_before_a_failure_stays_in_sight() {
        let machine = Counted { trips: 0.into(), sizes: Mutex::default(), fails_at: 2 };
        let scope = Scope {
            project: None,
            variables: Variables::All,
            fingerprinter: Arc::new(Fingerprinter::ephemeral([1; 32])),
        };
        let seen = observe(&machine, &scope, &[&collector(exact), &collector(one_phase)]).unwrap();
        let gaps: Vec<&str> = seen.gaps.iter().map(|gap| &*gap.what).collect();
        assert_eq!((gaps, seen.resources.len()), (vec!["env/two"], 1));
    }

    #[test]
    fn a_collector_that_does_not_start_leaves_gaps() {
        let collected = not_started(crate::COLLECTORS[2], &io::Error::other("no threads"));
        assert_eq!(&*collected.gaps[0].what, "env/**");
        assert_eq!(collected.status(), SourceStatus::Failed);
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
