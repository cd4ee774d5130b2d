//! The interface `org.opensesame.Extensions1`: list, call and watch extensions, and emit events.

use std::collections::HashMap;
use std::sync::Arc;

use core_types::event::EventName;
use core_types::{BUS_OBJECT, ExtensionName};
use extension_manager::{Manager, WakingEvent};
use tokio::sync::oneshot;
use zbus::message::Header;
use zbus::object_server::{Interface, SignalEmitter};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, Value};
use zbus::{Connection, interface};

use super::bus_error::BusError;
use super::callers::{Caller, Callers};
use super::calls::{
    Answer, CallObject, CallOptions, CallRequest, Report, Runner, WatchOptions, json_error, path_of,
};
use super::desk::{Desk, Ticket};
use super::listing;
use super::watches::{self, NewWatch, WatchObject, Watches};
use super::workers::Workers;
use crate::delivery::Arrival;
use crate::engine::{Inbox, milliseconds_now};

/// The version of the interface.
const VERSION: u32 = 1;
/// The largest payload of an event that a program emits, in bytes.
pub const MAX_PAYLOAD: usize = 64 << 10;

/// Options of a message, by their names.
type Options = HashMap<String, zbus::zvariant::OwnedValue>;

/// The interface that every program of the session can use.
#[derive(Clone)]
pub(super) struct Extensions {
    /// Takes calls.
    pub desk: Desk,
    /// Takes what runs no guest.
    pub looks: Desk,
    pub callers: Callers,
    pub runner: Runner,
    pub watches: Watches,
    /// Run the calls.
    pub workers: Workers,
    /// Answer what runs no guest, so that it does not wait for one.
    pub clerks: Workers,
    pub inbox: Inbox,
}

#[interface(name = "org.opensesame.Extensions1")]
impl Extensions {
    /// Lists the installed extensions: `name version reference digest enabled state reason
    /// functions capabilities events`. A state is `ready`, `asleep`, `put-aside`, `refused` or
    /// `broken`.
    #[zbus(out_args("extensions"))]
    async fn list(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<Vec<listing::Row>, BusError> {
        let _received = self.receive_outside(&header, connection).await?;
        let manager = self.runner.manager.clone();
        done(&self.clerks, move || listing::list(&manager)).await
    }

    /// Calls a function with a JSON array of arguments. Options: `handle_token` (s), the name of an
    /// object below `/org/opensesame/Extensions/call` with a method `Cancel`; `timeout-ms` (u),
    /// which lowers the time of the call; `interactive` (b), by which a person may be asked for a
    /// missing permission, before any code runs.
    #[zbus(out_args("result", "report"))]
    async fn call(
        &self,
        name: String,
        function: String,
        arguments: String,
        options: Options,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(String, HashMap<&'static str, Value<'static>>), BusError> {
        let (mut ticket, caller) = self.receive(&self.desk, &header, connection).await?;
        let CallOptions { handle, wait, is_interactive } = CallOptions::read(&options)?;
        let request = CallRequest::read(&name, function, arguments)?;
        let request = CallRequest { wait, is_interactive, ..request };
        let Some(handle) = handle else {
            return self.run(request, caller, &mut ticket).await.map(in_message);
        };
        ticket.name(&handle)?;
        let path = path_of(&handle);
        serve(connection, &path, CallObject { desk: self.desk.clone(), handle }).await?;
        let answer = self.run(request, caller, &mut ticket).await;
        let _ = connection.object_server().remove::<CallObject, _>(path.as_str()).await;
        answer.map(in_message)
    }

    /// Emits an event `custom.TOPIC`, and returns the number of extensions that it reaches.
    #[zbus(out_args("reached"))]
    async fn emit(
        &self,
        topic: String,
        payload: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<u32, BusError> {
        let (_ticket, caller) = self.receive_outside(&header, connection).await?;
        self.put(&caller, &topic, payload, "program").await
    }

    /// Watches a function: calls it with these arguments now and again, and signals each other
    /// result as a change of the property `Value` of the object. Options: `every-ms` (u), `on`
    /// (as), the events after whose delivery it is called.
    #[zbus(out_args("watch"))]
    async fn watch(
        &self,
        name: String,
        function: String,
        arguments: String,
        options: Options,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<OwnedObjectPath, BusError> {
        let (mut ticket, caller) = self.receive(&self.desk, &header, connection).await?;
        let options = WatchOptions::read(&options)?;
        let request = CallRequest::read(&name, function, arguments)?;
        self.watches.ensure_place(&caller)?;
        self.ensure_heard(&request, &caller, &options.on).await?;
        let first = self.run(request.clone(), caller.clone(), &mut ticket).await;
        let value = first_value(first)?;
        let new = NewWatch { caller: caller.clone(), request, options, value };
        let number = self.watches.add(new)?;
        let path = watches::path_of(number);
        serve(connection, &path, WatchObject { watches: self.watches.clone(), number }).await?;
        if ticket.is_over() {
            // Its caller left before there was a watch that could end with it.
            let _ = self.watches.close(number, &caller.name);
            let _ = connection.object_server().remove::<WatchObject, _>(path.as_str()).await;
            return Err(BusError::unavailable("the program has left the bus"));
        }
        ObjectPath::try_from(path)
            .map(Into::into)
            .map_err(|error| BusError::usage(error.to_string()))
    }

    /// An extension published a message, with its identity.
    #[zbus(signal)]
    pub(super) async fn published(
        emitter: &SignalEmitter<'_>,
        identity: &str,
        topic: &str,
        payload: &str,
    ) -> zbus::Result<()>;

    /// An extension was installed, changed or removed.
    #[zbus(signal)]
    pub(super) async fn changed(emitter: &SignalEmitter<'_>, name: &str) -> zbus::Result<()>;

    /// An extension was refused a capability.
    #[zbus(signal)]
    pub(super) async fn refused(
        emitter: &SignalEmitter<'_>,
        name: &str,
        capability: &str,
    ) -> zbus::Result<()>;

    /// The version of this interface.
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> u32 {
        VERSION
    }

    /// Whether the user wants no extension to be called.
    #[zbus(property(emits_changed_signal = "const"))]
    fn safe_mode(&self) -> bool {
        self.runner.manager.is_safe_mode()
    }
}

impl Extensions {
    /// Takes a message, and finds out who sent it.
    async fn receive(
        &self,
        desk: &Desk,
        header: &Header<'_>,
        connection: &Connection,
    ) -> Result<(Ticket, Arc<Caller>), BusError> {
        let sender = header.sender().ok_or_else(|| BusError::refused("nobody sent this"))?;
        let ticket = desk.admit(sender)?;
        Ok((ticket, self.callers.find(connection, sender).await?))
    }

    /// Takes a message that runs no guest, of a program outside of a sandbox.
    pub(super) async fn receive_outside(
        &self,
        header: &Header<'_>,
        connection: &Connection,
    ) -> Result<(Ticket, Arc<Caller>), BusError> {
        let (ticket, caller) = self.receive(&self.looks, header, connection).await?;
        caller.ensure_outside()?;
        Ok((ticket, caller))
    }

    /// Runs a call on a worker.
    async fn run(
        &self,
        request: CallRequest,
        caller: Arc<Caller>,
        ticket: &mut Ticket,
    ) -> Result<Answer, BusError> {
        let (runner, cancelled) = (self.runner.clone(), ticket.cancelled());
        done(&self.workers, move || runner.run(&request, &caller, cancelled)).await
    }

    /// Puts a custom event of a caller into the engine.
    pub(super) async fn put(
        &self,
        caller: &Caller,
        topic: &str,
        payload: String,
        from: &'static str,
    ) -> Result<u32, BusError> {
        self.looks.count_event(&caller.name)?;
        if payload.len() > MAX_PAYLOAD {
            return Err(BusError::usage("the payload is over 64 KiB"));
        }
        let event: EventName = format!("custom.{topic}")
            .parse()
            .map_err(|error| BusError::usage(format!("the topic: {error}")))?;
        let arrival = Arrival::custom(event, payload, from, milliseconds_now());
        let inbox = self.inbox.clone();
        let reached = done(&self.clerks, move || {
            let emitted = inbox.emit(arrival);
            emitted.map_err(|error| BusError::unavailable(error.to_string()))
        });
        // An event of a program has no delivery before it, so that it is not dropped.
        Ok(reached.await?.map_or(0, |reached| u32::try_from(reached).unwrap_or(u32::MAX)))
    }

    /// Checks that the extension is woken by these events: a watch learns of them by deliveries. A
    /// program in a sandbox learns nothing of an extension that is not open to it.
    async fn ensure_heard(
        &self,
        request: &CallRequest,
        caller: &Arc<Caller>,
        events: &[EventName],
    ) -> Result<(), BusError> {
        if events.is_empty() {
            return Ok(());
        }
        let (runner, request) = (self.runner.clone(), request.clone());
        let (caller, events) = (caller.clone(), events.to_owned());
        let check = move || {
            runner.admit(&request, &caller)?;
            ensure_woken(&runner.manager, &request.name, &events)
        };
        done(&self.clerks, check).await
    }
}

fn ensure_woken(
    manager: &Manager,
    name: &ExtensionName,
    events: &[EventName],
) -> Result<(), BusError> {
    let waking =
        manager.waking_events(name).map_err(|error| BusError::refused(error.to_string()))?;
    match events.iter().find(|event| !WakingEvent::is_woken(&waking, event)) {
        None => Ok(()),
        Some(event) => Err(BusError::refused(format!(
            "`{name}` is not woken by `{event}`\nhint: sesame extension events {name}"
        ))),
    }
}

/// Adds an object to those on the bus.
async fn serve(
    connection: &Connection,
    path: &str,
    object: impl Interface,
) -> Result<(), BusError> {
    let added = connection.object_server().at(path, object).await;
    added.map(drop).map_err(|error| BusError::unavailable(error.to_string()))
}

/// Does work on a thread, and waits for its answer.
pub(super) async fn done<T: Send + 'static>(
    workers: &Workers,
    work: impl FnOnce() -> Result<T, BusError> + Send + 'static,
) -> Result<T, BusError> {
    let (answer, answered) = oneshot::channel();
    workers.run(move || drop(answer.send(work())));
    answered
        .await
        .unwrap_or_else(|_| Err(BusError::unavailable("the system gives no thread for it")))
}

fn in_message(answer: Answer) -> (String, HashMap<&'static str, Value<'static>>) {
    let Report { fuel, memory, millis } = answer.report;
    let report = [("fuel", fuel), ("memory", memory), ("millis", millis)];
    (answer.result, report.map(|(key, value)| (key, Value::from(value))).into())
}

/// Returns the first value of a watch. An error that another call may not have is a value.
fn first_value(first: Result<Answer, BusError>) -> Result<String, BusError> {
    match first {
        Ok(answer) => Ok(answer.result),
        Err(error) if error.is_of_one_call() => Ok(json_error(&error)),
        Err(error) => Err(error),
    }
}

/// Returns the place of the signals of this interface.
pub(super) fn emitter(connection: &Connection) -> zbus::Result<SignalEmitter<'static>> {
    SignalEmitter::new(connection, BUS_OBJECT)
}

#[cfg(test)]
mod tests {
    use zbus::object_server::Interface;

    /// The name in the attribute is the one that programs get from `core-types`.
    #[test]
    fn interface_has_the_documented_name() {
        assert_eq!(super::Extensions::name().as_str(), core_types::BUS_NAME);
    }
}
