//! Settings of an extension, and the configuration of sesame.

use core_types::{Limit, LimitOrigin};

use super::renderer::{listing, without_last};
use crate::listing::{Configuration, Settings as SettingsListing};
use crate::outcome::{ConfigValue, SettingRow, Settings};
use crate::render::Rendered;
use crate::render::cell::Cell;
use crate::render::screen::Screen;
use crate::terminal::Style;

/// Lists settings and limits: `set --list`
pub(in crate::render) fn settings(screen: &Screen, settings: &Settings) -> Rendered {
    let limits = settings.limits.iter().filter_map(limit);
    let rows: Vec<_> = settings.rows.iter().map(setting).chain(limits).collect();
    listing::<SettingsListing>(screen, &rows, "")
}

fn setting(row: &SettingRow) -> Vec<Cell> {
    let declared = row.declared.clone().unwrap_or_default();
    let kind = match declared.allowed.as_slice() {
        [] => Cell::new(declared.kind.name()),
        allowed => Cell::with_form(&allowed.join("|"), &allowed.join(" or ")),
    };
    let value = match &row.value {
        Some(value) => value.as_str().into(),
        None => Cell::with_form("", "(not set)").styled(Style::Faint),
    };
    let description = match &row.declared {
        Some(declared) => declared.description.as_deref().into(),
        None => Cell::with_form("", "not declared by its author").styled(Style::Attention),
    };
    vec![row.key.as_str().into(), value, kind, declared.default.into(), description]
}

/// Returns the row of a limit that can be set.
fn limit(limit: &Limit) -> Option<Vec<Cell>> {
    let key = limit.name.key()?;
    let style = match limit.origin {
        LimitOrigin::Manifest | LimitOrigin::Policy(_) => Style::Attention,
        LimitOrigin::Default | LimitOrigin::Caller | LimitOrigin::Fixed => Style::Plain,
    };
    let origin = limit.origin.to_string();
    Some(vec![
        format!("limits.{key}").into(),
        limit.value.to_string().into(),
        "integer".into(),
        Cell::default(),
        Cell::with_form(&origin, &format!("{}, {origin}", limit.name)).styled(style),
    ])
}

/// Lists the configuration: `config show`. Where each value stands is left out unless it is asked
/// for.
pub(in crate::render) fn configuration(
    screen: &Screen,
    values: &[ConfigValue],
    with_origin: bool,
) -> Rendered {
    let row = |value: &ConfigValue| {
        let ConfigValue { key, value, origin } = value;
        vec![key.as_str().into(), value.as_str().into(), origin.as_str().into()]
    };
    let rows: Vec<_> = values.iter().map(row).collect();
    let empty = "nothing is configured";
    if with_origin {
        listing::<Configuration>(screen, &rows, empty)
    } else {
        without_last::<Configuration>(screen, &rows, empty)
    }
}
