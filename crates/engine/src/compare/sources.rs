//! What a side's header says was not looked at: a source that failed, was left out, or is not named where the
//! other side has it leaves its regions unknown. Where resources of a region are there, somebody looked.

use parallax_model::ontology::{self, SOURCES, SourceRow};
use parallax_model::selector::Selector;
use parallax_model::{Gap, GapKind, Snapshot, SourceReport, SourceStatus};

use super::Cause;
use super::describe::Places;

/// How far a source got on one side, by the best of its reports.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    NotNamed,
    Skipped,
    Failed,
    Ran,
}

/// The regions of one side that nobody saw.
pub(super) fn unseen(this: &Snapshot, other: &Snapshot, place: &str) -> Vec<(Gap, Cause)> {
    let told: Vec<Selector> =
        this.header().gaps.iter().filter_map(|gap| Selector::parse(&gap.what).ok()).collect();
    let mut out = Vec::new();
    for row in SOURCES {
        let (here, there) = (reach(this, row), reach(other, row));
        let why = why(this, row);
        for region in row.regions.iter().filter(|region| !has(this, region)) {
            let Some(cause) = cause(here, there, has(other, region)) else { continue };
            // That an environment is no image is known without looking.
            let is_none = here == Reach::NotNamed && row.reach == ontology::Reach::WhereThereIsOne;
            let cause = if is_none { Cause::LeftOut } else { cause };
            let known = Selector::parse(region).is_ok_and(|r| told.iter().any(|gap| gap.covers(&r)));
            if !known {
                out.push((gap(row, region, here, place, why), cause));
            }
        }
    }
    out
}

/// The places of both sides, left first.
pub(super) fn of_both(left: &Snapshot, right: &Snapshot) -> [Vec<(Gap, Cause)>; 2] {
    let places = Places::of(left, right);
    [unseen(left, right, &places.left), unseen(right, left, &places.right)]
}

fn cause(here: Reach, there: Reach, is_there: bool) -> Option<Cause> {
    match (here, there) {
        (Reach::Ran, _) => None,
        (Reach::Failed, _) | (Reach::NotNamed, Reach::Ran) => Some(Cause::Unseen),
        (Reach::NotNamed, Reach::NotNamed | Reach::Skipped | Reach::Failed) => None,
        (Reach::Skipped, Reach::Ran) => Some(Cause::LeftOut),
        (Reach::Skipped, _) if is_there => Some(Cause::LeftOut),
        (Reach::Skipped, Reach::NotNamed | Reach::Skipped | Reach::Failed) => Some(Cause::LeftOutOnBoth),
    }
}

fn reports<'a>(snapshot: &'a Snapshot, row: &'a SourceRow) -> impl Iterator<Item = &'a SourceReport> {
    snapshot.header().sources.iter().filter(|report| report.source == row.id)
}

fn reach(snapshot: &Snapshot, row: &SourceRow) -> Reach {
    let mut best = Reach::NotNamed;
    for report in reports(snapshot, row) {
        best = match (report.status, best) {
            (SourceStatus::Complete | SourceStatus::Partial, _) | (_, Reach::Ran) => Reach::Ran,
            (SourceStatus::Failed, _) | (_, Reach::Failed) => Reach::Failed,
            (SourceStatus::Skipped, Reach::NotNamed | Reach::Skipped) => Reach::Skipped,
        };
    }
    best
}

fn why<'a>(snapshot: &'a Snapshot, row: &'a SourceRow) -> Option<&'a str> {
    reports(snapshot, row).find_map(|report| report.why.as_deref())
}

/// Whether anything of a region is there.
fn has(snapshot: &Snapshot, region: &str) -> bool {
    snapshot.under(region.strip_suffix("/**").unwrap_or(region)).next().is_some()
}

fn gap(row: &SourceRow, region: &str, here: Reach, place: &str, why: Option<&str>) -> Gap {
    if here == Reach::NotNamed && row.reach == ontology::Reach::WhereThereIsOne {
        return Gap::new(region, GapKind::NotApplicable, format!("there is no {} {place}", row.id));
    }
    let (words, kind) = match here {
        Reach::Failed => ("could not be observed", GapKind::Failed),
        Reach::NotNamed | Reach::Skipped | Reach::Ran => ("was not looked at", GapKind::Unsupported),
    };
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    Gap::new(region, kind, format!("{} {words} {place}{why}", row.id))
}
