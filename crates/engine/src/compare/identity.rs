//! The ids of divergences: 8 hex digits of BLAKE3 over key, attribute and both values, nothing else; for a finding
//! within one environment, over that environment and the sort of finding, too.
//!
//! Each part is preceded by its length, so that no two inputs run together. Thirty-two bits are short
//! enough to type; where two divergences of one report share an id (about 1 report of 10,000 with a
//! thousand divergences has such a pair), the id names both. It is not made longer, as that
//! would make it depend on the rest of the report.

use parallax_model::{AttributePath, Code, Fingerprint, Key, Snapshot, Value};

use super::DivergenceId;

/// The keys whose fingerprints can be met again on another day, one for each side. A fingerprint made with
/// any other key stands for the secret's presence only: else the id would change with every run.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastingKeys<'a> {
    left: Option<&'a str>,
    right: Option<&'a str>,
}

impl<'a> LastingKeys<'a> {
    pub(super) fn of(left: &'a Snapshot, right: &'a Snapshot) -> Self {
        Self { left: left.header().key_id.as_deref(), right: right.header().key_id.as_deref() }
    }

    pub(super) fn id(
        self,
        key: &Key,
        attribute: Option<&AttributePath>,
        left: Side<'_>,
        right: Side<'_>,
    ) -> DivergenceId {
        hash(&[
            Some(key.as_str()),
            attribute.map(AttributePath::as_str),
            left.text(self.left).as_deref(),
            right.text(self.right).as_deref(),
        ])
    }
}

fn hash(parts: &[Option<&str>]) -> DivergenceId {
    let mut hasher = blake3::Hasher::new();
    for text in parts {
        // Absent is not the same as empty.
        let length = text.map_or(u64::MAX, |t| t.len() as u64);
        hasher.update(&length.to_le_bytes());
        hasher.update(text.unwrap_or_default().as_bytes());
    }
    DivergenceId(hasher.finalize().to_hex().chars().take(8).collect::<String>().into())
}

/// What one side has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side<'a> {
    /// Nothing.
    Absent,
    /// A value.
    Value(&'a Value),
    /// A whole resource, whatever is in it.
    Whole,
}

impl Side<'_> {
    fn text(self, lasting: Option<&str>) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Whole => Some("{}".to_owned()),
            Self::Value(Value::Secret(Fingerprint::Keyed { key_id, .. })) if lasting != Some(&**key_id) => {
                Some(Value::Secret(Fingerprint::Present).to_json())
            }
            Self::Value(value) => Some(value.to_json()),
        }
    }
}

impl<'a> From<Option<&'a Value>> for Side<'a> {
    fn from(value: Option<&'a Value>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}

/// The id of a difference that a rule found, with the values as they are.
#[must_use]
pub(crate) fn of_finding(
    key: &Key,
    attribute: Option<&AttributePath>,
    left: Option<&Value>,
    right: Option<&Value>,
) -> DivergenceId {
    LastingKeys { left: None, right: None }.id(key, attribute, left.into(), right.into())
}

/// The id of a finding within one environment: of that environment and sort of finding, too, so that it is
/// neither a difference's nor another environment's, on whichever side the environment stands.
#[must_use]
pub(crate) fn of_finding_within(
    (environment, code): (&str, Code),
    key: &Key,
    attribute: Option<&AttributePath>,
    value: Option<&Value>,
) -> DivergenceId {
    hash(&[
        Some(environment),
        Some(&code.to_string()),
        Some(key.as_str()),
        attribute.map(AttributePath::as_str),
        Side::from(value).text(None).as_deref(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_never_run_together_and_nothing_else_counts() {
        let id = |key: &str, attribute: Option<&str>, left: Option<&str>, right: Option<&str>| {
            let attribute = attribute.map(AttributePath::new);
            let (l, r) = (left.map(Value::from), right.map(Value::from));
            of_finding(&Key::parse(key).unwrap(), attribute.as_ref(), l.as_ref(), r.as_ref()).0
        };
        let all = [
            id("a", Some("b"), Some("c"), Some("d")),
            id("ab", Some(""), Some("c"), Some("d")),
            id("a", Some("b"), Some("d"), Some("c")),
            id("a", Some("b"), None, Some("cd")),
            id("a", Some("b"), Some("cd"), None),
            id("a", None, Some("b"), Some("cd")),
        ];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 8);
            assert!(!all[at + 1..].contains(one), "{one}");
        }
        // Fixed for ever: approvals name it.
        assert_eq!(&*id("runtime/node", Some("version"), Some("18.19.0"), Some("18.20.1")), "4d58b33e");
    }

    #[test]
    fn a_fingerprint_of_one_run_keeps_the_id() {
        let secret = |id: &str, mac: &str| {
            Value::Secret(Fingerprint::Keyed { key_id: id.into(), mac: mac.repeat(32).into() })
        };
        let (a, b) = (secret("00000001", "a"), secret("00000002", "b"));
        let key = Key::of(["env", "A"]);
        let with = |lasting, value| {
            LastingKeys { left: lasting, right: None }.id(&key, None, Side::Value(value), Side::Absent)
        };
        assert_eq!(with(None, &a), with(None, &b));
        assert_ne!(with(Some("00000001"), &a), with(None, &a));
    }
}
