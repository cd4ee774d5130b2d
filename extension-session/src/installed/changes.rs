//! Changes of manifests, grants, policies and the zone of the machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use crate::delivery::Subscriber;
use crate::engine::Inbox;
use crate::sources::{Source, SourceState};

/// The directory and the file by which the machine says in which zone it is.
const ZONE: (&str, &str) = ("/etc", "localtime");
/// The time between two looks where nothing can be watched.
const SCAN: Duration = Duration::from_secs(1);

/// Watches the files that decide what may wake an extension. It tells the engine that something may
/// have changed, and the engine looks.
pub struct Changes {
    directories: Vec<PathBuf>,
    watcher: Option<RecommendedWatcher>,
    state: SourceState,
}

impl Changes {
    /// Makes a source of these directories. Those that are not there are not watched: what comes
    /// later is seen with the next change of another one.
    pub fn of(directories: Vec<PathBuf>) -> Self {
        Self { directories, watcher: None, state: SourceState::Idle }
    }

    fn start(&mut self, inbox: &Inbox) -> Result<(), notify::Error> {
        let told = inbox.clone();
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                tell(event, &told);
            })?;
        for directory in self.directories.iter().map(PathBuf::as_path).chain([ZONE.0.as_ref()]) {
            if directory.is_dir() {
                watcher.watch(directory, RecursiveMode::NonRecursive)?;
            }
        }
        self.watcher = Some(watcher);
        Ok(())
    }
}

/// Tells the engine of a change. A change that got lost may be any.
fn tell(event: notify::Result<notify::Event>, inbox: &Inbox) {
    let zone = Path::new(ZONE.0).join(ZONE.1);
    let (is_zone, is_other) = match event {
        Ok(event) if event.kind.is_access() => (false, false),
        Ok(event) if event.need_rescan() => (true, true),
        Ok(event) => {
            let is_other = |path: &PathBuf| path.parent() != Some(ZONE.0.as_ref());
            (event.paths.contains(&zone), event.paths.iter().any(is_other))
        }
        Err(_) => (true, true),
    };
    // An engine that ended needs to know nothing.
    if is_zone {
        let _ = inbox.zone_changed();
    }
    if is_other {
        let _ = inbox.changed();
    }
}

/// Looks again and again, until the engine has ended.
fn scan(inbox: Inbox) {
    let scanning = move || {
        while inbox.zone_changed().and_then(|()| inbox.changed()).is_ok() {
            std::thread::sleep(SCAN);
        }
    };
    // Without a thread nothing is seen, which the state of the source says already.
    let _ = std::thread::Builder::new().name("scan".to_owned()).spawn(scanning);
}

impl Source for Changes {
    fn name(&self) -> &'static str {
        "changes"
    }

    fn listen(&mut self, _: &[Subscriber], inbox: &Inbox) -> SourceState {
        if self.state == SourceState::Idle {
            self.state = match self.start(inbox) {
                Ok(()) => SourceState::Listening,
                Err(error) => {
                    scan(inbox.clone());
                    SourceState::Absent(format!(
                        "cannot watch files, and looks once a second: {error}"
                    ))
                }
            };
        }
        self.state.clone()
    }
}
