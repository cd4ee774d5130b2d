//! `file.changed`: files and the entries of directories, by inotify.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use core_types::ExtensionName;
use core_types::event::{EventType, EventValue, MAX_VALUE_BYTES, Settings};

use crate::delivery::{Arrival, Subscriber};
use crate::engine::{Inbox, milliseconds_now};
use crate::sources::source::Source;
use crate::sources::source_state::SourceState;
use crate::sources::watches::{Change, Watches};

/// Decides whether an extension may be told of a path that changed at this moment: the number of
/// deliveries that may have led to the change, or nothing where it may not.
pub type Show = dyn Fn(&ExtensionName, &Path, Instant) -> Option<u8> + Send + Sync;

/// Watches the files that extensions hear of.
///
/// A directory means its entries, and not those below them. A file is watched through its
/// directory, since most programs replace a file rather than write to it. A change is shown by its
/// path and its kind, and only where the extension may read the path at that moment.
pub struct Files {
    home: PathBuf,
    show: Arc<Show>,
    watched: Arc<Mutex<Watched>>,
    watches: Watches,
}

/// The paths that extensions hear of, each with its extensions.
#[derive(Debug, Default, PartialEq, Eq)]
struct Watched(BTreeMap<PathBuf, BTreeSet<ExtensionName>>);

impl Files {
    /// Makes a source that watches nothing yet. `show` is asked for each change.
    pub fn new(
        home: PathBuf,
        show: impl Fn(&ExtensionName, &Path, Instant) -> Option<u8> + Send + Sync + 'static,
    ) -> Self {
        Self { home, show: Arc::new(show), watched: Arc::default(), watches: Watches::default() }
    }
}

impl Source for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn listen(&mut self, subscribers: &[Subscriber], inbox: &Inbox) -> SourceState {
        let watched = Watched::by(subscribers, &self.home);
        let directories: BTreeSet<_> = watched.0.keys().map(|path| directory_of(path)).collect();
        let is_idle = directories.is_empty();
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = watched;
        let told = teller(&self.watched, &self.show, inbox);
        match self.watches.set(directories, told) {
            Ok(_) if is_idle => SourceState::Idle,
            Ok(_) => SourceState::Listening,
            Err(problem) => SourceState::Absent(format!("cannot watch {problem}")),
        }
    }
}

/// Makes the function that tells the engine of each change.
fn teller(
    watched: &Arc<Mutex<Watched>>,
    show: &Arc<Show>,
    inbox: &Inbox,
) -> impl Fn(Change) + Send + 'static {
    let (watched, show, inbox) = (watched.clone(), show.clone(), inbox.clone());
    move |change: Change| {
        let Change::Of { path, kind, at } = change else {
            // The engine looks anew, and has the directories watched that are there.
            let _ = inbox.changed();
            return;
        };
        let time = milliseconds_now();
        let watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.0.contains_key(&path) && path.is_dir() {
            // It has come, and its entries are to be watched from now on.
            let _ = inbox.changed();
        }
        let hearing: Vec<_> = watched.of(&path).cloned().collect();
        // The engine waits for this lock, and a file system can be slow.
        drop(watched);
        let arrivals = hearing.iter().filter_map(|name| {
            let depth = show(name, &path, at)?;
            Some(Arrival { depth, ..arrival(name, &path, kind, time)? })
        });
        for arrival in arrivals {
            // An engine that ended needs no events.
            let _ = inbox.put(arrival);
        }
    }
}

/// Makes the event. A path that is not text, or too long for a value, is left out of it.
fn arrival(name: &ExtensionName, path: &Path, kind: &str, time: u64) -> Option<Arrival> {
    let mut values = Vec::new();
    if let Some(path) = path.to_str().filter(|path| path.len() <= MAX_VALUE_BYTES) {
        values.push(("path", EventValue::Text(path.to_owned())));
    }
    values.push(("kind", EventValue::Text(kind.to_owned())));
    Arrival::to_one(name, EventType::FileChanged, values, time)
}

/// Returns the directory to watch for a path: itself, or the one that it lies in.
fn directory_of(path: &Path) -> PathBuf {
    if path.is_dir() { path.to_owned() } else { path.parent().unwrap_or(path).to_owned() }
}

impl Watched {
    fn by(subscribers: &[Subscriber], home: &Path) -> Self {
        let mut watched = Self::default();
        for subscriber in subscribers {
            let Some(Settings::File { paths }) = subscriber.settings_of(EventType::FileChanged)
            else {
                continue;
            };
            for path in paths {
                let path = path.as_granted().on_host(home);
                watched.0.entry(path).or_default().insert(subscriber.name.clone());
            }
        }
        watched
    }

    /// Iterates over the extensions that hear of a path: by its own name, or by its directory.
    fn of(&self, path: &Path) -> impl Iterator<Item = &ExtensionName> {
        let by_directory = path.parent().and_then(|directory| self.0.get(directory));
        self.0
            .get(path)
            .into_iter()
            .chain(by_directory)
            .flatten()
            .collect::<BTreeSet<_>>()
            .into_iter()
    }
}

#[cfg(test)]
mod tests;
