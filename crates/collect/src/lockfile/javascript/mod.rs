//! JavaScript's lockfiles: npm, Yarn (classic and berry), pnpm, Bun, Deno. One file per installer; what they share
//! is here (what a resolved URL says), in `graph` (what is needed by whom) and in `manifest` (`package.json`).

pub(super) mod bun;
pub(super) mod declared;
pub(super) mod deno;
mod graph;
mod manifest;
pub(super) mod npm;
pub(super) mod pnpm;
mod syml;
#[cfg(test)]
mod tests;
pub(super) mod yarn;

use std::cell::Cell;

use super::{Malformed, Origin};
use crate::secret::without_credentials;

/// Hosts of npm's own registry and of its mirror that Yarn asks.
const OWN_REGISTRIES: [&str; 2] = ["registry.npmjs.org", "registry.yarnpkg.com"];

/// Where a package comes from, and its version where that is none of a registry's.
#[derive(Debug, Default, PartialEq, Eq)]
struct Resolved {
    origin: Option<Origin>,
    /// A commit, a path.
    version: Option<String>,
}

/// What a lockfile says of where a package comes from: a URL, a path, a git repository.
fn resolved(text: &str, name: &str) -> Resolved {
    if is_git(text) {
        let (url, commit) = text.rsplit_once('#').unwrap_or((text, ""));
        let commit = commit.strip_prefix("commit=").unwrap_or(commit);
        let commit = Some(clean(commit)).filter(|commit| !commit.is_empty());
        return Resolved { origin: Some(Origin::Git(clean(url))), version: commit };
    }
    if ["file:", "link:", "portal:", "./", "../", "/"].iter().any(|start| text.starts_with(start)) {
        let path = clean(text);
        return Resolved { origin: Some(Origin::Path(path.clone())), version: Some(path) };
    }
    if !text.contains("://") {
        return Resolved::default();
    }
    let origin = match registry(text, name) {
        Some(base) if OWN_REGISTRIES.contains(&host(base)) => None,
        Some(base) => Some(Origin::Registry(clean(base))),
        None => Some(Origin::Url(clean(text))),
    };
    Resolved { origin, version: None }
}

/// The registry's URL within that of a package's file there, `<registry>/<name>/-/<file>`. One that encodes the scope's
/// `/`, or has a file for an alias, is one of a registry too.
fn registry<'t>(url: &'t str, name: &str) -> Option<&'t str> {
    let (before, _) = url.split_once("/-/")?;
    if let Some(base) = before.strip_suffix(name) {
        return base.strip_suffix('/');
    }
    let (base, last) = before.rsplit_once('/')?;
    if last.starts_with('@') {
        return Some(base);
    }
    base.rsplit_once('/')
        .filter(|(_, scope)| scope.starts_with('@'))
        .map_or(Some(base), |(base, _)| Some(base))
}

fn host(url: &str) -> &str {
    let after = url.split_once("//").map_or(url, |(_, after)| after);
    let authority = after.split('/').next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

fn clean(text: &str) -> String {
    without_credentials(text).into_owned()
}

fn is_git(url: &str) -> bool {
    ["git+", "git:", "git@", "ssh:", "github:", "gitlab:", "bitbucket:", "gist:"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
        || url.split(['#', '?']).next().unwrap_or_default().ends_with(".git")
}

/// The hashes of an integrity (`sha512-<base64>`, several separated by spaces), and nothing else that may stand in
/// its place.
fn hashes(text: &str) -> Vec<String> {
    let known = |hash: &&str| {
        hash.split_once('-').is_some_and(|(algorithm, digest)| {
            (algorithm.starts_with("sha") || algorithm == "md5")
                && algorithm.bytes().all(|b| b.is_ascii_alphanumeric())
                && digest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
        })
    };
    let bare = text.split_ascii_whitespace().map(|hash| hash.split('?').next().unwrap_or_default());
    let mut found: Vec<String> = bare.filter(known).map(str::to_owned).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// npm's lists of what a package runs on, as a condition's clauses: `os=linux,!win32`.
fn clauses<'t>(lists: impl IntoIterator<Item = (&'static str, Vec<&'t str>)>) -> Vec<String> {
    let word = |text: &&str| {
        (1..32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'!' | b'-' | b'_'))
    };
    let mut clauses = Vec::new();
    for (field, list) in lists {
        let words: Vec<&str> = list.into_iter().filter(word).collect();
        // A list that names more than there are is none that is understood.
        if (1..64).contains(&words.len()) && words != ["any"] {
            clauses.push(format!("{field}={}", words.join(",")));
        }
    }
    clauses
}

/// How many bytes of paths may be looked up for one lockfile: searches through folders within folders could go on
/// for long.
#[derive(Debug)]
struct Budget(Cell<usize>);

impl Budget {
    fn new() -> Self {
        Self(Cell::new(1 << 28))
    }

    /// Spends some; `None` where not as much is left.
    fn spend(&self, bytes: usize) -> Option<()> {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or(0));
        left.map(drop)
    }

    /// What is told where it did not do: some edges are missing then.
    fn told(&self) -> Option<Malformed> {
        let what = "folders within folders go on for too long";
        (self.0.get() == 0).then_some(Malformed { line: 1, column: 1, what })
    }
}

/// `@scope/name@reference` in its two parts.
fn split_locator(text: &str) -> Option<(&str, &str)> {
    let scope = usize::from(text.starts_with('@'));
    let at = text.get(scope..)?.find('@')? + scope;
    let (name, reference) = text.split_at_checked(at)?;
    Some((name, reference.get(1..)?)).filter(|(name, reference)| !name.is_empty() && !reference.is_empty())
}

/// Hexadecimal digits, as many as a hash has.
fn is_digits_of_hash(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 56 | 64 | 96 | 128) && text.bytes().all(|b| b.is_ascii_hexdigit())
}
