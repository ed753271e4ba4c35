//! Several collectors on one machine, their batches merged: a round trip begins when every collector that is
//! still at work has asked, or has finished. Knows nothing of what is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Batch, Machine, MachineError, Replies};

type Answer = Result<Replies, MachineError>;

/// A machine shared by a fixed number of seats.
#[derive(Debug)]
pub(crate) struct Combined<'a> {
    machine: &'a dyn Machine,
    table: Mutex<Table>,
    changed: Condvar,
}

#[derive(Debug)]
struct Table {
    /// Seats whose holders are still at work.
    at_work: usize,
    asked: BTreeMap<usize, Batch>,
    answered: BTreeMap<usize, Answer>,
    round_trips: usize,
    /// The seats that asked something of the machine that it did not answer.
    refused: BTreeSet<usize>,
    /// What ended the machine. Everything that is asked later gets the same.
    failed: Option<(usize, MachineError)>,
}

/// One collector's place at a shared machine; leaving it (also by a panic) lets the others go on.
#[derive(Debug)]
pub(crate) struct Seat<'a> {
    combined: &'a Combined<'a>,
    number: usize,
}

impl<'a> Combined<'a> {
    pub(crate) fn new(machine: &'a dyn Machine, seats: usize) -> Self {
        let table = Table {
            at_work: seats,
            asked: BTreeMap::new(),
            answered: BTreeMap::new(),
            round_trips: 0,
            refused: BTreeSet::new(),
            failed: None,
        };
        Self { machine, table: Mutex::new(table), changed: Condvar::new() }
    }

    /// The seat of that number; each is to be taken once.
    pub(crate) fn seat(&'a self, number: usize) -> Seat<'a> {
        Seat { combined: self, number }
    }

    /// The round trip (counted from 1) in which the machine failed, and how.
    pub(crate) fn failure(&self) -> Option<(usize, MachineError)> {
        self.table().failed.clone()
    }

    /// Whether a seat asked for something that the machine, having failed, did not answer.
    pub(crate) fn was_refused(&self, seat: usize) -> bool {
        self.table().refused.contains(&seat)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out what was asked, if nobody is still to ask.
    fn go_if_all_asked<'t>(&'t self, mut table: MutexGuard<'t, Table>) -> MutexGuard<'t, Table> {
        if table.asked.is_empty() || table.asked.len() < table.at_work {
            return table;
        }
        let asked = std::mem::take(&mut table.asked);
        table.round_trips += 1;
        drop(table);
        let answer = self.round_trip(&asked);
        let mut table = self.table();
        match answer {
            Ok(mut replies) => {
                for (number, batch) in asked {
                    let later = replies.split_off(batch.ops().len());
                    table.answered.insert(number, Ok(std::mem::replace(&mut replies, later)));
                }
            }
            Err(error) => {
                table.refused.extend(asked.keys());
                let answers = asked.into_keys().map(|number| (number, Err(error.clone())));
                table.answered.extend(answers);
                table.failed = Some((table.round_trips, error));
            }
        }
        self.changed.notify_all();
        table
    }

    fn round_trip(&self, asked: &BTreeMap<usize, Batch>) -> Answer {
        let mut whole = Batch::new();
        for batch in asked.values() {
            whole.append(batch);
        }
        // A panic here would leave the other seats waiting for ever.
        catch_unwind(AssertUnwindSafe(|| self.machine.run(&whole))).unwrap_or_else(|_| {
            let place = self.machine.place().to_owned();
            Err(MachineError::Garbled { place, why: "an internal error; please report it".to_owned() })
        })
    }
}

impl Machine for Seat<'_> {
    fn place(&self) -> &str {
        self.combined.machine.place()
    }

    fn run(&self, batch: &Batch) -> Answer {
        if batch.is_empty() {
            return Ok(Replies::default());
        }
        let mut table = self.combined.table();
        if let Some((_, error)) = table.failed.clone() {
            table.refused.insert(self.number);
            return Err(error);
        }
        table.asked.insert(self.number, batch.clone());
        table = self.combined.go_if_all_asked(table);
        loop {
            if let Some(answer) = table.answered.remove(&self.number) {
                return answer;
            }
            table = self.combined.changed.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut table = self.combined.table();
        table.at_work = table.at_work.saturating_sub(1);
        drop(self.combined.go_if_all_asked(table));
    }
}
