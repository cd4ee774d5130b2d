//! The end of a wait for a bus.

use std::time::Duration;

use async_io::Timer;
use futures_lite::future;

/// The time for a connection and each message on it. A bus answers within milliseconds.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Gives up what takes longer than it may.
///
/// # Errors
/// When the work fails, or takes longer.
pub(crate) async fn in_time<T>(work: impl Future<Output = zbus::Result<T>>) -> zbus::Result<T> {
    let late = async {
        Timer::after(MAX_WAIT).await;
        Err(zbus::Error::Failure("it did not answer within ten seconds".to_owned()))
    };
    future::or(work, late).await
}
