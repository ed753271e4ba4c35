//! Recalls what was set aside where a rule of the project's own demands something of it by name: `env/HOME`
//! (noise needs its key in full) or `runtime/*#path` (context needs its attribute in full). A glob over a region
//! does not mean the noise in it.

use parallax_model::{AttributePath, Code, Resource, ontology};

use super::judge::Bench;
use super::stack::{Placed, Target};
use crate::compare::show::{short, visible};
use crate::compare::{Change, Difference, Suppressed, layer, name, of_finding, place};
use crate::normalise::{self, Outcome};

pub(super) struct Recalled {
    pub(super) differences: Vec<Difference>,
    pub(super) suppressed: Vec<Suppressed>,
}

pub(super) fn recall(bench: &Bench<'_>, suppressed: Vec<Suppressed>) -> Recalled {
    let mut out = Recalled { differences: Vec::new(), suppressed: Vec::new() };
    for one in suppressed {
        let resource = bench.left.get(&one.key).or_else(|| bench.right.get(&one.key));
        let named = one.attribute.as_ref().zip(resource).filter(|(path, _)| is_named(bench, &one, path));
        match named.map(|(path, resource)| difference(bench, &one, resource, path)) {
            Some(difference) => out.differences.push(difference),
            None => out.suppressed.push(one),
        }
    }
    out
}

fn is_named(bench: &Bench<'_>, one: &Suppressed, path: &AttributePath) -> bool {
    let by_name = |placed: &Placed| {
        let (key, attribute) =
            placed.rule.select.as_str().split_once('#').unwrap_or((placed.rule.select.as_str(), "*"));
        let part = if one.owner == "context" { attribute } else { key };
        placed.is_own() && placed.demands() && !part.contains('*')
    };
    bench.stack.deciding(Target::Attribute(&one.key, path)).is_some_and(|(_, placed)| by_name(placed))
}

fn difference(bench: &Bench<'_>, one: &Suppressed, resource: &Resource, path: &AttributePath) -> Difference {
    let (left, right) = (one.left.clone(), one.right.clone());
    let rule = ontology::compare_rule(&resource.kind, &one.key, path);
    let compared = left.as_ref().zip(right.as_ref()).map(|(l, r)| normalise::compare(rule, l, r));
    let not_comparable = compared.as_ref().and_then(|(_, outcome)| match outcome {
        Outcome::NotComparable(why) => Some(why.clone()),
        Outcome::Same | Outcome::Different(_) => None,
    });
    let shown = |value: &Option<_>| value.as_ref().map_or_else(|| "absent".to_owned(), short);
    let [here, there] = [bench.left, bench.right].map(|s| place(&s.header().environment));
    let what = name(&resource.kind, &one.key);
    Difference {
        id: of_finding(&one.key, Some(path), left.as_ref(), right.as_ref()),
        key: one.key.clone(),
        kind: resource.kind.clone(),
        attribute: Some(path.clone()),
        layer: layer(&resource.kind),
        code: ontology::attribute(&resource.kind, path).map_or(Code::ConfigDrift, |row| row.code),
        change: match (&left, &right) {
            (Some(_), None) => Change::OnlyLeft,
            (None, Some(_)) => Change::OnlyRight,
            (Some(_), Some(_)) | (None, None) => Change::Changed,
        },
        message: format!(
            "{what} {} {} {here}, {} {there}",
            visible(path.as_str()),
            shown(&left),
            shown(&right)
        ),
        left,
        right,
        normalised: (None, None),
        rules: vec![normalise::rule_name(rule)],
        not_comparable,
        details: Vec::new(),
        part_of: None,
    }
}
