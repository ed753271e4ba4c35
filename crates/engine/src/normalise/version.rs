//! Versions: equal when they name the same release. Knows what SemVer, Debian, PEP 440, Go and kernels
//! have in common, and no scheme's whole order: two versions are only asked whether they are the same
//! or compatible, and releases (the numbers in front) how they are ordered.
//!
//! What counts as the same, and why:
//! - a `v` or `go` in front is how a tool greets, not part of the version: `v18.19.0`, `go1.22`;
//! - zeros at the end of the numbers: `1.0` is `1.0.0`, as nobody releases both;
//! - build metadata (`+9`) is ignored, as SemVer says; but `+dfsg1` or `+deb12u1` is Debian's way to name
//!   another upstream text or a security update, and counts;
//! - everything else after the numbers counts, literally: `-rc.1`, `~beta`, `-13-amd64`.

use std::cmp::Ordering;

use super::{Contrast, Outcome, unless_same};

/// What a `+` part begins with where Debian means it.
const DEBIAN_MARKS: [&str; 7] = ["dfsg", "ds", "deb", "really", "repack", "ubuntu", "nmu"];

/// A version.
#[derive(Debug, Clone)]
pub struct Version {
    epoch: Part,
    release: Vec<Part>,
    rest: String,
}

/// One number of a version, as digits without leading zeros, so that none is too large.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part(Box<str>);

impl Part {
    fn new(digits: &str) -> Self {
        let trimmed = digits.trim_start_matches('0');
        Self(if trimmed.is_empty() { "0".into() } else { trimmed.into() })
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Version {
    /// Reads a version; `None` where the text is none (a word, a range, a wildcard).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = without_greeting(text.trim());
        let (epoch, text) = match text.split_once(':') {
            Some((epoch, rest)) if !epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit()) => {
                (Part::new(epoch), rest)
            }
            Some(_) => return None,
            None => (Part::new("0"), text),
        };
        let (release, rest) = leading_numbers(text)?;
        let ranged = matches!(rest, ".x" | ".X" | ".*") || rest.contains(['*', '^']);
        let odd = |b: u8| !(b.is_ascii_alphanumeric() || b".-+~_:".contains(&b));
        if ranged || rest.bytes().any(odd) || matches!(rest, "." | "-") {
            return None;
        }
        Some(Self { epoch, release, rest: without_build(rest).to_owned() })
    }

    /// How many numbers stand in front: 3 for `18.19.0`.
    #[must_use]
    pub fn precision(&self) -> usize {
        self.release.len()
    }

    /// Whether something that is no number follows the release: a pre-release, a distribution's revision.
    #[must_use]
    pub fn has_suffix(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Whether this begins with all the numbers of the other: `18.19.0` with `18`, `18.19`. Numbers
    /// that are not written are zeros.
    #[must_use]
    pub fn begins_with(&self, other: &Self) -> bool {
        let zero = Part::new("0");
        (0..other.release.len()).all(|at| self.release.get(at).unwrap_or(&zero) == other.part(at, &zero))
    }

    /// The order of the numbers in front; a pre-release (`-rc.1`) comes before its release.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        let zero = Part::new("0");
        let longest = self.release.len().max(other.release.len());
        let numbers = (0..longest)
            .map(|at| self.part(at, &zero).cmp(other.part(at, &zero)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal);
        self.epoch.cmp(&other.epoch).then(numbers).then(other.is_early().cmp(&self.is_early()))
    }

    /// The least version that begins with this one's first `count` numbers, the last of them raised by
    /// one: `18.19.0` and 2 give `18.20`. `None` where there is no such number, or it is too large.
    #[must_use]
    pub fn raised(&self, count: usize) -> Option<Self> {
        let mut release = self.release.get(..count)?.to_vec();
        let last = release.last_mut()?;
        *last = Part::new(&last.0.parse::<u64>().ok()?.checked_add(1)?.to_string());
        Some(Self { epoch: self.epoch.clone(), release, rest: String::new() })
    }

    /// The place of the first number that is not zero, from 0.
    #[must_use]
    pub fn leading_zeros(&self) -> usize {
        self.release.iter().take_while(|part| *part.0 == *"0").count()
    }

    /// What semantic versioning calls compatible: the same major version, or for `0.x` the same minor
    /// one too. Pre-releases promise nothing, so those must be the same.
    #[must_use]
    pub fn is_compatible_with(&self, other: &Self) -> bool {
        let zero = Part::new("0");
        let same = |at| self.part(at, &zero) == other.part(at, &zero);
        let major_is_zero = *self.part(0, &zero) == zero;
        let stable = self.is_same(other) || (!self.is_early() && !other.is_early());
        self.epoch == other.epoch && same(0) && (!major_is_zero || same(1)) && stable
    }

    /// Whether both name one release.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let zero = Part::new("0");
        let longest = self.release.len().max(other.release.len());
        self.epoch == other.epoch
            && self.rest == other.rest
            && (0..longest).all(|at| self.part(at, &zero) == other.part(at, &zero))
    }

    /// The version as it is compared.
    #[must_use]
    pub fn in_words(&self) -> String {
        let numbers: Vec<&str> = self.release.iter().map(|part| &*part.0).collect();
        let epoch = if *self.epoch.0 == *"0" { String::new() } else { format!("{}:", self.epoch.0) };
        format!("{epoch}{}{}", numbers.join("."), self.rest)
    }

    fn part<'a>(&'a self, at: usize, zero: &'a Part) -> &'a Part {
        self.release.get(at).unwrap_or(zero)
    }

    /// A pre-release, by the marks that SemVer (`-rc.1`), Debian (`~`) and PEP 440 (`rc1`, `a1`) use. A
    /// suffix of digits (`-13-amd64`, `-1`) is a distribution's revision, which promises no less.
    fn is_early(&self) -> bool {
        let rest = self.rest.trim_start_matches(['-', '.', '_']).to_ascii_lowercase();
        let words = ["alpha", "beta", "rc", "pre", "dev", "preview", "nightly", "snapshot", "canary", "ea"];
        let pep440 =
            rest.strip_prefix(['a', 'b', 'c']).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
        rest.starts_with('~') || pep440 || words.iter().any(|word| rest.starts_with(word))
    }
}

fn without_greeting(text: &str) -> &str {
    let number = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_digit());
    ["v", "V", "go"].iter().find_map(|greeting| text.strip_prefix(greeting).filter(number)).unwrap_or(text)
}

fn leading_numbers(text: &str) -> Option<(Vec<Part>, &str)> {
    let mut release = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end)?;
        if digits.is_empty() {
            return None;
        }
        release.push(Part::new(digits));
        match after.strip_prefix('.') {
            Some(next) if next.starts_with(|c: char| c.is_ascii_digit()) => rest = next,
            Some(_) | None => return Some((release, after)),
        }
    }
}

fn without_build(rest: &str) -> &str {
    match rest.split_once('+') {
        Some((before, build)) => {
            let debian = before.contains('~') || DEBIAN_MARKS.iter().any(|mark| build.starts_with(mark));
            // `3.11.2+` with nothing after it is how a build from a changed tree is marked.
            if debian || build.is_empty() { rest } else { before }
        }
        None => rest,
    }
}

pub(super) fn compare(left: &str, right: &str) -> Outcome {
    let (l, r) = match (Version::parse(left), Version::parse(right)) {
        (Some(l), Some(r)) => (l, r),
        (None, None) => return not_a_version(left.min(right)),
        (None, Some(_)) => return not_a_version(left),
        (Some(_), None) => return not_a_version(right),
    };
    if l.is_same(&r) {
        return Outcome::Same;
    }
    Outcome::Different(Contrast {
        left: unless_same(left, l.in_words()),
        right: unless_same(right, r.in_words()),
        ..Contrast::default()
    })
}

fn not_a_version(text: &str) -> Outcome {
    Outcome::NotComparable(format!("`{text}` is not a version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(left: &str, right: &str, expected: &str) {
        let got = match compare(left, right) {
            Outcome::Same => "same".to_owned(),
            Outcome::Different(_) => "different".to_owned(),
            Outcome::NotComparable(why) => why,
        };
        assert_eq!(got, expected, "{left:?} {right:?}");
    }

    #[test]
    fn sameness() {
        // The greeting is not the version.
        check("v18.19.0", "18.19.0", "same");
        check("V1.2", "1.2", "same");
        check("go1.22", "1.22", "same");
        check("18.19.0", "18.20.1", "different");
        // Zeros at the end: nobody releases both.
        check("1.0", "1.0.0", "same");
        check("1", "1.0.0.0", "same");
        check("10", "1", "different");
        check("24.04", "24.4", "same");
        // Build metadata is ignored, but for Debian's.
        check("17.0.9+9", "17.0.9+8", "same");
        check("1.0.0+20130313144700", "1.0.0", "same");
        check("1.2.3+dfsg-1", "1.2.3-1", "different");
        check("252.22-1~deb12u1", "252.22-1~deb12u2", "different");
        check("5.36.0-7+deb12u1", "5.36.0-7+deb12u2", "different");
        check("3.11.2+", "3.11.2", "different");
        // Pre-releases differ from their release and from each other.
        check("1.0.0-rc.1", "1.0.0", "different");
        check("1.0.0-rc.1", "1.0.0-rc.2", "different");
        check("3.13.0rc1", "3.13.0", "different");
        // Debian-like, kernels, four parts, epochs.
        check("1:2.39.5-0+deb12u2", "2.39.5-0+deb12u2", "different");
        check("0:1.2", "1.2", "same");
        check("6.1.0-13-amd64", "6.1.0-13-amd64", "same");
        check("6.1.0-13-amd64", "6.1.0-17-amd64", "different");
        check("4.8.4.1", "4.8.4.2", "different");
        check("5.15.133.1-microsoft-standard-WSL2", "5.15.133.1", "different");
        check("9.8.7.Final", "9.8.7", "different");
        check("99999999999999999999999.1", "99999999999999999999999.01", "same");
        // Not versions: never different, never equal.
        for bad in
            ["", "system", "18.x", "1.*", "^18", ">=18", "1.2 (abc)", "lts/hydrogen", "-", "1.", "a:1", "v"]
        {
            check(bad, "1.0", &format!("`{bad}` is not a version"));
            check("1.0", bad, &format!("`{bad}` is not a version"));
        }
    }

    #[test]
    fn compatibility() {
        for (left, right, expected) in [
            ("18.19.0", "18.20.1", true),
            ("18.19.0", "20.0.0", false),
            ("0.4.1", "0.4.9", true),
            ("0.4.1", "0.5.0", false),
            ("6.1.0-13-amd64", "6.8.0-31-generic", true),
            ("5.15.0", "6.1.0", false),
            ("2.0.0-rc.1", "2.0.0", false),
            ("2.0.0-rc.1", "2.0.0-rc.1", true),
            ("1:2.0", "2.0", false),
        ] {
            let (l, r) = (Version::parse(left).unwrap(), Version::parse(right).unwrap());
            assert_eq!(l.is_compatible_with(&r), expected, "{left} {right}");
            assert_eq!(r.is_compatible_with(&l), expected, "{right} {left}");
        }
    }

    #[test]
    fn order_of_releases() {
        for (low, high) in [
            ("1.9", "1.10"),
            ("1.0.0-rc.1", "1.0.0"),
            ("1.0~beta", "1.0"),
            ("2", "1:0"),
            ("3.13.0b1", "3.13"),
        ] {
            let (l, h) = (Version::parse(low).unwrap(), Version::parse(high).unwrap());
            assert_eq!((l.order(&h), h.order(&l)), (Ordering::Less, Ordering::Greater), "{low} {high}");
        }
    }
}
