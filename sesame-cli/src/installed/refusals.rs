//! Refusals during a call that succeeded.

use core_types::{Activity, Capability, Touch};
use extension_depot::Opened;

use crate::context::Context;
use crate::failure::refusal;

/// Returns the refusals of a call that are worth a line. Settings are withheld on purpose, and
/// extensions ask for settings that do not exist.
pub fn worth_telling(activity: &Activity) -> Vec<&Touch> {
    let is_worth = |touch: &&Touch| touch.request.capability() != Capability::ConfigRead;
    activity.refused().filter(is_worth).collect()
}

/// Warns of refusals, each with the command that allows it.
pub fn warn_of_refusals(context: &Context, opened: &Opened, refused: &[&Touch]) {
    refused.iter().for_each(|touch| warn_of_refusal(context, opened, touch));
}

fn warn_of_refusal(context: &Context, opened: &Opened, touch: &Touch) {
    let name = &opened.installed.name;
    let grant = touch
        .grant()
        .map(|grant| format!("; allow it with: sesame extension grant {name} {grant}"));
    context.warn(&format!("{}{}", refusal(name, touch), grant.unwrap_or_default()));
}
