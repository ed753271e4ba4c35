//! This machine as a fresh login shell sees it: what `cron`, `su -` and a service manager start from, and not what
//! the user's own terminal has gathered.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use super::shell::{Ended, LOADER, Shell, ShellMachine};
use super::{Batch, Machine, MachineError, Replies};

/// How long a batch may take besides its commands, the profile's own work included.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `login` sets before a shell reads its profile.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// This machine behind a login shell that starts from an empty environment.
#[derive(Debug)]
pub struct LocalLogin(ShellMachine<LoginShell>);

/// The account whose login is played.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its home folder.
    pub home: OsString,
    /// Its name; may be empty.
    pub name: OsString,
    /// Its shell: an absolute path.
    pub shell: OsString,
}

impl LocalLogin {
    /// The login of an account, as this process's own user.
    #[must_use]
    pub fn new(account: Account) -> Self {
        Self(ShellMachine::new("this machine, login shell".to_owned(), LoginShell(account), PATIENCE))
    }
}

impl Machine for LocalLogin {
    fn place(&self) -> &str {
        self.0.place()
    }

    fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
        self.0.run(batch)
    }
}

#[derive(Debug)]
struct LoginShell(Account);

impl Shell for LoginShell {
    fn start(&self) -> Command {
        let Account { home, name, shell } = &self.0;
        let mut command = Command::new(shell);
        command.args(["-l", "-c"]).arg(format!("exec sh -c '{LOADER}'"));
        command.env_clear().env("HOME", home).env("SHELL", shell).env("PATH", SEARCH_PATH).current_dir(home);
        if !name.is_empty() {
            command.env("USER", name).env("LOGNAME", name);
        }
        command
    }

    fn ended(&self, place: &str, ended: &Ended) -> MachineError {
        let said = if ended.said.is_empty() { "it said nothing" } else { &ended.said };
        let why = match ended.status {
            Some(status) => format!("the login shell ended with {status}: {said}"),
            None => said.to_owned(),
        };
        MachineError::Unreachable { place: place.to_owned(), why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_read_and_nothing_else_is_inherited() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(".profile"), "export FROM_PROFILE=1\necho welcome\n").unwrap();
        let account = Account { home: home.path().into(), name: "me".into(), shell: "/bin/sh".into() };
        let mut batch = Batch::new();
        let key = crate::secret::Fingerprinter::ephemeral([7; 32]);
        let environment = super::super::Environment { names: None, fingerprinter: std::sync::Arc::new(key) };
        let asked = batch.environment(environment);
        let replies = LocalLogin::new(account).run(&batch).unwrap();
        let names: Vec<&str> = replies.get(asked).unwrap().iter().map(|v| v.name.as_str()).collect();
        assert!(names.contains(&"FROM_PROFILE") && names.contains(&"LOGNAME"), "{names:?}");
        assert!(!names.contains(&"CARGO_MANIFEST_DIR"), "{names:?}");
    }

    #[test]
    fn a_shell_that_is_not_there_is_named() {
        let account = Account { home: "/".into(), name: OsString::new(), shell: "/no/such/shell".into() };
        let mut batch = Batch::new();
        batch.system();
        let error = LocalLogin::new(account).run(&batch).unwrap_err();
        assert!(error.to_string().contains("/no/such/shell"), "{error}");
    }
}
