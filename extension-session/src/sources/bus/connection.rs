//! One connection to a bus, from its first message to its last.

use std::time::Instant;

use async_io::Timer;
use futures_lite::{StreamExt, future};
use zbus::{Connection, Message, MessageStream};

use super::deadline::in_time;
use super::dialogue::Dialogue;
use super::shared::{Shared, Wish};
use crate::engine::milliseconds_now;
use crate::sources::services::Service;

/// The number of messages that are taken before events are told. A storm cannot keep them back.
const MAX_BATCH: usize = 64;

/// The end of the wait of a connection.
enum Woken {
    /// A message.
    Message(Message),
    /// The extensions, or a moment.
    Other,
    /// The connection ended.
    Ended,
}

/// The bus ended the connection.
pub(super) struct Ended;

/// Listens until no extension hears of anything.
///
/// # Errors
/// When the connection ends before.
pub(super) async fn listen(
    connection: &Connection,
    shared: &Shared,
    services: &mut [Box<dyn Service>],
) -> Result<(), Ended> {
    let mut stream = MessageStream::from(connection);
    let mut dialogue = Dialogue::new(services);
    while let Some((wishes, version)) = shared.current() {
        hear(&mut dialogue, &wishes);
        let ended =
            talk(&mut dialogue, (&wishes, version), (connection, &mut stream), shared).await;
        if ended.is_err() {
            dialogue.end();
            deliver(&mut dialogue, &wishes, Instant::now());
            return ended;
        }
    }
    Ok(())
}

/// Takes the extensions as they are wished.
pub(super) fn hear(dialogue: &mut Dialogue<'_>, wishes: &[Wish]) {
    let now = Instant::now();
    for (at, wish) in wishes.iter().enumerate() {
        dialogue.hear(at, &wish.subscribers, now);
    }
}

/// Talks while the wishes stay the same.
async fn talk(
    dialogue: &mut Dialogue<'_>,
    (wishes, version): (&[Wish], u64),
    (connection, stream): (&Connection, &mut MessageStream),
    shared: &Shared,
) -> Result<(), Ended> {
    while shared.version() == version {
        dialogue.expire(Instant::now());
        deliver(dialogue, wishes, Instant::now());
        shared.set_problems((0..wishes.len()).map(|at| dialogue.problem(at)));
        for message in dialogue.take_outgoing() {
            in_time(connection.send(&message)).await.map_err(|_| Ended)?;
        }
        match next(dialogue, stream, shared, version).await {
            Woken::Message(message) => take_ready(dialogue, message, stream).await?,
            Woken::Other => {}
            Woken::Ended => return Err(Ended),
        }
    }
    Ok(())
}

/// Waits for a message, other wishes, or the next moment.
async fn next(
    dialogue: &Dialogue<'_>,
    stream: &mut MessageStream,
    shared: &Shared,
    version: u64,
) -> Woken {
    let message = async {
        match stream.next().await {
            Some(Ok(message)) => Woken::Message(message),
            Some(Err(_)) | None => Woken::Ended,
        }
    };
    let changed = async {
        shared.changed_since(version).await;
        Woken::Other
    };
    let moment = dialogue.next_moment();
    let timer = async {
        moment.map_or_else(Timer::never, Timer::at).await;
        Woken::Other
    };
    future::or(message, future::or(changed, timer)).await
}

/// Takes a message and those that are there already, up to the first answer. Events are told after an
/// answer, so that a change that comes right behind the first state of a service is one.
async fn take_ready(
    dialogue: &mut Dialogue<'_>,
    first: Message,
    stream: &mut MessageStream,
) -> Result<(), Ended> {
    let now = Instant::now();
    let mut is_answer = dialogue.take(&first, now);
    for _ in 1..MAX_BATCH {
        if is_answer {
            break;
        }
        match future::poll_once(stream.next()).await {
            Some(Some(Ok(message))) => is_answer = dialogue.take(&message, now),
            Some(Some(Err(_)) | None) => return Err(Ended),
            None => break,
        }
    }
    Ok(())
}

/// Tells the engine the due events. An engine that ended needs to know nothing.
pub(super) fn deliver(dialogue: &mut Dialogue<'_>, wishes: &[Wish], now: Instant) {
    for (at, taken) in dialogue.take_due(now, milliseconds_now()) {
        let Some(inbox) = &wishes[at].inbox else { continue };
        if let Some(is_locked) = taken.locked {
            let _ = inbox.set_locked(is_locked);
        }
        for arrival in taken.arrivals {
            let _ = inbox.put(arrival);
        }
    }
}
