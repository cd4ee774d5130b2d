//! How much an extension may use in one call: the table of limits, what documents write down, and
//! the values that are in force.

mod effective;
mod spec;
mod written;

pub use effective::{Ceilings, EffectiveLimits, Limit, LimitOrigin};
pub use spec::{LimitName, LimitSpec, LimitValueError, Unit};
pub use written::Limits;
