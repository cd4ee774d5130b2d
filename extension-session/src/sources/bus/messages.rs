//! Messages of a bus, written and read.

use std::collections::HashMap;

use zbus::Message;
use zbus::message::{Body, Flags, Header, Type};
use zbus::zvariant::{ObjectPath, Structure, Value};

use crate::sources::services::{Answer, Question, Signal};

/// The name of the bus itself, which no program can have.
pub(crate) const DRIVER: &str = "org.freedesktop.DBus";
const DRIVER_OBJECT: &str = "/org/freedesktop/DBus";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const LOGIND_OBJECT: &str = "/org/freedesktop/login1";
const LOGIND_MANAGER: &str = "org.freedesktop.login1.Manager";

/// Makes a call of the bus itself with one text.
pub(super) fn to_driver(method: &str, text: &str) -> zbus::Result<Message> {
    call(DRIVER, (DRIVER_OBJECT, DRIVER), method)?.build(&(text,))
}

/// Makes a call of the bus itself with one text that is not answered.
pub(super) fn tell_driver(method: &str, text: &str) -> zbus::Result<Message> {
    let call = call(DRIVER, (DRIVER_OBJECT, DRIVER), method)?;
    call.with_flags(Flags::NoReplyExpected)?.build(&(text,))
}

/// Asks the bus for all names.
pub(super) fn list_names() -> zbus::Result<Message> {
    call(DRIVER, (DRIVER_OBJECT, DRIVER), "ListNames")?.build(&())
}

/// Asks the bus to start the owner of a name.
pub(super) fn start(name: &str) -> zbus::Result<Message> {
    call(DRIVER, (DRIVER_OBJECT, DRIVER), "StartServiceByName")?.build(&(name, 0_u32))
}

/// Asks the owner of a name.
pub(super) fn question(to: &str, question: &Question) -> zbus::Result<Message> {
    let logind = |method: &'static str| call(to, (LOGIND_OBJECT, LOGIND_MANAGER), method);
    match question {
        Question::Properties { path, interface } => {
            call(to, (path.as_str(), PROPERTIES), "GetAll")?.build(&(*interface,))
        }
        Question::SessionOfProcess(process) => logind("GetSessionByPID")?.build(&(*process,)),
        Question::SessionById(id) => logind("GetSession")?.build(&(id.as_str(),)),
        Question::User(user) => logind("GetUser")?.build(&(*user,)),
    }
}

fn call<'a>(
    to: &'a str,
    (path, interface): (&'a str, &'a str),
    method: &'a str,
) -> zbus::Result<zbus::message::Builder<'a>> {
    Message::method_call(path, method)?.destination(to)?.interface(interface)
}

/// Reads the answer to a question of a service.
pub(super) fn answer<'a>(kind: Type, body: &'a Body, question: &Question) -> Answer<'a> {
    if kind != Type::MethodReturn {
        return Answer::Failed;
    }
    let read = match question {
        Question::Properties { .. } => {
            body.deserialize::<HashMap<&str, Value<'_>>>().map(Answer::Properties)
        }
        _ => body.deserialize::<ObjectPath<'_>>().map(|path| Answer::Object(path.to_string())),
    };
    read.unwrap_or(Answer::Failed)
}

/// Reads a signal; nothing for one that has another form than it should.
pub(super) fn signal<'a>(header: &'a Header<'a>, body: &'a Body) -> Option<Signal<'a>> {
    let path = header.path()?.as_str();
    let member = header.member()?.as_str();
    let is_properties = header.interface()?.as_str() == PROPERTIES;
    if is_properties && member == "PropertiesChanged" {
        type Changed<'a> = (&'a str, HashMap<&'a str, Value<'a>>, Vec<&'a str>);
        let (interface, changed, others): Changed<'_> = body.deserialize().ok()?;
        let is_partial = !others.is_empty();
        return Some(Signal::Properties { path, interface, changed, is_partial });
    }
    let arguments = if body.is_empty() {
        Vec::new()
    } else {
        body.deserialize::<Structure<'_>>().ok()?.into_fields()
    };
    Some(Signal::Other { path, member, arguments })
}

/// Reads the answer of the bus that names an owner.
pub(super) fn owner(kind: Type, body: &Body) -> Option<String> {
    let owner = if kind == Type::MethodReturn { body.deserialize::<&str>().ok() } else { None };
    owner.filter(|owner| !owner.is_empty()).map(str::to_owned)
}

/// Reads the answer of the bus that lists names.
pub(super) fn names(kind: Type, body: &Body) -> Vec<String> {
    let names = if kind == Type::MethodReturn { body.deserialize().ok() } else { None };
    names.unwrap_or_default()
}

/// Reads the signal of the bus that a name has another owner: the name, and the new owner.
pub(crate) fn owner_change(header: &Header<'_>, body: &Body) -> Option<(String, Option<String>)> {
    if header.member()?.as_str() != "NameOwnerChanged" {
        return None;
    }
    let (name, _, owner): (&str, &str, &str) = body.deserialize().ok()?;
    Some((name.to_owned(), (!owner.is_empty()).then(|| owner.to_owned())))
}
