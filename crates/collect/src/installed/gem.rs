//! Gems that Bundler installed into the project, `vendor/bundle/ruby/<abi>`: one file
//! `specifications/<name>-<version>[-<platform>].gemspec` for each. Those from git are elsewhere there and are not told.

use super::{Look, MAX_ENTRIES, Tree};
use crate::machine::{Batch, Entry, EntryKind, Replies, Ticket};

const FOLDER: &str = "vendor/bundle";
const RUBIES: &str = "vendor/bundle/ruby";

/// Begins to look at a folder's tree.
pub(super) fn look(root: &str) -> Box<dyn Look> {
    Box::new(Gem { root: root.to_owned(), step: Step::Begin, tree: Tree::at(FOLDER) })
}

struct Gem {
    root: String,
    step: Step,
    tree: Tree,
}

type Listing = Ticket<Vec<Entry>>;

enum Step {
    Begin,
    Rubies(Listing),
    Known(Vec<String>),
    Specifications(Vec<(String, Listing)>),
    Done,
}

impl Look for Gem {
    fn ask(&mut self, batch: &mut Batch) {
        match &mut self.step {
            Step::Begin => {
                self.step = Step::Rubies(batch.list(format!("{}/{RUBIES}", self.root), MAX_ENTRIES));
            }
            Step::Known(folders) => {
                let listing = |folder: String| {
                    let ticket = batch.list(format!("{}/{folder}", self.root), MAX_ENTRIES);
                    (folder, ticket)
                };
                self.step = Step::Specifications(std::mem::take(folders).into_iter().map(listing).collect());
            }
            Step::Rubies(_) | Step::Specifications(_) | Step::Done => {}
        }
    }

    fn take(&mut self, replies: &Replies) {
        match std::mem::replace(&mut self.step, Step::Done) {
            Step::Rubies(listing) => match replies.get(listing) {
                Ok(entries) => {
                    let rubies = entries.iter().filter(|entry| entry.kind == EntryKind::Folder);
                    let folders = rubies.map(|ruby| format!("{RUBIES}/{}/specifications", ruby.name));
                    self.step = Step::Known(folders.collect());
                }
                Err(error) => self.tree.failed(None, RUBIES, &error),
            },
            Step::Specifications(asked) => {
                for (folder, listing) in asked {
                    match replies.get(listing) {
                        Ok(entries) => self.specifications(entries),
                        Err(error) => self.tree.failed(None, &folder, &error),
                    }
                }
            }
            Step::Begin | Step::Known(_) | Step::Done => {}
        }
    }

    fn found(self: Box<Self>) -> Option<Tree> {
        self.tree.told()
    }
}

impl Gem {
    fn specifications(&mut self, entries: &[Entry]) {
        for told in entries.iter().filter_map(|entry| entry.name.strip_suffix(".gemspec")) {
            if let Some((name, version)) = name_and_version(told) {
                self.tree.add(name, version);
            }
        }
    }
}

/// `nokogiri-1.15.4-x86_64-linux`: the version is the first part that begins with a digit and has a dot.
fn name_and_version(told: &str) -> Option<(&str, &str)> {
    let at = told.match_indices('-').map(|(at, _)| at).find(|at| {
        let part = told.get(at + 1..).and_then(|rest| rest.split('-').next()).unwrap_or_default();
        part.starts_with(|c: char| c.is_ascii_digit())
            && (part.contains('.') || part.bytes().all(|b| b.is_ascii_digit()))
    })?;
    let (name, rest) = told.split_at_checked(at)?;
    Some((name, rest.get(1..)?.split('-').next()?)).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_specifications() {
        let check = |told: &str, expected: Option<(&str, &str)>| {
            assert_eq!(name_and_version(told), expected, "{told}");
        };
        check("rake-13.0.6", Some(("rake", "13.0.6")));
        check("nokogiri-1.15.4-x86_64-linux", Some(("nokogiri", "1.15.4")));
        check("mini-racer-0.8.0.pre1", Some(("mini-racer", "0.8.0.pre1")));
        check("a-2b-1.0", Some(("a-2b", "1.0")));
        check("tzinfo-data-1", Some(("tzinfo-data", "1")));
        check("rake", None);
        check("-1.0", None);
        check("", None);
    }
}
