//! Lines for a continuous-integration log, one a violation, that `grep` finds.

use parallax_engine::boundary::{Severity, Verdict};
use parallax_model::{Code, Timestamp};

use crate::usecase::Comparison;
use crate::view;

/// `<RFC 3339> [ERROR] <code>: <message>` for each violation and each part that could not be observed.
#[must_use]
pub fn ci_lines(comparison: &Comparison, now: Timestamp) -> Vec<String> {
    let judgement = &comparison.judgement;
    let mut lines: Vec<String> = view::standing(comparison)
        .filter(|d| d.fails() || d.verdict == Verdict::Violation)
        .map(|d| {
            let level = match d.severity {
                Severity::Error => "ERROR",
                Severity::Warning => "WARNING",
                Severity::Info => "INFO",
            };
            format!("{now} [{level}] {}: {}", d.difference.code, d.difference.message)
        })
        .collect();
    lines.extend(judgement.unobserved.iter().map(|u| {
        let gap = &u.unknown.gap;
        format!("{now} [ERROR] {}: {} in {}: {}", Code::Unobserved, gap.what, u.unknown.environment, gap.why)
    }));
    lines
}
