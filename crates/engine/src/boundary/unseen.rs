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
    /// can't tell. A tool that the project does not use counts only where both sides are known to have it, or
    /// where nothing tells what the project uses and the gap is over all tools.
    fn built_in_rule_over(&self, gap: &Selector) -> Option<DecidedBy> {
        if self.is_context(gap) {
            return None;
        }
        let lifts = |by: &Placed, rule: &Placed| {
            by.rule.select.covers(&rule.rule.select) || by.rule.select.covers(gap)
        };
        let may_be_needed = match gap.one_key() {
            Some(key) => self.left.get(&key).is_some() && self.right.get(&key).is_some(),
            None => !self.stack.knows_usage(),
        };
        let counts = |placed: &&Placed| {
            !placed.is_own()
                && self.fails(placed)
                && placed.rule.select.meets(gap)
                && (may_be_needed || !self.stack.is_of_unused_tool(placed))
        };
        let mut rules = self.stack.placed.iter().filter(counts);
        // What the project's own rules decide was asked of them before.
        let own = || self.stack.placed.iter().filter(|p| p.is_own());
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

#[cfg(test)]
mod tests {
    use parallax_model::{Gap, GapKind, Snapshot, SnapshotHeader, SourceReport, SourceStatus};

    use super::super::tests::{judged, resources, rule};
    use super::super::{Profile, Requirement, Rule, Rules, Severity};

    /// A side from lines: `gap WHAT`, `host complete`, or a resource.
    fn side(environment: &str, lines: &str) -> Snapshot {
        let (mut gaps, mut sources, mut rest) = (Vec::new(), Vec::new(), String::new());
        for line in lines.lines().map(str::trim) {
            let status = match line.split_once(' ').map_or("", |(_, status)| status) {
                "complete" => Some(SourceStatus::Complete),
                "skipped" => Some(SourceStatus::Skipped),
                "failed" => Some(SourceStatus::Failed),
                _ => None,
            };
            match (line.split_once(' '), status) {
                (Some(("gap", what)), _) => gaps.push(Gap::new(what, GapKind::TimedOut, "took too long")),
                (Some((source, _)), Some(status)) => {
                    let why = (status != SourceStatus::Complete).then(|| "no project folder".to_owned());
                    sources.push(SourceReport { source: source.into(), place: "x".into(), status, why });
                }
                _ => rest.push_str(&format!("{line}\n")),
            }
        }
        let header = SnapshotHeader {
            environment: environment.into(),
            captured_at: "2026-11-21T03:00:00Z".parse().unwrap(),
            tool: "test".into(),
            key_id: None,
            sources,
            gaps,
        };
        Snapshot::new(header, resources(&rest))
    }

    /// The exit code, then what is unobserved and what is told.
    #[track_caller]
    fn check(left: &str, right: &str, rules: &Rules, expected: &str) {
        let one = |left: &str, right: &str| {
            let judgement = judged(&side("local", left), &side("staging", right), rules);
            let unobserved = judgement.unobserved.iter().map(|u| format!(" {}!", u.unknown.gap.what));
            let told = judgement.unknown.iter().map(|u| format!(" {}?", u.gap.what));
            let code = judgement.outcome().exit_code();
            (format!("{code}{}", unobserved.chain(told).collect::<String>()), judgement)
        };
        let (got, judgement) = one(left, right);
        assert_eq!(got, expected, "{left} | {right}\n{judgement:?}");
        assert_eq!(one(right, left).0.get(..1), expected.get(..1), "swapped: {left} | {right}");
    }

    fn own(select: &str, requirement: Requirement) -> Rules {
        Rules { boundaries: vec![rule(select, requirement)], ..Rules::default() }
    }

    #[test]
    fn the_same_gap_on_both_sides_is_a_gap() {
        let plain = Rules::default();
        let strict = Rules { strict: true, ..Rules::default() };
        let all = Rules { profile: Profile::Strict, ..Rules::default() };
        let hangs = "pin/node by[.nvmrc]=18.19.0\ngap runtime/node";
        check(hangs, hangs, &plain, "3 runtime/node! runtime/node!");
        check(hangs, hangs, &own("runtime/node", Requirement::MayDiffer), "0 runtime/node? runtime/node?");
        check(hangs, "pin/node by[.nvmrc]=18.19.0", &plain, "3 runtime/node!");
        let version = "runtime/node path=/a\npin/node by[.nvmrc]=18.19.0\ngap runtime/node#version";
        check(version, version, &plain, "3 runtime/node#version! runtime/node#version!");
        let path = "runtime/node version=1.0.0\ngap runtime/node#path";
        check(path, path, &plain, "0 runtime/node#path? runtime/node#path?");
        // What nothing uses may hang.
        let unused = "pin/node by[.nvmrc]=1.0.0\nruntime/node version=1.0.0";
        let java = &format!("{unused}\nruntime/java version=17.0.1 architecture=a");
        check(java, &format!("{unused}\ngap runtime/java"), &plain, "0 runtime/java?");
        check(&format!("{unused}\ngap runtime/java"), unused, &plain, "0 runtime/java?");
        check("gap runtime/git", "gap runtime/git", &plain, "0 runtime/git? runtime/git?");
        check("gap runtime/ruby", "gap runtime/ruby", &plain, "0 runtime/ruby? runtime/ruby?");
        check("gap package/apt/**", "", &plain, "0 package/apt/**?");
        check("gap package/apt/**", "", &strict, "3 package/apt/**!");
        check("gap env/A", "gap env/A", &all, "3 env/A! env/A!");
        check("gap env/TERM", "gap env/TERM", &all, "0 env/TERM? env/TERM?");
        for region in ["runtime/**", "env/**", "host/**"] {
            let gap = format!("gap {region}");
            check(&gap, &gap, &plain, &format!("3 {region}! {region}!"));
            check(
                &gap,
                &gap,
                &Rules { profile: Profile::None, ..Rules::default() },
                &format!("0 {region}? {region}?"),
            );
        }
        let warning = Rule { severity: Some(Severity::Warning), ..rule("runtime/**", Requirement::Equal) };
        let warning = Rules { profile: Profile::None, boundaries: vec![warning], ..Rules::default() };
        check("gap runtime/x", "runtime/x version=1.0.0", &warning, "0 runtime/x?");
    }

    #[test]
    fn a_source_that_did_not_look() {
        let plain = Rules::default();
        let project = "project complete\npin/node by[.nvmrc]=1.0.0\nlockfile/Cargo.lock sha256=a\n\
                       dependency/cargo/a version=1.0.0";
        let left_out = "0 dependency/**? lockfile/**? pin/**?";
        check(project, "project skipped", &plain, left_out);
        check("project skipped", "project skipped", &plain, "0");
        let all = Rules { strict: true, ..Rules::default() };
        check("project skipped", "project skipped", &all, "0");
        check(project, "project skipped", &all, "3 dependency/**! lockfile/**! pin/**!");
        let locked = own("lockfile/**", Requirement::Equal);
        check(project, "project skipped", &locked, "3 lockfile/**! dependency/**? pin/**?");
        check("project skipped", "project skipped", &locked, "3 lockfile/**! lockfile/**!");
        check("project skipped", "project skipped", &own("**", Requirement::Equal), "0");
        let present = own("pin/node", Requirement::Present);
        check(project, "project skipped", &present, "3 pin/**! dependency/**? lockfile/**?");
        check(project, "project complete", &present, "1");
        check(project, "project failed", &plain, "3 lockfile/**! pin/**! dependency/**?");
        check(
            "project failed",
            "project failed",
            &plain,
            "3 lockfile/**! lockfile/**! pin/**! pin/**! dependency/**? dependency/**?",
        );
        check("host complete\nhost/cpu architecture=a", "", &plain, "3 host/**!");
        check("host complete\nhost/cpu architecture=a", "host failed\ngap host/**", &plain, "3 host/**!");
        check("host failed", "host failed", &plain, "3 host/**! host/**!");
        check(
            "documents complete\ndocument/a/1 x=1",
            "host complete\nhost/cpu architecture=a",
            &plain,
            "3 host/**! document/**? k8s/**?",
        );
        let judgement = judged(&side("local", project), &side("staging", "project skipped"), &plain);
        assert_eq!(&*judgement.unknown[0].gap.why, "project was not looked at in staging: no project folder");
    }

    #[test]
    fn presence_is_known_where_only_a_part_is_hidden() {
        let present = own("runtime/x", Requirement::Present);
        let (known, hidden) = ("runtime/x version=1.0.0", "runtime/x path=/a\ngap runtime/x#version");
        check(known, hidden, &present, "0 runtime/x#version?");
        check(known, "gap runtime/x#version", &present, "3 runtime/x#version!");
        check(known, hidden, &own("runtime/x#version", Requirement::Present), "3 runtime/x#version!");
        let [known, hidden] = [known, hidden].map(|side| side.replace("/x", "/node"));
        check(&known, &hidden, &Rules::default(), "3 runtime/node#version!");
        check(&known, &hidden, &own("runtime/node", Requirement::Present), "0 runtime/node#version?");
    }
}
