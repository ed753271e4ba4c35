//! Whether two values meet what a rule demands. Each requirement for real; a value of which the requirement
//! can't be told is unknown, never met and never broken.

use parallax_model::ontology::Compare;
use parallax_model::{Fingerprint, Value};

use super::Requirement;
use super::stack::Placed;
use crate::compare::show::sentence;
use crate::normalise::{self, Outcome, Version};

/// What a rule makes of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Demand {
    /// It is met.
    Met,
    /// It is broken; how, where the difference itself does not tell.
    Broken(Option<String>),
    /// That can't be told, and why.
    Unknown(String),
}

/// One attribute on both sides, or what is known of it.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) left: Option<&'a Value>,
    pub(super) right: Option<&'a Value>,
    /// How the ontology compares it.
    pub(super) compare: Compare,
    /// Why the values could not be compared.
    pub(super) not_comparable: Option<&'a str>,
}

/// Judges two sides that differ or could not be compared.
pub(super) fn of_difference(placed: &Placed, sides: Sides<'_>) -> Demand {
    if let Requirement::MayDiffer = placed.rule.requirement {
        return Demand::Met;
    }
    let (Some(left), Some(right)) = (sides.left, sides.right) else {
        let equal = matches!(placed.rule.requirement, Requirement::Equal);
        return Demand::Broken((!equal).then(|| "one side lacks it".to_owned()));
    };
    let unknown = || sides.not_comparable.map(|why| Demand::Unknown(why.to_owned()));
    match &placed.rule.requirement {
        Requirement::MayDiffer | Requirement::Present => Demand::Met,
        Requirement::Equal => unknown().unwrap_or(Demand::Broken(None)),
        Requirement::Compatible => unknown().unwrap_or_else(|| compatible(left, right, sides.compare)),
        Requirement::WithinPercent(percent) => within(left, right, *percent),
        Requirement::Pinned | Requirement::OneOf(_) | Requirement::Matches(_) => {
            of_values(placed, &[left, right], sides.compare)
        }
    }
}

/// Judges each value by itself, for the requirements that speak of values.
pub(super) fn of_values(placed: &Placed, values: &[&Value], compare: Compare) -> Demand {
    let mut result = Demand::Met;
    for value in values {
        let one = of_value(placed, value, compare);
        result = match (result, one) {
            (Demand::Broken(why), _) | (_, Demand::Broken(why)) => Demand::Broken(why),
            (Demand::Unknown(why), _) | (_, Demand::Unknown(why)) => Demand::Unknown(why),
            (Demand::Met, Demand::Met) => Demand::Met,
        };
    }
    result
}

fn of_value(placed: &Placed, value: &Value, compare: Compare) -> Demand {
    let secret = || Demand::Unknown("the value of a secret is not known".to_owned());
    let broken = |what: String| Demand::Broken(Some(what));
    match &placed.rule.requirement {
        Requirement::OneOf(list) => match text_of(value) {
            None => secret(),
            Some(text) => {
                let same = |one: &String| {
                    text == *one
                        || normalise::compare(
                            compare,
                            &Value::text(text.as_str()),
                            &Value::text(one.as_str()),
                        )
                        .1 == Outcome::Same
                };
                if list.iter().any(same) {
                    Demand::Met
                } else {
                    broken(format!("not one of {}", sentence(&list.join(", "))))
                }
            }
        },
        Requirement::Matches(regex) => match (text_of(value), &placed.whole_text) {
            (None, _) => secret(),
            (Some(text), Some(whole)) if whole.is_match(&text) => Demand::Met,
            (Some(_), _) => broken(format!("it does not match {}", sentence(regex.as_str()))),
        },
        Requirement::Pinned => match text_of(value) {
            None => secret(),
            Some(text) if is_pinned(&text) => Demand::Met,
            Some(_) => broken("it names something that can move".to_owned()),
        },
        Requirement::MayDiffer
        | Requirement::Equal
        | Requirement::Compatible
        | Requirement::Present
        | Requirement::WithinPercent(_) => Demand::Met,
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Secret(Fingerprint::Present | Fingerprint::Keyed { .. }) => None,
        Value::Text(text) => Some(text.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
    }
}

fn compatible(left: &Value, right: &Value, compare: Compare) -> Demand {
    match (compare, text_of(left), text_of(right)) {
        (Compare::Version, Some(left), Some(right)) => {
            match (Version::parse(&left), Version::parse(&right)) {
                (Some(l), Some(r)) if l.is_compatible_with(&r) => Demand::Met,
                (Some(_), Some(_)) => Demand::Broken(None),
                (None, _) | (_, None) => Demand::Unknown("not both are versions".to_owned()),
            }
        }
        (Compare::Version | Compare::Text | Compare::Number | Compare::SearchPath | Compare::Set, _, _) => {
            Demand::Broken(None)
        }
    }
}

fn within(left: &Value, right: &Value, percent: f64) -> Demand {
    let number = |value: &Value| text_of(value)?.parse::<f64>().ok().filter(|n| n.is_finite());
    match (number(left), number(right)) {
        (Some(l), Some(r)) => {
            let larger = l.abs().max(r.abs());
            if (l - r).abs() <= larger * percent / 100.0 {
                Demand::Met
            } else {
                Demand::Broken(Some(format!("more than {percent}% apart")))
            }
        }
        (None, _) | (_, None) => Demand::Unknown("not both are numbers".to_owned()),
    }
}

/// One exact thing: a version with at least three numbers (with two the patch can move), a content hash, or
/// something that is followed by its content hash (an image by digest). A tag can always move.
pub(super) fn is_pinned(text: &str) -> bool {
    let hex = |s: &str, least: usize| s.len() >= least && s.bytes().all(|b| b.is_ascii_hexdigit());
    let digest = text
        .rsplit_once("sha256:")
        .is_some_and(|(before, hash)| hex(hash, 64) && (before.is_empty() || before.ends_with('@')));
    let commit = text.rsplit_once('@').map_or(text, |(_, commit)| commit);
    digest || hex(commit, 40) || Version::parse(text).is_some_and(|version| version.precision() >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinned_or_not() {
        let hash = "0123456789abcdef".repeat(4);
        for (text, expected) in [
            ("18.19.0", true),
            ("v18.19.0", true),
            ("1:2.39.5-0+deb12u2", true),
            ("18", false),
            ("3.11", false),
            ("18.x", false),
            ("^18.19.0", false),
            (">=18.19.0", false),
            ("latest", false),
            ("node:18.19.0", false),
            ("", false),
            (&format!("sha256:{hash}"), true),
            (&format!("example.org/node@sha256:{hash}"), true),
            (&format!("node:sha256:{hash}"), false),
            ("node@sha256:12", false),
            ("actions/checkout@v4", false),
            ("actions/checkout@0123456789abcdef0123456789abcdef01234567", true),
        ] {
            assert_eq!(is_pinned(text), expected, "{text}");
        }
    }
}
