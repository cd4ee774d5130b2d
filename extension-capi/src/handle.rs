//! A session with the last answer and the last error, in the form in which C reads them.

use std::any::Any;
use std::ffi::{CStr, CString};
use std::panic::{AssertUnwindSafe, catch_unwind};

use core_types::with_causes;
use extension_manager::{Arguments, Session, SessionError};

use crate::listing;

/// A session, with the texts that its owner may still read.
pub struct Handle {
    session: Session,
    answer: CString,
    error: Option<CString>,
}

/// One thread at a time may use a handle, and it need not be the thread that opened it.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Handle>();
};

impl Handle {
    /// Opens the extensions of this login session.
    ///
    /// # Errors
    /// When the home directory is unknown, or a directory of sesame's belongs to another user.
    pub fn open() -> Result<Self, String> {
        Session::open().map(Self::of).map_err(|error| with_causes(&error))
    }

    pub(crate) fn of(session: Session) -> Self {
        Self { session, answer: CString::default(), error: None }
    }

    /// Returns the installed extensions as JSON, or nothing when they cannot be listed.
    pub fn list(&mut self) -> Option<&CStr> {
        self.answer(|session| {
            listing::json(session.manager()).map_err(|error| with_causes(error.as_ref()))
        })
    }

    /// Calls a function with a JSON array of arguments and returns its value as JSON, or nothing
    /// when the call fails.
    pub fn call(&mut self, given: Result<Call, String>) -> Option<&CStr> {
        self.answer(|session| {
            let Call { name, function, arguments } = given?;
            let returned = session.call_with(&name, &function, &Arguments::Json(arguments));
            let returned = returned.map_err(|error| call_message(&error))?;
            serde_json::to_string(&returned).map_err(|error| with_causes(&error))
        })
    }

    /// Returns the error of the last operation, if it failed.
    pub fn last_error(&self) -> Option<&CStr> {
        self.error.as_deref()
    }

    /// Keeps what `work` says until the next operation.
    fn answer(&mut self, work: impl FnOnce(&Session) -> Result<String, String>) -> Option<&CStr> {
        match guarded(|| work(&self.session)) {
            Ok(answer) => {
                self.error = None;
                self.answer = c_text(answer);
                Some(&self.answer)
            }
            Err(error) => {
                self.error = Some(c_text(error));
                None
            }
        }
    }
}

/// One call, in the words of the caller.
pub struct Call {
    /// The extension.
    pub name: String,
    /// The function.
    pub function: String,
    /// A JSON array.
    pub arguments: String,
}

/// Does `work`. A panic is an error: it must not reach a caller who knows none.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    // A session keeps nothing half-done over a panic: its locks recover, and each call has an
    // instance of its own.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panic_message(&*panic)))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("internal error: {}", text.unwrap_or("a panic"))
}

/// Makes a text that ends where C looks for its end.
pub fn c_text(text: String) -> CString {
    // JSON writes the character zero as an escape; the words of an extension may have it.
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

fn call_message(error: &SessionError) -> String {
    match error {
        SessionError::Returned(value) => format!("{error}: {}", value.to_text()),
        _ => with_causes(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::Home;

    fn call(name: &str, function: &str, arguments: &str) -> Result<Call, String> {
        Ok(Call {
            name: name.to_owned(),
            function: function.to_owned(),
            arguments: arguments.to_owned(),
        })
    }

    fn handle(home: &Home) -> Handle {
        Handle::of(Session::of(home.manager()))
    }

    fn text(text: Option<&CStr>) -> Option<String> {
        text.map(|text| text.to_string_lossy().into_owned())
    }

    #[test]
    fn call_returns_json() {
        let home = Home::new("");
        home.install("greeting", &["config-read"]);
        let mut handle = handle(&home);
        let answer = text(handle.call(call("greeting", "greet", r#"["World"]"#)));
        assert_eq!((answer.as_deref(), handle.last_error()), (Some(r#""Hello, World!""#), None));
    }

    #[test]
    fn list_says_what_cannot_be_called() {
        let home = Home::new("");
        home.install("greeting", &["config-read"]);
        home.install("echo", &[]);
        home.edit("echo", |text| text.replace("[extension]", "[extension]\nenabled = false"));
        let answer = text(handle(&home).list()).expect("a list");
        let list: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        let [echo, greeting] = list["extensions"].as_array().expect("extensions").as_slice() else {
            panic!("{answer}")
        };
        assert_eq!((&echo["name"], &greeting["name"]), (&"echo".into(), &"greeting".into()));
        assert!(echo["problem"].as_str().is_some_and(|text| text.contains("disabled")), "{answer}");
        assert!(greeting["problem"].is_null(), "{answer}");
    }

    #[test]
    fn error_lasts_until_the_next_call() {
        let home = Home::new("");
        home.install("greeting", &["config-read"]);
        let mut handle = handle(&home);
        for (name, function, arguments, wanted) in [
            ("absent", "greet", "[]", "absent"),
            ("greeting", "missing", "[]", "missing"),
            ("greeting", "greet", "World", "JSON"),
            ("No Name", "greet", "[]", "No Name"),
        ] {
            assert_eq!(text(handle.call(call(name, function, arguments))), None);
            let error = text(handle.last_error()).expect("an error");
            assert!(error.contains(wanted), "{error}");
        }
        handle.list().expect("a list");
        assert_eq!(handle.last_error(), None);
    }

    #[test]
    fn crash_of_a_guest_is_an_error() {
        let home = Home::new("");
        home.install("hostile", &[]);
        let mut handle = handle(&home);
        assert_eq!(text(handle.call(call("hostile", "panic", r#"["boom"]"#))), None);
        let error = text(handle.last_error()).expect("an error");
        assert!(error.contains("crashed"), "{error}");
    }

    #[test]
    fn panic_becomes_an_error() {
        let home = Home::new("");
        let mut handle = handle(&home);
        assert_eq!(text(handle.answer(|_| panic!("{} is wrong", "it"))), None);
        let error = text(handle.last_error());
        assert_eq!(error.as_deref(), Some("internal error: it is wrong"));
        assert!(handle.list().is_some(), "the session goes on");
    }

    #[test]
    fn zero_does_not_end_a_text() {
        assert_eq!(c_text("a\0b".to_owned()).to_string_lossy(), "a\u{fffd}b");
    }
}
