//! Makes the tables and the plot of docs/performance.md from the results of `benches/run`.
//!
//! - `--write` puts the tables between the marks of the page, and the plot beside it, instead of
//!   printing the tables;
//! - `--results FILE` has the results of `benches/run` (default: target/bench/results.jsonl);
//! - `--criterion DIR` has those of `cargo bench` (default: target/criterion);
//! - `--page FILE` is the page (default: docs/performance.md).
//!
//! All ratios are to the first command of their comparison.

mod measurements;
mod plot;
mod tables;

use std::path::{Path, PathBuf};

use crate::arguments::Arguments;
use crate::problem::{Problem, Result};
use crate::repository::{read, root, write};

const BEGIN: &str = "<!-- begin: made by cargo xtask benchmark-table -->";
const END: &str = "<!-- end -->";

/// Runs the task.
pub fn run(words: &[String]) -> Result<()> {
    let mut arguments = Arguments::new(words);
    let is_write = arguments.flag("--write");
    let mut file = |name, default: &str| -> Result<PathBuf> {
        Ok(arguments.option(name)?.map_or_else(|| root().join(default), PathBuf::from))
    };
    let results = file("--results", "target/bench/results.jsonl")?;
    let criterion = file("--criterion", "target/criterion")?;
    let page = file("--page", "docs/performance.md")?;
    arguments.none()?;

    let mut measured = measurements::read_results(&results)?;
    let in_process = measurements::read_criterion(&criterion, measured.about.started)?;
    measured.comparisons.extend(in_process);
    let picture = page.with_extension("svg");
    let made = tables::tables(&measured, &file_name(&picture));
    if !is_write {
        println!("{made}");
        return Ok(());
    }
    write(&page, &replaced(&read(&page)?, &made)?)?;
    write(&picture, &plot::plot(&measured.comparisons))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the page with other tables between its marks.
fn replaced(page: &str, made: &str) -> Result<String> {
    let marked = page.split_once(BEGIN);
    let parts = marked.and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else {
        return Err(Problem::new(format!("the page lacks `{BEGIN}` and `{END}`")));
    };
    Ok(format!("{before}{BEGIN}\n\n{made}\n\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_around_the_marks_stays() {
        let page = format!("head\n{BEGIN}\nold\n{END}\ntail\n");
        let made = replaced(&page, "new").expect("both marks");
        assert_eq!(made, format!("head\n{BEGIN}\n\nnew\n\n{END}\ntail\n"));
        assert!(replaced("no marks", "new").is_err());
    }
}
