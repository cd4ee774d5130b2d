//! Decides again after a change by another process.
//!
//! Between a decision and its commit lie downloads, compilers and people. The depot compares the
//! basis of a decision under its lock, and refuses where it has changed; then the decision is made
//! again on the present state. This is the only place that does so.

use core_types::ExtensionName;
use extension_depot::ChangedMeanwhile;

/// How often it is decided: others that keep changing an extension do not keep this process busy
/// for ever.
const MAX_ROUNDS: usize = 5;

/// The outcome of one round.
pub(crate) enum Round<T> {
    /// The decision was carried out.
    Done(T),
    /// Its basis has changed.
    Changed,
}

/// Decides, and decides again as long as another process changes the basis. Each round reads the
/// basis anew.
///
/// # Errors
/// With the first error of a round, and [`ChangedMeanwhile`] when the last round was too late as
/// well.
pub(crate) fn until_it_holds<T, E: From<ChangedMeanwhile>>(
    name: &ExtensionName,
    mut round: impl FnMut() -> Result<Round<T>, E>,
) -> Result<T, E> {
    for _ in 0..MAX_ROUNDS {
        if let Round::Done(done) = round()? {
            return Ok(done);
        }
    }
    Err(ChangedMeanwhile { name: name.clone() }.into())
}

impl<T> Round<T> {
    /// Tells a change by another process, which `is_change` knows, from other errors of a commit.
    pub(crate) fn of<E>(
        committed: Result<T, E>,
        is_change: impl FnOnce(&E) -> bool,
    ) -> Result<Self, E> {
        match committed {
            Ok(done) => Ok(Self::Done(done)),
            Err(error) if is_change(&error) => Ok(Self::Changed),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    enum CommitError {
        Changed,
        Other,
    }

    impl From<ChangedMeanwhile> for CommitError {
        fn from(_: ChangedMeanwhile) -> Self {
            Self::Changed
        }
    }

    fn name() -> ExtensionName {
        "x".parse().expect("a name")
    }

    fn round<T>(committed: Result<T, CommitError>) -> Result<Round<T>, CommitError> {
        Round::of(committed, |error| matches!(error, CommitError::Changed))
    }

    /// Runs until the round that is given ends without a change. Returns the number of rounds.
    fn rounds(changes: usize) -> (Result<usize, CommitError>, usize) {
        let mut done = 0;
        let one = || {
            done += 1;
            round(if done > changes { Ok(done) } else { Err(CommitError::Changed) })
        };
        let result = until_it_holds(&name(), one);
        (result, done)
    }

    #[test]
    fn changed_basis_is_decided_again() {
        for changes in 0..MAX_ROUNDS {
            assert!(matches!(rounds(changes), (Ok(done), _) if done == changes + 1), "{changes}");
        }
    }

    #[test]
    fn endless_changes_end() {
        let (result, done) = rounds(usize::MAX);
        assert!(matches!(result, Err(CommitError::Changed)), "{result:?}");
        assert_eq!(done, MAX_ROUNDS);
    }

    #[test]
    fn other_error_ends_at_once() {
        let mut done = 0;
        let one = || {
            done += 1;
            round::<()>(Err(CommitError::Other))
        };
        let result = until_it_holds(&name(), one);
        assert!(matches!(result, Err(CommitError::Other)), "{result:?}");
        assert_eq!(done, 1);
    }
}
