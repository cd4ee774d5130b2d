//! Tells of the refusals of a call.

use core_types::{Activity, Capability, Touch, grant_command};
use extension_depot::Opened;

use crate::context::Context;
use crate::failure::refusal;

/// Returns the refusals of a call that are worth a line, the likelier causes of a failure first.
/// Settings are withheld on purpose, and extensions ask for settings that do not exist. Many open a
/// file for writing and then only for reading.
pub fn worth_telling(activity: &Activity) -> Vec<&Touch> {
    let is_worth = |touch: &&Touch| touch.request.capability() != Capability::ConfigRead;
    let mut refused: Vec<_> = activity.refused().filter(is_worth).collect();
    refused.sort_by_key(|touch| touch.request.is_write());
    refused
}

/// Warns of refusals during a call that succeeded, each with the command that allows it. A write is
/// not among them: the extension had all it needed.
pub fn warn_of_refusals(context: &Context, opened: &Opened, refused: &[&Touch]) {
    let told = refused.iter().filter(|touch| !touch.request.is_write());
    told.for_each(|touch| warn_of_refusal(context, opened, touch));
}

/// Warns of every refusal during a program that failed.
pub fn warn_of_causes(context: &Context, opened: &Opened, refused: &[&Touch]) {
    refused.iter().for_each(|touch| warn_of_refusal(context, opened, touch));
}

fn warn_of_refusal(context: &Context, opened: &Opened, touch: &Touch) {
    let name = &opened.installed.name;
    let grant = touch
        .grant()
        .map(|grant| format!("; allow it with: {}", grant_command(name, [grant.as_str()])));
    context.warn(&format!("{}{}", refusal(name, touch), grant.unwrap_or_default()));
}
