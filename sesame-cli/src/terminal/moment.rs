//! Times, as a person reads them: how long ago, and how long a grant holds.

use core_types::BootTime;
use jiff::Timestamp;

/// Units of time with their lengths in seconds, the longest first. Months and years are those of
/// the calendar on average.
const UNITS: [(i64, &str); 6] = [
    (31_556_952, "year"),
    (2_629_746, "month"),
    (604_800, "week"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
];

/// Formats the age of a time, such as `2 hours ago`. A time in the future, as after a clock was set
/// back, is written out.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    if seconds < 0 {
        return rfc3339(at);
    }
    match UNITS.iter().find(|(length, _)| seconds >= *length) {
        Some((length, unit)) => {
            let count = seconds / length;
            format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
        }
        None => "just now".to_owned(),
    }
}

/// Formats a time to the second in RFC 3339, in UTC.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Describes the remaining time for people. Without an end of its own, it is the session's.
pub fn remaining(until: Option<BootTime>, now: BootTime) -> String {
    let Some(until) = until else { return "until you log out".to_owned() };
    let seconds = until.since(now).as_secs_f64().round() as u64;
    match seconds {
        0..120 => format!("for {seconds} s"),
        120..7_200 => format!("for {} min", seconds.div_ceil(60)),
        _ => format!("for {} h", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ago_names_the_largest_unit() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        for (at, expected) in [
            ("2026-03-01T12:00:00Z", "just now"),
            ("2026-03-01T11:59:01Z", "just now"),
            ("2026-03-01T11:59:00Z", "1 minute ago"),
            ("2026-03-01T11:00:01Z", "59 minutes ago"),
            ("2026-03-01T10:00:00Z", "2 hours ago"),
            ("2026-02-27T12:00:00Z", "2 days ago"),
            ("2026-02-15T12:00:00Z", "2 weeks ago"),
            ("2025-12-01T12:00:00Z", "2 months ago"),
            ("2024-03-01T12:00:00Z", "1 year ago"),
            ("2026-03-01T12:00:01Z", "2026-03-01T12:00:01Z"),
        ] {
            assert_eq!(ago(at.parse().expect(at), now), expected, "{at}");
        }
    }
}
