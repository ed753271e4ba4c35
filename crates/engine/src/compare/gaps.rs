//! The gaps of one side: what they hide, and what the other side has there.
//!
//! A gap whose text can't be read as a selector could hide anything, so it is taken to.

use std::collections::{BTreeSet, HashMap};

use parallax_model::selector::Selector;
use parallax_model::{AttributePath, Gap, Key, Snapshot};

use super::Unknown;

pub(super) struct Gaps<'a> {
    environment: &'a str,
    entries: Vec<Entry<'a>>,
    /// Gaps over one key, by that key; most are, and a snapshot may have many.
    by_key: HashMap<&'a str, Vec<usize>>,
    /// Gaps over regions.
    regions: Vec<usize>,
}

struct Entry<'a> {
    gap: &'a Gap,
    /// `None` where the text is no selector.
    selector: Option<Selector>,
    hidden: BTreeSet<Key>,
}

impl<'a> Gaps<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        let mut gaps = Self {
            environment: &snapshot.header().environment,
            entries: Vec::new(),
            by_key: HashMap::new(),
            regions: Vec::new(),
        };
        for gap in &snapshot.header().gaps {
            let at = gaps.entries.len();
            let selector = Selector::parse(&gap.what).ok();
            let key = gap.what.split('#').next().unwrap_or_default();
            if selector.is_some() && !key.contains('*') {
                gaps.by_key.entry(key).or_default().push(at);
            } else {
                gaps.regions.push(at);
            }
            gaps.entries.push(Entry { gap, selector, hidden: BTreeSet::new() });
        }
        gaps
    }

    /// Whether a gap hides what this side lacks; if so, the key is noted under each gap that does. With
    /// `None` the whole resource is lacking, which a gap over any part of it may explain.
    pub(super) fn hide(&mut self, key: &Key, attribute: Option<&AttributePath>) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        let exact = self.by_key.get(key.as_str()).into_iter().flatten();
        let candidates: Vec<usize> = exact.chain(&self.regions).copied().collect();
        let mut found = false;
        for at in candidates {
            let Some(entry) = self.entries.get_mut(at) else { continue };
            let hides = entry.selector.as_ref().is_none_or(|s| match attribute {
                Some(_) => s.selects(key, attribute),
                None => s.selects_key(key),
            });
            if hides {
                entry.hidden.insert(key.clone());
                found = true;
            }
        }
        found
    }

    /// Every gap, with what it hides.
    pub(super) fn into_unknown(self) -> impl Iterator<Item = Unknown> {
        let environment = self.environment.to_owned();
        self.entries.into_iter().map(move |entry| Unknown {
            environment: environment.clone(),
            gap: entry.gap.clone(),
            hidden: entry.hidden.into_iter().collect(),
        })
    }
}
