//! `devcontainer.json`: its image. The file is JSON with comments, which is YAML once the comments are blanked out. Pure.

use super::{Found, Kind, name};
use crate::lockfile::Malformed;
use crate::yaml::parse;

pub(super) fn fits(path: &str) -> bool {
    matches!(name(path), "devcontainer.json" | ".devcontainer.json")
}

pub(super) fn read(text: &str) -> Result<Vec<Found>, Malformed> {
    // Blanks take the comments' place byte for byte, so that places stay.
    let root = parse(&without_comments(text))?;
    Ok(root.get("image").and_then(|node| Found::of_node(Kind::Image, text, node)).into_iter().collect())
}

/// Where the scanner is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Code,
    Text,
    Escape,
    Line,
    Block,
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut within = Within::Code;
    let mut before = '\0';
    let mut all = text.chars().peekable();
    while let Some(c) = all.next() {
        let next = all.peek().copied();
        let entered = within;
        within = match (within, c) {
            (Within::Code, '"') | (Within::Escape, _) => Within::Text,
            (Within::Text, '\\') => Within::Escape,
            (Within::Text, '"') | (Within::Line, '\n') => Within::Code,
            (Within::Code, '/') if next == Some('/') => Within::Line,
            (Within::Code, '/') if next == Some('*') => Within::Block,
            (Within::Block, '/') if before == '*' => Within::Code,
            (same, _) => same,
        };
        let is_comment =
            matches!(entered, Within::Line | Within::Block) || matches!(within, Within::Line | Within::Block);
        // The `*` that opens a block does not close it.
        before = if entered == Within::Code { '\0' } else { c };
        match c {
            '\n' | '\r' => out.push(c),
            // YAML has no tabs for layout.
            '\t' if within == Within::Code => out.push(' '),
            _ if is_comment => out.extend(std::iter::repeat_n(' ', c.len_utf8())),
            _ => out.push(c),
        }
    }
    out
}
