//! Environment markers: under which condition a Python package is installed.
//! <https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers>
//!
//! One word is added: `?` is a part of a condition that was not worked out, of which nothing is known.
//! How several conditions become one is told in [`alternatives`].

pub mod alternatives;
mod parse;
mod variable;

use std::fmt;

use super::Platform;
use super::pep440::{Comparison, Version};
pub use parse::NotAMarker;
use variable::Known;
pub use variable::Variable;

/// A marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marker {
    /// A comparison.
    Literal(Literal),
    /// All of them.
    All(Vec<Self>),
    /// One of them.
    Any(Vec<Self>),
}

/// A comparison of a variable with a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Literal {
    /// `sys_platform == 'win32'`
    Variable(Variable, Operator, String),
    /// `'linux' in platform_version`: the text stands in front.
    Text(String, Operator, Variable),
    /// Two texts, or two variables.
    Odd(String),
    /// `?`: not worked out.
    Unknown,
}

/// How a marker compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// `==`, `<` and the like.
    Compare(Comparison),
    /// `in`
    In,
    /// `not in`
    NotIn,
}

impl Marker {
    /// Reads a marker.
    ///
    /// # Errors
    /// Where it is none, or nested too deep.
    pub fn parse(text: &str) -> Result<Self, NotAMarker> {
        parse::marker(text)
    }

    /// Whether it holds on a platform; `None` where that depends on something that is not known.
    #[must_use]
    pub fn holds(&self, platform: &Platform) -> Option<bool> {
        match self {
            Self::Literal(literal) => literal.holds(platform),
            Self::All(parts) => decide(parts, platform, false),
            Self::Any(parts) => decide(parts, platform, true),
        }
    }
}

/// One part with the deciding value decides; without one, a part that is not known leaves it open.
fn decide(parts: &[Marker], platform: &Platform, deciding: bool) -> Option<bool> {
    let mut open = false;
    for part in parts {
        match part.holds(platform) {
            Some(value) if value == deciding => return Some(deciding),
            Some(_) => {}
            None => open = true,
        }
    }
    (!open).then_some(!deciding)
}

/// Whether the text of a marker holds on a platform; `None` also where it is not understood.
pub(super) fn holds(text: &str, platform: &Platform) -> Option<bool> {
    Marker::parse(text).ok()?.holds(platform)
}

impl Literal {
    fn holds(&self, platform: &Platform) -> Option<bool> {
        match self {
            Self::Variable(variable, operator, text) => match variable.value(platform)? {
                Known::Text(value) => compare_text(&value, *operator, text),
                Known::Version(value) => compare_version(&value, *operator, text),
                Known::Series(series) => compare_series(&series, *operator, text),
            },
            Self::Text(text, operator, variable) => match (variable.value(platform)?, operator) {
                (Known::Text(value), _) => compare_text(text, *operator, &value),
                (Known::Version(value), _) => compare_version(text, *operator, &value),
                (Known::Series(_), _) => None,
            },
            Self::Odd(_) | Self::Unknown => None,
        }
    }
}

fn compare_text(left: &str, operator: Operator, right: &str) -> Option<bool> {
    match operator {
        Operator::In => Some(right.contains(left)),
        Operator::NotIn => Some(!right.contains(left)),
        Operator::Compare(comparison) => match comparison {
            Comparison::Equal | Comparison::Identical => Some(left == right),
            Comparison::NotEqual => Some(left != right),
            Comparison::Less => Some(left < right),
            Comparison::LessOrEqual => Some(left <= right),
            Comparison::Greater => Some(left > right),
            Comparison::GreaterOrEqual => Some(left >= right),
            // Not defined for text.
            Comparison::Compatible => None,
        },
    }
}

/// By the rules of versions where both are some, otherwise as texts.
fn compare_version(left: &str, operator: Operator, right: &str) -> Option<bool> {
    let Operator::Compare(comparison) = operator else { return compare_text(left, operator, right) };
    let by_version = || Version::parse(left)?.fits(comparison, right);
    by_version().or_else(|| compare_text(left, operator, right))
}

/// Where only the start of a version is known (`3.11`): what holds for all of that series.
fn compare_series(series: &str, operator: Operator, right: &str) -> Option<bool> {
    let Operator::Compare(comparison) = operator else { return None };
    let first = Version::parse(&format!("{series}.0"))?;
    let last = Version::parse(&format!("{series}.{}", u32::MAX))?;
    let exact = matches!(comparison, Comparison::Equal | Comparison::NotEqual) && !right.ends_with(".*");
    if exact && first.fits(Comparison::LessOrEqual, right)? && last.fits(Comparison::GreaterOrEqual, right)? {
        return None;
    }
    let (of_first, of_last) = (first.fits(comparison, right)?, last.fits(comparison, right)?);
    (of_first == of_last).then_some(of_first)
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::Literal(literal) => return literal.fmt(f),
            Self::All(parts) => (parts, " and "),
            Self::Any(parts) => (parts, " or "),
        };
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                f.write_str(word)?;
            }
            match (self, part) {
                (Self::All(_), Self::Any(_)) => write!(f, "({part})")?,
                _ => part.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(variable, operator, text) => {
                write!(f, "{} {} {}", variable.name(), operator.text(), Quoted(text))
            }
            Self::Text(text, operator, variable) => {
                write!(f, "{} {} {}", Quoted(text), operator.text(), variable.name())
            }
            Self::Odd(text) => f.write_str(text),
            Self::Unknown => f.write_str("?"),
        }
    }
}

/// A text in the quotes that it has none of.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains('\'') { write!(f, "\"{}\"", self.0) } else { write!(f, "'{}'", self.0) }
    }
}

impl Operator {
    fn text(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Compare(comparison) => match comparison {
                Comparison::Equal => "==",
                Comparison::NotEqual => "!=",
                Comparison::Less => "<",
                Comparison::LessOrEqual => "<=",
                Comparison::Greater => ">",
                Comparison::GreaterOrEqual => ">=",
                Comparison::Compatible => "~=",
                Comparison::Identical => "===",
            },
        }
    }
}

#[cfg(test)]
mod tests;
