//! Carries out the probes of a batch side by side, each in bounded time: one that hangs (a file of a server that is
//! gone) is given up, and its thread left behind. Knows nothing of what a probe does.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::super::{Op, ProbeError, Reply};

/// At most so many slow probes of one batch are carried out at the same time.
const CONCURRENT: usize = 12;

/// So many threads may be left behind; then what has not begun is given up, too.
const MAX_LEFT_BEHIND: usize = 6;

/// How often it is looked whether a probe is late.
const GLANCE: Duration = Duration::from_millis(100);

/// How long probes may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Reading a file, listing a folder and the like.
    pub(super) quick: Duration,
    /// Hashing a file, searching folders.
    pub(super) slow: Duration,
    /// What a command may take besides its own time, as starting it reads its program.
    pub(super) start: Duration,
}

pub(super) const LIMITS: Limits =
    Limits { quick: Duration::from_secs(10), slow: Duration::from_secs(60), start: Duration::from_secs(5) };

type Answer = Result<Reply, ProbeError>;

/// The probes, and what is known of each.
struct Crew<F> {
    ops: Vec<Op>,
    answer: F,
    table: Mutex<Table>,
    done: Condvar,
}

struct Table {
    quick: VecDeque<usize>,
    slow: VecDeque<usize>,
    states: Vec<State>,
    unsettled: usize,
}

enum State {
    Waiting,
    Begun(Instant),
    Settled(Answer),
}

/// What a thread works on.
#[derive(Clone, Copy)]
enum Lane {
    /// The quick probes one after the other, then the slow ones.
    Quick,
    Slow,
}

/// The answers, in the order of the probes.
pub(super) fn carry_out<F>(ops: &[Op], limits: Limits, answer: F) -> Vec<Answer>
where
    F: Fn(&Op) -> Answer + Send + Sync + 'static,
{
    let (slow, quick): (VecDeque<usize>, VecDeque<usize>) =
        (0..ops.len()).partition(|index| ops.get(*index).is_some_and(is_slow));
    let threads = slow.len().min(CONCURRENT);
    let states = ops.iter().map(|_| State::Waiting).collect();
    let table = Table { quick, slow, states, unsettled: ops.len() };
    let crew = Arc::new(Crew { ops: ops.to_vec(), answer, table: Mutex::new(table), done: Condvar::new() });
    if !start(&crew, Lane::Quick) {
        // No thread is to be had: here, then, without a limit.
        crew.work(Lane::Quick);
    }
    for _ in 0..threads {
        if !start(&crew, Lane::Slow) {
            break;
        }
    }
    crew.supervise(limits)
}

fn is_slow(op: &Op) -> bool {
    matches!(op, Op::Run(_) | Op::Sha256 { .. } | Op::Find(_))
}

fn limit(op: &Op, limits: Limits) -> Duration {
    match op {
        Op::Run(run) => run.timeout.min(Duration::from_secs(86_400)) + limits.start,
        Op::Sha256 { .. } | Op::Find(_) => limits.slow,
        Op::System | Op::Read { .. } | Op::List { .. } | Op::Which { .. } | Op::Environment(_) => {
            limits.quick
        }
    }
}

/// Whether a thread could be started.
fn start<F>(crew: &Arc<Crew<F>>, lane: Lane) -> bool
where
    F: Fn(&Op) -> Answer + Send + Sync + 'static,
{
    let crew = Arc::clone(crew);
    thread::Builder::new().spawn(move || crew.work(lane)).is_ok()
}

impl<F: Fn(&Op) -> Answer> Crew<F> {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes probe after probe, until there are no more, or this thread was given up.
    fn work(&self, lane: Lane) {
        // The table is let go of before the probe is carried out.
        let next = || self.table().begin(lane);
        while let Some(index) = next() {
            let Some(op) = self.ops.get(index) else { return };
            // What a panic said may hold what was read.
            let answer = catch_unwind(AssertUnwindSafe(|| (self.answer)(op))).unwrap_or_else(|_| {
                Err(ProbeError::Failed("an internal error; please report it".to_owned()))
            });
            let mut table = self.table();
            if !table.settle(index, answer) {
                return;
            }
            if table.unsettled == 0 {
                self.done.notify_all();
            }
        }
    }
}

impl<F: Fn(&Op) -> Answer + Send + Sync + 'static> Crew<F> {
    /// Waits for all answers, and gives up on what is late.
    fn supervise(self: &Arc<Self>, limits: Limits) -> Vec<Answer> {
        let mut left_behind = 0;
        let mut table = self.table();
        while table.unsettled > 0 {
            table = self.done.wait_timeout(table, GLANCE).unwrap_or_else(PoisonError::into_inner).0;
            for (index, op) in self.ops.iter().enumerate() {
                let limit = limit(op, limits);
                if !matches!(table.states.get(index), Some(State::Begun(at)) if at.elapsed() >= limit) {
                    continue;
                }
                table.settle(index, Err(ProbeError::TimedOut(limit)));
                left_behind += 1;
                let lane = if is_slow(op) { Lane::Slow } else { Lane::Quick };
                if left_behind > MAX_LEFT_BEHIND || !start(self, lane) {
                    table.give_up(&self.ops, limits);
                }
            }
        }
        let settled = |state| match state {
            State::Settled(answer) => answer,
            State::Waiting | State::Begun(_) => Err(ProbeError::Failed("there was no reply".to_owned())),
        };
        std::mem::take(&mut table.states).into_iter().map(settled).collect()
    }
}

impl Table {
    /// The next probe of a lane.
    fn begin(&mut self, lane: Lane) -> Option<usize> {
        let index = match lane {
            Lane::Quick => self.quick.pop_front().or_else(|| self.slow.pop_front()),
            Lane::Slow => self.slow.pop_front(),
        }?;
        *self.states.get_mut(index)? = State::Begun(Instant::now());
        Some(index)
    }

    /// Whether the answer was still waited for.
    fn settle(&mut self, index: usize, answer: Answer) -> bool {
        match self.states.get_mut(index) {
            Some(state @ (State::Waiting | State::Begun(_))) => {
                *state = State::Settled(answer);
                self.unsettled = self.unsettled.saturating_sub(1);
                true
            }
            Some(State::Settled(_)) | None => false,
        }
    }

    /// Gives up on all that has not begun.
    fn give_up(&mut self, ops: &[Op], limits: Limits) {
        let waiting: Vec<usize> = self.quick.drain(..).chain(self.slow.drain(..)).collect();
        for index in waiting {
            let limit = ops.get(index).map_or(limits.quick, |op| limit(op, limits));
            self.settle(index, Err(ProbeError::TimedOut(limit)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;
    use crate::machine::Batch;

    const SHORT: Limits = Limits {
        quick: Duration::from_millis(750),
        slow: Duration::from_millis(1500),
        start: Duration::from_millis(500),
    };

    /// Carries out probes of which those whose path begins with `hang` never end, and those with `panic` do.
    fn check(paths: &[&str], expected: &[Answer]) {
        let mut batch = Batch::new();
        for path in paths {
            match path.strip_prefix("sha:") {
                Some(path) => drop(batch.sha256(path)),
                None => drop(batch.read(*path, 9)),
            };
        }
        let (sender, never) = channel::<()>();
        let never: Mutex<Receiver<()>> = Mutex::new(never);
        let got = carry_out(batch.ops(), SHORT, move |op| {
            let (Op::Read { path, .. } | Op::Sha256 { path }) = op else { panic!("was not asked") };
            if path.starts_with("hang") {
                let held = never.lock();
                drop(held.map(|never| never.recv()));
            }
            assert!(!path.starts_with("panic"), "hunter2");
            Ok(Reply::Digest(path.clone()))
        });
        assert_eq!(got, expected);
        // Lets the threads that were left behind go.
        drop(sender);
    }

    #[test]
    fn a_probe_that_hangs_costs_itself_only() {
        let said = |path: &str| Ok(Reply::Digest(path.to_owned()));
        let late = Err(ProbeError::TimedOut(SHORT.quick));
        check(&[], &[]);
        check(&["a", "sha:b", "c"], &[said("a"), said("b"), said("c")]);
        check(
            &["a", "hang", "c", "sha:hang", "sha:d"],
            &[said("a"), late, said("c"), Err(ProbeError::TimedOut(SHORT.slow)), said("d")],
        );
        let broken = Err(ProbeError::Failed("an internal error; please report it".to_owned()));
        check(&["panic", "b"], &[broken, said("b")]);
    }

    #[test]
    fn where_all_hangs_the_rest_is_given_up() {
        let late = Err(ProbeError::TimedOut(SHORT.quick));
        check(&["hang"; 40], &vec![late; 40]);
    }
}
