//! The directories that a source watches.

use std::collections::BTreeSet;
use std::path::PathBuf;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

/// Watches of directories, without those below them. The watcher is there while one is wanted.
#[derive(Default)]
pub(crate) struct Watches {
    watcher: Option<RecommendedWatcher>,
    directories: BTreeSet<PathBuf>,
}

impl Watches {
    /// Watches these directories and no others. `told` is called for each change, on a thread of
    /// the watcher.
    ///
    /// # Errors
    /// When there is no watcher, or with each directory that cannot be watched. The others are.
    pub(crate) fn set<F>(&mut self, wanted: BTreeSet<PathBuf>, told: F) -> Result<(), String>
    where
        F: FnMut(notify::Result<Event>) + Send + 'static,
    {
        if wanted.is_empty() {
            *self = Self::default();
            return Ok(());
        }
        let watcher = match &mut self.watcher {
            Some(watcher) => watcher,
            watcher @ None => {
                let made = notify::recommended_watcher(told).map_err(|error| error.to_string())?;
                watcher.insert(made)
            }
        };
        for gone in self.directories.difference(&wanted) {
            // The kernel may have ended it with the directory.
            let _ = watcher.unwatch(gone);
        }
        self.directories.retain(|directory| wanted.contains(directory));
        let mut problems = Vec::new();
        for directory in wanted {
            if self.directories.contains(&directory) {
                continue;
            }
            match watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.directories.insert(directory)),
                Err(error) => problems.push(format!("`{}`: {error}", directory.display())),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join(", ")) }
    }
}
