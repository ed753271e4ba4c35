//! Observes an image: what its configuration says as a resource of its own, and what the collectors of machines see in its
//! file system. What only a running container has is left out, with the reason.

use std::path::Path;

use parallax_model::{Attributes, Gap, GapKind, Key, Resource, SourceReport, SourceStatus, ontology};

use super::describe::describe;
use super::rootfs::{ImageMachine, Limits, Spool, unpack};
use super::{ImageError, ImageSource, Platform, Reference, Resolved};
use crate::machine::MachineError;
use crate::{COLLECTORS, Collector, Observation, Scope};

/// What an image has not: its container gets it from the host that runs it.
const NOT_OF_AN_IMAGE: &[&str] = &[
    "host/kernel",
    "host/limits",
    "host/cgroup",
    "host/virtualisation",
    "host/name",
    "host/cpu#count",
    "host/cpu#emulated",
    "host/cpu#level",
    "host/cpu#model",
    "host/cpu#page_size",
];

/// What is looked for in an image's file system.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Which image.
    pub reference: &'a Reference,
    /// For which platform, where the name stands for several.
    pub platform: &'a Platform,
    /// Which folder of it is the project.
    pub project: Project<'a>,
    /// Folders for temporary files; the first that can be written to is taken.
    pub temporary: &'a [&'a Path],
}

/// Which folder of an image is looked at as a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Project<'a> {
    /// None.
    None,
    /// The one where its process starts, if that is not the root.
    WhereItStarts,
    /// This one.
    At(&'a str),
}

/// Observes an image.
///
/// # Errors
/// Where the image or one of its layers can't be had, or holds more than is looked at.
pub fn observe(
    source: &dyn ImageSource,
    wanted: &Wanted<'_>,
    scope: &Scope,
) -> Result<Observation, ImageError> {
    let resolved = source.resolve(wanted.reference, wanted.platform)?;
    let place = format!("{} in {}", wanted.reference, source.place());
    let mut seen = if resolved.config.os == "linux" || resolved.config.os.is_empty() {
        let machine = machine(source, wanted, &resolved, place.clone())?;
        look_around(&machine, &Scope { project: project(wanted.project, &resolved), ..scope.clone() })
    } else {
        unknown_system(&resolved)
    };
    seen.resources.push(describe(wanted.reference, &resolved, &scope.fingerprinter));
    let report =
        SourceReport { source: "image".to_owned(), place, status: SourceStatus::Complete, why: None };
    seen.sources.push(report);
    Ok(seen)
}

fn project(project: Project<'_>, resolved: &Resolved) -> Option<String> {
    match project {
        Project::None => None,
        Project::At(folder) => Some(folder.to_owned()),
        Project::WhereItStarts => {
            resolved.config.config.working_dir.clone().filter(|folder| !matches!(folder.as_str(), "" | "/"))
        }
    }
}

fn look_around(machine: &ImageMachine, scope: &Scope) -> Observation {
    let collectors: Vec<&Collector> = COLLECTORS.to_vec();
    without_host(crate::observe(machine, scope, &collectors).unwrap_or_else(|error| failed(&error)))
}

/// An image is here once it is a machine; if it fails nevertheless, nothing is known.
fn failed(error: &MachineError) -> Observation {
    Observation { gaps: vec![Gap::new("**", error.gap_kind(), error.to_string())], ..Observation::default() }
}

/// Unpacks the layers.
fn machine(
    source: &dyn ImageSource,
    wanted: &Wanted<'_>,
    resolved: &Resolved,
    place: String,
) -> Result<ImageMachine, ImageError> {
    let failed =
        |error: &std::io::Error| super::layout::failure(source.place(), &wanted.reference.to_string(), error);
    let mut spool = Spool::new(wanted.temporary).map_err(|e| failed(&e))?;
    let mut refused = None;
    let mut layers = resolved.manifest.layers.iter().map(|layer| {
        source.layer(wanted.reference, layer).map_err(|error| {
            let words = error.to_string();
            refused = Some(error);
            std::io::Error::other(words)
        })
    });
    let tree = unpack(&mut layers, &mut spool, Limits::default());
    drop(layers);
    match (tree, refused) {
        (_, Some(error)) => Err(error),
        (Err(error), None) => Err(failed(&error)),
        (Ok(tree), None) => Ok(ImageMachine::new(place, tree, spool, resolved.config.clone())),
    }
}

/// Leaves out what an image has not, and says so, once.
fn without_host(mut seen: Observation) -> Observation {
    let of_host = |what: &str| {
        NOT_OF_AN_IMAGE.iter().any(|out| {
            what == *out || what.strip_prefix(out).is_some_and(|rest| rest.starts_with(['#', '/']))
        })
    };
    seen.gaps.retain(|gap| !of_host(&gap.what));
    seen.resources.retain(|resource| !of_host(resource.key.as_str()));
    for resource in &mut seen.resources {
        let prefix = resource.key.as_str().to_owned();
        let kept = resource.attributes.iter().filter(|a| !of_host(&format!("{prefix}#{}", a.path)));
        resource.attributes = Attributes::from_unsorted(kept.cloned().collect());
    }
    for source in &mut seen.sources {
        let regions = ontology::source(&source.source).map_or(&["**"][..], |row| row.regions);
        let is_of = |gap: &Gap| regions.iter().any(|r| gap.what.starts_with(r.trim_end_matches("**")));
        if source.status == SourceStatus::Partial && !seen.gaps.iter().any(is_of) {
            source.status = SourceStatus::Complete;
        }
    }
    let why = "a container has the kernel, the limits and the processor of the host that runs it: an image has none of its own";
    seen.gaps.extend(NOT_OF_AN_IMAGE.iter().map(|what| Gap::new(*what, GapKind::NotApplicable, why)));
    seen
}

/// The file system of another operating system than Linux is not looked into.
fn unknown_system(resolved: &Resolved) -> Observation {
    let why = format!("the file systems of images for {} are not read", resolved.config.platform());
    let mut seen = Observation::default();
    for collector in COLLECTORS {
        let regions = ontology::source(collector.name).map_or(&["**"][..], |row| row.regions);
        seen.gaps.extend(regions.iter().map(|region| Gap::new(*region, GapKind::Unsupported, why.as_str())));
    }
    let key = Key::of(["host", "cpu"]);
    if let Some(architecture) = crate::host::processor::architecture(resolved.config.platform().machine()) {
        seen.resources.push(Resource::new(key, "cpu").with("architecture", architecture));
    }
    seen
}
