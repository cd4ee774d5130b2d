//! The start of the service after a change.

use extension_session::{may_be_woken, start_service};

use crate::context::Context;

/// Lets the session bus start the service where an event may wake an extension now. A service that had
/// nothing to wait for has ended, and is not told of a grant.
///
/// The change is done: without a bus, or one that knows how to start the service, nothing more
/// happens. `doctor` and `session status` say why.
pub fn start_for_woken(context: &Context) {
    let is_waited_for = || context.manager().is_ok_and(may_be_woken);
    if context.has_session_bus() && is_waited_for() {
        let _ = start_service();
    }
}
