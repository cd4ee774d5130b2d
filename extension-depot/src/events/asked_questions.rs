//! The questions for permissions that a person was asked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use core_types::{BootTime, Capability, Identity};
use serde::{Deserialize, Serialize};

use crate::files::state_file::{self, StateFile, StateFileError};
use crate::store::Depot;

/// The least time between two questions of one extension for one capability.
const MIN_PAUSE: Duration = Duration::from_secs(10 * 60);
/// A day, in which there are at most [`MAX_IN_A_DAY`] of them.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_IN_A_DAY: usize = 3;
/// The most extensions and capabilities that are remembered. Beyond it nothing is asked.
const MAX_REMEMBERED: usize = 1_000;

/// Why a question is not asked.
#[derive(Debug, thiserror::Error)]
pub enum NotNoted {
    /// The same was asked a short time ago, or often today.
    #[error("asked less than ten minutes ago or three times today")]
    TooOften,
    /// There is nowhere to remember it: questions and their answers go with the login session.
    #[error("this session has no runtime directory")]
    NoSession,
    /// Earlier questions cannot be read or written.
    #[error(transparent)]
    State(#[from] StateFileError),
}

/// `$XDG_RUNTIME_DIR/pds/questions.json`: the moments of questions, in milliseconds from the start of
/// the machine, by extension and capability.
#[derive(Debug, Default, Serialize, Deserialize)]
struct AskedQuestions {
    #[serde(default)]
    asked: BTreeMap<String, Vec<u64>>,
}

impl StateFile for AskedQuestions {
    const FORMAT: u32 = 1;
}

impl AskedQuestions {
    /// Forgets questions of an earlier day.
    fn forget_old(&mut self, now: BootTime) {
        for moments in self.asked.values_mut() {
            moments.retain(|moment| now.since(at(*moment)) < DAY);
        }
        self.asked.retain(|_, moments| !moments.is_empty());
    }

    fn may_ask(&self, key: &str, now: BootTime) -> bool {
        let Some(moments) = self.asked.get(key) else { return self.asked.len() < MAX_REMEMBERED };
        let is_recent = moments.iter().any(|moment| now.since(at(*moment)) < MIN_PAUSE);
        !is_recent && moments.len() < MAX_IN_A_DAY
    }
}

fn at(milliseconds: u64) -> BootTime {
    BootTime::since_boot(Duration::from_millis(milliseconds))
}

impl Depot {
    /// Notes that a person is asked whether an extension gets these capabilities: once in ten minutes
    /// and three times in a day for each of them.
    ///
    /// ```
    /// use core_types::{BootTime, Capability, OciReference};
    /// use extension_depot::{Depot, NotNoted, Places};
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    ///
    /// let depot = Depot::new(Places::below(root));
    /// let identity = "ghcr.io/my-org/greeting:1".parse::<OciReference>()?.identity();
    /// let ask = || depot.note_question(&identity, &[Capability::Storage], BootTime::default());
    /// ask()?;
    /// assert!(matches!(ask(), Err(NotNoted::TooOften)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotNoted::TooOften`] when it is not to be asked, and when it cannot be noted.
    pub fn note_question(
        &self,
        identity: &Identity,
        capabilities: &[Capability],
        now: BootTime,
    ) -> Result<(), NotNoted> {
        let (path, mut questions) = self.questions(identity, capabilities, now)?;
        for capability in capabilities {
            let key = key(identity, *capability);
            questions.asked.entry(key).or_default().push(now.milliseconds());
        }
        Ok(state_file::write(&path, &questions)?)
    }

    /// Checks that a person may be asked, and notes nothing.
    ///
    /// # Errors
    /// As for [`Depot::note_question`].
    pub fn check_question(
        &self,
        identity: &Identity,
        capabilities: &[Capability],
        now: BootTime,
    ) -> Result<(), NotNoted> {
        self.questions(identity, capabilities, now).map(drop)
    }

    /// Returns the questions of the last day with their file, if another one may be asked.
    fn questions(
        &self,
        identity: &Identity,
        capabilities: &[Capability],
        now: BootTime,
    ) -> Result<(PathBuf, AskedQuestions), NotNoted> {
        let path = self.places().asked_questions().ok_or(NotNoted::NoSession)?;
        let mut questions: AskedQuestions = state_file::read(&path)?.unwrap_or_default();
        questions.forget_old(now);
        let may_ask = |it: &Capability| questions.may_ask(&key(identity, *it), now);
        if capabilities.iter().all(may_ask) {
            Ok((path, questions))
        } else {
            Err(NotNoted::TooOften)
        }
    }
}

fn key(identity: &Identity, capability: Capability) -> String {
    format!("{identity} {capability}")
}

#[cfg(test)]
mod tests {
    use core_types::OciReference;

    use super::*;
    use crate::Places;

    fn identity(name: &str) -> Identity {
        format!("ghcr.io/my-org/{name}:1").parse::<OciReference>().expect(name).identity()
    }

    fn minutes(minutes: u64) -> BootTime {
        BootTime::since_boot(Duration::from_secs(minutes * 60))
    }

    /// Each extension has its own count for each capability, and a day ends.
    #[test]
    fn questions_are_rare() {
        let directory = tempfile::tempdir().expect("a directory");
        let depot = Depot::new(Places::below(directory.path()));
        let ask = |name: &str, capability, at| {
            depot.note_question(&identity(name), &[capability], minutes(at)).is_ok()
        };
        assert!(ask("a", Capability::Storage, 5) && !ask("a", Capability::Storage, 14));
        assert!(ask("a", Capability::Notification, 14) && ask("b", Capability::Storage, 14));
        assert!(ask("a", Capability::Storage, 15) && ask("a", Capability::Storage, 30));
        assert!(!ask("a", Capability::Storage, 1400), "three times in this day");
        assert!(ask("a", Capability::Storage, 1446), "the first is a day ago");
    }

    /// A question for two capabilities counts for both, and for neither if one was asked.
    #[test]
    fn question_for_more_counts_for_each() {
        let directory = tempfile::tempdir().expect("a directory");
        let depot = Depot::new(Places::below(directory.path()));
        let ask = |capabilities: &[Capability], at| {
            depot.note_question(&identity("a"), capabilities, minutes(at)).is_ok()
        };
        assert!(ask(&[Capability::Storage], 1));
        assert!(!ask(&[Capability::Env, Capability::Storage], 2));
        assert!(ask(&[Capability::Env], 3), "it was not asked");
    }

    /// Without a place that goes with the session, or with one that cannot be read, nothing is asked.
    #[test]
    fn unreadable_questions_ask_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let places = Places::below(directory.path());
        let path = places.asked_questions().expect("a runtime directory");
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        std::fs::write(&path, "{").expect("written");
        let ask = |places| {
            Depot::new(places).note_question(&identity("a"), &[Capability::Env], minutes(1))
        };
        assert!(matches!(ask(places.clone()), Err(NotNoted::State(_))));
        let places = Places { runtime: None, ..places };
        assert!(matches!(ask(places), Err(NotNoted::NoSession)));
    }
}
