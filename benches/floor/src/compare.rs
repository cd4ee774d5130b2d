//! Runs commands in turn, many times, and prints medians and ratios.
//!
//! In turn, because the clock of a machine has phases: only numbers of one run can be compared.

use std::io;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What one run of a command took.
#[derive(Clone, Copy)]
struct Cost {
    wall_ms: f64,
    cpu_ms: f64,
    peak_mib: f64,
}

/// `compare ROUNDS NAME=COMMAND...`: every command is run once a round; the ratios are to the first.
pub fn run(rounds: usize, commands: &[&str]) -> io::Result<()> {
    let commands: Vec<_> = commands.iter().filter_map(|text| text.split_once('=')).collect();
    let mut costs = vec![Vec::new(); commands.len()];
    for round in 0..=rounds {
        for ((_, line), costs) in commands.iter().zip(&mut costs) {
            let cost = once(line)?;
            // The first round warms the caches of the system.
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    let medians: Vec<_> = costs.iter().map(|costs| median_cost(costs)).collect();
    println!("{:<28}{:>10}{:>10}{:>10}{:>8}{:>8}{:>8}", "", "wall ms", "CPU ms", "peak MiB", "wall", "CPU", "peak");
    for ((name, _), cost) in commands.iter().zip(&medians) {
        let first = medians[0];
        println!(
            "{name:<28}{:>10.2}{:>10.2}{:>10.1}{:>7.2}x{:>7.2}x{:>7.2}x",
            cost.wall_ms, cost.cpu_ms, cost.peak_mib,
            cost.wall_ms / first.wall_ms, cost.cpu_ms / first.cpu_ms, cost.peak_mib / first.peak_mib,
        );
    }
    Ok(())
}

fn once(line: &str) -> io::Result<Cost> {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).env_remove("RUST_BACKTRACE");
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
