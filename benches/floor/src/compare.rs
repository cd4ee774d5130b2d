//! Runs commands in turn, many times, and prints medians and ratios.
//!
//! In turn, because the clock of a machine has phases: only numbers of one run can be compared. The
//! time of a command includes the processes that it started and waited for. Its peak memory is that
//! of the largest of them.

use std::fs::File;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The cost of one run of a command.
#[derive(Clone, Copy)]
struct Cost {
    wall_ms: f64,
    cpu_ms: f64,
    /// At least the peak of this program: a process counts the memory from before it ran its
    /// command.
    peak_mib: f64,
}

/// A second place for the medians, as one JSON object in a line for each command.
pub struct Record<'a> {
    /// The file to append to.
    pub file: &'a str,
    /// The title of the comparison.
    pub title: &'a str,
}

/// Runs `compare ROUNDS NAME=COMMAND...`: each command once a round. The ratios are to the first.
pub fn run(rounds: usize, commands: &[&str], record: Option<&Record>) -> io::Result<()> {
    let (names, lines): (Vec<_>, Vec<_>) = commands.iter().filter_map(|text| text.split_once('=')).unzip();
    let rounds = rounds.max(1);
    if let Some(record) = record {
        println!("\n{}, rounds: {rounds}", record.title);
    }
    let medians = measure(rounds, &lines)?;
    print(&names, &medians);
    record.map_or(Ok(()), |record| record.append(rounds, &names, &medians))
}

fn measure(rounds: usize, lines: &[&str]) -> io::Result<Vec<Cost>> {
    let mut costs = vec![Vec::new(); lines.len()];
    for round in 0..=rounds {
        for (line, costs) in lines.iter().zip(&mut costs) {
            let cost = once(line)?;
            // The first round warms the caches of the system.
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    Ok(costs.iter().map(|costs| median_cost(costs)).collect())
}

fn print(names: &[&str], medians: &[Cost]) {
    println!("{:<34}{:>10}{:>10}{:>10}{:>8}{:>8}{:>8}", "", "wall ms", "CPU ms", "peak MiB", "wall", "CPU", "peak");
    for (name, cost) in names.iter().zip(medians) {
        let first = medians[0];
        println!(
            "{name:<34}{:>10.2}{:>10.2}{:>10.1}{:>7.2}x{:>7.2}x{:>7.2}x",
            cost.wall_ms, cost.cpu_ms, cost.peak_mib,
            cost.wall_ms / first.wall_ms, cost.cpu_ms / first.cpu_ms, cost.peak_mib / first.peak_mib,
        );
    }
}

impl Record<'_> {
    fn append(&self, rounds: usize, names: &[&str], medians: &[Cost]) -> io::Result<()> {
        let mut file = File::options().append(true).create(true).open(self.file)?;
        for (name, cost) in names.iter().zip(medians) {
            writeln!(
                file,
                r#"{{"title":{},"name":{},"wall_ms":{:.4},"cpu_ms":{:.4},"peak_mib":{:.2},"rounds":{rounds}}}"#,
                json(self.title), json(name), cost.wall_ms, cost.cpu_ms, cost.peak_mib,
            )?;
        }
        Ok(())
    }
}

/// Quotes a text as JSON.
fn json(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\0'..='\x1f' => quoted.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Parses the command of a line. Variables can stand in front of it as in a shell: `env` would be
/// one more process to start.
fn command(line: &str) -> Command {
    let words: Vec<_> = line.split_whitespace().collect();
    let variables: Vec<_> = words.iter().map_while(|word| word.split_once('=')).collect();
    let mut words = words[variables.len()..].iter();
    let mut command = Command::new(words.next().unwrap_or(&""));
    command.args(words).envs(variables).env_remove("RUST_BACKTRACE").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn once(line: &str) -> io::Result<Cost> {
    let mut command = command(line);
    let started = Instant::now();
    let child = command.spawn()?;
    let mut status = 0;
    // SAFETY: both are plain memory of this function, and the process is our child.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let pid = libc::pid_t::try_from(child.id()).map_err(io::Error::other)?;
    if unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } < 0 || status != 0 {
        return Err(io::Error::other(format!("`{line}` failed")));
    }
    let wall_ms = started.elapsed().as_secs_f64() * 1e3;
    let ms = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    Ok(Cost { wall_ms, cpu_ms: ms(usage.ru_utime) + ms(usage.ru_stime), peak_mib: usage.ru_maxrss as f64 / 1024.0 })
}

fn median_cost(costs: &[Cost]) -> Cost {
    let median = |of: fn(&Cost) -> f64| {
        let mut values: Vec<_> = costs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Cost { wall_ms: median(|c| c.wall_ms), cpu_ms: median(|c| c.cpu_ms), peak_mib: median(|c| c.peak_mib) }
}
