//! What a judgement comes to: whether it passes, what it exits with, how much of what it holds.

use super::{Divergence, Judgement, Severity, Verdict};

/// Whether the gate opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Nothing fails, and nothing that a boundary speaks of was unobserved.
    Pass,
    /// Something fails or was unobserved.
    Fail,
}

/// What a comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Parity.
    Parity,
    /// Something fails. This wins over what was unobserved.
    Violations,
    /// Nothing that was observed fails, but a part that a boundary speaks of was not observed.
    Unobserved,
}

impl Outcome {
    /// The exit code of the interface.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Parity => 0,
            Self::Violations => 1,
            Self::Unobserved => 3,
        }
    }
}

/// How much there is of each. A part that is folded into its whole is counted as folded only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
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
    /// Of the undeclared, those that could not be compared: neither equal nor different.
    pub not_comparable: u64,
    /// Attributes that are equal.
    pub equal: u64,
    /// Differences that were set aside with an owner.
    pub suppressed: u64,
    /// Parts that are counted with their whole.
    pub folded: u64,
    /// Gaps that could hide a violation.
    pub unobserved: u64,
}

impl Divergence {
    /// Whether it closes the gate.
    #[must_use]
    pub fn fails(&self) -> bool {
        let counts = match self.verdict {
            Verdict::Violation | Verdict::Undeclared => true,
            Verdict::Approved | Verdict::Allowed => false,
        };
        counts && !self.folded && self.severity == Severity::Error
    }
}

impl Judgement {
    /// Whether the gate opens.
    #[must_use]
    pub fn verdict(&self) -> Gate {
        match self.outcome() {
            Outcome::Parity => Gate::Pass,
            Outcome::Violations | Outcome::Unobserved => Gate::Fail,
        }
    }

    /// What the comparison came to.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.divergences.iter().any(Divergence::fails) {
            Outcome::Violations
        } else if self.unobserved.is_empty() {
            Outcome::Parity
        } else {
            Outcome::Unobserved
        }
    }

    /// How much there is of each.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            equal: self.equal,
            suppressed: self.suppressed.len() as u64,
            unobserved: self.unobserved.len() as u64,
            ..Summary::default()
        };
        for divergence in &self.divergences {
            let count = match divergence.verdict {
                _ if divergence.folded => &mut summary.folded,
                Verdict::Violation if divergence.severity == Severity::Error => &mut summary.violations,
                Verdict::Violation => &mut summary.warnings,
                Verdict::Approved => &mut summary.approved,
                Verdict::Allowed => &mut summary.allowed,
                Verdict::Undeclared => &mut summary.undeclared,
            };
            *count += 1;
            if divergence.verdict == Verdict::Undeclared && divergence.difference.not_comparable.is_some() {
                summary.not_comparable += 1;
            }
        }
        summary
    }
}
