//! Commands that a person pastes into a shell.

use crate::ExtensionName;

/// Quotes a word for a shell, where it has a character that some shell changes.
///
/// ```
/// use core_types::shell_word;
///
/// assert_eq!(shell_word("events=custom.tick"), "events=custom.tick");
/// assert_eq!(shell_word("events=custom.*"), "'events=custom.*'");
/// assert_eq!(shell_word("it's"), r"'it'\''s'");
/// ```
pub fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:%+=@,".contains(c);
    let is_whole = !word.is_empty() && word.chars().all(is_plain);
    if is_whole { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Returns the command that gives an extension these grants.
///
/// ```
/// use core_types::grant_command;
///
/// let command = grant_command(&"notes".parse()?, ["notification", "filesystem=read:~/Notes"]);
/// assert_eq!(command, "sesame extension grant notes notification 'filesystem=read:~/Notes'");
/// # Ok::<(), core_types::NameError>(())
/// ```
pub fn grant_command<'a>(
    name: &ExtensionName,
    grants: impl IntoIterator<Item = &'a str>,
) -> String {
    grants.into_iter().fold(format!("sesame extension grant {name}"), |command, grant| {
        format!("{command} {}", shell_word(grant))
    })
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    /// Bash replaces `~` also behind `=` and `:`, and zsh fails where a pattern finds no file.
    #[test]
    fn words_reach_a_command_as_they_are() {
        for (word, quoted) in [
            ("filesystem=read:/srv/notes", "filesystem=read:/srv/notes"),
            ("filesystem=read:~/notes", "'filesystem=read:~/notes'"),
            ("filesystem=read:~/My notes", "'filesystem=read:~/My notes'"),
            ("network=https://*.example.org", "'network=https://*.example.org'"),
            ("env=$HOME", "'env=$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
