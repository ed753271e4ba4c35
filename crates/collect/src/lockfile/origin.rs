//! Where a package comes from, by the URLs that formats write. Credentials are taken out here.

use super::Origin;
use crate::secret::without_credentials;

impl Origin {
    /// A git repository, without the tool's own prefix.
    pub(super) fn git(url: &str) -> Self {
        Self::Git(clean(url.strip_prefix("git+").unwrap_or(url)))
    }

    /// Another registry.
    pub(super) fn registry(url: &str) -> Self {
        Self::Registry(clean(url))
    }

    /// A file by URL.
    pub(super) fn url(url: &str) -> Self {
        Self::Url(clean(url))
    }

    /// A file or folder, or what a format puts there instead: a URL.
    pub(super) fn path(path: &str) -> Self {
        Self::Path(clean(path))
    }
}

/// A URL without what may be a credential. The user `git` of ssh is none.
pub(super) fn clean(url: &str) -> String {
    without_credentials(url).replace("//REDACTED@", "//").trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_without_credentials() {
        let check = |found: Origin, expected: &str| assert_eq!(format!("{found:?}"), expected);
        check(Origin::git("git+https://u:p@h.example/a?x=t#c"), "Git(\"https://h.example/a\")");
        check(Origin::git("git@h.example:a/b.git"), "Git(\"git@h.example:a/b.git\")");
        check(Origin::git("ssh://git@h.example/a"), "Git(\"ssh://h.example/a\")");
        check(Origin::registry("https://token@h.example/gems/"), "Registry(\"https://h.example/gems\")");
        check(Origin::path("../x"), "Path(\"../x\")");
    }
}
