//! What a pin demands of a version. One small grammar reads what npm, PEP 440, `RubyGems`, Poetry and version
//! managers write, as they agree on nearly everything; where they do not, the reading is the lenient one, so
//! that a conflict is never invented. Does not know where a pin stands, but for `go.mod`.

use std::cmp::Ordering;

use crate::normalise::Version;

/// What a pin demands.
#[derive(Debug, Clone)]
pub(super) enum Constraint {
    /// One exact version.
    Exact(Version),
    /// Any of these alternatives.
    Range(Vec<Vec<Comparator>>),
    /// Something that moves by itself (`stable`, `lts/*`), or that can't be read: nothing can break it.
    Unknown,
}

/// One demand; all of an alternative's must hold.
#[derive(Debug, Clone)]
pub(super) struct Comparator {
    operator: Operator,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is,
    Begins,
    BeginsNot,
    AtLeast,
    Above,
    Below,
    AtMost,
}

impl Constraint {
    /// Reads what a pin says. In `go.mod` a version is the least that will do.
    pub(super) fn read(text: &str, place: &str) -> Self {
        let text = text.trim();
        let file = place.split([' ', '#', '[', ':']).next().unwrap_or_default();
        if file == "go.mod" || file.ends_with("/go.mod") {
            return Version::parse(text).map_or(Self::Unknown, |version| {
                Self::Range(vec![vec![Comparator { operator: Operator::AtLeast, version }]])
            });
        }
        let alternatives: Option<Vec<Vec<Comparator>>> = text.split("||").map(alternative).collect();
        match alternatives {
            None => Self::Unknown,
            Some(all) => match all.as_slice() {
                [one] => match one.as_slice() {
                    [Comparator { operator: Operator::Is, version }] => Self::Exact(version.clone()),
                    _ => Self::Range(all),
                },
                _ => Self::Range(all),
            },
        }
    }

    /// Whether a version satisfies this; `None` where that can't be told.
    pub(super) fn admits(&self, version: &Version) -> Option<bool> {
        match self {
            Self::Exact(exact) => Some(is(version, exact)),
            Self::Range(alternatives) => {
                Some(alternatives.iter().any(|all| all.iter().all(|comparator| comparator.admits(version))))
            }
            Self::Unknown => None,
        }
    }

    /// Whether two pins can't both be satisfied. Two ranges are never said to conflict: one of them is
    /// usually the wider wish.
    pub(super) fn conflicts_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(version), constraint) | (constraint, Self::Exact(version)) => {
                constraint.admits(version) == Some(false)
            }
            (Self::Range(_) | Self::Unknown, Self::Range(_) | Self::Unknown) => false,
        }
    }
}

impl Comparator {
    fn admits(&self, version: &Version) -> bool {
        let order = version.order(&self.version);
        match self.operator {
            Operator::Is => is(version, &self.version),
            Operator::Begins => version.begins_with(&self.version),
            Operator::BeginsNot => !version.begins_with(&self.version),
            Operator::AtLeast => order.is_ge(),
            Operator::Above => order.is_gt(),
            Operator::Below => order.is_lt(),
            // npm's `<=18` holds for all of 18.
            Operator::AtMost => order.is_le() || version.begins_with(&self.version),
        }
    }
}

/// A distribution's revision (`18.19.0-1nodesource1`) is still that version.
fn is(version: &Version, exact: &Version) -> bool {
    version.is_same(exact) || (!exact.has_suffix() && version.order(exact) == Ordering::Equal)
}

/// Reads `>=3.9,<4`, `1.2 - 2.3`, `^18 <18.20`.
fn alternative(text: &str) -> Option<Vec<Comparator>> {
    if let Some((low, high)) = text.split_once(" - ") {
        let mut all = comparators(">=", low.trim())?;
        all.extend(comparators("<=", high.trim())?);
        return Some(all);
    }
    let mut all = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', ',']);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (operator, after) = leading(rest, |c| "<>=!~^".contains(c));
        let (version, after) =
            leading(after.trim_start(), |c| !c.is_whitespace() && c != ',' && !"<>=!^".contains(c));
        all.extend(comparators(operator, version)?);
        rest = after.trim_start_matches([' ', '\t', ',']);
        if version.is_empty() && operator.is_empty() {
            return None;
        }
    }
    Some(all)
}

fn leading(text: &str, of: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !of(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// What one operator and version demand: nothing for `*`, two comparators for `^1.2`.
fn comparators(operator: &str, text: &str) -> Option<Vec<Comparator>> {
    if matches!(text, "*" | "x" | "X") {
        return Some(Vec::new());
    }
    let bare = without_wildcards(text);
    let version = Version::parse(bare)?;
    let precision = version.precision();
    let exact = bare == text && (precision >= 3 || version.has_suffix());
    let one = |operator| Some(vec![Comparator { operator, version: version.clone() }]);
    let until = |count: usize| {
        let below = version.raised(count)?;
        let from = Comparator { operator: Operator::AtLeast, version: version.clone() };
        Some(vec![from, Comparator { operator: Operator::Below, version: below }])
    };
    match operator {
        "" | "=" | "==" | "===" => one(if exact { Operator::Is } else { Operator::Begins }),
        "!=" => one(Operator::BeginsNot),
        ">=" => one(Operator::AtLeast),
        ">" => one(Operator::Above),
        "<" => one(Operator::Below),
        "<=" => one(Operator::AtMost),
        "^" => until((version.leading_zeros() + 1).min(precision)),
        "~" => until(precision.min(2)),
        // RubyGems and PEP 440: the last number may rise.
        "~>" | "~=" => until(precision.saturating_sub(1).max(1)),
        _ => None,
    }
}

fn without_wildcards(text: &str) -> &str {
    let mut bare = text;
    while let Some(shorter) = [".x", ".X", ".*"].iter().find_map(|end| bare.strip_suffix(end)) {
        bare = shorter;
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pin: &str, version: &str, expected: &str) {
        let got = match Constraint::read(pin, ".tool-versions").admits(&Version::parse(version).unwrap()) {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        assert_eq!(got, expected, "{pin} {version}");
    }

    #[test]
    fn pins_of_all_sorts() {
        for (pin, version, expected) in [
            ("18.19.0", "18.19.0", "yes"),
            ("v18.19.0", "18.19.0", "yes"),
            ("18.19.0", "18.19.0-1nodesource1", "yes"),
            ("18.19.0", "18.20.1", "no"),
            ("18.19.0", "18.19.0-rc.1", "no"),
            ("18", "18.19.0", "yes"),
            ("v18", "18.19.0", "yes"),
            ("18", "20.0.0", "no"),
            ("18", "180.0.0", "no"),
            ("20.x", "20.11.0", "yes"),
            ("20.x", "21.0.0", "no"),
            ("3.11", "3.11.4", "yes"),
            ("3.11.*", "3.12.0", "no"),
            (">=18", "20.1.0", "yes"),
            (">= 18", "16.0.0", "no"),
            ("^18.17.0", "18.20.1", "yes"),
            ("^18.17.0", "18.16.0", "no"),
            ("^18.17.0 || >=20", "22.0.0", "yes"),
            ("^18.17.0 || >=20", "19.0.0", "no"),
            ("^0.2.3", "0.2.9", "yes"),
            ("^0.2.3", "0.3.0", "no"),
            ("^0.0.3", "0.0.4", "no"),
            ("~1.2.3", "1.2.9", "yes"),
            ("~1.2", "1.3.0", "no"),
            ("~1", "1.9.0", "yes"),
            ("1.2 - 2.3", "2.3.9", "yes"),
            ("1.2 - 2.3", "2.4.0", "no"),
            (">=3.9,<4", "3.12.1", "yes"),
            (">=3.9, <4", "4.0.0", "no"),
            (">=3.9,!=3.10.*", "3.10.2", "no"),
            ("~=3.9", "3.12.0", "yes"),
            ("~=3.9.1", "3.10.0", "no"),
            ("==3.11.*", "3.11.9", "yes"),
            ("~> 3.2", "3.9.0", "yes"),
            ("~> 3.2.1", "3.3.0", "no"),
            ("> 1.0, < 2", "1.5.0", "yes"),
            ("<=18", "18.20.0", "yes"),
            ("*", "1.0.0", "yes"),
            ("17.0.9+9", "17.0.9+8", "yes"),
            ("stable", "1.75.0", "unknown"),
            ("lts/hydrogen", "18.0.0", "unknown"),
            ("lts/*", "18.0.0", "unknown"),
            ("pypy3.9-7.3.9", "3.9.1", "unknown"),
            ("${UNKNOWN}", "3.9.1", "unknown"),
            ("", "1.0.0", "unknown"),
            ("^", "1.0.0", "unknown"),
            ("18 ||", "20.0.0", "unknown"),
            ("=>18", "20.0.0", "unknown"),
            ("18.19.0 || 20.11.0", "20.11.0", "yes"),
        ] {
            check(pin, version, expected);
        }
    }

    #[test]
    fn conflicts() {
        let read = |text| Constraint::read(text, "a");
        for (a, b, expected) in [
            ("18.19.0", "20.11.0", true),
            ("18.19.0", ">=20", true),
            ("18.19.0", "18", false),
            ("18", "20", false),
            ("18.19.0", "lts/*", false),
            ("18.19.0", "v18.19.0", false),
        ] {
            assert_eq!(read(a).conflicts_with(&read(b)), expected, "{a} {b}");
            assert_eq!(read(b).conflicts_with(&read(a)), expected, "{b} {a}");
        }
        let go = Constraint::read("1.22", "go.mod");
        assert_eq!(go.admits(&Version::parse("go1.23.1").unwrap()), Some(true));
        assert_eq!(go.admits(&Version::parse("1.21").unwrap()), Some(false));
    }
}
