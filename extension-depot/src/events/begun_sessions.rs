//! The login sessions in which the session service began.

use serde::{Deserialize, Serialize};

use crate::files::state_file::{self, StateFile, StateFileError};
use crate::store::Depot;

/// The number of sessions of one start of the machine that are kept. The oldest goes: it ended long
/// ago.
const MAX_SESSIONS: usize = 64;
/// The longest name of a session, in characters. The names of logind are short numbers.
const MAX_NAME: usize = 255;

/// `~/.local/state/pds/extensions/events/sessions`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct BegunSessions {
    /// The start of the machine that they belong to: a session has its name until the next one.
    #[serde(default)]
    boot: String,
    /// Their names, the newest at the end.
    #[serde(default)]
    sessions: Vec<String>,
}

impl StateFile for BegunSessions {
    const FORMAT: u32 = 1;
}

impl Depot {
    /// Keeps that a login session began, by its name and that of the start of the machine. Returns
    /// whether it had not before.
    ///
    /// ```
    /// use extension_depot::{Depot, Places};
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    ///
    /// let depot = Depot::new(Places::below(root));
    /// assert!(depot.begin_session("boot", "2")?);
    /// assert!(!depot.begin_session("boot", "2")?, "the service only restarts");
    /// assert!(depot.begin_session("next boot", "2")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read or written, or a newer sesame wrote it.
    pub fn begin_session(&self, boot: &str, session: &str) -> Result<bool, StateFileError> {
        let path = self.places().begun_sessions();
        // After damage a start can come twice. Without this none would come again.
        let kept: BegunSessions = state_file::read_or_begin(&path)?;
        let mut sessions = if kept.boot == boot { kept.sessions } else { Vec::new() };
        let name: String = session.chars().take(MAX_NAME).collect();
        if sessions.contains(&name) {
            return Ok(false);
        }
        let too_many = (sessions.len() + 1).saturating_sub(MAX_SESSIONS);
        sessions.drain(..too_many);
        sessions.push(name);
        state_file::write(&path, &BegunSessions { boot: boot.to_owned(), sessions })?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::Places;
    use crate::store::Depot;

    /// A damaged file is replaced, and later starts are kept.
    #[test]
    fn damaged_file_begins_anew() {
        let directory = tempfile::tempdir().expect("a directory");
        let depot = Depot::new(Places::below(directory.path()));
        assert!(depot.begin_session("boot", "2").expect("kept"));
        fs::write(depot.places().begun_sessions(), "{").expect("damaged");
        assert!(depot.begin_session("boot", "2").expect("begun anew"));
        assert!(!depot.begin_session("boot", "2").expect("kept"));
    }
}
