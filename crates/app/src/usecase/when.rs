//! Points in time as people write them: `2h`, `yesterday`, `2026-11-19 03:00`. Pure: clock and time zone are
//! handed in.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use parallax_engine::compare::show::short_text;

use crate::error::AppError;

/// Reads a point in time:
///
/// - a duration before now: `2h`, `90m`, `3d`, `1w`, `1d12h`, `2 hours ago`. Days and longer are days of the calendar:
///   `1d` is this time of day, yesterday;
/// - `now`, `today`, `yesterday`, or a day of the week (the last before today): their first moment;
/// - a date, `2026-11-19` (its first moment), or with a time, `2026-11-19T03:00` or `2026-11-19 03:00`, in the zone;
/// - a time, `03:00`: the last time that it was that late;
/// - RFC 3339: `2026-11-19T03:00:00Z`, `2026-11-19T03:00+01:00`.
///
/// # Errors
/// Where the text is none of these.
pub fn parse_time(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, AppError> {
    let text = text.trim();
    let today = now.to_zoned(zone.clone());
    let found = named(text, &today)
        .or_else(|| text.parse::<Zoned>().ok().map(|zoned| zoned.timestamp()))
        .or_else(|| text.parse::<Timestamp>().ok())
        .or_else(|| civil(text, &today))
        .or_else(|| before(text, &today));
    found.ok_or_else(|| {
        AppError::usage(format!("`{}` is not a point in time", short_text(text)))
            .hint("write how long ago (2h, 3d, 1w), a date or date and time (2026-11-19, 2026-11-19T03:00, or with Z), or `yesterday`")
    })
}

fn named(text: &str, now: &Zoned) -> Option<Timestamp> {
    let text = text.to_ascii_lowercase();
    let first_of = |date: Date| Some(date.to_zoned(now.time_zone().clone()).ok()?.timestamp());
    match text.as_str() {
        "now" => Some(now.timestamp()),
        "today" => first_of(now.date()),
        "yesterday" => first_of(now.date().yesterday().ok()?),
        other => first_of(now.date().nth_weekday(-1, weekday(other)?).ok()?),
    }
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

/// Dates and times of the zone.
fn civil(text: &str, now: &Zoned) -> Option<Timestamp> {
    let zoned = |at: DateTime| Some(at.to_zoned(now.time_zone().clone()).ok()?.timestamp());
    if let Ok(date_time) = text.parse::<DateTime>() {
        // A date alone is read as its midnight, which not every day has.
        let has_time = text.contains(':') || text.contains(['T', 't', ' ']);
        return if has_time {
            zoned(date_time)
        } else {
            Some(date_time.date().to_zoned(now.time_zone().clone()).ok()?.timestamp())
        };
    }
    // `T03` and `0300` are times to the standard, but not to people.
    let time = text.parse::<Time>().ok().filter(|_| text.contains(':'))?;
    let today = zoned(now.date().to_datetime(time))?;
    if today <= now.timestamp() { Some(today) } else { zoned(now.date().yesterday().ok()?.to_datetime(time)) }
}

/// A duration before now. `2h`, `-2h` and `2h ago` say the same; what lies ahead is none.
fn before(text: &str, now: &Zoned) -> Option<Timestamp> {
    let span: Span = text.parse().ok().filter(|_| !text.starts_with('+'))?;
    Some(now.checked_sub(span.abs()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday, half past midnight in Berlin, where the clocks went back on 25 October.
    const NOW: &str = "2026-11-20T23:30:00Z";

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let got = parse_time(text, NOW.parse().unwrap(), &zone).ok().map(|at| at.to_string());
        assert_eq!(got.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn durations_ago() {
        check("2h", Some("2026-11-20T21:30:00Z"));
        check(" 90m ", Some("2026-11-20T22:00:00Z"));
        check("2 hours ago", Some("2026-11-20T21:30:00Z"));
        check("-2h", Some("2026-11-20T21:30:00Z"));
        check("PT2H", Some("2026-11-20T21:30:00Z"));
        check("1d12h", Some("2026-11-19T11:30:00Z"));
        check("3d", Some("2026-11-17T23:30:00Z"));
        check("1w", Some("2026-11-13T23:30:00Z"));
        // A day of the calendar: it was half past midnight of that day in summer time.
        check("30d", Some("2026-10-21T22:30:00Z"));
        check("1mo", Some("2026-10-20T22:30:00Z"));
        check("1y", Some("2025-11-20T23:30:00Z"));
        check("0s", Some(NOW));
    }

    #[test]
    fn names_dates_and_times_of_the_zone() {
        check("now", Some(NOW));
        check("today", Some("2026-11-20T23:00:00Z"));
        check("Yesterday", Some("2026-11-19T23:00:00Z"));
        check("tuesday", Some("2026-11-16T23:00:00Z"));
        check("saturday", Some("2026-11-13T23:00:00Z"));
        check("2026-11-19", Some("2026-11-18T23:00:00Z"));
        check("2026-07-01", Some("2026-06-30T22:00:00Z"));
        check("2026-11-19T03:00", Some("2026-11-19T02:00:00Z"));
        check("2026-11-19 03:00:30", Some("2026-11-19T02:00:30Z"));
        check("00:10", Some("2026-11-20T23:10:00Z"));
        check("23:00", Some("2026-11-20T22:00:00Z"));
    }

    #[test]
    fn moments_that_say_their_own_zone() {
        check("2026-11-19T03:00Z", Some("2026-11-19T03:00:00Z"));
        check("2026-11-19T03:00:00.5+05:30", Some("2026-11-18T21:30:00.5Z"));
        check("2026-11-19 03:00:00-01:00", Some("2026-11-19T04:00:00Z"));
        check("2026-11-19T03:00[UTC]", Some("2026-11-19T03:00:00Z"));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            " ",
            "5",
            "h",
            "2x",
            "+2h",
            "2h3",
            "tomorrow",
            "4f2a91",
            "good",
            "2026-13-01",
            "2026-02-30",
            "2026-11-19T25:00",
            "T03",
            "0300",
            "12",
            "99999999999999999999w",
            "99999y",
            "\u{1b}[2J",
            "２h",
            "1e9d",
        ] {
            check(text, None);
        }
        check(&"9".repeat(100_000), None);
        check(&"1h".repeat(100_000), None);
    }
}
