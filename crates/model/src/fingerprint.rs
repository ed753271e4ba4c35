//! What may be known of a secret: that it is there, and a keyed fingerprint. Never its text.

use std::fmt;

/// A secret, masked. There is no way from here back to the secret's text; raw secrets are another
/// type, which lives in `collect` and cannot be printed or serialised.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fingerprint {
    /// A secret is there; nothing else is known (no key that lasts was at hand).
    Present,
    /// A keyed hash of the secret. Two of them can be compared when their key ids are equal.
    Keyed {
        /// Which key made it: 8 lower-case hex digits, themselves derived from the key by hashing.
        key_id: Box<str>,
        /// 32 lower-case hex digits of the keyed hash.
        mac: Box<str>,
    },
}

impl Fingerprint {
    /// Reads the text form, `present` or `fingerprint:<key id>:<mac>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "present" {
            return Some(Self::Present);
        }
        let (key_id, mac) = text.strip_prefix("fingerprint:")?.split_once(':')?;
        let hex = |s: &str, len| s.len() == len && s.bytes().all(|b| b.is_ascii_hexdigit());
        (hex(key_id, 8) && hex(mac, 32)).then(|| Self::Keyed { key_id: key_id.into(), mac: mac.into() })
    }

    /// Whether two fingerprints stand for the same secret: `None` where that can't be told (a side
    /// knows only that a secret is present, or the keys differ).
    #[must_use]
    pub fn same_secret(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Keyed { key_id: a, mac: x }, Self::Keyed { key_id: b, mac: y }) => {
                (a == b).then(|| x == y)
            }
            (Self::Present, _) | (_, Self::Present) => None,
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => f.write_str("present"),
            Self::Keyed { key_id, mac } => write!(f, "fingerprint:{key_id}:{mac}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_refuses() {
        let mac = "0123456789abcdef0123456789abcdef";
        for good in ["present".to_owned(), format!("fingerprint:00c0ffee:{mac}")] {
            assert_eq!(Fingerprint::parse(&good).map(|f| f.to_string()), Some(good));
        }
        for bad in ["", "Present", "fingerprint:", "fingerprint:00c0ffee:12", "hunter2"] {
            assert_eq!(Fingerprint::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn other_keys_cannot_be_compared() {
        let make = |id: &str, mac: char| Fingerprint::Keyed {
            key_id: id.into(),
            mac: mac.to_string().repeat(32).into(),
        };
        assert_eq!(make("a", '1').same_secret(&make("a", '1')), Some(true));
        assert_eq!(make("a", '1').same_secret(&make("a", '2')), Some(false));
        assert_eq!(make("a", '1').same_secret(&make("b", '1')), None);
        assert_eq!(Fingerprint::Present.same_secret(&Fingerprint::Present), None);
    }
}
