//! How much an extension may use in one call: each limit, and the values that are in force.

mod limit_name;

pub use limit_name::{
    Ceilings, EffectiveLimits, Limit, LimitName, LimitOrigin, LimitValueError, Limits,
};
