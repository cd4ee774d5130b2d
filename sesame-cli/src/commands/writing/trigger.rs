//! `sesame extension trigger`

use core_types::ErrorKind;
use core_types::event::Occurrence;
use extension_manager::{CallMode, Delivered, DeliveryOutcome};
use jiff::Timestamp;

use crate::arguments::TriggerArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::installed::{warn_of_refusals, worth_telling};
use crate::outcome::{DeliveredEvent, Outcome};
use crate::terminal::escape_to_line;

/// Delivers a made-up event in this process, with the decision and the limits of a call.
pub fn run(context: &Context, arguments: &TriggerArguments) -> Result<Outcome, Failure> {
    let TriggerArguments { name, event, values } = arguments;
    let values: Vec<_> = values.iter().map(|value| value.0.clone()).collect();
    let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
    let event = Occurrence::made_up(event.clone(), &values, now).map_err(|error| {
        Failure::new(ErrorKind::Usage, error)
            .with_hint(format!("see its events: sesame extension events {name}"))
    })?;
    let callable = context.manager()?.callable(name, CallMode::Ordinary)?;
    let delivered = callable.deliver_blocking(&event);
    let Delivered { outcome, usage, activity, stderr_tail } = delivered;
    let refused = worth_telling(&activity);
    let opened = callable.opened();
    match outcome {
        DeliveryOutcome::Handled => {
            warn_of_refusals(context, opened, &refused);
            Ok(Outcome::Delivered(DeliveredEvent {
                extension: name.clone(),
                event: event.name,
                elapsed_ms: usage.elapsed.as_secs_f64() * 1000.0,
                fuel: usage.fuel,
            }))
        }
        DeliveryOutcome::ReturnedError(error) => {
            let text = escape_to_line(&error);
            let message = format!("`{name}` returned an error for `{}`: {text}", event.name);
            Err(Failure::message(ErrorKind::Failure, message).with_refusals(name, &refused))
        }
        DeliveryOutcome::Refused(error) => Err(Failure::of_call(opened, error, &stderr_tail, &[])),
        DeliveryOutcome::Failed(error) => {
            Err(Failure::of_call(opened, error, &stderr_tail, &refused))
        }
    }
}
