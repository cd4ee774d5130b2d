//! What wakes an extension, as text.

use std::fmt::Write;

use core_types::{ExtensionName, grant_command};

use crate::outcome::{DeliveryRow, EventRow, EventState, WakingEvents};
use crate::render::Rendered;
use crate::render::screen::Screen;
use crate::terminal::{Style, escape_to_line};

pub(super) fn waking(screen: &Screen, waking: &WakingEvents) -> Rendered {
    let WakingEvents { name, events, deliveries } = waking;
    let mut stderr = String::new();
    if events.is_empty() {
        let _ = writeln!(stderr, "no event wakes `{name}`");
    }
    let mut text: String = events.iter().map(|row| event(screen, name, row)).collect();
    match deliveries.as_deref() {
        Some([]) => {
            let _ = writeln!(stderr, "nothing was delivered to `{name}` recently");
        }
        Some(rows) => text.extend(rows.iter().map(|row| delivery(screen, row))),
        None => {}
    }
    Rendered { stderr, ..Rendered::text(screen, text) }
}

fn event(screen: &Screen, extension: &ExtensionName, row: &EventRow) -> String {
    let style = match row.state {
        EventState::Wakes => Style::Good,
        EventState::Asleep | EventState::Incomplete => Style::Attention,
        EventState::Refused => Style::Bad,
    };
    let state = style.paint(row.state.name(), screen.has_styles());
    let mut text = format!("{}  {state}: {}\n", row.event, row.meaning);
    let mut line = |line: &str| {
        let _ = writeln!(text, "  {}", escape_to_line(line));
    };
    if !row.settings.is_empty() {
        line(&row.settings);
    }
    if row.while_locked {
        line("also while the screen is locked");
    }
    if !row.declared {
        line("its author does not declare it");
    }
    line(&row.rule);
    for path in &row.unreadable {
        line(&format!("not told of `{path}`: not in a granted directory"));
    }
    if let Some(grant) = &row.grant {
        line(&format!("allow it: {}", grant_command(extension, [grant.as_str()])));
    }
    text
}

fn delivery(screen: &Screen, row: &DeliveryRow) -> String {
    let outcome = row.outcome.name();
    let reason = row.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let line = format!("{}  {outcome}{reason}", row.event);
    format!("{}  {}\n", screen.time(row.at), escape_to_line(&line))
}
