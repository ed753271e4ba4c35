//! The report for scripts: `parallax.report/1`. One object, stable order. Fields may be added, none changes.

use parallax_engine::boundary::{DecidedBy, Divergence, Origin, Severity, Unobserved, Verdict};
use parallax_engine::compare::Change;
use parallax_model::{Code, GapKind, Layer, Value};
use schemars::JsonSchema;
use serde::Serialize;

use crate::usecase::{Comparison, Side};
use crate::view;

/// The whole report.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "parallax.report/1")]
pub struct ReportJson {
    /// `parallax.report/1`
    pub schema: &'static str,
    /// `pass` or `fail`. An environment that could not be seen at all is a side with a gap over `**`.
    pub verdict: &'static str,
    /// The left side.
    pub left: SideJson,
    /// The right side.
    pub right: SideJson,
    /// Counts.
    pub summary: SummaryJson,
    /// Every divergence, violations and others, by layer, key and attribute.
    pub divergences: Vec<DivergenceJson>,
    /// Parts that a boundary speaks of and that could not be observed: the gate can't pass.
    pub unobserved: Vec<UnobservedJson>,
    /// Differences that were set aside, with their owner.
    pub suppressed: Vec<SuppressedJson>,
    /// What the reader should know of how this was made.
    pub notes: Vec<String>,
}

/// One side.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SideJson {
    /// The environment's name.
    pub environment: String,
    /// Where it was observed.
    pub place: String,
    /// The snapshot's content hash, 64 hex digits.
    pub snapshot: String,
    /// When it was observed, RFC 3339.
    pub captured_at: String,
    /// Whether it was observed just now, and not read from a file or a timeline.
    pub live: bool,
    /// How many resources were seen.
    pub resources: u64,
    /// What could not be seen.
    pub gaps: Vec<GapJson>,
}

/// A gap.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GapJson {
    /// The part, as a selector.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Counts. Packages that are told by their lockfile's divergence are `folded` and counted nowhere else.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SummaryJson {
    /// Divergences that fail because a rule forbids them.
    pub violations: u64,
    /// Divergences that a rule forbids, but not so that they fail.
    pub warnings: u64,
    /// Divergences that a decision approves.
    pub approved: u64,
    /// Divergences that a rule allows.
    pub allowed: u64,
    /// Divergences that no rule speaks of.
    pub undeclared: u64,
    /// Of the undeclared, those that could not be compared.
    pub not_comparable: u64,
    /// Attributes that are equal.
    pub equal: u64,
    /// Differences that were set aside with an owner.
    pub suppressed: u64,
    /// Divergences that are told by another one.
    pub folded: u64,
    /// Gaps that could hide a violation.
    pub unobserved: u64,
}

/// One divergence.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DivergenceJson {
    /// 8 hex digits; the same drift keeps its id from day to day.
    pub id: String,
    /// The resource.
    pub key: String,
    /// The attribute; null where a whole resource is on one side only.
    pub attribute: Option<String>,
    /// The layer.
    #[schemars(with = "String")]
    pub layer: Layer,
    /// The kind.
    pub kind: String,
    /// The left value; null where absent.
    #[schemars(with = "serde_json::Value")]
    pub left: Option<Value>,
    /// The right value; null where absent.
    #[schemars(with = "serde_json::Value")]
    pub right: Option<Value>,
    /// `changed`, `only_left` or `only_right`.
    pub change: &'static str,
    /// `violation`, `approved`, `allowed` or `undeclared`.
    pub verdict: &'static str,
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// The sort of finding.
    #[schemars(with = "String")]
    pub code: Code,
    /// The rule that decided, with its place.
    pub boundary: Option<String>,
    /// The decision that approves it.
    pub decision: Option<serde_json::Value>,
    /// What differs, in one line.
    pub message: String,
    /// More lines.
    pub details: Vec<String>,
    /// Why it matters, by the rule.
    pub because: Option<String>,
    /// The shortest ways to mend it.
    pub remedies: Vec<String>,
    /// Who changed it, when and how.
    pub trace: Option<serde_json::Value>,
    /// The environment that a finding within one environment is about.
    pub within: Option<String>,
    /// What this tells with itself and is counted with it: the packages of a lockfile, a pin that what runs has left.
    pub parts: Vec<Self>,
    /// Why the values could not be compared.
    pub not_comparable: Option<String>,
}

/// A part that a boundary speaks of and that could not be observed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UnobservedJson {
    /// The environment.
    pub environment: String,
    /// `unobserved`
    #[schemars(with = "String")]
    pub code: Code,
    /// The part, as a selector.
    pub what: String,
    /// Why.
    pub why: String,
    /// What the other side has there.
    pub hidden: Vec<String>,
    /// The rule that speaks of it.
    pub boundary: String,
}

/// A difference that was set aside.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SuppressedJson {
    /// The resource.
    pub key: String,
    /// The attribute; null for a whole resource.
    pub attribute: Option<String>,
    /// The left value; null where absent.
    #[schemars(with = "serde_json::Value")]
    pub left: Option<Value>,
    /// The right value; null where absent.
    #[schemars(with = "serde_json::Value")]
    pub right: Option<Value>,
    /// Whose it is.
    pub owner: String,
}

/// The report of a comparison.
#[must_use]
pub fn json(comparison: &Comparison) -> ReportJson {
    let judgement = &comparison.judgement;
    let summary = view::summary(comparison);
    ReportJson {
        schema: "parallax.report/1",
        verdict: if view::passes(comparison) { "pass" } else { "fail" },
        left: side(&comparison.left),
        right: side(&comparison.right),
        summary: SummaryJson {
            violations: summary.violations,
            warnings: summary.warnings,
            approved: summary.approved,
            allowed: summary.allowed,
            undeclared: summary.undeclared,
            not_comparable: summary.not_comparable,
            equal: summary.equal,
            suppressed: summary.suppressed,
            folded: summary.folded,
            unobserved: summary.unobserved,
        },
        divergences: view::standing(comparison).map(|d| divergence(d, comparison)).collect(),
        unobserved: judgement.unobserved.iter().map(unobserved).collect(),
        suppressed: judgement
            .suppressed
            .iter()
            .map(|s| SuppressedJson {
                key: s.key.to_string(),
                attribute: s.attribute.as_ref().map(ToString::to_string),
                left: s.left.clone(),
                right: s.right.clone(),
                owner: s.owner.to_owned(),
            })
            .collect(),
        notes: comparison.notes.clone(),
    }
}

fn side(side: &Side) -> SideJson {
    let header = side.snapshot.header();
    SideJson {
        environment: header.environment.clone(),
        place: side.place.clone(),
        snapshot: side.hash().to_string(),
        captured_at: header.captured_at.to_string(),
        live: side.is_live(),
        resources: side.resources(),
        gaps: header
            .gaps
            .iter()
            .filter(|g| g.kind != GapKind::NotApplicable)
            .map(|g| GapJson { what: g.what.to_string(), why: g.why.to_string() })
            .collect(),
    }
}

fn divergence(d: &Divergence, comparison: &Comparison) -> DivergenceJson {
    let difference = &d.difference;
    let parts = view::parts(d, comparison);
    DivergenceJson {
        id: difference.id.to_string(),
        key: difference.key.to_string(),
        attribute: difference.attribute.as_ref().map(ToString::to_string),
        layer: difference.layer,
        kind: difference.kind.to_string(),
        left: difference.left.clone(),
        right: difference.right.clone(),
        change: match difference.change {
            Change::Changed => "changed",
            Change::OnlyLeft => "only_left",
            Change::OnlyRight => "only_right",
        },
        verdict: match d.verdict {
            Verdict::Violation => "violation",
            Verdict::Approved => "approved",
            Verdict::Allowed => "allowed",
            Verdict::Undeclared => "undeclared",
        },
        severity: match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        },
        code: difference.code,
        boundary: d.decided_by.as_ref().map(rule),
        decision: None,
        message: difference.message.clone(),
        details: difference.details.clone(),
        because: d.decided_by.as_ref().and_then(|by| by.because.clone()),
        remedies: view::mends(d, comparison),
        trace: None,
        within: d.within.clone(),
        parts: parts.into_iter().map(|part| divergence(part, comparison)).collect(),
        not_comparable: difference.not_comparable.clone(),
    }
}

fn unobserved(u: &Unobserved) -> UnobservedJson {
    UnobservedJson {
        environment: u.unknown.environment.clone(),
        code: Code::Unobserved,
        what: u.unknown.gap.what.to_string(),
        why: u.unknown.gap.why.to_string(),
        hidden: u.unknown.hidden.iter().map(ToString::to_string).collect(),
        boundary: rule(&u.rule),
    }
}

/// `runtime/* must equal (parallax.yaml:14)`
pub(super) fn rule(by: &DecidedBy) -> String {
    format!("{} ({})", by.rule, origin(&by.origin))
}

pub(super) fn origin(origin: &Origin) -> String {
    match origin {
        Origin::File { path, line } => format!("{path}:{line}"),
        Origin::Profile(name) => format!("profile {name}"),
        Origin::Flag(flag) => (*flag).to_owned(),
    }
}

/// The JSON Schema of the report.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(ReportJson)
}
