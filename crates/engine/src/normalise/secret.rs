//! Secrets: compared by keyed fingerprints. Never sees a secret's text.

use parallax_model::Fingerprint;

use super::{Contrast, Outcome, different};

pub(super) fn compare(left: &Fingerprint, right: &Fingerprint) -> Outcome {
    match left.same_secret(right) {
        Some(true) => Outcome::Same,
        Some(false) => different(),
        None => Outcome::NotComparable(why(left, right).to_owned()),
    }
}

fn why(left: &Fingerprint, right: &Fingerprint) -> &'static str {
    match (left, right) {
        (Fingerprint::Keyed { .. }, Fingerprint::Keyed { .. }) => {
            "the fingerprints were made with different keys; observe both sides with the project's key"
        }
        (Fingerprint::Present, _) | (_, Fingerprint::Present) => {
            "only the presence of a secret is known; observe both sides in one run, or with the project's key (`parallax init` makes one)"
        }
    }
}

/// One side's own host called its value a secret and the other's did not: they differ, as what is
/// masked was judged by its shape, and a value of another shape is another value.
pub(super) fn one_sided() -> Outcome {
    let details = vec!["a secret on one side, plain on the other".to_owned()];
    Outcome::Different(Contrast { details, ..Contrast::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let keyed = |id: &str, mac: &str| Fingerprint::Keyed { key_id: id.into(), mac: mac.into() };
        let reason = |l: &Fingerprint, r: &Fingerprint| match compare(l, r) {
            Outcome::Same => "same".to_owned(),
            Outcome::Different(_) => "different".to_owned(),
            Outcome::NotComparable(why) => why,
        };
        assert_eq!(reason(&keyed("a", "1"), &keyed("a", "1")), "same");
        assert_eq!(reason(&keyed("a", "1"), &keyed("a", "2")), "different");
        assert!(reason(&keyed("a", "1"), &keyed("b", "1")).contains("different keys"));
        assert!(reason(&Fingerprint::Present, &keyed("b", "1")).contains("only the presence"));
        assert!(reason(&Fingerprint::Present, &Fingerprint::Present).contains("only the presence"));
    }
}
