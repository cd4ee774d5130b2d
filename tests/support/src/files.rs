//! Directories of files: found, and copied.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the files of a directory and of those below it, in order.
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Returns the Rust files of a directory and of those below it, in order.
pub fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = files_below(directory);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files
}

/// Copies a directory, without those below it that have one of these names.
pub fn copy_directory(from: &Path, to: &Path, without: &[&str]) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a directory").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_file() {
            fs::copy(path, to.join(name)).expect("copied");
        } else if path.is_dir() && !without.iter().any(|without| name == **without) {
            copy_directory(&path, &to.join(name), without);
        }
    }
}
