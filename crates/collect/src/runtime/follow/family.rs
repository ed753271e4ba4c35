//! pyenv and its kin (rbenv, nodenv, goenv, plenv, phpenv, tfenv): one shim folder, one version file, one folder
//! of versions.

use super::{Followed, PIN_BYTES, installed, nearest};
use crate::machine::Candidate;
use crate::runtime::known::{Known, Pending};
use crate::runtime::surroundings::Surroundings;

/// One member of the family.
#[derive(Debug)]
struct Member {
    manager: &'static str,
    /// The end of the folder where its shims stand.
    shims: &'static str,
    /// The variable that chooses a version.
    variable: &'static str,
    /// The file that does, in a project.
    pin: &'static str,
    /// What a pin may have before the version.
    prefix: &'static str,
    /// Where a version has its commands.
    commands: &'static str,
}

const fn member(
    manager: &'static str,
    shims: &'static str,
    variable: &'static str,
    pin: &'static str,
    prefix: &'static str,
) -> Member {
    Member { manager, shims, variable, pin, prefix, commands: "/bin" }
}

const MEMBERS: &[Member] = &[
    member("pyenv", "pyenv/shims", "PYENV_VERSION", ".python-version", "python-"),
    member("rbenv", "rbenv/shims", "RBENV_VERSION", ".ruby-version", "ruby-"),
    member("nodenv", "nodenv/shims", "NODENV_VERSION", ".node-version", "v"),
    member("goenv", "goenv/shims", "GOENV_VERSION", ".go-version", "go"),
    member("plenv", "plenv/shims", "PLENV_VERSION", ".perl-version", "perl-"),
    member("phpenv", "phpenv/shims", "PHPENV_VERSION", ".php-version", "php-"),
    Member {
        commands: "",
        ..member("tfenv", "tfenv/bin", "TFENV_TERRAFORM_VERSION", ".terraform-version", "v")
    },
];

/// A shim, and where its manager lives.
#[derive(Debug)]
pub(super) struct Shim {
    member: &'static Member,
    root: String,
}

/// The shim that a candidate is, if it is one of this family.
pub(super) fn recognise(candidate: &Candidate) -> Option<Shim> {
    [&candidate.path, &candidate.resolved].into_iter().find_map(|path| {
        let (folder, _) = path.rsplit_once('/')?;
        MEMBERS.iter().find_map(|member| {
            let before = folder.strip_suffix(member.shims)?;
            let whole = before.ends_with('/') || before.ends_with("/.");
            let root = folder.rsplit_once('/')?.0.to_owned();
            whole.then_some(Shim { member, root })
        })
    })
}

impl Shim {
    /// The file that its manager would start.
    pub(super) fn follow(
        &self,
        command: &str,
        world: &Surroundings,
        known: &mut Known,
    ) -> Result<Followed, Pending> {
        let Member { manager, variable, pin, prefix, commands, .. } = self.member;
        let versions = format!("{}/versions", self.root);
        let listed = known.names(&versions);
        let global = known.text(&format!("{}/version", self.root), PIN_BYTES);
        let pinned = match world.variable(variable) {
            Some(text) => Ok(Some((format!("${variable}"), text.into()))),
            None => nearest(&[pin], world, known, |_, text| words(text).next().is_some()),
        };
        let (listed, global) = (listed?, global?);
        let (from, text) =
            pinned?.unwrap_or_else(|| (format!("{}/version", self.root), global.unwrap_or_default()));
        let mut chosen = Vec::new();
        for word in words(&text) {
            if word == "system" {
                break;
            }
            let bare = word.strip_prefix(prefix).unwrap_or(word);
            let names = || listed.iter().map(String::as_str);
            match installed(word, names()).or_else(|| installed(bare, names())) {
                Some(name) => chosen.push(format!("{versions}/{name}{commands}/{command}")),
                None => {
                    let why = format!("{manager}: version `{word}`, which {from} asks for, is not installed");
                    return Ok(Followed::Nowhere { why, manager });
                }
            }
        }
        let heads: Vec<_> = chosen.iter().map(|path| known.head(path).map(|head| head.is_some())).collect();
        for (path, head) in chosen.into_iter().zip(heads) {
            if head? {
                return Ok(Followed::within(path, manager));
            }
        }
        // The manager passes on what none of its chosen versions has, if the system is among them;
        // otherwise the command is not found, though other versions may have it.
        let system = words(&text).next().is_none() || words(&text).any(|word| word == "system");
        Ok(if system { Followed::Next } else { Followed::Absent })
    }
}

/// The versions that a pin names: words, or parts between colons; `#` starts a remark.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .flat_map(|line| line.split([' ', '\t', ':', '\r']))
        .filter(|word| !word.is_empty() && !word.contains(['/', '\\']) && *word != "..")
}
