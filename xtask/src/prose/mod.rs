//! Measures the plain English that docs/style.md asks for, in comments, Markdown and test names.
//!
//! Prints one row for each crate and one for the whole tree, with these columns:
//!
//! - comments wh, no: relative clauses used as nouns ("what is", "whoever signs") and negated nouns
//!   ("is no registry", "nobody"), in 10,000 words of comments in product code;
//! - verb first: the share of documented functions whose comment begins with a verb in the third
//!   person ("Returns"), in per cent;
//! - tests wh, no: the first two figures for comments in tests, benchmarks and fuzzers;
//! - names: the median length of test names in characters, the longest, and their number;
//! - Markdown wh, no: the first two figures for documents, without their code.
//!
//! The last row has the aims. In ripgrep, jj and nextest the counts are 1 to 4, 2 to 6, 38 to 89 %
//! and 16 to 30. `--list` prints each place that counts against an aim. `--check` fails where a
//! figure that is held misses its aim. The figures are a thermometer: a sentence that needs a
//! relative clause keeps it.

mod figures;
mod sample;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::arguments::Arguments;
use crate::problem::{Problem, Result};
use crate::repository::{files_below, read, root};
use figures::{FIGURES, Figure};
use sample::Sample;

/// Directories of tests and measurements.
const NOT_PRODUCT: [&str; 4] = ["tests", "benches", "fuzz", "examples"];

/// Runs the task.
pub fn run(words: &[String]) -> Result<()> {
    let mut arguments = Arguments::new(words);
    let (is_list, is_check) = (arguments.flag("--list"), arguments.flag("--check"));
    let directory = arguments.word().map_or_else(root, PathBuf::from);
    arguments.none()?;

    let (crates, whole) = measure(&directory)?;
    print_table(&crates, &whole);
    if is_list {
        print_places(&whole, &directory);
    }
    let missed: Vec<_> = FIGURES.iter().filter(|figure| figure.is_missed(&whole)).collect();
    if is_check && !missed.is_empty() {
        let labels: Vec<_> = missed.iter().map(|figure| figure.label).collect();
        let labels = labels.join(", ");
        let problem =
            format!("above the aims of docs/style.md: {labels}; see `cargo xtask prose --list`");
        return Err(Problem::new(problem));
    }
    Ok(())
}

/// Returns a sample of each directory with sources, and one of the whole tree.
fn measure(root: &Path) -> Result<(BTreeMap<String, Sample>, Sample)> {
    let (mut crates, mut whole) = (BTreeMap::<String, Sample>::new(), Sample::default());
    for ending in [".rs", ".md"] {
        for path in files_below(root, ending)? {
            let below = path.strip_prefix(root).unwrap_or(&path);
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            if parts.iter().any(|part| part == "node_modules") {
                continue;
            }
            let is_product = !parts.iter().any(|part| NOT_PRODUCT.contains(&part.as_ref()));
            let sample = match ending {
                ".rs" => Sample::of_source(below, &read(&path)?, is_product),
                _ => Sample::of_document(below, &read(&path)?),
            };
            let name = if parts.len() > 1 { parts[0].as_ref() } else { "." };
            whole.add(&sample);
            crates.entry(name.to_owned()).or_default().add(&sample);
        }
    }
    crates.retain(|_, sample| sample.has_sources());
    Ok((crates, whole))
}

fn print_table(crates: &BTreeMap<String, Sample>, whole: &Sample) {
    print_row("", |figure| figure.heading.to_owned());
    for (name, sample) in crates {
        print_row(name, |figure| shown(figure.value(sample), "-"));
    }
    print_row("whole", |figure| shown(figure.value(whole), "-"));
    print_row("aim", |figure| shown(figure.aim, ""));
}

/// Prints one row of the table, each cell as wide as the heading of its column.
fn print_row(name: &str, cell: impl Fn(&Figure) -> String) {
    let cells = FIGURES.iter().map(|figure| {
        let width = figure.heading.len();
        format!("  {:>width$}", cell(figure))
    });
    println!("{name:18}{}", cells.collect::<String>());
}

fn shown(value: Option<f64>, missing: &str) -> String {
    value.map_or_else(|| missing.to_owned(), |value| format!("{value:.0}"))
}

/// Prints each place that counts against an aim.
fn print_places(whole: &Sample, directory: &Path) {
    for figure in &FIGURES {
        let places = figure.places(whole);
        if !places.is_empty() {
            println!("{} (below {}):", figure.label, directory.display());
        }
        for place in places {
            println!("  {}:{}: {}", place.path.display(), place.line, place.text.trim());
        }
    }
}
