//! A timeline for people: when things changed at a glance, then what changed, newest first, on one screen. What was last found
//! good stands as a line between what changed since and what did before.

use std::collections::BTreeSet;

use owo_colors::OwoColorize;
use parallax_store::{Change, Entry};

use super::{Detail, Wrap};
use crate::usecase::{History, Reach, Scope};
use crate::view::{self, BarOf, Clock, Item, Mark, Sign};

/// How a timeline is laid out.
#[derive(Debug, Clone)]
pub struct LogLayout {
    /// Columns of the terminal.
    pub width: usize,
    /// How much is shown.
    pub detail: Detail,
    /// Whether long lines are broken.
    pub wrap: Wrap,
    /// The clock's reading and the reader's zone.
    pub clock: Clock,
    /// How many lines of changes are shown at most.
    pub limit: usize,
}

/// The width of the first column of the bar.
const LABEL: usize = 10;
/// Longer names do not push the others aside.
const NAME: usize = 48;

/// The report, with colours as escape sequences; a plain stream takes them out.
#[must_use]
pub fn log(history: &History, layout: &LogLayout) -> String {
    let is_told = |change: &&Change| shows_noise(history, layout) || crate::usecase::noise(change).is_none();
    let told: Vec<&Change> = history.changes.iter().filter(is_told).collect();
    let mut page = Page { history, layout, out: String::new() };
    page.summary(&told);
    if !told.is_empty() {
        if layout.detail != Detail::Brief {
            page.bar(&told);
        }
        page.moments(&told);
    }
    page.set_aside();
    page.out
}

/// What was asked for by name is told, whatever it is.
fn shows_noise(history: &History, layout: &LogLayout) -> bool {
    match (&history.scope, layout.detail) {
        (Scope::Resource(..), _) | (_, Detail::Full) => true,
        (Scope::Whole | Scope::Selected(_), Detail::Brief | Detail::Usual) => false,
    }
}

/// Changes that happened in one interval, or at one exact time.
pub(super) struct Moment<'a> {
    /// One of them, which tells when.
    pub(super) of: &'a Change,
    pub(super) changes: Vec<&'a Change>,
}

/// Newest first; the changes of one moment in order of keys.
pub(super) fn moments<'a>(changes: &[&'a Change]) -> Vec<Moment<'a>> {
    let when = |change: &Change| (change.entry, change.at.unwrap_or(change.not_after), change.after);
    let mut sorted = changes.to_vec();
    sorted.sort_by_key(|change| std::cmp::Reverse(when(change)));
    let groups = sorted.chunk_by(|a, b| when(a) == when(b));
    groups.filter_map(|group| Some(Moment { of: group.first()?, changes: group.to_vec() })).collect()
}

struct Page<'a> {
    history: &'a History,
    layout: &'a LogLayout,
    out: String,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// The first lines: how much changed since when, what was good, what could not be seen.
    fn summary(&mut self, told: &[&Change]) {
        let (history, layout) = (self.history, self.layout);
        let name = view::clean(&history.environment);
        let indent = " ".repeat(name.chars().count() + 3);
        let (found, times) = found(history, layout, told.len());
        let mut lines = vec![format!("{}   {found}{}", name.bold(), times.dimmed())];
        if let Some(good) = history.last_good.as_ref().filter(|_| !told.is_empty()) {
            let since = told.iter().filter(|change| change.not_after > good.captured_at).count();
            let next = if since > 0 { format!(": parallax diff {name}@good {name}") } else { String::new() };
            let ago = layout.clock.ago(good.captured_at);
            let reached = history.entries.last().is_some_and(|entry| entry.captured_at <= good.captured_at);
            let least = if reached || history.reach == Reach::Whole { "" } else { "more than " };
            let text = format!("found good {ago}, {least}{} since", count(since, "change"));
            lines.push(format!("{indent}{} {text}{}", "✓".green(), next.dimmed()));
        }
        lines.extend(
            view::gap_line(&history.gaps)
                .map(|gaps| format!("{indent}{gaps}: changes there are not seen").yellow().to_string()),
        );
        lines.extend(masked(history).map(|told| format!("{indent}{told}").yellow().to_string()));
        for line in lines {
            self.line(&line);
        }
    }

    fn bar(&mut self, told: &[&Change]) {
        let (history, layout) = (self.history, self.layout);
        let first = history.entries.last().map(|entry| entry.captured_at);
        let oldest = told.iter().map(|change| change.not_after).min();
        let from = match history.reach {
            Reach::Newest => {
                // The recording that closes the span may be later than its end.
                let last_seen = told.iter().map(|change| change.after).min();
                let is_early =
                    |first: &parallax_model::Timestamp| history.until.is_none_or(|until| until > *first);
                first.filter(is_early).or(last_seen)
            }
            Reach::Whole => history.since.or_else(|| first.into_iter().chain(oldest).min()),
        };
        let Some(from) = from else { return };
        let to = history.until.unwrap_or_else(|| layout.clock.now.max(history.latest.captured_at));
        let changes: Vec<_> = told.iter().map(|change| change.at.unwrap_or(change.not_after)).collect();
        let mark = |entry: &Entry| if entry.good.is_some() { Mark::Good } else { Mark::Recorded };
        let recordings: Vec<_> = history.entries.iter().map(|e| (e.captured_at, mark(e))).collect();
        let width = layout.width.saturating_sub(LABEL + 1);
        let of = BarOf { from, to, width, changes: &changes, recordings: &recordings };
        let Some(bar) = view::bar(&of, &layout.clock) else { return };
        self.out.push('\n');
        self.line(&format!("{:LABEL$}{}", "changes", bar.changes.yellow()));
        self.line(&format!("{:LABEL$}{}", "recorded", bar.recordings.dimmed()));
        self.line(&format!("{:LABEL$}{}", layout.clock.zone(), bar.axis.dimmed()));
    }

    /// The changes themselves, under the days that they were first seen on.
    fn moments(&mut self, told: &[&Change]) {
        let layout = self.layout;
        let mut room = layout.limit;
        let mut shown = 0;
        let mut listed: Vec<(Moment<'_>, Vec<Item>)> = Vec::new();
        for moment in moments(told) {
            if room == 0 {
                break;
            }
            let mut items = match layout.detail {
                Detail::Full => moment.changes.iter().map(|change| view::item(change)).collect(),
                Detail::Brief | Detail::Usual => view::items(&moment.changes),
            };
            items.truncate(room);
            room -= items.len();
            shown += items.iter().map(|item| item.changes).sum::<usize>();
            listed.push((moment, items));
        }
        let when = |moment: &Moment<'_>| match moment.of.at {
            Some(at) => layout.clock.exactly(at),
            None => layout.clock.interval(moment.of.after, moment.of.not_after),
        };
        let width = listed.iter().map(|(moment, _)| when(moment).chars().count()).max().unwrap_or_default();
        let (mut day, mut good) = (String::new(), self.history.last_good.clone());
        for (moment, items) in &listed {
            if let Some(entry) = good.take_if(|good| good.captured_at >= moment.of.not_after) {
                self.good(&entry, &mut day, width);
            }
            self.day(moment.of.at.unwrap_or(moment.of.not_after), &mut day);
            self.items(&when(moment), width, moment, items);
        }
        let more = told.len() - shown;
        if more == 0
            && let Some(entry) = good
            && self.history.entries.iter().any(|of_span| of_span.number == entry.number)
        {
            self.good(&entry, &mut day, width);
        }
        self.more(more);
    }

    fn day(&mut self, time: parallax_model::Timestamp, day: &mut String) {
        let new = self.layout.clock.day(time);
        if new != *day {
            self.out.push('\n');
            self.line(&new.bold().to_string());
            *day = new;
        }
    }

    fn good(&mut self, entry: &Entry, day: &mut String, width: usize) {
        self.day(entry.captured_at, day);
        let time = self.layout.clock.at(entry.captured_at).strftime("%H:%M").to_string();
        let text = format!("{time:>width$}  ✓ found good: all above came later");
        self.line(&format!("  {}", text.green()));
    }

    /// The lines of one moment; only the first tells when.
    fn items(&mut self, when: &str, width: usize, moment: &Moment<'_>, items: &[Item]) {
        let names = items.iter().map(|item| item.told.name.chars().count()).filter(|count| *count <= NAME);
        let name_width = names.max().unwrap_or_default();
        let mut when = format!("{when:>width$}");
        if self.layout.detail == Detail::Full
            && let Some(hash) = self.history.snapshot_of(moment.of)
        {
            let hash: String = hash.to_string().chars().take(12).collect();
            self.line(&format!("  {}  {}", when.dimmed(), format!("snapshot {hash}").dimmed()));
            when = " ".repeat(width);
        }
        let indent = width + 6;
        for item in items {
            let mark = item.told.sign.mark();
            let mark = match item.told.sign {
                Sign::Appeared => mark.green().to_string(),
                Sign::Vanished => mark.red().to_string(),
                Sign::Changed => mark.yellow().to_string(),
            };
            let begin = format!("  {}  {mark} {:name_width$}", when.dimmed(), item.told.name);
            let room =
                self.layout.width.saturating_sub(indent + item.told.name.chars().count().max(name_width) + 2);
            if self.layout.wrap == Wrap::Never || item.told.words.chars().count() <= room {
                self.line(&format!("{begin}  {}", item.told.words));
            } else {
                self.line(&begin);
                self.below(&item.told.words, indent + 2);
            }
            for said in &item.evidence {
                self.below(said, indent + 2);
            }
            when = " ".repeat(width);
        }
    }

    fn below(&mut self, text: &str, indent: usize) {
        let lines = match self.layout.wrap {
            Wrap::Never => vec![text.to_owned()],
            Wrap::Words => view::wrapped(text, self.layout.width.saturating_sub(indent).max(20)),
        };
        for line in lines {
            self.line(&format!("{}{line}", " ".repeat(indent)));
        }
    }

    fn more(&mut self, more: usize) {
        let text = match (more, self.history.reach) {
            (0, Reach::Whole) => return,
            (0, Reach::Newest) => "… and older ones: --limit 0, or --until".to_owned(),
            (n, Reach::Whole) => format!("… {n} more: --limit 0, or a span with --since and --until"),
            (n, Reach::Newest) => {
                format!("… {n} more and older ones: --limit 0, or a span with --since and --until")
            }
        };
        self.out.push('\n');
        self.line(&text.dimmed().to_string());
    }

    /// What is not told, with who owns it.
    fn set_aside(&mut self) {
        if shows_noise(self.history, self.layout) {
            return;
        }
        let owners: Vec<&str> = self.history.changes.iter().filter_map(crate::usecase::noise).collect();
        if owners.is_empty() {
            return;
        }
        let named: BTreeSet<&str> = owners.iter().copied().collect();
        let named = named.into_iter().collect::<Vec<_>>().join(", ");
        let text = format!("set aside: {} ({named}): --verbose", count(owners.len(), "change"));
        self.line(&text.dimmed().to_string());
    }
}

/// The secrets of which no change can be seen.
fn masked(history: &History) -> Option<String> {
    let name = |gap: &parallax_model::Gap| {
        let what = view::clean(&gap.what);
        what.strip_suffix("#value").map_or(what.clone(), ToOwned::to_owned)
    };
    let named: Vec<String> = history.secrets.iter().take(2).map(name).collect();
    let more = match history.secrets.len().saturating_sub(2) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!named.is_empty()).then(|| {
        let all = count(history.secrets.len(), "secret");
        let named = named.join(", ");
        format!("{all} ({named}{more}) not recorded with one key: changes there may not be seen")
    })
}

/// What was found, and of which recordings.
fn found(history: &History, layout: &LogLayout, told: usize) -> (String, String) {
    let clock = &layout.clock;
    let of = match &history.scope {
        Scope::Whole => String::new(),
        Scope::Resource(key, None) => format!(" of {key}"),
        Scope::Resource(key, Some(attribute)) => format!(" of {key}#{attribute}"),
        Scope::Selected(selector) => format!(" of {selector}"),
    };
    let of = view::clean(&of);
    let last = clock.ago(history.latest.captured_at);
    if history.recordings == 1 && told == 0 {
        return (format!("recorded once, {last}; nothing to compare with yet"), String::new());
    }
    let first = history.entries.last().map(|entry| entry.captured_at);
    let since = match history.reach {
        Reach::Whole => {
            history.since.or(first.filter(|first| history.until.is_none_or(|until| until > *first)))
        }
        Reach::Newest => first.filter(|first| history.until.is_none_or(|until| until > *first)),
    };
    let span = match (since, history.until) {
        (Some(since), None) => format!(" since {}", clock.moment(since)),
        (Some(since), Some(until)) => format!(" from {} to {}", clock.moment(since), clock.moment(until)),
        (None, Some(until)) => format!(" until {}", clock.moment(until)),
        (None, None) => String::new(),
    };
    let is_before = history.until.is_some_and(|until| until < history.first);
    if told == 0 && (history.entries.is_empty() || is_before) {
        // Nobody looked: that is no sameness.
        let found = format!("not recorded{span} (the last recording was {last}): what changed is not known");
        return (found, String::new());
    }
    let recordings = count(history.entries.len(), "recording");
    if told == 0 {
        let seen = if history.secrets.is_empty() { "" } else { " seen" };
        return (format!("no change{seen}{of} in {recordings}{span}"), format!(", the last {last}"));
    }
    let newest = match history.reach {
        Reach::Whole => "",
        Reach::Newest => "the newest ",
    };
    (format!("{newest}{}{of}", count(told, "change")), format!(" in {recordings}{span}, the last {last}"))
}

/// `1 change`, `2 changes`.
pub(super) fn count(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

#[cfg(test)]
mod tests;
