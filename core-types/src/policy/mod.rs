//! Who decides: the rules of administrators and users, grants that end, and the one function that
//! answers every request of an extension.

mod decision;
mod period;
mod rules;
mod timed;

pub use decision::{
    Authority, Decision, Document, Place, Request, Rule, Verdict, decide, denied_by_policy,
};
pub use period::{Period, PeriodError};
pub use rules::{IdentityRule, Policy, Preapproved, RequiredSigner, SignerRule, SourceRefusal};
pub use timed::{BootTime, TimedGrant, TimedGrants};
