//! What the readers share; real lockfiles, with their true counts and places of errors in them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::lockfile::tests::corpus;
use crate::lockfile::{Files, Locked, by_path};

/// Reads a file of the corpus.
fn real(path: &str) -> Option<(Vec<u8>, Locked)> {
    let bytes = std::fs::read(corpus()?.join(path)).unwrap();
    let locked = by_path(path).unwrap().read.unwrap()(&Files::new(path, &bytes, &BTreeMap::new())).unwrap();
    Some((bytes, locked))
}

fn distinct(locked: &Locked) -> BTreeSet<(String, String)> {
    locked.packages.iter().map(|p| (p.name.clone(), p.version.clone())).collect()
}

#[test]
fn npm_has_its_true_counts() {
    let Some((bytes, locked)) = real("facebook+create-react-app/package-lock.json") else { return };
    let entries =
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["packages"].as_object().unwrap().len();
    assert_eq!((entries, distinct(&locked).len()), (2_590, 2_103));
    let read = by_path("package-lock.json").unwrap().read.unwrap();
    for cut in (1..40).map(|n| n * bytes.len() / 41) {
        let error = read(&Files::new("package-lock.json", &bytes[..cut], &BTreeMap::new())).unwrap_err();
        let lines = bytes[..cut].iter().filter(|b| **b == b'\n').count() + 1;
        assert_eq!((error.line, error.what), (lines, "ends too early"), "cut at {cut}");
    }
}

#[test]
fn what_resolved_texts_say() {
    let check = |text: &str, name: &str, origin: Option<Origin>, version: Option<&str>| {
        let expected = Resolved { origin, version: version.map(str::to_owned) };
        assert_eq!(resolved(text, name), expected, "{text}");
    };
    let registry = |url: &str| Some(Origin::Registry(url.to_owned()));
    for own in OWN_REGISTRIES {
        check(&format!("https://{own}/@s/a/-/a-1.0.0.tgz"), "@s/a", None, None);
        check(&format!("https://{own}/@s%2fa/-/a-1.0.0.tgz#0e0c"), "@s/a", None, None);
    }
    check(
        "https://u:p@npm.example.org/x/a/-/a-1.tgz",
        "a",
        registry("https://REDACTED@npm.example.org/x"),
        None,
    );
    check("https://h/@s/real/-/real-1.tgz", "alias", registry("https://h"), None);
    let url = Origin::Url("https://h/a.tgz".to_owned());
    check("https://h/a.tgz?token=hunter2", "a", Some(url), None);
    let git = |url: &str| Some(Origin::Git(url.to_owned()));
    check("git+ssh://git@h/r.git#abc", "a", git("git+ssh://REDACTED@h/r.git"), Some("abc"));
    check("https://h/r.git#commit=abc", "a", git("https://h/r.git"), Some("abc"));
    check("github:u/r", "a", git("github:u/r"), None);
    check("file:../f.tgz", "a", Some(Origin::Path("file:../f.tgz".to_owned())), Some("file:../f.tgz"));
    check("1.0.0", "a", None, None);
    check("", "a", None, None);
}

#[test]
fn hashes_and_nothing_else() {
    assert_eq!(hashes("sha512-b== sha1-a=?hunter2 hunter2 -x sha1-a="), ["sha1-a=", "sha512-b=="]);
}

#[test]
fn lists_become_clauses() {
    let found = clauses([("os", vec!["linux", "!win32"]), ("cpu", vec!["any"]), ("libc", vec!["", "a b"])]);
    assert_eq!(found, ["os=linux,!win32"]);
}
