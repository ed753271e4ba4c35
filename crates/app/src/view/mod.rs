//! What reports share: groups, counts, agreements, mends, and text made safe for a terminal.

mod agreement;
mod bar;
mod change;
mod clock;
mod fold;
mod group;
mod mend;

use parallax_engine::boundary::{Divergence, Outcome, Summary};
use parallax_engine::compare::show::visible;
use parallax_model::{Gap, GapKind};

pub use agreement::{Naming, agreement};
pub use bar::{Bar, BarOf, Mark, bar};
pub use change::{Sign, Told, change, evidence, sign, telling};
pub use clock::Clock;
pub use fold::{Item, item, items};
pub use group::Group;
pub use mend::mends;

use crate::usecase::Comparison;

/// Whether the gate passes.
#[must_use]
pub fn passes(comparison: &Comparison) -> bool {
    comparison.judgement.outcome() == Outcome::Parity
}

/// The counts of a comparison.
#[must_use]
pub fn summary(comparison: &Comparison) -> Summary {
    comparison.judgement.summary()
}

/// The divergences that have a line of their own. A part whose whole is not in the report (it was filtered out)
/// stands for itself.
pub fn standing(comparison: &Comparison) -> impl Iterator<Item = &Divergence> {
    let all = &comparison.judgement.divergences;
    all.iter().filter(|d| !d.folded || whole(d, all).is_none())
}

/// The parts that a divergence tells with itself.
#[must_use]
pub fn parts<'a>(of: &Divergence, comparison: &'a Comparison) -> Vec<&'a Divergence> {
    let is_part = |d: &&Divergence| d.folded && d.difference.part_of.as_ref() == Some(&of.difference.id);
    comparison.judgement.divergences.iter().filter(is_part).collect()
}

fn whole<'a>(part: &Divergence, all: &'a [Divergence]) -> Option<&'a Divergence> {
    let id = part.difference.part_of.as_ref()?;
    all.iter().find(|d| !d.folded && d.difference.id == *id)
}

/// Text in which nothing observed can move a cursor, change a colour or hide a line.
#[must_use]
pub fn clean(text: &str) -> String {
    visible(text)
}

/// At most 60 characters, with `…` where something was left out.
#[must_use]
pub fn short(text: &str) -> String {
    if text.chars().count() <= 60 {
        return text.to_owned();
    }
    let head: String = text.chars().take(59).collect();
    format!("{head}…")
}

/// A text in lines of at most so many characters, broken at spaces; a longer word has a line of its own.
#[must_use]
pub fn wrapped(text: &str, room: usize) -> Vec<String> {
    if text.chars().count() <= room {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > room {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Our own marks for a terminal that knows no more than ASCII; what was observed stays as it is.
#[must_use]
pub fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '▁' => out.push('.'),
            '▂' => out.push(':'),
            '▃' => out.push('+'),
            '▅' => out.push('*'),
            '█' => out.push('#'),
            '·' => out.push('.'),
            '✓' => out.push('v'),
            '╵' => out.push('|'),
            '–' => out.push('-'),
            '→' => out.push_str("->"),
            '…' => out.push_str("..."),
            c => out.push(c),
        }
    }
    out
}

/// `1 gap: package/apt (permission denied)`, naming at most two.
#[must_use]
pub fn gap_line(gaps: &[Gap]) -> Option<String> {
    // What a place can't have is no gap in what is known of it.
    let gaps: Vec<&Gap> = gaps.iter().filter(|gap| gap.kind != GapKind::NotApplicable).collect();
    let named: Vec<String> =
        gaps.iter().take(2).map(|g| format!("{} ({})", clean(&g.what), short(&clean(&g.why)))).collect();
    match gaps.len() {
        0 => None,
        1 => Some(format!("1 gap: {}", named.join(", "))),
        2 => Some(format!("2 gaps: {}", named.join(", "))),
        n => Some(format!("{n} gaps: {} and {} more", named.join(", "), n - 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_observed_reaches_the_terminal_raw() {
        assert!(!clean("a\u{1b}[31mb\r\n\u{202e}").contains(['\u{1b}', '\r', '\n', '\u{202e}']));
        assert_eq!(clean("ü ✓ 日本"), "ü ✓ 日本");
    }
}
