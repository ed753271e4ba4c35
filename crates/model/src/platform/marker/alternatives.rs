//! Several markers as one: the alternatives under which a package is installed, each a set of comparisons that must all
//! hold. What is reached over many paths is the disjunction of their conjunctions, kept short.
//!
//! Sound rather than complete: a simplification is made only where it is certain (among interpreters that were released:
//! `<` and `>=` are taken as each other's opposite), and what becomes too long is not dropped but turns into `?`,
//! of which nothing is known.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use super::{Literal, Marker, Operator, Variable};
use crate::platform::pep440::{Comparison, Version};

/// More alternatives than this are not worked out.
const MAX_TERMS: usize = 12;
/// More comparisons than this in one alternative are not kept.
const MAX_LITERALS: usize = 10;

/// Comparisons that must all hold; none is always.
type Term = BTreeSet<Literal>;

/// Alternatives, of which one is enough; none is never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alternatives {
    terms: BTreeSet<Term>,
}

impl Alternatives {
    /// Under no condition at all.
    #[must_use]
    pub fn never() -> Self {
        Self::default()
    }

    /// Under every condition.
    #[must_use]
    pub fn always() -> Self {
        Self { terms: BTreeSet::from([Term::new()]) }
    }

    /// Under conditions of which nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self::of_literal(Literal::Unknown)
    }

    /// Under one condition.
    #[must_use]
    pub fn of_literal(literal: Literal) -> Self {
        Self { terms: BTreeSet::from([Term::from([literal])]) }
    }

    /// Of a marker.
    #[must_use]
    pub fn of(marker: &Marker) -> Self {
        match marker {
            Marker::Literal(literal) => Self::of_literal(literal.clone()),
            Marker::All(parts) => parts.iter().fold(Self::always(), |all, part| all.and(&Self::of(part))),
            Marker::Any(parts) => parts.iter().fold(Self::never(), |mut any, part| {
                any.join(&Self::of(part));
                any
            }),
        }
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.terms.first().is_some_and(BTreeSet::is_empty)
    }

    /// Whether it cannot be.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a part was not worked out.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.terms.iter().any(|term| term.contains(&Literal::Unknown))
    }

    /// Where both hold.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut out = Self::never();
        for left in &self.terms {
            for right in &other.terms {
                if let Some(term) = conjunction(left, right) {
                    out.add(term);
                }
            }
        }
        out
    }

    /// What is left to ask where a dependency group was asked for.
    #[must_use]
    pub fn given_group(&self, group: &str) -> Self {
        self.where_known(|literal| match literal {
            Literal::Text(text, Operator::In, Variable::DependencyGroups) if text == group => Some(true),
            Literal::Text(text, Operator::NotIn, Variable::DependencyGroups) if text == group => Some(false),
            Literal::Variable(..) | Literal::Text(..) | Literal::Odd(_) | Literal::Unknown => None,
        })
    }

    /// What is left to ask where a variable is known to have a value.
    #[must_use]
    pub fn given(&self, variable: Variable, value: &str) -> Self {
        self.where_known(|literal| match literal {
            Literal::Variable(asked, Operator::Compare(comparison), text) if *asked == variable => {
                match comparison {
                    Comparison::Equal => Some(text == value),
                    Comparison::NotEqual => Some(text != value),
                    Comparison::Less
                    | Comparison::LessOrEqual
                    | Comparison::Greater
                    | Comparison::GreaterOrEqual
                    | Comparison::Compatible
                    | Comparison::Identical => None,
                }
            }
            Literal::Variable(..) | Literal::Text(..) | Literal::Odd(_) | Literal::Unknown => None,
        })
    }

    fn where_known(&self, known: impl Fn(&Literal) -> Option<bool>) -> Self {
        let mut out = Self::never();
        for term in self.terms.iter().filter(|term| !term.iter().any(|literal| known(literal) == Some(false)))
        {
            out.add(term.iter().filter(|literal| known(literal).is_none()).cloned().collect());
        }
        out
    }

    /// Adds what holds where the other does; whether that says more than before.
    pub fn join(&mut self, other: &Self) -> bool {
        let mut grown = false;
        for term in &other.terms {
            grown |= self.add(term.clone());
        }
        grown
    }

    /// Never takes away: what was covered stays covered, so that adding along a cycle of packages comes to an end.
    fn add(&mut self, term: Term) -> bool {
        if self.terms.iter().any(|known| covers(known, &term)) {
            return false;
        }
        let before = self.terms.len();
        self.terms.retain(|known| !covers(&term, known));
        if self.terms.len() == before && before >= MAX_TERMS {
            // Of what came too late nothing is known; once that is said, nothing grows but by what covers more.
            return self.terms.insert(Term::from([Literal::Unknown]));
        }
        let merged = self.terms.iter().find_map(|known| merge(known, &term));
        self.terms.insert(term);
        if let Some(merged) = merged {
            self.add(merged);
        }
        true
    }

    /// As a marker; `None` is always. That it is never is said as `?`, since an installer would not have kept it.
    #[must_use]
    pub fn marker(&self) -> Option<Marker> {
        let one = |term: &Term| {
            let mut literals: Vec<Marker> = term.iter().cloned().map(Marker::Literal).collect();
            if literals.len() == 1 { literals.pop() } else { Some(Marker::All(literals)) }
        };
        if self.is_always() {
            return None;
        }
        let mut terms: Vec<Marker> = self.terms.iter().filter_map(one).collect();
        match terms.len() {
            0 => Some(Marker::Literal(Literal::Unknown)),
            1 => terms.pop(),
            _ => Some(Marker::Any(terms)),
        }
    }
}

impl fmt::Display for Alternatives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.marker().map_or(Ok(()), |marker| marker.fmt(f))
    }
}

/// Both sets of comparisons, without those that follow from others; `None` where they exclude each other.
fn conjunction(left: &Term, right: &Term) -> Option<Term> {
    let mut all: Term = left.union(right).cloned().collect();
    let excluded = |one: &Literal| all.iter().any(|other| opposed(one, other));
    if all.iter().any(excluded) {
        return None;
    }
    let followed: Vec<Literal> = all
        .iter()
        .filter(|one| {
            all.iter()
                .any(|other| other != *one && implies(other, one) && !(implies(one, other) && *one < other))
        })
        .cloned()
        .collect();
    for literal in &followed {
        all.remove(literal);
    }
    if all.len() > MAX_LITERALS {
        all = all.into_iter().take(MAX_LITERALS).collect();
        all.insert(Literal::Unknown);
    }
    Some(all)
}

/// Whether whatever fits the second term fits the first.
fn covers(wide: &Term, narrow: &Term) -> bool {
    wide.iter().all(|asked| narrow.iter().any(|given| given == asked || implies(given, asked)))
}

/// Two terms that differ in one comparison only, of which one or the other always holds, are one without it.
fn merge(left: &Term, right: &Term) -> Option<Term> {
    let mut only_left = left.difference(right);
    let mut only_right = right.difference(left);
    let (one, other) = (only_left.next()?, only_right.next()?);
    let alone = only_left.next().is_none() && only_right.next().is_none();
    (alone && exhaustive(one, other)).then(|| left.intersection(right).cloned().collect())
}

/// Whether the second comparison holds wherever the first does.
fn implies(given: &Literal, asked: &Literal) -> bool {
    use Comparison::{Equal, GreaterOrEqual, Less, NotEqual};
    let Some((given_is, given_text, asked_is, asked_text)) = same_variable(given, asked) else {
        return false;
    };
    if is_ordered(given) {
        let Some(order) = order(given_text, asked_text) else { return false };
        return match (given_is, asked_is) {
            (Less, Less) => order.is_le(),
            (GreaterOrEqual, GreaterOrEqual) => order.is_ge(),
            _ => false,
        };
    }
    given_is == Equal && asked_is == NotEqual && given_text != asked_text
}

/// Whether the two never hold together.
fn opposed(one: &Literal, other: &Literal) -> bool {
    use Comparison::{Equal, GreaterOrEqual, Less, NotEqual};
    let Some((one_is, one_text, other_is, other_text)) = same_variable(one, other) else { return false };
    match (one_is, other_is) {
        (Equal, NotEqual) => one_text == other_text,
        (Equal, Equal) => !is_ordered(one) && one_text != other_text,
        (Less, GreaterOrEqual) => is_ordered(one) && order(one_text, other_text).is_some_and(Ordering::is_le),
        _ => false,
    }
}

/// Whether one of the two always holds.
fn exhaustive(one: &Literal, other: &Literal) -> bool {
    use Comparison::{Equal, GreaterOrEqual, Less, NotEqual};
    let Some((one_is, one_text, other_is, other_text)) = same_variable(one, other) else { return false };
    match (one_is, other_is) {
        (Equal, NotEqual) | (NotEqual, Equal) => one_text == other_text,
        (NotEqual, NotEqual) => !is_ordered(one) && one_text != other_text,
        (Less, GreaterOrEqual) => is_ordered(one) && order(one_text, other_text).is_some_and(Ordering::is_ge),
        (GreaterOrEqual, Less) => is_ordered(one) && order(one_text, other_text).is_some_and(Ordering::is_le),
        _ => false,
    }
}

fn same_variable<'l>(
    one: &'l Literal,
    other: &'l Literal,
) -> Option<(Comparison, &'l str, Comparison, &'l str)> {
    match (one, other) {
        (
            Literal::Variable(left, Operator::Compare(left_is), left_text),
            Literal::Variable(right, Operator::Compare(right_is), right_text),
        ) if left == right && !left.is_many() => Some((*left_is, left_text, *right_is, right_text)),
        _ => None,
    }
}

fn is_ordered(literal: &Literal) -> bool {
    matches!(literal, Literal::Variable(variable, ..) if variable.is_version())
}

/// The order of two releases; nothing is said of what is none.
fn order(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (Version::parse(left)?, Version::parse(right)?);
    (!left.is_prerelease() && !right.is_prerelease()).then(|| left.cmp(&right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Alternatives {
        Alternatives::of(&Marker::parse(text).unwrap())
    }

    #[test]
    fn shortened() {
        let check = |text: &str, expected: &str| assert_eq!(of(text).to_string(), expected, "{text}");
        check("os_name == 'nt' or os_name != 'nt'", "");
        check("os_name == 'nt' and os_name != 'nt'", "?");
        check("os_name == 'nt' and os_name == 'posix'", "?");
        check("extra == 'a' and extra == 'b'", "extra == 'a' and extra == 'b'");
        check("python_version < '3.10' or python_version >= '3.9'", "");
        check(
            "python_version < '3.9' or python_version >= '3.10'",
            "python_version < '3.9' or python_version >= '3.10'",
        );
        check("python_version < '3.9' or python_version < '3.10'", "python_version < '3.10'");
        check("python_version < '3.9' and python_version < '3.10'", "python_version < '3.9'");
        check("python_version < '3.9' and python_version < '3.9.0'", "python_version < '3.9'");
        check("python_version >= '3.10' and python_version < '3.10'", "?");
        check("os_name == 'nt' or os_name == 'nt' and extra == 'x'", "os_name == 'nt'");
        check("(os_name == 'nt' and extra == 'x') or (os_name != 'nt' and extra == 'x')", "extra == 'x'");
        check(
            "(os_name == 'nt' or extra == 'x') and sys_platform == 'linux'",
            "os_name == 'nt' and sys_platform == 'linux' or sys_platform == 'linux' and extra == 'x'",
        );
        check("? or os_name == 'nt'", "os_name == 'nt' or ?");
        check("sys_platform == 'win32' and sys_platform != 'darwin'", "sys_platform == 'win32'");
        check("sys_platform != 'win32' or sys_platform != 'darwin'", "");
    }

    #[test]
    fn given_an_extra() {
        let check = |text: &str, expected: &str| {
            assert_eq!(of(text).given(Variable::Extra, "a").to_string(), expected, "{text}");
        };
        check("extra == 'a'", "");
        check("extra == 'a' and os_name == 'nt' or extra == 'b'", "os_name == 'nt'");
        check("extra != 'b' and os_name == 'nt'", "os_name == 'nt'");
        assert!(of("extra == 'b'").given(Variable::Extra, "a").is_never());
    }

    #[test]
    fn too_many_alternatives_are_open() {
        let many: Vec<String> = (0..40).map(|n| format!("platform_release == '{n}'")).collect();
        let any = of(&many.join(" or "));
        assert!(any.is_open() && any.terms.len() == MAX_TERMS + 1, "{any}");
        let mut joined = any.clone();
        assert!(!joined.join(&any) && !joined.join(&of("platform_release == '39'")));
        assert!(joined.join(&Alternatives::always()) && joined.is_always());
        let all: Vec<String> = (0..40).map(|n| format!("extra == '{n}'")).collect();
        let all = of(&all.join(" and "));
        assert!(all.is_open() && !all.is_always(), "{all}");
    }
}
