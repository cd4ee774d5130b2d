//! The bounds of one call, for every kind of code: memory, tables, instances, output, files, time,
//! and the bytes that the host holds for it.

use std::time::Instant;

use core_types::{EffectiveLimits, LimitName};
use wasmtime::Trap;
use wasmtime::component::ResourceTable;

use super::limiter::Limiter;
use super::output::{Output, Sinks};
use super::over_limit::OverLimit;
use super::write_budget::WriteBudget;

/// The bounds of one call, with its use of them.
pub(crate) struct Bounds {
    pub(crate) limiter: Limiter,
    pub(crate) output: Output,
    pub(crate) written: WriteBudget,
    deadline: Instant,
    /// The rest of the bytes that the host may hold for a module. For components Wasmtime counts
    /// them.
    transfer: usize,
}

/// The data of a store with bounds.
pub(crate) trait Bounded: Send + 'static {
    fn bounds(&self) -> &Bounds;
    fn bounds_mut(&mut self) -> &mut Bounds;
    /// Returns the table of open handles.
    fn table(&mut self) -> &mut ResourceTable;
}

/// The maximum size of a member or element of JSON in memory, in bytes: a value, its name, and the
/// node of the map that it may begin.
const JSON_PART: usize = 700;

/// Returns the bytes that the host may hold for a call.
pub(crate) fn transfer_bytes(limits: &EffectiveLimits) -> usize {
    usize::try_from(limits.get(LimitName::Transfer).value)
        .unwrap_or(usize::MAX)
        .saturating_mul(1 << 20)
}

impl Bounds {
    pub(crate) fn new(limits: &EffectiveLimits, deadline: Instant, sinks: Option<Sinks>) -> Self {
        let kibibytes = usize::try_from(limits.get(LimitName::Output).value).unwrap_or(usize::MAX);
        Self {
            limiter: Limiter::new(limits),
            output: Output::new(kibibytes.saturating_mul(1024)).passed_to(sinks, deadline),
            written: WriteBudget::new(limits),
            deadline,
            transfer: transfer_bytes(limits),
        }
    }

    /// Returns the deadline of the call.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Tells whether the deadline has passed.
    pub(crate) fn is_expired(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Fails once the deadline has passed.
    pub(crate) fn check_time(&self) -> Result<(), OverLimit> {
        if self.is_expired() { Err(OverLimit(LimitName::Timeout)) } else { Ok(()) }
    }

    /// Counts bytes that the host takes over from a module.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), OverLimit> {
        self.transfer = self.transfer.checked_sub(bytes).ok_or(OverLimit(LimitName::Transfer))?;
        Ok(())
    }

    /// Counts the size of JSON in memory: each member and element takes many times its text.
    pub(crate) fn hold_json(&mut self, text: &[u8]) -> Result<(), OverLimit> {
        let parts = text.iter().filter(|byte| matches!(byte, b'{' | b'[' | b',' | b':')).count();
        self.hold(parts.saturating_mul(JSON_PART))
    }

    /// Returns the limit that the guest exceeded without being stopped: it got an error.
    pub(crate) fn ran_over(&self) -> Option<LimitName> {
        if self.output.ran_over() {
            return Some(LimitName::Output);
        }
        self.written.ran_over().then_some(LimitName::Written)
    }

    /// Returns the limit that an error comes from, if any.
    ///
    /// A guest that is refused memory usually crashes a moment later in its own allocator, so that
    /// a refusal explains a crash.
    pub(crate) fn exceeded(&self, error: &wasmtime::Error) -> Option<LimitName> {
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => return Some(LimitName::Fuel),
            Some(Trap::StackOverflow) => return Some(LimitName::Stack),
            _ => {}
        }
        if self.is_expired() {
            return Some(LimitName::Timeout);
        }
        if let Some(OverLimit(name)) = error.downcast_ref() {
            return Some(*name);
        }
        let told = self.ran_over().or_else(|| self.limiter.refused());
        told.or_else(|| exceeded_by_message(error))
    }
}

/// Returns the limit of an error that Wasmtime has no type for. Tests check that its words stay
/// these.
fn exceeded_by_message(error: &wasmtime::Error) -> Option<LimitName> {
    let known = [
        ("fuel allocated for hostcalls has been exhausted", LimitName::Transfer),
        ("instance count too high", LimitName::Instances),
        ("store handle limit exceeded", LimitName::Handles),
        ("resource table has no free keys", LimitName::Handles),
    ];
    let messages: Vec<_> = error.chain().map(ToString::to_string).collect();
    let named = |words: &str| messages.iter().any(|message| message.contains(words));
    known.into_iter().find_map(|(words, name)| named(words).then_some(name))
}
