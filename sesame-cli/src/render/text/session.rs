//! The session service, as text.

use std::fmt::Write;

use extension_session::MAX_DELIVERIES;

use crate::outcome::{SessionExtension, SessionService, SessionSource};
use crate::render::Rendered;
use crate::render::screen::Screen;
use crate::terminal::{Style, escape_to_line};

use super::parts::data;

/// Shows the service, its sources and the extensions that it wakes.
pub(super) fn service(screen: &Screen, service: Option<&SessionService>) -> Rendered {
    let Some(service) = service else {
        let stderr = "the session service does not run\n\
                      hint: sesame session run";
        return Rendered { stderr: format!("{stderr}\n"), ..Rendered::default() };
    };
    let mut text = String::new();
    let mut line = |line: String| {
        let _ = writeln!(text, "{}", escape_to_line(&line));
    };
    let SessionService { pid, version, executable, calls, watches, deliveries, .. } = service;
    line(format!("runs: process {pid}, sesame {version}, {executable}"));
    line(format!("now: {deliveries} deliveries, {calls} calls, {watches} watches"));
    if service.safe_mode {
        line("no extension is called: SESAME_SAFE_MODE is set".to_owned());
    }
    if service.locked {
        line("the session is locked: most events wait".to_owned());
    }
    if let Some(problem) = &service.problem {
        line(format!("the last problem: {problem}"));
    }
    text.extend(service.sources.iter().map(|it| source(screen, it)));
    text.extend(service.extensions.iter().map(|it| extension(screen, it)));
    Rendered::text(screen, text)
}

fn source(screen: &Screen, source: &SessionSource) -> String {
    let style = if source.reason.is_some() { Style::Attention } else { Style::Good };
    let state = style.paint(&escape_to_line(&source.state), screen.has_styles());
    let reason = source.reason.as_ref().map(|reason| format!(": {}", escape_to_line(reason)));
    let name = escape_to_line(&source.name);
    format!("source {name}  {state}{}\n", reason.unwrap_or_default())
}

fn extension(screen: &Screen, extension: &SessionExtension) -> String {
    let SessionExtension { name, events, waiting, deliveries, .. } = extension;
    let mut text = format!("{}  {}\n", escape_to_line(name), escape_to_line(&events.join(", ")));
    let mut line = |line: &str| {
        let _ = writeln!(text, "  {}", escape_to_line(line));
    };
    line(&format!("{waiting} waiting, {deliveries} of {MAX_DELIVERIES} deliveries in this minute"));
    if extension.over_budget {
        line("its minute is used up: what waits comes in the next one");
    }
    if let Some(next) = extension.next_every_ms {
        line(&format!("time.every in {} s", next.div_ceil(1000)));
    }
    if let Some(next) = &extension.next_at {
        line(&format!("time.at {}", screen.written_time(next)));
    }
    if let Some(last) = &extension.last {
        let (event, outcome) = (&last.event, last.outcome.name());
        line(&format!("last: {event} {outcome}, {}", screen.time(last.at)));
    }
    text
}

pub(super) fn stopped(has_run: bool) -> Rendered {
    match has_run {
        true => data("the session service ends\n".to_owned()),
        false => Rendered {
            stderr: "already: the session service does not run\n".to_owned(),
            ..Rendered::default()
        },
    }
}
