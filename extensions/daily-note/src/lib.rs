//! One note a day, in the files of one directory.

mod date;
mod notes;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use extension_sdk::config;

use date::{Date, Offset};
use notes::Notes;

extension_sdk::generate!({ world: "local:extension/extension", path: "wit" });

/// The directory of notes, as the extension finds it; `extension.toml` says which one it is.
const DIRECTORY: &str = "/notes";

struct Extension;

impl Guest for Extension {
    fn add(text: String) -> Result<String, String> {
        let settings = Settings::read()?;
        let (second, offset) = (now(), settings.offset);
        let line = line(&text, settings.has_time.then(|| offset.time(second)).as_deref())?;
        settings.notes().add(Date::of(second, offset), &line).map_err(in_words)?;
        Ok(line)
    }

    fn today() -> Result<String, String> {
        let settings = Settings::read()?;
        settings.notes().show(Date::of(now(), settings.offset)).map_err(in_words)
    }

    fn show(date: String) -> Result<String, String> {
        let date = Date::parse(&date)
            .ok_or_else(|| format!("`{date}` is not a day: write one like 2026-02-03"))?;
        Settings::read()?.notes().show(date).map_err(in_words)
    }

    fn days() -> Result<Vec<String>, String> {
        let days = Settings::read()?.notes().days().map_err(in_words)?;
        Ok(days.iter().map(Date::to_string).collect())
    }

    fn search(text: String) -> Result<Vec<Found>, String> {
        let found = Settings::read()?.notes().search(&text).map_err(in_words)?;
        Ok(found.into_iter().map(|(date, line)| Found { date: date.to_string(), line }).collect())
    }
}

/// The settings of this extension.
struct Settings {
    file: String,
    heading: String,
    has_time: bool,
    offset: Offset,
}

impl Settings {
    fn read() -> Result<Self, String> {
        let offset = config::get_or("utc-offset", "+00:00");
        Ok(Self {
            file: config::get_or("file", "{date}.md"),
            heading: config::get_or("heading", "# {date}"),
            has_time: config::parse("time").map_err(in_words)?.unwrap_or(true),
            offset: Offset::parse(&offset).ok_or_else(|| {
                format!(
                    "the setting `utc-offset` is `{offset}`, and it is like +02:00: sesame \
                     extension set daily-note utc-offset=+00:00"
                )
            })?,
        })
    }

    fn notes(&self) -> Notes<'_> {
        Notes { directory: Path::new(DIRECTORY), file: &self.file, heading: &self.heading }
    }
}

/// Returns an item of a list in Markdown. Line ends in the text would begin other lines.
fn line(text: &str, time: Option<&str>) -> Result<String, String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err("the line is empty".to_owned());
    }
    Ok(match time {
        Some(time) => format!("- {time} {text}"),
        None => format!("- {text}"),
    })
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

export!(Extension);

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn text_becomes_one_item() {
        assert_eq!(line(" buy\nmilk ", Some("14:05")).as_deref(), Ok("- 14:05 buy milk"));
        assert_eq!(line("milk", None).as_deref(), Ok("- milk"));
        assert!(line(" \n ", None).is_err());
    }
}
