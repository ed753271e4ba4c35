//! Which part of a comparison is wanted. Applied before parts are folded into their wholes, so that what was
//! not wanted never takes with it what was.

use parallax_model::selector::Selector;
use parallax_model::{AttributePath, Gap, Key};

use super::{Divergence, Judgement};
use crate::compare::Agreed;

/// Which part of a comparison is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what one of these selects; everything, if there are none.
    pub only: Vec<Selector>,
    /// Not what one of these selects.
    pub ignore: Vec<Selector>,
}

impl Filter {
    /// Whether an attribute or (with `None`) a whole resource that one side lacks is wanted. A whole is
    /// wanted for any part of it, and unwanted only where all of it is.
    #[must_use]
    pub fn wants(&self, key: &Key, attribute: Option<&AttributePath>) -> bool {
        let wanted = |s: &Selector| s.selects(key, attribute) || (attribute.is_none() && s.selects_key(key));
        (self.only.is_empty() || self.only.iter().any(wanted))
            && !self.ignore.iter().any(|s| s.selects(key, attribute))
    }

    /// Whether a gap may hide something that is wanted. It is unwanted only where one selector covers all of it.
    #[must_use]
    pub fn wants_gap(&self, gap: &Gap) -> bool {
        let Ok(region) = Selector::parse(&gap.what) else { return true };
        (self.only.is_empty() || self.only.iter().any(|s| s.overlaps(&region)))
            && !self.ignore.iter().any(|s| s.covers(&region))
    }

    /// Whether everything is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.only.is_empty() && self.ignore.is_empty()
    }

    pub(super) fn wants_divergence(&self, divergence: &Divergence) -> bool {
        self.wants(&divergence.difference.key, divergence.difference.attribute.as_ref())
    }

    /// Leaves in a judgement what is wanted.
    pub(super) fn apply(&self, judgement: &mut Judgement) {
        if self.is_empty() {
            return;
        }
        judgement.divergences.retain(|d| self.wants_divergence(d));
        judgement.suppressed.retain(|s| self.wants(&s.key, s.attribute.as_ref()));
        judgement.unknown.retain(|u| self.wants_gap(&u.gap));
        judgement.unobserved.retain(|u| self.wants_gap(&u.unknown.gap));
        judgement.agreed.retain_mut(|agreed| self.leave(agreed));
    }

    fn leave(&self, agreed: &mut Agreed) -> bool {
        agreed.attributes.retain(|(path, _)| self.wants(&agreed.key, Some(path)));
        !agreed.attributes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rules;
    use super::super::tests::{judged, lines, resources, snapshot};
    use super::*;

    #[test]
    fn what_is_not_wanted_takes_nothing_else_with_it() {
        #[track_caller]
        fn check(left: &str, right: &str, gaps: &[&str], (only, ignore): (&str, &str), expected: &str) {
            let list = |text: &str| text.split_whitespace().map(|s| Selector::parse(s).unwrap()).collect();
            let rules =
                Rules { filter: Filter { only: list(only), ignore: list(ignore) }, ..Rules::default() };
            let (left, right) =
                (snapshot("local", resources(left), &[]), snapshot("staging", resources(right), gaps));
            assert_eq!(lines(&judged(&left, &right, &rules)), expected, "{only} {ignore}");
        }
        let [l, r] = ["a", "b"].map(|x| {
            format!("lockfile/package-lock.json sha256={x} ecosystem=npm\ndependency/npm/a version=1.0.0{x}")
        });
        let package = "violation dependency_drift dependency/npm/a#version";
        let lockfile = "violation lockfile_outdated lockfile/package-lock.json#sha256";
        check(&l, &r, &[], ("", ""), &format!("{package} folded\n{lockfile}"));
        check(&l, &r, &[], ("dependency/npm/**", ""), package);
        check(&l, &r, &[], ("", "lockfile/**"), package);
        check(&l, &r, &[], ("", "dependency/**"), lockfile);
        let node = |version: &str| format!("pin/node by[.nvmrc]=18.19.0\nruntime/node version={version}");
        let conflict = "violation pin_conflict pin/node#by[.nvmrc]";
        check(&node("18.19.0"), &node("18.20.1"), &[], ("pin/**", ""), conflict);
        let pin = "pin/node by[.nvmrc]=18.19.0";
        let unobserved = "unobserved staging runtime/node";
        check(&node("18.19.0"), pin, &["runtime/node"], ("", ""), unobserved);
        check(&node("18.19.0"), pin, &["runtime/node"], ("", "runtime/*#path"), unobserved);
        check(&node("18.19.0"), pin, &["runtime/node"], ("", "runtime/*"), "");
        check(&node("18.19.0"), pin, &["runtime/node"], ("env/**", ""), "");
        let missing = "violation runtime_mismatch runtime/node";
        check(&node("18.19.0"), pin, &[], ("runtime/**", "runtime/*#path"), missing);
        check(&node("18.19.0"), pin, &[], ("runtime/*#version", ""), missing);
    }

    #[test]
    fn what_agrees_was_compared() {
        #[track_caller]
        fn check(left: &str, right: &str, only: &str, expected: &str) {
            let filter = Filter { only: vec![Selector::parse(only).unwrap()], ignore: Vec::new() };
            let rules = Rules { filter, ..Rules::default() };
            let (left, right) =
                (snapshot("local", resources(left), &[]), snapshot("staging", resources(right), &[]));
            let shown = |a: &Agreed| {
                let values = a.attributes.iter().map(|(path, value)| format!(" {path}={value}"));
                format!("{}{}", a.key, values.collect::<String>())
            };
            let agreed: Vec<String> = judged(&left, &right, &rules).agreed.iter().map(shown).collect();
            assert_eq!(agreed.join("\n"), expected, "{left:?}");
        }
        let node = "runtime/node version=18.19.0 path=/a";
        check(node, "runtime/node version=v18.19.0 path=/b", "**", "runtime/node version=18.19.0");
        check(node, node, "runtime/*#path", "");
        check(node, "runtime/node path=/a", "**", "");
        check(node, "runtime/node version=18.20.1 path=/a", "**", "");
        check("runtime/node version=weird", "runtime/node version=odd", "**", "");
        check(node, "", "**", "");
        let libc = "host/libc family=glibc version=2.36";
        check(libc, "host/libc family=glibc version=2.31", "**", "host/libc family=glibc");
        check("env/A value=1", "env/A value=1", "**", "");
    }
}
