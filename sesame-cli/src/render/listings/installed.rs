//! Installed extensions: what they are, were, and could be.

use core_types::Limits;
use extension_manager::Age;

use super::renderer::listing;
use crate::listing::{Extensions, Freshness as FreshnessListing, Generations};
use crate::outcome::{Freshness, PastGeneration, Row, State};
use crate::render::Rendered;
use crate::render::cell::Cell;
use crate::render::screen::Screen;
use crate::terminal::Style;

/// Lists extensions: `list`
pub(in crate::render) fn extensions(screen: &Screen, rows: &[Row]) -> Rendered {
    let empty = "no extensions are installed\nhint: sesame install REFERENCE";
    listing::<Extensions>(screen, &rows.iter().map(extension).collect::<Vec<_>>(), empty)
}

fn extension(row: &Row) -> Vec<Cell> {
    let capabilities: Vec<_> = row.capabilities.iter().map(ToString::to_string).collect();
    let (state, state_style) = self::state(row.state, row.problem.as_deref());
    let limits = limits(&row.limits);
    let limit_style = if limits == DEFAULTS { Style::Faint } else { Style::Attention };
    vec![
        row.name.as_str().into(),
        row.version.as_deref().into(),
        row.reference.as_ref().into(),
        capabilities.join(" ").into(),
        Cell::new(&limits).styled(limit_style),
        Cell::new(&state).styled(state_style),
    ]
}

/// Returns the text for unchanged limits.
const DEFAULTS: &str = "defaults";

fn limits(limits: &Limits) -> String {
    let written =
        limits.iter().filter_map(|(name, value)| Some(format!("{}={value}", name.key()?)));
    let written: Vec<_> = written.collect();
    if written.is_empty() { DEFAULTS.to_owned() } else { written.join(" ") }
}

/// Returns a state with its problem, and the style of both.
pub(in crate::render) fn state(state: State, problem: Option<&str>) -> (String, Style) {
    let style = match state {
        State::Enabled if problem.is_none() => Style::Good,
        State::Enabled | State::Disabled | State::NotInstalled => Style::Attention,
        State::Quarantined | State::StoppedByPolicy | State::Broken => Style::Bad,
    };
    let problem = problem.map(|problem| format!(": {problem}")).unwrap_or_default();
    (format!("{}{problem}", state.name()), style)
}

/// Lists generations: `history`
pub(in crate::render) fn generations(screen: &Screen, generations: &[PastGeneration]) -> Rendered {
    let row = |generation: &PastGeneration| {
        let PastGeneration { number, at, reason, version, reference, signer, is_current } =
            generation;
        vec![
            number.to_string().into(),
            Cell::written_time(at, screen.now()),
            reason.as_str().into(),
            version.as_deref().into(),
            reference.as_ref().into(),
            signer.as_deref().unwrap_or("signer not checked").into(),
            Cell::new(if *is_current { "current" } else { "" }).styled(Style::Good),
        ]
    };
    let rows: Vec<_> = generations.iter().map(row).collect();
    listing::<Generations>(screen, &rows, "there are no generations yet")
}

/// Lists newer versions: `outdated`
pub(in crate::render) fn freshness(screen: &Screen, rows: &[Freshness]) -> Rendered {
    let row = |row: &Freshness| {
        let Freshness { name, installed, newest, age } = row;
        vec![
            name.as_str().into(),
            installed.revision().into(),
            newest.as_deref().into(),
            Cell::new(age.name()).styled(of_age(*age)),
        ]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    listing::<FreshnessListing>(screen, &rows, "no extensions are installed")
}

pub(in crate::render) fn of_age(age: Age) -> Style {
    match age {
        Age::Newest => Style::Good,
        Age::Moved | Age::Withdrawn => Style::Bad,
        Age::Outdated | Age::TooNew => Style::Attention,
        Age::NoVersion | Age::Local | Age::Pinned => Style::Plain,
    }
}
