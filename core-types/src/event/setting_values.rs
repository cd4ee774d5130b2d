//! The values of settings. Each refuses a value out of its range.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Unexpected, Visitor};

use crate::capability::GrantedPath;
use crate::policy::Period;

/// The most times of one day: one for each hour.
pub(crate) const MAX_TIMES: usize = 24;
/// The most paths of one extension: each is a watch of the kernel, which has few for each user.
pub(crate) const MAX_PATHS: usize = 16;
/// The most names of wireless networks, which a person writes by hand.
pub(crate) const MAX_SSIDS: usize = 64;
/// The longest interval, in seconds: a longer one is a date.
const MAX_INTERVAL: u64 = 30 * 86_400;
/// The longest name of a wireless network, in bytes, as 802.11 has it.
const MAX_SSID: usize = 32;
/// The longest name of a media player, in bytes: what its name on the bus leaves.
const MAX_PLAYER: usize = 128;

/// A time between two events: `1s` to `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(Period);

/// A time of the day in 24 hours: `08:30`.
///
/// ```
/// let time: core_types::event::TimeOfDay = "08:30".parse()?;
/// assert_eq!((time.hour(), time.minute()), (8, 30));
/// assert!("8:30".parse::<core_types::event::TimeOfDay>().is_err());
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weekday {
    /// `mon`
    Monday,
    /// `tue`
    Tuesday,
    /// `wed`
    Wednesday,
    /// `thu`
    Thursday,
    /// `fri`
    Friday,
    /// `sat`
    Saturday,
    /// `sun`
    Sunday,
}

/// A charge in percent: 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u8);

/// The name of a wireless network: 1 to 32 bytes of text without control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ssid(String);

/// The name of a media player on the bus, behind `org.mpris.MediaPlayer2.`: `mpv`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaPlayer(String);

/// A file or directory that is watched, absolute or below the home directory as `~/...`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchedPath(GrantedPath);

impl Interval {
    /// Returns the same as a duration.
    pub fn duration(self) -> Duration {
        self.0.duration()
    }
}

impl TimeOfDay {
    /// Returns the hour, 0 to 23.
    pub fn hour(self) -> u8 {
        self.hour
    }

    /// Returns the minute, 0 to 59.
    pub fn minute(self) -> u8 {
        self.minute
    }
}

impl Weekday {
    /// Every day, from Monday on.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// Returns its name in a manifest.
    pub fn name(self) -> &'static str {
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][self as usize]
    }
}

impl Percent {
    /// Returns the number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Ssid {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MediaPlayer {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl WatchedPath {
    /// Returns the path as one that `filesystem` can grant.
    pub fn as_granted(&self) -> &GrantedPath {
        &self.0
    }
}

/// A value that is written as text.
pub(super) trait TextValue: FromStr<Err = &'static str> {
    /// The texts that it can be, for errors.
    const EXPECTED: &'static str;
}

macro_rules! text_values {
    ($($type:ident: $expected:literal;)+) => {$(
        impl TextValue for $type {
            const EXPECTED: &'static str = $expected;
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor(PhantomData))
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}

text_values! {
    Interval: "a length of time as text, from `1s` to `30d`, such as `15m`";
    TimeOfDay: "a time of the day as `HH:MM`, such as `08:30`";
    Weekday: "a day: `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`";
    Ssid: "the name of a wireless network, of 1 to 32 bytes without control characters";
    MediaPlayer: "the name of a media player, such as `mpv`";
    WatchedPath: "an absolute path or one like `~/Documents`, without `..`";
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: TextValue> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl FromStr for Interval {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let period = text.parse::<Period>().map_err(|_| Self::EXPECTED)?;
        let fits = period.duration() <= Duration::from_secs(MAX_INTERVAL);
        fits.then_some(Self(period)).ok_or(Self::EXPECTED)
    }
}

impl FromStr for TimeOfDay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let &[h, hh, b':', m, mm] = text.as_bytes() else { return Err(Self::EXPECTED) };
        let number = |tens: u8, ones: u8| {
            let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
            is_number.then(|| (tens - b'0') * 10 + (ones - b'0'))
        };
        let hour = number(h, hh).filter(|hour| *hour < 24);
        let minute = number(m, mm).filter(|minute| *minute < 60);
        hour.zip(minute).map(|(hour, minute)| Self { hour, minute }).ok_or(Self::EXPECTED)
    }
}

impl FromStr for Weekday {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|day| day.name() == text).ok_or(Self::EXPECTED)
    }
}

impl FromStr for Ssid {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=MAX_SSID).contains(&text.len()) && !text.contains(char::is_control);
        fits.then(|| Self(text.to_owned())).ok_or(Self::EXPECTED)
    }
}

impl FromStr for MediaPlayer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let is_name = (1..=MAX_PLAYER).contains(&text.len()) && text.chars().all(fits);
        is_name.then(|| Self(text.to_owned())).ok_or(Self::EXPECTED)
    }
}

impl FromStr for WatchedPath {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.parse::<GrantedPath>().ok().filter(|path| path.guest().is_none());
        path.map(Self).ok_or(Self::EXPECTED)
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Ssid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for MediaPlayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for WatchedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(PercentVisitor)
    }
}

struct PercentVisitor;

impl Visitor<'_> for PercentVisitor {
    type Value = Percent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 to 100")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Percent, E> {
        let percent = u8::try_from(value).ok().filter(|percent| *percent <= 100);
        percent.map(Percent).ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }
}

impl serde::Serialize for Percent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

/// Several different values in their own order, at least one and at most so many.
pub(super) struct Several<T, const MAX: usize>(pub(super) Vec<T>);

impl<'de, T, const MAX: usize> Deserialize<'de> for Several<T, MAX>
where
    T: TextValue + Deserialize<'de> + Ord,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SeveralVisitor(PhantomData))
    }
}

struct SeveralVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T, const MAX: usize> Visitor<'de> for SeveralVisitor<T, MAX>
where
    T: TextValue + Deserialize<'de> + Ord,
{
    type Value = Several<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of 1 to {MAX}, each {}", T::EXPECTED)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            if let Err(at) = values.binary_search(&value) {
                values.insert(at, value);
            }
        }
        let count = values.len();
        if (1..=MAX).contains(&count) {
            return Ok(Several(values));
        }
        Err(de::Error::invalid_length(count, &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn intervals_have_a_range() {
        for text in ["1s", "15m", "1h 30m", "4w 2d"] {
            assert_eq!(text.parse::<Interval>().expect(text).to_string(), text);
        }
        assert!("30d".parse::<Interval>().is_ok());
        for text in ["0s", "900ms", "31d", "-1", "15", "", "30d 1s", "1000000000000d"] {
            assert!(text.parse::<Interval>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn times_have_two_digits_each() {
        for text in ["24:00", "25:00", "8:30", "08:60", "0830", "08:3", "+8:30", "08-30", "é:30"] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn printed_time_parses_back(hour in 0_u8..24, minute in 0_u8..60) {
            let time = TimeOfDay { hour, minute };
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Interval>();
            let _ = text.parse::<TimeOfDay>();
            let _ = text.parse::<Weekday>();
            let _ = text.parse::<Ssid>();
            let _ = text.parse::<MediaPlayer>();
            let _ = text.parse::<WatchedPath>();
        }
    }
}
