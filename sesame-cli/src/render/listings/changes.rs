//! Changes of several extensions at once, done or planned, with the requests that they come with.

use core_types::{ExtensionName, Verdict};

use super::installed::of_age;
use super::renderer::{with_text_below, without_last};
use crate::listing::{Listing, Steps, Updates};
use crate::outcome::{Asked, Denied, Step, StepState, Update};
use crate::render::cell::Cell;
use crate::render::screen::Screen;
use crate::render::{Rendered, table};
use crate::terminal::{Style, escape_to_line};

/// Lists updates: `update`
pub(in crate::render) fn updates(screen: &Screen, updates: &[Update]) -> Rendered {
    let row = |update: &Update| {
        vec![
            update.name.as_str().into(),
            (&update.from).into(),
            update.to.as_ref().into(),
            Cell::new(&update_state(update)).styled(match update.applied {
                true => Style::Good,
                false => of_age(update.age),
            }),
            in_a_cell(&update.requests()),
        ]
    };
    let rows: Vec<_> = updates.iter().map(row).collect();
    let asking: Vec<_> = updates.iter().map(|update| (&update.name, update.requests())).collect();
    let empty = "nothing is installed that could be updated";
    with_requests::<Updates>(screen, &rows, empty, &asking)
}

/// Renders a listing whose last column has the requests of each extension. Where none asks for
/// anything, the column is left out; on a terminal the requests are below the table.
fn with_requests<L: Listing>(
    screen: &Screen,
    rows: &[Vec<Cell>],
    empty: &str,
    asking: &[(&ExtensionName, Vec<Asked>)],
) -> Rendered {
    if asking.iter().all(|(_, requests)| requests.is_empty()) {
        return without_last::<L>(screen, rows, empty);
    }
    let below = asking.iter().map(|(name, requests)| requests_of(screen, name, requests));
    with_text_below::<L>(screen, rows, empty, || below.collect())
}

/// Returns requests for a program.
fn in_a_cell(requests: &[Asked]) -> Cell {
    requests.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ").into()
}

/// Formats the requests of an extension below a table: a line for each, which goes on below itself
/// where the terminal is narrow.
fn requests_of(screen: &Screen, name: &ExtensionName, requests: &[Asked]) -> String {
    const INDENT: &str = "  ";
    let mut text = String::new();
    if !requests.is_empty() {
        text.push_str(&format!("{name} asks for\n"));
    }
    for asked in requests {
        let line = escape_to_line(&asked.to_string());
        let room = screen.width().unwrap_or(usize::MAX).saturating_sub(2 * INDENT.len());
        for (at, line) in table::wrapped(&line, room).iter().enumerate() {
            let indent = INDENT.repeat(if at == 0 { 1 } else { 2 });
            let line = of_verdict(asked.verdict).paint(line, screen.has_styles());
            text.push_str(&format!("{indent}{line}\n"));
        }
    }
    text
}

fn update_state(update: &Update) -> String {
    let Update { to, age, asks_for, granted, for_session, moved, applied, .. } = update;
    let state = match to {
        None => age.name().to_owned(),
        Some(_) if *applied => "updated".to_owned(),
        Some(_) => format!("would be updated: {}", age.name()),
    };
    let mut more: Vec<_> = granted.iter().map(ToString::to_string).collect();
    more.extend(for_session.iter().map(|grant| format!("{grant} for this session")));
    let asked = |denied: &Denied| match &denied.policy {
        Some(rule) => format!("{} ({rule})", denied.request()),
        None => denied.request().to_owned(),
    };
    let asks_for = asks_for.iter().map(asked).collect();
    let moved = moved.iter().map(ToString::to_string).collect();
    let listed = |title: &str, grants: Vec<String>| {
        if grants.is_empty() { String::new() } else { format!("; {title} {}", grants.join(", ")) }
    };
    [
        state,
        listed("granted:", more),
        listed("it asks for", asks_for),
        listed("the same directory under another path:", moved),
    ]
    .concat()
}

/// Lists steps: `sync`
pub(in crate::render) fn steps(screen: &Screen, steps: &[Step]) -> Rendered {
    let row = |step: &Step| {
        let problem =
            step.problem.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default();
        let state = format!("{}{problem}{}", step.state.name(), capability_changes(step));
        vec![
            step.name.as_str().into(),
            step.reference.as_ref().into(),
            Cell::new(&state).styled(of_step(step.state)),
            in_a_cell(&step.requests),
        ]
    };
    let rows: Vec<_> = steps.iter().map(row).collect();
    let asking: Vec<_> = steps.iter().map(|step| (&step.name, step.requests.clone())).collect();
    with_requests::<Steps>(screen, &rows, "there is nothing to do", &asking)
}

/// Returns the style of a decision about a request.
pub(in crate::render) fn of_verdict(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Allow => Style::Good,
        Verdict::Deny => Style::Bad,
        Verdict::Ask => Style::Attention,
    }
}

fn of_step(state: StepState) -> Style {
    match state {
        StepState::Failed => Style::Bad,
        StepState::Done => Style::Good,
        state if state.is_over() => Style::Good,
        _ => Style::Attention,
    }
}

/// Formats the grants and withdrawals of a step. A new extension got its grants at the install.
fn capability_changes(step: &Step) -> String {
    if step.state == StepState::Installed {
        return String::new();
    }
    let give = if step.state.is_over() { "granted" } else { "to be granted" };
    let withdraw =
        if step.state.is_over() || step.is_withdrawn { "withdrawn" } else { "to be withdrawn" };
    let changes = [(give, &step.grant), (withdraw, &step.withdraw)];
    let changes = changes.into_iter().filter(|(_, grants)| !grants.is_empty());
    let grants = |grants: &[core_types::Grant]| {
        grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    changes.map(|(what, given)| format!("; {what}: {}", grants(given))).collect()
}
