//! Text that was observed, made fit to be shown: nothing in it acts on a terminal, nothing is longer
//! than a line wants. Does not touch the values themselves.

use std::fmt::Write;

use parallax_model::Value;

/// How many characters of one value a message shows.
const VALUE_LENGTH: usize = 64;

/// How much of what two long values have in common is kept in front of their first difference.
const COMMON: usize = 12;

/// Makes control characters, terminal escapes and characters that reorder or hide text visible:
/// `\n`, `\u{1b}`.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_deceptive(c) => {
                // Writing into a String cannot fail.
                _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Zero-width, bidirectional and tag characters, and line separators.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{ad}' | '\u{61c}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One value, visible and short.
#[must_use]
pub fn short(value: &Value) -> String {
    shortened(&words(value), 0)
}

/// Two values, visible and short, both from shortly before they begin to differ.
#[must_use]
pub fn short_pair(left: &Value, right: &Value) -> (String, String) {
    let (l, r) = (words(left), words(right));
    let is_long = |text: &str| text.chars().nth(VALUE_LENGTH).is_some();
    let common = l.chars().zip(r.chars()).take_while(|(a, b)| a == b).count();
    let skip = if is_long(&l) || is_long(&r) { common.saturating_sub(COMMON) } else { 0 };
    (shortened(&l, skip), shortened(&r, skip))
}

/// Text, visible and short.
#[must_use]
pub fn short_text(text: &str) -> String {
    shortened(&cut(text), 0)
}

/// A sentence with observed text in it, visible and bounded.
#[must_use]
pub fn sentence(text: &str) -> String {
    const LENGTH: usize = 400;
    match text.char_indices().nth(LENGTH) {
        Some((at, _)) => format!("{}…", visible(text.get(..at).unwrap_or_default())),
        None => visible(text),
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Text(text) if text.is_empty() => "\"\"".to_owned(),
        Value::Text(text) => text.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Secret(_) => value.to_string(),
    }
}

/// A bounded beginning, so that a huge text costs no more than a long one.
fn cut(text: &str) -> String {
    text.chars().take(VALUE_LENGTH + 1).collect()
}

fn shortened(text: &str, skip: usize) -> String {
    // A few characters are not worth an ellipsis.
    let skip = if skip < COMMON { 0 } else { skip };
    let mut rest = text.chars().skip(skip);
    let shown: String = rest.by_ref().take(VALUE_LENGTH).collect();
    let before = if skip > 0 { "…" } else { "" };
    let after = if rest.next().is_some() { "…" } else { "" };
    format!("{before}{}{after}", visible(&shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_a_terminal() {
        for (text, expected) in [
            ("plain ü 漢", "plain ü 漢"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{1b}[31mred\u{1b}]8;;x\u{7}", "\\u{1b}[31mred\\u{1b}]8;;x\\u{7}"),
            ("\u{9b}31m\u{0}\u{7f}", "\\u{9b}31m\\u{0}\\u{7f}"),
            ("\u{202e}gpj.exe\u{200b}", "\\u{202e}gpj.exe\\u{200b}"),
        ] {
            assert_eq!(visible(text), expected);
        }
    }

    #[test]
    fn long_values_show_where_they_differ() {
        let (left, right) = (format!("{}left", "x".repeat(200)), format!("{}right", "x".repeat(200)));
        let (l, r) = short_pair(&Value::from(left), &Value::from(right));
        assert_eq!((l.as_str(), r.as_str()), ("…xxxxxxxxxxxxleft", "…xxxxxxxxxxxxright"));
        assert_eq!(short(&Value::from("y".repeat(100))), format!("{}…", "y".repeat(64)));
        assert_eq!(short(&Value::from("")), "\"\"");
        assert_eq!(short(&Value::from("y".repeat(64))), "y".repeat(64));
    }
}
