//! Digests of values that depend on the meaning alone: one keyed hash per leaf, added up where order says
//! nothing. Knows no JSON text and no lists' keys.
//!
//! The hash is SipHash-1-3 with a 128-bit key and a 128-bit result (Aumasson and Bernstein 2012), a
//! pseudo-random function. The digest of an object is the sum, modulo 2^128, of the hashes of its
//! members, as in the multiset hash of Clarke, Devadas and others (2003). Two given documents that differ
//! have, at some level, sums of two different sets; as every summand is there at most once, the
//! difference of the sums is uniform, and equal to zero with probability 2^-128. By the union bound, `n`
//! pairs of values are told apart with probability at least `1 - n * 2^-128`, for everyone who does not know the key.

use super::scan::load;

/// The secret key of digests. Make it from the system's randomness, once per process: who knows it could
/// write two documents that look equal.
#[derive(Clone, Copy)]
pub struct DigestKey {
    low: u64,
    high: u64,
}

impl DigestKey {
    /// From 16 random bytes.
    #[must_use]
    pub const fn new(random: [u8; 16]) -> Self {
        let number = u128::from_le_bytes(random);
        #[expect(clippy::cast_possible_truncation, reason = "the number is split into its two halves")]
        Self { low: number as u64, high: (number >> 64) as u64 }
    }
}

impl std::fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigestKey(..)")
    }
}

/// What a value is; part of what is hashed, so that `"1"` and `1` differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Null = 1,
    False,
    True,
    Number,
    Text,
    Object,
    /// A list whose order counts.
    Ordered,
    /// A list with a natural key.
    Keyed,
    /// A resource's key or a natural key, not a value.
    Key,
}

/// One hash under way. A hash is `begin`, then what the lengths there announce, then `finish`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hash {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

/// Lengths from here on get words of their own.
const LONG: u64 = 1 << 28;

impl Hash {
    /// Begins a hash of a value with a label (a member's name, or a list position in eight bytes), both
    /// by length: the encoding is prefix-free.
    #[inline]
    pub(super) const fn begin(key: DigestKey, sort: Sort, label: usize, value: usize) -> Self {
        Self::begin_bits(key, sort as u64, label, value)
    }

    /// The same for the number of a [`Sort`].
    #[inline]
    pub(super) const fn begin_bits(key: DigestKey, sort: u64, label: usize, value: usize) -> Self {
        let (label, value) = (label as u64, value as u64);
        let mut hash = Self {
            v0: key.low ^ 0x736f_6d65_7073_6575,
            v1: key.high ^ 0x646f_7261_6e64_6f6d ^ 0xEE,
            v2: key.low ^ 0x6c79_6765_6e65_7261,
            v3: key.high ^ 0x7465_6462_7974_6573,
        };
        let short_label = if label < LONG { label } else { LONG };
        let short_value = if value < LONG { value } else { LONG };
        hash.word(sort | short_label << 4 | short_value << 34);
        if short_label == LONG || short_value == LONG {
            hash.word(label);
            hash.word(value);
        }
        hash
    }

    #[inline]
    pub(super) const fn word(&mut self, word: u64) {
        self.v3 ^= word;
        self.round();
        self.v0 ^= word;
    }

    /// Begins the hash of a list whose order counts; then the hash of each item follows, and their number.
    #[inline]
    pub(super) const fn begin_list(key: DigestKey) -> Self {
        Self::begin(key, Sort::Ordered, 0, 0)
    }

    /// Two words.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the number is split into its two halves")]
    pub(super) const fn wide(&mut self, number: u128) {
        self.word(number as u64);
        self.word((number >> 64) as u64);
    }

    /// The bytes of `buffer` from `start` to `end`, the last word filled with zeros.
    #[inline]
    pub(super) fn bytes(&mut self, buffer: &[u8], start: usize, end: usize) {
        let mut at = start;
        while end - at >= 8 {
            self.word(load(buffer, at).unwrap_or_default());
            at += 8;
        }
        if at < end {
            let unused = 64 - 8 * (end - at);
            let word = load(buffer, at).unwrap_or_else(|| {
                let tail = buffer.get(at..end).unwrap_or_default();
                tail.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
            });
            self.word(word << unused >> unused);
        }
    }

    #[inline]
    pub(super) const fn finish(mut self) -> u128 {
        self.v2 ^= 0xEE;
        self.round();
        self.round();
        self.round();
        let low = self.v0 ^ self.v1 ^ self.v2 ^ self.v3;
        self.v1 ^= 0xDD;
        self.round();
        self.round();
        self.round();
        let high = self.v0 ^ self.v1 ^ self.v2 ^ self.v3;
        (high as u128) << 64 | low as u128
    }

    #[inline]
    const fn round(&mut self) {
        self.v0 = self.v0.wrapping_add(self.v1);
        self.v1 = self.v1.rotate_left(13) ^ self.v0;
        self.v0 = self.v0.rotate_left(32);
        self.v2 = self.v2.wrapping_add(self.v3);
        self.v3 = self.v3.rotate_left(16) ^ self.v2;
        self.v0 = self.v0.wrapping_add(self.v3);
        self.v3 = self.v3.rotate_left(21) ^ self.v0;
        self.v2 = self.v2.wrapping_add(self.v1);
        self.v1 = self.v1.rotate_left(17) ^ self.v2;
        self.v2 = self.v2.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_every_part_counts() {
        let key = DigestKey::new([7; 16]);
        let of = |sort, label: &[u8], value: &[u8]| {
            let mut hash = Hash::begin(key, sort, label.len(), value.len());
            hash.bytes(label, 0, label.len());
            hash.bytes(value, 0, value.len());
            hash.finish()
        };
        let base = of(Sort::Text, b"label", b"0123456789");
        assert_eq!(base, of(Sort::Text, b"label", b"0123456789"));
        assert_ne!(base, of(Sort::Number, b"label", b"0123456789"));
        assert_ne!(base, of(Sort::Text, b"label0", b"123456789"));
        assert_ne!(of(Sort::Text, b"", b"a"), of(Sort::Text, b"", b"a\0"));
        for bit in 0..80 {
            let mut other = *b"0123456789";
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(base, of(Sort::Text, b"label", &other), "bit {bit}");
        }
        assert_ne!(Hash::begin(key, Sort::Null, 0, 0).finish(), {
            Hash::begin(DigestKey::new([8; 16]), Sort::Null, 0, 0).finish()
        });
    }

    #[test]
    fn bytes_are_the_same_wherever_they_stand() {
        let key = DigestKey::new([7; 16]);
        let long = b"xxxabcdefghijkyyyyyyyyyyyyyyyy";
        for length in 0..=11 {
            let mut inside = Hash::begin(key, Sort::Text, 0, length);
            inside.bytes(long, 3, 3 + length);
            let mut at_end = Hash::begin(key, Sort::Text, 0, length);
            at_end.bytes(&long[..3 + length], 3, 3 + length);
            assert_eq!(inside.finish(), at_end.finish(), "{length}");
        }
    }
}
