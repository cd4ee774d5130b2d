//! Days and times of a clock that counts seconds since 1970.

use std::fmt;

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: i64,
    month: i64,
    day: i64,
}

/// A time zone, as minutes east of Greenwich.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset(i64);

impl Date {
    /// Returns the day of a second in a time zone.
    ///
    /// After Howard Hinnant's `civil_from_days`
    /// (<https://howardhinnant.github.io/date_algorithms.html>): years begin in March, so that the
    /// day of a leap year comes last.
    pub fn of(second: i64, offset: Offset) -> Self {
        let days = (second + offset.0 * 60).div_euclid(86_400) + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * from_march + 2) / 5 + 1,
        }
    }

    /// Parses a day, such as `2026-02-03`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-').map(|part| {
            let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse::<i64>().ok()).flatten()
        });
        let date = Self { year: parts.next()??, month: parts.next()??, day: parts.next()?? };
        let is_whole = parts.next().is_none() && date.to_string() == text;
        (is_whole && date.exists()).then_some(date)
    }

    fn exists(self) -> bool {
        let is_leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let last = match self.month {
            2 => 28 + i64::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        (1..=last).contains(&self.day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Offset {
    /// Parses a time zone, such as `+02:00` or `Z`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "Z" {
            return Some(Self(0));
        }
        let (sign, rest) = match text.as_bytes().first()? {
            b'+' => (1, &text[1..]),
            b'-' => (-1, &text[1..]),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':')?;
        let number = |text: &str, most: i64| {
            let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<i64>().ok()).flatten().filter(|number| *number <= most)
        };
        Some(Self(sign * (number(hours, 14)? * 60 + number(minutes, 59)?)))
    }

    /// Returns the time of a second, such as `14:05`.
    pub fn time(self, second: i64) -> String {
        let minute = (second + self.0 * 60).rem_euclid(86_400) / 60;
        format!("{:02}:{:02}", minute / 60, minute % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(text: &str) -> Offset {
        Offset::parse(text).expect(text)
    }

    #[test]
    fn second_has_a_day_and_a_time() {
        for (second, zone, date, time) in [
            (0, "Z", "1970-01-01", "00:00"),
            (-1, "+00:00", "1969-12-31", "23:59"),
            (1_709_164_799, "Z", "2024-02-28", "23:59"),
            (1_709_164_800, "Z", "2024-02-29", "00:00"),
            (1_709_164_799, "+01:00", "2024-02-29", "00:59"),
            (1_735_689_600, "-03:30", "2024-12-31", "20:30"),
            (4_102_444_799, "+05:45", "2100-01-01", "05:44"),
        ] {
            let offset = offset(zone);
            assert_eq!(Date::of(second, offset).to_string(), date, "{second} {zone}");
            assert_eq!(offset.time(second), time, "{second} {zone}");
        }
    }

    #[test]
    fn only_days_of_the_calendar_are_parsed() {
        for text in ["2024-02-29", "2000-02-29", "2026-12-31"] {
            assert_eq!(Date::parse(text).map(|date| date.to_string()).as_deref(), Some(text));
        }
        for text in
            ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "x", "", "../x"]
        {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        assert!(
            ["+1:00", "2:00", "+15:00", "+00:60", "", "é"]
                .iter()
                .all(|text| Offset::parse(text).is_none())
        );
    }
}
