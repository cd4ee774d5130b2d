//! The callers that were looked at.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zbus::Connection;
use zbus::fdo::{ConnectionCredentials, DBusProxy};
use zbus::names::BusName;

use super::caller::{Caller, Standing};
use super::process::{Process, Seen};
use crate::bus::bus_error::BusError;

/// The most callers that are remembered. Beyond it all are looked at again.
const MAX_KNOWN: usize = 1_000;

/// The callers, each looked at once: a program cannot change its process behind its name.
#[derive(Clone, Default)]
pub(in crate::bus) struct Callers(Arc<Mutex<HashMap<String, Arc<Caller>>>>);

impl Callers {
    /// Returns the caller of this unique name.
    pub(in crate::bus) async fn find(
        &self,
        connection: &Connection,
        name: &str,
    ) -> Result<Arc<Caller>, BusError> {
        if let Some(known) = self.known().get(name) {
            return Ok(known.clone());
        }
        let credentials = credentials_of(connection, name).await.map_err(|error| {
            BusError::refused(format!("the bus does not say who asks: {error}"))
        })?;
        let caller = Arc::new(caller_of(name, &credentials));
        // The owner of the name has to be there still: the process may have ended, and another one
        // may have been looked at.
        let again = credentials_of(connection, name).await;
        if again.ok().and_then(|it| it.process_id()) != credentials.process_id() {
            return Err(BusError::refused("the program that asks has left the bus"));
        }
        let mut known = self.known();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(name.to_owned(), caller.clone());
        Ok(caller)
    }

    /// Forgets a caller that has left the bus.
    pub(in crate::bus) fn left(&self, name: &str) {
        self.known().remove(name);
    }

    /// A panic of another thread leaves whole entries.
    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<Caller>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn credentials_of(
    connection: &Connection,
    name: &str,
) -> zbus::fdo::Result<ConnectionCredentials> {
    let name = BusName::try_from(name).map_err(zbus::Error::from)?;
    DBusProxy::new(connection).await?.get_connection_credentials(name).await
}

fn caller_of(name: &str, credentials: &ConnectionCredentials) -> Caller {
    let process = credentials.process_id().filter(|_| is_ours(credentials)).map(|id| Process {
        id,
        fd: credentials.process_fd().map(AsFd::as_fd),
        label: credentials.linux_security_label().map(Vec::as_slice),
    });
    let unseen = Seen { standing: Standing::Sandboxed(None), executable: None };
    let Seen { standing, executable } = process.map_or(unseen, Process::look);
    Caller { name: name.to_owned(), executable, standing }
}

/// Tells whether a caller is a process of the same user.
fn is_ours(credentials: &ConnectionCredentials) -> bool {
    credentials.unix_user_id() == Some(rustix::process::geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process of another user has the rights of one in a sandbox. So has a process without a user
    /// in the answer of the bus.
    #[test]
    fn other_user_has_no_rights() {
        let own = rustix::process::geteuid().as_raw();
        let standing = |credentials: ConnectionCredentials| {
            let credentials = credentials.set_process_id(std::process::id());
            caller_of(":1.1", &credentials).standing.clone()
        };
        let of_user = |user| standing(ConnectionCredentials::default().set_unix_user_id(user));
        assert_eq!(of_user(own), Standing::Outside);
        assert_eq!(of_user(own + 1), Standing::Sandboxed(None));
        assert_eq!(standing(ConnectionCredentials::default()), Standing::Sandboxed(None));
    }
}
