//! All timelines for people: an environment a line, with what changed last.

use owo_colors::OwoColorize;
use parallax_store::Change;

use super::log::{count, moments};
use crate::usecase::{Reach, Timeline};
use crate::view::{self, Clock};

/// All environments, a line each.
#[must_use]
pub fn timelines(timelines: &[Timeline], clock: &Clock) -> String {
    let width =
        timelines.iter().map(|t| view::clean(&t.environment).chars().count()).max().unwrap_or_default();
    let mut out = String::new();
    for timeline in timelines {
        let name = view::clean(&timeline.environment);
        let told = match &timeline.ends {
            None => format!("never recorded: parallax capture {name}").dimmed().to_string(),
            Some((_, last)) if timeline.recordings == 1 => {
                format!("recorded once, {}", clock.ago(last.captured_at))
            }
            Some((first, last)) => {
                let recordings = format!(
                    "{} since {}, the last {}",
                    count(timeline.recordings, "recording"),
                    clock.moment(first.captured_at),
                    clock.ago(last.captured_at)
                );
                format!("{recordings}; {}", last_change(timeline, clock))
            }
        };
        out.push_str(&format!("{}   {told}\n", format!("{name:width$}").bold()));
    }
    if out.is_empty() {
        out.push_str("nothing is recorded yet: `parallax capture ENV` records an environment\n");
    }
    out
}

fn last_change(timeline: &Timeline, clock: &Clock) -> String {
    let all = &timeline.last_changes;
    let told: Vec<&Change> = all.iter().filter(|change| crate::usecase::noise(change).is_none()).collect();
    let changes = if told.is_empty() { all.iter().collect() } else { told };
    let moments = moments(&changes);
    let first = moments.first().and_then(|m| Some((m.of, view::items(&m.changes).into_iter().next()?)));
    let Some((change, item)) = first else {
        return "nothing changed".to_owned();
    };
    let moment = change.at.unwrap_or(change.not_after);
    let more = changes.len().saturating_sub(item.changes);
    let more = match (more, timeline.reach) {
        (0, Reach::Whole) => String::new(),
        (0, Reach::Newest) => " and more".to_owned(),
        (more, Reach::Whole) => format!(" and {more} more"),
        (more, Reach::Newest) => format!(" and {more} more at least"),
    };
    format!("last changed {}: {} {}{more}", clock.ago(moment), item.told.name, item.told.words)
}
