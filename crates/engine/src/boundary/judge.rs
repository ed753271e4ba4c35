//! The judge: gives every difference its verdict, and every gap that a boundary speaks of its place.

use std::collections::{BTreeSet, HashMap};

use parallax_model::ontology;
use parallax_model::selector::Selector;
use parallax_model::{AttributePath, Code, Fingerprint, Gap, GapKind, Key, Snapshot, Value};

use super::demand::{self, Demand, Sides};
use super::pins::{self, Conflict};
use super::recall;
use super::stack::{Placed, Stack, Target};
use super::sweep::{self, Covered};
use super::unseen::Weight;
use super::variables::{self, Seen, VariableProblem};
use super::views::{self, Parted};
use super::{
    DecidedBy, Divergence, Filter, Judgement, Origin, Profile, Rules, Severity, Unobserved, VariableSchema,
    VariableShape, Verdict,
};
use crate::compare::{
    Cause, Change, Difference, Differences, DivergenceId, Unknown, layer, of_finding_within, pinned_tool,
    place,
};

/// What is before the judge.
pub(super) struct Bench<'a> {
    pub(super) stack: Stack,
    pub(super) left: &'a Snapshot,
    pub(super) right: &'a Snapshot,
    pub(super) rules: &'a Rules,
}

/// One of the two environments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Left,
    Right,
}

impl Which {
    fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// What becomes of one difference.
enum Judged {
    Divergence(Box<Divergence>),
    Unobserved(Unobserved),
}

/// Judges differences.
#[must_use]
pub fn judge(differences: Differences, left: &Snapshot, right: &Snapshot, rules: &Rules) -> Judgement {
    let bench = Bench { stack: Stack::new(rules, left, right), left, right, rules };
    let Differences { mut differences, suppressed, unknown, equal, agreed } = differences;
    let mut covered: Covered = differences.iter().map(|d| (d.key.clone(), d.attribute.clone())).collect();
    covered.extend(suppressed.iter().map(|s| (s.key.clone(), s.attribute.clone())));
    let recalled = recall::recall(&bench, suppressed);
    differences.extend(recalled.differences);
    let mut out = Judgement { suppressed: recalled.suppressed, equal, agreed, ..Judgement::default() };
    for difference in differences {
        match bench.judge_one(difference) {
            Judged::Divergence(divergence) => out.divergences.push(*divergence),
            Judged::Unobserved(unobserved) => out.unobserved.push(unobserved),
        }
    }
    fold(&mut out.divergences, &rules.filter);
    out.divergences.retain(|d| rules.filter.wants_divergence(d));
    let unseen: Vec<Selector> = unknown.iter().filter_map(|u| Selector::parse(&u.gap.what).ok()).collect();
    for unknown in unknown {
        match bench.weigh(&unknown) {
            Weight::Matters(rule) => out.unobserved.push(Unobserved { unknown, rule }),
            Weight::Told => out.unknown.push(unknown),
            Weight::Nothing => {}
        }
    }
    let swept = sweep::sweep(&bench, &covered, &unseen);
    out.divergences.extend(swept.divergences);
    out.unobserved.extend(swept.unobserved);
    for which in [Which::Left, Which::Right] {
        bench.pins(which, &mut out);
        bench.views(which, &mut out);
        bench.schema(which, &mut out);
        bench.example(which, &mut out);
    }
    rules.filter.apply(&mut out);
    once(&mut out.divergences);
    if rules.strict {
        for divergence in &mut out.divergences {
            divergence.severity = strictly(divergence);
        }
    }
    out.divergences.sort_by(|a, b| {
        let (x, y) = (&a.difference, &b.difference);
        (x.layer, &x.key, &x.attribute, &a.within).cmp(&(y.layer, &y.key, &y.attribute, &b.within))
    });
    out
}

/// One environment at two times has what is wrong within it on both sides: that is told once.
fn once(divergences: &mut Vec<Divergence>) {
    let mut told = BTreeSet::new();
    divergences.retain(|d| match &d.within {
        Some(environment) => told.insert((
            environment.clone(),
            d.difference.code,
            d.difference.key.clone(),
            d.difference.message.clone(),
        )),
        None => true,
    });
}

fn strictly(divergence: &Divergence) -> Severity {
    match (divergence.verdict, divergence.severity) {
        (Verdict::Undeclared, _) | (Verdict::Violation, Severity::Warning) => Severity::Error,
        (Verdict::Violation | Verdict::Approved | Verdict::Allowed, severity) => severity,
    }
}

/// A divergence that breaks a rule.
pub(super) fn violation(difference: Difference, placed: &Placed) -> Divergence {
    Divergence {
        difference,
        verdict: Verdict::Violation,
        severity: placed.rule.severity.unwrap_or(Severity::Error),
        decided_by: Some(placed.decided()),
        within: None,
        folded: false,
    }
}

/// Gives parts that no rule of the project's own selects the verdict of their whole. Where the whole is not
/// wanted, its parts stand for themselves.
fn fold(divergences: &mut [Divergence], filter: &Filter) {
    let wholes: HashMap<DivergenceId, (Verdict, Severity, Option<DecidedBy>, bool)> = divergences
        .iter()
        .filter(|d| d.difference.part_of.is_none())
        .map(|d| {
            let wanted = filter.wants_divergence(d);
            (d.difference.id.clone(), (d.verdict, d.severity, d.decided_by.clone(), wanted))
        })
        .collect();
    for part in divergences {
        let own = part.decided_by.as_ref().is_some_and(|d| !matches!(d.origin, Origin::Profile(_)));
        let whole = part.difference.part_of.as_ref().and_then(|id| wholes.get(id));
        if let Some((verdict, severity, decided_by, wanted)) = whole.filter(|_| !own) {
            part.folded = *wanted;
            (part.verdict, part.severity) = (*verdict, *severity);
            part.decided_by.clone_from(decided_by);
        }
    }
}

impl Bench<'_> {
    fn judge_one(&self, mut difference: Difference) -> Judged {
        let key = &difference.key;
        let target = match &difference.attribute {
            Some(path) => Target::Attribute(key, path),
            None => Target::Whole(key, self.left.get(key).or_else(|| self.right.get(key))),
        };
        let Some((_, placed)) = self.stack.deciding(target) else { return self.undeclared(difference) };
        let whole = difference.attribute.is_none() && difference.change == Change::Changed;
        let sides = Sides {
            left: difference.left.as_ref(),
            right: difference.right.as_ref(),
            compare: compare_rule(&difference),
            not_comparable: difference.not_comparable.as_deref(),
        };
        let demand = match demand::of_difference(placed, sides) {
            // Two kinds under one key: whatever is demanded, it is not the same thing.
            Demand::Met if whole && placed.demands() => Demand::Broken(None),
            demand @ (Demand::Met | Demand::Broken(_) | Demand::Unknown(_)) => demand,
        };
        match demand {
            Demand::Met => Judged::Divergence(Box::new(Divergence {
                difference,
                verdict: Verdict::Allowed,
                severity: Severity::Info,
                decided_by: Some(placed.decided()),
                within: None,
                folded: false,
            })),
            Demand::Broken(why) => {
                difference.details.extend(why);
                Judged::Divergence(Box::new(violation(difference, placed)))
            }
            Demand::Unknown(why) => Judged::Unobserved(self.not_told(&difference, why, placed.decided())),
        }
    }

    fn undeclared(&self, difference: Difference) -> Judged {
        if let Some(why) = difference.not_comparable.clone().filter(|_| self.rules.strict) {
            return Judged::Unobserved(self.not_told(&difference, why, strict()));
        }
        Judged::Divergence(Box::new(Divergence {
            difference,
            verdict: Verdict::Undeclared,
            severity: Severity::Info,
            decided_by: None,
            within: None,
            folded: false,
        }))
    }

    /// Values of which a rule can't be told: as good as unobserved, on the side that knows less.
    fn not_told(&self, difference: &Difference, why: String, rule: DecidedBy) -> Unobserved {
        let is_present = matches!(difference.left, Some(Value::Secret(Fingerprint::Present)));
        let side = if is_present { self.left } else { self.right };
        let attribute = difference.attribute.as_ref().map(|a| format!("#{a}")).unwrap_or_default();
        let gap = Gap::new(format!("{}{attribute}", difference.key), GapKind::Unsupported, why);
        let environment = side.header().environment.clone();
        Unobserved {
            unknown: Unknown { environment, gap, cause: Cause::Unseen, hidden: vec![difference.key.clone()] },
            rule,
        }
    }

    fn pins(&self, which: Which, out: &mut Judgement) {
        let Some(profile) = self.profile_name() else { return };
        for conflict in pins::conflicts(self.side(which)) {
            let deciding = self.stack.deciding(Target::Attribute(&conflict.key, &conflict.attribute));
            let lifted = deciding.map(|(_, placed)| placed).filter(|p| p.is_own() && !p.demands());
            let by = lifted.map_or_else(|| pins_agree(profile), Placed::decided);
            let told = told_by(&conflict, &out.divergences);
            let mut divergence = self.finding(which, self.conflict_difference(which, conflict), by);
            if lifted.is_some() {
                (divergence.verdict, divergence.severity) = (Verdict::Allowed, Severity::Info);
            } else if told.is_some() {
                (divergence.difference.part_of, divergence.folded) = (told, true);
            }
            out.divergences.push(divergence);
        }
    }

    fn views(&self, which: Which, out: &mut Judgement) {
        let Some(by) = self.profile_name().map(views_agree) else { return };
        for parted in views::parted(self.side(which)) {
            let deciding = self.stack.deciding(Target::Attribute(&parted.key, &parted.attribute));
            let lifted = deciding.map(|(_, placed)| placed).filter(|p| p.is_own() && !p.demands());
            let decided = lifted.map_or_else(|| by.clone(), Placed::decided);
            let Parted { key, attribute, code, value, message, details } = parted;
            let within = self.within(which, "lockfile", code);
            let difference = within.difference(key, Some(attribute), Some(value), (message, details));
            let mut divergence = self.finding(which, difference, decided);
            if lifted.is_some() {
                (divergence.verdict, divergence.severity) = (Verdict::Allowed, Severity::Info);
            }
            out.divergences.push(divergence);
        }
    }

    fn profile_name(&self) -> Option<&'static str> {
        match self.rules.profile {
            Profile::Recommended => Some("recommended"),
            Profile::Strict => Some("strict"),
            Profile::None => None,
        }
    }

    fn schema(&self, which: Which, out: &mut Judgement) {
        let snapshot = self.side(which);
        // A process always has some variable: none at all means that nobody looked.
        let unseen = snapshot.under("env").next().is_none();
        let seen = |name: &str| seen(snapshot, name);
        for variable in &self.rules.env_schema {
            match seen(&variable.name) {
                Seen::Unknown => out.unobserved.extend(self.hidden_variable(which, variable)),
                Seen::Absent if unseen => out.unobserved.extend(self.hidden_variable(which, variable)),
                Seen::Secret if !variables::is_told_of_a_secret(&variable.shape) => {
                    let why = "the value of a secret is not known, so neither is its shape";
                    let what = format!("env/{}#value", variable.name);
                    let gap = Gap::new(what, GapKind::Unsupported, why);
                    out.unobserved.push(self.variable_unseen(which, variable, gap));
                }
                Seen::Absent | Seen::Plain(_) | Seen::Secret => {
                    for problem in variables::check_variables(std::slice::from_ref(variable), seen) {
                        out.divergences.push(self.breaks_schema(which, problem));
                    }
                }
            }
        }
    }

    /// A variable that could not be seen: one that need not be there matters only where the other side has it.
    fn hidden_variable(&self, which: Which, variable: &VariableSchema) -> Option<Unobserved> {
        let is_there = match seen(self.side(which.other()), &variable.name) {
            Seen::Plain(_) | Seen::Secret => true,
            Seen::Absent | Seen::Unknown => false,
        };
        let demands = variable.required || (is_there && !matches!(variable.shape, VariableShape::Any));
        let key = Key::of(["env", &variable.name]);
        let gaps = &self.side(which).header().gaps;
        let gap = gaps.iter().find(|gap| gap.hides(&key, None)).cloned().unwrap_or_else(|| {
            Gap::new(key.as_str(), GapKind::Unsupported, "no environment variable was observed")
        });
        demands.then(|| self.variable_unseen(which, variable, gap))
    }

    /// The derived schema: a hint, where the environment carries such variables at all.
    fn example(&self, which: Which, out: &mut Judgement) {
        let snapshot = self.side(which);
        let seen = |name: &str| seen(snapshot, name);
        let is_set = |v: &VariableSchema| matches!(seen(&v.name), Seen::Plain(_) | Seen::Secret);
        if !self.rules.env_schema.is_empty() || !self.rules.env_example.iter().any(is_set) {
            return;
        }
        for problem in variables::check_variables(&self.rules.env_example, seen) {
            out.divergences
                .push(Divergence { severity: Severity::Warning, ..self.breaks_schema(which, problem) });
        }
    }

    fn breaks_schema(&self, which: Which, problem: VariableProblem) -> Divergence {
        let by = DecidedBy {
            rule: format!("env/{} {}", problem.name, problem.demand),
            because: None,
            origin: problem.origin.clone(),
        };
        let difference = self.schema_difference(which, problem);
        self.finding(which, difference, by)
    }

    fn side(&self, which: Which) -> &Snapshot {
        match which {
            Which::Left => self.left,
            Which::Right => self.right,
        }
    }

    fn finding(&self, which: Which, mut difference: Difference, by: DecidedBy) -> Divergence {
        let environment = self.side(which).header().environment.clone();
        difference.message = format!("{} {}", difference.message, place(&environment));
        Divergence {
            difference,
            verdict: Verdict::Violation,
            severity: Severity::Error,
            decided_by: Some(by),
            within: Some(environment),
            folded: false,
        }
    }

    fn variable_unseen(&self, which: Which, variable: &VariableSchema, gap: Gap) -> Unobserved {
        let environment = self.side(which).header().environment.clone();
        Unobserved {
            unknown: Unknown { environment, gap, cause: Cause::Unseen, hidden: Vec::new() },
            rule: DecidedBy {
                rule: format!("env/{} {}", variable.name, variables::demand(variable)),
                because: None,
                origin: variable.origin.clone(),
            },
        }
    }

    fn schema_difference(&self, which: Which, problem: VariableProblem) -> Difference {
        let key = Key::of(["env", &problem.name]);
        let value = self.side(which).get(&key).and_then(|r| r.attributes.get("value")).cloned();
        let attribute = value.is_some().then(|| AttributePath::new("value"));
        let within = self.within(which, "env", Code::EnvInvalid);
        within.difference(key, attribute, value, (problem.message, Vec::new()))
    }

    fn conflict_difference(&self, which: Which, conflict: Conflict) -> Difference {
        let Conflict { key, attribute, value, message, details, only_with_runtime: _ } = conflict;
        let within = self.within(which, "pin", Code::PinConflict);
        within.difference(key, Some(attribute), Some(value), (message, details))
    }

    fn within<'k>(&'k self, which: Which, kind: &'k str, code: Code) -> Within<'k> {
        Within { which, environment: &self.side(which).header().environment, kind, code }
    }
}

/// A finding within one environment.
struct Within<'a> {
    which: Which,
    environment: &'a str,
    kind: &'a str,
    code: Code,
}

impl Within<'_> {
    /// The value stands on that environment's side.
    fn difference(
        self,
        key: Key,
        attribute: Option<AttributePath>,
        value: Option<Value>,
        (message, details): (String, Vec<String>),
    ) -> Difference {
        let id = of_finding_within((self.environment, self.code), &key, attribute.as_ref(), value.as_ref());
        let (left, right) = match self.which {
            Which::Left => (value, None),
            Which::Right => (None, value),
        };
        Difference {
            id,
            key,
            kind: self.kind.into(),
            attribute,
            layer: layer(self.kind),
            code: self.code,
            change: Change::Changed,
            left,
            right,
            normalised: (None, None),
            rules: Vec::new(),
            not_comparable: None,
            message,
            details,
            part_of: None,
        }
    }
}

fn seen<'a>(snapshot: &'a Snapshot, name: &str) -> Seen<'a> {
    let key = Key::of(["env", name]);
    match snapshot.get(&key).and_then(|resource| resource.attributes.get("value")) {
        Some(Value::Text(text)) => Seen::Plain(text),
        Some(Value::Number(number)) => Seen::Plain(number.as_str()),
        Some(Value::Bool(true)) => Seen::Plain("true"),
        Some(Value::Bool(false)) => Seen::Plain("false"),
        Some(Value::Null) => Seen::Plain(""),
        Some(Value::Secret(_)) => Seen::Secret,
        None if snapshot.header().gaps.iter().any(|gap| gap.hides(&key, None)) => Seen::Unknown,
        None => Seen::Absent,
    }
}

fn compare_rule(difference: &Difference) -> ontology::Compare {
    difference.attribute.as_ref().map_or(ontology::Compare::Text, |path| {
        ontology::compare_rule(&difference.kind, &difference.key, path)
    })
}

pub(super) fn covers_everything(selector: &Selector) -> bool {
    let key = selector.as_str().split('#').next().unwrap_or_default();
    key.split('/').all(|segment| segment == "**")
}

pub(super) fn strict() -> DecidedBy {
    DecidedBy {
        rule: "** must equal".to_owned(),
        because: Some("strict: what no rule speaks of must be equal, too".to_owned()),
        origin: Origin::Flag("--strict"),
    }
}

pub(super) fn nothing_seen() -> DecidedBy {
    DecidedBy {
        rule: "** must be observed".to_owned(),
        because: Some("a gap over everything leaves nothing to compare".to_owned()),
        origin: Origin::Profile("built-in"),
    }
}

/// The divergence that tells a conflict already: one side moved away from its pin, so that the versions that answer
/// differ, which is a violation that names the pin.
fn told_by(conflict: &Conflict, divergences: &[Divergence]) -> Option<DivergenceId> {
    let runtime = Key::of(["runtime", pinned_tool(&conflict.key)]);
    let tells = |d: &&Divergence| {
        d.verdict == Verdict::Violation
            && d.difference.key == runtime
            && d.difference.attribute.as_ref().is_some_and(|path| path.as_str() == "version")
    };
    let told = divergences.iter().find(tells).filter(|_| conflict.only_with_runtime);
    told.map(|d| d.difference.id.clone())
}

fn views_agree(profile: &'static str) -> DecidedBy {
    DecidedBy {
        rule: "lockfile/** must agree with manifests and with what is installed".to_owned(),
        because: Some("what runs is what is installed, and the next install follows the manifest".to_owned()),
        origin: Origin::Profile(profile),
    }
}

fn pins_agree(profile: &'static str) -> DecidedBy {
    DecidedBy {
        rule: "pin/** must agree".to_owned(),
        because: Some("pins must agree with each other and with what answers to the name".to_owned()),
        origin: Origin::Profile(profile),
    }
}
