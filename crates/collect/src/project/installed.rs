//! Looks for the trees of installed packages beside a project's lockfiles, all in the same round trips. What a tree is, is
//! in [`crate::installed`].

use std::collections::BTreeMap;

use super::join;
use crate::installed::{Look, MAX_ROUNDS, Tree, row};
use crate::lockfile::Format;
use crate::machine::{Batch, Machine, Replies};

/// The looks at all trees of a project.
#[derive(Default)]
pub(super) struct Looks<'p>(Vec<One<'p>>);

struct One<'p> {
    /// The lockfile that speaks for its folder.
    path: &'p str,
    ecosystem: &'static str,
    look: Box<dyn Look>,
}

/// What became of a look: the lockfile, its ecosystem, and the tree or why there was no looking.
type Found<'p> = (&'p str, &'static str, Result<Tree, String>);

impl<'p> Looks<'p> {
    /// One look for each folder and ecosystem that has a lockfile whose packages are read. Of several, the shortest name
    /// speaks for the tree: `requirements.txt` and not `requirements-dev.txt`.
    pub(super) fn beside(root: &str, locks: impl Iterator<Item = (&'p str, &'static Format)>) -> Self {
        let mut places: BTreeMap<(&str, &'static str), &'p str> = BTreeMap::new();
        for (path, format) in locks.filter(|(_, format)| format.read.is_some()) {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let best = places.entry((folder, format.ecosystem)).or_insert(path);
            if (path.len(), path) < (best.len(), *best) {
                *best = path;
            }
        }
        let begin = |((folder, ecosystem), path): ((&str, &'static str), &'p str)| {
            let root = if folder.is_empty() { root.to_owned() } else { join(root, folder) };
            Some(One { path, ecosystem, look: (row(ecosystem)?.look)(root.trim_end_matches('/')) })
        };
        Self(places.into_iter().filter_map(begin).collect())
    }

    /// Asks for what they need next.
    pub(super) fn ask(&mut self, batch: &mut Batch) {
        self.0.iter_mut().for_each(|one| one.look.ask(batch));
    }

    /// Takes the answers.
    pub(super) fn take(&mut self, replies: &Replies) {
        self.0.iter_mut().for_each(|one| one.look.take(replies));
    }

    /// Makes the round trips that are left, and gives the trees.
    pub(super) fn finish(mut self, machine: &dyn Machine) -> Vec<Found<'p>> {
        let mut failed = None;
        for round in 0..=MAX_ROUNDS {
            let mut batch = Batch::new();
            self.ask(&mut batch);
            if batch.is_empty() {
                break;
            }
            if round == MAX_ROUNDS {
                failed = Some(format!("folders within folders go on for more than {MAX_ROUNDS} round trips"));
                break;
            }
            match machine.run(&batch) {
                Ok(replies) => self.take(&replies),
                Err(error) => {
                    failed = Some(error.to_string());
                    break;
                }
            }
        }
        let told = |One { path, ecosystem, look }: One<'p>| {
            let tree = match (&failed, look.found()) {
                (_, None) => return None,
                (Some(why), Some(_)) => Err(why.clone()),
                (None, Some(tree)) => Ok(tree),
            };
            Some((path, ecosystem, tree))
        };
        self.0.into_iter().filter_map(told).collect()
    }
}
