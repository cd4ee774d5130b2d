//! Reports as text.

use std::fmt::Write;

use core_types::{ExtensionName, Limit, LimitName, grant_command};
use extension_depot::{ActivityFinding, needs_text};

use super::parts::failure;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Call, FileCheck, Learned, Refusal, split_log_line};
use crate::render::Rendered;
use crate::render::screen::Screen;
use crate::terminal::{Style, escape_control, escape_to_line};

pub(super) fn called(context: &Context, call: &Call) -> Rendered {
    let mut stderr = String::new();
    if context.global.verbose {
        stderr.push_str(&String::from_utf8_lossy(&call.output));
    }
    if call.with_stats {
        stderr.push_str(&stats(call));
    }
    if call.returned.is_err() {
        stderr.push_str(&failure(&Failure::returned_error(&call.returned)));
        return Rendered { stderr, ..Default::default() };
    }
    let data = match call.returned.bytes() {
        Some(bytes) => bytes.into_owned(),
        None if call.returned.is_empty() => Vec::new(),
        None => (call.returned.to_text() + "\n").into_bytes(),
    };
    Rendered { data, stderr, ..Default::default() }
}

/// Formats the resources that a call used, each with its limit.
pub(super) fn stats(call: &Call) -> String {
    let limit = |name: LimitName| {
        let limit: &Limit = call.limits.get(name);
        format!("{} ({})", limit.value_with_unit(), limit.origin)
    };
    let memory = call.usage.memory_bytes as f64 / f64::from(1 << 20);
    let written = call.usage.written_bytes as f64 / f64::from(1 << 20);
    let time = call.usage.elapsed.as_secs_f64() * 1000.0;
    format!(
        "fuel: {} of {}\nmemory: {memory:.1} MiB of {}\ntime: {time:.1} ms of {}\nwritten: {written:.1} MiB of {}\n",
        call.usage.fuel,
        limit(LimitName::Fuel),
        limit(LimitName::Memory),
        limit(LimitName::Timeout),
        limit(LimitName::Written),
    )
}

pub(super) fn learned(needs: &Learned) -> Rendered {
    let mut stderr = match &needs.result {
        Ok(text) => format!("result: {}\n", escape_to_line(text)),
        Err(error) => format!("the call failed: {}\n", escape_to_line(error)),
    };
    if needs.written {
        let _ = writeln!(stderr, "written into the manifest of `{}`", needs.name);
    }
    let mut text = String::new();
    for touch in &needs.refused {
        let _ = writeln!(text, "# refused in this call: {}", escape_to_line(&touch.what));
    }
    for capability in &needs.unscoped {
        let _ = writeln!(
            text,
            "# imported and not used in this call, but needed to start: {capability}"
        );
    }
    text.push_str(&needs_text(&needs.capabilities, &needs.limits));
    Rendered { data: text.into_bytes(), stderr, ..Default::default() }
}

pub(super) fn activity_verified(lines: usize, findings: &[ActivityFinding]) -> String {
    if findings.is_empty() {
        return format!("{lines} lines, each as it was written\n");
    }
    let line = |finding: &ActivityFinding| {
        let ActivityFinding { file, line, problem } = finding;
        let place = if *line == 0 { String::new() } else { format!(":{line}") };
        format!(
            "{}{place}: {}\n",
            escape_control(&file.display().to_string()),
            escape_to_line(problem)
        )
    };
    findings.iter().map(line).collect()
}

pub(super) fn why(screen: &Screen, name: &ExtensionName, refused: &[Refusal]) -> Rendered {
    if refused.is_empty() {
        return Rendered {
            stderr: format!("nothing was refused to `{name}` recently\n"),
            ..Default::default()
        };
    }
    let mut text = String::new();
    for thing in refused {
        let what = Style::Bad.paint(&escape_to_line(&thing.what), screen.has_styles());
        let _ =
            writeln!(text, "{}  {what}: {}", screen.time(thing.at), escape_to_line(&thing.rule));
        let _ = match &thing.grant {
            _ if thing.is_granted_now => writeln!(text, "  it is granted by now"),
            Some(grant) => {
                let command = grant_command(name, [grant.as_str()]);
                writeln!(text, "  allow it: {}", escape_to_line(&command))
            }
            None => writeln!(text, "  a grant does not help"),
        };
    }
    Rendered::text(screen, text)
}

/// Formats the log of an extension, whose lines begin with the seconds since 1970. `is_raw` leaves
/// the rest of each as the extension wrote it.
pub(super) fn log(screen: &Screen, text: &[u8], is_raw: bool) -> Rendered {
    if !is_raw {
        let lines = String::from_utf8_lossy(text);
        let lines = lines.split_inclusive('\n').map(|line| log_line(screen, line.as_bytes()));
        let text: Vec<_> = lines.flatten().collect();
        return Rendered::text(screen, escape_control(&String::from_utf8_lossy(&text)));
    }
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let data = lines.flat_map(|line| log_line(screen, line)).collect();
    Rendered { data, ..Default::default() }
}

/// Formats a line, with its time for the reader.
fn log_line(screen: &Screen, line: &[u8]) -> Vec<u8> {
    match split_log_line(line) {
        Some((at, rest)) => [screen.time(at).as_bytes(), rest].concat(),
        None => line.to_vec(),
    }
}

pub(super) fn file_check(file: &FileCheck) -> String {
    let path = escape_to_line(&file.path.display().to_string());
    let warnings =
        file.warnings.iter().map(|warning| format!("{path}: {}\n", escape_to_line(warning)));
    match &file.problem {
        // It names the file itself.
        Some(problem) => escape_control(problem.trim_end()) + "\n",
        None if file.warnings.is_empty() => format!("{path}: good\n"),
        None => warnings.collect(),
    }
}
