//! From what the readers gave to resources and gaps. Every text of a project's file that enters a resource or a
//! gap passes through here, and loses what may be a credential.

use std::collections::BTreeMap;
use std::str::Utf8Error;

use parallax_model::{Attributes, GapKind, Key, PathBuilder, Resource};

use super::dependency::{self, Dependencies};
use super::files::{PinReader, project_folder};
use super::pin::{Declared, Malformed, Pin, without_credentials};
use super::{Basis, join};
use crate::Collected;
use crate::installed::Tree;
use crate::lockfile::{Files, Format, declared};
use crate::machine::{FileContent, ProbeError};
use crate::secret::redact_text;

/// More versions than this in one file are not kept.
const MAX_PINS: usize = 256;
/// More entries of one lockfile that are not understood than this are one gap.
const MAX_UNCLEAR: usize = 20;

/// Collects what the files of one project say.
pub(super) struct Report<'c, 'p> {
    root: &'c str,
    collected: &'c mut Collected,
    pins: Vec<(&'p str, Pin)>,
    dependencies: Dependencies<'p>,
}

impl<'c, 'p> Report<'c, 'p> {
    /// An empty report.
    pub(super) fn new(root: &'c str, collected: &'c mut Collected) -> Self {
        Self { root, collected, pins: Vec::new(), dependencies: Dependencies::default() }
    }

    /// Takes a file that pins.
    pub(super) fn pins(&mut self, path: &'p str, reader: &PinReader, content: &FileContent) {
        match str::from_utf8(&content.bytes)
            .map_err(not_utf8)
            .and_then(|text| reader.read(text.strip_prefix('\u{feff}').unwrap_or(text)))
        {
            Ok(pins) => {
                if pins.len() > MAX_PINS {
                    let why = format!("{}: more than {MAX_PINS} versions in one file", join(self.root, path));
                    self.collected.gap(pin_key(reader.tool, path).as_str(), GapKind::TooLarge, why);
                }
                self.pins.extend(pins.into_iter().take(MAX_PINS).map(|pin| (path, pin)));
            }
            Err(error) => {
                let what = pin_key(reader.tool, path);
                self.collected.gap(what.as_str(), GapKind::NotParsed, self.place(path, &error));
            }
        }
    }

    /// Takes a file that pins and could not be read.
    pub(super) fn unread_pins(&mut self, path: &str, reader: &PinReader, basis: Basis, error: &ProbeError) {
        self.unread(pin_key(reader.tool, path).as_str(), path, basis, error);
    }

    /// Takes a lockfile by its digest; with its files where its packages are read too.
    pub(super) fn lockfile(
        &mut self,
        path: &'p str,
        format: &Format,
        digest: &str,
        content: Option<Result<Files<'_>, ProbeError>>,
    ) {
        let mut resource = Resource::new(Key::of(["lockfile", path]), "lockfile")
            .with("ecosystem", format.ecosystem)
            .with("format", format.id)
            .with("sha256", digest);
        let region = packages_of(format);
        match (format.read, content) {
            (None, _) | (_, None) => {}
            (Some(_), Some(Err(error))) => self.unread(&region, path, Basis::Seen, &error),
            (Some(read), Some(Ok(files))) => match read(&files) {
                Err(error) => self.collected.gap(region, GapKind::NotParsed, self.place(path, &error)),
                Ok(locked) => {
                    if !locked.version.is_empty() {
                        resource
                            .attributes
                            .set("format", masked(&format!("{}-v{}", format.id, locked.version)));
                    }
                    resource.attributes.set("packages", dependency::count(&locked));
                    self.unclear(path, &region, &locked.unclear);
                    self.dependencies.add(path, format.ecosystem, locked);
                    self.dependencies.declare(format.ecosystem, declared(format, &files));
                }
            },
        }
        self.collected.push(resource);
    }

    /// Takes the tree of installed packages beside a lockfile, or why there was no looking at it.
    pub(super) fn installed(&mut self, path: &str, ecosystem: &'static str, tree: Result<Tree, String>) {
        let key = Key::of(["lockfile", path]);
        let of_tree = format!("{key}#installed");
        let tree = match tree {
            Ok(tree) => tree,
            Err(why) => {
                let of_packages = format!("dependency/{ecosystem}/**#installed");
                self.collected.gap(of_tree, GapKind::Unreachable, why.clone());
                self.collected.gap(of_packages, GapKind::Unreachable, why);
                return;
            }
        };
        let beside = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        for unseen in &tree.unseen {
            let of_package = match unseen.package.as_deref().map(without_credentials) {
                Some(name) => format!("{}#installed", Key::of(["dependency", ecosystem, &*name])),
                None => format!("dependency/{ecosystem}/**#installed"),
            };
            let why = format!("{}/{beside}{}", self.root.trim_end_matches('/'), masked(&unseen.why));
            self.collected.gap(of_tree.clone(), unseen.kind, why.clone());
            self.collected.gap(of_package, unseen.kind, why);
        }
        let whole = tree.unseen.is_empty();
        let folder = masked(&format!("{beside}{}", tree.folder));
        let hash = self.dependencies.install(ecosystem, tree.packages);
        if let Some(resource) = self.collected.resources.iter_mut().find(|r| r.key == key) {
            resource.attributes.set("tree", folder);
            if whole {
                resource.attributes.set("installed", hash);
            }
        }
    }

    /// Notes entries of a lockfile that could not be understood.
    fn unclear(&mut self, path: &str, region: &str, unclear: &[Malformed]) {
        let (named, more) = unclear.split_at_checked(MAX_UNCLEAR).unwrap_or((unclear, &[]));
        for error in named {
            self.collected.gap(region, GapKind::NotParsed, self.place(path, error));
        }
        if !more.is_empty() {
            let why =
                format!("{}: {} more entries that are not understood", join(self.root, path), more.len());
            self.collected.gap(region, GapKind::NotParsed, why);
        }
    }

    /// Takes a lockfile that could not be read.
    pub(super) fn unread_lockfile(&mut self, path: &str, format: &Format, basis: Basis, error: &ProbeError) {
        self.unread(Key::of(["lockfile", path]).as_str(), path, basis, error);
        if format.read.is_some() {
            self.unread(&packages_of(format), path, basis, error);
        }
    }

    /// Takes a file that a lockfile may need and that could not be read.
    pub(super) fn unread_beside(&mut self, path: &str, basis: Basis, error: &ProbeError) {
        self.unread("dependency/**", path, basis, error);
    }

    fn unread(&mut self, what: &str, path: &str, basis: Basis, error: &ProbeError) {
        let place = join(self.root, path);
        match (error, basis) {
            (ProbeError::NotFound, Basis::Guessed) => {}
            (ProbeError::NotFound, Basis::Seen) => {
                self.collected.gap(
                    what,
                    GapKind::Failed,
                    format!("{place}: listed, but not there to be read"),
                );
            }
            (_, Basis::Guessed | Basis::Seen) => self.collected.gap_unless_absent(what, &place, error),
        }
    }

    fn place(&self, path: &str, error: &Malformed) -> String {
        format!("{}:{}:{}: {}", join(self.root, path), error.line, error.column, error.what)
    }

    /// Turns all that was taken into resources.
    pub(super) fn finish(self) {
        let mut resources: BTreeMap<Key, Attributes> = BTreeMap::new();
        for (path, pin) in &self.pins {
            let Some(version) = self.version(path, pin) else {
                let Declared::SameAs(other) = &pin.declared else { continue };
                let why = format!(
                    "{}:{}: takes the version from `{}`, which names none",
                    join(self.root, path),
                    pin.line,
                    masked(other)
                );
                self.collected.gap(pin_key(&pin.tool, path).as_str(), GapKind::NotParsed, why);
                continue;
            };
            let attributes = resources.entry(pin_key(&pin.tool, path)).or_default();
            let place = free_place(attributes, path, &masked(&pin.field));
            let line = u64::try_from(pin.line).unwrap_or(u64::MAX);
            attributes.set(item("by", &place).as_str(), masked(&version));
            attributes.set(item("at", &place).as_str(), line);
        }
        for (key, attributes) in resources {
            self.collected.push(Resource { key, kind: "pin".into(), attributes, relations: Vec::new() });
        }
        self.collected.resources.extend(self.dependencies.into_resources());
    }

    /// What a pin declares, from the file that it points to where it points to one.
    fn version(&self, path: &str, pin: &Pin) -> Option<String> {
        let other = match &pin.declared {
            Declared::Version(version) => return Some(version.clone()),
            Declared::SameAs(other) => other,
        };
        let beside = match project_folder(path) {
            "" => other.clone(),
            folder => join(folder, other),
        };
        let there = |(at, found): &&(&str, Pin)| *at == beside && found.tool == pin.tool;
        let candidates = self.pins.iter().filter(there).filter_map(|(_, found)| match &found.declared {
            Declared::Version(version) => Some((preference(&found.field), version)),
            Declared::SameAs(_) => None,
        });
        candidates.min_by_key(|(preference, _)| *preference).map(|(_, version)| version.clone())
    }
}

/// A shell of Windows writes UTF-16 where it is not told otherwise.
fn not_utf8(error: Utf8Error) -> Malformed {
    Malformed { line: 1, column: error.valid_up_to() + 1, what: "not UTF-8" }
}

/// Which field counts where a file that is pointed to has several: the more exact one, as the `setup-*` actions do.
fn preference(field: &str) -> u8 {
    match field {
        "volta.node" | "toolchain" => 0,
        "devEngines.runtime" => 1,
        _ => 2,
    }
}

/// The region of all packages that a lockfile may speak of.
fn packages_of(format: &Format) -> String {
    format!("dependency/{}/**", format.ecosystem)
}

/// A text of the project's, without credentials of URLs and without well-known tokens.
pub(super) fn masked(text: &str) -> String {
    // Plain versions are most of what there is.
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+');
    if text.bytes().all(plain) { text.to_owned() } else { redact_text(&without_credentials(text)) }
}

fn pin_key(tool: &str, path: &str) -> Key {
    let tool = masked(tool);
    match project_folder(path) {
        "" => Key::of(["pin", &tool]),
        folder => Key::of(["pin", &tool, folder]),
    }
}

/// The place's name: the path, the field, and a number where that place declares several times.
fn free_place(attributes: &Attributes, path: &str, field: &str) -> String {
    let place = if field.is_empty() { path.to_owned() } else { format!("{path} {field}") };
    let taken = |place: &str| attributes.get(item("by", place).as_str()).is_some();
    if !taken(&place) {
        return place;
    }
    (2_usize..).map(|n| format!("{place} ({n})")).find(|numbered| !taken(numbered)).unwrap_or(place)
}

fn item(field: &str, place: &str) -> parallax_model::AttributePath {
    let mut path = PathBuilder::new();
    path.field(field).item(place);
    path.path()
}
