//! Endpoints: what a person names on the command line, and the first thing that it fits.

use std::path::{Path, PathBuf};

use parallax_collect::machine::Place;

use super::image;
use crate::config::{Config, Environment, Host, Shell, Source};
use crate::error::AppError;

/// One side of a comparison, or something to capture.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// An environment, configured or made up from a URL.
    Environment(Environment),
    /// A snapshot or a document, to be told apart by its content.
    File(PathBuf),
    /// The same, on standard input.
    StandardInput,
}

/// Schemes of endpoints that later versions read.
const LATER: &[&str] = &["kube:"];

/// Finds what a text stands for: an environment of the configuration, `ssh://..`, `-`, or a file.
///
/// # Errors
/// Where it fits none of these, with the nearest environment's name.
pub fn resolve(text: &str, config: &Config, folder: &Path) -> Result<Endpoint, AppError> {
    if text == "-" {
        return Ok(Endpoint::StandardInput);
    }
    if let Some(environment) = config.environment(text) {
        return Ok(Endpoint::Environment(environment));
    }
    if text.starts_with("ssh://") {
        return Ok(Endpoint::Environment(over_ssh(text)?));
    }
    if let Some(environment) = image::endpoint(text) {
        return environment.map(Endpoint::Environment);
    }
    let path = folder.join(text);
    if path.is_dir() {
        return Err(AppError::usage(format!("`{text}` is a folder")).hint(
            "to compare project folders, name each as {project: FOLDER} in an environment of parallax.yaml",
        ));
    }
    // Not only regular files: `<(command)` is a pipe.
    if path.exists() {
        return Ok(Endpoint::File(PathBuf::from(text)));
    }
    Err(unknown(text, config))
}

fn unknown(text: &str, config: &Config) -> AppError {
    if LATER.iter().any(|scheme| text.starts_with(scheme)) {
        return AppError::usage(format!("`{text}`: this version does not read such endpoints"));
    }
    let error = AppError::usage(format!("`{text}` is neither an environment nor a file"));
    if text.contains('@') {
        return error
            .hint("for a host over ssh write ssh://user@host; points in time are not in this version");
    }
    let names = config.names();
    let nearest = names.iter().min_by_key(|name| strsim::damerau_levenshtein(name, text));
    match nearest.filter(|name| strsim::damerau_levenshtein(name, text) <= 2) {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None if text.contains(['/', '.']) => error,
        None if config.path.is_none() => error.hint(format!(
            "there is no parallax.yaml here: `parallax init` writes one; `ssh://{text}` names a host directly"
        )),
        None => error.hint(format!("environments here: {}", names.join(", "))),
    }
}

/// `ssh://user@host[:port][/path]`: the path is the project's folder there, and the host's name the environment's.
fn over_ssh(text: &str) -> Result<Environment, AppError> {
    match text.parse::<Place>().map_err(|e| AppError::usage(e.to_string()))? {
        Place::Ssh(place) => {
            let at = Host { place: place.address(), shell: Shell::Plain };
            Ok(Environment { name: place.host, sources: vec![Source::Host { at, project: place.path }] })
        }
        Place::Local => Err(AppError::usage(format!("`{text}` is no address"))),
    }
}
