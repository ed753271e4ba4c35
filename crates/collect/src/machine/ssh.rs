//! A host over the system's `ssh`, so that the user's own configuration, agent, jump hosts and known hosts apply.
//! Host-key checking is never touched, and no password is ever asked for.

use std::process::Command;
use std::time::Duration;

use super::shell::{Ended, LOADER, Shell, ShellMachine};
use super::{Batch, Machine, MachineError, Replies, SshPlace};

/// A host over the system's `ssh`: one connection for its life, one round trip for each batch.
#[derive(Debug)]
pub struct Ssh(ShellMachine<SshShell>);

/// How a host is reached.
#[derive(Debug, Clone)]
pub struct SshOptions {
    /// More arguments for `ssh`, such as `-F FILE`.
    pub arguments: Vec<String>,
    /// Whose environment is observed.
    pub login: Login,
    /// How long a batch may take besides its commands, connecting included.
    pub patience: Duration,
}

/// Which environment commands have on the far side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// What `ssh` gives to a command.
    Command,
    /// What the account's login shell makes of it.
    Shell,
}

impl Default for SshOptions {
    fn default() -> Self {
        Self { arguments: Vec::new(), login: Login::Command, patience: Duration::from_secs(60) }
    }
}

impl SshOptions {
    /// With the arguments that a text such as the variable `PARALLAX_SSH` holds: words, which quotes (`'` or
    /// `"`) keep together.
    #[must_use]
    pub fn with_arguments(mut self, text: &str) -> Self {
        self.arguments.extend(words(text));
        self
    }
}

impl Ssh {
    /// The host at a place. Connects at the first batch.
    #[must_use]
    pub fn new(place: &SshPlace, options: SshOptions) -> Self {
        let patience = options.patience;
        Self(ShellMachine::new(place.address(), SshShell { place: place.clone(), options }, patience))
    }
}

impl Machine for Ssh {
    fn place(&self) -> &str {
        self.0.place()
    }

    fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
        self.0.run(batch)
    }
}

#[derive(Debug)]
struct SshShell {
    place: SshPlace,
    options: SshOptions,
}

impl Shell for SshShell {
    fn start(&self) -> Command {
        let mut ssh = Command::new("ssh");
        // The first value of an option wins: these before the user's, those behind may be overruled.
        ssh.args(["-T", "-x", "-a", "-o", "BatchMode=yes", "-o", "RemoteCommand=none"]);
        ssh.args(["-o", "ClearAllForwardings=yes", "-o", "PermitLocalCommand=no", "-o", "EscapeChar=none"]);
        ssh.args(&self.options.arguments);
        ssh.args(["-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"]);
        if let Some(user) = &self.place.user {
            ssh.args(["-l", user]);
        }
        if let Some(port) = self.place.port {
            ssh.args(["-p", &port.to_string()]);
        }
        ssh.args(["--", &self.place.host]);
        // The account's shell reads this line, whichever shell that is.
        match self.options.login {
            Login::Command => ssh.arg(format!("exec sh -c '{LOADER}'")),
            Login::Shell => {
                let inner = LOADER.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
                ssh.arg(format!(
                    "exec sh -c 'exec \"${{SHELL:-sh}}\" -l -c \"exec sh -c '\\''{inner}'\\''\"'"
                ))
            }
        };
        ssh
    }

    fn ended(&self, place: &str, ended: &Ended) -> MachineError {
        let place = place.to_owned();
        let said =
            |default: &str| if ended.said.is_empty() { default.to_owned() } else { ended.said.clone() };
        match ended.status {
            Some(255) | None => {
                let why = said(if ended.spoke { "the connection was lost" } else { "ssh gave no reason" });
                classified(place, why)
            }
            Some(status) => {
                let why = said("it said nothing");
                MachineError::Garbled { place, why: format!("the far shell ended with {status}: {why}") }
            }
        }
    }
}

/// What `ssh`'s own words mean.
fn classified(place: String, why: String) -> MachineError {
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    if says(&["Host key verification failed", "HOST IDENTIFICATION HAS CHANGED", "host key"]) {
        MachineError::HostKey { place, why }
    } else if says(&["Permission denied", "Too many authentication failures", "not allowed"]) {
        MachineError::Refused { place, why }
    } else {
        MachineError::Unreachable { place, why }
    }
}

/// Takes a text apart into words.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(q) if q == c => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_taken_apart() {
        let check = |text: &str, expected: &[&str]| assert_eq!(words(text), expected, "{text}");
        check("", &[]);
        check(" -F  /a/b ", &["-F", "/a/b"]);
        check("-F '/a b' -o \"X=y z\"", &["-F", "/a b", "-o", "X=y z"]);
        check("a'b'\"c\" ''", &["abc", ""]);
    }

    #[test]
    fn host_key_checking_is_left_alone() {
        let place: crate::machine::Place = "ssh://ann@h:2/x".parse().unwrap();
        let crate::machine::Place::Ssh(place) = place else { panic!("it is one") };
        let shell = SshShell { place, options: SshOptions::default() };
        let command = format!("{:?}", shell.start());
        assert!(!command.contains("StrictHostKeyChecking") && !command.contains("KnownHosts"), "{command}");
        assert!(command.contains("\"-l\" \"ann\" \"-p\" \"2\" \"--\" \"h\""), "{command}");
    }

    #[test]
    fn words_of_ssh_become_errors() {
        let check = |why: &str, expected: fn(&MachineError) -> bool| {
            assert!(expected(&classified("p".into(), why.into())), "{why}");
        };
        check("Host key verification failed.", |e| matches!(e, MachineError::HostKey { .. }));
        check("No ED25519 host key is known for [h]:2 and you have requested strict checking.", |e| {
            matches!(e, MachineError::HostKey { .. })
        });
        check("a@h: Permission denied (publickey).", |e| matches!(e, MachineError::Refused { .. }));
        check("ssh: connect to host h port 2: Connection refused", |e| {
            matches!(e, MachineError::Unreachable { .. })
        });
    }
}
