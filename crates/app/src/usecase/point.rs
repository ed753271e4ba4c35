//! Points of a timeline as people write them after `@`, and ages as people read them. Opens no store; clock and
//! time zone are handed in.

use jiff::tz::TimeZone;
use parallax_engine::compare::show::short_text;
use parallax_model::Timestamp;

use super::when::parse_time;
use crate::error::AppError;

/// The least that is taken as the beginning of a hash.
const FEWEST_DIGITS: usize = 4;

/// Which recording of an environment is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Point {
    /// The last one captured until a time.
    Time {
        /// That time.
        at: Timestamp,
        /// What was written, where it could be the beginning of a hash, too.
        digits: Option<String>,
    },
    /// The one whose content's hash begins so, in lower case.
    Digits(String),
    /// The last one that was found good.
    Good,
}

impl Point {
    /// Reads what stands after `@`. What reads as a time is one, whatever hash begins so.
    ///
    /// # Errors
    /// Where it is no point, with what may stand there.
    pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Self, AppError> {
        match text {
            "good" => return Ok(Self::Good),
            "declared" => {
                let what = "`@declared` is not in this version: only what was observed can be named";
                return Err(AppError::usage(what));
            }
            _ => {}
        }
        let digits = (text.len() >= FEWEST_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| text.to_ascii_lowercase());
        match (parse_time(text, now, zone), digits) {
            (Ok(at), _) if at > now => Err(AppError::usage(format!("`@{text}` is still to come"))
                .hint(format!("it is {} now", local(now, zone)))),
            (Ok(at), digits) => Ok(Self::Time { at, digits }),
            (Err(_), Some(digits)) => Ok(Self::Digits(digits)),
            (Err(_), None) => Err(AppError::usage(format!("`@{}` is no point in time", short_text(text)))
                .hint("after @ stands how long ago (90s, 45m, 2h, 3d, 1w2d), a time (2026-11-19, 2026-11-19T03:00, or with Z), `yesterday`, `good`, or the first digits (4 at least) of a snapshot's hash")),
        }
    }
}

/// How long ago, in the largest unit that says enough: `40 s ago`, `2 h ago`, `3 d ago`; nothing for what is
/// still to come by this clock.
#[must_use]
pub fn ago(then: Timestamp, now: Timestamp) -> Option<String> {
    Some(match now.duration_since(then).as_secs() {
        s if s < 0 => return None,
        s if s < 90 => format!("{s} s ago"),
        s if s < 5400 => format!("{} min ago", s / 60),
        s if s < 129_600 => format!("{} h ago", s / 3600),
        s => format!("{} d ago", s / 86_400),
    })
}

/// `3 d ago (2026-11-18 07:10)`
#[must_use]
pub fn told(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let at = local(then, zone);
    ago(then, now).map_or_else(|| at.clone(), |ago| format!("{ago} ({at})"))
}

fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday, half past midnight in Berlin.
    const NOW: &str = "2026-11-20T23:30:00Z";

    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let got = match Point::parse(text, NOW.parse().unwrap(), &berlin()) {
            Ok(Point::Time { at, digits: None }) => at.to_string(),
            Ok(Point::Time { at, digits: Some(digits) }) => format!("{at} or {digits}"),
            Ok(Point::Digits(digits)) => format!("#{digits}"),
            Ok(Point::Good) => "good".to_owned(),
            Err(error) => format!("{error}").lines().next().unwrap().to_owned(),
        };
        assert_eq!(got, expected, "{text:?}");
    }

    #[test]
    fn points() {
        check("90s", "2026-11-20T23:28:30Z");
        check("45m", "2026-11-20T22:45:00Z");
        check("2h", "2026-11-20T21:30:00Z");
        check("3d", "2026-11-17T23:30:00Z");
        check("1w", "2026-11-13T23:30:00Z");
        check("1w2d", "2026-11-11T23:30:00Z");
        check("2026-11-19T03:00Z", "2026-11-19T03:00:00Z");
        check("2026-11-19T03:00", "2026-11-19T02:00:00Z");
        check("2026-11-19", "2026-11-18T23:00:00Z");
        check("yesterday", "2026-11-19T23:00:00Z");
        check("good", "good");
        check("4f2a91", "#4f2a91");
        check("4F2A", "#4f2a");
        check("beef", "#beef");
        check("12ab", "#12ab");
        // A duration is tried before a hash.
        check("1234d", "2023-07-05T22:30:00Z or 1234d");
        check("12d", "2026-11-08T23:30:00Z");
        check(&"a".repeat(64), &format!("#{}", "a".repeat(64)));
    }

    #[test]
    fn what_is_no_point() {
        check("declared", "error: `@declared` is not in this version: only what was observed can be named");
        check("2026-11-22", "error: `@2026-11-22` is still to come");
        for text in ["2x", "", "4f2", "tomorrow", "Good ", "4f2g", "2h3"] {
            check(text, &format!("error: `@{text}` is no point in time"));
        }
        check("\u{1b}[2J", "error: `@\\u{1b}[2J` is no point in time");
        let long = Point::parse(&"x".repeat(100_000), NOW.parse().unwrap(), &berlin()).unwrap_err();
        assert!(long.message.len() < 300, "{}", long.message.len());
    }

    #[test]
    fn ages() {
        let now = 1_800_000_000;
        let check = |seconds: i64, expected: &str| {
            let [then, now] = [now - seconds, now].map(|at| Timestamp::from_second(at).unwrap());
            assert_eq!(told(then, now, &berlin()), expected);
        };
        check(0, "0 s ago (2027-01-15 09:00)");
        check(89, "89 s ago (2027-01-15 08:58)");
        check(120, "2 min ago (2027-01-15 08:58)");
        check(7200, "2 h ago (2027-01-15 07:00)");
        check(200_000, "2 d ago (2027-01-13 01:26)");
        check(-60, "2027-01-15 09:01");
    }
}
