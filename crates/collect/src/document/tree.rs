//! A value as a tree, for the few rows that differ. Stands on text that the outline has checked, and decides nothing.

use std::borrow::Cow;

use super::digest::Sort;
use super::error::{Expected, Fault};
use super::natural::{self, Candidate, Choice};
use super::scan::{Scanner, resolve};

/// A value of a document.
#[derive(Debug, Clone)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    /// Its literal text.
    Number(Cow<'a, str>),
    Text(Cow<'a, str>),
    /// Its members, sorted by name.
    Object(Vec<(Cow<'a, str>, Self)>),
    List(Vec<Self>),
}

impl<'a> Node<'a> {
    /// Reads the value that begins at an offset of a text that an outline was made of.
    pub(super) fn read(text: &'a [u8], at: usize) -> Result<Self, Fault> {
        read(&mut Scanner::new(text, at))
    }

    /// The member of that name.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        let at = members.binary_search_by(|(other, _)| other.as_ref().cmp(name)).ok()?;
        members.get(at).map(|(_, node)| node)
    }

    /// The text of a text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Object(_) | Self::List(_) => None,
        }
    }

    /// The text of a natural key in this item, if it has it.
    pub(super) fn key(&self, candidate: Candidate) -> Option<Cow<'_, str>> {
        let (first, second) = candidate.fields();
        let first = self.key_part(first)?;
        let Some((name, default)) = second else { return Some(first.into()) };
        let second = match (self.member(name), default) {
            (None, Some(default)) => default,
            (None, None) => return None,
            (Some(_), _) => self.key_part(name)?,
        };
        Some(format!("{first}/{second}").into())
    }

    fn key_part(&self, field: &str) -> Option<&str> {
        let text = match self.member(field)? {
            Self::Text(text) => text.as_ref(),
            Self::Number(number) if natural::is_whole(number.as_bytes()) => number.as_ref(),
            Self::Number(_) | Self::Null | Self::Bool(_) | Self::Object(_) | Self::List(_) => return None,
        };
        natural::is_fit(field, text).then_some(text)
    }
}

/// The natural keys of a list; all where it is empty and says nothing.
pub(super) fn natural_keys(items: &[Node<'_>]) -> Choice {
    Choice::ALL.filter(|_, candidate| {
        let keys: Option<Vec<_>> = items.iter().map(|item| item.key(candidate)).collect();
        keys.is_some_and(|mut keys| {
            keys.sort_unstable();
            keys.windows(2).all(|pair| pair.first() != pair.last())
        })
    })
}

fn read<'a>(scan: &mut Scanner<'a>) -> Result<Node<'a>, Fault> {
    Ok(match scan.peek_some()? {
        b'"' => {
            let token = scan.string()?;
            Node::Text(resolve(scan.text(), token))
        }
        b'{' => read_object(scan)?,
        b'[' => read_list(scan)?,
        b'-' | b'0'..=b'9' => {
            let token = scan.number()?;
            Node::Number(resolve(scan.text(), token))
        }
        _ => {
            let literal = scan.literal()?;
            if literal.is(Sort::Null) { Node::Null } else { Node::Bool(literal.is(Sort::True)) }
        }
    })
}

fn read_object<'a>(scan: &mut Scanner<'a>) -> Result<Node<'a>, Fault> {
    scan.step();
    let mut members = Vec::new();
    while scan.peek_some()? != b'}' {
        let name = scan.string()?;
        scan.expect(b':', Expected::Colon)?;
        members.push((resolve(scan.text(), name), read(scan)?));
        if scan.peek_some()? == b',' {
            scan.step();
        }
    }
    scan.step();
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Node::Object(members))
}

fn read_list<'a>(scan: &mut Scanner<'a>) -> Result<Node<'a>, Fault> {
    scan.step();
    let mut items = Vec::new();
    while scan.peek_some()? != b']' {
        items.push(read(scan)?);
        if scan.peek_some()? == b',' {
            scan.step();
        }
    }
    scan.step();
    Ok(Node::List(items))
}
