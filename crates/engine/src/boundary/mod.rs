//! Judge differences by boundaries: what must match and what may differ. The last rule that selects a
//! divergence decides; built-in profiles stand beneath the project's own rules.
//!
//! A rule of the project's own that names attributes speaks of a resource that one side lacks, too: the
//! absence breaks what is demanded of the attribute. A built-in rule speaks of absence only where it names
//! the whole resource.
//!
//! What was set aside as noise stays there, but for what a rule of the project's own demands of it by name.
//!
//! `present`, `pinned`, `one_of` and `matches` demand something of each side's value, so the project's own
//! rules of these sorts are checked where both sides are equal, too. What breaks one is a divergence with equal values.

mod constraint;
mod demand;
mod filter;
mod judge;
mod pins;
mod profile;
mod recall;
mod stack;
mod sweep;
mod unseen;
mod usage;
mod variables;
mod verdict;
mod views;

use parallax_model::selector::Selector;
use regex_lite::Regex;

use crate::compare::{Agreed, Difference, Suppressed, Unknown};

pub use filter::Filter;
pub use judge::judge;
pub use profile::profile_rules;
pub use variables::{Seen, VariableProblem, check_variables};
pub use verdict::{Gate, Outcome, Summary};

/// One boundary.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it speaks of.
    pub select: Selector,
    /// What it demands.
    pub requirement: Requirement,
    /// Only between these two environments, in either order; `None` is everywhere.
    pub between: Option<(String, String)>,
    /// Why, in the words of who wrote it.
    pub because: Option<String>,
    /// How much a violation weighs; `None` is an error.
    pub severity: Option<Severity>,
    /// Where it stands.
    pub origin: Origin,
}

/// What a boundary demands.
#[derive(Debug, Clone)]
pub enum Requirement {
    /// It may differ.
    MayDiffer,
    /// Values are equal by meaning.
    Equal,
    /// Versions are equal up to what semantic versioning calls compatible: the same major version, or
    /// for 0.x the same minor one; for other values, equal.
    Compatible,
    /// Both sides have it, whatever its value.
    Present,
    /// Both sides name one exact thing: no range, no tag that can move.
    Pinned,
    /// Numbers within so many percent of the larger one.
    WithinPercent(f64),
    /// Both sides' values are among these.
    OneOf(Vec<String>),
    /// Both sides' values match, from start to end.
    Matches(Regex),
}

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a file.
    File {
        /// Its path, as the user gave it.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// In a built-in profile.
    Profile(&'static str),
    /// On the command line.
    Flag(&'static str),
}

/// The built-in rules beneath the project's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// What commonly breaks software must match; the rest is shown as undeclared.
    #[default]
    Recommended,
    /// Everything must be equal.
    Strict,
    /// No built-in rule.
    None,
}

/// What values an environment variable may have.
#[derive(Debug, Clone)]
pub struct VariableSchema {
    /// The variable's name.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it must look like.
    pub shape: VariableShape,
    /// Where this is declared.
    pub origin: Origin,
}

/// The shape of a variable's value.
#[derive(Debug, Clone)]
pub enum VariableShape {
    /// Anything.
    Any,
    /// Text that is not empty.
    NonEmpty,
    /// An absolute URL.
    Url,
    /// A whole number.
    Integer,
    /// A decimal number.
    Number,
    /// `true` or `false`, `1` or `0`, `yes` or `no`, `on` or `off`.
    Boolean,
    /// A port, 1 to 65535.
    Port,
    /// An e-mail address.
    Email,
    /// One of these.
    OneOf(Vec<String>),
    /// Matches from start to end.
    Matches(Regex),
}

/// The rules of one comparison.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The built-in rules beneath.
    pub profile: Profile,
    /// The project's own, in their order.
    pub boundaries: Vec<Rule>,
    /// The environment schema; checked in each environment.
    pub env_schema: Vec<VariableSchema>,
    /// A schema that nobody wrote as one (it was derived from an example file): what breaks it is a warning, and
    /// only in an environment where some of its variables are set. Elsewhere the application gets them
    /// by other means, which say nothing here.
    pub env_example: Vec<VariableSchema>,
    /// Whether undeclared divergences and warnings fail too.
    pub strict: bool,
    /// Which part is wanted.
    pub filter: Filter,
}

/// What boundaries make of a divergence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A rule forbids it.
    Violation,
    /// A decision approves it.
    Approved,
    /// A rule allows it.
    Allowed,
    /// No rule speaks of it.
    Undeclared,
}

/// How much a violation weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// For information.
    Info,
    /// Shown; fails only when strict.
    Warning,
    /// Fails.
    Error,
}

/// The rule that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedBy {
    /// The rule in words: `runtime/* must equal`.
    pub rule: String,
    /// Its reason.
    pub because: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// A difference and what boundaries make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// The difference.
    pub difference: Difference,
    /// The verdict.
    pub verdict: Verdict,
    /// The weight. An undeclared divergence is information, and an error where the rules are strict.
    pub severity: Severity,
    /// The rule that decided; `None` for undeclared ones.
    pub decided_by: Option<DecidedBy>,
    /// The environment that a finding within one environment is about (a pin that conflicts, a variable
    /// that breaks the schema); `None` for a difference of two.
    pub within: Option<String>,
    /// Whether it is counted with the divergence that it is part of, and has that one's verdict. A part
    /// that a rule of the project's own selects stands for itself.
    pub folded: bool,
}

/// A gap that a boundary speaks of, or values that could not be compared where a boundary demands
/// something of them: it could hide a violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unobserved {
    /// What is unknown.
    pub unknown: Unknown,
    /// The rule that speaks of it.
    pub rule: DecidedBy,
}

/// A comparison with its verdicts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// All divergences, in the order of the report: by layer, then key, then attribute.
    pub divergences: Vec<Divergence>,
    /// What was set aside.
    pub suppressed: Vec<Suppressed>,
    /// Gaps that no boundary speaks of.
    pub unknown: Vec<Unknown>,
    /// Gaps that one does: the gate can't pass.
    pub unobserved: Vec<Unobserved>,
    /// How many attributes are equal, wanted or not.
    pub equal: u64,
    /// What agrees, of that which readers know a resource by: nothing that was not compared.
    pub agreed: Vec<Agreed>,
}

#[cfg(test)]
mod tests;
