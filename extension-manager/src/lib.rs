//! Installs, updates and calls extensions as sesame does: a library for desktop programs.
//!
//! A [`Manager`] stands on the depot, which keeps the extensions, and on the host, which runs
//! them. Everything that holds for `sesame` itself holds for each call that is made through it, and
//! cannot be left out: the system policy, the grants of the login session, limits, quarantine, the
//! activity log and the log of the guest. A [`Session`] is a manager of this login session, with
//! its desktop behind the capabilities:
//!
//! ```no_run
//! use extension_manager::Session;
//!
//! let greeting = Session::open()?.call("greeting-extension", "greet", ["World"])?;
//! assert_eq!(greeting.to_text(), "Hello, World!");
//! # Ok::<(), extension_manager::SessionError>(())
//! ```
//!
//! An [`Installer`] is a manager with the network, the configuration and a person beside it. It
//! installs, updates, restores and removes extensions, all through the stages of one pipeline.
//!
//! The ways out are three: the values and errors that functions return, [`Events`], which report
//! progress, and [`Consent`], which is asked about the permissions of an extension. Nothing here
//! prints. Only [`environment`] reads the environment, and only a [`Session`] uses it unasked.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod bundles;
mod calling;
mod checks;
mod compiled_code;
mod consent;
pub mod environment;
mod error;
mod events;
mod examination;
mod install;
mod installer;
mod manager;
mod network;
mod retry;
mod rollback;
mod rules;
mod sync;
mod trust;
mod tryout;
mod update;

pub use bundles::{BundlesError, ExportOptions, ImportOptions};
pub use calling::{
    CallMode, Callable, Delivered, Delivery, DeliveryOutcome, GuestLogError, Needs, OutsideCall,
    Session, SessionError, UnreadablePath, WakingEvent, difference, waking_events_of,
};
pub use checks::{
    BrokenError, CheckedFiles, CodeRepairError, CodeState, Damage, DirectoryState, ExtensionState,
    Garbage, GarbageError, Health, LockState, PolicyCheck, PolicyStop, Restore, SessionState,
    registries_of,
};
pub use consent::{
    Answer, Ask, Asked, Consent, Decision, Denied, DirectoryGrantError, Nobody, Proposal,
    ProposedArtifact, ProposedChange, Question, Requests, Verdict, Wide, split_denied,
};
pub use error::{CodeError, OpenError};
pub use events::{Event, Events, Note, Phase, Silent, Wait, Warning};
pub use examination::{
    BuiltBinary, EventsMismatch, ExamineError, Findings, declared_by, requested_by, requests_of,
    starts_without,
};
/// The arguments and the value of a call, so that a program which only calls needs no other crate.
pub use extension_host::{Arguments, Returned};
pub use install::{Committed, InstallError, InstallOptions, InstallRequest, Installation};
pub use installer::Installer;
pub use manager::{Manager, Options};
pub use network::{LazyRuntime, Network};
pub use rollback::{RollbackError, RolledBack};
pub use rules::{
    Direction, Downgrade, NameUse, Replaced, ReplacedByRegistry, SourceForm, TagMoved, check_form,
    known_repositories, known_tags, remember_tags,
};
pub use sync::{ListSource, Prospect, Step, StepProblem, StepState, SyncError, SyncOptions};
pub use trust::{EvidenceError, VerifiedSigner, VerifySignerError};
pub use tryout::Tryout;
pub use update::{Age, Available, UpdateError, UpdateOptions, Updated};
