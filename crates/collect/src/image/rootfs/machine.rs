//! An image as a machine: files, folders, the search path and variables, from its layers and configuration. Nothing is
//! run; the two commands of which files tell the answer are answered from them.

use std::io::Read;

use sha2::{Digest, Sha256};

use super::super::Config;
use super::spool::{Content, Spool};
use super::tree::{Lost, Node, NodeKind, Tree, tidy};
use crate::machine::{
    Batch, Candidate, Entry, EntryKind, Environment, FileContent, Find, Found, Keep, MAX_FOLDERS, Machine,
    MachineError, NOT_A_FILE, NOT_A_FOLDER, Op, Output, ProbeError, Replies, Reply, Run, SystemFacts,
    Variable, VariableValue, name_fits, window,
};
use crate::secret::{RawSecret, is_secret, redact_text};

/// The search path that engines set where an image sets none.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What the C library's own text has before its version.
const GLIBC_MARK: &[u8] = b"stable release version ";
/// At most so much of the C library is looked through.
const MOST_LIBRARY: u64 = 16 << 20;
const MOST_PASSWD: usize = 1 << 20;

/// An image's file system and configuration.
#[derive(Debug)]
pub(crate) struct ImageMachine {
    place: String,
    tree: Tree,
    spool: Spool,
    config: Config,
}

impl ImageMachine {
    pub(crate) const fn new(place: String, tree: Tree, spool: Spool, config: Config) -> Self {
        Self { place, tree, spool, config }
    }

    fn answer(&self, op: &Op) -> Result<Reply, ProbeError> {
        match op {
            Op::System => Ok(Reply::System(self.system())),
            Op::Read { path, max_bytes, keep } => self.read(path, *max_bytes, keep).map(Reply::Content),
            Op::Sha256 { path } => self.sha256(path).map(Reply::Digest),
            Op::List { path, max_entries } => self.list(path, *max_entries).map(Reply::Entries),
            Op::Find(find) => self.find(find).map(Reply::Found),
            Op::Which { names } => Ok(Reply::Candidates(names.iter().flat_map(|n| self.which(n)).collect())),
            Op::Run(run) => self.command(run).map(Reply::Output),
            Op::Environment(wanted) => Ok(Reply::Variables(self.environment(wanted))),
        }
    }

    /// What is known without a kernel: nothing of the kernel is made up.
    fn system(&self) -> SystemFacts {
        let kernel_name = match self.config.os.as_str() {
            "linux" => "Linux",
            other => other,
        };
        SystemFacts {
            kernel_name: kernel_name.to_owned(),
            machine: self.config.platform().machine().to_owned(),
            home: self.home(),
            folder: self.folder(),
            ..SystemFacts::default()
        }
    }

    fn folder(&self) -> String {
        let folder = tidy(self.config.config.working_dir.as_deref().unwrap_or_default());
        if folder.is_empty() { "/".to_owned() } else { folder }
    }

    /// The home that an engine gives the process: by its variable, else by the list of accounts.
    fn home(&self) -> String {
        if let Some((_, home)) =
            self.variables().into_iter().find(|(name, home)| name == "HOME" && !home.is_empty())
        {
            return home;
        }
        let user = self.config.config.user.as_deref().unwrap_or_default();
        let user = user.split(':').next().unwrap_or_default();
        let user = if user.is_empty() { "0" } else { user };
        let passwd = self.read("/etc/passwd", MOST_PASSWD, &Keep::All).map(|c| c.text()).unwrap_or_default();
        let home = passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let is_meant = fields.first() == Some(&user) || fields.get(2) == Some(&user);
            fields.get(5).filter(|_| is_meant).map(ToString::to_string)
        });
        home.unwrap_or_else(|| if user == "0" || user == "root" { "/root" } else { "/" }.to_owned())
    }

    /// The variables as they are written; of two with one name the last holds.
    fn variables(&self) -> Vec<(String, String)> {
        let all = self.config.config.env.iter().flatten();
        let mut all: Vec<(String, String)> =
            all.filter_map(|v| v.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        all.reverse();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all.dedup_by(|later, earlier| later.0 == earlier.0);
        all
    }

    fn absolute(&self, path: &str) -> String {
        match path.strip_prefix("~/") {
            Some(rest) => format!("{}/{rest}", self.home()),
            None if path.starts_with('/') => path.to_owned(),
            None => format!("{}/{path}", self.folder()),
        }
    }

    /// The path behind all links.
    fn resolve(&self, path: &str) -> Result<String, ProbeError> {
        if path.contains('\0') {
            return Err(ProbeError::NotFound);
        }
        self.tree.resolve(&self.absolute(path)).map_err(|lost| match lost {
            Lost::NotThere => ProbeError::NotFound,
            Lost::Loop => ProbeError::Failed("its links go round in a circle".to_owned()),
        })
    }

    fn content(&self, path: &str) -> Result<Content, ProbeError> {
        let path = self.resolve(path)?;
        match self.tree.get(&path).map(|node| &node.kind) {
            Some(NodeKind::File(content)) => Ok(*content),
            Some(NodeKind::Folder | NodeKind::Link(_) | NodeKind::Other) | None => {
                Err(ProbeError::Failed(NOT_A_FILE.to_owned()))
            }
        }
    }

    /// What is not here of a large file is told as such.
    fn not_kept(content: Content) -> ProbeError {
        ProbeError::TooLarge(usize::try_from(content.size).unwrap_or(usize::MAX))
    }

    fn read(&self, path: &str, max_bytes: usize, keep: &Keep) -> Result<FileContent, ProbeError> {
        let content = self.content(path)?;
        let wanted = u64::try_from(window(max_bytes)).unwrap_or(u64::MAX);
        let mut from = self.spool.read(content);
        let failed = |e: std::io::Error| ProbeError::Failed(e.to_string());
        if content.is_whole() || (*keep == Keep::All && content.kept > wanted) {
            return crate::machine::content(&mut from, max_bytes, keep).map_err(failed);
        }
        // A head of few bytes is there, if without the margin beyond it.
        let head = u64::try_from(max_bytes).unwrap_or(u64::MAX);
        if *keep != Keep::All || content.kept < head {
            return Err(Self::not_kept(content));
        }
        let mut content = crate::machine::content(&mut from, max_bytes, keep).map_err(failed)?;
        content.truncated = true;
        Ok(content)
    }

    fn sha256(&self, path: &str) -> Result<String, ProbeError> {
        let content = self.content(path)?;
        if !content.is_whole() {
            return Err(Self::not_kept(content));
        }
        let mut hash = Sha256::new();
        let mut from = self.spool.read(content);
        let mut block = vec![0; 64 * 1024];
        loop {
            match from.read(&mut block) {
                Ok(0) => return Ok(crate::secret::hex(&hash.finalize())),
                Ok(count) => hash.update(block.get(..count).unwrap_or_default()),
                Err(error) => return Err(ProbeError::Failed(error.to_string())),
            }
        }
    }

    fn list(&self, path: &str, max_entries: usize) -> Result<Vec<Entry>, ProbeError> {
        let path = self.resolve(path)?;
        if !self.tree.is_folder(&path) {
            return Err(ProbeError::Failed(NOT_A_FOLDER.to_owned()));
        }
        let entry = |(name, node): (&str, &Node)| Entry { name: name.to_owned(), kind: kind(node) };
        let mut entries: Vec<Entry> =
            self.tree.children(&path).map(entry).take(max_entries.saturating_add(1)).collect();
        if entries.len() > max_entries {
            return Err(ProbeError::TooLarge(max_entries));
        }
        entries.sort();
        Ok(entries)
    }

    fn find(&self, find: &Find) -> Result<Found, ProbeError> {
        let root = self.resolve(&find.root)?;
        if !self.tree.is_folder(&root) {
            return Err(ProbeError::Failed(NOT_A_FOLDER.to_owned()));
        }
        let mut paths = Vec::new();
        let mut folders = vec![(root.clone(), 1)];
        let mut seen = 1;
        while let Some((folder, depth)) = folders.pop() {
            for (name, node) in self.tree.children(&folder) {
                let path = format!("{folder}/{name}");
                let is_pruned = name == ".git" || find.prune.iter().any(|pruned| pruned == name);
                match kind(node) {
                    EntryKind::Folder if !is_pruned => {
                        seen += 1;
                        if seen > MAX_FOLDERS {
                            return Err(ProbeError::TooLarge(MAX_FOLDERS));
                        }
                        if depth < find.max_depth {
                            folders.push((path, depth + 1));
                        }
                    }
                    EntryKind::File if find.names.iter().any(|pattern| name_fits(pattern, name)) => {
                        paths.extend(path.strip_prefix(&root).map(|p| p.trim_start_matches('/').to_owned()));
                        if paths.len() > find.max_entries {
                            return Err(ProbeError::TooLarge(find.max_entries));
                        }
                    }
                    EntryKind::Folder | EntryKind::File | EntryKind::Link | EntryKind::Other => {}
                }
            }
        }
        paths.sort();
        Ok(Found { paths, unreadable: Vec::new() })
    }

    fn which(&self, name: &str) -> Vec<Candidate> {
        if name.is_empty() || name.contains(['/', '\0']) {
            return Vec::new();
        }
        let variables = self.variables();
        let set = variables.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.as_str());
        let search_path = set.unwrap_or(SEARCH_PATH);
        let here = |folder: &str| {
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            let resolved = self.resolve(&path).ok()?;
            let node = self.tree.get(&resolved)?;
            let NodeKind::File(content) = node.kind else { return None };
            if node.mode & 0o111 == 0 {
                return None;
            }
            let mut head = Vec::new();
            // What can't be read has no head.
            let _bytes = self.spool.read(content).take(64).read_to_end(&mut head);
            Some(Candidate {
                name: name.to_owned(),
                path,
                resolved,
                size: content.size,
                mtime: node.mtime,
                inode: 0,
                head,
            })
        };
        search_path.split(':').filter(|folder| !folder.is_empty()).filter_map(here).collect()
    }

    /// The commands of which files tell what they would say.
    fn command(&self, run: &Run) -> Result<Output, ProbeError> {
        let words: Vec<&str> = run.argv.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["readlink", path] => Ok(self.link(path)),
            ["getconf", "GNU_LIBC_VERSION"] => match self.glibc() {
                Some(version) => Ok(told(&format!("glibc {version}\n"))),
                None => Err(ProbeError::NotFound),
            },
            _ => Err(ProbeError::Unsupported("nothing is run in an image".to_owned())),
        }
    }

    fn link(&self, path: &str) -> Output {
        let at = self.tree.place(&self.absolute(path)).ok();
        match at.and_then(|at| self.tree.get(&at)).map(|node| &node.kind) {
            Some(NodeKind::Link(target)) => told(&format!("{target}\n")),
            Some(NodeKind::Folder | NodeKind::File(_) | NodeKind::Other) | None => {
                Output { status: 1, ..Output::default() }
            }
        }
    }

    /// The version of the GNU C library, by the text that it prints of itself.
    fn glibc(&self) -> Option<String> {
        let folders = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];
        let multiarch = folders.iter().flat_map(|folder| {
            let entries = self.list(folder, 65_536).unwrap_or_default();
            let names = entries.into_iter().filter(|e| e.name.contains("-linux-gnu"));
            names.map(move |e| format!("{folder}/{}", e.name))
        });
        let mut paths = folders.iter().map(ToString::to_string).chain(multiarch);
        paths.find_map(|folder| {
            let content = self.content(&format!("{folder}/libc.so.6")).ok()?;
            let mut bytes = Vec::new();
            self.spool.read(content).take(MOST_LIBRARY).read_to_end(&mut bytes).ok()?;
            let at = memchr::memmem::find(&bytes, GLIBC_MARK)? + GLIBC_MARK.len();
            let version = bytes.get(at..)?.iter().take(16).take_while(|b| b.is_ascii_digit() || **b == b'.');
            let version: String = version.map(|b| char::from(*b)).collect();
            let version = version.trim_end_matches('.');
            (!version.is_empty()).then(|| version.to_owned())
        })
    }

    fn environment(&self, wanted: &Environment) -> Vec<Variable> {
        let chosen = |name: &String| wanted.names.as_ref().is_none_or(|names| names.contains(name));
        let masked = |(name, value): (String, String)| {
            let value = if is_secret(&name, &value) {
                VariableValue::Secret(wanted.fingerprinter.fingerprint(&RawSecret::new(value)))
            } else {
                VariableValue::Plain(redact_text(&value))
            };
            Variable { name, value }
        };
        self.variables().into_iter().filter(|(name, _)| chosen(name)).map(masked).collect()
    }
}

impl Machine for ImageMachine {
    fn place(&self) -> &str {
        &self.place
    }

    fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
        Ok(Replies(batch.ops().iter().map(|op| self.answer(op)).collect()))
    }
}

fn told(text: &str) -> Output {
    Output { stdout: text.as_bytes().to_vec(), ..Output::default() }
}

fn kind(node: &Node) -> EntryKind {
    match node.kind {
        NodeKind::Folder => EntryKind::Folder,
        NodeKind::File(_) => EntryKind::File,
        NodeKind::Link(_) => EntryKind::Link,
        NodeKind::Other => EntryKind::Other,
    }
}
