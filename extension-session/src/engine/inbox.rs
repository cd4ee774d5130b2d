//! The way into the engine.

use std::sync::mpsc::{Receiver, Sender, channel};

use core_types::ExtensionName;
use tokio::sync::watch;

use crate::delivery::{Arrival, HeldBack};
use crate::engine::deliver::Delivered;
use crate::engine::status::Status;
use crate::engine::wait::Bell;

/// Where sources and programs put events. Each clone leads to the same engine.
#[derive(Debug, Clone)]
pub struct Inbox {
    messages: Sender<Message>,
    bell: Bell,
    lock: watch::Receiver<bool>,
}

/// The lock of the session, followed as long as this is kept, also while nothing may be woken.
pub(crate) struct FollowedLock {
    inbox: Inbox,
    is_locked: watch::Receiver<bool>,
}

/// The engine has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine of events has ended")]
pub struct Stopped;

/// Something that the engine is told.
#[derive(Debug)]
pub(super) enum Message {
    /// An event, and where to say how many extensions it reached.
    Event(Arrival, Option<Sender<Result<usize, HeldBack>>>),
    /// A delivery ended.
    Finished(ExtensionName, Delivered),
    /// Extensions may have changed.
    Changed,
    /// The machine may be in another zone.
    ZoneChanged,
    /// The session was locked or unlocked.
    Locked(bool),
    /// A question about its state.
    Status(Sender<Status>),
    /// An extension asks for a permission, and needs the lock of the session followed until nothing
    /// asks. It gets the state after the sources have begun.
    Asking(Option<(ExtensionName, Sender<Status>)>),
    /// No delivery begins any more.
    Stop,
}

impl Inbox {
    pub(super) fn new(bell: Bell, lock: watch::Receiver<bool>) -> (Self, Receiver<Message>) {
        let (messages, received) = channel();
        (Self { messages, bell, lock }, received)
    }

    /// Puts an event in. Nothing waits for its delivery.
    ///
    /// # Errors
    /// When the engine has ended.
    pub fn put(&self, arrival: Arrival) -> Result<(), Stopped> {
        self.send(Message::Event(arrival, None))
    }

    /// Puts an event in, and returns the number of extensions that it will be delivered to; nothing
    /// if it was dropped.
    ///
    /// # Errors
    /// When the engine has ended.
    pub fn emit(&self, arrival: Arrival) -> Result<Result<usize, HeldBack>, Stopped> {
        let (reply, answer) = channel();
        self.send(Message::Event(arrival, Some(reply)))?;
        answer.recv().map_err(|_| Stopped)
    }

    /// Says that extensions, their manifests or the policy may have changed.
    ///
    /// # Errors
    /// When the engine has ended.
    pub fn changed(&self) -> Result<(), Stopped> {
        self.send(Message::Changed)
    }

    /// Says that the machine may be in another zone.
    ///
    /// # Errors
    /// When the engine has ended.
    pub fn zone_changed(&self) -> Result<(), Stopped> {
        self.send(Message::ZoneChanged)
    }

    /// Says whether the session is locked.
    ///
    /// # Errors
    /// When the engine has ended.
    pub fn set_locked(&self, is_locked: bool) -> Result<(), Stopped> {
        self.send(Message::Locked(is_locked))
    }

    pub(crate) fn status(&self) -> Result<Status, Stopped> {
        let (reply, answer) = channel();
        self.send(Message::Status(reply))?;
        answer.recv().map_err(|_| Stopped)
    }

    /// Follows the lock of the session for an extension that asks for a permission.
    ///
    /// # Errors
    /// When the engine has ended.
    pub(crate) fn follow_lock(&self, asking: &ExtensionName) -> Result<FollowedLock, Stopped> {
        let (reply, answer) = channel();
        self.send(Message::Asking(Some((asking.clone(), reply))))?;
        answer.recv().map_err(|_| Stopped)?;
        Ok(FollowedLock { inbox: self.clone(), is_locked: self.lock.clone() })
    }

    pub(super) fn send(&self, message: Message) -> Result<(), Stopped> {
        self.messages.send(message).map_err(|_| Stopped)?;
        self.bell.ring();
        Ok(())
    }
}

impl FollowedLock {
    /// Waits until the session is locked, or is not.
    pub(crate) async fn until(&mut self, is_locked: bool) {
        // An engine that ended locks and unlocks nothing.
        if self.is_locked.wait_for(|now| *now == is_locked).await.is_err() {
            std::future::pending().await
        }
    }
}

impl Drop for FollowedLock {
    fn drop(&mut self) {
        let _ = self.inbox.send(Message::Asking(None));
    }
}
