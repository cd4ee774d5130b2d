//! What the standard library does not offer on this target.

use wasip2::filesystem::preopens::get_directories;

/// Makes a link in the directory that was granted for it.
pub fn symbolic_link(target: &str, path: &str) -> Result<(), String> {
    for (directory, at) in get_directories() {
        if let Some(below) = path.strip_prefix(&at).and_then(|below| below.strip_prefix('/')) {
            return directory.symlink_at(target, below).map_err(|error| error.to_string());
        }
    }
    Err("no directory for it".to_owned())
}
