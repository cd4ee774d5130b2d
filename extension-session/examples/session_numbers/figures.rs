//! Figures with their goals.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::Result;

/// Prints figures as they come, and adds them to a file.
pub struct Figures {
    file: PathBuf,
}

impl Figures {
    pub fn new(file: &Path) -> Self {
        Self { file: file.to_owned() }
    }

    /// Adds one, with the most that is good enough, if there is such a goal.
    pub fn add(&mut self, what: &str, value: f64, unit: &str, most: Option<f64>) -> Result<()> {
        let goal = most.map(|most| format!("  goal {most}")).unwrap_or_default();
        println!("{what:<62}{value:>9.2} {unit}{goal}");
        let mut file = OpenOptions::new().create(true).append(true).open(&self.file)?;
        let line = json!({ "figure": what, "value": value, "unit": unit, "most": most });
        Ok(writeln!(file, "{line}")?)
    }

    /// Adds the median and the 99th percentile of times, in milliseconds.
    pub fn add_times(
        &mut self,
        what: &str,
        times: &mut Times,
        most: [Option<f64>; 2],
    ) -> Result<()> {
        self.add(&format!("{what}, median"), times.at(50), "ms", most[0])?;
        self.add(&format!("{what}, 99th percentile"), times.at(99), "ms", most[1])
    }
}

/// How long something took, time and again.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Returns a percentile in milliseconds.
    pub fn at(&mut self, percent: usize) -> f64 {
        self.0.sort();
        let index = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
    }
}
