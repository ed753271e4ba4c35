//! Versions of Python packages and of Python itself: their order, and the clauses that choose among them.
//! <https://peps.python.org/pep-0440/>
//!
//! Does not choose a version from a list, and knows no other ecosystem's rules.

use std::cmp::Ordering;

/// A version.
#[derive(Debug, Clone)]
pub struct Version {
    epoch: u64,
    release: Vec<u64>,
    pre: Option<(Phase, u64)>,
    post: Option<u64>,
    dev: Option<u64>,
    local: Vec<Local>,
}

/// What comes before a release, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Alpha,
    Beta,
    Candidate,
}

/// A part of a local version; text comes before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Local {
    Text(String),
    Number(u64),
}

/// How a clause (`>=3.9`) compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// `==`, which knows `==3.*`.
    Equal,
    /// `!=`, which knows `!=3.*`.
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `~=`
    Compatible,
    /// `===`, which compares text.
    Identical,
}

impl Version {
    /// Reads a version in any spelling that the PEP normalises; `None` where the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_prefix('v').unwrap_or(&text);
        let (public, local) = match text.split_once('+') {
            Some((public, local)) => (public, parse_local(local)?),
            None => (text, Vec::new()),
        };
        let (epoch, public) = match public.split_once('!') {
            Some((epoch, rest)) => (number(epoch)?, rest),
            None => (0, public),
        };
        let mut rest = public;
        let mut release = vec![take_number(&mut rest)?];
        while let Some(mut next) = rest.strip_prefix('.') {
            let Some(part) = take_number(&mut next) else { break };
            release.push(part);
            rest = next;
        }
        let pre = take_labelled(&mut rest, &PHASES)?;
        let post = take_post(&mut rest)?;
        let dev = take_labelled(&mut rest, &[("dev", ())])?.map(|((), number)| number);
        rest.is_empty().then_some(Self { epoch, release, pre, post, dev, local })
    }

    /// The numbers of its release: `3.11.2`.
    #[must_use]
    pub fn release(&self) -> &[u64] {
        &self.release
    }

    /// Whether it comes before a release.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    fn without_local(&self) -> Self {
        Self { local: Vec::new(), ..self.clone() }
    }

    fn has_base_of(&self, other: &Self) -> bool {
        self.epoch == other.epoch && compare_padded(&self.release, &other.release).is_eq()
    }

    /// Whether it fits a clause, pre-releases not excluded; `None` where the clause is none.
    #[must_use]
    pub fn fits(&self, comparison: Comparison, clause: &str) -> Option<bool> {
        match comparison {
            Comparison::Equal => self.equals(clause),
            Comparison::NotEqual => self.equals(clause).map(|equal| !equal),
            Comparison::LessOrEqual => Some(self.without_local() <= Self::parse(clause)?),
            Comparison::GreaterOrEqual => Some(self.without_local() >= Self::parse(clause)?),
            Comparison::Less => {
                let clause = Self::parse(clause)?;
                let before_it = !clause.is_prerelease() && self.is_prerelease() && self.has_base_of(&clause);
                Some(*self < clause && !before_it)
            }
            Comparison::Greater => {
                let clause = Self::parse(clause)?;
                let after_it = clause.post.is_none() && self.post.is_some() && self.has_base_of(&clause);
                let local = !self.local.is_empty() && self.has_base_of(&clause);
                Some(*self > clause && !after_it && !local)
            }
            Comparison::Compatible => {
                let clause = Self::parse(clause)?;
                let (_, prefix) = clause.release.split_last().filter(|(_, prefix)| !prefix.is_empty())?;
                Some(self.without_local() >= clause && self.begins_with(clause.epoch, prefix))
            }
            Comparison::Identical => None,
        }
    }

    fn equals(&self, clause: &str) -> Option<bool> {
        if let Some(prefix) = clause.trim().strip_suffix(".*") {
            let prefix = Self::parse(prefix)?;
            let plain = prefix.dev.is_none() && prefix.local.is_empty();
            // `==1.1a1.*` and `==1.1.post1.*` fit nothing but themselves, so far as anybody writes them.
            return match (prefix.pre, prefix.post) {
                (None, None) if plain => Some(self.begins_with(prefix.epoch, &prefix.release)),
                _ => None,
            };
        }
        let clause = Self::parse(clause)?;
        Some(if clause.local.is_empty() { self.without_local() == clause } else { *self == clause })
    }

    fn begins_with(&self, epoch: u64, prefix: &[u64]) -> bool {
        let padded = self.release.iter().copied().chain(std::iter::repeat(0));
        self.epoch == epoch && prefix.iter().copied().eq(padded.take(prefix.len()))
    }

    /// What decides between two versions of one release.
    fn rank(&self) -> impl Ord + '_ {
        // A development release alone comes before every pre-release; a release after all of them.
        let pre = match (self.pre, self.post, self.dev) {
            (Some((phase, number)), _, _) => (1, Some((phase, number))),
            (None, None, Some(_)) => (0, None),
            (None, _, _) => (2, None),
        };
        let dev = self.dev.map_or((1, 0), |number| (0, number));
        (pre, self.post.map_or((0, 0), |number| (1, number)), dev, &self.local)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.epoch.cmp(&other.epoch))
            .then_with(|| compare_padded(&self.release, &other.release))
            .then_with(|| self.rank().cmp(&other.rank()))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

fn compare_padded(left: &[u64], right: &[u64]) -> Ordering {
    let length = left.len().max(right.len());
    let padded = |numbers: &[u64]| -> Vec<u64> {
        numbers.iter().copied().chain(std::iter::repeat(0)).take(length).collect()
    };
    padded(left).cmp(&padded(right))
}

/// Every spelling of a phase, the longer ones first.
const PHASES: [(&str, Phase); 8] = [
    ("alpha", Phase::Alpha),
    ("beta", Phase::Beta),
    ("preview", Phase::Candidate),
    ("pre", Phase::Candidate),
    ("rc", Phase::Candidate),
    ("a", Phase::Alpha),
    ("b", Phase::Beta),
    ("c", Phase::Candidate),
];

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Takes digits from the front; `None` where there are none, or too many.
fn take_number(rest: &mut &str) -> Option<u64> {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    let found = number(digits)?;
    *rest = after;
    Some(found)
}

fn without_separator(text: &str) -> &str {
    text.strip_prefix(['.', '-', '_']).unwrap_or(text)
}

/// Takes `[.-_]label[.-_]number`, each part but the label optional. The outer `None` is a number too large.
#[expect(clippy::option_option, reason = "no label is not the same as a wrong one")]
fn take_labelled<T: Copy>(rest: &mut &str, labels: &[(&str, T)]) -> Option<Option<(T, u64)>> {
    let start = without_separator(rest);
    let found = labels.iter().find_map(|(label, kind)| Some((*kind, start.strip_prefix(label)?)));
    let Some((kind, after)) = found else { return Some(None) };
    *rest = after;
    Some(Some((kind, optional_number(rest)?)))
}

/// Takes `.post1`, `-r1`, `-1`.
#[expect(clippy::option_option, reason = "no post-release is not the same as a wrong one")]
fn take_post(rest: &mut &str) -> Option<Option<u64>> {
    if let Some(mut after) =
        rest.strip_prefix('-').filter(|after| after.starts_with(|c: char| c.is_ascii_digit()))
    {
        let number = take_number(&mut after)?;
        *rest = after;
        return Some(Some(number));
    }
    let found = take_labelled(rest, &[("post", ()), ("rev", ()), ("r", ())])?;
    Some(found.map(|((), number)| number))
}

/// Takes the number after a label, which is 0 where there is none.
fn optional_number(rest: &mut &str) -> Option<u64> {
    let mut after = without_separator(rest);
    if !after.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(0);
    }
    let number = take_number(&mut after)?;
    *rest = after;
    Some(number)
}

fn parse_local(text: &str) -> Option<Vec<Local>> {
    let part = |part: &str| {
        let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain.then(|| number(part).map_or_else(|| Local::Text(part.to_owned()), Local::Number))
    };
    text.split(['.', '-', '_']).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_order_of_the_pep() {
        let ordered = [
            "1.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
            "1!0.1",
        ];
        for (at, text) in ordered.iter().enumerate() {
            for (other_at, other) in ordered.iter().enumerate() {
                let (left, right) = (Version::parse(text).unwrap(), Version::parse(other).unwrap());
                // The first two are equal but for the number of the development release.
                assert_eq!(left.cmp(&right), at.cmp(&other_at), "{text} {other}");
            }
        }
    }

    #[test]
    fn one_version_in_many_spellings() {
        let check = |left: &str, right: &str| {
            assert_eq!(Version::parse(left).unwrap(), Version::parse(right).unwrap(), "{left} {right}");
        };
        for (left, right) in [
            ("1.0", "1.0.0"),
            ("v1.0", "1.0"),
            (" 1.0\n", "1"),
            ("1.1RC1", "1.1rc1"),
            ("1.1.a1", "1.1a1"),
            ("1.1-a.1", "1.1a1"),
            ("1.1alpha1", "1.1a1"),
            ("1.1c3", "1.1rc3"),
            ("1.1preview", "1.1rc0"),
            ("1.2a", "1.2a0"),
            ("1.2-post2", "1.2.post2"),
            ("1.0-r4", "1.0.post4"),
            ("1.0-1", "1.0.post1"),
            ("1.2.post", "1.2.post0"),
            ("1.2-dev2", "1.2.dev2"),
            ("1.0+ubuntu-1", "1.0+ubuntu.1"),
            ("0!1", "1"),
            ("01.02", "1.2"),
        ] {
            check(left, right);
        }
    }

    #[test]
    fn what_is_no_version() {
        for text in [
            "",
            "x",
            "1.",
            "1..0",
            "1.0+",
            "1.0+a..b",
            "1.0 1",
            "!1",
            "1.x",
            "==1",
            "1.0-",
            "1a1b1",
            "ü",
            "99999999999999999999999",
            "1.0a99999999999999999999999",
            "1.*",
        ] {
            assert!(Version::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn clauses() {
        use Comparison::{Compatible, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let check = |version: &str, comparison, clause: &str, expected| {
            let found = Version::parse(version).unwrap().fits(comparison, clause);
            assert_eq!(found, expected, "{version} {comparison:?} {clause}");
        };
        check("3.11.2", Equal, "3.11.*", Some(true));
        check("3.1", Equal, "3.11.*", Some(false));
        check("3", Equal, "3.0.*", Some(true));
        check("3.11.0rc1", Equal, "3.11.*", Some(true));
        check("3.11.2", NotEqual, "3.11.*", Some(false));
        check("1.0+cpu", Equal, "1.0", Some(true));
        check("1.0", Equal, "1.0+cpu", Some(false));
        check("3.9", Less, "3.10", Some(true));
        check("3.10", Less, "3.9", Some(false));
        check("3.12.0rc1", Less, "3.12", Some(false));
        check("3.12.0a1", Less, "3.12.0b1", Some(true));
        check("3.12.0rc1", GreaterOrEqual, "3.12", Some(false));
        check("1.7.post1", Greater, "1.7", Some(false));
        check("1.7.post2", Greater, "1.7.post1", Some(true));
        check("1.7.0+x", Greater, "1.7", Some(false));
        check("1.7.1", Greater, "1.7", Some(true));
        check("1.7+x", LessOrEqual, "1.7", Some(true));
        check("2.2.5", Compatible, "2.2", Some(true));
        check("3.0", Compatible, "2.2", Some(false));
        check("1.4.5.1", Compatible, "1.4.5a4", Some(true));
        check("1.5", Compatible, "1.4.5", Some(false));
        check("2.2", Compatible, "2", None);
        check("2.2", Equal, "two", None);
        check("2.2", Less, "2.*", None);
    }
}
