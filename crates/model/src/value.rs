//! Values: what an attribute holds. A scalar, or a secret's fingerprint; structure lives in paths.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Fingerprint;

/// One typed leaf. Equality here is literal; what counts as the same is the ontology's to say and
/// the engine's to decide.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// Observed to be null (which is not the same as absent).
    Null,
    /// True or false.
    Bool(bool),
    /// A number, with the text that it had.
    Number(Number),
    /// Text, any Unicode.
    Text(Box<str>),
    /// A secret, masked.
    Secret(Fingerprint),
}

/// A JSON number, kept as its literal text, so that nothing is rounded (`1.10` stays `1.10`, and 20
/// digits stay 20 digits).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number(Box<str>);

impl Number {
    /// Reads a number in JSON's grammar (RFC 8259 section 6); `None` where the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_json_number(text.as_bytes()).then(|| Self(text.into()))
    }

    /// The literal text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<u64> for Number {
    fn from(n: u64) -> Self {
        Self(n.to_string().into())
    }
}

fn is_json_number(text: &[u8]) -> bool {
    let rest = text.strip_prefix(b"-").unwrap_or(text);
    let (int, rest) = digits(rest);
    let int_ok = int == 1 || (int > 1 && rest.len() < text.len() && !leading_zero(text));
    let rest = match rest {
        [b'.', fraction @ ..] => match digits(fraction) {
            (0, _) => return false,
            (_, rest) => rest,
        },
        other => other,
    };
    let rest = match rest {
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => match digits(exponent) {
            (0, _) => return false,
            (_, rest) => rest,
        },
        other => other,
    };
    int_ok && rest.is_empty()
}

fn leading_zero(text: &[u8]) -> bool {
    text.strip_prefix(b"-").unwrap_or(text).first() == Some(&b'0')
}

fn digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    text.split_at_checked(count).map_or((0, text), |(_, rest)| (count, rest))
}

impl Value {
    /// Text, from anything that becomes text.
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number.
    #[must_use]
    pub fn integer(n: u64) -> Self {
        Self::Number(n.into())
    }

    /// The text of a text value; `None` for every other sort.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Secret(_) => None,
        }
    }

    /// The name of this value's sort, for messages.
    #[must_use]
    pub fn sort(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::Text(_) => "text",
            Self::Secret(_) => "secret",
        }
    }

    /// The value as JSON text: `null`, `true`, `1.10`, `"text"`, `{"secret":"present"}`. Equal
    /// values have equal text and different values different text.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(b) => b.to_string(),
            Self::Number(n) => n.0.to_string(),
            Self::Text(text) => quoted(text),
            Self::Secret(fingerprint) => format!("{{\"secret\":\"{fingerprint}\"}}"),
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// As people read it: text bare, a secret as `a secret`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(n) => f.write_str(&n.0),
            Self::Text(text) => f.write_str(text),
            Self::Secret(_) => f.write_str("a secret"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Self::integer(n)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Number(n) => {
                use serde::ser::Error as _;
                let raw = RawValue::from_string(n.0.to_string()).map_err(S::Error::custom)?;
                raw.serialize(serializer)
            }
            Self::Text(text) => serializer.serialize_str(text),
            Self::Secret(fingerprint) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("secret", &fingerprint.to_string())?;
                map.end()
            }
        }
    }
}

/// Reads JSON; only from `serde_json`, as numbers are taken as they are written.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        match raw.bytes().next() {
            Some(b'"') => serde_json::from_str::<String>(raw).map(Self::from).map_err(D::Error::custom),
            Some(b'{') => {
                let mut inner = serde_json::Deserializer::from_str(raw);
                inner.deserialize_map(SecretVisitor).map(Self::Secret).map_err(D::Error::custom)
            }
            Some(b't') => Ok(Self::Bool(true)),
            Some(b'f') => Ok(Self::Bool(false)),
            Some(b'n') => Ok(Self::Null),
            Some(_) | None => Number::parse(raw).map(Self::Number).ok_or_else(|| {
                D::Error::custom(format!(
                    "`{raw}` is not an attribute's value: a scalar or {{\"secret\": ..}} is"
                ))
            }),
        }
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Fingerprint;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{\"secret\": \"present\" or \"fingerprint:<key id>:<mac>\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fingerprint, A::Error> {
        let (name, text): (String, String) =
            map.next_entry()?.ok_or_else(|| A::Error::custom("an empty object is no value"))?;
        match (name.as_str(), Fingerprint::parse(&text)) {
            ("secret", Some(fingerprint)) if map.next_key::<String>()?.is_none() => Ok(fingerprint),
            // The text is not repeated: it may be what should have been masked.
            _ => Err(A::Error::custom("an object that is no masked secret; a value is a scalar")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_json_grammar() {
        for good in ["0", "-0", "1.10", "18446744073709551616", "1e400", "-1.5E-7", "10"] {
            assert_eq!(Number::parse(good).map(|n| n.as_str().to_owned()).as_deref(), Some(good));
        }
        for bad in ["", "-", "01", "1.", ".5", "+1", "1e", "0x1", "1 ", "NaN", "-01"] {
            assert_eq!(Number::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn json_round_trips() {
        for text in ["null", "true", "1.10", "\"a\\n\\u0000\"", "{\"secret\":\"present\"}"] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
            assert_eq!(value.to_json(), text);
        }
    }

    #[test]
    fn structure_is_refused_and_not_repeated() {
        for bad in ["[1]", "{}", "{\"secret\":\"hunter2\"}", "{\"a\":\"hunter2\"}"] {
            let error = serde_json::from_str::<Value>(bad).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
