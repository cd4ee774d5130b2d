//! The budget of one call for writing files, counted over all that it opens.
//!
//! It is the only bound: a granted directory has the size of the disk, and writing costs a guest
//! next to no fuel.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use core_types::{EffectiveLimits, LimitName};
use rustix::fs::{AtFlags, StatxFlags, statx};

use super::over_limit::OverLimit;

/// The maximum and the count of written bytes. All clones count together.
#[derive(Clone)]
pub(crate) struct WriteBudget(Arc<Counts>);

struct Counts {
    max: u64,
    written: AtomicU64,
    ran_over: AtomicBool,
}

impl WriteBudget {
    /// Makes the budget of a call that begins.
    pub(crate) fn new(limits: &EffectiveLimits) -> Self {
        let max = limits.get(LimitName::Written).value.saturating_mul(1 << 20);
        Self(Arc::new(Counts { max, written: AtomicU64::new(0), ran_over: AtomicBool::new(false) }))
    }

    /// Counts bytes before they are written. Once they are refused, the call is over its limit.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), OverLimit> {
        let within = |written: u64| written.checked_add(bytes).filter(|sum| *sum <= self.0.max);
        match self.0.written.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within) {
            Ok(_) => Ok(()),
            Err(_) => {
                self.0.ran_over.store(true, Ordering::Relaxed);
                Err(OverLimit(LimitName::Written))
            }
        }
    }

    /// Returns the counted bytes.
    pub(crate) fn written(&self) -> u64 {
        self.0.written.load(Ordering::Relaxed)
    }

    /// Tells whether a write was refused.
    pub(crate) fn ran_over(&self) -> bool {
        self.0.ran_over.load(Ordering::Relaxed)
    }
}

/// Returns the bytes by which a file would grow if it reached this offset. Some file systems fill
/// such a hole.
///
/// The size is the kernel's last known one: a network file system that does not answer does not
/// block the call.
pub(crate) fn growth(file: &File, offset: u64) -> u64 {
    if offset == 0 {
        return 0;
    }
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let size = statx(file, "", flags, StatxFlags::SIZE).map_or(0, |status| status.stx_size);
    offset.saturating_sub(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core_types::parse_toml;

    #[test]
    fn budget_is_one_for_all_clones() {
        let limits = parse_toml("max_written_mib = 1").expect("limits").value;
        let budget = WriteBudget::new(&EffectiveLimits::new(&limits, &[]));
        let clone = budget.clone();
        assert!(
            budget.take(1 << 19).is_ok() && clone.take(1 << 19).is_ok() && clone.take(0).is_ok()
        );
        assert!(!clone.ran_over());
        assert!(budget.take(1).is_err() && clone.take(u64::MAX).is_err());
        assert!(clone.ran_over());
        assert_eq!(budget.written(), 1 << 20);
    }

    #[test]
    fn growth_lies_beyond_the_end() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(10).expect("set");
        assert_eq!(
            [0, 9, 10, 11, u64::MAX].map(|offset| growth(&file, offset)),
            [0, 0, 0, 1, u64::MAX - 10]
        );
    }
}
