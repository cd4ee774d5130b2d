//! Changes of manifests, grants, policies and the zone of the machine.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::delivery::Subscriber;
use crate::engine::Inbox;
use crate::sources::{Change, Source, SourceState, Watches};

/// The directory and the file by which the machine says in which zone it is.
const ZONE: (&str, &str) = ("/etc", "localtime");
/// The time between two looks where nothing can be watched.
const SCAN: Duration = Duration::from_secs(1);

/// Watches the files that decide what may wake an extension. It tells the engine that something may
/// have changed, and the engine looks.
pub struct Changes {
    directories: Arc<[PathBuf]>,
    watches: Watches,
    /// There as long as nothing can be watched. The thread that looks ends with it.
    scanning: Option<Arc<()>>,
}

impl Changes {
    /// Makes a source of these directories. Of one that is not there, the nearest that is there is
    /// watched until it comes.
    pub fn of(directories: Vec<PathBuf>) -> Self {
        Self { directories: directories.into(), watches: Watches::default(), scanning: None }
    }

    /// Watches those of the directories that are there now.
    fn watch(&mut self, inbox: &Inbox) -> Result<(), String> {
        let there = self.directories.iter().filter_map(|directory| nearest(directory));
        let wanted = there.chain([PathBuf::from(ZONE.0)]).collect();
        let (telling, directories) = (inbox.clone(), self.directories.clone());
        let is_new =
            self.watches.set(wanted, move |change| tell(&change, &directories, &telling))?;
        // A file can have come before the watch. Another look sees it.
        if is_new {
            let _ = inbox.changed();
        }
        Ok(())
    }
}

/// Returns a directory, or the nearest one above it that is there.
fn nearest(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().find(|above| above.is_dir()).map(Path::to_owned)
}

/// Tells the engine of a change. A change that got lost may be any.
fn tell(change: &Change, directories: &[PathBuf], inbox: &Inbox) {
    let (is_zone, is_other) = match change {
        Change::Of { path, .. } => {
            let is_decisive = |own: &PathBuf| path.parent() == Some(own) || own.starts_with(path);
            let is_zone = *path == Path::new(ZONE.0).join(ZONE.1);
            (is_zone, directories.iter().any(is_decisive))
        }
        Change::Lost => (true, true),
    };
    // An engine that ended needs to know nothing.
    if is_zone {
        let _ = inbox.zone_changed();
    }
    if is_other {
        let _ = inbox.changed();
    }
}

/// Looks again and again, until files can be watched or the engine has ended.
fn scan(inbox: Inbox, wanted: Weak<()>) {
    let scanning = move || {
        while wanted.strong_count() > 0
            && inbox.zone_changed().and_then(|()| inbox.changed()).is_ok()
        {
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
        match self.watch(inbox) {
            Ok(()) => {
                self.scanning = None;
                SourceState::Listening
            }
            Err(error) => {
                if self.scanning.is_none() {
                    let scanning = self.scanning.insert(Arc::new(()));
                    scan(inbox.clone(), Arc::downgrade(scanning));
                }
                SourceState::Absent(format!("cannot watch files, and looks once a second: {error}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::Wake;
    use crate::engine::Engine;
    use crate::testing::{Changing, LONG, parts, subscriber};

    /// The thread that looks is there as long as it is wanted, since it wakes the machine.
    #[test]
    fn looking_ends() {
        let extensions = Changing::default();
        let (parts, _delivered) = parts(&extensions, Vec::new());
        let engine = Engine::start(parts).expect("an engine");
        let before = extensions.looks();
        let wanted = Arc::new(());
        scan(engine.inbox(), Arc::downgrade(&wanted));
        let begun = Instant::now();
        while extensions.looks() < before + 2 {
            assert!(begun.elapsed() < LONG, "it does not look");
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(wanted);
        std::thread::sleep(2 * SCAN);
        let after = extensions.looks();
        std::thread::sleep(2 * SCAN);
        assert_eq!(extensions.looks(), after, "it looks on");
    }

    /// A change that got lost may be that of a manifest: the engine looks.
    #[test]
    fn lost_change_may_be_any() {
        let extensions = Changing::default();
        let (parts, _delivered) = parts(&extensions, Vec::new());
        let engine = Engine::start(parts).expect("an engine");
        let known = || engine.status().expect("it runs").extensions.len();
        assert_eq!(known(), 0);
        let wake = Wake::by("custom.tick".parse().expect("a pattern"));
        extensions.set(vec![subscriber("ticks", vec![wake])]);
        tell(&Change::Lost, &[], &engine.inbox());
        let begun = Instant::now();
        while known() == 0 {
            assert!(begun.elapsed() < LONG, "it does not look");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
