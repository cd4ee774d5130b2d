//! The environment of the session, which the manager of the user's units knows.

use std::collections::HashMap;
use std::ffi::OsString;
use std::time::Duration;

use zbus::blocking::Connection;
use zbus::zvariant::OwnedValue;

use super::bus::ask_bus_within;

/// The time for an answer, which is of the time that a call has for its text.
const TIMEOUT: Duration = Duration::from_secs(1);
const MANAGER: &str = "org.freedesktop.systemd1";
const OBJECT: &str = "/org/freedesktop/systemd1";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// Returns the variables of the session, such as the display of a desktop that started after this
/// process; none where no systemd manages the session.
pub fn session_variables() -> HashMap<String, OsString> {
    variables_of(ask_bus_within(TIMEOUT, environment).unwrap_or_default())
}

fn environment() -> zbus::Result<Vec<String>> {
    let property = ("org.freedesktop.systemd1.Manager", "Environment");
    let connection = Connection::session()?;
    let answer =
        connection.call_method(Some(MANAGER), OBJECT, Some(PROPERTIES), "Get", &property)?;
    let value: OwnedValue = answer.body().deserialize()?;
    Ok(Vec::try_from(value)?)
}

fn variables_of(assignments: Vec<String>) -> HashMap<String, OsString> {
    let pairs = assignments.iter().filter_map(|variable| variable.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), OsString::from(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::variables_of;

    #[test]
    fn variable_has_all_of_its_value() {
        let variables = variables_of(["A=:1", "B=a=b", "EMPTY=", "none"].map(str::to_owned).into());
        let value = |name| variables.get(name).and_then(|value| value.to_str());
        assert_eq!((value("A"), value("B"), value("EMPTY")), (Some(":1"), Some("a=b"), Some("")));
        assert_eq!(value("none"), None);
    }
}
