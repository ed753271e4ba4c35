//! Puts layers on top of each other, as engines do: later entries win, `.wh.x` takes `x` of lower layers away, and
//! `.wh..wh..opq` all that they have in a folder.
//! <https://github.com/opencontainers/image-spec/blob/main/layer.md>

use std::io::{self, Read};

use super::super::compressed;
use super::super::tape::{Content as TapeContent, Member, MemberKind, Tape};
use super::spool::{Content, Spool};
use super::tree::{Lost, Node, NodeKind, Tree, is_too_deep, tidy};

const WHITEOUT: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";

/// What an image may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Paths.
    pub(crate) paths: usize,
    /// Members of all layers together.
    pub(crate) members: usize,
    /// Bytes of all paths.
    pub(crate) bytes_of_names: usize,
    /// Bytes of all layers, unpacked.
    pub(crate) unpacked: u64,
    /// So many bytes may come out of a layer however small it is; more only in proportion to it.
    pub(crate) free: u64,
    /// Bytes that are set aside.
    pub(crate) kept: u64,
    /// A larger file is kept in its beginning only, unless its name says that it may be asked for.
    pub(crate) whole_file: u64,
    /// And one whose name says so.
    pub(crate) wanted_file: u64,
    /// So much of a large file is kept: enough for its magic.
    pub(crate) beginning: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            paths: 1_000_000,
            members: 4_000_000,
            bytes_of_names: 256 << 20,
            unpacked: 32 << 30,
            free: compressed::FREE,
            kept: 8 << 30,
            whole_file: 4 << 20,
            wanted_file: 256 << 20,
            beginning: 4 << 10,
        }
    }
}

/// What is so far of an image's file system.
#[derive(Debug)]
struct Unpacking<'a> {
    tree: &'a mut Tree,
    spool: &'a mut Spool,
    limits: Limits,
    layer: usize,
    members: usize,
    unpacked: u64,
}

/// Unpacks layers, the lowest first, into an index and the bytes beside it.
pub(crate) fn unpack(
    layers: &mut dyn Iterator<Item = io::Result<Box<dyn Read + Send>>>,
    spool: &mut Spool,
    limits: Limits,
) -> io::Result<Tree> {
    let mut tree = Tree::default();
    let mut all = Unpacking { tree: &mut tree, spool, limits, layer: 0, members: 0, unpacked: 0 };
    for layer in layers {
        all.layer += 1;
        all.unpack(Tape::new(compressed::open(layer?, limits.free)?))?;
    }
    spool.finish()?;
    Ok(tree)
}

fn too_much(what: &str) -> io::Error {
    io::Error::new(compressed::TOO_MUCH, format!("it has more than {what}"))
}

impl Unpacking<'_> {
    fn unpack(&mut self, mut tape: Tape<Box<dyn Read + Send>>) -> io::Result<()> {
        while let Some(member) = tape.next()? {
            self.members += 1;
            self.unpacked = self.unpacked.saturating_add(member.size);
            if self.members > self.limits.members {
                return Err(too_much(&format!("{} entries", self.limits.members)));
            }
            if self.unpacked > self.limits.unpacked {
                return Err(too_much(&format!("{} GiB unpacked", self.limits.unpacked >> 30)));
            }
            self.put(&member, &mut tape.content())?;
            if self.tree.len() > self.limits.paths || self.tree.bytes_of_names() > self.limits.bytes_of_names
            {
                return Err(too_much(&format!("{} paths", self.limits.paths)));
            }
        }
        tape.finish()
    }

    fn put<R: Read>(&mut self, member: &Member, content: &mut TapeContent<'_, R>) -> io::Result<()> {
        // What no file system could hold is not there.
        if is_too_deep(&member.path) || member.path.contains('\0') {
            return Ok(());
        }
        let path = match self.tree.place(&member.path) {
            Ok(path) => path,
            Err(Lost::Loop | Lost::NotThere) => return Ok(()),
        };
        let Some((folder, name)) = path.rsplit_once('/') else { return Ok(()) };
        if name == OPAQUE {
            self.tree.remove_below(folder, self.layer);
            return Ok(());
        }
        if let Some(gone) = name.strip_prefix(WHITEOUT) {
            // Engines keep notes of their own under such names (`.wh..wh.plnk`).
            if !gone.starts_with(WHITEOUT) && !gone.is_empty() {
                self.tree.remove(&format!("{folder}/{gone}"), self.layer);
            }
            return Ok(());
        }
        let kind = match &member.kind {
            MemberKind::Folder => NodeKind::Folder,
            MemberKind::Link(target) => NodeKind::Link(target.as_str().into()),
            MemberKind::Other => NodeKind::Other,
            MemberKind::File => NodeKind::File(self.keep(&path, member.size, content)?),
            MemberKind::Sparse => NodeKind::File(Content { size: member.size, offset: 0, kept: 0 }),
            MemberKind::HardLink(target) => return self.hard_link(&path, target),
        };
        self.tree.put(&path, Node { kind, mode: member.mode, mtime: member.mtime, layer: self.layer });
        Ok(())
    }

    /// Another name of what is there already. One of what is not there is a file that can't be read.
    fn hard_link(&mut self, path: &str, target: &str) -> io::Result<()> {
        let there = self.tree.place(target).ok().and_then(|at| self.tree.get(&at).cloned());
        let node = match there {
            Some(node) if node.kind != NodeKind::Folder => Node { layer: self.layer, ..node },
            Some(_) | None => {
                let why = format!("`{}` is another name of `{}`, which is not there", path, tidy(target));
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
        };
        self.tree.put(path, node);
        Ok(())
    }

    fn keep<R: Read>(&mut self, path: &str, size: u64, from: &mut TapeContent<'_, R>) -> io::Result<Content> {
        let limits = self.limits;
        let whole = size <= limits.whole_file || (is_wanted(path) && size <= limits.wanted_file);
        let most = if whole { size } else { limits.beginning };
        if self.spool.len().saturating_add(most.min(size)) > limits.kept {
            return Err(too_much(&format!("{} GiB of files to look into", limits.kept >> 30)));
        }
        self.spool.keep(from, size, most)
    }
}

/// Whether a large file may be asked for nevertheless: lockfiles, and the lists of package managers.
fn is_wanted(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let lists = ["/var/lib/dpkg/status", "/lib/apk/db/installed", "/usr/lib/apk/db/installed"];
    let lock = |end: &str| name.ends_with(end);
    lists.contains(&path)
        || [".lock", "-lock.json", "-lock.yaml", ".lockb", ".lockfile", ".crt", ".pem"]
            .iter()
            .any(|e| lock(e))
        || name.starts_with("libc.so")
        || name == "npm-shrinkwrap.json"
        || name == "rpmdb.sqlite"
}

#[cfg(test)]
pub(crate) mod tests;
