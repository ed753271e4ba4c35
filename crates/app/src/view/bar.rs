//! A bar of when: a span of time across a line, how much changed where, when was looked, and what the places are called.
//! Pure, and the same without colour; it is only text.

use jiff::civil::DateTime;
use jiff::{Span, Timestamp, Zoned};

use super::Clock;

/// What is drawn.
#[derive(Debug, Clone)]
pub struct BarOf<'a> {
    /// Where the span begins.
    pub from: Timestamp,
    /// Where it ends.
    pub to: Timestamp,
    /// The columns that it has.
    pub width: usize,
    /// When something changed, once for each change.
    pub changes: &'a [Timestamp],
    /// When was looked.
    pub recordings: &'a [(Timestamp, Mark)],
}

/// What a recording is marked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It was made.
    Recorded,
    /// It was found good.
    Good,
}

/// The bar: three lines of the same width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// How much changed: ` ▁▂▃▅█`. Each step is many times the one before, so that few stay visible beside many.
    pub changes: String,
    /// `·` where was looked, `✓` where that was found good.
    pub recordings: String,
    /// What the places are called; the corner before a label stands at its time.
    pub axis: String,
}

/// The blocks, from nothing to most.
const BLOCKS: [char; 6] = [' ', '▁', '▂', '▃', '▅', '█'];
/// How many columns a label between the ends wants.
const LABEL: i64 = 9;
/// The corner before a label.
const CORNER: char = '╵';

/// Draws the bar; `None` where the span is too short, or the line, to tell one place from another.
#[must_use]
pub fn bar(of: &BarOf<'_>, clock: &Clock) -> Option<Bar> {
    if of.width < 20 || of.to <= of.from {
        return None;
    }
    let mut counts = vec![0_usize; of.width];
    for time in of.changes {
        if let Some(count) = counts.get_mut(column(of, *time)) {
            *count += 1;
        }
    }
    let mut marks = vec![None; of.width];
    for (time, mark) in of.recordings {
        if let Some(slot) = marks.get_mut(column(of, *time)) {
            *slot = (*slot).max(Some(*mark));
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    let marks = marks.into_iter().map(|mark| match mark {
        None => ' ',
        Some(Mark::Recorded) => '·',
        Some(Mark::Good) => '✓',
    });
    Some(Bar {
        changes: counts.into_iter().map(|count| block(count, most)).collect(),
        recordings: marks.collect(),
        axis: axis(of, clock),
    })
}

/// The column of a time; what lies outside is drawn at the end that is nearer.
fn column(of: &BarOf<'_>, time: Timestamp) -> usize {
    let (from, to) = (i128::from(of.from.as_microsecond()), i128::from(of.to.as_microsecond()));
    let last = i128::try_from(of.width.saturating_sub(1)).unwrap_or_default();
    let at = (i128::from(time.as_microsecond()) - from) * last / (to - from).max(1);
    usize::try_from(at.clamp(0, last)).unwrap_or_default()
}

/// The block for a count, by powers of two; one change can be seen beside a thousand.
fn block(count: usize, most: usize) -> char {
    let (Some(bits), Some(all)) = (count.checked_ilog2(), most.checked_ilog2()) else { return ' ' };
    let step = 1 + (bits * 4).checked_div(all).unwrap_or_default();
    usize::try_from(step).ok().and_then(|step| BLOCKS.get(step)).copied().unwrap_or('█')
}

/// Both ends, then what is round between them, as far as there is room.
fn axis(of: &BarOf<'_>, clock: &Clock) -> String {
    let mut line = vec![' '; of.width];
    let (from, to) = (clock.at(of.from), clock.at(of.to));
    let step = Step::of(of);
    put(&mut line, 0, &format!("{CORNER}{}", step.end(&from)));
    let last = if of.to == clock.now { format!("now{CORNER}") } else { format!("{}{CORNER}", step.end(&to)) };
    put(&mut line, of.width.saturating_sub(last.chars().count()), &last);
    let mut tick = step.first(&from);
    for _ in 0..of.width {
        let Some(time) = tick.to_zoned(from.time_zone().clone()).ok().filter(|time| *time < to) else {
            break;
        };
        if time > from {
            put(&mut line, column(of, time.timestamp()), &format!("{CORNER}{}", step.label(tick)));
        }
        let Some(next) = step.after(tick) else { break };
        tick = next;
    }
    line.into_iter().collect()
}

/// Writes a label where nothing stands yet, nor right beside.
fn put(line: &mut [char], at: usize, label: &str) {
    let end = at + label.chars().count();
    let around = line.get(at.saturating_sub(1)..(end + 1).min(line.len()));
    if end <= line.len() && around.is_some_and(|around| around.iter().all(|c| *c == ' ')) {
        line.iter_mut().skip(at).zip(label.chars()).for_each(|(slot, c)| *slot = c);
    }
}

/// How far labels are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Minutes(i64),
    Days(i64),
    Months(i64),
}

impl Step {
    const ALL: [Self; 20] = [
        Self::Minutes(1),
        Self::Minutes(5),
        Self::Minutes(10),
        Self::Minutes(30),
        Self::Minutes(60),
        Self::Minutes(120),
        Self::Minutes(180),
        Self::Minutes(360),
        Self::Minutes(720),
        Self::Days(1),
        Self::Days(2),
        Self::Days(7),
        Self::Months(1),
        Self::Months(3),
        Self::Months(6),
        Self::Months(12),
        Self::Months(60),
        Self::Months(120),
        Self::Months(600),
        Self::Months(1200),
    ];

    /// The shortest whose labels have room.
    fn of(of: &BarOf<'_>) -> Self {
        let seconds = of.to.duration_since(of.from).as_secs();
        let columns = i64::try_from(of.width).unwrap_or(LABEL);
        let has_room = |step: &&Self| {
            i128::from(step.seconds()) * i128::from(columns) >= i128::from(LABEL) * i128::from(seconds)
        };
        Self::ALL.iter().find(has_room).copied().unwrap_or(Self::Months(1200))
    }

    fn seconds(self) -> i64 {
        match self {
            Self::Minutes(n) => n * 60,
            Self::Days(n) => n * 86_400,
            Self::Months(n) => n * 2_629_800,
        }
    }

    /// The last round time that is not after the beginning.
    fn first(self, from: &Zoned) -> DateTime {
        let day = from.date();
        match self {
            Self::Minutes(_) | Self::Days(_) => day.to_datetime(jiff::civil::Time::midnight()),
            Self::Months(1) => day.first_of_month().to_datetime(jiff::civil::Time::midnight()),
            Self::Months(_) => day.first_of_year().to_datetime(jiff::civil::Time::midnight()),
        }
    }

    fn after(self, tick: DateTime) -> Option<DateTime> {
        let span = Span::new();
        let span = match self {
            Self::Minutes(n) => span.try_minutes(n),
            Self::Days(n) => span.try_days(n),
            Self::Months(n) => span.try_months(n),
        };
        tick.checked_add(span.ok()?).ok()
    }

    /// A place between the ends.
    fn label(self, tick: DateTime) -> String {
        let is_midnight = tick.hour() == 0 && tick.minute() == 0;
        let form = match self {
            Self::Minutes(_) if !is_midnight => "%H:%M",
            Self::Minutes(_) | Self::Days(_) => "%b %-d",
            Self::Months(n) if n < 12 && tick.month() != 1 => "%b",
            Self::Months(_) => "%Y",
        };
        tick.strftime(form).to_string()
    }

    /// An end, as exactly as it matters.
    fn end(self, time: &Zoned) -> String {
        let form = match self {
            Self::Minutes(_) => "%b %-d %H:%M",
            Self::Days(_) => "%b %-d",
            Self::Months(_) => "%Y-%m-%d",
        };
        time.strftime(form).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn drawn(from: &str, to: &str, changes: &[&str], recordings: &[(&str, Mark)], width: usize) -> String {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let changes: Vec<Timestamp> = changes.iter().map(|text| at(text)).collect();
        let recordings: Vec<(Timestamp, Mark)> =
            recordings.iter().map(|(text, mark)| (at(text), *mark)).collect();
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let clock = Clock { now: at("2026-11-21T03:00Z"), zone };
        let of = BarOf { from: at(from), to: at(to), width, changes: &changes, recordings: &recordings };
        let Some(bar) = bar(&of, &clock) else { return "none".to_owned() };
        for line in [&bar.changes, &bar.recordings, &bar.axis] {
            assert_eq!(line.chars().count(), width);
        }
        format!("|{}|\n|{}|\n|{}|", bar.changes, bar.recordings, bar.axis)
    }

    #[test]
    fn a_week_a_night_and_a_year() {
        let many = vec!["2026-11-19T12:00Z"; 200];
        let changes: Vec<&str> =
            ["2026-11-15T10:00Z", "2026-11-21T02:00Z", "2026-11-21T02:10Z"].into_iter().chain(many).collect();
        let looked = [
            ("2026-11-14T08:00Z", Mark::Recorded),
            ("2026-11-17T08:00Z", Mark::Good),
            ("2026-11-17T09:00Z", Mark::Recorded),
            ("2026-11-21T02:10Z", Mark::Recorded),
        ];
        let bars = [
            drawn("2026-11-14T08:00Z", "2026-11-21T03:00Z", &changes, &looked, 70),
            drawn("2026-11-20T20:00Z", "2026-11-21T03:00Z", &changes, &looked, 70),
            drawn("2026-11-21T02:00Z", "2026-11-21T02:20Z", &changes, &looked, 70),
            drawn("2025-09-10T08:00Z", "2026-11-01T03:00Z", &changes, &looked, 90),
        ];
        insta::assert_snapshot!(bars.join("\n\n"));
    }

    #[test]
    fn what_cannot_be_drawn_and_what_is_huge() {
        assert_eq!(drawn("2026-11-14T08:00Z", "2026-11-14T08:00Z", &[], &[], 70), "none");
        assert_eq!(drawn("2026-11-14T08:00Z", "2026-11-13T08:00Z", &[], &[], 70), "none");
        assert_eq!(drawn("2026-11-14T08:00Z", "2026-11-15T08:00Z", &[], &[], 10), "none");
        let ends = [("-009999-01-03T00:00Z", Mark::Good), ("9999-12-30T00:00Z", Mark::Good)];
        let all = drawn("-009999-01-03T00:00Z", "9999-12-30T00:00Z", &["2026-11-14T08:00Z"], &ends, 5000);
        assert!(all.contains('✓'));
        drawn("2026-11-14T08:00:00Z", "2026-11-14T08:00:00.000001Z", &["2026-11-14T08:00Z"], &[], 60);
    }

    #[test]
    fn one_is_seen_beside_many() {
        let row =
            |most: usize| [0, 1, 2, 10, 200, 1000].map(|count| block(count, most)).iter().collect::<String>();
        assert_eq!(row(1000), " ▁▁▂▅█");
        assert_eq!(block(1, 1), '▁');
        assert_eq!(block(0, 0), ' ');
        assert_eq!(block(3, 5), '▃');
        assert_eq!(block(usize::MAX, usize::MAX), '█');
    }
}
