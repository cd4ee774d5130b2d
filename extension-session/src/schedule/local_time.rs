//! Times of day as instants, on days that have an hour more or less.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Zoned};

/// Returns the first moment of a local time: where a clock shows it twice, the first; where it is
/// skipped, the moment after the gap.
///
/// ```
/// use extension_session::first_moment;
/// use jiff::{civil, tz::TimeZone};
///
/// let noon = civil::date(2026, 3, 29).at(12, 0, 0, 0);
/// let moment = first_moment(noon, &TimeZone::UTC).expect("in range");
/// assert_eq!(moment.to_string(), "2026-03-29T12:00:00+00:00[UTC]");
/// ```
pub fn first_moment(local: DateTime, zone: &TimeZone) -> Option<Zoned> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let moment = match ambiguous.offset() {
        AmbiguousOffset::Gap { after, .. } => {
            // With the offset from after the gap it lies before the gap, whose end is the next
            // transition.
            let before = after.to_timestamp(local).ok()?;
            end_of_gap(zone, before).or_else(|| ambiguous.compatible().ok())?
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            ambiguous.compatible().ok()?
        }
    };
    Some(moment.to_zoned(zone.clone()))
}

fn end_of_gap(zone: &TimeZone, before: Timestamp) -> Option<Timestamp> {
    zone.following(before).next().map(|transition| transition.timestamp())
}
