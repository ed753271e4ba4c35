//! What the `composer.json` beside a lockfile asks for. The lockfile has a hash of all requests together, and none of them by
//! itself. Names that another package stands for (`provide`, `replace`) have no package of their own.

use super::Declared;
use crate::lockfile::Files;
use crate::lockfile::tree::{Source, Tree};

/// Reads it.
pub(super) fn read(files: &Files<'_>) -> Declared {
    let mut declared = Declared::default();
    let manifest = files.beside("composer.json").and_then(|file| Source::json(&file).ok());
    let (Some(manifest), Ok(lock)) = (manifest, Source::json(files)) else { return declared };
    let lists =
        ["packages", "packages-dev"].iter().filter_map(|list| lock.root.get(list)).flat_map(Tree::items);
    for entry in lists {
        for (name, _) in
            ["provide", "replace"].iter().filter_map(|list| entry.get(list)).flat_map(Tree::fields)
        {
            declared.doubt(&name.to_ascii_lowercase());
        }
    }
    let asked =
        ["require", "require-dev"].iter().filter_map(|list| manifest.root.get(list)).flat_map(Tree::fields);
    for (name, text) in asked.filter(|(name, _)| name.contains('/')) {
        let name = name.to_ascii_lowercase();
        match text.text().and_then(canonical) {
            Some(text) => declared.ask(&name, &text),
            None => declared.doubt(&name),
        }
    }
    declared
}

/// Composer's `|` is `||`, and its `~1.2` lets the last number rise, which others write `~>1.2`.
fn canonical(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_digit() || " .,*<>=!^~|-vV".contains(c);
    if !text.chars().all(plain) || text.trim().is_empty() {
        return None;
    }
    let alternatives: Vec<String> = text
        .split('|')
        .map(|one| one.split_whitespace().collect::<Vec<_>>().join(" ").replace('~', "~>"))
        .filter(|one| !one.is_empty())
        .collect();
    Some(alternatives.join(" || "))
}

#[cfg(test)]
mod tests {
    use super::super::lines;

    #[test]
    fn requests() {
        let manifest = r#"{"require": {"php": ">=8.1", "ext-json": "*", "A/B": "^1.0|^2.0", "c/d": "~1.2", "e/f": "dev-main",
            "g/h": "1.0.*", "i/implementation": "1.0"}, "require-dev": {"j/k": " ^1.0 || ^2.0 "}}"#;
        let lock =
            r#"{"packages": [{"name": "x/y", "version": "1", "provide": {"i/implementation": "1.0"}}]}"#;
        assert_eq!(
            lines("composer", lock, &[("composer.json", manifest)]),
            ["asked a/b ^1.0 || ^2.0", "asked c/d ~>1.2", "asked g/h 1.0.*", "asked j/k ^1.0 || ^2.0"]
        );
    }
}
