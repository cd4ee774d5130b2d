//! Wakes extensions by what happens in a desktop session.
//!
//! An [`Engine`] takes events from [`Source`]s, timers and its [`Inbox`], and delivers them to the
//! extensions that were granted them: one at a time each, coalesced or queued, within a budget, and
//! not while the session is locked. It decides when something is delivered. Whether it may be is
//! the decision of each delivery, which [`Deliver`] makes as for a call.
//!
//! The engine needs neither a bus nor a terminal, so that any program can have one:
//!
//! ```
//! use std::sync::Arc;
//! use extension_session::{
//!     Arrival, Deliver, Delivered, Delivery, Engine, Forgetful, Parts, Subscriber, Subscribers,
//!     SystemClock, Wake,
//! };
//!
//! struct Print;
//! impl Deliver for Print {
//!     fn deliver(&self, delivery: &Delivery) -> Delivered {
//!         println!("{} gets {}", delivery.name, delivery.occurrence.name);
//!         Delivered::default()
//!     }
//! }
//!
//! struct One(Subscriber);
//! impl Subscribers for One {
//!     fn list(&mut self) -> Vec<Subscriber> {
//!         vec![self.0.clone()]
//!     }
//! }
//!
//! let wakes = vec![Wake::by("custom.build.*".parse()?)];
//! let builds = Subscriber::new("builds".parse()?, wakes);
//! let engine = Engine::start(Parts {
//!     deliver: Arc::new(Print),
//!     subscribers: Box::new(One(builds)),
//!     sources: Vec::new(),
//!     clock: Box::new(SystemClock::new()),
//!     memory: Box::new(Forgetful),
//!     max_parallel: 2,
//! })?;
//! let event = Arrival::custom("custom.build.done".parse()?, "ok".to_owned(), "program", 0);
//! assert_eq!(engine.inbox().emit(event)?, Ok(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod activation;
mod asking;
mod bus;
mod delivery;
mod engine;
mod installed;
mod schedule;
mod sources;
#[cfg(test)]
mod testing;

pub use activation::{
    ActivationError, BusQueryError, Fleeting, InstalledFiles, ProgramError, RemovedFiles,
    ServicePlaces, ServiceProgram, StartFile, StartState, has_unit_manager, is_activatable,
    is_running, reload_bus, reload_units, session_variables, start_service,
};
pub use asking::{NotificationPrompt, Prompt, PromptError, Question, Reply, Withdrawn};
pub use bus::{
    BusClient, BusEnd, BusLoad, BusParts, BusService, ClientError, Explain, Explained,
    ExtensionLoad, MAX_PAYLOAD, ServiceStatus, SourceLine, StartError, WatchRequest, WatchedValues,
};
pub use delivery::{
    Arrival, Budget, Delivery, Dispatcher, DispatcherLoad, HeldBack, MAX_DELIVERIES, MAX_DEPTH,
    MAX_FUEL_TIMES, MAX_WAITING, Recipients, Subscriber, Wake,
};
pub use engine::{
    Clock, Deliver, Delivered, Engine, EngineError, Forgetful, Inbox, LastDue, Load, Now, Parts,
    Status, Stopped, Subscribers, SystemClock, TimerMemory, Timers, Unremembered,
};
pub use installed::{
    Changes, EventMemory, Installed, Observer, Outcome, Publications, begin_running, may_be_woken,
};
pub use schedule::{At, DueAt, DueEvery, Every, first_moment};
pub use sources::{
    Files, LoginSession, SessionMemory, Source, SourceState, present_sources, session_bus_sources,
    system_bus_sources,
};
