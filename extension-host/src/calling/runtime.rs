//! The small Tokio runtime with which a thread calls extensions.

use std::cell::RefCell;

use tokio::runtime::Runtime;

/// Runs a future on this thread's runtime, which is made when it is first needed and kept. The
/// driver for sockets is made only for calls with network grants.
///
/// # Errors
/// When the system has no resources for a runtime.
pub(crate) fn block_on<T>(
    with_network: bool,
    future: impl Future<Output = T>,
) -> std::io::Result<T> {
    thread_local! {
        static RUNTIME: RefCell<Option<CallRuntime>> = const { RefCell::new(None) };
    }
    RUNTIME.with_borrow_mut(|slot| {
        let runtime = match slot.take().filter(|runtime| runtime.with_network || !with_network) {
            Some(runtime) => runtime,
            None => CallRuntime::new(with_network)?,
        };
        Ok(slot.insert(runtime).block_on(future))
    })
}

/// A runtime for calls of one thread.
struct CallRuntime {
    runtime: Option<Runtime>,
    with_network: bool,
}

impl CallRuntime {
    fn new(with_network: bool) -> std::io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time();
        if with_network {
            builder.enable_io();
        }
        Ok(Self { runtime: Some(builder.build()?), with_network })
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        match &self.runtime {
            Some(runtime) => runtime.block_on(future),
            None => unreachable!("the runtime is there until it is dropped"),
        }
    }
}

/// Shuts down without waiting: an abandoned host call may still wait in a thread.
impl Drop for CallRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
