//! Normalise: decide whether two values mean the same, by the rule that the ontology names. One pure
//! file per rule. Does not know resources, environments or what may differ.
//!
//! A rule that fails on a value gives *not comparable*: never *different*, and never *equal*.

mod number;
mod search_path;
mod secret;
mod set;
mod text;
mod version;

use parallax_model::Value;
use parallax_model::ontology::Compare;

pub use number::Decimal;
pub use version::Version;

/// What a rule makes of two values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// They mean the same.
    Same,
    /// They do not.
    Different(Contrast),
    /// The rule cannot tell, and why.
    NotComparable(String),
}

/// How two values differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contrast {
    /// The left value as it was compared, where that differs from what was observed.
    pub left: Option<String>,
    /// The right value as it was compared.
    pub right: Option<String>,
    /// Where the difference begins, for values that are too long to be shown: `position 1: a, b`.
    pub place: Option<String>,
    /// Lines on what else is worth knowing.
    pub details: Vec<String>,
}

/// Compares two values by a rule. Gives the name of the rule that decided, which is the values' own
/// where their sort matters more than the attribute (secrets, numbers).
#[must_use]
pub fn compare(rule: Compare, left: &Value, right: &Value) -> (&'static str, Outcome) {
    match (left, right) {
        (Value::Text(l), Value::Text(r)) => (rule_name(rule), compare_texts(rule, l, r)),
        (Value::Number(l), Value::Number(r)) => match rule {
            // A document may hold versions as numbers: there 1.10 is not 1.1.
            Compare::Version => ("version", version::compare(l.as_str(), r.as_str())),
            Compare::Text | Compare::Number | Compare::SearchPath | Compare::Set => {
                ("number", number::compare(l.as_str(), r.as_str()))
            }
        },
        (Value::Bool(l), Value::Bool(r)) => ("text", if l == r { Outcome::Same } else { different() }),
        (Value::Null, Value::Null) => ("text", Outcome::Same),
        (Value::Secret(l), Value::Secret(r)) => ("secret", secret::compare(l, r)),
        (Value::Secret(_), Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_))
        | (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_), Value::Secret(_)) => {
            ("secret", secret::one_sided())
        }
        (Value::Null, Value::Bool(_) | Value::Number(_) | Value::Text(_))
        | (Value::Bool(_), Value::Null | Value::Number(_) | Value::Text(_))
        | (Value::Number(_), Value::Null | Value::Bool(_) | Value::Text(_))
        | (Value::Text(_), Value::Null | Value::Bool(_) | Value::Number(_)) => {
            let details = vec![format!("types differ: {}, {}", left.sort(), right.sort())];
            (rule_name(rule), Outcome::Different(Contrast { details, ..Contrast::default() }))
        }
    }
}

fn compare_texts(rule: Compare, left: &str, right: &str) -> Outcome {
    match rule {
        Compare::Text => text::compare(left, right),
        Compare::Version => version::compare(left, right),
        Compare::Number => number::compare(left, right),
        Compare::SearchPath => search_path::compare(left, right),
        Compare::Set => set::compare(left, right),
    }
}

/// The name of a rule, as in the ontology's reference.
#[must_use]
pub fn rule_name(rule: Compare) -> &'static str {
    match rule {
        Compare::Text => "text",
        Compare::Version => "version",
        Compare::Number => "number",
        Compare::SearchPath => "search_path",
        Compare::Set => "set",
    }
}

fn different() -> Outcome {
    Outcome::Different(Contrast::default())
}

/// The normal form, where it says something that the observed text does not.
fn unless_same(observed: &str, normal: String) -> Option<String> {
    (normal != observed).then_some(normal)
}

#[cfg(test)]
mod tests {
    use parallax_model::{Fingerprint, Number};
    use proptest::prelude::*;

    use super::*;

    const RULES: [Compare; 5] =
        [Compare::Text, Compare::Version, Compare::Number, Compare::SearchPath, Compare::Set];

    fn number(text: &str) -> Value {
        Value::Number(Number::parse(text).unwrap())
    }

    #[test]
    fn sorts_of_value_meet() {
        let secret = |mac: &str| {
            Value::Secret(Fingerprint::Keyed { key_id: "00000001".into(), mac: mac.repeat(32).into() })
        };
        let present = Value::Secret(Fingerprint::Present);
        let word = |rule, l: &Value, r: &Value| match compare(rule, l, r) {
            (name, Outcome::Same) => format!("{name}: same"),
            (name, Outcome::Different(c)) => format!("{name}: different {}", c.details.join("; ")),
            (name, Outcome::NotComparable(_)) => format!("{name}: not comparable"),
        };
        for (rule, left, right, expected) in [
            (Compare::Text, number("1"), Value::from("1"), "text: different types differ: number, text"),
            (Compare::Number, number("1"), Value::from("1"), "number: different types differ: number, text"),
            (Compare::Text, Value::Null, Value::from(""), "text: different types differ: null, text"),
            (
                Compare::Text,
                Value::Bool(true),
                Value::from("true"),
                "text: different types differ: bool, text",
            ),
            (Compare::Text, Value::Bool(true), Value::Bool(false), "text: different "),
            (Compare::Text, Value::Null, Value::Null, "text: same"),
            (Compare::Text, number("1.0"), number("1"), "number: same"),
            (Compare::Set, number("1e3"), number("1000"), "number: same"),
            (Compare::Version, number("1.10"), number("1.1"), "version: different "),
            (Compare::Text, secret("a"), secret("a"), "secret: same"),
            (Compare::Version, secret("a"), secret("b"), "secret: different "),
            (Compare::Text, present.clone(), present.clone(), "secret: not comparable"),
            (Compare::Text, present.clone(), secret("a"), "secret: not comparable"),
            (
                Compare::Text,
                present,
                Value::from("hunter2"),
                "secret: different a secret on one side, plain on the other",
            ),
        ] {
            assert_eq!(word(rule, &left, &right), expected, "{left:?} {right:?}");
        }
    }

    proptest! {
        #[test]
        fn every_rule_is_symmetric_and_holds_equal_texts_for_the_same(a in ".{0,12}", b in "[0-9a-c.:/ +~-]{0,8}") {
            for rule in RULES {
                let (left, right) = (Value::from(a.as_str()), Value::from(b.as_str()));
                prop_assert!(!matches!(compare(rule, &left, &left).1, Outcome::Different(_)));
                prop_assert!(!matches!(compare(rule, &right, &right).1, Outcome::Different(_)));
                match (compare(rule, &left, &right).1, compare(rule, &right, &left).1) {
                    (Outcome::Different(x), Outcome::Different(y)) => {
                        prop_assert_eq!((x.left, x.right), (y.right, y.left));
                    }
                    (x, y) => prop_assert_eq!(x, y),
                }
            }
        }

        #[test]
        fn sameness_is_transitive(texts in prop::collection::vec("v?[01]{1,2}(\\.[01]){0,2}(-a|\\+b)?", 3)) {
            for rule in RULES {
                let same = |i: usize, j: usize| {
                    let (l, r) = (Value::from(texts[i].as_str()), Value::from(texts[j].as_str()));
                    compare(rule, &l, &r).1 == Outcome::Same
                };
                if same(0, 1) && same(1, 2) {
                    prop_assert!(same(0, 2));
                }
            }
        }
    }
}
