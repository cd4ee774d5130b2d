//! Asks: the rules for a question, and the effect of its answer.

use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_io::Timer;
use core_types::{Activity, ExtensionName, Grant, TimedGrant, TimedGrants, Touch};
use extension_depot::{EffectiveConfig, Installed, SessionConsent};
use extension_host::boot_time;
use extension_manager::{Manager, OpenError};
use futures_lite::future;
use tokio::sync::watch;

use super::not_granted::NotGranted;
use super::prompt::{Prompt, PromptError, Reply, Withdrawn};
use super::question::{MAX_GRANTS, Question};
use super::wanted;
use crate::engine::{FollowedLock, Inbox};
use crate::installed::Outcome;

/// The time in which logind says whether the session is locked. It answers within milliseconds.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(5);

/// Asks for permissions.
#[derive(Clone)]
pub(crate) struct Asker(Arc<Shared>);

struct Shared {
    manager: Arc<Manager>,
    inbox: Inbox,
    prompt: Arc<dyn Prompt>,
    /// Whether a question is open.
    is_open: Mutex<bool>,
    closed: Condvar,
    has_ended: watch::Sender<bool>,
}

/// The right to ask the one question at this time, until it is dropped.
struct Turn(Asker);

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.is_open_now() = false;
        self.0.0.closed.notify_all();
    }
}

impl Asker {
    pub(crate) fn new(manager: Arc<Manager>, inbox: Inbox, prompt: Arc<dyn Prompt>) -> Self {
        let (is_open, closed, has_ended) =
            (Mutex::new(false), Condvar::new(), watch::Sender::new(false));
        Self(Arc::new(Shared { manager, inbox, prompt, is_open, closed, has_ended }))
    }

    /// Asks for the permissions without which an extension is not linked, and waits for the answer.
    /// Nothing is returned where something else keeps it from being linked.
    pub(crate) fn ask_to_link(
        &self,
        name: &ExtensionName,
        error: &OpenError,
        withdrawn: Withdrawn<'_>,
    ) -> Option<Result<(), NotGranted>> {
        let installed = self.0.manager.depot().installed_with_binary(name)?;
        let wanted = wanted::to_link(&installed, error)?;
        Some(wanted.and_then(|grants| {
            let question = question(&installed, grants);
            self.check(&question)?;
            self.turn().ok_or(NotGranted::Busy)?.ask(&question, withdrawn)
        }))
    }

    /// Asks for the refused permissions of a call, and waits for nothing: no guest is kept waiting,
    /// and its next call has the answer.
    pub(crate) fn ask_later<'a>(
        &self,
        installed: &Installed,
        refused: impl Iterator<Item = &'a Touch>,
    ) {
        let identity = installed.reference.identity();
        let mut grants = wanted::by_touches(refused);
        grants.retain(|grant| {
            let capability = [grant.capability()];
            self.0.manager.depot().check_question(&identity, &capability, boot_time()).is_ok()
        });
        grants.truncate(MAX_GRANTS);
        if !grants.is_empty() {
            self.ask_beside(question(installed, grants));
        }
    }

    /// Asks for the refused permissions of a delivery, and waits for nothing: other extensions are
    /// delivered to meanwhile, and the next delivery has the answer.
    pub(crate) fn ask_after(&self, name: &ExtensionName, outcome: &Outcome) {
        match outcome {
            Ok(delivered) => self.ask_for(name, &delivered.activity),
            Err(error @ OpenError::Host { .. }) => {
                if let Some(installed) = self.0.manager.depot().installed_with_binary(name)
                    && let Some(Ok(grants)) = wanted::to_link(&installed, error)
                {
                    self.ask_beside(question(&installed, grants));
                }
            }
            Err(_) => {}
        }
    }

    /// Asks for the refused permissions of an extension, and waits for nothing.
    pub(crate) fn ask_for(&self, name: &ExtensionName, activity: &Activity) {
        if activity.refused().next().is_none() {
            return;
        }
        if let Some(installed) = self.0.manager.depot().installed_with_binary(name) {
            self.ask_later(&installed, activity.refused());
        }
    }

    /// Asks on a thread of its own, if nothing else is asked. Each refusal is in the activity log,
    /// also where nothing comes of the question.
    fn ask_beside(&self, question: Question) {
        if self.check(&question).is_err() {
            return;
        }
        let Some(turn) = self.turn() else { return };
        let thread = std::thread::Builder::new().name("question".to_owned());
        let _ = thread.spawn(move || turn.ask(&question, pin!(future::pending())));
    }

    /// Returns whether a question is open.
    pub(crate) fn is_open(&self) -> bool {
        *self.is_open_now()
    }

    /// Withdraws an open question, and asks nothing more. Waits until it is taken away, at most this
    /// long.
    pub(crate) fn stop(&self, time: Duration) {
        self.0.has_ended.send_replace(true);
        let closed = &self.0.closed;
        drop(closed.wait_timeout_while(self.is_open_now(), time, |is_open| *is_open));
    }

    /// Checks that a question may be asked. It costs little, so that a storm of refusals does too.
    fn check(&self, question: &Question) -> Result<(), NotGranted> {
        let Shared { manager, .. } = &*self.0;
        check_config(question, &manager.config()?)?;
        let identity = question.reference.identity();
        manager.depot().check_question(&identity, &question.capabilities(), boot_time())?;
        Ok(())
    }

    fn turn(&self) -> Option<Turn> {
        let mut is_open = self.is_open_now();
        if *is_open || *self.0.has_ended.borrow() {
            return None;
        }
        *is_open = true;
        Some(Turn(self.clone()))
    }

    /// A panic of another thread leaves a whole value.
    fn is_open_now(&self) -> MutexGuard<'_, bool> {
        self.0.is_open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Asks, and grants until the login session ends where the answer is yes.
    fn ask(&self, question: &Question, withdrawn: Withdrawn<'_>) -> Result<(), NotGranted> {
        let Shared { manager, inbox, prompt, has_ended, .. } = &*self.0.0;
        let mut lock = inbox.follow_lock(&question.name)?;
        async_io::block_on(until_unlocked(&mut lock))?;
        let mut ended = has_ended.subscribe();
        let ending = async { drop(ended.wait_for(|has_ended| *has_ended).await) };
        let end = pin!(future::or(withdrawn, future::or(lock.until(true), ending)));
        let mut withdrawn = Remembered { end, has_come: false };
        let reply = prompt.ask(question, pin!(&mut withdrawn));
        if reply.as_ref().err().is_none_or(PromptError::may_be_seen) {
            let identity = question.reference.identity();
            manager.depot().note_question(&identity, &question.capabilities(), boot_time())?;
        }
        match reply? {
            Reply::ForSession if !withdrawn.has_come => {
                // The configuration may have changed while it was open.
                check_config(question, &manager.config()?)?;
                grant(manager, question)
            }
            Reply::ForSession | Reply::No => Err(NotGranted::Declined),
        }
    }
}

/// An end that stays: a prompt may look for it again after it has come.
struct Remembered<'a> {
    end: Withdrawn<'a>,
    has_come: bool,
}

impl Future for Remembered<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if !self.has_come && self.end.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.has_come = true;
        Poll::Ready(())
    }
}

fn question(installed: &Installed, grants: Vec<Grant>) -> Question {
    Question { name: installed.name.clone(), reference: installed.reference.clone(), grants }
}

/// Checks that the user and every policy let a question be asked.
fn check_config(question: &Question, config: &EffectiveConfig) -> Result<(), NotGranted> {
    if config.session_consent() == SessionConsent::Never {
        return Err(NotGranted::Never);
    }
    if question.grants.len() > MAX_GRANTS {
        return Err(NotGranted::TooMany);
    }
    match question.grants.iter().find(|grant| config.denial_of(grant).is_some()) {
        Some(denied) => Err(NotGranted::Denied(denied.clone())),
        None => Ok(()),
    }
}

async fn until_unlocked(lock: &mut FollowedLock) -> Result<(), NotGranted> {
    let unlocked = async {
        lock.until(false).await;
        Ok(())
    };
    let late = async {
        Timer::after(MAX_LOCK_WAIT).await;
        Err(NotGranted::Locked)
    };
    future::or(unlocked, late).await
}

/// Grants until the login session ends, to extensions from where the one that asked is from. Another
/// artifact that took its name meanwhile gets nothing.
fn grant(manager: &Manager, question: &Question) -> Result<(), NotGranted> {
    let now = boot_time();
    let add = |timed: &mut TimedGrants| {
        let granted = question.grants.iter().cloned();
        granted.for_each(|grant| timed.add(TimedGrant { grant, until: None }, now));
        true
    };
    let depot = manager.depot().lock()?;
    depot.change_timed_grants(&question.name, Some(&question.reference), add)?;
    Ok(())
}
