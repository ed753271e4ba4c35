//! Times as people read them, in their own zone: a day, an interval between two sights, how long ago. The clock's reading and
//! the zone are handed in.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// What time it is, and where.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The clock's reading.
    pub now: Timestamp,
    /// The reader's zone.
    pub zone: TimeZone,
}

impl Clock {
    /// `Sat 2026-11-21`
    #[must_use]
    pub fn day(&self, time: Timestamp) -> String {
        self.at(time).strftime("%a %Y-%m-%d").to_string()
    }

    /// `2026-11-21 02:58`
    #[must_use]
    pub fn moment(&self, time: Timestamp) -> String {
        self.at(time).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// Between what two times, for a reader who knows the day of the later one: `02:40–02:58`, `Fri 22:40–02:58`, `11-02
    /// 22:40–02:58`. With seconds where the minutes are the same.
    #[must_use]
    pub fn interval(&self, after: Timestamp, not_after: Timestamp) -> String {
        let (from, to) = (self.at(after), self.at(not_after));
        let minute = |time: &Zoned| time.timestamp().as_second().div_euclid(60);
        if minute(&from) == minute(&to) {
            return format!("{}–{}", from.strftime("%H:%M:%S"), to.strftime("%H:%M:%S"));
        }
        let days = from.date().until(to.date()).map_or(i32::MAX, |span| span.get_days());
        let before = match days {
            0 => "",
            1..=6 => "%a ",
            _ if from.year() == to.year() => "%m-%d ",
            _ => "%Y-%m-%d ",
        };
        format!("{}–{}", from.strftime(&format!("{before}%H:%M")), to.strftime("%H:%M"))
    }

    /// A time that is exactly known: `02:58:13`.
    #[must_use]
    pub fn exactly(&self, time: Timestamp) -> String {
        self.at(time).strftime("%H:%M:%S").to_string()
    }

    /// How long ago, in the largest unit that says enough.
    #[must_use]
    pub fn ago(&self, then: Timestamp) -> String {
        let seconds = self.now.duration_since(then).as_secs();
        match seconds {
            s if s < 0 => self.moment(then),
            s if s < 90 => "now".to_owned(),
            s if s < 5400 => format!("{} min ago", s / 60),
            s if s < 129_600 => format!("{} h ago", s / 3600),
            s => format!("{} days ago", s / 86_400),
        }
    }

    /// The zone: `UTC+01:00`.
    #[must_use]
    pub fn zone(&self) -> String {
        let offset = self.at(self.now).strftime("%:z").to_string();
        if offset == "+00:00" { "UTC".to_owned() } else { format!("UTC{offset}") }
    }

    /// A time in the reader's zone.
    #[must_use]
    pub fn at(&self, time: Timestamp) -> Zoned {
        time.to_zoned(self.zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> Clock {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        Clock { now: "2026-11-21T02:10:00Z".parse().unwrap(), zone }
    }

    #[test]
    fn intervals() {
        let check = |after: &str, not_after: &str, expected: &str| {
            assert_eq!(clock().interval(after.parse().unwrap(), not_after.parse().unwrap()), expected);
        };
        check("2026-11-21T01:40Z", "2026-11-21T01:58Z", "02:40–02:58");
        check("2026-11-21T01:58:01Z", "2026-11-21T01:58:40Z", "02:58:01–02:58:40");
        check("2026-11-20T21:40Z", "2026-11-21T01:58Z", "Fri 22:40–02:58");
        check("2026-11-02T21:40Z", "2026-11-21T01:58Z", "11-02 22:40–02:58");
        check("2025-11-21T21:40Z", "2026-11-21T01:58Z", "2025-11-21 22:40–02:58");
        // A clock that went backwards, and the ends of time.
        check("2026-11-21T01:58Z", "2026-11-21T01:40Z", "02:58–02:40");
        let ends = clock().interval(Timestamp::MIN, Timestamp::MAX);
        assert_eq!(ends, "-9999-01-02 02:59–23:00");
    }

    #[test]
    fn days_moments_and_ages() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(clock().day(at("2026-11-20T23:30Z")), "Sat 2026-11-21");
        assert_eq!(clock().moment(at("2026-07-01T00:00Z")), "2026-07-01 02:00");
        assert_eq!(clock().exactly(at("2026-11-21T01:58:13Z")), "02:58:13");
        assert_eq!(clock().zone(), "UTC+01:00");
        assert_eq!(Clock { zone: TimeZone::UTC, ..clock() }.zone(), "UTC");
        for (then, expected) in [
            ("2026-11-21T02:09:00Z", "now"),
            ("2026-11-21T01:58:00Z", "12 min ago"),
            ("2026-11-20T22:10:00Z", "4 h ago"),
            ("2026-11-14T22:10:00Z", "6 days ago"),
            ("2026-11-22T22:10:00Z", "2026-11-22 23:10"),
        ] {
            assert_eq!(clock().ago(at(then)), expected);
        }
    }
}
