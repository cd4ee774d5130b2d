//! The thread of a bus: it connects, listens, and tries again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_io::Timer;
use futures_lite::future;

use super::bus_address::BusAddress;
use super::connection::{self, Ended};
use super::deadline::in_time;
use super::dialogue::Dialogue;
use super::shared::Shared;
use crate::sources::services::Service;

/// The time before a lost bus is tried again, the first time and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Starts the thread.
///
/// # Errors
/// When the system gives none.
pub(super) fn start(address: &BusAddress, shared: &Arc<Shared>) -> std::io::Result<()> {
    let (address, shared) = (address.clone(), shared.clone());
    let thread = std::thread::Builder::new().name(address.name().to_owned());
    let listening = move || {
        let mut services = shared.services();
        async_io::block_on(run(&address, &shared, &mut services));
    };
    thread.spawn(listening).map(drop)
}

/// Listens until no extension hears of anything on the bus.
async fn run(address: &BusAddress, shared: &Shared, services: &mut [Box<dyn Service>]) {
    let mut pause = FIRST_PAUSE;
    loop {
        let begun = Instant::now();
        let tried = try_once(address, shared, services).await;
        let Err(problem) = tried else { break };
        shared.set_absence(Some(problem));
        if begun.elapsed() > MAX_PAUSE {
            pause = FIRST_PAUSE;
        }
        if !wait(shared, pause).await {
            break;
        }
        pause = MAX_PAUSE.min(pause * 2);
    }
    for service in services {
        service.hear(&[]);
    }
}

/// Connects and listens until no extension hears of anything.
///
/// # Errors
/// When the bus cannot be reached, or ends.
async fn try_once(
    address: &BusAddress,
    shared: &Shared,
    services: &mut [Box<dyn Service>],
) -> Result<(), String> {
    match in_time(address.connect()).await {
        Ok(connection) => {
            shared.set_absence(None);
            let listened = connection::listen(&connection, shared, services).await;
            // The socket closes now, and not when the last task of the connection ends.
            let _ = in_time(connection.close()).await;
            listened.map_err(|Ended| format!("the {} ended the connection", address.name()))
        }
        Err(error) => match absent(shared, services) {
            Some(()) => Err(format!("cannot reach the {}: {error}", address.name())),
            None => Ok(()),
        },
    }
}

/// Tells every service that is listened to that it is not there; nothing if none is.
fn absent(shared: &Shared, services: &mut [Box<dyn Service>]) -> Option<()> {
    let (wishes, _) = shared.current()?;
    let mut dialogue = Dialogue::new(services);
    connection::hear(&mut dialogue, &wishes);
    dialogue.end();
    connection::deliver(&mut dialogue, &wishes, Instant::now());
    Some(())
}

/// Waits before the bus is tried again, and returns whether something still listens.
async fn wait(shared: &Shared, pause: Duration) -> bool {
    let until = Instant::now() + pause;
    while let Some((_, version)) = shared.current() {
        if Instant::now() >= until {
            return true;
        }
        let timer = async {
            Timer::at(until).await;
        };
        future::or(shared.changed_since(version), timer).await;
    }
    false
}
