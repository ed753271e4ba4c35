//! The environment schema: what variables must be there and look like. Pure; for a snapshot, and for a
//! process that is about to start. A value is never in a message: it may be a secret that
//! nobody recognised, and messages end up in the logs of pipelines.

use std::fmt;

use super::{Origin, VariableSchema, VariableShape};
use crate::compare::show::visible;

/// What is known of a variable.
#[derive(Clone, Copy)]
pub enum Seen<'a> {
    /// It is not set.
    Absent,
    /// Its value.
    Plain(&'a str),
    /// It is set, to a secret: its shape can't be checked.
    Secret,
    /// It could not be observed.
    Unknown,
}

/// Without the value: it may be a secret that nobody recognised.
impl fmt::Debug for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Plain(_) => "Plain(..)",
            Self::Secret => "Secret",
            Self::Unknown => "Unknown",
        })
    }
}

/// A variable that breaks the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableProblem {
    /// The variable.
    pub name: String,
    /// What is wrong with it: `LOG_LEVEL is not one of debug, info`.
    pub message: String,
    /// What the schema demands of it: `must be one of debug, info`.
    pub demand: String,
    /// Where that is declared.
    pub origin: Origin,
}

/// Checks variables against a schema, in its order. What could not be observed is no problem here: that is
/// a gap.
#[must_use]
pub fn check_variables<'v>(
    schema: &[VariableSchema],
    seen: impl Fn(&str) -> Seen<'v>,
) -> Vec<VariableProblem> {
    schema.iter().filter_map(|variable| check(variable, seen(&variable.name))).collect()
}

fn check(variable: &VariableSchema, seen: Seen<'_>) -> Option<VariableProblem> {
    let name = visible(&variable.name);
    let message = match seen {
        Seen::Absent if variable.required => format!("{name} is not set"),
        Seen::Plain("") if !fits(&variable.shape, "") => {
            format!("{name} is empty, not {}", wanted(&variable.shape))
        }
        Seen::Plain(value) if !fits(&variable.shape, value) => {
            format!("{name} is not {}", wanted(&variable.shape))
        }
        Seen::Absent | Seen::Plain(_) | Seen::Secret | Seen::Unknown => return None,
    };
    let demand = demand(variable);
    Some(VariableProblem { name: variable.name.clone(), message, demand, origin: variable.origin.clone() })
}

/// What the schema demands, in words.
pub(super) fn demand(variable: &VariableSchema) -> String {
    match (&variable.shape, variable.required) {
        (VariableShape::Any, true) => "must be set".to_owned(),
        (VariableShape::Any, false) => "may be anything".to_owned(),
        (shape, true) => format!("must be set, to {}", wanted(shape)),
        (shape, false) => format!("must be {}", wanted(shape)),
    }
}

fn wanted(shape: &VariableShape) -> String {
    match shape {
        VariableShape::Any => "anything".to_owned(),
        VariableShape::NonEmpty => "a text with something in it".to_owned(),
        VariableShape::Url => "an absolute URL".to_owned(),
        VariableShape::Integer => "a whole number".to_owned(),
        VariableShape::Number => "a number".to_owned(),
        VariableShape::Boolean => "true or false".to_owned(),
        VariableShape::Port => "a port (1 to 65535)".to_owned(),
        VariableShape::Email => "an e-mail address".to_owned(),
        VariableShape::OneOf(list) => format!("one of {}", visible(&list.join(", "))),
        VariableShape::Matches(regex) => format!("a text that matches {}", visible(regex.as_str())),
    }
}

/// Whether a value meets this by being a secret: what is empty is none, and an address is one for the
/// credentials in it. Of other shapes nothing can be told without the value.
pub(super) fn is_told_of_a_secret(shape: &VariableShape) -> bool {
    match shape {
        VariableShape::Any | VariableShape::NonEmpty | VariableShape::Url => true,
        VariableShape::Integer
        | VariableShape::Number
        | VariableShape::Boolean
        | VariableShape::Port
        | VariableShape::Email
        | VariableShape::OneOf(_)
        | VariableShape::Matches(_) => false,
    }
}

fn fits(shape: &VariableShape, value: &str) -> bool {
    match shape {
        VariableShape::Any => true,
        VariableShape::NonEmpty => !value.trim().is_empty(),
        VariableShape::Url => is_url(value),
        VariableShape::Integer => {
            let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
        }
        VariableShape::Number => crate::normalise::Decimal::parse(value).is_some(),
        VariableShape::Boolean => {
            let word = value.to_ascii_lowercase();
            ["true", "false", "1", "0", "yes", "no", "on", "off"].contains(&word.as_str())
        }
        VariableShape::Port => {
            value.bytes().all(|b| b.is_ascii_digit()) && value.parse::<u16>().is_ok_and(|port| port > 0)
        }
        VariableShape::Email => is_email(value),
        VariableShape::OneOf(list) => list.iter().any(|one| one == value),
        VariableShape::Matches(regex) => {
            let whole = regex_lite::Regex::new(&format!("^(?:{})$", regex.as_str()));
            whole.as_ref().unwrap_or(regex).is_match(value)
        }
    }
}

/// A scheme, and something after `://` that has neither white space nor control characters.
fn is_url(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once("://") else { return false };
    let odd = |c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c));
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && !scheme.contains(odd)
        && (!rest.starts_with('/') || scheme == "file" || rest.len() > 1)
        && !rest.is_empty()
        && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn is_email(value: &str) -> bool {
    let Some((who, domain)) = value.rsplit_once('@') else { return false };
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '@';
    !who.is_empty()
        && !domain.is_empty()
        && !value.contains(|c: char| c.is_whitespace() || c.is_control())
        && !who.contains(odd)
        && !domain.starts_with('.')
        && !domain.ends_with('.')
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::*;

    #[track_caller]
    fn check_one(name: &str, shape: VariableShape, seen: Seen<'static>, expected: &str) {
        let origin = Origin::File { path: "parallax.yaml".into(), line: 7 };
        let schema = [VariableSchema { name: name.into(), required: true, shape, origin }];
        let got: Vec<String> = check_variables(&schema, |_| seen).into_iter().map(|p| p.message).collect();
        assert_eq!(got.join("; "), expected);
    }

    #[test]
    fn table() {
        use VariableShape as S;
        let levels = || S::OneOf(vec!["debug".into(), "info".into()]);
        check_one("A", S::Any, Seen::Absent, "A is not set");
        check_one("A", S::Any, Seen::Unknown, "");
        check_one("A", S::Any, Seen::Plain(""), "");
        check_one("A", S::Url, Seen::Secret, "");
        check_one("A", S::NonEmpty, Seen::Plain(" "), "A is not a text with something in it");
        check_one("LOG_LEVEL", levels(), Seen::Plain("info"), "");
        check_one("LOG_LEVEL", levels(), Seen::Plain("verbose"), "LOG_LEVEL is not one of debug, info");
        check_one("LOG_LEVEL", levels(), Seen::Plain(""), "LOG_LEVEL is empty, not one of debug, info");
        check_one("API_TOKEN", levels(), Seen::Plain("hunter2"), "API_TOKEN is not one of debug, info");
        check_one("DB", S::Url, Seen::Plain("postgres://db/shop"), "");
        check_one("DB", S::Url, Seen::Plain("u:hunter2@db"), "DB is not an absolute URL");
        check_one("DB", S::Url, Seen::Plain("file:///x"), "");
        for bad in ["://x", "http://", "1http://x", "http://a b", "x"] {
            assert!(!is_url(bad), "{bad}");
        }
        for (shape, good, bad) in [
            (S::Integer, "-12", "1.0"),
            (S::Number, "1.5e3", "one"),
            (S::Boolean, "Yes", "maybe"),
            (S::Port, "8080", "65536"),
            (S::Port, "1", "0"),
            (S::Port, "80", "+80"),
            (S::Email, "a@example.org", "a@b@"),
            (S::Matches(Regex::new("a|ab").unwrap()), "ab", "abc"),
        ] {
            assert!(fits(&shape, good) && !fits(&shape, bad) && !fits(&shape, ""), "{shape:?}");
        }
    }
}
