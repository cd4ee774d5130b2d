//! Asks: the rules for a question, and the effect of its answer.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_io::Timer;
use core_types::{ExtensionName, Grant, TimedGrant, TimedGrants, Touch};
use extension_depot::{EffectiveConfig, Installed, SessionConsent};
use extension_host::boot_time;
use extension_manager::{Manager, OpenError};
use futures_lite::future;
use tokio::sync::watch;

use super::not_granted::NotGranted;
use super::prompt::{Prompt, Reply, Withdrawn};
use super::question::{MAX_GRANTS, Question};
use super::wanted;
use crate::engine::{FollowedLock, Inbox};
use crate::installed::Outcome;

/// The time in which logind says whether the session is locked. It answers within milliseconds.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(2);

/// Asks for permissions.
#[derive(Clone)]
pub(crate) struct Asker(Arc<Shared>);

struct Shared {
    manager: Arc<Manager>,
    inbox: Inbox,
    prompt: Arc<dyn Prompt>,
    /// Whether a question is open.
    is_open: AtomicBool,
    has_ended: watch::Sender<bool>,
}

/// The right to ask the one question at this time, until it is dropped.
struct Turn(Asker);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.is_open.store(false, Ordering::Release);
    }
}

impl Asker {
    pub(crate) fn new(manager: Arc<Manager>, inbox: Inbox, prompt: Arc<dyn Prompt>) -> Self {
        let (is_open, has_ended) = (AtomicBool::new(false), watch::Sender::new(false));
        Self(Arc::new(Shared { manager, inbox, prompt, is_open, has_ended }))
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
            let turn = self.turn().ok_or(NotGranted::Busy)?;
            turn.ask(&question(installed, grants), withdrawn)
        }))
    }

    /// Asks for the refused permissions of a call, and waits for nothing: no guest is kept waiting,
    /// and its next call has the answer.
    pub(crate) fn ask_later<'a>(
        &self,
        name: &ExtensionName,
        refused: impl Iterator<Item = &'a Touch>,
    ) {
        let grants = wanted::by_touches(refused);
        if !grants.is_empty() {
            self.ask_beside(name, |_| Some(grants));
        }
    }

    /// Asks for the refused permissions of a delivery, and waits for nothing: other extensions are
    /// delivered to meanwhile, and the next delivery has the answer.
    pub(crate) fn ask_after(&self, name: &ExtensionName, outcome: &Outcome) {
        match outcome {
            Ok(delivered) => self.ask_later(name, delivered.activity.refused()),
            Err(error) => self.ask_beside(name, |it| wanted::to_link(it, error)?.ok()),
        }
    }

    /// Asks on a thread of its own, if nothing else is asked. Each refusal is in the activity log,
    /// also where nothing comes of the question.
    fn ask_beside(
        &self,
        name: &ExtensionName,
        wanted: impl FnOnce(&Installed) -> Option<Vec<Grant>>,
    ) {
        let Some(turn) = self.turn() else { return };
        let Some(installed) = self.0.manager.depot().installed_with_binary(name) else { return };
        let Some(grants) = wanted(&installed) else { return };
        let question = question(installed, grants);
        let thread = std::thread::Builder::new().name("question".to_owned());
        let _ = thread.spawn(move || turn.ask(&question, pin!(future::pending())));
    }

    /// Withdraws an open question, and asks nothing more.
    pub(crate) fn stop(&self) {
        self.0.has_ended.send_replace(true);
    }

    fn turn(&self) -> Option<Turn> {
        let was_open = self.0.is_open.swap(true, Ordering::Acquire);
        (!was_open).then(|| Turn(self.clone()))
    }
}

impl Turn {
    /// Asks, and grants until the login session ends where the answer is yes.
    fn ask(&self, question: &Question, withdrawn: Withdrawn<'_>) -> Result<(), NotGranted> {
        let Shared { manager, inbox, prompt, has_ended, .. } = &*self.0.0;
        check(question, &manager.config()?)?;
        let mut lock = inbox.follow_lock(&question.owner.name)?;
        async_io::block_on(until_unlocked(&mut lock))?;
        // What cannot be put counts for nothing.
        prompt.check()?;
        let (depot, owner) = (manager.depot(), &question.owner);
        depot.note_question(&owner.identity, &question.capabilities(), boot_time())?;
        let mut ended = has_ended.subscribe();
        let ending = async { drop(ended.wait_for(|has_ended| *has_ended).await) };
        let withdrawn = future::or(withdrawn, future::or(lock.until(true), ending));
        match prompt.ask(question, pin!(withdrawn))? {
            Reply::ForSession => grant(manager, question),
            Reply::No => Err(NotGranted::Declined),
        }
    }
}

fn question(installed: Installed, grants: Vec<Grant>) -> Question {
    Question::new(installed.name, installed.reference, grants)
}

/// Checks that a question may be asked.
fn check(question: &Question, config: &EffectiveConfig) -> Result<(), NotGranted> {
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

/// Grants until the login session ends, to the artifact that asked and to no other one.
fn grant(manager: &Manager, question: &Question) -> Result<(), NotGranted> {
    let now = boot_time();
    let add = |timed: &mut TimedGrants| {
        let granted = question.grants.iter().cloned();
        granted.for_each(|grant| timed.add(TimedGrant { grant, until: None }, now));
        true
    };
    let depot = manager.depot().lock()?;
    depot.change_timed_grants(&question.owner.name, Some(&question.reference), add)?;
    Ok(())
}
