//! The table of limits: everything that is known of each, in one row.

use std::fmt;
use std::ops::RangeInclusive;

/// A limit on one call. All limits hold together, on every call, from instantiation on.
///
/// ```
/// use core_types::LimitName;
///
/// let memory = LimitName::of_key("max_memory_mib").expect("there is one");
/// assert_eq!(memory, LimitName::Memory);
/// assert_eq!(memory.spec().default, 64);
/// assert!(memory.parse_value("65_537").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitName {
    /// `max_memory_mib`: all linear memories together.
    Memory,
    /// `max_fuel`: computing steps, about one for each WebAssembly instruction and one for each
    /// byte of a bulk operation. Deterministic.
    Fuel,
    /// `timeout_ms`: wall-clock time, waiting included.
    Timeout,
    /// `max_table_elements`: elements of all tables together.
    TableElements,
    /// `max_instances`: core instances.
    Instances,
    /// `max_output_kib`: the output and log of the guest in one call.
    Output,
    /// `max_transfer_mib`: the bytes that one host call or one result can make the host hold. A
    /// list element costs 40 bytes of it, a string its length, and so does a `list<u8>` that is a
    /// result.
    Transfer,
    /// `max_written_mib`: the bytes that the guest writes into files in one call. Growth of a file
    /// without a write, as by `set-size`, counts as written.
    Written,
    /// The call stack.
    Stack,
    /// Resource handles, such as open streams.
    Handles,
}

/// A row of the table of limits.
///
/// ```
/// use core_types::{LimitName, LimitSpec, Unit};
///
/// let spec: &LimitSpec = LimitName::Timeout.spec();
/// assert_eq!((spec.key, spec.default), (Some("timeout_ms"), 5_000));
/// assert_eq!(spec.unit, Unit::Milliseconds);
/// ```
#[derive(Debug)]
pub struct LimitSpec {
    /// The limit.
    pub name: LimitName,
    /// The key in `[limits]`; nothing for a fixed limit.
    pub key: Option<&'static str>,
    /// The limited thing, in words.
    pub meaning: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// The value where nothing is written.
    pub default: u64,
    /// The lowest value that can be written.
    pub lowest: u64,
    /// The highest value that can be written.
    pub ceiling: u64,
}

/// A unit of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things that are counted.
    Count,
    /// 1,024 bytes.
    Kibibytes,
    /// 1,048,576 bytes.
    Mebibytes,
    /// Thousandths of a second.
    Milliseconds,
}

/// Every limit, in the order of the documentation, which is that of [`LimitName`].
const SPECS: &[LimitSpec] = &[
    // A Rust component starts with 1.1 MiB, a Python one with 12.3. No 32-bit memory is larger than
    // 4 GiB, and there can be several of 64 bits.
    LimitSpec {
        name: LimitName::Memory,
        key: Some("max_memory_mib"),
        meaning: "memory",
        unit: Unit::Mebibytes,
        default: 64,
        lowest: 1,
        ceiling: 65_536,
    },
    // Seconds of computing. Wasmtime counts in 64 bits with a sign.
    LimitSpec {
        name: LimitName::Fuel,
        key: Some("max_fuel"),
        meaning: "fuel",
        unit: Unit::Count,
        default: 1_000_000_000,
        lowest: 1,
        ceiling: i64::MAX as u64,
    },
    // Longer than a person waits for a command without a sign of life; a day at most.
    LimitSpec {
        name: LimitName::Timeout,
        key: Some("timeout_ms"),
        meaning: "time",
        unit: Unit::Milliseconds,
        default: 5_000,
        lowest: 1,
        ceiling: 86_400_000,
    },
    // A JavaScript component needs 7,700. Each element takes 8 bytes of the host.
    LimitSpec {
        name: LimitName::TableElements,
        key: Some("max_table_elements"),
        meaning: "table elements",
        unit: Unit::Count,
        default: 20_000,
        lowest: 1,
        ceiling: 10_000_000,
    },
    // A Rust component has 3, a Python one 38.
    LimitSpec {
        name: LimitName::Instances,
        key: Some("max_instances"),
        meaning: "instances",
        unit: Unit::Count,
        default: 64,
        lowest: 1,
        ceiling: 10_000,
    },
    // The host keeps it all until the call has ended: some thousand lines, a gibibyte at most.
    LimitSpec {
        name: LimitName::Output,
        key: Some("max_output_kib"),
        meaning: "output",
        unit: Unit::Kibibytes,
        default: 1_024,
        lowest: 1,
        ceiling: 1_048_576,
    },
    // A picture or a document in one piece. Larger than the memory of a component of 32 bits is
    // of no use.
    LimitSpec {
        name: LimitName::Transfer,
        key: Some("max_transfer_mib"),
        meaning: "data passed to the host",
        unit: Unit::Mebibytes,
        default: 16,
        lowest: 1,
        ceiling: 4_096,
    },
    // Enough to convert a film, too little to fill a disk in one call; 16 TiB at most, the largest
    // file of ext4.
    LimitSpec {
        name: LimitName::Written,
        key: Some("max_written_mib"),
        meaning: "data written to files",
        unit: Unit::Mebibytes,
        default: 1_024,
        lowest: 1,
        ceiling: 16_777_216,
    },
    // With more, Rust guests overrun their own stack first, which looks like any other error of
    // memory.
    LimitSpec {
        name: LimitName::Stack,
        key: None,
        meaning: "call stack",
        unit: Unit::Kibibytes,
        default: 512,
        lowest: 512,
        ceiling: 512,
    },
    // Far more than any program has open, far fewer than would be felt.
    LimitSpec {
        name: LimitName::Handles,
        key: None,
        meaning: "resource handles",
        unit: Unit::Count,
        default: 1_000,
        lowest: 1_000,
        ceiling: 1_000,
    },
];

impl LimitName {
    /// Every limit, in the order of the documentation.
    pub const ALL: [Self; SPECS.len()] = crate::column!(SPECS, name);

    /// Returns its row of the table.
    pub fn spec(self) -> &'static LimitSpec {
        &SPECS[self as usize]
    }

    /// Returns the key in `[limits]`; nothing for a fixed limit.
    pub fn key(self) -> Option<&'static str> {
        self.spec().key
    }

    /// Returns the values that can be written.
    pub(super) fn range(self) -> RangeInclusive<u64> {
        self.spec().lowest..=self.spec().ceiling
    }

    /// Returns the limit of this key, if there is one.
    pub fn of_key(key: &str) -> Option<Self> {
        SPECS.iter().find(|spec| spec.key == Some(key)).map(|spec| spec.name)
    }

    /// Reads a value as people type it: digits, perhaps with `_` or `,` between them.
    ///
    /// # Errors
    /// When it is not a whole number in the limit's range.
    pub fn parse_value(self, text: &str) -> Result<u64, LimitValueError> {
        let digits = text.replace(['_', ','], "");
        let value = digits.parse().ok().filter(|value| self.range().contains(value));
        value.ok_or_else(|| LimitValueError { name: self, value: text.to_owned() })
    }
}

impl Unit {
    /// Returns a value with the unit behind it, such as `16 MiB`, with its digits in groups of
    /// three.
    pub(super) fn of(self, value: u64) -> String {
        let value = grouped(value);
        match self {
            Self::Count => value,
            Self::Kibibytes => format!("{value} KiB"),
            Self::Mebibytes => format!("{value} MiB"),
            Self::Milliseconds => format!("{value} ms"),
        }
    }
}

/// A text that is not a value of a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`limits.{}` is {}, and `{}` is not",
    name.key().unwrap_or_default(),
    RangeOf(*name),
    value.escape_debug()
)]
pub struct LimitValueError {
    /// The limit.
    pub name: LimitName,
    /// The text.
    pub value: String,
}

/// The values that a limit can have, in words.
pub(super) struct RangeOf(pub(super) LimitName);

impl fmt::Display for RangeOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = self.0.range();
        write!(f, "a whole number from {} to {}", grouped(*range.start()), grouped(*range.end()))
    }
}

/// The limited thing, in words.
impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.spec().meaning)
    }
}

/// Digits in groups of three.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each limit finds its own row, and its default is one of the values that it can have.
    #[test]
    fn rows_stand_in_order() {
        for (at, spec) in SPECS.iter().enumerate() {
            assert_eq!(spec.name as usize, at, "{}", spec.name);
            assert!(spec.name.range().contains(&spec.default), "{}", spec.name);
            assert_eq!(spec.key.is_none(), spec.lowest == spec.ceiling, "{}", spec.name);
        }
    }

    #[test]
    fn default_is_shown_with_its_unit() {
        let shown: Vec<_> = SPECS.iter().map(|spec| spec.unit.of(spec.default)).collect();
        assert_eq!(
            shown,
            [
                "64 MiB",
                "1,000,000,000",
                "5,000 ms",
                "20,000",
                "64",
                "1,024 KiB",
                "16 MiB",
                "1,024 MiB",
                "512 KiB",
                "1,000"
            ]
        );
    }
}
