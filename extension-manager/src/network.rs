//! Waiting for registries.

use std::cell::{Cell, OnceCell};
use std::io;
use std::pin::pin;
use std::time::Duration;

use core_types::ExtensionName;
use extension_depot::registry::{Progress, Registry};
use tokio::runtime::{Builder, Runtime};

use crate::events::{Event, Events, Phase, Wait};

/// How long is waited before it is said what for: shorter, and the line would only flicker.
const MOMENT: Duration = Duration::from_millis(300);

/// The client for registries, and the runtime in which its connections live. They belong together:
/// a connection that one request opened serves the next one in the same runtime.
#[derive(Clone, Copy)]
pub struct Network<'a> {
    /// The client. All operations of a process share one, with its connections and tokens.
    pub registry: &'a Registry,
    /// The runtime.
    pub runtime: &'a LazyRuntime,
}

/// A runtime on the calling thread, made when something is waited for first.
#[derive(Default)]
pub struct LazyRuntime(OnceCell<Runtime>);

impl LazyRuntime {
    /// Waits for work on the network.
    ///
    /// # Errors
    /// When this machine lacks room for a runtime.
    pub fn wait_for<T>(&self, work: impl Future<Output = T>) -> io::Result<T> {
        if self.0.get().is_none() {
            // Where no thread can be started, names cannot be looked up, which would be a panic
            // deep in the runtime.
            std::thread::Builder::new().spawn(|| {}).map(drop)?;
            let _ = self.0.set(Builder::new_current_thread().enable_all().build()?);
        }
        Ok(self.0.get().unwrap_or_else(|| unreachable!("set above")).block_on(work))
    }
}

impl Network<'_> {
    /// Waits, and says what for where that takes longer than a moment.
    pub(crate) fn wait<T>(
        &self,
        events: &dyn Events,
        what: &Wait<'_>,
        work: impl Future<Output = T>,
    ) -> io::Result<T> {
        self.runtime.wait_for(said(events, what, &|| true, work))
    }

    /// Waits for the download of one extension or of several, which report their progress. Until
    /// one does, the wait is reported.
    pub(crate) fn download<T>(
        &self,
        events: &dyn Events,
        what: &Wait<'_>,
        work: impl AsyncFnOnce(&dyn Fn(&ExtensionName, Progress)) -> T,
    ) -> io::Result<T> {
        let (has_reported, is_said) = (Cell::new(false), Cell::new(false));
        let report = |name: &ExtensionName, progress| {
            if is_said.take() {
                events.event(Event::WaitEnded);
            }
            has_reported.set(true);
            if let Progress::Resolved { .. } = progress {
                events.event(Event::PhaseStarted { name, phase: Phase::Downloading });
            }
            events.event(Event::Downloading { name, progress });
        };
        let may_say = || {
            is_said.set(!has_reported.get());
            is_said.get()
        };
        self.runtime.wait_for(said(events, what, &may_say, work(&report)))
    }
}

/// Does the work, and reports the wait after a moment, unless it is over.
async fn said<T>(
    events: &dyn Events,
    what: &Wait<'_>,
    may_say: &dyn Fn() -> bool,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    if let Ok(done) = tokio::time::timeout(MOMENT, &mut work).await {
        return done;
    }
    if !may_say() {
        return work.await;
    }
    events.event(Event::WaitStarted(what));
    let done = work.await;
    events.event(Event::WaitEnded);
    done
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use extension_depot::registry::Settings;

    use super::*;

    #[derive(Default)]
    struct Seen(Mutex<Vec<String>>);

    impl Events for Seen {
        fn event(&self, event: Event<'_>) {
            self.0.lock().expect("no test panics here").push(event.to_string());
        }
    }

    fn seen(act: impl FnOnce(Network<'_>, &dyn Events)) -> Vec<String> {
        let (registry, runtime) = (Registry::new(Settings::default()), LazyRuntime::default());
        let events = Seen::default();
        act(Network { registry: &registry, runtime: &runtime }, &events);
        events.0.into_inner().expect("no test panics here")
    }

    #[test]
    fn short_wait_is_not_mentioned() {
        let events = seen(|network, events| {
            let what = Wait::Asking("r.example");
            assert_eq!(network.wait(events, &what, async { 1 }).expect("a runtime"), 1);
        });
        assert!(events.is_empty(), "{events:?}");
    }

    #[test]
    fn long_wait_is_mentioned() {
        let events = seen(|network, events| {
            let work = async { tokio::time::sleep(MOMENT * 2).await };
            network.wait(events, &Wait::Asking("r.example"), work).expect("waited");
        });
        assert_eq!(events, ["asking r.example…", "it has answered"]);
    }

    /// The name of a wait goes as soon as bytes come.
    #[test]
    fn download_replaces_its_wait() {
        let events = seen(|network, events| {
            let name = "weather".parse().expect("a name");
            let digest = core_types::Digest::from_sha256([0; 32]);
            let work = async |report: &dyn Fn(&ExtensionName, Progress)| {
                tokio::time::sleep(MOMENT * 2).await;
                report(&name, Progress::Resolved { digest, bytes: 1 });
                report(&name, Progress::Received(1));
            };
            network.download(events, &Wait::ResolvingMany(2), work).expect("waited");
        });
        let downloading = "downloading `weather`";
        let expected =
            ["resolving 2 references…", "it has answered", downloading, downloading, downloading];
        assert_eq!(events[..5], expected);
    }
}
