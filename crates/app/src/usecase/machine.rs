//! Opens the machine that a configuration names, and tells what went wrong with it.

use std::path::Path;

use parallax_collect::machine::{
    Account, Local, LocalLogin, Login, Machine, MachineError, Place, PlaceError, Ssh, SshOptions,
};

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

/// The machine, ready to be asked.
pub(super) fn open(at: &Host, context: &Context) -> Result<Box<dyn Machine>, AppError> {
    let place = at.place.parse().map_err(|e: PlaceError| AppError::usage(e.to_string()))?;
    Ok(match (place, at.shell) {
        (Place::Local, Shell::Plain) => Box::new(Local::new(context.cache.clone())),
        (Place::Local, Shell::Login) => Box::new(LocalLogin::new(account())),
        (Place::Ssh(place), shell) => {
            let login = match shell {
                Shell::Plain => Login::Command,
                Shell::Login => Login::Shell,
            };
            let options = SshOptions { login, ..SshOptions::default() };
            let more = std::env::var("PARALLAX_SSH").unwrap_or_default();
            Box::new(Ssh::new(&place, options.with_arguments(&more)))
        }
    })
}

/// The account that runs this process.
fn account() -> Account {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    Account {
        home: variable("HOME").unwrap_or_else(|| "/".into()),
        name: variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_default(),
        shell: variable("SHELL").unwrap_or_else(|| "/bin/sh".into()),
    }
}

/// An environment that could not be observed, with what to try.
pub(super) fn unobserved(environment: &str, error: &MachineError) -> AppError {
    let failed =
        AppError::unobserved(format!("`{environment}` could not be observed")).caused_by(error.to_string());
    match error {
        MachineError::Unreachable { place, .. } => failed
            .hint(format!("does `{}` work?", by_hand(place)))
            .hint("a host that is down has no parity: nothing was compared"),
        MachineError::Refused { place, .. } => failed.hint(format!(
            "try `{}`; Parallax never asks for a password: use a key or an agent, set in ~/.ssh/config",
            by_hand(place)
        )),
        MachineError::HostKey { place, .. } => failed.hint(format!(
            "if the host was set up anew, check its key by another way, then: ssh-keygen -R {}",
            host_of(place)
        )),
        MachineError::TimedOut { place, .. } => failed.hint(format!("try `{}`", by_hand(place))),
        MachineError::Garbled { place, .. } => {
            failed.hint(format!("what does `{}` print? Only a POSIX sh is needed there", by_hand(place)))
        }
    }
}

/// The command that a person would try: `ssh -p 2222 me@host true`.
fn by_hand(place: &str) -> String {
    match place.parse() {
        Ok(Place::Ssh(ssh)) => {
            let port = ssh.port.map(|port| format!("-p {port} ")).unwrap_or_default();
            let user = ssh.user.map(|user| format!("{user}@")).unwrap_or_default();
            format!("ssh {port}{user}{} true", ssh.host)
        }
        Ok(Place::Local) | Err(_) => format!("ssh {place} true"),
    }
}

fn host_of(place: &str) -> String {
    match place.parse() {
        Ok(Place::Ssh(ssh)) => match ssh.port {
            Some(port) => format!("'[{}]:{port}'", ssh.host),
            None => ssh.host,
        },
        Ok(Place::Local) | Err(_) => place.to_owned(),
    }
}
