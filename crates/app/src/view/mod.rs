//! What reports share: groups, counts, agreements, mends, and text made safe for a terminal.

mod agreement;
mod group;
mod mend;

use parallax_engine::boundary::{Divergence, Outcome, Summary};
use parallax_model::Gap;

pub use agreement::agreements;
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

/// Whether a divergence has a line of its own: not where it is told by the one that it is a part of.
#[must_use]
pub fn stands_alone(divergence: &Divergence) -> bool {
    !divergence.folded
}

/// Text with every control character made visible, so that nothing observed can move a cursor,
/// change a colour or hide a line.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || is_invisible(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Characters that reorder or hide text (Unicode's bidirectional controls and zero-width characters).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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

/// `1 gap: package/apt (permission denied)`, naming at most two.
#[must_use]
pub fn gap_line(gaps: &[Gap]) -> Option<String> {
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
        assert_eq!(clean("a\u{1b}[31mb\r\n\u{202e}"), "a\\u{1b}[31mb\\r\\n\\u{202e}");
        assert_eq!(clean("ü ✓ 日本"), "ü ✓ 日本");
    }
}
