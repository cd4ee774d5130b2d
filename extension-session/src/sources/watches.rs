//! The directories that a source watches, by
//! [inotify](https://man7.org/linux/man-pages/man7/inotify.7.html).
//!
//! The kernel is asked for changes alone. The library that `sesame extension dev` has asks for each
//! opening of a file as well: a watch of `/etc` would then wake the service with every program that
//! starts.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::inotify::{self, CreateFlags, Event, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// The bytes of changes that are read at once: some hundred.
const BUFFER: usize = 16 << 10;
/// Everything that changes an entry of a directory, or the directory itself.
const CHANGES: WatchFlags = WatchFlags::ATTRIB
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// A change below a watched directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Something became of this path. The moment is not later than that at which the kernel told of it.
    Of { path: PathBuf, kind: &'static str, at: Instant },
    /// Changes got lost, or a directory is not watched any more: anything may be different.
    Lost,
}

/// Watches of directories, without those below them. There is a thread while one is wanted.
#[derive(Default)]
pub(crate) struct Watches(Option<Watcher>);

/// A watcher with its thread, which ends with this.
struct Watcher {
    shared: Arc<Shared>,
    stop: Arc<OwnedFd>,
}

struct Shared {
    inotify: OwnedFd,
    /// The directories by the number that the kernel gives each. Two paths of one directory have
    /// the same.
    directories: Mutex<HashMap<i32, BTreeSet<PathBuf>>>,
}

impl Watches {
    /// Watches these directories and no others. `told` is called for each change, on a thread of
    /// the watcher. Returns whether one of them was not watched before.
    ///
    /// # Errors
    /// When there is no watcher, or with each directory that cannot be watched. The others are.
    pub(crate) fn set<F>(&mut self, wanted: BTreeSet<PathBuf>, told: F) -> Result<bool, String>
    where
        F: Fn(Change) + Send + 'static,
    {
        if wanted.is_empty() {
            self.0 = None;
            return Ok(false);
        }
        let watcher = match &mut self.0 {
            Some(watcher) => watcher,
            none => none.insert(Watcher::start(told).map_err(|error| error.to_string())?),
        };
        watcher.shared.watch(wanted)
    }
}

impl Watcher {
    fn start(told: impl Fn(Change) + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            inotify: inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?,
            directories: Mutex::default(),
        });
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC)?);
        let (reading, stopped) = (shared.clone(), stop.clone());
        let thread = std::thread::Builder::new().name("watches".to_owned());
        thread.spawn(move || reading.read(&stopped, told))?;
        Ok(Self { shared, stop })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
    }
}

impl Shared {
    /// A panic of another thread leaves whole entries.
    fn directories(&self) -> MutexGuard<'_, HashMap<i32, BTreeSet<PathBuf>>> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches these directories and no others. Returns whether one of them is new.
    fn watch(&self, wanted: BTreeSet<PathBuf>) -> Result<bool, String> {
        let mut directories = self.directories();
        directories.retain(|number, paths| {
            paths.retain(|path| wanted.contains(path));
            // The kernel may have ended it with the directory.
            let _ = paths.is_empty().then(|| inotify::remove_watch(&self.inotify, *number));
            !paths.is_empty()
        });
        let watched: BTreeSet<_> = directories.values().flatten().cloned().collect();
        let mut problems = Vec::new();
        let is_new = !wanted.is_subset(&watched);
        for path in wanted.difference(&watched) {
            match inotify::add_watch(&self.inotify, path, CHANGES) {
                Ok(number) => drop(directories.entry(number).or_default().insert(path.clone())),
                Err(error) => problems.push(format!("`{}`: {error}", path.display())),
            }
        }
        if problems.is_empty() { Ok(is_new) } else { Err(problems.join(", ")) }
    }

    /// Tells each change until the watcher is stopped.
    fn read(&self, stop: &OwnedFd, told: impl Fn(Change)) {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        let mut at = Instant::now();
        loop {
            match reader.next() {
                Ok(event) => self.changes(&event, at).into_iter().for_each(&told),
                Err(Errno::AGAIN | Errno::INTR) => {
                    if !self.wait(stop) {
                        return;
                    }
                    at = Instant::now();
                }
                // Without a reader nothing is known any more.
                Err(_) => return told(Change::Lost),
            }
        }
    }

    /// Waits for changes. Returns false when the watcher is stopped.
    fn wait(&self, stop: &OwnedFd) -> bool {
        let mut fds = [PollFd::new(stop, PollFlags::IN), PollFd::new(&self.inotify, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) => !fds[0].revents().contains(PollFlags::IN),
            Err(error) => error == Errno::INTR,
        }
    }

    /// Translates an event of the kernel.
    fn changes(&self, event: &Event<'_>, at: Instant) -> Vec<Change> {
        let flags = event.events();
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            return vec![Change::Lost];
        }
        if flags.contains(ReadFlags::IGNORED) {
            // The directory is gone. One that is made again in its place is not watched yet.
            let gone = self.directories().remove(&event.wd());
            return gone.map(|_| Change::Lost).into_iter().collect();
        }
        let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()).to_owned());
        let paths = self.directories().get(&event.wd()).cloned().unwrap_or_default();
        let path = |directory: PathBuf| match &name {
            Some(name) => directory.join(name),
            None => directory,
        };
        let kind = kind_of(flags);
        paths.into_iter().map(|directory| Change::Of { path: path(directory), kind, at }).collect()
    }
}

/// The change in the words of `file.changed`.
fn kind_of(flags: ReadFlags) -> &'static str {
    if flags.intersects(ReadFlags::MOVED_FROM | ReadFlags::MOVED_TO | ReadFlags::MOVE_SELF) {
        "renamed"
    } else if flags.contains(ReadFlags::CREATE) {
        "created"
    } else if flags.intersects(ReadFlags::DELETE | ReadFlags::DELETE_SELF) {
        "removed"
    } else {
        "changed"
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::{Change, Watches};
    use crate::testing::LONG;

    fn watching(directory: &Path) -> (Watches, Receiver<Change>) {
        let (told, changes) = channel();
        let mut watches = Watches::default();
        let wanted = BTreeSet::from([directory.to_owned()]);
        watches.set(wanted, move |change| drop(told.send(change))).expect("watched");
        (watches, changes)
    }

    /// Waits for a change of this kind.
    fn told(changes: &Receiver<Change>, path: &Path, kind: &'static str) {
        let is_wanted = |change: Change| match change {
            Change::Of { path: changed, kind: told, .. } => (&*changed, told) == (path, kind),
            Change::Lost => false,
        };
        while !is_wanted(changes.recv_timeout(LONG).expect("a change")) {}
    }

    #[test]
    fn each_change_has_its_kind() {
        let directory = tempfile::tempdir().expect("a directory");
        let (_watches, changes) = watching(directory.path());
        let [one, two] = ["one", "two"].map(|name| directory.path().join(name));
        fs::write(&one, "x").expect("written");
        told(&changes, &one, "created");
        told(&changes, &one, "changed");
        fs::rename(&one, &two).expect("renamed");
        told(&changes, &one, "renamed");
        told(&changes, &two, "renamed");
        fs::remove_file(&two).expect("removed");
        told(&changes, &two, "removed");
    }

    /// Reading tells nothing, and a thread ends with its watches.
    #[test]
    fn reading_is_no_change() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        fs::write(&file, "x").expect("written");
        let (watches, changes) = watching(directory.path());
        fs::read(&file).expect("read");
        fs::read_dir(directory.path()).expect("listed").for_each(drop);
        assert!(changes.recv_timeout(Duration::from_millis(200)).is_err());
        drop(watches);
        assert!(changes.recv_timeout(LONG).is_err(), "the thread has ended");
    }

    /// A directory that is made again in its place is said to be lost, and watched when it is
    /// wanted again.
    #[test]
    fn made_again_is_watched_again() {
        let above = tempfile::tempdir().expect("a directory");
        let directory = above.path().join("notes");
        fs::create_dir(&directory).expect("made");
        let (mut watches, changes) = watching(&directory);
        fs::remove_dir(&directory).expect("removed");
        fs::create_dir(&directory).expect("made");
        while changes.recv_timeout(LONG).expect("a change") != Change::Lost {}
        let wanted = BTreeSet::from([directory.clone()]);
        watches.set(wanted, |_| unreachable!("the watcher is there")).expect("watched");
        fs::write(directory.join("a"), "x").expect("written");
        told(&changes, &directory.join("a"), "created");
    }

    #[test]
    fn missing_directory_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let wanted = [directory.path().to_owned(), directory.path().join("gone")];
        let mut watches = Watches::default();
        let problem = watches.set(wanted.into(), |_| {}).expect_err("one is missing");
        assert!(problem.contains("gone`"), "{problem}");
    }
}
