//! The limits of one call: their table, the values that documents write down, and the values in
//! force.

mod effective;
mod spec;
mod written;

pub use effective::{Ceilings, EffectiveLimits, Limit, LimitOrigin};
pub use spec::{LimitName, LimitSpec, LimitValueError, Unit};
pub use written::Limits;
