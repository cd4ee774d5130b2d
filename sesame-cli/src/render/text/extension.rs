//! The facts about one extension, as text: a line for each, behind its label.

use core_types::LimitOrigin;
use extension_host::ExportedFunction;

use crate::outcome::{Asked, DecidedImport, Info, Inspection};
use crate::render::cell::Cell;
use crate::render::listings;
use crate::render::screen::Screen;
use crate::render::table::wrapped;
use crate::terminal::{Style, escape_to_line, middle};

/// The columns of a label with the blanks behind it.
const LABEL: usize = 13;

/// Facts, each behind its label.
struct Fields<'a> {
    screen: &'a Screen,
    text: String,
}

impl Fields<'_> {
    /// Adds a text, with its lines broken between words where the terminal is narrow.
    fn add(&mut self, label: &str, value: &str) {
        self.add_styled(label, value, Style::Plain);
    }

    fn add_styled(&mut self, label: &str, value: &str, style: Style) {
        let value = escape_to_line(value);
        let lines = match self.room() {
            Some(room) => wrapped(&value, room),
            None => vec![value],
        };
        for (at, line) in lines.iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            let label = Style::Title.paint(&format!("{label:<LABEL$}"), self.screen.has_styles());
            let line = style.paint(line, self.screen.has_styles());
            self.text.push_str(&format!("{label}{line}\n"));
        }
    }

    /// Adds a value that has shorter forms.
    fn add_cell(&mut self, label: &str, cell: &Cell) {
        let value = match self.room() {
            None => cell.full().to_owned(),
            Some(room) => cell
                .forms_with_full()
                .find(|form| unicode_width::UnicodeWidthStr::width(*form) <= room)
                .map_or_else(|| middle(cell.shortest(), room), str::to_owned),
        };
        self.add(label, &value);
    }

    /// Returns the columns beside the labels, on a terminal.
    fn room(&self) -> Option<usize> {
        let width = self.screen.width().filter(|_| self.screen.is_terminal())?;
        Some(width.saturating_sub(LABEL).max(LABEL))
    }
}

/// Formats `info`.
pub(super) fn info(screen: &Screen, info: &Info) -> String {
    let mut fields = Fields { screen, text: String::new() };
    origin(&mut fields, info);
    permissions(&mut fields, info);
    for DecidedImport { import, decided } in &info.imports {
        let decided = decided.map(|decided| format!(": {decided}")).unwrap_or_default();
        fields.add("imports", &format!("{}{decided}", import.name));
    }
    add_exports(&mut fields, &info.exports);
    fields.text
}

/// Formats its kind and origin.
fn origin(fields: &mut Fields<'_>, info: &Info) {
    let screen = fields.screen;
    fields.add("name", info.name.as_str());
    fields.add("version", info.version.as_deref().unwrap_or_default());
    if let Some(description) = &info.description {
        fields.add("description", description);
    }
    fields.add_cell("reference", &Cell::reference(&info.reference));
    fields.add("binary", &format!("{}, {} bytes", info.binary, info.binary_size));
    if let Some(signature) = &info.signature {
        let at = screen.time(signature.checked_at);
        fields.add("signer", &format!("{} ({at})", signature.state));
    }
    if let Some((at, source)) = info.installed_at.as_ref().zip(info.source.as_ref()) {
        fields.add("installed", &format!("{}, as {source}", screen.written_time(at)));
    }
    fields.add("manifest", &info.manifest.display().to_string());
    let (state, style) = listings::state(info.state, info.problem.as_deref());
    fields.add_styled("state", &state, style);
    if info.pinned {
        fields.add("pinned", "update leaves it at this version");
    }
}

/// Formats its permissions and limits.
fn permissions(fields: &mut Fields<'_>, info: &Info) {
    for grant in &info.capabilities {
        fields.add("may use", &grant.to_string());
    }
    for (grant, until) in &info.timed {
        fields.add("may use", &format!("{grant}, {until}"));
    }
    for event in &info.uncovered_events {
        let note = format!("events={event}: it is private, and a pattern does not cover it");
        fields.add("may not use", &note);
    }
    add_requests(fields, &info.asks_for);
    for (key, value) in info.config.iter() {
        fields.add("setting", &format!("{key} = {value}"));
    }
    for limit in info.limits.iter() {
        let style = match limit.origin {
            LimitOrigin::Manifest | LimitOrigin::Policy(_) => Style::Attention,
            LimitOrigin::Default | LimitOrigin::Caller | LimitOrigin::Fixed => Style::Plain,
        };
        let value = format!("{} {} ({})", limit.name, limit.value_with_unit(), limit.origin);
        fields.add_styled("limit", &value, style);
    }
    for denied in &info.denied {
        let rule = denied.policy.as_deref().unwrap_or_default();
        fields.add_styled("may not use", &format!("{}, {rule}", denied.grant), Style::Bad);
    }
}

/// Adds the requests, each with the present decision.
fn add_requests(fields: &mut Fields<'_>, requests: &[Asked]) {
    for asked in requests {
        fields.add_styled("asks for", &asked.to_string(), listings::of_verdict(asked.verdict));
    }
}

/// Adds the functions: first those that can be called, then the others with the reason.
fn add_exports(fields: &mut Fields<'_>, functions: &[ExportedFunction]) {
    for function in functions.iter().filter(|function| function.is_callable()) {
        fields.add("exports", &function.to_string());
    }
    for function in functions {
        if let Some(reason) = &function.uncallable {
            fields.add("not callable", &format!("{function}: {reason}"));
        }
    }
}

/// Formats `inspect`.
pub(super) fn inspected(screen: &Screen, inspection: &Inspection) -> String {
    let mut fields = Fields { screen, text: String::new() };
    fields.add("name", inspection.name.as_str());
    fields.add("version", &inspection.version);
    if let Some(description) = &inspection.description {
        fields.add("description", description);
    }
    fields.add_cell("reference", &Cell::reference(&inspection.reference));
    fields.add("binary", &format!("{}, {} bytes", inspection.binary, inspection.binary_size));
    add_requests(&mut fields, &inspection.asks_for);
    for import in &inspection.imports {
        fields.add("imports", &import.name);
    }
    add_exports(&mut fields, &inspection.exports);
    for kind in &inspection.attached {
        fields.add("attached", kind);
    }
    if let Some(what) = &inspection.nothing_to_call {
        fields.add_styled("warning", what, Style::Attention);
    }
    fields.text
}
