//! The start of the service where an event may wake an extension.

use extension_manager::Manager;
use extension_session::{may_be_woken, start_service};

use crate::context::Context;

/// Lets the session bus start the service where an event may wake an extension now. A service that had
/// nothing to wait for has ended, and is not told of a grant.
///
/// The bus starts it with the directories of the session, which need not be those of this process.
/// Without a bus, or one that knows how to start it, nothing more happens; `doctor` says why.
pub fn start_for_woken(context: &Context, manager: &Manager) {
    if context.has_session_bus() && may_be_woken(manager) {
        let _ = start_service();
    }
}
