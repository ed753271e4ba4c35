//! Real requests over a loopback server that serves documents in the registries' own shape.

use super::*;

#[test]
fn hashes_are_compared_by_algorithm() {
    let check = |locked: &[&str], served: &[&str], expected: Difference| {
        let list = |all: &[&str]| all.iter().map(|hash| (*hash).to_owned()).collect::<Vec<_>>();
        assert_eq!(difference(&list(locked), &list(served)), expected, "{locked:?} {served:?}");
    };
    check(&["sha512-a"], &["sha512-a", "sha1-b"], Difference::Agrees);
    check(&["sha512-a"], &["sha512-c", "sha1-b"], Difference::Differs("sha512".into()));
    check(&["sha1-b", "sha512-a"], &["sha1-b"], Difference::Agrees);
    check(&["10c0/aa"], &["sha512-c"], Difference::Incomparable);
    check(&["sha256:a", "sha256:x"], &["sha256:a", "sha256:b"], Difference::Differs("sha256".into()));
    check(&[], &["sha256:a"], Difference::Incomparable);
    check(&["sha256:a"], &[], Difference::Incomparable);
}
