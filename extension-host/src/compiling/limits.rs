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

/// A limit, and where the caller inherited it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompilerLimit {
    /// The value in seconds or bytes.
    pub value: u64,
    /// The option of `ulimit` that raises it, such as `-t`, if the caller inherited it.
    pub ulimit: Option<&'static str>,
}

/// The limits of a compiling child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompilerLimits {
    /// Processor time. The signal of this limit differs from the one that kills a process from
    /// outside.
    pub(crate) seconds: CompilerLimit,
    /// Memory: address space, or the part of it that is data where the caller has a lower limit for
    /// that. The kernel refuses memory in the same way for both.
    pub(crate) bytes: CompilerLimit,
    address_space: u64,
    hard_seconds: u64,
}

impl CompilerLimits {
    /// Reads the limits of a child of this process, which the child finds as well.
    pub(crate) fn here() -> Self {
        let [cpu, space, data] = [Resource::Cpu, Resource::As, Resource::Data].map(getrlimit);
        Self::within(&cpu, &space, &data)
    }

    fn within(cpu: &Rlimit, space: &Rlimit, data: &Rlimit) -> Self {
        let hard = cpu.maximum.unwrap_or(u64::MAX);
        // At the hard limit the kernel kills without saying why, so that ours lies below it.
        let soft = cpu.current.unwrap_or(u64::MAX).min(hard.saturating_sub(1)).max(1);
        let space = CompilerLimit::own(MEMORY_BYTES).or_lower(current(space), "-v");
        Self {
            seconds: CompilerLimit::own(CPU_SECONDS).or_lower(soft, "-t"),
            bytes: space.or_lower(current(data), "-d"),
            address_space: space.value,
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
        let bytes = (self.address_space, self.address_space);
        for (resource, (soft, hard)) in
            [(Resource::Cpu, cpu), (Resource::As, bytes), (Resource::Core, (0, 0))]
        {
            setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })?;
        }
        Ok(())
    }
}

fn current(limit: &Rlimit) -> u64 {
    limit.current.or(limit.maximum).unwrap_or(u64::MAX)
}

impl CompilerLimit {
    fn own(value: u64) -> Self {
        Self { value, ulimit: None }
    }

    /// Returns the limit that the caller inherited, where it is lower.
    fn or_lower(self, inherited: u64, ulimit: &'static str) -> Self {
        if inherited < self.value { Self { value: inherited, ulimit: Some(ulimit) } } else { self }
    }

    /// Formats a limit of time.
    pub(crate) fn as_time(&self) -> impl fmt::Display {
        format!(
            "{} second{} of processor time{}",
            self.value,
            if self.value == 1 { "" } else { "s" },
            self.origin()
        )
    }

    /// Formats a limit of memory.
    pub(crate) fn as_memory(&self) -> impl fmt::Display {
        format!("{} MiB of memory{}", self.value >> 20, self.origin())
    }

    fn origin(&self) -> String {
        self.ulimit.map(|option| format!(" (`ulimit {option}`)")).unwrap_or_default()
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
        let limits = CompilerLimits::within(&NONE, &NONE, &NONE);
        assert_eq!(limits.seconds, CompilerLimit { value: 300, ulimit: None });
        assert_eq!((limits.hard_seconds, limits.kills_at_time_limit()), (305, false));
        assert_eq!(limits.bytes, CompilerLimit { value: 2 << 30, ulimit: None });
        assert_eq!(CompilerLimits::within(&both(1_000), &both(4 << 30), &both(3 << 30)), limits);
    }

    /// The soft limit of time stays below the hard one, because only the soft one says that it was
    /// time.
    #[test]
    fn lower_inherited_limits_hold() {
        let limits = CompilerLimits::within(&both(200), &both(1 << 30), &NONE);
        assert_eq!(limits.seconds, CompilerLimit { value: 199, ulimit: Some("-t") });
        assert_eq!((limits.hard_seconds, limits.kills_at_time_limit()), (200, false));
        assert_eq!(limits.bytes.as_memory().to_string(), "1024 MiB of memory (`ulimit -v`)");
        let soft = Rlimit { current: Some(1 << 30), maximum: None };
        assert_eq!(CompilerLimits::within(&NONE, &soft, &NONE).bytes, limits.bytes);
        assert!(CompilerLimits::within(&both(1), &NONE, &NONE).kills_at_time_limit());
        assert_eq!(CompilerLimits::within(&both(0), &NONE, &NONE).hard_seconds, 0);
    }

    /// A limit of data that is lower than that of address space is named, and does not become one
    /// of address space, of which code and reservations need more.
    #[test]
    fn lower_data_limit_is_named() {
        let limits = CompilerLimits::within(&NONE, &both(1 << 30), &both(100 << 20));
        assert_eq!(limits.bytes.as_memory().to_string(), "100 MiB of memory (`ulimit -d`)");
        assert_eq!(limits.address_space, 1 << 30);
        let limits = CompilerLimits::within(&NONE, &both(1 << 30), &both(2 << 30));
        assert_eq!(limits.bytes.ulimit, Some("-v"));
    }
}
