//! Decides again after a change by another process.
//!
//! Between a decision and its commit lie downloads, compilers and people. The depot compares the
//! basis of a decision under its lock, and refuses with [`DepotError::Changed`]; then the decision
//! is made again on the present state. This is the only place that does so.

use core_types::ExtensionName;
use extension_depot::DepotError;

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
/// With the first error of a round, and [`DepotError::Changed`] when the last round was too late as
/// well.
pub(crate) fn until_it_holds<T, E>(
    name: &ExtensionName,
    mut round: impl FnMut() -> Result<Round<T>, E>,
    of_depot: impl FnOnce(DepotError) -> E,
) -> Result<T, E> {
    for _ in 0..MAX_ROUNDS {
        if let Round::Done(done) = round()? {
            return Ok(done);
        }
    }
    Err(of_depot(DepotError::Changed { name: name.clone() }))
}

impl<T> Round<T> {
    /// Tells a change by another process from other errors of a commit.
    pub(crate) fn of(committed: Result<T, DepotError>) -> Result<Self, DepotError> {
        match committed {
            Ok(done) => Ok(Self::Done(done)),
            Err(DepotError::Changed { .. }) => Ok(Self::Changed),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> ExtensionName {
        "x".parse().expect("a name")
    }

    /// Runs until the round that is given ends without a change. Returns the number of rounds.
    fn rounds(changes: usize) -> (Result<usize, DepotError>, usize) {
        let mut done = 0;
        let round = || {
            done += 1;
            Round::of(if done > changes {
                Ok(done)
            } else {
                Err(DepotError::Changed { name: name() })
            })
        };
        let result = until_it_holds(&name(), round, |error| error);
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
        assert!(matches!(result, Err(DepotError::Changed { .. })), "{result:?}");
        assert_eq!(done, MAX_ROUNDS);
    }

    #[test]
    fn other_error_ends_at_once() {
        let mut done = 0;
        let round = || {
            done += 1;
            Round::<()>::of(Err(DepotError::NotFound { name: name() }))
        };
        let result = until_it_holds(&name(), round, |error| error);
        assert!(matches!(result, Err(DepotError::NotFound { .. })), "{result:?}");
        assert_eq!(done, 1);
    }
}
