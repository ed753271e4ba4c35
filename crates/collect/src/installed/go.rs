//! Go's `vendor` folder, by its `modules.txt`, which is what the compiler goes by. From Go 1.17 on it has every module that
//! `go.mod` names; older ones, which do not say so of each, are not looked at.
//! <https://go.dev/ref/mod#vendoring>

use parallax_model::GapKind;

use super::{Look, Tree};
use crate::machine::{Batch, FileContent, Replies, Ticket};

const MODULES: &str = "vendor/modules.txt";
const MAX_BYTES: usize = 16 << 20;

/// Begins to look at a folder's tree.
pub(super) fn look(root: &str) -> Box<dyn Look> {
    Box::new(Go { root: root.to_owned(), asked: None, tree: Tree::at("vendor"), begun: false })
}

struct Go {
    root: String,
    begun: bool,
    asked: Option<Ticket<FileContent>>,
    tree: Tree,
}

impl Look for Go {
    fn ask(&mut self, batch: &mut Batch) {
        if !self.begun {
            self.begun = true;
            let file = format!("{}/{MODULES}", self.root);
            self.asked = Some(batch.read_lines(file, MAX_BYTES, &["# ", "## "]));
        }
    }

    fn take(&mut self, replies: &Replies) {
        let Some(asked) = self.asked.take() else { return };
        match replies.get(asked) {
            Ok(content) if content.truncated => {
                self.tree.miss(None, GapKind::TooLarge, &format!("{MODULES}: larger than {MAX_BYTES} bytes"));
            }
            Ok(content) => {
                let text = content.text();
                if text.contains("\n## explicit; go 1.") || text.contains("\n## explicit; go 2") {
                    text.lines().filter_map(module).for_each(|(name, version)| self.tree.add(name, version));
                }
            }
            Err(error) => self.tree.failed(None, MODULES, &error),
        }
    }

    fn found(self: Box<Self>) -> Option<Tree> {
        self.tree.told()
    }
}

/// `# module v1.0.0`, `# module v1.0.0 => other v1.1.0`; nothing of one that a folder replaces.
fn module(line: &str) -> Option<(&str, &str)> {
    let words: Vec<&str> = line.strip_prefix("# ")?.split_whitespace().collect();
    match words.as_slice() {
        [module, version] | [module, _, "=>", _, version] => Some((module, version)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_modules() {
        let check = |line: &str, expected: Option<(&str, &str)>| assert_eq!(module(line), expected, "{line}");
        check("# a.example/a v1.0.0", Some(("a.example/a", "v1.0.0")));
        check("# a.example/a v1.0.0 => b.example/b v1.1.0", Some(("a.example/a", "v1.1.0")));
        check("# a.example/a v1.0.0 => ../a", None);
        check("# a.example/a => ../a", None);
        check("## explicit; go 1.17", None);
        check("a.example/a/inner", None);
    }
}
