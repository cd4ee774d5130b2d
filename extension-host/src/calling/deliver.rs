//! The delivery of an event: a call of the function by which an extension handles events.

use core_types::event::{EventValue, Occurrence};
use core_types::{Cause, Request};
use serde_json::{Value, json};

use super::gate::Gate;
use super::observe::Watch;
use super::report::{CallReport, Returned};
use crate::error::{CallError, NotWoken};
use crate::extension::Extension;
use crate::values::Arguments;

/// The function of [`EVENTS_INTERFACE`](crate::EVENTS_INTERFACE).
const HANDLE: &str = "open-sesame:extension/events@0.1.0#handle";

impl Extension {
    /// Delivers an event to a new instance, with the limits of a call. It is decided about like
    /// every request, at this moment: without a grant none of the code runs.
    ///
    /// It needs a Tokio runtime with time enabled. Dropping the future ends the delivery.
    pub async fn deliver(&self, event: &Occurrence) -> CallReport {
        let gate = self.gate();
        let watch = Watch::new(self.observer.as_ref(), gate.clone(), HANDLE)
            .caused_by(Cause::event(&event.name));
        let report = match self.admit(&gate, event) {
            Ok(()) => self.handle(&gate, event).await,
            Err(error) => CallReport::failed(error.into(), &gate),
        };
        watch.ended(&report, Returned::is_err);
        report
    }

    /// Delivers an event and waits for the end of it.
    ///
    /// # Panics
    /// Within a Tokio runtime: use [`Extension::deliver`] there.
    pub fn deliver_blocking(&self, event: &Occurrence) -> CallReport {
        self.wait_for(self.deliver(event))
    }

    fn admit(&self, gate: &Gate, event: &Occurrence) -> Result<(), NotWoken> {
        let request = Request::Wake(event.name.clone());
        match gate.decide(&request).refusal() {
            None => Ok(()),
            Some(refusal) => Err(NotWoken::new(event.name.clone(), &refusal)),
        }
    }

    async fn handle(&self, gate: &Gate, event: &Occurrence) -> CallReport {
        let arguments = Arguments::Json(json!([written(event)]).to_string());
        match self.find(HANDLE, &arguments) {
            Ok((function, arguments, process)) => {
                self.call_function(gate, function, &arguments, process).await
            }
            Err(CallError::NoSuchFunction { .. }) => CallReport::failed(CallError::NoEvents, gate),
            Err(error) => CallReport::failed(error, gate),
        }
    }
}

/// Returns an event as the argument of the function.
fn written(event: &Occurrence) -> Value {
    let values = event.values.iter().map(|(name, value)| json!([name, value_of(value)]));
    json!({
        "name": event.name,
        "values": values.collect::<Vec<_>>(),
        "time": event.time,
        "missed": event.missed,
    })
}

fn value_of(value: &EventValue) -> Value {
    match value {
        EventValue::Text(text) => json!({ "text": text }),
        EventValue::Whole(number) => json!({ "whole": number }),
        // Neither a sensor nor JSON has others; where one comes all the same, it is none.
        EventValue::Number(number) if !number.is_finite() => json!({ "number": 0.0 }),
        EventValue::Number(number) => json!({ "number": number }),
        EventValue::Truth(is_so) => json!({ "truth": is_so }),
    }
}
