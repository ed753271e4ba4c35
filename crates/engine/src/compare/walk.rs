//! The walk over two aligned snapshots: what is equal, what differs, what is set aside, what is hidden.

use parallax_model::ontology::{self, Role};
use parallax_model::{Attribute, AttributePath, Code, Fingerprint, Key, Layer, Resource, Snapshot, Value};

use super::describe::{Describe, Subject};
use super::gaps::Gaps;
use super::identity::{LastingKeys, Side};
use super::show::sentence;
use super::sources;
use super::views::{NOT_INSTALLED, Trees};
use super::{Agreed, Change, Difference, Differences, Suppressed};
use crate::align::{self, Pair};
use crate::normalise::{self, Contrast, Outcome};

/// Attributes that are one thing under two names: a value, or a set where several are there.
const PLURALS: [(&str, &str, &str); 1] = [("dependency", "version", "versions")];

pub(super) struct Walk<'a> {
    describe: Describe<'a>,
    keys: LastingKeys<'a>,
    gaps: (Gaps<'a>, Gaps<'a>),
    trees: Trees<'a>,
    /// The kind that was met last, with the attributes that readers know it by.
    headline: (&'a str, &'static [&'static str]),
    out: Differences,
}

/// Two values of one attribute.
#[derive(Clone, Copy)]
struct Values<'v> {
    left: Option<&'v Value>,
    right: Option<&'v Value>,
}

/// A resource that both sides have.
#[derive(Clone, Copy)]
struct Common<'a> {
    left: &'a Resource,
    right: &'a Resource,
    kind: &'a str,
}

impl<'a> Walk<'a> {
    pub(super) fn new(left: &'a Snapshot, right: &'a Snapshot) -> Self {
        let [here, there] = sources::of_both(left, right);
        Self {
            describe: Describe::new(left, right),
            keys: LastingKeys::of(left, right),
            gaps: (Gaps::of(left, here), Gaps::of(right, there)),
            trees: Trees::of(left, right),
            headline: ("", &[]),
            out: Differences::default(),
        }
    }

    pub(super) fn run(mut self, left: &'a Snapshot, right: &'a Snapshot) -> Differences {
        for pair in align::resources(left, right) {
            match pair {
                Pair::Both(l, r) => self.both(l, r),
                Pair::Left(l) => self.one_sided(l, Change::OnlyLeft),
                Pair::Right(r) => self.one_sided(r, Change::OnlyRight),
            }
        }
        self.out.unknown = self.gaps.0.into_unknown().chain(self.gaps.1.into_unknown()).collect();
        self.out.unknown.sort_by(|a, b| (&a.gap, &a.environment).cmp(&(&b.gap, &b.environment)));
        // Where an attribute and its plural were met, the order of paths was left.
        self.out.differences.sort_by(|a, b| (&a.key, &a.attribute).cmp(&(&b.key, &b.attribute)));
        self.out.suppressed.sort_by(|a, b| (&a.key, &a.attribute).cmp(&(&b.key, &b.attribute)));
        self.out
    }

    fn both(&mut self, left: &'a Resource, right: &'a Resource) {
        // Of two kinds the lesser, so that swapping sides applies the same rules.
        let kind: &'a str = if left.kind <= right.kind { &left.kind } else { &right.kind };
        let common = Common { left, right, kind };
        if left.kind != right.kind {
            self.kinds_differ(common);
        }
        let from = self.out.differences.len();
        let mut single: Vec<(&'a Attribute, Change)> = Vec::new();
        for pair in align::attributes(left, right) {
            match pair {
                Pair::Both(l, r) if l.value == r.value && !is_presence_only(&l.value) => self.out.equal += 1,
                Pair::Both(l, r) => {
                    self.attribute(common, &l.path, Values { left: Some(&l.value), right: Some(&r.value) });
                }
                Pair::Left(l) => single.push((l, Change::OnlyLeft)),
                Pair::Right(r) => single.push((r, Change::OnlyRight)),
            }
        }
        self.join_plurals(common, &mut single);
        for (attribute, change) in single {
            self.single_attribute(common, attribute, change);
        }
        if kind == "dependency" {
            self.set_aside_content_of_another_version(from);
        }
        let headline = self.headline(common);
        self.agree(common, headline);
    }

    /// The attributes that readers know a resource of both sides by.
    fn headline(&mut self, common: Common<'a>) -> &'static [&'static str] {
        if self.headline.0 != common.kind {
            self.headline = (common.kind, ontology::kind(common.kind).map_or(&[], |row| row.headline));
        }
        if common.left.kind == common.right.kind { self.headline.1 } else { &[] }
    }

    /// Notes which of these attributes are equal.
    fn agree(&mut self, common: Common<'a>, headline: &[&str]) {
        let equal = headline.iter().filter_map(|path| {
            let (l, r) = (common.left.attributes.get(path)?, common.right.attributes.get(path)?);
            let path = AttributePath::new(path);
            let rule = ontology::compare_rule(common.kind, &common.left.key, &path);
            let same =
                (l == r && !is_presence_only(l)) || matches!(normalise::compare(rule, l, r).1, Outcome::Same);
            same.then(|| (path, l.clone()))
        });
        let attributes: Vec<(AttributePath, Value)> = equal.collect();
        if !attributes.is_empty() {
            let (key, kind) = (common.left.key.clone(), common.kind.into());
            self.out.agreed.push(Agreed { key, kind, attributes });
        }
    }

    /// Another version has other content by nature, and often another URL: these only explain the version. With the same
    /// version each is a finding of its own.
    fn set_aside_content_of_another_version(&mut self, from: usize) {
        let is = |d: &Difference, names: &[&str]| {
            d.attribute.as_ref().is_some_and(|a| names.contains(&a.as_str()))
        };
        let mut of_package = self.out.differences.split_off(from);
        if of_package.iter().any(|d| is(d, &["version", "versions"])) {
            for hash in of_package.extract_if(.., |d| is(d, &["integrity", "source"])) {
                self.out.suppressed.push(Suppressed {
                    key: hash.key,
                    attribute: hash.attribute,
                    left: hash.left,
                    right: hash.right,
                    owner: "context",
                });
            }
        }
        self.out.differences.append(&mut of_package);
    }

    /// Takes out attributes that one side has in the singular and the other in the plural, and
    /// compares them as one, under the singular's name.
    fn join_plurals(&mut self, common: Common<'a>, single: &mut Vec<(&'a Attribute, Change)>) {
        for (_, one, many) in PLURALS.iter().filter(|(kind, _, _)| *kind == common.kind) {
            let find = |name: &str| single.iter().find(|(a, _)| a.path.as_str() == name).copied();
            let (Some((one, x)), Some((many, y))) = (find(one), find(many)) else { continue };
            let values = match (x, y) {
                (Change::OnlyLeft, Change::OnlyRight) => (&one.value, &many.value),
                (Change::OnlyRight, Change::OnlyLeft) => (&many.value, &one.value),
                (Change::Changed | Change::OnlyLeft | Change::OnlyRight, _) => continue,
            };
            single.retain(|(a, _)| a.path != one.path && a.path != many.path);
            let values = Values { left: Some(values.0), right: Some(values.1) };
            self.compared(common, &one.path, ontology::Compare::Set, values);
        }
    }

    fn attribute(&mut self, common: Common<'a>, path: &AttributePath, values: Values<'_>) {
        let rule = ontology::compare_rule(common.kind, &common.left.key, path);
        self.compared(common, path, rule, values);
    }

    fn compared(
        &mut self,
        common: Common<'a>,
        path: &AttributePath,
        rule: ontology::Compare,
        values: Values<'_>,
    ) {
        let (Some(left), Some(right)) = (values.left, values.right) else { return };
        let (rule, outcome) = normalise::compare(rule, left, right);
        let key = &common.left.key;
        match (outcome, owner(common.kind, key, Some(path))) {
            (Outcome::Same, _) => self.out.equal += 1,
            (Outcome::Different(_) | Outcome::NotComparable(_), Some(owner)) => {
                self.suppress(key, Some(path), values, owner);
            }
            (outcome, None) => self.differ(common, path, rule, outcome, masked(values)),
        }
    }

    fn differ(
        &mut self,
        common: Common<'a>,
        path: &AttributePath,
        rule: &'static str,
        outcome: Outcome,
        values: (Option<Value>, Option<Value>),
    ) {
        let (contrast, not_comparable) = match outcome {
            Outcome::Same => return,
            Outcome::Different(contrast) => (contrast, None),
            Outcome::NotComparable(why) => (Contrast::default(), Some(sentence(&why))),
        };
        let subject = Subject { left: Some(common.left), right: Some(common.right), kind: common.kind };
        let (left, right) = values;
        let words =
            self.describe.changed(subject, path, (&left, &right), &contrast, not_comparable.as_deref());
        let code = changed_code(common.kind, path, (&left, &right));
        self.out.differences.push(Difference {
            id: self.keys.id(&common.left.key, Some(path), left.as_ref().into(), right.as_ref().into()),
            key: common.left.key.clone(),
            kind: common.kind.into(),
            attribute: Some(path.clone()),
            layer: layer(common.kind),
            code,
            change: Change::Changed,
            left,
            right,
            normalised: (contrast.left, contrast.right),
            rules: vec![rule],
            not_comparable,
            message: words.message,
            details: words.details,
            part_of: None,
        });
    }

    fn single_attribute(&mut self, common: Common<'a>, attribute: &Attribute, change: Change) {
        let (key, path, value) = (&common.left.key, &attribute.path, &attribute.value);
        let values = one_side(value, change);
        if let Some(owner) = owner(common.kind, key, Some(path)) {
            return self.suppress(key, Some(path), values, owner);
        }
        let present = if change == Change::OnlyRight { common.right } else { common.left };
        if self.trees.explain(common.kind, present, path.as_str(), change) {
            return self.suppress(key, Some(path), values, NOT_INSTALLED);
        }
        if self.lacking_side(change).hide(key, Some(path)) {
            return;
        }
        let subject = Subject { left: Some(common.left), right: Some(common.right), kind: common.kind };
        let words = self.describe.single(subject, attribute, change);
        let code = match value {
            Value::Secret(_) => Code::SecretMissing,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
                changed_code(common.kind, path, (&None, &None))
            }
        };
        self.out.differences.push(Difference {
            id: self.keys.id(key, Some(path), values.left.into(), values.right.into()),
            key: key.clone(),
            kind: common.kind.into(),
            attribute: Some(path.clone()),
            layer: layer(common.kind),
            code,
            change,
            left: values.left.cloned(),
            right: values.right.cloned(),
            normalised: (None, None),
            rules: Vec::new(),
            not_comparable: None,
            message: words.message,
            details: words.details,
            part_of: None,
        });
    }

    fn one_sided(&mut self, resource: &'a Resource, change: Change) {
        let key = &resource.key;
        let not_installed = self.trees.explain_whole(resource, change).then_some(NOT_INSTALLED);
        if let Some(owner) = owner(&resource.kind, key, None).or(not_installed) {
            for attribute in &resource.attributes {
                self.suppress(key, Some(&attribute.path), one_side(&attribute.value, change), owner);
            }
            if resource.attributes.is_empty() {
                self.suppress(key, None, Values { left: None, right: None }, owner);
            }
            return;
        }
        if self.lacking_side(change).hide(key, None) {
            return;
        }
        let words = self.describe.whole(resource, change);
        let (l, r) = match change {
            Change::OnlyRight => (Side::Absent, Side::Whole),
            Change::OnlyLeft | Change::Changed => (Side::Whole, Side::Absent),
        };
        self.out.differences.push(Difference {
            id: self.keys.id(key, None, l, r),
            key: key.clone(),
            kind: resource.kind.clone(),
            attribute: None,
            layer: layer(&resource.kind),
            code: missing_code(resource),
            change,
            left: None,
            right: None,
            normalised: (None, None),
            rules: Vec::new(),
            not_comparable: None,
            message: words.message,
            details: words.details,
            part_of: None,
        });
    }

    /// One key, two kinds: the whole resource is changed, and the kinds stand as its values.
    fn kinds_differ(&mut self, common: Common<'a>) {
        let (left, right) = (Value::text(common.left.kind.clone()), Value::text(common.right.kind.clone()));
        let words = self.describe.kinds(common.left, common.right);
        self.out.differences.push(Difference {
            id: self.keys.id(&common.left.key, None, Side::Value(&left), Side::Value(&right)),
            key: common.left.key.clone(),
            kind: common.kind.into(),
            attribute: None,
            layer: layer(common.kind),
            code: ontology::kind(common.kind).map_or(Code::ResourceMissing, |row| row.missing),
            change: Change::Changed,
            left: Some(left),
            right: Some(right),
            normalised: (None, None),
            rules: vec!["text"],
            not_comparable: None,
            message: words.message,
            details: words.details,
            part_of: None,
        });
    }

    fn lacking_side(&mut self, change: Change) -> &mut Gaps<'a> {
        match change {
            Change::OnlyRight => &mut self.gaps.0,
            Change::OnlyLeft | Change::Changed => &mut self.gaps.1,
        }
    }

    fn suppress(
        &mut self,
        key: &Key,
        attribute: Option<&AttributePath>,
        values: Values<'_>,
        owner: &'static str,
    ) {
        let (left, right) = masked(values);
        let attribute = attribute.cloned();
        self.out.suppressed.push(Suppressed { key: key.clone(), attribute, left, right, owner });
    }
}

/// A secret of which only the presence is known is not even equal to itself.
fn is_presence_only(value: &Value) -> bool {
    matches!(value, Value::Secret(Fingerprint::Present))
}

fn one_side(value: &Value, change: Change) -> Values<'_> {
    match change {
        Change::OnlyRight => Values { left: None, right: Some(value) },
        Change::OnlyLeft | Change::Changed => Values { left: Some(value), right: None },
    }
}

/// The values as they may leave the engine. Where one side's host called its value a secret, the other
/// side's plain value is most likely a secret that its host did not recognise: it is shown as present only.
/// What its shape did not tell there, the pair tells here.
fn masked(values: Values<'_>) -> (Option<Value>, Option<Value>) {
    let is_secret = |value: Option<&Value>| matches!(value, Some(Value::Secret(_)));
    let mask = |value: Option<&Value>, other: Option<&Value>| match value {
        Some(plain) if is_secret(other) && !is_secret(Some(plain)) => {
            Some(Value::Secret(Fingerprint::Present))
        }
        Some(value) => Some(value.clone()),
        None => None,
    };
    (mask(values.left, values.right), mask(values.right, values.left))
}

/// Who owns a difference that is set aside.
fn owner(kind: &str, key: &Key, attribute: Option<&AttributePath>) -> Option<&'static str> {
    let context = || {
        let row = ontology::attribute(kind, attribute?)?;
        match row.role {
            Role::Context => Some("context"),
            Role::Compared => None,
        }
    };
    ontology::noise_owner(kind, key).or_else(context)
}

/// The layer of a kind; one that the ontology does not know counts as configuration.
pub(crate) fn layer(kind: &str) -> Layer {
    ontology::kind(kind).map_or(Layer::Configuration, |row| row.layer)
}

fn changed_code(kind: &str, path: &AttributePath, values: (&Option<Value>, &Option<Value>)) -> Code {
    let is_secret = |value: &Option<Value>| matches!(value, Some(Value::Secret(_)));
    if is_secret(values.0) || is_secret(values.1) {
        return Code::SecretDrift;
    }
    ontology::attribute(kind, path).map_or(Code::ConfigDrift, |row| row.code)
}

fn missing_code(resource: &Resource) -> Code {
    let secret = resource.attributes.iter().any(|a| matches!(a.value, Value::Secret(_)));
    match ontology::kind(&resource.kind) {
        Some(row) if row.id == "env" && secret => Code::SecretMissing,
        Some(row) => row.missing,
        None => Code::ResourceMissing,
    }
}
