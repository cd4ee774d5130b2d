//! Decisions about the permissions of extensions.
//!
//! [`Requests`] come from an extension. `Terms` subtract the denials of policies and settled
//! requests, and put the rest as a [`Proposal`] to a [`Consent`], which is a person, a program, or
//! [`Nobody`]. The outcome is a [`Decision`].

mod decision;
mod denied;
mod directories;
mod proposal;
mod requests;
mod terms;

pub(crate) use decision::NotDecided;
pub use decision::{Decision, PriorGrants, split_denied};
pub use denied::Denied;
pub use directories::DirectoryGrantError;
pub(crate) use directories::{is_protected, warn_of_missing};
pub use proposal::{
    Answer, Ask, Asked, Consent, Nobody, Proposal, ProposedArtifact, ProposedChange, Question,
    Verdict, Wide,
};
pub use requests::Requests;
pub use terms::decide_alone;
pub(crate) use terms::{Settled, Terms};
