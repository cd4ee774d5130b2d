//! `open-sesame:host/notification`: notifications on the desktop.

use core_types::{Capability, Request};

use crate::bindings::open_sesame::host::notification::{Host, Urgency};
use crate::bindings::open_sesame::host::types::Error;
use crate::calling::{CallState, Size};
use crate::capabilities::Notification;

/// The maxima of title and text, in bytes: more does not fit on a screen.
const MAX_SUMMARY: usize = 256;
const MAX_BODY: usize = 4 * 1024;

impl Host for CallState {
    async fn show(
        &mut self,
        summary: String,
        body: String,
        urgency: Urgency,
    ) -> wasmtime::Result<Result<(), Error>> {
        let (summary_size, body_size) = (
            Size { bytes: summary.len(), max: MAX_SUMMARY },
            Size { bytes: body.len(), max: MAX_BODY },
        );
        let size = if summary_size.fits() { body_size } else { summary_size };
        let notification = Notification { summary, body, is_minor: urgency == Urgency::Low };
        let show = move |backends: &crate::Backends, owner: &_| {
            backends.notifications.show(owner, &notification)
        };
        self.ask_backend(Request::Use(Capability::Notification), size, show).await
    }
}
