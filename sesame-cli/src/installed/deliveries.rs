//! Deliveries of events in the activity log.

use std::collections::BTreeMap;

use core_types::{CallRecord, ExtensionName};
use extension_depot::Depot;
use jiff::Timestamp;

use crate::outcome::DeliveryRow;

/// Returns the deliveries to an extension, the latest first.
pub fn deliveries(depot: &Depot, name: &ExtensionName) -> impl Iterator<Item = DeliveryRow> {
    let of_extension = all(depot).filter(move |(call, _)| call == name.as_str());
    of_extension.map(|(_, delivery)| delivery)
}

/// Returns the last delivery to each extension, by its name.
pub fn last_deliveries(depot: &Depot) -> BTreeMap<String, DeliveryRow> {
    let mut last = BTreeMap::new();
    for (name, delivery) in all(depot) {
        last.entry(name).or_insert(delivery);
    }
    last
}

fn all(depot: &Depot) -> impl Iterator<Item = (String, DeliveryRow)> {
    let entries = depot.activity().entries().into_iter().rev();
    entries.filter_map(|entry| delivery(entry.at, entry.event.into_call()?))
}

fn delivery(at: Timestamp, call: CallRecord) -> Option<(String, DeliveryRow)> {
    let event = call.cause?.event_name()?.to_owned();
    let row = DeliveryRow { at, event, outcome: call.outcome, reason: call.reason };
    Some((call.extension, row))
}
