//! What a reference stands for now: the digest of an image, the commit of an action's tag. Images are asked of their
//! registry, commits of the system's git.

use std::time::Duration;

use parallax_collect::image::{Credentials, Reference, Registry};
use parallax_collect::machine::{Batch, Local, Machine, Run};

use super::Network;

const TIMEOUT: Duration = Duration::from_secs(30);
const MOST_BYTES: usize = 1 << 20;
/// Where actions are.
const ACTIONS: &str = "https://github.com";

/// Tells what references stand for.
pub(super) trait Resolver: Sync {
    /// The digest of an image: of its index, where it has one, so that every platform stays.
    fn image(&self, reference: &Reference) -> Result<String, String>;
    /// The commit of a tag or branch of a repository `owner/name`.
    fn commit(&self, repository: &str, revision: &str) -> Result<String, String>;
}

/// Asks the world.
#[derive(Debug)]
pub(super) struct World {
    pub(super) network: Network,
}

impl Resolver for World {
    fn image(&self, reference: &Reference) -> Result<String, String> {
        if self.network == Network::Offline {
            return Err("--offline was given".to_owned());
        }
        let registry = Registry::of(reference, &Credentials::of_user());
        registry.and_then(|registry| registry.digest(reference)).map_err(|e| e.to_string())
    }

    fn commit(&self, repository: &str, revision: &str) -> Result<String, String> {
        if self.network == Network::Offline {
            return Err("--offline was given".to_owned());
        }
        let names = [
            format!("refs/tags/{revision}"),
            format!("refs/tags/{revision}^{{}}"),
            format!("refs/heads/{revision}"),
        ];
        let start = ["env", "GIT_TERMINAL_PROMPT=0", "git", "ls-remote", "--quiet"];
        let url = format!("{ACTIONS}/{repository}");
        let argv = start.into_iter().map(str::to_owned).chain([url]).chain(names).collect();
        let mut batch = Batch::new();
        let run = Run { argv, timeout: TIMEOUT, max_bytes: MOST_BYTES, depends_on: Vec::new() };
        let ticket = batch.run(run);
        let replies = Local::new(None).run(&batch).map_err(|e| e.to_string())?;
        let output = replies.get(ticket).map_err(|e| format!("git: {e}"))?;
        if output.status != 0 {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().last().unwrap_or("it failed").to_owned();
            return Err(format!("git could not ask for {repository}: {last}"));
        }
        commit_of(&String::from_utf8_lossy(&output.stdout), revision)
            .ok_or_else(|| format!("{repository} has no tag and no branch `{revision}`"))
    }
}

/// From what `git ls-remote` lists: a tag before a branch, and of an annotated tag the commit that it names (`^{}`).
fn commit_of(listed: &str, revision: &str) -> Option<String> {
    let find = |name: String| {
        listed.lines().filter_map(|line| line.split_once('\t')).find(|(_, listed)| *listed == name)
    };
    let found = find(format!("refs/tags/{revision}^{{}}"))
        .or_else(|| find(format!("refs/tags/{revision}")))
        .or_else(|| find(format!("refs/heads/{revision}")));
    let (commit, _) = found?;
    (commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit())).then(|| commit.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_lists() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let listed = format!("{a}\trefs/heads/v4\n{b}\trefs/tags/v4\n{c}\trefs/tags/v4^{{}}\n");
        assert_eq!(commit_of(&listed, "v4"), Some(c));
        assert_eq!(commit_of(&format!("{a}\trefs/heads/main\n"), "main"), Some(a));
        assert_eq!(commit_of("x\trefs/heads/main\n", "main"), None);
        assert_eq!(commit_of("", "v4"), None);
    }
}
