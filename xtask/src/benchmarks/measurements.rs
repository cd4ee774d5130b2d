//! Reads the measurements of `benches/run` and criterion.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::problem::{Problem, Result};
use crate::repository::{files_below, read};

/// The titles in benches/run of the comparisons with a target.
const NEW_PROCESS: &str = "A call in a new process";
const PLAIN_GUEST: &str = "A call in a new process, of a guest that imports WASI alone";

/// Names of measurements in extension-host/benches/call.rs, with the titles of their comparisons:
/// one of these, a slash, and a name of `IN_PROCESS_NAMES`.
const IN_PROCESS: [(&str, &str); 2] = [
    ("one thread", "A call in a process, on one thread"),
    ("two threads", "A call in a process, on two threads"),
];
const IN_PROCESS_NAMES: [(&str, &str); 2] = [("bare", "bare Wasmtime"), ("sesame", "sesame")];

/// The medians of one command, or of one function.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The command.
    pub name: String,
    /// Milliseconds of wall time.
    pub wall_ms: f64,
    /// Milliseconds of processor time, if measured.
    pub cpu_ms: Option<f64>,
    /// The highest memory, if measured.
    pub peak_mib: Option<f64>,
}

/// Commands measured in turn. The others are compared with the first row.
#[derive(Debug)]
pub struct Comparison {
    /// The subject of the comparison.
    pub title: String,
    /// The commands.
    pub rows: Vec<Row>,
    /// How often each ran, if that is known.
    pub rounds: Option<u64>,
}

impl Comparison {
    /// Returns the wall time of a row as a ratio to the first.
    pub fn ratio(&self, row: &Row) -> f64 {
        row.wall_ms / self.rows.first().map_or(f64::NAN, |first| first.wall_ms)
    }

    /// Returns the row of sesame.
    pub fn sesame(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == "sesame")
    }
}

/// A number without a command to compare it with.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub struct Figure {
    /// What was measured.
    #[serde(rename = "figure")]
    pub what: String,
    /// How much it was.
    pub value: f64,
    /// The unit of the value and of `most`.
    pub unit: String,
    /// The most that is good enough, if there is such a target.
    pub most: Option<f64>,
}

/// What `benches/run` measured.
#[derive(Default)]
pub struct Results {
    /// The surroundings of the run.
    pub about: About,
    /// The comparisons, in their order.
    pub comparisons: Vec<Comparison>,
    /// The other numbers, in their order.
    pub figures: Vec<Figure>,
}

/// The highest ratio of the time of `sesame` that is good enough.
pub struct Target {
    /// The name on the page.
    pub what: &'static str,
    /// The title of its comparison.
    pub title: &'static str,
    /// The ratio.
    pub most: f64,
}

/// The targets, in the order of the page.
pub const TARGETS: [Target; 4] = [
    Target { what: "a call in a new process, against the floor", title: NEW_PROCESS, most: 1.2 },
    Target {
        what: "a call in a new process, against `wasmtime run --invoke` with a warm cache",
        title: PLAIN_GUEST,
        most: 0.4,
    },
    Target {
        what: "a call in a process, against bare Wasmtime, on one thread",
        title: IN_PROCESS[0].1,
        most: 1.15,
    },
    Target { what: "the same on two threads", title: IN_PROCESS[1].1, most: 1.15 },
];

/// Returns the target of a row, if it has one.
pub fn target_of(title: &str, row: &Row) -> Option<f64> {
    let target = TARGETS.iter().find(|target| target.title == title && row.name == "sesame");
    target.map(|target| target.most)
}

/// The surroundings of a run.
#[derive(Default)]
pub struct About {
    /// Seconds since 1970 at its beginning.
    pub started: f64,
    facts: serde_json::Map<String, Value>,
}

impl About {
    /// Returns a fact as text.
    pub fn fact(&self, name: &str) -> Option<String> {
        self.facts.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}

/// Reads the results of a run.
pub fn read_results(path: &Path) -> Result<Results> {
    if !path.exists() {
        let path = path.display();
        return Err(Problem::new(format!("{path} does not exist; benches/run makes it")));
    }
    parse_results(&read(path)?).map_err(|cause| Problem::of_file(path, &cause))
}

fn parse_results(text: &str) -> Result<Results> {
    let mut results = Results::default();
    for line in text.lines() {
        let line: Value =
            serde_json::from_str(line).map_err(|error| Problem::new(error.to_string()))?;
        if let Some(facts) = line["about"].as_object().filter(|_| results.about.facts.is_empty()) {
            results.about.started =
                facts.get("started").and_then(Value::as_f64).unwrap_or_default();
            results.about.facts.clone_from(facts);
        }
        let odd = || Problem::new(format!("not a measurement: {line}"));
        if let Some(title) = line["title"].as_str() {
            let row = row(&line).ok_or_else(odd)?;
            add_row(&mut results.comparisons, title, row, line["rounds"].as_u64());
        } else if line["figure"].is_string() {
            results.figures.push(serde_json::from_value(line.clone()).map_err(|_| odd())?);
        }
    }
    Ok(results)
}

/// Adds a row to the comparison of this title if that is the last one.
fn add_row(comparisons: &mut Vec<Comparison>, title: &str, row: Row, rounds: Option<u64>) {
    match comparisons.last_mut().filter(|last| last.title == title) {
        Some(last) => last.rows.push(row),
        None => comparisons.push(Comparison { title: title.to_owned(), rows: vec![row], rounds }),
    }
}

fn row(line: &Value) -> Option<Row> {
    Some(Row {
        name: line["name"].as_str()?.to_owned(),
        wall_ms: line["wall_ms"].as_f64()?,
        cpu_ms: line["cpu_ms"].as_f64(),
        peak_mib: line["peak_mib"].as_f64(),
    })
}

/// Reads criterion's measurements, where both sides of a comparison exist and are of this run.
pub fn read_criterion(directory: &Path, since: f64) -> Result<Vec<Comparison>> {
    let since = SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(since).unwrap_or_default();
    let mut medians = HashMap::new();
    if directory.exists() {
        for path in files_below(directory, "estimates.json")? {
            let is_new = path.parent().is_some_and(|parent| parent.ends_with("new"));
            if is_new && path.metadata()?.modified()? >= since {
                medians.extend([median(&path)?]);
            }
        }
    }
    Ok(IN_PROCESS.iter().filter_map(|names| in_process(names, &medians)).collect())
}

fn in_process((group, title): &(&str, &str), medians: &HashMap<String, f64>) -> Option<Comparison> {
    let row = |(side, name): &(&str, &str)| {
        let wall_ms = *medians.get(&format!("{group}/{side}"))?;
        Some(Row { name: (*name).to_owned(), wall_ms, cpu_ms: None, peak_mib: None })
    };
    let rows = IN_PROCESS_NAMES.iter().map(row).collect::<Option<Vec<_>>>()?;
    Some(Comparison { title: (*title).to_owned(), rows, rounds: None })
}

/// Reads the last two parts of criterion's name of a measurement, and its median in milliseconds.
fn median(path: &Path) -> Result<(String, f64)> {
    let json = |path: &Path| -> Result<Value> {
        serde_json::from_str(&read(path)?).map_err(|error| Problem::of_file(path, &error))
    };
    let described = json(&path.with_file_name("benchmark.json"))?;
    let parts: Vec<_> = described["full_id"].as_str().unwrap_or_default().split('/').collect();
    let name = parts[parts.len().saturating_sub(2)..].join("/");
    let nanoseconds = json(path)?["median"]["point_estimate"].as_f64();
    let nanoseconds = nanoseconds.ok_or_else(|| Problem::of_file(path, &"not an estimate"))?;
    Ok((name, nanoseconds / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_title_are_compared() {
        let results = parse_results(
            r#"{"about": {"started": 12.5, "cores": 2, "date": "Monday"}}
{"title": "A", "name": "floor", "wall_ms": 2.0, "cpu_ms": 1.0, "peak_mib": 3.0, "rounds": 7}
{"title": "A", "name": "sesame", "wall_ms": 3.0, "cpu_ms": null, "peak_mib": 4.5, "rounds": 7}
{"title": "B", "name": "sesame", "wall_ms": 1, "cpu_ms": 1, "peak_mib": 1, "rounds": 1}
{"figure": "memory", "value": 7.5, "unit": "MiB", "most": null}"#,
        )
        .expect("measurements");
        let (about, found, figures) = (results.about, results.comparisons, results.figures);
        assert_eq!((figures.len(), figures[0].value, figures[0].most), (1, 7.5, None));
        assert_eq!((about.started, about.fact("cores")), (12.5, Some("2".to_owned())));
        assert_eq!(about.fact("date"), Some("Monday".to_owned()));
        assert_eq!((found.len(), found[0].rows.len(), found[0].rounds), (2, 2, Some(7)));
        let sesame = found[0].sesame().expect("there");
        assert_eq!((found[0].ratio(sesame), sesame.cpu_ms), (1.5, None));
        assert!(parse_results("{").is_err());
        assert!(parse_results(r#"{"title": "A", "name": "x"}"#).is_err());
        assert!(parse_results(r#"{"figure": "x"}"#).is_err());
    }

    #[test]
    fn criterion_needs_both_sides() {
        let directory = tempfile::tempdir().expect("a directory");
        let measured = |id: &str, nanoseconds: f64| {
            let path = directory.path().join(id.replace(['/', ' '], "_")).join("new");
            std::fs::create_dir_all(&path).expect("made");
            let described = format!(r#"{{"full_id": "call/{id}"}}"#);
            std::fs::write(path.join("benchmark.json"), described).expect("written");
            let estimates = format!(r#"{{"median": {{"point_estimate": {nanoseconds}}}}}"#);
            std::fs::write(path.join("estimates.json"), estimates).expect("written");
        };
        measured("one thread/bare", 1e6);
        measured("one thread/sesame", 2e6);
        measured("two threads/bare", 1e6);
        let found = read_criterion(directory.path(), 0.0).expect("readable");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].ratio(found[0].sesame().expect("there")), 2.0);
        assert!(read_criterion(directory.path(), 1e12).expect("readable").is_empty());
    }
}
