//! What wakes an extension: whether its code and its author agree, and whether an update is woken by
//! more than its predecessor.

use core_types::event::EventTables;
use core_types::{ExtensionName, Grant};
use extension_host::{Code, CodeKind, DeclaredEvents, EVENTS_INTERFACE, Host};

/// Why an extension cannot be woken as its author says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventsMismatch {
    /// It declares events and does not export their interface.
    #[error("`{name}` declares the event `{event}` and does not export `{EVENTS_INTERFACE}`")]
    NotExported {
        /// The extension.
        name: ExtensionName,
        /// One of the events.
        event: String,
    },
    /// It exports the interface and declares no event.
    #[error(
        "`{name}` exports `{EVENTS_INTERFACE}` and does not declare an event: its author's `extension.toml` needs a table such as `[events.\"power.battery\"]`"
    )]
    NotDeclared {
        /// The extension.
        name: ExtensionName,
    },
    /// It declares events and is a core module.
    #[error(
        "`{name}` declares the event `{event}` and is a core module, which cannot export `{EVENTS_INTERFACE}`"
    )]
    Module {
        /// The extension.
        name: ExtensionName,
        /// One of the events.
        event: String,
    },
}

/// Returns the contradiction between the code of an extension and its author, if there is one.
pub(super) fn mismatch(
    name: &ExtensionName,
    declared: &DeclaredEvents,
    (host, code): (&Host, &Code),
) -> Option<EventsMismatch> {
    let (name, event) = (name.clone(), declared.first());
    match (event, host.handles_events(code)) {
        (Some(event), _) if code.kind() == CodeKind::Module => {
            Some(EventsMismatch::Module { name, event })
        }
        (Some(event), false) => Some(EventsMismatch::NotExported { name, event }),
        (None, true) => Some(EventsMismatch::NotDeclared { name }),
        _ => None,
    }
}

/// Returns the events that an update declares with settings that ask for more than those before,
/// under the settings of the user, which win over both.
pub(super) fn wider(user: &EventTables, before: &EventTables, after: &EventTables) -> Vec<Grant> {
    let (before, after) = (user.over(before), user.over(after));
    let declared = after.iter().map(|(name, _)| name).filter(|name| before.get(name).is_some());
    let is_wider = |name: &&_| match (after.settings(name), before.settings(name)) {
        (Ok(after), Ok(before)) => after.is_wider_than(&before),
        // It never came, and now it does.
        (Ok(_), Err(_)) => true,
        (Err(_), _) => false,
    };
    declared.filter(is_wider).cloned().map(Grant::of_event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(text: &str) -> EventTables {
        core_types::parse_toml(text).expect(text).value
    }

    /// A shorter interval is more, unless the user has one of their own.
    #[test]
    fn user_settles_what_is_wider() {
        let hourly = tables("[\"time.every\"]\nevery = \"1h\"");
        let often = tables("[\"time.every\"]\nevery = \"5s\"\n[\"power.battery\"]");
        let mine = tables("[\"time.every\"]\nevery = \"1d\"\n[\"custom.a\"]");
        let none = EventTables::default();
        let shown = |wider: Vec<Grant>| wider.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(shown(wider(&none, &hourly, &often)), ["events=time.every"]);
        assert_eq!(wider(&none, &often, &hourly), []);
        assert_eq!(wider(&mine, &hourly, &often), []);
        assert_eq!(wider(&none, &none, &often), [], "that is a new request");
    }
}
