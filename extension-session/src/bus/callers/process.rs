//! A look at a process: its sandbox, and its executable.
//!
//! A sandbox is told by the marks of its maker: Flatpak puts a file at the root of the process's
//! file system (<https://docs.flatpak.org/en/latest/sandbox-permissions.html>), Snap the name of
//! its security profile, other tools a user namespace of its own.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

use core_types::ApplicationId;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;

use super::caller::Standing;

/// The largest file of a sandbox that is read, in bytes; Flatpak writes some hundred.
const MAX_INFO: u64 = 64 << 10;
/// The largest file of a process that is read, in bytes.
const MAX_STAT: u64 = 4 << 10;

/// A process, as the bus describes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process<'a> {
    /// Its number.
    pub id: u32,
    /// A descriptor that stands for the process alone, where the bus gives one.
    pub fd: Option<BorrowedFd<'a>>,
    /// Its label of security.
    pub label: Option<&'a [u8]>,
}

/// The result of a look at a process.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub standing: Standing,
    pub executable: Option<String>,
}

impl Process<'_> {
    /// Looks at the process. What cannot be seen counts as a sandbox without an id.
    pub(super) fn look(self) -> Seen {
        let directory = PathBuf::from(format!("/proc/{}", self.id));
        let begun = start_of(&directory);
        let seen = Seen {
            standing: self.standing(&directory).unwrap_or(Standing::Sandboxed(None)),
            executable: executable_of(&directory),
        };
        // The number may be another process's by now, and so may the look.
        if begun.is_some() && begun == start_of(&directory) && self.is_alive() {
            seen
        } else {
            Seen { standing: Standing::Sandboxed(None), executable: None }
        }
    }

    fn standing(self, directory: &Path) -> io::Result<Standing> {
        if let Some(id) = self.label.and_then(snap_of) {
            return Ok(Standing::Sandboxed(id));
        }
        if let Some(id) = flatpak_of(directory)? {
            return Ok(Standing::Sandboxed(id));
        }
        let namespace = |process: &Path| process.join("ns/user").read_link();
        Ok(match namespace(directory)? == namespace(Path::new("/proc/self"))? {
            true => Standing::Outside,
            false => Standing::Sandboxed(None),
        })
    }

    /// Tells whether the process still runs, as far as there is a descriptor that tells it.
    fn is_alive(self) -> bool {
        let Some(fd) = self.fd else { return true };
        let numbered = fd_process(fd) == Some(self.id);
        let mut polled = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
        // It becomes readable when the process ends.
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        numbered && poll(&mut polled, Some(&now)).is_ok_and(|ready| ready == 0)
    }
}

/// Returns the number of the process that a descriptor stands for.
fn fd_process(fd: BorrowedFd<'_>) -> Option<u32> {
    let info = read_text(&PathBuf::from(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())))?;
    info.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok())
}

/// Returns the moment at which a process began, which tells it from a later one of the same number.
fn start_of(directory: &Path) -> Option<String> {
    let stat = read_text(&directory.join("stat"))?;
    // The name of the program, in parentheses, can hold spaces and parentheses.
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(19).map(str::to_owned)
}

fn read_text(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_STAT).read_to_string(&mut text).ok()?;
    Some(text)
}

fn executable_of(directory: &Path) -> Option<String> {
    directory.join("exe").read_link().ok()?.to_str().map(str::to_owned)
}

/// Returns the application that the label of a Snap names, as in `snap.firefox.firefox (enforce)`.
fn snap_of(label: &[u8]) -> Option<Option<ApplicationId>> {
    let text = String::from_utf8_lossy(label);
    let name = text.trim_end_matches('\0').strip_prefix("snap.")?;
    Some(name.split(['.', ' ']).next().and_then(|name| name.parse().ok()))
}

/// Returns the application of a Flatpak, by the file at the root of the process. Neither a root
/// that cannot be opened nor a file that cannot be read means that there is no sandbox.
fn flatpak_of(directory: &Path) -> io::Result<Option<Option<ApplicationId>>> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(directory.join("root"), flags, Mode::empty())?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let info = match openat(&root, ".flatpak-info", flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        opened => opened?,
    };
    let mut text = String::new();
    // Text that cannot be read is that of a sandbox all the same.
    let read = File::from(info).take(MAX_INFO).read_to_string(&mut text);
    Ok(Some(read.ok().and_then(|_| application_of(&text))))
}

/// Returns the name in the group `[Application]` of `.flatpak-info`.
fn application_of(info: &str) -> Option<ApplicationId> {
    let mut lines = info.lines().map(str::trim);
    lines.find(|line| *line == "[Application]")?;
    let group = lines.take_while(|line| !line.starts_with('['));
    let mut names = group.filter_map(|line| line.split_once('='));
    names.find(|(key, _)| key.trim() == "name")?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use super::*;

    fn process(id: u32, label: Option<&[u8]>) -> Process<'_> {
        Process { id, fd: None, label }
    }

    #[test]
    fn own_process_is_outside() {
        let id = std::process::id();
        let seen = process(id, None).look();
        assert_eq!(seen.standing, Standing::Outside);
        assert_eq!(
            seen.executable,
            std::env::current_exe().ok().map(|it| it.display().to_string())
        );
        let fd =
            pidfd_open(Pid::from_raw(id.cast_signed()).expect("a number"), PidfdFlags::empty());
        let fd = fd.expect("a descriptor");
        let with_fd = |id| Process { id, fd: Some(fd.as_fd()), label: None }.look().standing;
        assert_eq!(with_fd(id), Standing::Outside);
        assert_eq!(with_fd(1), Standing::Sandboxed(None), "the descriptor is another process's");
    }

    /// An ended process, one that never was, and one behind a descriptor that has ended are all
    /// refused.
    #[test]
    fn unseen_process_is_sandboxed() {
        assert_eq!(process(u32::MAX, None).look().standing, Standing::Sandboxed(None));
        let mut child = std::process::Command::new("true").spawn().expect("started");
        let id = child.id();
        let fd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).expect("a descriptor");
        // Waited for by its descriptor, so that its number is still taken.
        let mut polled = [PollFd::new(&fd, PollFlags::IN)];
        poll(&mut polled, None).expect("ended");
        let standing = Process { id, fd: Some(fd.as_fd()), label: None }.look().standing;
        assert_eq!(standing, Standing::Sandboxed(None));
        child.wait().expect("ended");
        // Another process has taken the number meanwhile.
        let reused = Process { id: std::process::id(), fd: Some(fd.as_fd()), label: None };
        assert_eq!(reused.look().standing, Standing::Sandboxed(None));
    }

    #[test]
    fn snap_is_told_by_its_label() {
        let of = |label: &[u8]| process(std::process::id(), Some(label)).look().standing;
        let firefox = "firefox".parse().ok();
        assert_eq!(of(b"snap.firefox.firefox (enforce)\0"), Standing::Sandboxed(firefox.clone()));
        assert_eq!(of(b"snap.firefox\0"), Standing::Sandboxed(firefox));
        assert_eq!(of(b"snap./x\0"), Standing::Sandboxed(None));
        assert_eq!(of(b"unconfined\0"), Standing::Outside);
        assert_eq!(of(b"\xff\0"), Standing::Outside);
    }

    #[test]
    fn flatpak_is_told_by_its_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("root");
        assert!(flatpak_of(directory.path()).is_err(), "an unreadable root is not an absent file");
        std::fs::create_dir(&root).expect("made");
        assert_eq!(flatpak_of(directory.path()).expect("read"), None);
        let info = root.join(".flatpak-info");
        for (text, id) in [
            (
                "[Instance]\nname=x\n[Application]\n runtime=y\nname = org.gnome.Maps \n",
                "org.gnome.Maps",
            ),
            ("[Application]\nruntime=y\n[Context]\nname=org.gnome.Maps\n", ""),
            ("name=org.gnome.Maps\n", ""),
            ("[Application]\nname=../x\n", ""),
            ("", ""),
        ] {
            std::fs::write(&info, text).expect("written");
            assert_eq!(
                flatpak_of(directory.path()).expect("read"),
                Some(id.parse().ok()),
                "{text}"
            );
        }
        std::fs::write(&info, b"\xff").expect("written");
        assert_eq!(flatpak_of(directory.path()).expect("read"), Some(None));
        std::fs::remove_file(&info).expect("removed");
        std::os::unix::fs::symlink("/dev/null", &info).expect("linked");
        assert!(flatpak_of(directory.path()).is_err(), "a link is not followed");
    }
}
