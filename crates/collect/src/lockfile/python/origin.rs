//! Where a Python package comes from, told without credentials.

use crate::lockfile::Origin;
use crate::secret::without_credentials;

/// The public registry under the names that it has had.
const PUBLIC: [&str; 3] = ["pypi.org", "pypi.python.org", "www.pypi.org"];

/// A registry; `None` is the public one.
pub(super) fn registry(url: &str) -> Option<Origin> {
    let place = location(url);
    let host = place.split_once("://").map(|(_, rest)| rest.split(['/', ':']).next().unwrap_or_default());
    let public =
        host.is_some_and(|host| PUBLIC.contains(&host)) && place.trim_end_matches('/').ends_with("/simple");
    (!public).then_some(Origin::Registry(place))
}

/// A URL without user, password, query and fragment, each of which may be a credential.
pub(super) fn location(url: &str) -> String {
    if url.contains("//") {
        return without_credentials(url).replacen("REDACTED@", "", 1);
    }
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    // `git@host:path`: the user is no secret, but `user:password@host` would be.
    plain.rsplit_once('@').map_or(plain, |(_, after)| after).to_owned()
}

/// A git URL of pip's (`git+https://host/path@revision#egg=name`): the repository, and what is checked out.
pub(super) fn git(url: &str) -> Option<(String, Option<&str>)> {
    let url = url.strip_prefix("git+")?;
    let plain = url.split('#').next().unwrap_or_default();
    let path_at = plain.split_once("://").map_or(0, |(scheme, rest)| {
        let host = rest.find('/').unwrap_or(rest.len());
        scheme.len() + 3 + host
    });
    let (host, path) = plain.split_at(path_at);
    let found = path.rsplit_once(".git@").map(|(before, revision)| (format!("{host}{before}.git"), revision));
    let plain_revision = |revision: &str| !revision.contains(['/', ':', '@']);
    let found = found.or_else(|| {
        let (before, revision) = path.rsplit_once('@').filter(|(_, revision)| plain_revision(revision))?;
        // With another `@` in front, or a dot behind, this may be a password and its host.
        Some((format!("{host}{before}"), revision)).filter(|_| !before.contains('@') && !is_host(revision))
    });
    let (repository, revision) = match found {
        Some((repository, revision)) => {
            (repository, Some(revision).filter(|revision| plain_revision(revision)))
        }
        None => (plain.to_owned(), None),
    };
    Some((location(&repository), revision.filter(|revision| !revision.is_empty())))
}

/// Whether a text after `@` may as well be a host's name; a version's tag is not.
fn is_host(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.') && last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The name and version that a wheel's or an archive's own name tells.
pub(super) fn of_file(place: &str) -> Option<(&str, &str)> {
    let file = place.rsplit(['/', '\\']).next()?;
    if let Some(stem) = file.strip_suffix(".whl") {
        let mut parts = stem.split('-');
        return Some((parts.next()?, parts.next()?));
    }
    let stem = [".tar.gz", ".zip", ".tar.bz2"].iter().find_map(|suffix| file.strip_suffix(suffix))?;
    let (name, version) = stem.rsplit_once('-')?;
    version.starts_with(|c: char| c.is_ascii_digit()).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_credentials() {
        let check = |url: &str, expected: &str| assert_eq!(location(url), expected, "{url}");
        check("https://index.example.org/simple", "https://index.example.org/simple");
        check("https://user:hunter2@index.example.org/simple?token=x#y", "https://index.example.org/simple");
        check("https://user:hun/ter@2@index.example.org/simple", "https://index.example.org/simple");
        check("https://user:hun?ter2@index.example.org/simple", "https://REDACTED");
        check("https://user:hun#ter2@index.example.org/simple", "https://REDACTED");
        check("https://host.example.org/x.zip#egg=x", "https://host.example.org/x.zip");
        check("ssh://git@host.example.org/a/b", "ssh://host.example.org/a/b");
        check("user:hunter2@host:a/b", "host:a/b");
        check("../dist/a.whl", "../dist/a.whl");
        check("", "");
    }

    #[test]
    fn repositories() {
        let check = |url: &str, expected: Option<(&str, Option<&str>)>| {
            let found = git(url);
            let found = found.as_ref().map(|(place, revision)| (place.as_str(), *revision));
            assert_eq!(found, expected, "{url}");
        };
        check(
            "git+https://host.example.org/a.git@v1.2#egg=a",
            Some(("https://host.example.org/a.git", Some("v1.2"))),
        );
        check(
            "git+https://host.example.org/a@0123abc",
            Some(("https://host.example.org/a", Some("0123abc"))),
        );
        check("git+ssh://git@host.example.org/a/b.git", Some(("ssh://host.example.org/a/b.git", None)));
        check(
            "git+https://u:p@host.example.org/a.git@main",
            Some(("https://host.example.org/a.git", Some("main"))),
        );
        check("git+https://u:p/w@host.example.org/a.git", Some(("https://host.example.org/a.git", None)));
        check("git+https://u:p/w@host.org", Some(("https://host.org", None)));
        check("https://host.example.org/a.git", None);
    }

    #[test]
    fn files() {
        let check =
            |place: &str, expected: Option<(&str, &str)>| assert_eq!(of_file(place), expected, "{place}");
        check("https://files.example.org/x/a_b-1.0-py3-none-any.whl", Some(("a_b", "1.0")));
        check("./dist/a-b-1.0.tar.gz", Some(("a-b", "1.0")));
        check("a-main.zip", None);
        check("a.whl", None);
        check("folder", None);
    }
}
