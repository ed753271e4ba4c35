//! The folder `vendor` of `cargo vendor`: one folder for each package, with its manifest and a file of checksums. Cargo's
//! registry under the home is a cache for all projects, no installation, and is not looked at.

use super::{Look, MAX_ENTRIES, MAX_PACKAGES, Tree};
use crate::machine::{Batch, Entry, EntryKind, FileContent, Replies, Ticket};

const FOLDER: &str = "vendor";
/// What is kept of a manifest: the lines that may tell name and version.
const MAX_BYTES: usize = 64 << 10;

/// Begins to look at a folder's tree.
pub(super) fn look(root: &str) -> Box<dyn Look> {
    Box::new(Cargo { root: root.to_owned(), step: Step::Begin, tree: Tree::at(FOLDER) })
}

struct Cargo {
    root: String,
    step: Step,
    tree: Tree,
}

enum Step {
    Begin,
    Folder(Ticket<Vec<Entry>>),
    Known(Vec<String>),
    Packages(Vec<(String, Ticket<FileContent>, Ticket<FileContent>)>),
    Done,
}

impl Look for Cargo {
    fn ask(&mut self, batch: &mut Batch) {
        let at = |name: &str| format!("{}/{FOLDER}/{name}", self.root);
        match &mut self.step {
            Step::Begin => {
                self.step = Step::Folder(batch.list(format!("{}/{FOLDER}", self.root), MAX_ENTRIES));
            }
            Step::Known(names) => {
                let ask = |name: String| {
                    let sums = batch.read(at(&format!("{name}/.cargo-checksum.json")), 1);
                    let manifest = at(&format!("{name}/Cargo.toml"));
                    let manifest = batch.read_lines(manifest, MAX_BYTES, &["[", "name = ", "version = "]);
                    (name, sums, manifest)
                };
                self.step = Step::Packages(std::mem::take(names).into_iter().map(ask).collect());
            }
            Step::Folder(_) | Step::Packages(_) | Step::Done => {}
        }
    }

    fn take(&mut self, replies: &Replies) {
        match std::mem::replace(&mut self.step, Step::Done) {
            Step::Folder(listing) => match replies.get(listing) {
                Ok(entries) => {
                    let folders = entries.iter().filter(|entry| entry.kind == EntryKind::Folder);
                    let names = folders.map(|entry| entry.name.clone()).take(MAX_PACKAGES);
                    self.step = Step::Known(names.collect());
                }
                Err(error) => self.tree.failed(None, FOLDER, &error),
            },
            Step::Packages(asked) => {
                for (name, sums, manifest) in asked {
                    // Folders without it are of something else: another language's packages, or by hand.
                    if replies.get(sums).is_err() {
                        continue;
                    }
                    match replies.get(manifest) {
                        Ok(content) => {
                            let text = content.text();
                            let (name, version) = package(&text);
                            self.tree.add(name, version);
                        }
                        Err(error) => {
                            self.tree.failed(None, &format!("{FOLDER}/{name}/Cargo.toml"), &error);
                        }
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

/// Name and version in the table `[package]`.
fn package(lines: &str) -> (&str, &str) {
    let of_package = lines.lines().skip_while(|line| line.trim() != "[package]").skip(1);
    let of_package = of_package.take_while(|line| !line.starts_with('['));
    let (mut name, mut version) = ("", "");
    for line in of_package {
        let Some((field, value)) = line.split_once(" = ") else { continue };
        let value = value.trim().trim_matches('"');
        match field {
            "name" => name = value,
            "version" => version = value,
            _ => {}
        }
    }
    (name, version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_package() {
        let check = |lines: &str, expected: (&str, &str)| assert_eq!(package(lines), expected, "{lines}");
        check("[package]\nname = \"a\"\nversion = \"1.0.0\"\n[lib]\nname = \"b\"\n", ("a", "1.0.0"));
        check("[lib]\nname = \"b\"\n[package]\nversion = \"1.0.0\"\nname = \"a\"\n", ("a", "1.0.0"));
        check("[lib]\nname = \"b\"\n", ("", ""));
        check("", ("", ""));
    }
}
