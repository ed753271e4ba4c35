//! Observes an endpoint: all its sources, joined into one snapshot.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use parallax_collect::image::Platform;
use parallax_collect::secret::Fingerprinter;
use parallax_collect::{COLLECTORS, Collector, Observation, Scope, Variables};
use parallax_model::{Digest, Gap, GapKind, Key, Snapshot, SnapshotHeader, SourceReport, Timestamp};
use parallax_store::Entry;

use super::{Context, Endpoint, documents, image, key, machine, timeline};
use crate::config::{Environment, Host, Source};
use crate::error::AppError;

/// How much of a snapshot or document is read: more than this is refused with a message.
const MAX_FILE: u64 = 1 << 30;

/// What a snapshot says of who made it.
pub(super) const TOOL: &str = concat!("parallax ", env!("CARGO_PKG_VERSION"));

/// Told while endpoints are observed.
pub trait Progress: Sync {
    /// An endpoint is being observed.
    fn begin(&self, name: &str, place: &str);
    /// It was, or failed.
    fn end(&self, name: &str);
}

/// Says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _name: &str, _place: &str) {}
    fn end(&self, _name: &str) {}
}

/// One observed endpoint.
#[derive(Debug)]
pub struct Side {
    /// Where it was observed, for people: `this machine`, `ssh://staging`, a file's name.
    pub place: String,
    /// What was seen.
    pub snapshot: Snapshot,
    /// Where the snapshot comes from.
    pub origin: Provenance,
}

/// Where a side's snapshot comes from.
#[derive(Debug, Clone)]
pub enum Provenance {
    /// It was observed just now.
    Live,
    /// It should have been observed just now, and nothing of it could be.
    Unseen,
    /// It was read from a file.
    File,
    /// It was read from a timeline. Of two such sides the snapshot may hold no more than what differs.
    Recorded(Box<Entry>),
}

impl Side {
    /// Whether it was observed just now.
    #[must_use]
    pub fn is_live(&self) -> bool {
        match self.origin {
            Provenance::Live | Provenance::Unseen => true,
            Provenance::File | Provenance::Recorded(_) => false,
        }
    }

    /// The content hash of the whole.
    #[must_use]
    pub fn hash(&self) -> Digest {
        match &self.origin {
            Provenance::Recorded(entry) => entry.snapshot.unwrap_or_else(|| self.snapshot.hash()),
            Provenance::Live | Provenance::Unseen | Provenance::File => self.snapshot.hash(),
        }
    }

    /// How many resources the whole has.
    #[must_use]
    pub fn resources(&self) -> u64 {
        match &self.origin {
            Provenance::Recorded(entry) => entry.counts.resources,
            Provenance::Live | Provenance::Unseen | Provenance::File => {
                self.snapshot.resources().len() as u64
            }
        }
    }
}

/// What observing needs besides the endpoint.
#[derive(Debug)]
pub struct Observing<'a> {
    /// The context.
    pub context: &'a Context,
    /// One fingerprinter for all sides of a run, so that their secrets can be compared.
    pub fingerprinter: Arc<Fingerprinter>,
    /// Whether project folders are looked at.
    pub projects: Projects,
    /// The platform of the other side, for images that have several.
    pub platform: Option<Platform>,
}

/// Whether project folders are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projects {
    /// Where an environment names one.
    Named,
    /// Nowhere: the other side has none to compare with.
    Skipped,
}

impl<'a> Observing<'a> {
    /// With the project's key, or one made for this run.
    ///
    /// # Errors
    /// Where the key can't be read or is too short.
    pub fn new(context: &'a Context) -> Result<Self, AppError> {
        let fingerprinter = Arc::new(key::fingerprinter(&context.config.folder)?);
        Ok(Self { context, fingerprinter, projects: Projects::Named, platform: None })
    }
}

impl Observing<'_> {
    /// The same, for an image that is compared with that side.
    #[must_use]
    pub(super) fn beside(&self, other: &Snapshot) -> Self {
        Self {
            context: self.context,
            fingerprinter: Arc::clone(&self.fingerprinter),
            projects: self.projects,
            platform: image::platform_of(other).or_else(|| self.platform.clone()),
        }
    }
}

/// Observes an endpoint.
///
/// # Errors
/// Where the place as a whole can't be reached, or a file can't be read or understood.
pub fn observe(endpoint: &Endpoint, with: &Observing<'_>, progress: &dyn Progress) -> Result<Side, AppError> {
    match endpoint {
        Endpoint::Environment(environment) => {
            progress.begin(&environment.name, &place_of(environment));
            let side = observe_environment(environment, with);
            progress.end(&environment.name);
            side
        }
        Endpoint::Recorded(in_time) => timeline::read(in_time, with.context),
        Endpoint::File(path) => read_file(
            &with.context.folder.join(path),
            &path.display().to_string(),
            documents::SHARED_NAME,
            with,
        ),
        Endpoint::StandardInput => {
            let bytes = read_bounded(std::io::stdin().lock(), "standard input")?;
            read_bytes(&bytes, "standard input", documents::SHARED_NAME, with)
        }
    }
}

fn place_of(environment: &Environment) -> String {
    let place = |source: &Source| match source {
        Source::Host { at, .. } => machine::name(at),
        Source::Snapshot(path) | Source::Documents(path) => path.display().to_string(),
        Source::Image(image) => image::place(image),
    };
    let mut places: Vec<String> = environment.sources.iter().map(place).collect();
    places.dedup();
    places.join(", ")
}

fn observe_environment(environment: &Environment, with: &Observing<'_>) -> Result<Side, AppError> {
    let mut all = Observation::default();
    let mut kept_at = None;
    for source in &environment.sources {
        let seen = match source {
            Source::Host { at, project } => observe_host(environment, at, project.as_deref(), with)?,
            Source::Image(image) => image::observe(image, &environment.name, with)?,
            Source::Snapshot(path) | Source::Documents(path) => {
                let name =
                    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
                let shown = path.display().to_string();
                let side = read_file(&with.context.config.folder.join(path), &shown, &name, with)?;
                let header = side.snapshot.header();
                if !side.is_live() {
                    // What was kept is as old as its oldest part.
                    let at = header.captured_at;
                    kept_at = Some(kept_at.map_or(at, |oldest: Timestamp| oldest.min(at)));
                }
                Observation {
                    resources: side.snapshot.resources().to_vec(),
                    gaps: header.gaps.clone(),
                    sources: header.sources.clone(),
                }
            }
        };
        join(&mut all, seen);
    }
    let header = SnapshotHeader {
        environment: environment.name.clone(),
        captured_at: kept_at.unwrap_or(with.context.now),
        tool: TOOL.to_owned(),
        key_id: with.fingerprinter.key_id().map(str::to_owned),
        sources: all.sources,
        gaps: all.gaps,
    };
    let snapshot = Snapshot::new(header, all.resources);
    let origin = if kept_at.is_none() { Provenance::Live } else { Provenance::File };
    Ok(Side { place: place_of(environment), snapshot, origin })
}

/// Adds what another source saw. Where two sources say different things of one attribute, neither is believed:
/// that is a gap.
fn join(all: &mut Observation, seen: Observation) {
    let known: BTreeMap<Key, usize> =
        all.resources.iter().enumerate().map(|(at, resource)| (resource.key.clone(), at)).collect();
    for resource in &seen.resources {
        let before = known.get(&resource.key).and_then(|at| all.resources.get(*at));
        for attribute in &resource.attributes {
            let path = attribute.path.as_str();
            let other = before.and_then(|before| before.attributes.get(path));
            if other.is_some_and(|other| *other != attribute.value) {
                let why = "two sources of this environment say different things";
                all.gaps.push(Gap::new(format!("{}#{path}", resource.key), GapKind::Failed, why));
            }
        }
    }
    all.resources.extend(seen.resources);
    all.gaps.extend(seen.gaps);
    all.sources.extend(seen.sources);
}

/// An environment of which nothing could be seen, and why: everything is a gap.
pub(super) fn unseen(endpoint: &Endpoint, error: &AppError, with: &Observing<'_>) -> Side {
    let (name, place) = match endpoint {
        Endpoint::Environment(environment) => (environment.name.clone(), place_of(environment)),
        Endpoint::Recorded(in_time) => (in_time.name.clone(), in_time.text.clone()),
        Endpoint::File(path) => (path.display().to_string(), path.display().to_string()),
        Endpoint::StandardInput => ("standard input".to_owned(), "standard input".to_owned()),
    };
    let why = error.chain.first().unwrap_or(&error.message).clone();
    let header = SnapshotHeader {
        environment: name,
        captured_at: with.context.now,
        tool: TOOL.to_owned(),
        key_id: None,
        sources: Vec::new(),
        gaps: vec![Gap::new("**", GapKind::Unreachable, why)],
    };
    Side { place, snapshot: Snapshot::new(header, Vec::new()), origin: Provenance::Unseen }
}

fn observe_host(
    environment: &Environment,
    at: &Host,
    project: Option<&str>,
    with: &Observing<'_>,
) -> Result<Observation, AppError> {
    let machine = machine::open(at, with.context)?;
    let project = project.filter(|_| with.projects == Projects::Named);
    let scope = Scope {
        project: project.map(|p| machine::project_folder(at, p, &with.context.config.folder)),
        variables: match &with.context.config.variables {
            None => Variables::All,
            Some(names) => Variables::Named(names.clone()),
        },
        fingerprinter: Arc::clone(&with.fingerprinter),
    };
    let wanted: Vec<&Collector> = COLLECTORS.to_vec();
    tracing::debug!(environment = environment.name, place = machine.place(), "observing");
    let mut seen = parallax_collect::observe(machine.as_ref(), &scope, &wanted)
        .map_err(|error| machine::unobserved(&environment.name, &error))?;
    if let Variables::Named(names) = &scope.variables {
        // In a timeline, what was not asked for neither vanished nor appeared.
        seen.sources.push(SourceReport::asked_only_for("environment", machine.place(), names));
    }
    Ok(seen)
}

fn read_file(path: &Path, shown: &str, name: &str, with: &Observing<'_>) -> Result<Side, AppError> {
    let file = std::fs::File::open(path).map_err(|e| AppError::io("read", shown, &e))?;
    read_bytes(&read_bounded(file, shown)?, shown, name, with)
}

pub(super) fn read_bounded(from: impl Read, shown: &str) -> Result<Vec<u8>, AppError> {
    let mut bytes = Vec::new();
    from.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|e| AppError::io("read", shown, &e))?;
    if u64::try_from(bytes.len()).is_ok_and(|n| n > MAX_FILE) {
        return Err(AppError::usage(format!("`{shown}` is larger than {} MiB", MAX_FILE >> 20)));
    }
    Ok(bytes)
}

/// A snapshot where the first line says so, else a document.
fn read_bytes(bytes: &[u8], shown: &str, name: &str, with: &Observing<'_>) -> Result<Side, AppError> {
    if !is_snapshot(bytes) {
        return documents::read(bytes, shown, name, with);
    }
    let snapshot = Snapshot::read(BufReader::new(bytes)).map_err(|e| {
        AppError::usage(format!("`{shown}`: {e}")).hint("capture it again with: parallax capture ENV -o FILE")
    })?;
    Ok(Side { place: shown.to_owned(), snapshot, origin: Provenance::File })
}

/// Whether the content announces itself as a snapshot of any version.
pub(super) fn is_snapshot(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(256)).unwrap_or_default();
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    String::from_utf8_lossy(head).replace(' ', "").starts_with("{\"schema\":\"parallax.snapshot/")
}
