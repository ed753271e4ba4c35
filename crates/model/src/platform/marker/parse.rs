//! The text of a marker. A parser by descent whose depth is bounded.

use thiserror::Error;

use super::{Literal, Marker, Operator, Variable};
use crate::platform::pep440::Comparison;

/// Deeper parentheses than this are not read.
const MAX_DEPTH: usize = 64;

/// What is told of a text that is no marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a marker from byte {at} on")]
pub struct NotAMarker {
    /// The byte from which on it is not understood.
    pub at: usize,
}

/// The operators, the longer ones first.
const OPERATORS: [(&str, Comparison); 8] = [
    ("===", Comparison::Identical),
    ("==", Comparison::Equal),
    ("~=", Comparison::Compatible),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

pub(super) fn marker(text: &str) -> Result<Marker, NotAMarker> {
    let mut parser = Parser { text, rest: text };
    let found = parser.any(0)?;
    parser.skip_space();
    if parser.rest.is_empty() { Ok(found) } else { Err(parser.error()) }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
}

enum Operand<'t> {
    Text(&'t str),
    Variable(Variable),
}

impl<'t> Parser<'t> {
    fn error(&self) -> NotAMarker {
        NotAMarker { at: self.text.len() - self.rest.len() }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, start: &str) -> bool {
        let found = self.rest.strip_prefix(start);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    /// Takes a word that is not the start of a longer one.
    fn take_word(&mut self, word: &str) -> bool {
        self.skip_space();
        let after = self.rest.strip_prefix(word).filter(|after| !after.starts_with(is_of_name));
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn any(&mut self, depth: usize) -> Result<Marker, NotAMarker> {
        let first = self.all(depth)?;
        let mut parts = vec![first];
        while self.take_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Marker::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Marker, NotAMarker> {
        let first = self.part(depth)?;
        let mut parts = vec![first];
        while self.take_word("and") {
            parts.push(self.part(depth)?);
        }
        Ok(one_or(parts, Marker::All))
    }

    fn part(&mut self, depth: usize) -> Result<Marker, NotAMarker> {
        self.skip_space();
        if depth < MAX_DEPTH && self.take("(") {
            let inner = self.any(depth + 1)?;
            self.skip_space();
            return if self.take(")") { Ok(inner) } else { Err(self.error()) };
        }
        if self.take("?") {
            return Ok(Marker::Literal(Literal::Unknown));
        }
        let start = self.rest;
        let left = self.operand()?;
        let operator = self.operator()?;
        let right = self.operand()?;
        Ok(Marker::Literal(match (left, right) {
            (Operand::Variable(variable), Operand::Text(text)) => {
                Literal::Variable(variable, operator, text.to_owned())
            }
            (Operand::Text(text), Operand::Variable(variable)) => flipped(text, operator, variable),
            (Operand::Text(_), Operand::Text(_)) | (Operand::Variable(_), Operand::Variable(_)) => {
                let length = start.len() - self.rest.len();
                Literal::Odd(start.get(..length).unwrap_or_default().to_owned())
            }
        }))
    }

    fn operand(&mut self) -> Result<Operand<'t>, NotAMarker> {
        self.skip_space();
        if let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            let inner = self.rest.get(1..).unwrap_or_default();
            let (text, after) = inner.split_once(quote).ok_or_else(|| self.error())?;
            self.rest = after;
            return Ok(Operand::Text(text));
        }
        let end = self.rest.find(|c| !is_of_name(c)).unwrap_or(self.rest.len());
        let (name, after) = self.rest.split_at(end);
        let variable = Variable::by_name(name).ok_or_else(|| self.error())?;
        self.rest = after;
        Ok(Operand::Variable(variable))
    }

    fn operator(&mut self) -> Result<Operator, NotAMarker> {
        self.skip_space();
        if let Some((_, comparison)) = OPERATORS.iter().find(|(text, _)| self.take(text)) {
            return Ok(Operator::Compare(*comparison));
        }
        if self.take_word("in") {
            return Ok(Operator::In);
        }
        if self.take_word("not") && self.take_word("in") {
            return Ok(Operator::NotIn);
        }
        Err(self.error())
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

fn one_or(mut parts: Vec<Marker>, many: fn(Vec<Marker>) -> Marker) -> Marker {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            many(parts)
        }
    }
}

/// With the variable in front, where that says the same.
fn flipped(text: &str, operator: Operator, variable: Variable) -> Literal {
    let Operator::Compare(comparison) = operator else {
        return Literal::Text(text.to_owned(), operator, variable);
    };
    let comparison = match comparison {
        Comparison::Equal => Comparison::Equal,
        Comparison::NotEqual => Comparison::NotEqual,
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        Comparison::Identical => Comparison::Identical,
        Comparison::Compatible => return Literal::Text(text.to_owned(), operator, variable),
    };
    Literal::Variable(variable, Operator::Compare(comparison), text.to_owned())
}
