//! The path to an open file or directory.

use std::os::fd::AsRawFd;
use std::path::PathBuf;

/// Returns a path to exactly this open file, even if its name leads elsewhere by now. It is a link
/// of the kernel to the name that the file has now.
pub(crate) fn held_path(file: &impl AsRawFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
