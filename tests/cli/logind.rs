//! Logind, played by the test: one login session that is locked or not.

use zbus::blocking::Connection;
use zbus::interface;
use zbus::zvariant::{ObjectPath, OwnedObjectPath};

use crate::bus_session::Session;

const LOGIND: &str = "org.freedesktop.login1";
const LOGIN_SESSION: &str = "/org/freedesktop/login1/session/_32";

/// The login session, as logind has it.
struct LoginSession {
    is_locked: bool,
}

#[interface(name = "org.freedesktop.login1.Session")]
impl LoginSession {
    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        self.is_locked
    }

    #[zbus(property)]
    fn id(&self) -> &'static str {
        "2"
    }
}

struct Manager;

#[interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    #[zbus(name = "GetSessionByPID")]
    fn session_of(&self, _process: u32) -> OwnedObjectPath {
        ObjectPath::from_static_str_unchecked(LOGIN_SESSION).into()
    }
}

/// Starts logind with a session that is locked or not.
pub fn logind(session: &Session, is_locked: bool) -> Connection {
    let connection = session.connect();
    let login = LoginSession { is_locked };
    connection.object_server().at("/org/freedesktop/login1", Manager).expect("served");
    connection.object_server().at(LOGIN_SESSION, login).expect("served");
    session.serve(&connection, LOGIN_SESSION, LOGIND);
    connection
}

/// Locks or unlocks the login session.
pub fn lock(connection: &Connection, is_locked: bool) {
    let server = connection.object_server();
    let session = server.interface::<_, LoginSession>(LOGIN_SESSION).expect("served");
    session.get_mut().is_locked = is_locked;
    let emitter = session.signal_emitter();
    zbus::block_on(session.get().locked_hint_changed(emitter)).expect("told");
}
