//! `sesame extension call --learn`: the least permissions of a call

use core_types::{Capabilities, TouchRecord};
use extension_host::CallReport;
use extension_manager::{Callable, Needs, difference};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Learned, Outcome};

/// Learns the resources that the call used, and writes them into the manifest on request.
pub fn learn(
    context: &Context,
    callable: &Callable<'_>,
    report: CallReport,
    write: bool,
) -> Result<Outcome, Failure> {
    let installed = &callable.opened().installed;
    let (name, before) = (&installed.name, installed.loaded.manifest.granted());
    let needs = Needs::of(callable.extension(), &report.activity, &report.usage, &before);
    let learned = Learned {
        name: name.clone(),
        refused: report.activity.refused().map(TouchRecord::from).collect(),
        limits: needs.limits,
        result: report
            .outcome
            .map(|returned| returned.to_text())
            .map_err(|error| error.to_string()),
        written: write && may_write(context, &before, &needs.capabilities),
        capabilities: needs.capabilities,
        unscoped: needs.unscoped,
    };
    if learned.written {
        context.depot()?.lock()?.set_needs(installed, &learned.capabilities, &learned.limits)?;
    }
    Ok(Outcome::Learned(Box::new(learned)))
}

/// Asks a person who has seen the difference; a script has decided by its options.
fn may_write(context: &Context, before: &Capabilities, after: &Capabilities) -> bool {
    for (sign, grant) in difference(before, after) {
        context.status(&format!("{sign} {grant}"));
    }
    !context.can_ask() || context.terminal.confirm("Write this into the manifest?").unwrap_or(false)
}
