//! The budget of one extension: how much of a minute it may use.

use std::time::Duration;

use core_types::BootTime;

/// The number of deliveries in a minute: two a second, which no person notices as a rate.
pub const MAX_DELIVERIES: u32 = 120;
/// The fuel of a minute, in multiples of the most that one call may use.
pub const MAX_FUEL_TIMES: u64 = 10;
/// The window that is counted.
const WINDOW: Duration = Duration::from_secs(60);

/// The deliveries and the fuel of the current minute. A minute begins with its first delivery.
///
/// ```
/// use core_types::BootTime;
/// use extension_session::{Budget, MAX_DELIVERIES};
///
/// let now = BootTime::default();
/// let mut budget = Budget::default();
/// for _ in 0..MAX_DELIVERIES {
///     assert_eq!(budget.open_at(1_000, now), None, "there is some left");
///     budget.begin(now);
/// }
/// assert_eq!(budget.open_at(1_000, now), Some(now.after(std::time::Duration::from_secs(60))));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Budget {
    began: Option<BootTime>,
    deliveries: u32,
    fuel: u64,
}

impl Budget {
    /// Returns the moment from which the extension may have another delivery; nothing if it may
    /// have one now.
    pub fn open_at(&self, max_fuel: u64, now: BootTime) -> Option<BootTime> {
        let end = self.began?.after(WINDOW);
        let is_spent = self.deliveries >= MAX_DELIVERIES
            || self.fuel >= max_fuel.saturating_mul(MAX_FUEL_TIMES);
        (now < end && is_spent).then_some(end)
    }

    /// Counts a delivery that begins.
    pub fn begin(&mut self, now: BootTime) {
        if self.began.is_none_or(|began| now.since(began) >= WINDOW) {
            *self = Self { began: Some(now), ..Self::default() };
        }
        self.deliveries += 1;
    }

    /// Counts the fuel of a delivery that ended.
    pub fn spend(&mut self, fuel: u64) {
        self.fuel = self.fuel.saturating_add(fuel);
    }

    /// Returns the number of deliveries of the current minute.
    pub fn deliveries(&self, now: BootTime) -> u32 {
        let is_current = self.began.is_some_and(|began| now.since(began) < WINDOW);
        if is_current { self.deliveries } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use core_types::BootTime;

    use super::{Budget, MAX_DELIVERIES};

    /// A guest that burns its fuel waits for the next minute, and then begins anew.
    #[test]
    fn spent_fuel_waits_for_minute() {
        let now = BootTime::default();
        let mut budget = Budget::default();
        budget.begin(now);
        budget.spend(10_000);
        let next = now.after(Duration::from_secs(60));
        assert_eq!(budget.open_at(1_000, now), Some(next));
        assert_eq!(budget.open_at(1_000, next), None);
        budget.begin(next);
        assert_eq!((budget.deliveries(next), budget.open_at(1_000, next)), (1, None));
    }

    #[test]
    fn minute_begins_with_delivery() {
        let mut budget = Budget::default();
        let late = BootTime::since_boot(Duration::from_secs(1_000));
        for _ in 0..MAX_DELIVERIES {
            budget.begin(late);
        }
        assert_eq!(budget.open_at(1, late), Some(late.after(Duration::from_secs(60))));
    }
}
