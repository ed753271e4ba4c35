//! The report for people: the answer first, one screen, every line worth its place, and readable by
//! `grep` and without colour.

use owo_colors::OwoColorize;
use parallax_engine::boundary::{DecidedBy, Divergence, Origin, Verdict};
use parallax_engine::compare::Cause;
use parallax_model::Timestamp;

use super::json;
use crate::usecase::{Comparison, Provenance, Side};
use crate::view::{self, Group, Naming};

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Only violations and the last line.
    Brief,
    /// Violations whole, the rest in a few lines.
    Usual,
    /// Everything.
    Full,
}

/// How a report is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Columns of the terminal.
    pub width: usize,
    /// How much is shown.
    pub detail: Detail,
    /// Whether differences that were set aside are listed.
    pub suppressed: bool,
    /// Whether this is a gate, which ends with a verdict, or a plain difference.
    pub gate: bool,
    /// Whether long lines are broken: for eyes, not for `grep`.
    pub wrap: Wrap,
    /// The clock's reading, for ages.
    pub now: Timestamp,
}

/// Whether long lines are broken at the terminal's edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// At words: a person reads on a terminal.
    Words,
    /// Not at all: a line is what scripts search.
    Never,
}

/// How many lines that decide nothing are shown in one group, unless everything is asked for.
const FEW: usize = 4;
/// The width of the first column.
const LABEL: usize = 10;

/// The report, with colours as escape sequences; a plain stream takes them out.
#[must_use]
pub fn text(comparison: &Comparison, layout: &Layout) -> String {
    let mut page = Page { layout, out: String::new() };
    if layout.detail != Detail::Brief {
        page.sides(comparison);
    }
    page.notes(comparison);
    let mut shown = false;
    for group in Group::ALL {
        shown |= page.group(group, comparison);
    }
    page.unobserved(comparison);
    if layout.suppressed {
        page.suppressed(comparison);
    }
    if layout.detail != Detail::Brief {
        page.counts(comparison, shown);
    }
    page.out.push_str(&last_line(comparison, layout));
    page.out
}

/// The line that scripts look for.
fn last_line(comparison: &Comparison, layout: &Layout) -> String {
    let summary = view::summary(comparison);
    if !layout.gate {
        return match summary.violations + summary.approved + summary.allowed + summary.undeclared {
            0 => "no difference\n".to_owned(),
            1 => "1 difference\n".to_owned(),
            n => format!("{n} differences\n"),
        };
    }
    if view::passes(comparison) {
        let silent = match summary.undeclared + summary.warnings {
            0 => String::new(),
            1 => "1 difference that no boundary forbids; --strict would fail on it\n".to_owned(),
            n => format!("{n} differences that no boundary forbids; --strict would fail on them\n"),
        };
        let silent = if layout.detail == Detail::Brief { String::new() } else { silent };
        return format!("{silent}{}\n", "PARITY_CHECK_PASSED".green().bold());
    }
    let mut parts = Vec::new();
    let mut also = |n: u64, text: String| {
        if n > 0 {
            parts.push(text);
        }
    };
    also(summary.violations, count(summary.violations, "violation"));
    also(summary.unobserved, format!("{} unobserved", summary.unobserved));
    also(summary.warnings, count(summary.warnings, "warning"));
    also(summary.allowed, format!("{} allowed", summary.allowed));
    also(summary.undeclared, format!("{} undeclared", summary.undeclared));
    let gaps =
        comparison.judgement.unknown.iter().filter(|unknown| unknown.cause == Cause::Unseen).count() as u64;
    also(gaps, count(gaps, "gap"));
    format!("{}\n", format!("PARITY_FAIL {}", parts.join(", ")).red().bold())
}

fn count(n: u64, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

struct Page<'a> {
    layout: &'a Layout,
    out: String,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// A marked line with something at its right edge, or behind it where there is no room.
    fn marked(&mut self, start: &str, mark: &str, message: &str, style: Style, right: &str) {
        let styled = |text: &str| match style {
            Style::Strong => text.bold().to_string(),
            Style::Plain => text.to_owned(),
        };
        let lines = self.wrapped(message, LABEL + 2);
        let last = lines.len().saturating_sub(1);
        for (at, line) in lines.iter().enumerate() {
            let begin = if at == 0 { format!("{start}{mark} ") } else { " ".repeat(LABEL + 2) };
            let width = LABEL + 2 + line.chars().count();
            let free = self.layout.width.saturating_sub(width + right.chars().count());
            let text = format!("{begin}{}", styled(line));
            if at < last {
                self.line(&text);
            } else if free >= 2 || self.layout.wrap == Wrap::Never {
                self.line(&format!("{text}{}{}", " ".repeat(free.max(2)), right.dimmed()));
            } else {
                self.line(&text);
                let indent = self.layout.width.saturating_sub(right.chars().count());
                self.line(&format!("{}{}", " ".repeat(indent), right.dimmed()));
            }
        }
    }

    /// A text in lines that fit beside an indent; one line where nothing is broken.
    fn wrapped(&self, text: &str, indent: usize) -> Vec<String> {
        let room = self.layout.width.saturating_sub(indent).max(20);
        match self.layout.wrap {
            Wrap::Never => vec![text.to_owned()],
            Wrap::Words => view::wrapped(text, room),
        }
    }

    fn sides(&mut self, comparison: &Comparison) {
        let sides = [&comparison.left, &comparison.right];
        let name = |s: &Side| view::clean(&s.snapshot.header().environment);
        let name_width = sides.iter().map(|s| name(s).chars().count()).max().unwrap_or(0).max(LABEL - 1);
        let place_width = sides.iter().map(|s| s.place.chars().count()).max().unwrap_or(0);
        for side in sides {
            let header = side.snapshot.header();
            let resources = format!("{} resources", side.resources());
            let when = match side.origin {
                Provenance::Live | Provenance::Unseen => "now".to_owned(),
                Provenance::File => age(header.captured_at, self.layout.now),
                // Its place says so.
                Provenance::Recorded(_) => String::new(),
            };
            let mut line = format!(
                "{:name_width$} {:place_width$}   {resources:>14}   {when}",
                name(side),
                view::clean(&side.place)
            );
            if let Some(text) = view::gap_line(&header.gaps) {
                line.push_str(&format!("    {}", text.yellow()));
            }
            self.line(&line);
        }
        self.out.push('\n');
    }

    fn notes(&mut self, comparison: &Comparison) {
        for note in &comparison.notes {
            self.line(&format!("note: {}", view::clean(note)));
        }
        if !comparison.notes.is_empty() {
            self.out.push('\n');
        }
    }

    /// Shows one group; false if there was nothing to show.
    fn group(&mut self, group: Group, comparison: &Comparison) -> bool {
        let all: Vec<&Divergence> = view::standing(comparison).filter(|d| group.holds(d)).collect();
        let told = |d: &Divergence| d.fails() || d.verdict == Verdict::Violation;
        let mut label = Label { text: group.label(), used: false };
        let mut first: Vec<&Divergence> = all.iter().copied().filter(|d| told(d)).collect();
        // What runs comes before what pins say of it.
        first.sort_by_key(|d| d.difference.key.root() == "pin");
        for divergence in first {
            self.violation(&mut label, divergence, comparison);
        }
        if self.layout.detail == Detail::Brief {
            return label.used;
        }
        let of = |verdict: Verdict| all.iter().copied().filter(move |d| !told(d) && d.verdict == verdict);
        let rest: Vec<&Divergence> =
            of(Verdict::Approved).chain(of(Verdict::Allowed)).chain(of(Verdict::Undeclared)).collect();
        let few = if self.layout.detail == Detail::Full || !self.layout.gate { rest.len() } else { FEW };
        for divergence in rest.iter().take(few) {
            self.set_beside(&mut label, divergence);
        }
        if rest.len() > few {
            let more = format!("~ and {} more (--verbose)", rest.len() - few);
            let start = label.take();
            self.line(&format!("{start}{}", more.dimmed()));
        }
        if self.layout.gate {
            let naming = if self.layout.detail == Detail::Full { Naming::All } else { Naming::Few };
            if let Some(agreement) = view::agreement(group, comparison, naming) {
                let mut mark = "✓".green().to_string();
                for line in self.wrapped(&agreement, LABEL + 2) {
                    let start = label.take();
                    self.line(&format!("{start}{mark} {line}"));
                    " ".clone_into(&mut mark);
                }
            }
        }
        label.used
    }

    fn violation(&mut self, label: &mut Label, divergence: &Divergence, comparison: &Comparison) {
        let difference = &divergence.difference;
        let start = label.take();
        let code = format!("{}  {}", difference.code, difference.id);
        self.marked(&start, &mark(divergence), &view::clean(&difference.message), Style::Strong, &code);
        for detail in difference.details.iter().filter(|detail| adds(&difference.message, detail)) {
            self.below(&view::clean(detail));
        }
        if let Some(by) = &divergence.decided_by {
            let because = by.because.as_deref().unwrap_or(&by.rule);
            self.below(&view::clean(&format!("why: {because}{}", self.stands(by))));
        }
        for mend in view::mends(divergence, comparison) {
            self.below(&view::clean(&format!("mend: {mend}")));
        }
    }

    /// Where a rule stands; a built-in one is worth the words only where everything is shown.
    fn stands(&self, by: &DecidedBy) -> String {
        match (&by.origin, self.layout.detail) {
            (Origin::Profile(_), Detail::Brief | Detail::Usual) => String::new(),
            (origin, _) => format!(" ({})", json::origin(origin)),
        }
    }

    fn below(&mut self, text: &str) {
        for line in self.wrapped(text, LABEL + 4) {
            self.line(&format!("{}{line}", " ".repeat(LABEL + 4)));
        }
    }

    /// A divergence that does not fail.
    fn set_beside(&mut self, label: &mut Label, divergence: &Divergence) {
        let difference = &divergence.difference;
        let start = label.take();
        let mut message = view::clean(&difference.message);
        match (divergence.verdict, &divergence.decided_by) {
            (Verdict::Allowed | Verdict::Approved, Some(by)) => {
                let because = by.because.as_deref().unwrap_or(&by.rule);
                message.push_str(&view::clean(&format!(": {because}{}", self.stands(by))));
            }
            (Verdict::Allowed | Verdict::Approved | Verdict::Undeclared | Verdict::Violation, _) => {}
        }
        self.marked(&start, "~", &message, Style::Plain, &difference.id.to_string());
        if self.layout.detail == Detail::Full {
            for detail in difference.details.iter().filter(|detail| adds(&difference.message, detail)) {
                self.below(&view::clean(detail));
            }
        }
    }

    fn unobserved(&mut self, comparison: &Comparison) {
        let mut label = Label { text: "unseen", used: false };
        for u in &comparison.judgement.unobserved {
            let start = label.take();
            let gap = &u.unknown.gap;
            let message =
                view::clean(&format!("{} in {} is unknown: {}", gap.what, u.unknown.environment, gap.why));
            self.marked(&start, &"?".yellow().bold().to_string(), &message, Style::Strong, "unobserved");
            self.below(&view::clean(&format!("a boundary speaks of it: {}", json::rule(&u.rule))));
        }
    }

    fn suppressed(&mut self, comparison: &Comparison) {
        let mut label = Label { text: "set aside", used: false };
        for s in &comparison.judgement.suppressed {
            let start = label.take();
            let attribute = s.attribute.as_ref().map_or_else(String::new, |a| format!("#{a}"));
            let value = |v: &Option<parallax_model::Value>| {
                v.as_ref().map_or("absent".to_owned(), |v| view::short(&v.to_string()))
            };
            let text =
                format!("{}{attribute}: {} → {}  ({})", s.key, value(&s.left), value(&s.right), s.owner);
            self.line(&format!("{start}{}", view::clean(&text)));
        }
    }

    /// How a difference that is meant to be is told, with a key of this very report.
    fn intended(&self, comparison: &Comparison) -> Option<String> {
        let fails = |d: &&Divergence| d.fails() && d.within.is_none();
        let last = comparison.judgement.divergences.iter().rfind(fails).filter(|_| self.layout.gate)?;
        let key = view::clean(last.difference.key.as_str());
        let rule = format!("{{select: \"{key}\", may: differ, because: ..}}");
        Some(format!("{}intended? under `boundaries:` of parallax.yaml: {rule}", " ".repeat(LABEL + 2)))
    }

    fn counts(&mut self, comparison: &Comparison, anything: bool) {
        let judgement = &comparison.judgement;
        let mut parts = vec![format!("{} attributes equal", judgement.equal)];
        if !judgement.suppressed.is_empty() {
            let hint = if self.layout.suppressed { "" } else { " (--show-suppressed)" };
            parts.push(format!("{} set aside with an owner{hint}", judgement.suppressed.len()));
        }
        let line = format!("{}{}", " ".repeat(LABEL + 2), parts.join(" · "));
        self.line(&line.dimmed().to_string());
        if let Some(intended) = self.intended(comparison) {
            self.line(&intended.dimmed().to_string());
        }
        if anything || self.layout.gate {
            self.out.push('\n');
        }
    }
}

/// How a line's words stand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Strong,
    Plain,
}

/// Whether a line of detail says more than the message: not where what follows its label stands there.
fn adds(message: &str, detail: &str) -> bool {
    let said = detail.split_once(": ").map_or(detail, |(_, said)| said);
    !message.contains(said)
}

/// `✗` for what fails, `!` for a warning.
fn mark(divergence: &Divergence) -> String {
    if divergence.fails() { "✗".red().bold().to_string() } else { "!".yellow().bold().to_string() }
}

/// The first column: a group's name on its first line, blank after.
struct Label {
    text: &'static str,
    used: bool,
}

impl Label {
    fn take(&mut self) -> String {
        let text = if self.used { "" } else { self.text };
        self.used = true;
        format!("{text:LABEL$}")
    }
}

/// How long ago, in the largest unit that fits.
fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    match seconds {
        s if s < 0 => then.to_string(),
        s if s < 90 => "now".to_owned(),
        s if s < 5400 => format!("{} min ago", s / 60),
        s if s < 129_600 => format!("{} h ago", s / 3600),
        s => format!("{} days ago", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let at = |s: i64| Timestamp::from_second(1_800_000_000 + s).unwrap();
        for (seconds, expected) in [
            (0, "now"),
            (120, "2 min ago"),
            (7200, "2 h ago"),
            (200_000, "2 days ago"),
            (-5, "2027-01-15T07:59:55Z"),
        ] {
            let (then, now) = if seconds < 0 { (at(seconds), at(seconds * 2)) } else { (at(0), at(seconds)) };
            assert_eq!(age(then, now), expected);
        }
    }
}
