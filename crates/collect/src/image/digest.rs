//! Content held against its digest while it is read: whoever reads to the end has what was meant, or an error.

use std::io::{self, Read};

use sha2::{Digest, Sha256, Sha512};

use crate::secret::hex;

/// What a content that is another one is refused with.
const OTHER: &str = "its content is not what its digest says";

#[derive(Debug, Clone)]
enum Hash {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hash {
    fn of(digest: &str) -> Option<(Self, &str)> {
        match digest.split_once(':')? {
            ("sha256", wanted) => Some((Self::Sha256(Sha256::new()), wanted)),
            ("sha512", wanted) => Some((Self::Sha512(Sha512::new()), wanted)),
            _ => None,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Sha256(hash) => hex(&hash.finalize()),
            Self::Sha512(hash) => hex(&hash.finalize()),
        }
    }
}

/// A reader that fails at its end where the content is not what its digest says, and before that where there is
/// more than was announced.
#[derive(Debug)]
pub(super) struct Verified<R> {
    from: R,
    hash: Option<Hash>,
    wanted: String,
    left: u64,
}

impl<R: Read> Verified<R> {
    /// Of a content that may have at most `size` bytes.
    pub(super) fn new(from: R, digest: &str, size: u64) -> io::Result<Self> {
        let unknown = || io::Error::other("its digest is of an algorithm that is not known here");
        let (hash, wanted) = Hash::of(digest).ok_or_else(unknown)?;
        Ok(Self { from, hash: Some(hash), wanted: wanted.to_owned(), left: size })
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let count = self.from.read(into)?;
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, OTHER);
        if count == 0 {
            let is_meant = self.hash.take().is_none_or(|hash| hash.finish() == self.wanted);
            return if is_meant { Ok(0) } else { Err(damaged()) };
        }
        self.left = u64::try_from(count).ok().and_then(|n| self.left.checked_sub(n)).ok_or_else(damaged)?;
        if let Some(hash) = &mut self.hash {
            hash.update(into.get(..count).unwrap_or_default());
        }
        Ok(count)
    }
}

/// The digest of bytes that are here: `sha256:..`.
pub(super) fn of_bytes(bytes: &[u8]) -> String {
    format!("sha256:{}", crate::secret::sha256_hex(bytes))
}

/// Whether bytes are what a digest says.
pub(super) fn fits(bytes: &[u8], digest: &str) -> bool {
    Hash::of(digest).is_some_and(|(mut hash, wanted)| {
        hash.update(bytes);
        hash.finish() == wanted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content: &[u8], digest: &str, size: u64, expected: bool) {
        let mut out = Vec::new();
        let read = Verified::new(content, digest, size).and_then(|mut from| from.read_to_end(&mut out));
        assert_eq!(read.is_ok(), expected, "{digest}");
    }

    #[test]
    fn only_what_was_meant_is_read() {
        let digest = of_bytes(b"abc");
        check(b"abc", &digest, 3, true);
        check(b"abd", &digest, 3, false);
        check(b"ab", &digest, 3, false);
        check(b"abcd", &digest, 3, false);
        check(b"abc", &digest, 2, false);
        check(b"", &of_bytes(b""), 0, true);
        check(b"abc", "md5:900150983cd24fb0d6963f7d28e17f72", 3, false);
        check(b"abc", "sha256", 3, false);
        let long = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        check(b"abc", long, 3, true);
        assert!(fits(b"abc", long) && !fits(b"abd", long));
    }
}
