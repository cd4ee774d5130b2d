//! `file.changed`: files and the entries of directories, by inotify.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use core_types::ExtensionName;
use core_types::event::{EventType, EventValue, MAX_VALUE_BYTES, Settings};

use crate::delivery::{Arrival, Subscriber};
use crate::engine::{Inbox, milliseconds_now};
use crate::sources::source::Source;
use crate::sources::source_state::SourceState;
use crate::sources::watches::{Change, Watches};

/// Says whether an extension may be told of a path at this moment.
pub type MayShow = dyn Fn(&ExtensionName, &Path) -> bool + Send + Sync;

/// Watches the files that extensions hear of.
///
/// A directory means its entries, and not those below them. A file is watched through its
/// directory, since most programs replace a file rather than write to it. A change is shown by its
/// path and its kind, and only where the extension may read the path at that moment.
pub struct Files {
    home: PathBuf,
    may_show: Arc<MayShow>,
    watched: Arc<Mutex<Watched>>,
    watches: Watches,
}

/// The paths that extensions hear of, each with its extensions.
#[derive(Debug, Default, PartialEq, Eq)]
struct Watched(BTreeMap<PathBuf, BTreeSet<ExtensionName>>);

impl Files {
    /// Makes a source that watches nothing yet. `may_show` is asked for each change.
    pub fn new(
        home: PathBuf,
        may_show: impl Fn(&ExtensionName, &Path) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            home,
            may_show: Arc::new(may_show),
            watched: Arc::default(),
            watches: Watches::default(),
        }
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
        let told = teller(&self.watched, &self.may_show, inbox);
        match self.watches.set(directories, told) {
            Ok(()) if is_idle => SourceState::Idle,
            Ok(()) => SourceState::Listening,
            Err(problem) => SourceState::Absent(format!("cannot watch {problem}")),
        }
    }
}

/// Makes the function that tells the engine of each change.
fn teller(
    watched: &Arc<Mutex<Watched>>,
    may_show: &Arc<MayShow>,
    inbox: &Inbox,
) -> impl Fn(Change) + Send + 'static {
    let (watched, may_show, inbox) = (watched.clone(), may_show.clone(), inbox.clone());
    move |change: Change| {
        let Change::Of { path, kind } = change else {
            // The engine looks anew, and has the directories watched that are there.
            let _ = inbox.changed();
            return;
        };
        let time = milliseconds_now();
        let watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
        let hearing = watched.of(&path).filter(|name| may_show(name, &path));
        for arrival in hearing.filter_map(|name| arrival(name, &path, kind, time)) {
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
