//! What is to be written where: each distinct reference is resolved once, several at once. Opens no file.

use std::collections::BTreeMap;
use std::ops::Range;

use parallax_collect::image::Reference;

use crate::usecase::lint::{Finding, Fix};
use crate::usecase::parallel;
use crate::usecase::registry::Resolver;

const AT_ONCE: usize = 8;

/// One replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) path: String,
    pub(super) range: Range<usize>,
    pub(super) with: Replacement,
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Replacement {
    /// Behind a reference.
    Append(String),
    /// In place of what follows the last `@`, with the version as a comment where the line has room for one.
    Revision { commit: String, version: String },
}

/// What can't be pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfixed {
    /// `file:line:column`.
    pub place: String,
    /// Why, and what to do instead.
    pub why: String,
}

#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) edits: Vec<Edit>,
    pub(super) unfixed: Vec<Unfixed>,
    pub(super) unresolved: Vec<Unfixed>,
    pub(super) pinned: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Image(Reference),
    Action(String, String),
}

/// Resolves what findings name.
pub(super) fn plan(findings: &[Finding], resolver: &dyn Resolver) -> Plan {
    let mut questions: Vec<Question> = findings.iter().filter_map(question).collect();
    questions.sort();
    questions.dedup();
    let answers = parallel::each(&questions, AT_ONCE, |question| match question {
        Question::Image(reference) => resolver.image(reference),
        Question::Action(repository, revision) => resolver.commit(repository, revision),
    });
    let answers: BTreeMap<Question, Result<String, String>> = questions.into_iter().zip(answers).collect();
    let mut plan = Plan::default();
    for finding in findings {
        let told = |why: &str| {
            let place = format!("{}:{}:{}", finding.path, finding.line, finding.column);
            Unfixed { place, why: why.to_owned() }
        };
        let answer = question(finding).and_then(|question| answers.get(&question));
        match (&finding.fix, answer) {
            (Fix::Apart(why), _) => plan.unfixed.push(told(why)),
            (Fix::Image { .. } | Fix::Action { .. }, Some(Err(why))) => plan.unresolved.push(told(why)),
            (Fix::Image { reference, written }, Some(Ok(digest))) => {
                let tag = if reference.tag().is_none() { ":latest" } else { "" };
                plan.push(finding, written, Replacement::Append(format!("{tag}@{digest}")));
            }
            (Fix::Action { revision, written, .. }, Some(Ok(commit))) => {
                let (commit, version) = (commit.clone(), revision.clone());
                plan.push(finding, written, Replacement::Revision { commit, version });
            }
            (Fix::None | Fix::Image { .. } | Fix::Action { .. }, None) | (Fix::None, Some(_)) => {}
        }
    }
    plan
}

impl Plan {
    /// Two references may take the same default: it is written once.
    fn push(&mut self, finding: &Finding, range: &Range<usize>, with: Replacement) {
        self.pinned += 1;
        let edit = Edit { path: finding.path.clone(), range: range.clone(), with };
        if !self.edits.contains(&edit) {
            self.edits.push(edit);
        }
    }
}

fn question(finding: &Finding) -> Option<Question> {
    match &finding.fix {
        Fix::Image { reference, .. } => Some(Question::Image(reference.clone())),
        Fix::Action { repository, revision, .. } => {
            Some(Question::Action(repository.clone(), revision.clone()))
        }
        Fix::None | Fix::Apart(_) => None,
    }
}
