//! The bounds of one call: memory, tables, instances, output, files, time, and the bytes that the
//! host holds for it. They hold for every kind of code; `calling` puts them into a store.

mod address_space;
mod bounds;
mod limiter;
mod output;
mod over_limit;
mod write_budget;

pub use address_space::AddressSpaceTooSmall;
pub(crate) use bounds::{Bounded, Bounds, transfer_bytes};
pub(crate) use limiter::STACK_BYTES;
pub use output::OutputSink;
pub(crate) use output::{Output, OutputClosed, Sinks, StreamName};
pub(crate) use write_budget::{WriteBudget, growth};
