//! Calls and changes that happened.

use core_types::{ActivityEvent, CallOutcome, CallRecord, ChangeOutcome, ChangeRecord, Verdict};
use extension_depot::ActivityEntry;

use super::renderer::listing;
use crate::listing::Activity;
use crate::render::Rendered;
use crate::render::cell::Cell;
use crate::render::screen::Screen;
use crate::terminal::Style;

/// Lists calls: `activity`
pub(in crate::render) fn activity(screen: &Screen, entries: &[ActivityEntry]) -> Rendered {
    let row = |entry: &ActivityEntry| {
        let mut cells = vec![Cell::time(entry.at, screen.now())];
        cells.extend(match &entry.event {
            ActivityEvent::Call(call) => call_cells(call, entry.mended.as_deref()),
            ActivityEvent::Change(change) => change_cells(change, entry.mended.as_deref()),
        });
        cells
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    listing::<Activity>(screen, &rows, "nothing has happened yet")
}

fn call_cells(call: &CallRecord, mended: Option<&str>) -> [Cell; 7] {
    let touches = call.activity.touches.iter().map(|touch| {
        let refused = if touch.verdict == Verdict::Allow { "" } else { "refused " };
        let times = if touch.times > 1 { format!(" x{}", touch.times) } else { String::new() };
        format!("{refused}{}{times}", touch.what)
    });
    let missing = call.activity.missing.iter().map(|path| format!("missing {path}"));
    let more = (call.activity.more > 0).then(|| format!("and {} more", call.activity.more));
    let touched: Vec<_> = touches.chain(missing).chain(more).chain(note_of(mended)).collect();
    let is_refused = call.activity.touches.iter().any(|touch| touch.verdict != Verdict::Allow);
    [
        call.extension.as_str().into(),
        call.function.as_str().into(),
        Cell::new(call.outcome.name()).styled(of_outcome(call.outcome)),
        format!("fuel {}", call.fuel).into(),
        format!("{:.1} MiB", call.peak_memory_bytes as f64 / f64::from(1 << 20)).into(),
        Cell::new(&touched.join(", ")).styled(if is_refused { Style::Bad } else { Style::Plain }),
        "call".into(),
    ]
}

/// Returns the repair of the log before a line.
fn note_of(mended: Option<&str>) -> Option<String> {
    mended.map(|mended| format!("(before this line, {mended})"))
}

fn change_cells(change: &ChangeRecord, mended: Option<&str>) -> [Cell; 7] {
    let ChangeRecord { kind, extension, identity, outcome, .. } = change;
    let (outcome, style) = match outcome {
        ChangeOutcome::Done => ("done", Style::Good),
        ChangeOutcome::Refused => ("refused", Style::Bad),
    };
    let mut details = vec![change.reference.as_ref().unwrap_or(identity).clone()];
    details.extend(change.signer.clone());
    details.extend(change.granted.iter().map(|grant| format!("granted {grant}")));
    details.extend(change.revoked.iter().map(|grant| format!("revoked {grant}")));
    details.extend(change.reason.clone());
    details.extend(note_of(mended));
    details.retain(|detail| !detail.is_empty());
    [
        extension.as_str().into(),
        Cell::default(),
        Cell::new(outcome).styled(style),
        Cell::default(),
        Cell::default(),
        details.join(", ").into(),
        kind.name().into(),
    ]
}

fn of_outcome(outcome: CallOutcome) -> Style {
    match outcome {
        CallOutcome::Returned => Style::Good,
        CallOutcome::Limit | CallOutcome::Cancelled => Style::Attention,
        CallOutcome::Error | CallOutcome::Crashed | CallOutcome::Refused | CallOutcome::Failed => {
            Style::Bad
        }
    }
}
