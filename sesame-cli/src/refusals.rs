//! Refusals during a call that succeeded.

use core_types::{Capability, Touch};
use extension_depot::Opened;

use crate::context::Context;
use crate::failure::refusal;

/// Returns whether a refusal is worth a line. Settings are withheld on purpose, and extensions ask
/// for settings that do not exist.
pub fn is_worth_telling(touch: &Touch) -> bool {
    touch.request.capability() != Capability::ConfigRead
}

/// Warns of a refusal, with the command that allows it.
pub fn warn_of_refusal(context: &Context, opened: &Opened, touch: &Touch) {
    let name = &opened.installed.name;
    let grant = touch
        .grant()
        .map(|grant| format!("; allow it with: sesame extension grant {name} {grant}"));
    context.warn(&format!("{}{}", refusal(name, touch), grant.unwrap_or_default()));
}
