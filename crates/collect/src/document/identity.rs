//! Who a Kubernetes object is: group, kind, namespace and name, and the key made of them. Does not read text
//! itself; the outline hands it the spans that it meets.

use std::borrow::Cow;

use super::digest::{DigestKey, Hash, Sort};
use super::scan::{Token, resolve};
use super::tree::Node;

/// What was met of an object's identity.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Identity {
    api_version: Option<Token>,
    kind: Option<Token>,
    name: Option<Token>,
    namespace: Option<Token>,
    items: bool,
    others: bool,
}

impl Identity {
    /// Notes a member of the object; `text` is its value, if that is a string.
    pub(super) fn note(&mut self, name: &[u8], text: Option<Token>) {
        match name {
            b"apiVersion" => self.api_version = text,
            b"kind" => self.kind = text,
            b"metadata" => {}
            b"items" => self.items = true,
            _ => self.others = true,
        }
    }

    /// Notes a member of the object's `metadata`.
    pub(super) fn note_metadata(&mut self, name: &[u8], text: Option<Token>) {
        match name {
            b"name" => self.name = text,
            b"namespace" => self.namespace = text,
            _ => {}
        }
    }

    /// The hash of the object's identity; `None` where this is no Kubernetes object.
    pub(super) fn hash(&self, document: &[u8], key: DigestKey) -> Option<u128> {
        let parts = self.parts(document)?;
        let length: usize = parts.iter().map(|part| part.len() + 1).sum();
        let mut hash = Hash::begin(key, Sort::Object, parts.len() * 8, length);
        for part in &parts {
            hash.word(part.len() as u64);
            hash.bytes(part.as_bytes(), 0, part.len());
        }
        Some(hash.finish())
    }

    fn parts<'t>(&self, document: &'t [u8]) -> Option<[Cow<'t, str>; 4]> {
        let read = |token: Option<Token>| token.map(|token| plain(document, token));
        parts(read(self.api_version)?, read(self.kind)?, read(self.namespace), read(self.name)?)
    }
}

/// Group (`core` for the unnamed one), kind, namespace (`_` where there is none) and name. Only names that such an
/// object can have: no `/`, and none of what a key encodes or what marks a twin.
fn parts<'t>(
    api_version: Cow<'t, str>,
    kind: Cow<'t, str>,
    namespace: Option<Cow<'t, str>>,
    name: Cow<'t, str>,
) -> Option<[Cow<'t, str>; 4]> {
    let group = match api_version {
        Cow::Borrowed(text) => Cow::Borrowed(text.split_once('/').map_or("core", |(group, _)| group)),
        Cow::Owned(text) => Cow::Owned(text.split_once('/').map_or("core", |(group, _)| group).to_owned()),
    };
    let namespace = namespace.filter(|n| !n.is_empty()).unwrap_or(Cow::Borrowed("_"));
    let parts = [group, kind, namespace, name];
    parts.iter().all(|part| is_segment(part)).then_some(parts)
}

/// The parts of a Kubernetes object's key; `None` where this is none.
pub(super) fn parts_of<'n>(node: &'n Node<'_>) -> Option<[Cow<'n, str>; 4]> {
    let text = |node: &'n Node<'_>, name: &str| node.member(name)?.text().map(Cow::Borrowed);
    let metadata = node.member("metadata")?;
    parts(
        text(node, "apiVersion")?,
        text(node, "kind")?,
        text(metadata, "namespace"),
        text(metadata, "name")?,
    )
}

/// The text of a token; plain ones are borrowed.
fn plain(document: &[u8], token: Token) -> Cow<'_, str> {
    match std::str::from_utf8(token.raw(document)) {
        Ok(text) if token.is_plain() => Cow::Borrowed(text),
        Ok(_) | Err(_) => resolve(document, token),
    }
}

fn is_segment(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'_');
    let allowed = |c: char| !c.is_control() && !matches!(c, '/' | '#' | '%' | '~');
    !part.is_empty() && (part.bytes().all(plain) || part.chars().all(allowed))
}

/// Whether an object is only the envelope of a Kubernetes list: nothing but `apiVersion`, a `kind` that ends in `List`,
/// `metadata` and `items`. What it says is how the objects were fetched, not what they are.
pub(super) fn is_envelope(document: &[u8], identity: &Identity) -> bool {
    let kind = identity.kind.map(|token| plain(document, token));
    identity.items
        && !identity.others
        && identity.api_version.is_some()
        && identity.name.is_none()
        && kind.is_some_and(|kind| kind.ends_with("List"))
}
