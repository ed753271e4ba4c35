//! What nobody saw, and which rule makes it matter: a gap that could hide a violation must not pass as parity.
//! A gap that could hide no more than a warning, or a tool that nothing uses, closes no gate.

use parallax_model::ontology::{self, Role};
use parallax_model::selector::Selector;
use parallax_model::{AttributePath, Key};

use super::judge::{Bench, covers_everything, nothing_seen, strict};
use super::stack::{Placed, Target, is_compared};
use super::{DecidedBy, Requirement};
use crate::compare::{Cause, Unknown};

/// What becomes of something unknown.
pub(super) enum Weight {
    /// A rule speaks of it.
    Matters(DecidedBy),
    /// None does; it is told.
    Told,
    /// Both sides left its source out, and no rule names what it reports: there is nothing to tell.
    Nothing,
}

impl Bench<'_> {
    /// Whether something unknown matters.
    pub(super) fn weigh(&self, unknown: &Unknown) -> Weight {
        let Some(gap) = Selector::parse(&unknown.gap.what).ok().filter(|s| !covers_everything(s)) else {
            return Weight::Matters(nothing_seen());
        };
        let rule = match unknown.cause {
            Cause::Unseen => self
                .own_rule_over(&gap, |_| true)
                .or_else(|| unknown.hidden.iter().find_map(|key| self.rule_over_hidden(&gap, key)))
                .or_else(|| self.built_in_rule_over(&gap))
                .or_else(|| self.rules.strict.then(strict)),
            Cause::LeftOut => self.own_rule_over(&gap, |_| true).or_else(|| self.wants_all()),
            // A rule over everything does not mean what no side has.
            Cause::LeftOutOnBoth => match self.own_rule_over(&gap, Placed::names_its_root) {
                Some(rule) => Some(rule),
                None => return Weight::Nothing,
            },
        };
        rule.map_or(Weight::Told, Weight::Matters)
    }

    /// Where all must be equal, what one side left out matters, too.
    fn wants_all(&self) -> Option<DecidedBy> {
        let all = self.stack.placed.iter().find(|p| !p.is_own() && covers_everything(&p.rule.select));
        all.map(Placed::decided).or_else(|| self.rules.strict.then(strict))
    }

    /// Whether what breaks a rule fails. A gap that hides no more than a warning is told, and passes.
    fn fails(&self, placed: &Placed) -> bool {
        placed.demands() && (placed.is_error() || self.rules.strict)
    }

    /// A demand of the project's own that meets the gap, and is not lifted by a later rule over all of it.
    fn own_rule_over(&self, gap: &Selector, may_speak: impl Fn(&Placed) -> bool) -> Option<DecidedBy> {
        for placed in self.stack.placed.iter().rev().filter(|p| p.is_own() && may_speak(p)) {
            let meets = placed.rule.select.meets(gap);
            if meets && self.fails(placed) && !is_known_to_be_there(placed, gap) {
                return Some(placed.decided());
            }
            if meets && placed.rule.select.covers(gap) {
                return None;
            }
        }
        None
    }

    /// A demand on what the other side has there.
    fn rule_over_hidden(&self, gap: &Selector, key: &Key) -> Option<DecidedBy> {
        let resource = self.left.get(key).or_else(|| self.right.get(key));
        // Where both sides have the resource, the gap hides parts of it only.
        let lacking = self.left.get(key).is_none() || self.right.get(key).is_none();
        let whole = lacking.then(|| self.stack.deciding(Target::Whole(key, resource))).flatten();
        let parts = [self.left.get(key), self.right.get(key)].into_iter().flatten().flat_map(|resource| {
            resource.attributes.iter().filter(|a| is_compared(&resource.kind, &a.path)).map(|a| &a.path)
        });
        let hidden = parts.filter(|path| gap.selects(key, Some(path)));
        let parts = hidden
            .filter_map(|path: &AttributePath| self.stack.deciding(Target::Attribute(key, path)))
            .map(|(_, placed)| placed)
            .filter(|placed| !is_known_to_be_there(placed, gap));
        let mut deciding = whole.into_iter().map(|(_, placed)| placed).chain(parts);
        // Whether both sides have a tool that the project does without, nobody asks.
        let idle =
            |placed: &Placed| lacking && self.stack.knows_usage() && self.stack.is_of_unused_tool(placed);
        deciding.find(|placed| self.fails(placed) && !idle(placed)).map(Placed::decided)
    }

    /// A built-in demand on what may be there: on both sides it is hidden, or one side lacks it and the other
    /// can't tell. A tool that the project does not use counts only where both sides are known to have it.
    fn built_in_rule_over(&self, gap: &Selector) -> Option<DecidedBy> {
        if self.is_context(gap) {
            return None;
        }
        let lifts = |by: &Placed, rule: &Placed| {
            by.rule.select.covers(&rule.rule.select) || by.rule.select.covers(gap)
        };
        let one = gap.one_key();
        let counts = |placed: &&Placed| {
            let both_have = one.as_ref().is_none_or(|k| self.left.get(k).and(self.right.get(k)).is_some());
            !placed.is_own()
                && self.fails(placed)
                && placed.rule.select.meets(gap)
                && (both_have || !self.stack.is_of_unused_tool(placed))
        };
        let mut rules = self.stack.placed.iter().filter(counts);
        let own = || self.stack.placed.iter().filter(|p| p.is_own() && !p.demands());
        rules.find(|rule| !own().any(|by| lifts(by, rule))).map(Placed::decided)
    }

    /// Whether a gap is over one attribute that is never compared, or over a resource that says nothing.
    fn is_context(&self, gap: &Selector) -> bool {
        let Some(key) = gap.one_key() else { return false };
        let root = key.root().to_owned();
        let kind = self.left.get(&key).or_else(|| self.right.get(&key)).map_or(root, |r| r.kind.to_string());
        let path = gap.as_str().split_once('#').map(|(_, path)| AttributePath::new(path));
        let row = path.as_ref().and_then(|path| ontology::attribute(&kind, path));
        ontology::noise_owner(&kind, &key).is_some()
            || row.is_some_and(|row| match row.role {
                Role::Context => true,
                Role::Compared => false,
            })
    }
}

/// Whether all that a rule demands is that a resource is there, while the gap hides no more than a part of one.
fn is_known_to_be_there(placed: &Placed, gap: &Selector) -> bool {
    matches!(placed.rule.requirement, Requirement::Present)
        && !placed.rule.select.is_of_attributes()
        && gap.is_of_attributes()
}
