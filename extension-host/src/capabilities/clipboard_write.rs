//! `open-sesame:host/clipboard-write`: text on the clipboard.

use std::time::Instant;

use core_types::{Capability, Request};

use super::backends::BACKEND_TIMEOUT;
use crate::bindings::open_sesame::host::clipboard_write::Host;
use crate::bindings::open_sesame::host::types::Error;
use crate::calling::{CallState, Size};

/// The maximum of a text, in bytes: enough for any text that a person pastes. The holder keeps it
/// in memory.
pub(super) const MAX_TEXT: usize = 1 << 20;

impl Host for CallState {
    async fn set_text(&mut self, text: String) -> wasmtime::Result<Result<(), Error>> {
        let size = Size { bytes: text.len(), max: MAX_TEXT };
        let deadline = self.bounds.deadline().min(Instant::now() + BACKEND_TIMEOUT);
        let set =
            move |backends: &crate::Backends, _: &_| backends.clipboard.set_text(&text, deadline);
        self.ask_backend(Request::Use(Capability::ClipboardWrite), size, set).await
    }
}
