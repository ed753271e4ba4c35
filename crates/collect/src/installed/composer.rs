//! Composer's `vendor` folder, by its `composer/installed.json`: packages have no file of their own that tells a version.

use parallax_model::GapKind;
use serde::Deserialize;

use super::{Look, Tree};
use crate::lockfile::json::Text;
use crate::machine::{Batch, FileContent, Replies, Ticket};

const INSTALLED: &str = "vendor/composer/installed.json";
const MAX_BYTES: usize = 64 << 20;

/// Begins to look at a folder's tree.
pub(super) fn look(root: &str) -> Box<dyn Look> {
    Box::new(Composer { root: root.to_owned(), asked: None, tree: Tree::at("vendor"), begun: false })
}

struct Composer {
    root: String,
    begun: bool,
    asked: Option<Ticket<FileContent>>,
    tree: Tree,
}

/// Composer 2 writes an object, Composer 1 the list alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Installed<'a> {
    Within {
        #[serde(borrow)]
        packages: Vec<Package<'a>>,
    },
    List(#[serde(borrow)] Vec<Package<'a>>),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Package<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    source: Option<Place<'a>>,
    #[serde(borrow)]
    dist: Option<Place<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Place<'a> {
    #[serde(borrow)]
    reference: Text<'a>,
}

impl Package<'_> {
    /// As the lockfile is read: a branch's commit in the place of its name.
    fn version(&self) -> &str {
        let version = self.version.said().unwrap_or_default();
        let branch = version.starts_with("dev-") || version.ends_with("-dev");
        let commit =
            || [&self.source, &self.dist].into_iter().flatten().find_map(|place| place.reference.said());
        if branch { commit().unwrap_or(version) } else { version }
    }
}

impl Look for Composer {
    fn ask(&mut self, batch: &mut Batch) {
        if !self.begun {
            self.begun = true;
            self.asked = Some(batch.read(format!("{}/{INSTALLED}", self.root), MAX_BYTES));
        }
    }

    fn take(&mut self, replies: &Replies) {
        let Some(asked) = self.asked.take() else { return };
        match replies.get(asked) {
            Ok(content) if content.truncated => {
                self.tree.miss(
                    None,
                    GapKind::TooLarge,
                    &format!("{INSTALLED}: larger than {MAX_BYTES} bytes"),
                );
            }
            Ok(content) => match serde_json::from_slice::<Installed<'_>>(&content.bytes) {
                Ok(Installed::Within { packages } | Installed::List(packages)) => {
                    for package in &packages {
                        let name = package.name.said().unwrap_or_default().to_ascii_lowercase();
                        self.tree.add(&name, package.version());
                    }
                }
                Err(_) => {
                    self.tree.miss(None, GapKind::NotParsed, &format!("{INSTALLED}: not Composer's list"));
                }
            },
            Err(error) => self.tree.failed(None, INSTALLED, &error),
        }
    }

    fn found(self: Box<Self>) -> Option<Tree> {
        self.tree.told()
    }
}
