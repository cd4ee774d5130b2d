//! The error by which a limit ends a call.

use core_types::LimitName;

/// The guest wanted more than a limit allows. Whatever enforces a limit ends the call with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit of {0} is reached")]
pub(crate) struct OverLimit(pub(crate) LimitName);
