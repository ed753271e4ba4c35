//! The index of a file system: every path and what is there. Holds no content.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::spool::Content;

/// Links are followed so often; a loop ends here.
const MOST_LINKS: usize = 40;
/// A path has at most so many segments.
const MOST_SEGMENTS: usize = 512;

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// What it is.
    pub(crate) kind: NodeKind,
    /// Its permissions.
    pub(crate) mode: u32,
    /// When it was written.
    pub(crate) mtime: i64,
    /// Which layer it is from.
    pub(crate) layer: usize,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NodeKind {
    Folder,
    File(Content),
    Link(Box<str>),
    /// A device or a pipe.
    Other,
}

impl Node {
    pub(super) fn folder(layer: usize) -> Self {
        Self { kind: NodeKind::Folder, mode: 0o755, mtime: 0, layer }
    }
}

/// Why a path leads to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// There is nothing.
    NotThere,
    /// Its links go round in a circle.
    Loop,
}

/// A file system's paths: absolute, without `.`, `..` and a slash at the end. The root is the empty text.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: BTreeMap<Box<str>, Node>,
    bytes: usize,
}

impl Tree {
    /// How many paths there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How many bytes their names have.
    pub(super) const fn bytes_of_names(&self) -> usize {
        self.bytes
    }

    /// What is at a path as it stands, links not followed.
    pub(crate) fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Whether it is a folder; the root always is.
    pub(crate) fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || self.get(path).is_some_and(|node| node.kind == NodeKind::Folder)
    }

    /// Puts a node at a path, in place of what is there. A folder over a folder keeps what is in it.
    pub(super) fn put(&mut self, path: &str, node: Node) {
        if path.is_empty() {
            return;
        }
        self.imply_folders(path, node.layer);
        if !(node.kind == NodeKind::Folder && self.is_folder(path)) {
            self.remove_below(path, usize::MAX);
        }
        if self.nodes.insert(path.into(), node).is_none() {
            self.bytes += path.len();
        }
    }

    /// Folders that an archive does not name are there nevertheless; what is no folder gives way.
    fn imply_folders(&mut self, path: &str, layer: usize) {
        let mut at = parent(path);
        while !at.is_empty() && !self.is_folder(at) {
            if self.nodes.insert(at.into(), Node::folder(layer)).is_none() {
                self.bytes += at.len();
            }
            at = parent(at);
        }
    }

    /// Removes what lower layers than the given one have at a path and below it.
    pub(super) fn remove(&mut self, path: &str, below_layer: usize) {
        self.remove_below(path, below_layer);
        let stays = self.has_children(path);
        if !stays && self.get(path).is_some_and(|node| node.layer < below_layer) {
            self.nodes.remove(path);
            self.bytes -= path.len();
        }
    }

    /// Removes what lower layers have below a path; the path itself stays.
    pub(super) fn remove_below(&mut self, path: &str, below_layer: usize) {
        let doomed: Vec<Box<str>> = self
            .below(path)
            .filter(|(_, node)| node.layer < below_layer)
            .map(|(path, _)| path.clone())
            .collect();
        // From the deepest on: a folder stays where a newer layer put something into it.
        for path in doomed.iter().rev() {
            if !self.has_children(path) && self.nodes.remove(path).is_some() {
                self.bytes -= path.len();
            }
        }
    }

    fn has_children(&self, path: &str) -> bool {
        self.below(path).next().is_some()
    }

    /// Everything below a path, sorted by path.
    pub(crate) fn below(&self, path: &str) -> impl DoubleEndedIterator<Item = (&Box<str>, &Node)> {
        // `0` is the character after `/`.
        let range = (Bound::Included(format!("{path}/")), Bound::Excluded(format!("{path}0")));
        self.nodes
            .range::<str, _>((range.0.as_ref().map(String::as_str), range.1.as_ref().map(String::as_str)))
    }

    /// The names in a folder and what is there, sorted by name.
    pub(crate) fn children<'t>(&'t self, path: &'t str) -> impl Iterator<Item = (&'t str, &'t Node)> {
        let mut from = Bound::Included(format!("{path}/"));
        let end = format!("{path}0");
        std::iter::from_fn(move || {
            let start = from.as_ref().map(String::as_str);
            let (found, node) = self.nodes.range::<str, _>((start, Bound::Excluded(end.as_str()))).next()?;
            // What is below it is jumped over. Between it and what is below it there may be others (`a`, `a-b`,
            // `a/c`), so that the next path may be below one that was given before.
            let name = found.strip_prefix(path)?.strip_prefix('/')?;
            from = match name.split_once('/') {
                None => Bound::Excluded(found.to_string()),
                Some((first, _)) => Bound::Included(format!("{path}/{first}0")),
            };
            Some((name, node))
        })
        .filter(|(name, _)| !name.contains('/'))
    }

    /// The path behind all links, within the root: `..` never leaves it.
    pub(crate) fn resolve(&self, path: &str) -> Result<String, Lost> {
        let resolved = self.follow(path)?;
        if resolved.is_empty() || self.nodes.contains_key(resolved.as_str()) {
            Ok(resolved)
        } else {
            Err(Lost::NotThere)
        }
    }

    /// The path that a name stands for when its folders' links are followed, but not its own: where something is
    /// put. What is not there yet is taken as it is written.
    pub(super) fn place(&self, path: &str) -> Result<String, Lost> {
        let path = tidy(path);
        let Some((folder, name)) = path.rsplit_once('/') else { return Ok(String::new()) };
        let folder = self.follow(folder)?;
        Ok(format!("{folder}/{name}"))
    }

    fn follow(&self, path: &str) -> Result<String, Lost> {
        let mut done = String::new();
        let mut left: Vec<String> = segments(path);
        let mut links = 0;
        while let Some(segment) = left.pop() {
            if segment == ".." {
                let up = parent(&done).len();
                done.truncate(up);
                continue;
            }
            let here = format!("{done}/{segment}");
            let Some(Node { kind: NodeKind::Link(target), .. }) = self.get(&here) else {
                done = here;
                continue;
            };
            links += 1;
            if links > MOST_LINKS || left.len() > MOST_SEGMENTS {
                return Err(Lost::Loop);
            }
            if target.starts_with('/') {
                done.clear();
            }
            left.extend(segments(target));
        }
        Ok(done)
    }
}

/// The segments of a path, the last first.
fn segments(path: &str) -> Vec<String> {
    path.split('/').rev().filter(|s| !s.is_empty() && *s != ".").map(str::to_owned).collect()
}

/// A path as this index has it: absolute, `..` taken back as far as the root.
pub(super) fn tidy(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                out.pop();
            }
            name => out.push(name),
        }
    }
    if out.is_empty() { String::new() } else { format!("/{}", out.join("/")) }
}

/// Whether a path is too deep to be meant.
pub(super) fn is_too_deep(path: &str) -> bool {
    path.split('/').count() > MOST_SEGMENTS
}

/// The folder of a path.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, what) in entries {
            let kind = match *what {
                "/" => NodeKind::Folder,
                "" => NodeKind::Other,
                target => NodeKind::Link(target.into()),
            };
            tree.put(path, Node { kind, mode: 0, mtime: 0, layer: 1 });
        }
        tree
    }

    #[test]
    fn links_stay_within_the_root() {
        let tree = tree(&[
            ("/usr/bin/tool", ""),
            ("/bin", "usr/bin"),
            ("/up", "../../../../usr"),
            ("/a/b/back", "../../usr/bin"),
            ("/loop", "pool"),
            ("/pool", "/loop"),
            ("/self", "self/x"),
            ("/abs", "/up/./bin/../bin"),
            ("/root", "/."),
        ]);
        let check = |path: &str, expected: Result<&str, Lost>| {
            assert_eq!(tree.resolve(path), expected.map(str::to_owned), "{path}");
        };
        check("/bin/tool", Ok("/usr/bin/tool"));
        check("/up/bin/tool", Ok("/usr/bin/tool"));
        check("/a/b/back/tool", Ok("/usr/bin/tool"));
        check("/abs/tool", Ok("/usr/bin/tool"));
        check("/root/root/bin", Ok("/usr/bin"));
        check("/../../bin/../bin", Ok("/usr/bin"));
        check("/loop", Err(Lost::Loop));
        check("/self", Err(Lost::Loop));
        check("/nothing", Err(Lost::NotThere));
        check("", Ok(""));
        assert_eq!(tree.place("bin/new"), Ok("/usr/bin/new".to_owned()));
        assert_eq!(tree.place("/bin"), Ok("/bin".to_owned()));
        assert_eq!(tree.place("../.."), Ok(String::new()));
        assert_eq!(tree.place("loop/x"), Err(Lost::Loop));
    }

    #[test]
    fn children_are_each_told_once() {
        let tree =
            tree(&[("/a/c", ""), ("/a/c-d", ""), ("/a-b", ""), ("/a/e/f/g", ""), ("/a.x", ""), ("/a0", "")]);
        let names = |path: &str| tree.children(path).map(|(n, _)| n).collect::<Vec<_>>().join(" ");
        assert_eq!(names(""), "a a-b a.x a0");
        assert_eq!(names("/a"), "c c-d e");
        assert_eq!(names("/a/e"), "f");
        assert_eq!(names("/nothing"), "");
        assert_eq!(tree.below("/a").count(), 5);
    }

    #[test]
    fn what_takes_the_place_of_another() {
        let mut tree = tree(&[("/d/x", ""), ("/d/y", "")]);
        tree.put("/d", Node { layer: 2, ..Node::folder(2) });
        assert_eq!(tree.len(), 3, "a folder over a folder keeps what is in it");
        tree.put("/d/x/z", Node::folder(2));
        assert!(tree.is_folder("/d/x"), "a file gives way to what is put below it");
        tree.remove("/d", 2);
        let left: Vec<&str> = tree.below("").map(|(path, _)| &**path).collect();
        assert_eq!(left, ["/d", "/d/x", "/d/x/z"], "only what lower layers have is removed");
        tree.put("/d", Node { kind: NodeKind::Other, ..Node::folder(3) });
        assert_eq!((tree.len(), tree.bytes_of_names()), (1, 2));
        tree.remove("/d", 9);
        assert_eq!((tree.len(), tree.bytes_of_names()), (0, 0));
    }
}
