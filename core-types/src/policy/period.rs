//! Times as people write them: `90s`, `1h 30m`, `7d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::serde_as_text;

/// A length of time, longer than nothing: whole numbers of seconds, minutes, hours, days and weeks,
/// such as `90s`, `30m`, `1h 30m`, `7d` or `2w`. It is at most a hundred years.
///
/// ```
/// use std::time::Duration;
///
/// let period: core_types::Period = "2d".parse()?;
/// assert_eq!(period.duration(), Duration::from_secs(172_800));
/// # Ok::<(), core_types::PeriodError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(u64);

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a length of time; write `90s`, `30m`, `1h` or `2d`", text.escape_debug())]
pub struct PeriodError {
    /// The text.
    pub text: String,
}

/// The units, from the largest on, with how many seconds each has.
const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
/// The longest time, in seconds: a century, so that a moment so far off is still a date.
const MAX_SECONDS: u64 = 100 * 366 * 86_400;

impl Period {
    /// Makes one of so many seconds, for a time that is known to be one.
    pub(crate) fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Returns the same as a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

fn seconds(part: &str) -> Option<u64> {
    let unit = part.chars().next_back()?;
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number = &part[..part.len() - unit.len_utf8()];
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<u64>().ok().filter(|_| is_number)?.checked_mul(*seconds)
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let sum =
            text.split_whitespace().try_fold(0_u64, |sum, part| sum.checked_add(seconds(part)?));
        let valid = sum.filter(|sum| (1..=MAX_SECONDS).contains(sum));
        valid.map(Self).ok_or_else(|| PeriodError { text: text.to_owned() })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut parts = Vec::new();
        for (unit, seconds) in UNITS {
            if rest >= seconds {
                parts.push(format!("{}{unit}", rest / seconds));
                rest %= seconds;
            }
        }
        f.write_str(&parts.join(" "))
    }
}

serde_as_text!(Period);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1_800),
            ("1h", 3_600),
            ("1h 30m", 5_400),
            ("2d", 172_800),
            ("1w", 604_800),
        ] {
            assert_eq!(text.parse(), Ok(Period(seconds)), "{text}");
        }
        for text in
            ["", "0s", "-1h", "+1h", "soon", "1", "h", "1.5h", "99999999999d", "1ü", "200w 6000w"]
        {
            assert!(text.parse::<Period>().is_err(), "{text:?}");
        }
    }

    proptest! {
        /// Printing then parsing is the identity.
        #[test]
        fn printed_text_parses_back(seconds in 1..=MAX_SECONDS) {
            prop_assert_eq!(Period(seconds).to_string().parse(), Ok(Period(seconds)));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Period>();
        }
    }
}
