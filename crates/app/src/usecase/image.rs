//! Observes container images: in a registry, an OCI layout, or a file of `docker save`. Starts no container.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parallax_collect::image::{
    self, Archive, Credentials, ImageError, ImageSource, Layout, Platform, Project, Reference, Registry,
    Wanted,
};
use parallax_collect::{Observation, Scope, Variables};
use parallax_model::Snapshot;

use super::observe::Projects;
use super::{Endpoint, Observing};
use crate::config::{Environment, Image, ImageAt, Source};
use crate::error::AppError;

/// What an endpoint's text begins with that names an image.
const SCHEMES: [&str; 3] = ["image:", "oci:", "docker-archive:"];
/// As many digits of a digest as people read.
const DIGITS: usize = 12;

/// The environment that an endpoint's text makes up, if it names an image.
pub(super) fn endpoint(text: &str) -> Option<Result<Environment, AppError>> {
    let scheme = SCHEMES.iter().find(|scheme| text.starts_with(**scheme))?;
    let rest = if *scheme == "image:" { text.strip_prefix("image:").unwrap_or(text) } else { text };
    let read = rest.parse::<ImageAt>().map(|at| Environment {
        name: name(&at),
        recorded_as: Some(text.to_owned()),
        sources: vec![Source::Image(Image { at, platform: None, project: None })],
    });
    Some(read.map_err(|why| {
        AppError::usage(why).hint("an image is written as image:NAME:TAG, image:NAME@DIGEST, oci:FOLDER[:TAG] or docker-archive:FILE")
    }))
}

/// What people call an image: its reference with a digest that can be read.
fn name(at: &ImageAt) -> String {
    let file =
        |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    match at {
        ImageAt::Registry(reference) => short(reference),
        ImageAt::Layout(path, None) | ImageAt::Archive(path, None) => file(path),
        ImageAt::Layout(path, Some(tag)) => format!("{}:{tag}", file(path)),
        ImageAt::Archive(_, Some(reference)) => short(reference),
    }
}

fn short(reference: &Reference) -> String {
    let whole = reference.to_string();
    match whole.split_once('@') {
        Some((name, digest)) => {
            let digits: String = digest.chars().take("sha256:".len() + DIGITS).collect();
            format!("{name}@{digits}")
        }
        None => whole,
    }
}

/// Where an image is, for people.
pub(super) fn place(image: &Image) -> String {
    match &image.at {
        ImageAt::Registry(reference) => format!("image:{}", short(reference)),
        ImageAt::Layout(path, _) => format!("oci:{}", path.display()),
        ImageAt::Archive(path, _) => format!("docker-archive:{}", path.display()),
    }
}

/// Whether an endpoint has an image that is taken for the other side's platform.
pub(super) fn follows(endpoint: &Endpoint) -> bool {
    let Endpoint::Environment(environment) = endpoint else { return false };
    environment.sources.iter().any(|source| matches!(source, Source::Image(Image { platform: None, .. })))
}

/// The platform of a side that was observed, where it runs Linux or could run what does.
pub(super) fn platform_of(side: &Snapshot) -> Option<Platform> {
    let cpu = side.resources().iter().find(|resource| resource.key.as_str() == "host/cpu")?;
    let machine = match cpu.attributes.get("architecture")?.as_text()? {
        "arm64" => "aarch64",
        "armv7" => "armv7l",
        "armv6" => "armv6l",
        other => other,
    };
    Some(Platform::of_machine(machine))
}

/// Observes an image.
pub(super) fn observe(
    image: &Image,
    environment: &str,
    with: &Observing<'_>,
) -> Result<Observation, AppError> {
    let folder = &with.context.config.folder;
    let platform = image.platform.clone().or_else(|| with.platform.clone());
    let platform = platform.unwrap_or_else(|| Platform::of_machine(std::env::consts::ARCH));
    let temporary = temporary();
    let temporary: Vec<&Path> = temporary.iter().map(PathBuf::as_path).collect();
    let scope = Scope {
        project: None,
        variables: match &with.context.config.variables {
            None => Variables::All,
            Some(names) => Variables::Named(names.clone()),
        },
        fingerprinter: Arc::clone(&with.fingerprinter),
    };
    let project = match (with.projects, &image.project) {
        (Projects::Skipped, _) => Project::None,
        (Projects::Named, Some(folder)) => Project::At(folder),
        (Projects::Named, None) => Project::WhereItStarts,
    };
    let seen = open(image, folder, &temporary).and_then(|(source, reference)| {
        tracing::debug!(environment, place = source.place(), "observing an image");
        let wanted = Wanted { reference: &reference, platform: &platform, project, temporary: &temporary };
        image::observe(source.as_ref(), &wanted, &scope)
    });
    seen.map_err(|error| unobserved(environment, &error))
}

/// Opens the place that has an image, and says how it is called there.
fn open(
    image: &Image,
    folder: &Path,
    temporary: &[&Path],
) -> Result<(Box<dyn ImageSource>, Reference), ImageError> {
    let shown = |path: &Path| path.display().to_string();
    match &image.at {
        ImageAt::Registry(reference) => {
            let registry = Registry::of(reference, &Credentials::of_user())?;
            Ok((Box::new(registry), reference.clone()))
        }
        ImageAt::Layout(path, tag) => {
            let layout = Layout::open(&folder.join(path), &shown(path), temporary)?;
            let reference = named(&layout.names(), path, tag.as_deref());
            Ok((Box::new(layout), reference))
        }
        ImageAt::Archive(path, name) => {
            let archive = Archive::open(&folder.join(path), &shown(path), temporary)?;
            let reference = name.clone().unwrap_or_else(|| named(&archive.names(), path, None));
            Ok((Box::new(archive), reference))
        }
    }
}

/// What an image in a file is called: by the name that the file notes of it, else by the file's.
fn named(names: &[Reference], path: &Path, tag: Option<&str>) -> Reference {
    let noted = match (names, tag) {
        ([only], None) => Some(only.clone()),
        (names, Some(tag)) => names.iter().find(|name| name.tag() == Some(tag)).cloned(),
        (_, None) => None,
    };
    let of_file = || {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
        let plain = |name: &str| format!("{name}{tag}").parse::<Reference>().ok();
        // A file may be called what no image can be.
        plain(&name).or_else(|| plain("image"))
    };
    noted.or_else(of_file).unwrap_or_else(Reference::unnamed)
}

/// Folders for what is unpacked: on a disk first, as `/tmp` is memory on many machines.
fn temporary() -> Vec<PathBuf> {
    let named = std::env::var_os("TMPDIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    named.into_iter().chain([PathBuf::from("/var/tmp"), std::env::temp_dir()]).collect()
}

/// An image that could not be observed, with what to try.
fn unobserved(environment: &str, error: &ImageError) -> AppError {
    let failed =
        AppError::unobserved(format!("`{environment}` could not be observed")).caused_by(error.to_string());
    match error {
        ImageError::Refused { place, .. } => {
            failed.hint(format!("try `docker login {place}`, or `podman login {place}`"))
        }
        ImageError::NoPlatform { .. } => failed.hint(
            "name the platform in an environment of parallax.yaml: {image: {reference: NAME, platform: linux/amd64}}",
        ),
        ImageError::Unreachable { place, .. } => {
            failed.hint(format!("does `docker manifest inspect` reach {place} from here?"))
        }
        ImageError::Io { .. } => AppError::usage(error.to_string()),
        ImageError::NotFound { .. } | ImageError::Damaged { .. } | ImageError::TooLarge { .. } => failed,
    }
}
