//! Who decides: the rules of administrators and users, grants that end, and the one function that
//! answers every request of an extension.

mod authority;
mod decision;
mod document;
mod period;
mod request;
mod rules;
mod timed;

pub use authority::Authority;
pub use decision::{
    Decision, Refusal, RefusedBy, Rule, Verdict, decide, denied_by_policy, grant_denied_by_policy,
};
pub use document::{Document, Place};
pub use period::{Period, PeriodError};
pub use request::Request;
pub(crate) use request::shortened;
pub use rules::{IdentityRule, Policy, Preapproved, RequiredSigner, SignerRule, SourceRefusal};
pub use timed::{BootTime, TimedGrant, TimedGrants};
