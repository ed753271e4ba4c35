//! Which source reports which part of an environment: where it did not look, nothing is known there. Data.

use serde::Serialize;

use super::KindRow;

/// A source, as a snapshot's header names it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SourceRow {
    /// Its name: `host`, `project` ...
    pub id: &'static str,
    /// Where its resources lie, as selectors; each is a whole first segment.
    pub regions: &'static [&'static str],
    /// Of which environments it says something.
    pub reach: Reach,
}

/// Of which environments a source says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Of each: one where it did not look is not known there.
    Everywhere,
    /// Of those that are such a thing (an image): that another is none is no blindness.
    WhereThereIsOne,
}

const fn row(id: &'static str, regions: &'static [&'static str]) -> SourceRow {
    SourceRow { id, regions, reach: Reach::Everywhere }
}

/// All sources, in the order of the reference.
pub const SOURCES: &[SourceRow] = &[
    row("host", &["host/**"]),
    row("runtime", &["runtime/**"]),
    row("environment", &["env/**"]),
    row("project", &["pin/**", "lockfile/**", "dependency/**"]),
    row("package", &["package/**"]),
    SourceRow { id: "image", regions: &["image/**"], reach: Reach::WhereThereIsOne },
    row("documents", &["document/**", "k8s/**"]),
];

/// The row of a source; `None` for one that this version does not know.
#[must_use]
pub fn source(id: &str) -> Option<&'static SourceRow> {
    SOURCES.iter().find(|row| row.id == id)
}

/// The source that reports a kind.
#[must_use]
pub fn source_of(kind: &KindRow) -> Option<&'static SourceRow> {
    let root = kind.key.split('/').next().unwrap_or_default();
    SOURCES.iter().find(|row| row.regions.iter().any(|region| region.strip_suffix("/**") == Some(root)))
}

#[cfg(test)]
mod tests {
    use super::super::kinds;
    use super::*;
    use crate::selector::Selector;

    #[test]
    fn each_kind_has_its_source_and_each_region_a_kind() {
        for kind in kinds() {
            assert!(source_of(kind).is_some(), "{}", kind.id);
        }
        for row in SOURCES {
            for region in row.regions {
                assert!(Selector::parse(region).is_ok(), "{region}");
                let root = region.strip_suffix("/**").unwrap();
                assert!(kinds().any(|kind| kind.key.starts_with(&format!("{root}/"))), "{region}");
            }
        }
    }
}
