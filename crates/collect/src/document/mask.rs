//! Which values of a document are secrets, and what is shown in their place. Knows the few ways in which documents
//! carry a name beside its value; which names and values are secret is [`crate::secret`]'s.

use parallax_model::Value;

use super::digest::DigestKey;
use super::outline::outline;
use super::spread::Spread;
use super::tree::Node;
use crate::secret::{Fingerprinter, RawSecret, is_secret, is_secret_name};

/// How many texts within texts are opened (a manifest in an annotation of a manifest).
const EMBEDDED_LIMIT: u8 = 3;

/// What surrounds a value and may say that it is secret.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Surroundings<'n> {
    /// The nearest field's name.
    pub(super) field: &'n str,
    /// The name that an object gives to its `value` (`{"name": "DB_PASSWORD", "value": ..}`), or the field that holds
    /// the object.
    pub(super) title: &'n str,
    /// The item before, in a list of texts (`--password`, then the password).
    pub(super) before: &'n str,
    /// Whether everything from here on is secret.
    pub(super) seal: Seal,
}

/// Whether everything within is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Seal {
    /// No: each value is looked at.
    #[default]
    Open,
    /// Yes: within `data` of a Kubernetes Secret.
    Sealed,
}

impl<'n> Surroundings<'n> {
    /// Those of a member of `object`.
    pub(super) fn member(self, object: &'n Node<'_>, name: &'n str) -> Self {
        let is_secret_object = object.member("kind").and_then(Node::text) == Some("Secret");
        let sealed = is_secret_object && matches!(name, "data" | "stringData");
        let named = || ["name", "key"].into_iter().find_map(|field| object.member(field)?.text());
        let title = if name == "value" { named().unwrap_or(self.field) } else { "" };
        Self { field: name, title, before: "", seal: if sealed { Seal::Sealed } else { self.seal } }
    }

    /// Those of the item of a list after `before`.
    pub(super) fn item(self, before: Option<&'n Node<'_>>) -> Self {
        Self { before: before.and_then(Node::text).unwrap_or_default(), ..self }
    }
}

/// Masks the secrets of one reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mask<'f> {
    fingerprinter: &'f Fingerprinter,
    key: DigestKey,
    embedded: u8,
}

impl<'f> Mask<'f> {
    pub(super) const fn new(fingerprinter: &'f Fingerprinter, key: DigestKey) -> Self {
        Self { fingerprinter, key, embedded: 0 }
    }

    /// A scalar as it may be shown. Containers are none; an empty one is handled by the caller.
    pub(super) fn value(&self, node: &Node<'_>, around: Surroundings<'_>) -> Value {
        match node {
            Node::Null => Value::Null,
            Node::Bool(true) if around.seal == Seal::Sealed => self.secret("true"),
            Node::Bool(false) if around.seal == Seal::Sealed => self.secret("false"),
            Node::Bool(bool) => Value::Bool(*bool),
            Node::Number(text) if self.is_secret_scalar(text, around) => self.secret(text),
            Node::Number(text) => {
                parallax_model::Number::parse(text).map_or_else(|| Value::text(text.as_ref()), Value::Number)
            }
            Node::Text(text) if self.is_secret_scalar(text, around) || self.holds_secret_document(text) => {
                self.secret(text)
            }
            Node::Text(text) => Value::Text(set_apart(text)),
            Node::Object(_) | Node::List(_) => Value::Null,
        }
    }

    /// A name, a natural key or a row as it may stand in a path: as it is, unless it looks like a secret.
    pub(super) fn shown(&self, field: &str, text: &str) -> Option<String> {
        is_secret(field, text).then(|| {
            let fingerprint = self.fingerprinter.fingerprint(&RawSecret::new(text));
            let text = fingerprint.to_string();
            format!("secret:{}", text.rsplit(':').next().unwrap_or_default())
        })
    }

    fn secret(&self, text: &str) -> Value {
        Value::Secret(self.fingerprinter.fingerprint(&RawSecret::new(text)))
    }

    fn is_secret_scalar(&self, text: &str, around: Surroundings<'_>) -> bool {
        around.seal == Seal::Sealed
            || is_secret(around.field, text)
            || (!text.is_empty() && is_secret_name(around.title))
            || is_argument_of(around.before, text)
    }

    /// Whether a text is itself a document, and one with a secret.
    fn holds_secret_document(&self, text: &str) -> bool {
        if !text.trim_start().starts_with(['{', '[']) {
            return false;
        }
        // Deeper than anybody writes: what is not looked at is not shown.
        if self.embedded >= EMBEDDED_LIMIT {
            return true;
        }
        let checked = outline(text.as_bytes(), self.key).is_ok();
        let Some(node) = checked.then(|| Node::read(text.as_bytes(), 0).ok()).flatten() else { return false };
        let inner = Self { embedded: self.embedded + 1, ..*self };
        let spread = Spread::of(&node, inner);
        spread.left.iter().any(|attribute| matches!(attribute.value, Value::Secret(_)))
    }
}

/// A text that reads like an empty container's mark gets quotes around it, so that the two stay apart.
fn set_apart(text: &str) -> Box<str> {
    match text.trim_matches('"') {
        "{}" | "[]" => format!("\"{text}\"").into(),
        _ => text.into(),
    }
}

/// Whether `before` is an option whose argument is a secret (`--password`, `hunter2`).
fn is_argument_of(before: &str, text: &str) -> bool {
    let name = before.trim_start_matches('-');
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    name.len() < before.len()
        && name.bytes().all(is_word)
        && !text.is_empty()
        && !text.starts_with('-')
        && is_secret_name(name)
}
