//! The project's own rules that speak of values (`present`, `pinned`, `one_of`, `matches`), checked where no
//! difference led to them: where both sides are equal, where one side is hidden, and where neither side has
//! what a rule without a glob names.

use std::collections::BTreeSet;

use parallax_model::ontology;
use parallax_model::selector::Selector;
use parallax_model::{AttributePath, Code, Gap, GapKind, Key, Resource, Value};

use super::demand::{self, Demand};
use super::judge::{Bench, violation};
use super::stack::{Placed, Target, is_compared, words};
use super::{Divergence, Requirement, Unobserved};
use crate::align::{self, Pair};
use crate::compare::show::short;
use crate::compare::{Cause, Change, Difference, Unknown, layer, name, of_finding};

/// What differs already, by key and attribute; with `None` for a whole resource.
pub(super) type Covered = BTreeSet<(Key, Option<AttributePath>)>;

pub(super) struct Found {
    pub(super) divergences: Vec<Divergence>,
    pub(super) unobserved: Vec<Unobserved>,
}

pub(super) fn sweep(bench: &Bench<'_>, covered: &Covered, unseen: &[Selector]) -> Found {
    let mut found = Found { divergences: Vec::new(), unobserved: Vec::new() };
    if !bench.stack.placed.iter().any(speaks_of_values) {
        return found;
    }
    for pair in align::resources(bench.left, bench.right) {
        let (left, right) = match pair {
            Pair::Both(l, r) => (Some(l), Some(r)),
            Pair::Left(l) => (Some(l), None),
            Pair::Right(r) => (None, Some(r)),
        };
        if let Some(resource) = left.or(right) {
            attributes(bench, covered, (resource, left, right), &mut found);
        }
    }
    for placed in bench.stack.placed.iter().filter(|p| speaks_of_values(p)) {
        found.divergences.extend(nowhere(bench, placed, unseen));
    }
    found
}

fn speaks_of_values(placed: &Placed) -> bool {
    // `**` alone speaks of everything, most of which has no value of the sort.
    let everything = matches!(placed.rule.select.as_str(), "**" | "**#**");
    let values = match placed.rule.requirement {
        Requirement::Present | Requirement::Pinned | Requirement::OneOf(_) | Requirement::Matches(_) => true,
        Requirement::MayDiffer
        | Requirement::Equal
        | Requirement::Compatible
        | Requirement::WithinPercent(_) => false,
    };
    placed.is_own() && values && !everything
}

fn attributes(
    bench: &Bench<'_>,
    covered: &Covered,
    (resource, left, right): (&Resource, Option<&Resource>, Option<&Resource>),
    found: &mut Found,
) {
    let key = &resource.key;
    let selected = |p: &Placed| speaks_of_values(p) && p.rule.select.selects_key(key);
    if covered.contains(&(key.clone(), None)) || !bench.stack.placed.iter().any(selected) {
        return;
    }
    let paths: BTreeSet<&AttributePath> =
        left.into_iter().chain(right).flat_map(|r| r.attributes.iter().map(|a| &a.path)).collect();
    for path in paths.into_iter().filter(|path| is_compared(&resource.kind, path)) {
        let deciding = bench.stack.deciding(Target::Attribute(key, path)).map(|(_, placed)| placed);
        let Some(placed) = deciding.filter(|p| speaks_of_values(p)) else { continue };
        if covered.contains(&(key.clone(), Some(path.clone()))) {
            continue;
        }
        let value = |side: Option<&Resource>| side.and_then(|r| r.attributes.get(path.as_str())).cloned();
        let (l, r) = (value(left), value(right));
        let values: Vec<&Value> = l.iter().chain(&r).collect();
        let rule = ontology::compare_rule(&resource.kind, key, path);
        match demand::of_values(placed, &values, rule) {
            Demand::Met => {}
            Demand::Unknown(why) => found.unobserved.push(unknown(bench, placed, key, path, &why)),
            Demand::Broken(why) => {
                let difference = breaking(placed, resource, path, (l, r), why);
                found.divergences.push(violation(difference, placed));
            }
        }
    }
}

/// Equal values that break a rule.
fn breaking(
    placed: &Placed,
    resource: &Resource,
    path: &AttributePath,
    (left, right): (Option<Value>, Option<Value>),
    why: Option<String>,
) -> Difference {
    let what = name(&resource.kind, &resource.key);
    let shown = left.as_ref().or(right.as_ref()).map(short).unwrap_or_default();
    let why = why.unwrap_or_else(|| words(&placed.rule.requirement));
    let code = match placed.rule.requirement {
        Requirement::Pinned => Code::FloatingTag,
        Requirement::MayDiffer
        | Requirement::Equal
        | Requirement::Compatible
        | Requirement::Present
        | Requirement::WithinPercent(_)
        | Requirement::OneOf(_)
        | Requirement::Matches(_) => {
            ontology::attribute(&resource.kind, path).map_or(Code::ConfigDrift, |row| row.code)
        }
    };
    Difference {
        id: of_finding(&resource.key, Some(path), left.as_ref(), right.as_ref()),
        key: resource.key.clone(),
        kind: resource.kind.clone(),
        attribute: Some(path.clone()),
        layer: layer(&resource.kind),
        code,
        change: Change::Changed,
        left,
        right,
        normalised: (None, None),
        rules: Vec::new(),
        not_comparable: None,
        message: format!("{what} is {shown} on both sides: {why}"),
        details: Vec::new(),
        part_of: None,
    }
}

/// A rule that names one resource which neither side has, where both were looked at.
fn nowhere(bench: &Bench<'_>, placed: &Placed, unseen: &[Selector]) -> Option<Divergence> {
    let text = placed.rule.select.as_str().split('#').next().unwrap_or_default();
    let key = Key::parse(text).ok().filter(|_| !text.contains('*'))?;
    let absent = bench.left.get(&key).is_none() && bench.right.get(&key).is_none();
    let hidden = unseen.iter().any(|gap| gap.selects(&key, None));
    let last = bench.stack.placed.iter().rev().find(|p| p.rule.select.selects_key(&key))?;
    if !absent || hidden || !std::ptr::eq(last, placed) {
        return None;
    }
    let row = ontology::kinds().find(|row| fits(row.key, &key));
    let kind = row.map_or("", |row| row.id);
    let difference = Difference {
        id: of_finding(&key, None, None, None),
        kind: kind.into(),
        attribute: None,
        layer: layer(kind),
        code: row.map_or(Code::ResourceMissing, |row| row.missing),
        change: Change::Changed,
        left: None,
        right: None,
        normalised: (None, None),
        rules: Vec::new(),
        not_comparable: None,
        message: format!("{} is on neither side", name(kind, &key)),
        details: Vec::new(),
        part_of: None,
        key,
    };
    Some(violation(difference, placed))
}

/// Whether a key has the shape that a kind's row states, `runtime/<name>`.
fn fits(shape: &str, key: &Key) -> bool {
    let mut segments = key.segments();
    let each =
        shape.split('/').all(|part| segments.next().is_some_and(|s| part.starts_with('<') || part == s));
    each && (segments.next().is_none() || shape.ends_with('>'))
}

fn unknown(bench: &Bench<'_>, placed: &Placed, key: &Key, path: &AttributePath, why: &str) -> Unobserved {
    let gap = Gap::new(format!("{key}#{path}"), GapKind::Unsupported, why);
    let environment = bench.left.header().environment.clone();
    Unobserved {
        unknown: Unknown { environment, gap, cause: Cause::Unseen, hidden: vec![key.clone()] },
        rule: placed.decided(),
    }
}
