//! The limits of a compiling child. The caller may have lower ones (`ulimit`): the lower of two
//! holds.

use std::fmt;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The processor time of one child, in seconds. The slowest known extension takes about 20.
const CPU_SECONDS: u64 = 300;
/// The time in seconds after which the kernel kills a child that ignores the signal of the limit.
const CPU_GRACE: u64 = 5;
/// The address space of one child, in bytes. The largest known extension takes half of it.
const MEMORY_BYTES: u64 = 2 << 30;

/// A limit, and whether the caller inherited it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompilerLimit {
    /// The value in seconds or bytes.
    pub value: u64,
    /// Whether the caller inherited it and can raise it.
    pub is_inherited: bool,
}

/// The limits of a compiling child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompilerLimits {
    /// Processor time. The signal of this limit differs from the one that kills a process from
    /// outside.
    pub(crate) seconds: CompilerLimit,
    /// Address space.
    pub(crate) bytes: CompilerLimit,
    hard_seconds: u64,
}

impl CompilerLimits {
    /// Reads the limits of a child of this process, which the child finds as well.
    pub(crate) fn here() -> Self {
        Self::within(&getrlimit(Resource::Cpu), &getrlimit(Resource::As))
    }

    fn within(cpu: &Rlimit, memory: &Rlimit) -> Self {
        let hard = cpu.maximum.unwrap_or(u64::MAX);
        // At the hard limit the kernel kills without saying why, so that ours lies below it.
        let soft = cpu.current.unwrap_or(u64::MAX).min(hard.saturating_sub(1)).max(1);
        Self {
            seconds: CompilerLimit::lower(CPU_SECONDS, soft),
            bytes: CompilerLimit::lower(
                MEMORY_BYTES,
                memory.current.or(memory.maximum).unwrap_or(u64::MAX),
            ),
            hard_seconds: hard.min(CPU_SECONDS + CPU_GRACE),
        }
    }

    /// Tells whether the kernel reports the limit of time only as a kill.
    pub(crate) fn kills_at_time_limit(&self) -> bool {
        self.seconds.value >= self.hard_seconds
    }

    /// Puts this process under the limits, irrevocably.
    pub(crate) fn apply(&self) -> rustix::io::Result<()> {
        let cpu = (self.seconds.value.min(self.hard_seconds), self.hard_seconds);
        let bytes = (self.bytes.value, self.bytes.value);
        for (resource, (soft, hard)) in
            [(Resource::Cpu, cpu), (Resource::As, bytes), (Resource::Core, (0, 0))]
        {
            setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })?;
        }
        Ok(())
    }
}

impl CompilerLimit {
    fn lower(own: u64, inherited: u64) -> Self {
        Self { value: own.min(inherited), is_inherited: inherited < own }
    }

    /// Formats a limit of time.
    pub(crate) fn as_time(&self) -> impl fmt::Display {
        format!(
            "{} second{} of processor time{}",
            self.value,
            if self.value == 1 { "" } else { "s" },
            self.origin("-t")
        )
    }

    /// Formats a limit of memory.
    pub(crate) fn as_memory(&self) -> impl fmt::Display {
        format!("{} MiB of memory{}", self.value >> 20, self.origin("-v"))
    }

    fn origin(&self, option: &str) -> String {
        if self.is_inherited { format!(" (`ulimit {option}`)") } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Rlimit = Rlimit { current: None, maximum: None };

    fn both(value: u64) -> Rlimit {
        Rlimit { current: Some(value), maximum: Some(value) }
    }

    #[test]
    fn own_limits_hold_by_default() {
        let limits = CompilerLimits::within(&NONE, &NONE);
        assert_eq!(limits.seconds, CompilerLimit { value: 300, is_inherited: false });
        assert_eq!((limits.hard_seconds, limits.kills_at_time_limit()), (305, false));
        assert_eq!(limits.bytes, CompilerLimit { value: 2 << 30, is_inherited: false });
        assert_eq!(CompilerLimits::within(&both(1_000), &both(4 << 30)), limits);
    }

    /// The soft limit of time stays below the hard one, because only the soft one says that it was
    /// time.
    #[test]
    fn lower_inherited_limits_hold() {
        let limits = CompilerLimits::within(&both(200), &both(1 << 30));
        assert_eq!(limits.seconds, CompilerLimit { value: 199, is_inherited: true });
        assert_eq!((limits.hard_seconds, limits.kills_at_time_limit()), (200, false));
        assert_eq!(limits.bytes.as_memory().to_string(), "1024 MiB of memory (`ulimit -v`)");
        let soft = Rlimit { current: Some(1 << 30), maximum: None };
        assert_eq!(CompilerLimits::within(&NONE, &soft).bytes, limits.bytes);
        assert!(CompilerLimits::within(&both(1), &NONE).kills_at_time_limit());
        assert_eq!(CompilerLimits::within(&both(0), &NONE).hard_seconds, 0);
    }
}
