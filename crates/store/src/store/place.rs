//! Where a store is, as somebody named it: a file, or a URL. The one place that tells them apart, and that says what may be shown.

use std::path::Path;

use crate::StoreError;
use crate::postgres::{self, Credentials};

/// The longest name that an environment may have, in bytes: longer ones do not fit into the index of every backend.
const LONGEST_NAME: usize = 1024;

/// A place, told apart.
pub(super) enum Named<'p> {
    File(&'p Path),
    Shared(&'p str),
}

/// Whether a place is named by the URL of a shared store.
#[must_use]
pub fn is_url(place: &str) -> bool {
    matches!(Named::of(place), Ok(Named::Shared(_)))
}

/// The file that a place names; `None` for a URL, and for what names no store.
#[must_use]
pub fn is_file(place: &str) -> Option<&Path> {
    match Named::of(place) {
        Ok(Named::File(path)) => Some(path),
        Ok(Named::Shared(_)) | Err(_) => None,
    }
}

/// A place as it may be shown: a file as it is, of a URL no more than server, port and database, and of what might hold
/// a password nothing.
#[must_use]
pub fn shown(place: &str) -> String {
    match Named::of(place) {
        Ok(Named::File(path)) => path.display().to_string(),
        Ok(Named::Shared(url)) => postgres::shown(url, &Credentials::default()),
        Err(StoreError::UnknownUrl { url }) => format!("{url}://..."),
        Err(_) => "...".to_owned(),
    }
}

impl<'p> Named<'p> {
    /// What looks like a URL is never taken for a file, and of one that is not understood no more than the scheme is told.
    pub(super) fn of(place: &'p str) -> Result<Self, StoreError> {
        let trimmed = place.trim_start();
        let Some((scheme, rest)) = trimmed.split_once(':') else {
            return file(place);
        };
        let is_scheme = scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphabetic());
        match scheme.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => Ok(Self::Shared(trimmed.trim_end())),
            "sqlite" => file(rest.strip_prefix("//").unwrap_or(rest)),
            // A user and a password look like a scheme, too.
            scheme if is_scheme && !rest.contains('@') => {
                Err(StoreError::UnknownUrl { url: scheme.to_owned() })
            }
            scheme if is_scheme && rest.starts_with("//") => {
                Err(StoreError::UnknownUrl { url: scheme.to_owned() })
            }
            _ if rest.starts_with("//") => Err(StoreError::UnknownUrl { url: "...".to_owned() }),
            _ => file(place),
        }
    }
}

/// A path that can be a store's. `user:password@host/x` is a URL that lacks its scheme, and would become a folder of that name.
fn file(path: &str) -> Result<Named<'_>, StoreError> {
    let refused = |place: &str, why: &str| {
        Err(StoreError::Unreachable { place: place.to_owned(), why: why.to_owned() })
    };
    let first = path.split('/').next().unwrap_or_default();
    let is_drive = cfg!(windows) && first.chars().nth(1) == Some(':') && !first.contains('@');
    if path.trim().is_empty() {
        return refused(path, "it names no file");
    }
    if path == ":memory:" {
        return refused(path, "a store in memory keeps nothing; name a file");
    }
    if first.contains([':', '@']) && !is_drive {
        return refused(
            "...",
            "what stands before the first `/` holds a `:` or `@`; a URL begins with postgresql://, and a file of \
             such a name is written ./NAME",
        );
    }
    Ok(Named::File(Path::new(path)))
}

/// Whether an environment may have that name; alike for every backend.
pub(super) fn check_name(name: &str) -> Result<(), StoreError> {
    let why = if name.len() > LONGEST_NAME {
        "it is longer than 1,024 bytes"
    } else if name.contains('\0') {
        "it holds a zero byte"
    } else {
        return Ok(());
    };
    let begin: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    let source = format!("no environment can be named `{begin}...`: {why}").into();
    Err(StoreError::Backend { place: "the store".to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(place: &str, expected_shown: &str, file: Option<&str>, url: Option<()>) {
        assert_eq!(shown(place), expected_shown, "{place}");
        assert_eq!(is_file(place), file.map(Path::new), "{place}");
        assert_eq!(is_url(place), url.is_some(), "{place}");
    }

    #[test]
    fn files_and_urls_are_told_apart_in_one_place() {
        check("store.db", "store.db", Some("store.db"), None);
        check("a/b:c@d", "a/b:c@d", Some("a/b:c@d"), None);
        check("./a:b", "./a:b", Some("./a:b"), None);
        check("sqlite:x.db", "x.db", Some("x.db"), None);
        check("sqlite://x.db", "x.db", Some("x.db"), None);
        check("SQLITE:///x.db", "/x.db", Some("/x.db"), None);
        check("POSTGRESQL://ann:s3cret@h/d", "postgresql://h:5432/d", None, Some(()));
        check("  postgres://h:6000/d\n", "postgresql://h:6000/d", None, Some(()));
        for place in [":memory:", "sqlite:", "sqlite://", "sqlite::memory:", "", " "] {
            assert_eq!(is_file(place), None, "{place}");
            assert!(!is_url(place));
            let error = crate::Store::open(place).unwrap_err();
            assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
        }
    }

    #[test]
    fn no_part_of_a_password_is_ever_shown() {
        for place in [
            "postgresql://ann:s3cret",
            "postgresql://ann:s3@cret@h/d",
            "postgresql://h/d?password=s3cret&cret",
            "postgresql://h/d?password=s3cret",
            "db:5432/x?password=p@s3cret",
            "postgresql://h/d?pass%77ord=s3cret",
            "postgresql://h/s3cret#x",
            "postgresql://s3cret@h/d",
            "postgres:s3cret",
            "mysql://ann:s3cret@h/d",
            "ann:s3cret@h/d",
            "ann1:s3cret@h/x",
            "ann1:s3/cret@h/x",
            "ann@s3cret/x",
            "1s3cret://h",
        ] {
            let mut told = shown(place);
            // What is understood would be connected to.
            if !is_url(place) || told == "postgresql://..." {
                told.push_str(&crate::Store::open(place).unwrap_err().to_string());
            }
            assert!(!told.contains("s3") && !told.contains("cret"), "{place}: {told}");
        }
        assert_eq!(shown("postgresql://ann:s3cret"), "postgresql://...");
    }

    #[test]
    fn names_that_no_index_takes_are_refused() {
        for name in ["x".repeat(1025), "a\0b".to_owned()] {
            let error = check_name(&name).unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains("no environment can be named") && source.len() < 200, "{source}");
        }
        assert!(check_name(&"x".repeat(1024)).is_ok());
        let place = crate::store::tests::Place::new();
        let long = "y".repeat(12_000);
        let whole = crate::store::tests::snapshot(0, 1, 0, 0);
        assert!(place.open().record(&long, &whole).is_err());
        assert_eq!(place.open().environments().unwrap(), [""; 0]);
    }
}
