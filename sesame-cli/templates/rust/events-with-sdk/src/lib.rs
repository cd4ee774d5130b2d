//! @DESCRIPTION@.

use extension_sdk::{event, notification};

extension_sdk::events! {
@EVENT_ARMS@
}
