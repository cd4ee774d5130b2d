//! The settings of an extension, as text.

use std::fmt::Write;

use core_types::DeclaredSetting;

use crate::context::Context;
use crate::outcome::{SettingRow, Settings};
use crate::terminal::escape_to_line;

/// Lists settings: for a person each with its meaning below it, for programs one line each with
/// key, value, type, default and description.
pub(super) fn listed(context: &Context, settings: &Settings) -> String {
    let is_read = context.terminal.shows_output();
    let mut text = String::new();
    for row in &settings.rows {
        text.push_str(&if is_read { for_person(row) } else { for_program(row) });
    }
    for limit in settings.limits.iter() {
        let Some(key) = limit.name.key() else { continue };
        let origin = escape_to_line(&limit.origin.to_string());
        let _ = if is_read {
            writeln!(text, "limits.{key} = {}\n    {}, {origin}", limit.value, limit.name)
        } else {
            writeln!(text, "limits.{key}\t{}\tinteger\t\t{origin}", limit.value)
        };
    }
    text
}

fn for_person(row: &SettingRow) -> String {
    let value = row.value.as_deref().map_or_else(|| "(not set)".to_owned(), escape_to_line);
    let mut text = format!("{} = {value}\n", escape_to_line(&row.key));
    let meaning =
        row.declared.as_ref().map_or_else(|| "not declared by its author".to_owned(), meaning);
    let _ = writeln!(text, "    {}", escape_to_line(&meaning));
    text
}

/// Formats the type or values, the default and the description of a setting in a line.
fn meaning(declared: &DeclaredSetting) -> String {
    let mut parts = vec![values(declared)];
    parts.extend(declared.default.as_ref().map(|default| format!("default `{default}`")));
    let parts = parts.join(", ");
    match &declared.description {
        Some(description) => format!("{description} ({parts})"),
        None => parts,
    }
}

fn values(declared: &DeclaredSetting) -> String {
    match declared.allowed.as_slice() {
        [] => declared.kind.to_string(),
        allowed => {
            allowed.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn for_program(row: &SettingRow) -> String {
    let declared = row.declared.clone().unwrap_or_default();
    let kind = match declared.allowed.as_slice() {
        [] => declared.kind.name().to_owned(),
        allowed => allowed.join("|"),
    };
    let cells = [
        row.key.clone(),
        row.value.clone().unwrap_or_default(),
        kind,
        declared.default.unwrap_or_default(),
        declared.description.unwrap_or_default(),
    ];
    cells.map(|cell| escape_to_line(&cell)).join("\t") + "\n"
}
