//! The room in which it is decided what an extension is given.
//!
//! [`Requests`] are what an extension asks for. `decision` subtracts what policies deny and what is
//! settled already, and puts the rest as a [`Proposal`] to a [`Consent`], which is a person, a
//! program, or [`Nobody`]. A [`Decision`] is what comes of it.

mod decision;
mod denied;
mod directories;
mod proposal;
mod requests;

pub use decision::{Decision, PriorGrants, decide_alone, split_denied};
pub(crate) use decision::{NotDecided, Settled, Terms};
pub use denied::Denied;
pub use directories::DirectoryGrantError;
pub(crate) use directories::{is_protected, warn_of_missing};
pub use proposal::{
    Answer, Ask, Asked, Consent, Nobody, Proposal, ProposedArtifact, ProposedChange, Question,
    Verdict, Wide,
};
pub use requests::Requests;
