//! Memory, tables and instances of one call, counted over all of its instances.

use core_types::{EffectiveLimits, LimitName};
use wasmtime::ResourceLimiter;

/// The stack of a guest in bytes. With more, Rust guests overrun their own stack first, which looks
/// like any other memory error.
pub(crate) const STACK_BYTES: usize = 512 * 1024;

/// Counts the growth of a store. Wasmtime's own limits hold for each memory and table alone.
pub(crate) struct Limiter {
    memory: Account,
    table_elements: Account,
    instances: usize,
}

struct Account {
    used: usize,
    max: usize,
    refused: bool,
}

impl Limiter {
    pub(crate) fn new(limits: &EffectiveLimits) -> Self {
        let count = |name| usize::try_from(limits.get(name).value).unwrap_or(usize::MAX);
        Self {
            memory: Account::new(count(LimitName::Memory).saturating_mul(1 << 20)),
            table_elements: Account::new(count(LimitName::TableElements)),
            instances: count(LimitName::Instances),
        }
    }

    /// Returns the bytes of all memories. They never shrink, so that this is also the maximum.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory.used
    }

    /// Returns the elements of all tables, which never shrink either.
    pub(crate) fn table_elements(&self) -> usize {
        self.table_elements.used
    }

    /// Returns the limit at which the guest was refused memory or table elements.
    pub(crate) fn refused(&self) -> Option<LimitName> {
        let refused =
            [(&self.memory, LimitName::Memory), (&self.table_elements, LimitName::TableElements)];
        refused.into_iter().find_map(|(account, name)| account.refused.then_some(name))
    }
}

impl Account {
    fn new(max: usize) -> Self {
        Self { used: 0, max, refused: false }
    }

    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let used = self.used.saturating_sub(current).saturating_add(desired);
        if used > self.max {
            self.refused = true;
            return false;
        }
        self.used = used;
        true
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.memory.grow(current, desired))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.table_elements.grow(current, desired))
    }

    fn instances(&self) -> usize {
        self.instances
    }
}
