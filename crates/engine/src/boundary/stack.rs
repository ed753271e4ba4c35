//! The rules in their order, profile first: the last one that selects decides.

use parallax_model::ontology::{self, Role};
use parallax_model::{AttributePath, Key, Resource, Snapshot};
use regex_lite::Regex;

use super::profile::rules_of;
use super::usage::Usage;
use super::{DecidedBy, Origin, Requirement, Rule, Rules, Severity};

/// A rule in its place.
pub(super) struct Placed {
    pub(super) rule: Rule,
    /// The first segment of the keys that it can select, where that is one.
    root: Option<Box<str>>,
    /// The pattern of `matches`, held to the whole text.
    pub(super) whole_text: Option<Regex>,
}

/// The rules that hold between these two environments.
pub(super) struct Stack {
    pub(super) placed: Vec<Placed>,
    /// What the project uses.
    usage: Usage,
}

/// What a rule may select.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    /// An attribute.
    Attribute(&'a Key, &'a AttributePath),
    /// A resource that one side lacks, as the other has it.
    Whole(&'a Key, Option<&'a Resource>),
}

impl Stack {
    pub(super) fn new(rules: &Rules, left: &Snapshot, right: &Snapshot) -> Self {
        let names = (&left.header().environment, &right.header().environment);
        let usage = Usage::of(left, right);
        let built_in = rules_of(rules.profile, &usage);
        let all = built_in.into_iter().chain(rules.boundaries.iter().cloned());
        let holds =
            |rule: &Rule| rule.between.as_ref().is_none_or(|(a, b)| names == (a, b) || names == (b, a));
        Self { placed: all.filter(holds).map(Placed::new).collect(), usage }
    }

    /// The rule that decides, with its place.
    pub(super) fn deciding(&self, target: Target<'_>) -> Option<(usize, &Placed)> {
        self.placed.iter().enumerate().rev().find(|(_, placed)| placed.selects(target))
    }

    /// Whether anything tells what the project uses.
    pub(super) fn knows_usage(&self) -> bool {
        !self.usage.tools.is_empty()
    }

    /// Whether a built-in rule is about one tool which the project is not known to use.
    pub(super) fn is_of_unused_tool(&self, placed: &Placed) -> bool {
        let key = placed.rule.select.one_key().filter(|key| key.root() == "runtime" && !placed.is_own());
        key.is_some_and(|key| !self.usage.tools.contains(key.after(1)))
    }
}

impl Placed {
    fn new(rule: Rule) -> Self {
        let first = rule.select.as_str().split(['/', '#']).next().unwrap_or_default();
        let root = (!first.contains('*')).then(|| first.into());
        let whole_text = match &rule.requirement {
            Requirement::Matches(regex) => {
                // A pattern with comments to the line's end can swallow the end mark: then it is used as it is.
                Some(Regex::new(&format!("^(?:{})$", regex.as_str())).unwrap_or_else(|_| regex.clone()))
            }
            Requirement::MayDiffer
            | Requirement::Equal
            | Requirement::Compatible
            | Requirement::Present
            | Requirement::Pinned
            | Requirement::WithinPercent(_)
            | Requirement::OneOf(_) => None,
        };
        Self { rule, root, whole_text }
    }

    /// Whether it is one of the project's own, in a file or on the command line.
    pub(super) fn is_own(&self) -> bool {
        match self.rule.origin {
            Origin::File { .. } | Origin::Flag(_) => true,
            Origin::Profile(_) => false,
        }
    }

    /// Whether what breaks it fails by itself.
    pub(super) fn is_error(&self) -> bool {
        self.rule.severity.is_none_or(|severity| severity == Severity::Error)
    }

    /// Whether it says where it speaks: its first segment is no glob.
    pub(super) fn names_its_root(&self) -> bool {
        self.root.is_some()
    }

    /// Whether it demands anything.
    pub(super) fn demands(&self) -> bool {
        !matches!(self.rule.requirement, Requirement::MayDiffer)
    }

    pub(super) fn selects(&self, target: Target<'_>) -> bool {
        let (Target::Attribute(key, _) | Target::Whole(key, _)) = target;
        if self.root.as_ref().is_some_and(|root| **root != *key.root()) {
            return false;
        }
        match target {
            Target::Attribute(key, path) => self.rule.select.selects(key, Some(path)),
            Target::Whole(key, resource) => {
                self.rule.select.selects(key, None)
                    || (self.is_own() && resource.is_some_and(|r| self.selects_what_is_lacking(r)))
            }
        }
    }

    /// A demand on one attribute is broken by the absence of all; leave to differ must speak of all.
    fn selects_what_is_lacking(&self, resource: &Resource) -> bool {
        if !self.rule.select.selects_key(&resource.key) {
            return false;
        }
        let mut compared =
            resource.attributes.iter().filter(|a| is_compared(&resource.kind, &a.path)).peekable();
        let selects = |a: &parallax_model::Attribute| self.rule.select.selects(&resource.key, Some(&a.path));
        if self.demands() {
            compared.any(selects)
        } else {
            compared.peek().is_some() && compared.all(selects)
        }
    }

    pub(super) fn decided(&self) -> DecidedBy {
        DecidedBy {
            rule: format!("{} {}", self.rule.select, words(&self.rule.requirement)),
            because: self.rule.because.clone(),
            origin: self.rule.origin.clone(),
        }
    }
}

pub(super) fn is_compared(kind: &str, path: &AttributePath) -> bool {
    ontology::attribute(kind, path).is_none_or(|row| match row.role {
        Role::Compared => true,
        Role::Context => false,
    })
}

/// A requirement in words.
pub(super) fn words(requirement: &Requirement) -> String {
    match requirement {
        Requirement::MayDiffer => "may differ".to_owned(),
        Requirement::Equal => "must equal".to_owned(),
        Requirement::Compatible => "must be compatible".to_owned(),
        Requirement::Present => "must be present".to_owned(),
        Requirement::Pinned => "must be pinned".to_owned(),
        Requirement::WithinPercent(percent) => format!("must be within {percent}%"),
        Requirement::OneOf(list) => format!("must be one of {}", list.join(", ")),
        Requirement::Matches(regex) => format!("must match {}", regex.as_str()),
    }
}
