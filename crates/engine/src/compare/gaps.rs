//! The gaps of one side: what they hide, and what the other side has there.
//!
//! A gap whose text can't be read as a selector could hide anything, so it is taken to.

use std::collections::{BTreeSet, HashMap};

use parallax_model::selector::Selector;
use parallax_model::{AttributePath, Gap, GapKind, Key, Snapshot};

use super::{Cause, Unknown};

pub(super) struct Gaps<'a> {
    environment: &'a str,
    entries: Vec<Entry>,
    /// Gaps by the text that every key begins with which they select: a snapshot may have thousands, of
    /// which few can speak of one key.
    by_beginning: HashMap<String, Vec<usize>>,
    /// How long these texts are.
    lengths: BTreeSet<usize>,
}

struct Entry {
    gap: Gap,
    cause: Cause,
    /// `None` where the text is no selector.
    selector: Option<Selector>,
    hidden: BTreeSet<Key>,
}

impl<'a> Gaps<'a> {
    /// The gaps of a snapshot, and what else nobody saw there.
    pub(super) fn of(snapshot: &'a Snapshot, unseen: Vec<(Gap, Cause)>) -> Self {
        let mut gaps = Self {
            environment: &snapshot.header().environment,
            entries: Vec::new(),
            by_beginning: HashMap::new(),
            lengths: BTreeSet::new(),
        };
        let told = snapshot.header().gaps.iter().map(|gap| {
            // What a place of that sort can't have was not overlooked.
            let is_left_out = gap.kind == GapKind::NotApplicable;
            (gap.clone(), if is_left_out { Cause::LeftOut } else { Cause::Unseen })
        });
        for (gap, cause) in told.chain(unseen) {
            let selector = Selector::parse(&gap.what).ok();
            let beginning = beginning(&gap, selector.as_ref());
            gaps.lengths.insert(beginning.len());
            gaps.by_beginning.entry(beginning.to_owned()).or_default().push(gaps.entries.len());
            gaps.entries.push(Entry { gap, cause, selector, hidden: BTreeSet::new() });
        }
        gaps
    }

    /// Whether a gap hides what this side lacks; if so, the key is noted under each gap that does. With
    /// `None` the whole resource is lacking, which a gap over any part of it may explain.
    pub(super) fn hide(&mut self, key: &Key, attribute: Option<&AttributePath>) -> bool {
        let mut found = false;
        for beginning in self.lengths.iter().filter_map(|length| key.as_str().get(..*length)) {
            for at in self.by_beginning.get(beginning).into_iter().flatten() {
                let Some(entry) = self.entries.get_mut(*at) else { continue };
                if entry.hides(key, attribute) {
                    entry.hidden.insert(key.clone());
                    found = true;
                }
            }
        }
        found
    }

    /// Every gap, with what it hides.
    pub(super) fn into_unknown(self) -> impl Iterator<Item = Unknown> {
        let environment = self.environment.to_owned();
        self.entries.into_iter().map(move |entry| Unknown {
            environment: environment.clone(),
            gap: entry.gap,
            cause: entry.cause,
            hidden: entry.hidden.into_iter().collect(),
        })
    }
}

impl Entry {
    fn hides(&self, key: &Key, attribute: Option<&AttributePath>) -> bool {
        self.selector.as_ref().is_none_or(|selector| match attribute {
            Some(_) => selector.selects(key, attribute),
            None => selector.selects_key(key),
        })
    }
}

/// What every key begins with that a gap speaks of: its text up to the first `*`.
fn beginning<'g>(gap: &'g Gap, selector: Option<&Selector>) -> &'g str {
    let key = gap.what.split('#').next().filter(|_| selector.is_some()).unwrap_or_default();
    match key.split_once('*') {
        // `a/**` selects `a`, too.
        Some((beginning, _)) => beginning.trim_end_matches('/'),
        None => key,
    }
}

#[cfg(test)]
mod tests {
    use parallax_model::SnapshotHeader;

    use super::*;

    #[track_caller]
    fn check(gap: &str, key: &str, expected: bool) {
        let header = SnapshotHeader {
            environment: "staging".into(),
            captured_at: "2026-11-21T03:00:00Z".parse().unwrap(),
            tool: "test".into(),
            key_id: None,
            sources: Vec::new(),
            gaps: vec![Gap::new(gap, GapKind::Permission, "not allowed")],
        };
        let snapshot = Snapshot::new(header, Vec::new());
        let hides = Gaps::of(&snapshot, Vec::new()).hide(&Key::parse(key).unwrap(), None);
        assert_eq!(hides, expected, "`{gap}` on `{key}`");
    }

    #[test]
    fn the_index_finds_what_a_selector_selects() {
        check("a/b", "a/b", true);
        check("a/b#c", "a/b", true);
        check("a/b", "a/b/c", false);
        check("a/b", "a/bc", false);
        check("a/**", "a", true);
        check("a/**", "ab", false);
        check("a/**", "a/b/c", true);
        check("a/b*/c", "a/bx/c", true);
        check("a/b*/c", "a/cx/c", false);
        check("a/b**", "a/b", true);
        check("**/c", "a/b/c", true);
        check("*/c", "a/c", true);
        check("*a/c", "ba/c", true);
        check("", "a", true);
        check("a//*", "x", true);
    }
}
