//! Opens the machine that a configuration names, and tells what went wrong with it.

use std::path::Path;

use parallax_collect::machine::{Local, Login, Machine, MachineError, Place, Ssh};

use super::Context;
use crate::config::{Host, Shell};
use crate::error::AppError;

/// The machine's name for people.
pub(super) fn name(at: &Host) -> String {
    match (at.place.as_str(), at.shell) {
        ("local", Shell::Plain) => "this machine".to_owned(),
        ("local", Shell::Login) => "this machine, login shell".to_owned(),
        (place, _) => place.to_owned(),
    }
}

/// A project's folder on its machine: on this one relative to the configuration's folder.
pub(super) fn project_folder(at: &Host, project: &str, folder: &Path) -> String {
    if at.place == "local" && !project.starts_with("~/") {
        folder.join(project).display().to_string()
    } else {
        project.to_owned()
    }
}
