//! Takes apart what a far shell printed: marks with a random nonce, and the bytes between them. Any input is
//! taken; what is no frame is passed over.

use memchr::memmem;

/// One mark and what followed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// The probe that it belongs to.
    pub(super) probe: usize,
    /// What sort of answer it is.
    pub(super) tag: &'a str,
    /// The bytes up to the next mark.
    pub(super) body: &'a [u8],
}

/// The mark that ends a batch.
pub(super) fn end_mark(nonce: &str) -> Vec<u8> {
    format!("\n{nonce} end\n").into_bytes()
}

/// The frames of a batch, in the order in which they came.
pub(super) fn parse<'a>(bytes: &'a [u8], nonce: &str) -> Vec<Frame<'a>> {
    let mark = format!("\n{nonce} ");
    let finder = memmem::Finder::new(mark.as_bytes());
    let starts: Vec<usize> = finder.find_iter(bytes).collect();
    let ends = starts.iter().copied().skip(1).chain([bytes.len()]);
    let frame = |(start, end): (usize, usize)| {
        let inner = bytes.get(start + mark.len()..end)?;
        let line = memchr::memchr(b'\n', inner)?;
        let (probe, tag) = std::str::from_utf8(inner.get(..line)?).ok()?.split_once(' ')?;
        Some(Frame { probe: probe.parse().ok()?, tag, body: inner.get(line + 1..)? })
    };
    starts.iter().copied().zip(ends).filter_map(frame).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(input: &[u8], expected: &[(usize, &str, &[u8])]) {
        let got: Vec<_> = parse(input, "NN").into_iter().map(|f| (f.probe, f.tag, f.body)).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn frames_are_told_from_noise() {
        check(b"", &[]);
        check(b"welcome\n\nNN 0 ok\na\0b\n\nNN 1 p\n\nNN end\n", &[(0, "ok", b"a\0b\n"), (1, "p", b"")]);
        check(b"\nNN x ok\n\nNN 18446744073709551616 ok\n\nNN 1\n\nNN 2 ok", &[]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]
        #[test]
        fn any_bytes_are_taken(pieces in proptest::collection::vec(prop_oneof![
            Just(b"\nNN ".to_vec()), Just(b"7 ok\n".to_vec()), proptest::collection::vec(any::<u8>(), 0..9)], 0..30)) {
            let bytes = pieces.concat();
            for frame in parse(&bytes, "NN") {
                prop_assert!(memmem::find(frame.body, b"\nNN ").is_none());
            }
        }
    }
}
