//! Image references: `[registry/]repository[:tag][@digest]`, read as Docker and containerd read them.
//! <https://github.com/distribution/reference/blob/main/reference.go> has the grammar,
//! <https://github.com/distribution/reference/blob/main/normalize.go> what familiar names stand for.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The registry that is meant where none is named.
const DOCKER_HUB: &str = "docker.io";
/// The names of that registry in older files.
const OLD_NAMES: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];
/// A repository's path may not be longer.
const MOST_BYTES: usize = 255;

/// What names an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text is no reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReferenceError {
    /// There is nothing.
    #[error("an image reference is empty")]
    Empty,
    /// A repository is made of lower case letters, digits and single separators.
    #[error("the name of the image holds what no repository's name may hold")]
    Name,
    /// A tag is at most 128 letters, digits, `_`, `.` and `-`.
    #[error("the tag holds what no tag may hold")]
    Tag,
    /// A digest is `sha256:` and 64 hexadecimal digits, or of another known algorithm.
    #[error("the digest is not an algorithm and its hexadecimal digits")]
    Digest,
}

impl Reference {
    /// The registry's host and port; `docker.io` where none is written.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry; official images are in `library/`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, as written; `None` where there is none.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, `sha256:..`.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// What a registry is asked for: the digest, else the tag, else `latest`.
    #[must_use]
    pub fn name_of_manifest(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }

    /// Whether what it names can change: only a digest cannot.
    #[must_use]
    pub fn is_floating(&self) -> bool {
        self.digest.is_none()
    }

    /// The same image, fixed: `name:tag@digest`.
    ///
    /// # Errors
    /// Where the digest is none.
    pub fn pinned(&self, digest: &str) -> Result<Self, ReferenceError> {
        if !is_digest(digest) {
            return Err(ReferenceError::Digest);
        }
        Ok(Self { digest: Some(digest.to_owned()), ..self.clone() })
    }

    /// The name as people write it, without tag and digest: `node`, `bitnami/redis`, `ghcr.io/owner/app`.
    #[must_use]
    pub fn familiar_name(&self) -> String {
        if self.registry != DOCKER_HUB {
            return format!("{}/{}", self.registry, self.repository);
        }
        self.repository.strip_prefix("library/").unwrap_or(&self.repository).to_owned()
    }
}

/// As people write it.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.familiar_name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) if is_digest(digest) => (name, Some(digest.to_owned())),
            Some(_) => return Err(ReferenceError::Digest),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            Some(_) | None => (name, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Tag);
        }
        let (registry, repository) = split(name);
        if !is_registry(registry) || !is_repository(&repository) {
            return Err(ReferenceError::Name);
        }
        Ok(Self { registry: registry.to_owned(), repository, tag: tag.map(str::to_owned), digest })
    }
}

/// What is before the first slash is a registry only where it looks like a host.
fn split(name: &str) -> (&str, String) {
    let (registry, rest) = match name.split_once('/') {
        Some((first, rest)) if is_host(first) => (first, rest),
        Some(_) | None => (DOCKER_HUB, name),
    };
    let registry = if OLD_NAMES.contains(&registry) { DOCKER_HUB } else { registry };
    let is_official = registry == DOCKER_HUB && !rest.contains('/');
    (registry, if is_official { format!("library/{rest}") } else { rest.to_owned() })
}

fn is_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_registry(host: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    !host.is_empty() && host.bytes().all(plain)
}

fn is_repository(path: &str) -> bool {
    let component = |part: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let bytes = part.as_bytes();
        let separators = ["..", "___", "._", "_.", ".-", "-.", "_-", "-_"];
        bytes.iter().all(|b| inner(*b))
            && edge(bytes.first())
            && edge(bytes.last())
            && !separators.iter().any(|pair| part.contains(pair))
    };
    path.len() <= MOST_BYTES && path.split('/').all(component)
}

fn is_tag(tag: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let first = tag.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    first && tag.len() <= 128 && tag.bytes().all(inner)
}

/// `algorithm:hex`, the digits as many as the algorithm gives where it is a registered one.
pub(crate) fn is_digest(text: &str) -> bool {
    let Some((algorithm, digits)) = text.split_once(':') else { return false };
    let is_long_enough = match algorithm {
        "sha256" => digits.len() == 64,
        "sha512" => digits.len() == 128,
        _ => {
            digits.len() >= 32 && algorithm.bytes().all(|b| b.is_ascii_alphanumeric() || b"+._-".contains(&b))
        }
    };
    let is_hex = digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    is_long_enough && is_hex && !algorithm.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let told = match text.parse::<Reference>() {
            Ok(r) => format!("{} {} {}", r.registry(), r.repository(), r.name_of_manifest()),
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn as_docker_reads_them() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        check("node", "docker.io library/node latest");
        check("node:20.11-alpine", "docker.io library/node 20.11-alpine");
        check("bitnami/redis:7", "docker.io bitnami/redis 7");
        check("docker.io/node", "docker.io library/node latest");
        check("index.docker.io/library/node:1", "docker.io library/node 1");
        check("localhost/app", "localhost app latest");
        check("localhost:5000/team/app:v1", "localhost:5000 team/app v1");
        check("registry.example.org/a/b/c", "registry.example.org a/b/c latest");
        check("Registry/app", "Registry app latest");
        check(&format!("node:20@{digest}"), &format!("docker.io library/node {digest}"));
        check(&format!("app@{digest}"), &format!("docker.io library/app {digest}"));
        check("a__b/c---d", "docker.io a__b/c---d latest");
    }

    #[test]
    fn what_is_none() {
        check("", "Empty");
        check("Node", "Name");
        check("a//b", "Name");
        check("-a", "Name");
        check("a..b", "Name");
        check("${BASE}", "Name");
        check("node:", "Tag");
        check(&format!("node:{}", "a".repeat(129)), "Tag");
        check("node@sha256:12", "Digest");
        check("node@", "Digest");
        check(&"a/".repeat(200), "Name");
        check("node:2 0", "Tag");
    }

    #[test]
    fn people_read_what_they_wrote() {
        let pinned =
            "node:20".parse::<Reference>().unwrap().pinned(&format!("sha256:{}", "0".repeat(64))).unwrap();
        assert_eq!(pinned.to_string(), format!("node:20@sha256:{}", "0".repeat(64)));
        assert!(!pinned.is_floating() && "node:20".parse::<Reference>().unwrap().is_floating());
        assert_eq!(pinned.to_string().parse::<Reference>().unwrap(), pinned);
        assert_eq!("ghcr.io/o/a:1".parse::<Reference>().unwrap().to_string(), "ghcr.io/o/a:1");
    }
}
