//! Notes: the files of one directory, one for each day.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::date::Date;

/// The part of a setting that stands for the day.
const DAY: &str = "{date}";
/// The largest note that is read, in bytes, so that memory suffices for any file.
const MAX_NOTE: u64 = 1 << 20;

/// The notes of one directory.
pub struct Notes<'a> {
    /// The directory.
    pub directory: &'a Path,
    /// The name of a file, with the day in it.
    pub file: &'a str,
    /// The first line of a new note, with the day in it. Without text, there is none.
    pub heading: &'a str,
}

/// Why a note cannot be read or written. Each message names the way out.
#[derive(Debug, PartialEq, Eq)]
pub enum NoteError {
    NoDirectory(String),
    NoNote(Date),
    TooLarge(String),
    BadName(String),
    Failed(String),
}

impl std::fmt::Display for NoteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoDirectory(why) => write!(
                f,
                "cannot open the directory of notes: {why}; make it with `mkdir ~/Notes`, and \
                 allow it with `sesame extension grant daily-note \
                 filesystem=write:~/Notes::/notes`"
            ),
            Self::NoNote(date) => {
                write!(f, "there is not a note of {date}: sesame call daily-note days")
            }
            Self::TooLarge(file) => write!(f, "`{file}` is longer than {MAX_NOTE} bytes"),
            Self::BadName(file) => write!(
                f,
                "the setting `file` is `{file}`, and it is the name of one file with `{{date}}` \
                 in it: sesame extension set daily-note file={{date}}.md"
            ),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl Notes<'_> {
    /// Appends a line to the note of a day. A line that is missing its end gets it first.
    pub fn add(&self, date: Date, line: &str) -> Result<(), NoteError> {
        self.check_directory()?;
        let path = self.path(date)?;
        let before = self.read(&path)?;
        let mut text = match &before {
            None if self.heading.is_empty() => String::new(),
            None => format!("{}\n\n", self.heading.replace(DAY, &date.to_string())),
            Some(before) if before.is_empty() || before.ends_with('\n') => String::new(),
            Some(_) => "\n".to_owned(),
        };
        text.push_str(line);
        text.push('\n');
        let opened = OpenOptions::new().append(true).create(true).open(&path);
        opened
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| failed("write", &path, &error))
    }

    /// Returns the note of a day.
    pub fn show(&self, date: Date) -> Result<String, NoteError> {
        self.check_directory()?;
        self.read(&self.path(date)?)?.ok_or(NoteError::NoNote(date))
    }

    /// Returns the days that have a note, the newest first.
    pub fn days(&self) -> Result<Vec<Date>, NoteError> {
        let (prefix, suffix) = self.name()?;
        let entries = fs::read_dir(self.directory).map_err(|error| no_directory(&error))?;
        let mut days = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| no_directory(&error))?.file_name();
            let name = name.to_string_lossy();
            let day = name.strip_prefix(prefix).and_then(|name| name.strip_suffix(suffix));
            days.extend(day.and_then(Date::parse));
        }
        days.sort_unstable_by(|one, other| other.cmp(one));
        Ok(days)
    }

    /// Returns the lines that contain a text in upper or lower case, with their days.
    pub fn search(&self, text: &str) -> Result<Vec<(Date, String)>, NoteError> {
        let wanted = text.to_lowercase();
        let mut found = Vec::new();
        for date in self.days()? {
            let note = self.read(&self.path(date)?)?.unwrap_or_default();
            let lines = note.lines().filter(|line| line.to_lowercase().contains(&wanted));
            found.extend(lines.map(|line| (date, line.to_owned())));
        }
        Ok(found)
    }

    /// Tells a directory that is missing or not granted from a note that is missing.
    fn check_directory(&self) -> Result<(), NoteError> {
        fs::read_dir(self.directory).map(drop).map_err(|error| no_directory(&error))
    }

    fn path(&self, date: Date) -> Result<PathBuf, NoteError> {
        let (prefix, suffix) = self.name()?;
        Ok(self.directory.join(format!("{prefix}{date}{suffix}")))
    }

    /// Returns the parts of a file's name around the day.
    fn name(&self) -> Result<(&str, &str), NoteError> {
        let parts = self.file.split_once(DAY);
        let is_one_name = !self.file.contains(['/', '\0']) && !self.file.starts_with('.');
        parts.filter(|_| is_one_name).ok_or_else(|| NoteError::BadName(self.file.to_owned()))
    }

    fn read(&self, path: &Path) -> Result<Option<String>, NoteError> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", path, &error)),
            Ok(metadata) if metadata.len() > MAX_NOTE => {
                return Err(NoteError::TooLarge(path.display().to_string()));
            }
            Ok(_) => {}
        }
        let bytes = fs::read(path).map_err(|error| failed("read", path, &error))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> NoteError {
    NoteError::Failed(format!("cannot {what} `{}`: {error}", path.display()))
}

fn no_directory(error: &io::Error) -> NoteError {
    NoteError::NoDirectory(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).expect(text)
    }

    /// An empty directory of its own for each test.
    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("daily-note-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("made");
        path
    }

    fn notes(directory: &Path) -> Notes<'_> {
        Notes { directory, file: "note {date}.md", heading: "# {date}" }
    }

    #[test]
    fn lines_are_added_below_one_heading() {
        let directory = directory("add");
        let (notes, day) = (notes(&directory), date("2026-02-03"));
        notes.add(day, "- milk").expect("added");
        notes.add(day, "- bread").expect("added");
        assert_eq!(notes.show(day).as_deref(), Ok("# 2026-02-03\n\n- milk\n- bread\n"));
        // An editor may leave the last line without its end.
        fs::write(directory.join("note 2026-02-03.md"), "- milk").expect("written");
        notes.add(day, "- bread").expect("added");
        assert_eq!(notes.show(day).as_deref(), Ok("- milk\n- bread\n"));
        assert_eq!(notes.show(date("2026-02-04")), Err(NoteError::NoNote(date("2026-02-04"))));
        fs::remove_dir_all(directory).expect("removed");
    }

    #[test]
    fn other_files_are_not_notes() {
        let directory = directory("days");
        let notes = notes(&directory);
        for name in ["note 2026-02-03.md", "note 2026-02-30.md", "2026-02-04.md", "note .md"] {
            fs::write(directory.join(name), "- Milk\n- bread\n").expect("written");
        }
        notes.add(date("2025-12-31"), "- more MILK").expect("added");
        assert_eq!(notes.days(), Ok(vec![date("2026-02-03"), date("2025-12-31")]));
        let found = notes.search("milk").expect("searched");
        let expected = [("2026-02-03", "- Milk"), ("2025-12-31", "- more MILK")];
        assert_eq!(found, expected.map(|(day, line)| (date(day), line.to_owned())));
        fs::remove_dir_all(directory).expect("removed");
    }

    #[test]
    fn settings_name_one_file() {
        let directory = directory("names");
        for file in ["notes.md", "../{date}.md", "/{date}", ".{date}", ""] {
            let notes = Notes { file, ..notes(&directory) };
            assert_eq!(notes.days(), Err(NoteError::BadName(file.to_owned())));
            assert!(notes.add(date("2026-02-03"), "x").is_err(), "{file}");
        }
        let missing = Notes { directory: &directory.join("none"), ..notes(&directory) };
        assert!(matches!(missing.show(date("2026-02-03")), Err(NoteError::NoDirectory(_))));
        fs::remove_dir_all(directory).expect("removed");
    }
}
