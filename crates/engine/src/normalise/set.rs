//! Sets: members separated by white space; neither order nor repetition counts.

use std::collections::BTreeSet;

use super::{Contrast, Outcome, unless_same};

pub(super) fn compare(left: &str, right: &str) -> Outcome {
    let (l, r) = (members(left), members(right));
    if l == r {
        return Outcome::Same;
    }
    let mut details = Vec::new();
    for (side, only) in [("left", l.difference(&r)), ("right", r.difference(&l))] {
        let only: Vec<&str> = only.copied().collect();
        if !only.is_empty() {
            details.push(format!("only {side}: {}", only.join(" ")));
        }
    }
    Outcome::Different(Contrast {
        left: unless_same(left, joined(&l)),
        right: unless_same(right, joined(&r)),
        place: None,
        details,
    })
}

fn members(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().collect()
}

fn joined(members: &BTreeSet<&str>) -> String {
    members.iter().copied().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(left: &str, right: &str, expected: &str) {
        let got = match compare(left, right) {
            Outcome::Same => "same".to_owned(),
            Outcome::Different(contrast) => contrast.details.join("; "),
            Outcome::NotComparable(why) => why,
        };
        assert_eq!(got, expected, "{left:?} {right:?}");
    }

    #[test]
    fn table() {
        check("", " \t\n", "same");
        check("a b", "b  a", "same");
        check("a a b", "b a", "same");
        check("a b", "a c", "only left: b; only right: c");
        check("a", "a b", "only right: b");
        check("sha512-x", "", "only left: sha512-x");
    }
}
