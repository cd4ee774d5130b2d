//! The places where shells look for completion scripts.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap_complete::Shell;

/// A file that a shell reads, and further steps for its user.
pub struct Place {
    pub path: PathBuf,
    /// A line for the shell's startup file, if the shell does not look there by itself.
    pub more: Option<String>,
}

/// Returns the shell of a path such as `/usr/bin/zsh`.
pub fn shell_of(path: &OsStr) -> Option<Shell> {
    Shell::from_str(Path::new(path).file_name()?.to_str()?, true).ok()
}

/// Returns the place of a shell's script for one user, or nothing for a shell without one. `data`
/// and `config` are the directories of the user's data and configuration.
pub fn place_of(shell: Shell, data: &Path, config: &Path) -> Option<Place> {
    match shell {
        Shell::Bash => {
            Some(Place { path: data.join("bash-completion/completions/sesame"), more: None })
        }
        Shell::Zsh => {
            let directory = data.join("zsh/site-functions");
            let more = format!(
                "put this into ~/.zshrc, before `compinit`: fpath=({} $fpath)",
                directory.display()
            );
            Some(Place { path: directory.join("_sesame"), more: Some(more) })
        }
        Shell::Fish => {
            Some(Place { path: config.join("fish/completions/sesame.fish"), more: None })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_is_known_by_its_path() {
        for (path, shell) in
            [("/usr/bin/zsh", Some(Shell::Zsh)), ("bash", Some(Shell::Bash)), ("/bin/csh", None)]
        {
            assert_eq!(shell_of(OsStr::new(path)), shell, "{path}");
        }
    }
}
