//! The five functions of `include/sesame.h`. Their contract stands there; the arguments for each
//! `unsafe` refer to it.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::ptr;

use crate::handle::{Call, Handle, c_text, guarded};

thread_local! {
    /// The last error that belongs to no session, of this thread.
    static ERROR: RefCell<Option<CString>> = const { RefCell::new(None) };
}

/// Opens the extensions of this login session. Returns null where that fails.
#[unsafe(no_mangle)]
pub extern "C" fn sesame_open() -> *mut Handle {
    match guarded(Handle::open) {
        Ok(handle) => {
            ERROR.set(None);
            Box::into_raw(Box::new(handle))
        }
        Err(error) => {
            keep(error);
            ptr::null_mut()
        }
    }
}

/// Returns the installed extensions as JSON, or null.
///
/// # Safety
/// `session` comes from [`sesame_open`] and is not closed, or is null, and is not used by another
/// thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_list(session: *mut Handle) -> *const c_char {
    // SAFETY: the caller gives us a session of ours, to us alone for the time of this call.
    let Some(handle) = (unsafe { session.as_mut() }) else {
        keep("session is NULL");
        return ptr::null();
    };
    pointer(handle.list())
}

/// Calls a function with a JSON array of arguments and returns its value as JSON, or null.
///
/// # Safety
/// As for [`sesame_list`]; each text is null or ends with a zero, and does not change meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_call(
    session: *mut Handle,
    name: *const c_char,
    function: *const c_char,
    arguments: *const c_char,
) -> *const c_char {
    // SAFETY: the caller says that the texts end and do not change. They are copied before
    // anything else happens: one may be an answer of this session, which the call replaces.
    let call = unsafe { read_call(name, function, arguments) };
    // SAFETY: as in `sesame_list`.
    let Some(handle) = (unsafe { session.as_mut() }) else {
        keep("session is NULL");
        return ptr::null();
    };
    pointer(handle.call(call))
}

/// Returns the error of the last function that was called with this session, or null where it
/// succeeded; with null, of the last [`sesame_open`] of this thread.
///
/// # Safety
/// As for [`sesame_list`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_last_error(session: *const Handle) -> *const c_char {
    // SAFETY: as in `sesame_list`.
    match unsafe { session.as_ref() } {
        Some(handle) => pointer(handle.last_error()),
        // The text stays where it is until `ERROR` is set again, by this thread.
        None => ERROR.with_borrow(|error| pointer(error.as_deref())),
    }
}

/// Closes a session. Null is nothing to close.
///
/// # Safety
/// As for [`sesame_list`]; the session is not used any more, nor is a text of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_close(session: *mut Handle) {
    if session.is_null() {
        return;
    }
    // SAFETY: the pointer is that of the box which `sesame_open` gave away, and the caller gives it
    // back here, once.
    let handle = unsafe { Box::from_raw(session) };
    // There is nowhere to say that closing failed.
    let _ = guarded(|| {
        drop(handle);
        Ok(())
    });
}

fn pointer(text: Option<&CStr>) -> *const c_char {
    text.map_or(ptr::null(), CStr::as_ptr)
}

/// Keeps an error that belongs to no session.
fn keep(error: impl Into<String>) {
    ERROR.set(Some(c_text(error.into())));
}

/// # Safety
/// Each text is null or ends with a zero, and does not change meanwhile.
unsafe fn read_call(
    name: *const c_char,
    function: *const c_char,
    arguments: *const c_char,
) -> Result<Call, String> {
    // SAFETY: this is the contract of this function.
    let (name, function, arguments) =
        unsafe { (read(name, "name"), read(function, "function"), read(arguments, "arguments")) };
    Ok(Call {
        name: name?.ok_or("name is NULL")?,
        function: function?.ok_or("function is NULL")?,
        arguments: arguments?.unwrap_or_else(|| "[]".to_owned()),
    })
}

/// # Safety
/// The text is null or ends with a zero, and does not change meanwhile.
unsafe fn read(text: *const c_char, what: &str) -> Result<Option<String>, String> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: it is not null, and the rest is the contract of this function.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(|text| Some(text.to_owned())).map_err(|_| format!("{what} is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use extension_manager::Session;

    use super::*;
    use crate::support::Home;

    /// A session as C has it, with the extension that greets.
    fn session(home: &Home) -> *mut Handle {
        home.install("greeting", &["config-read"]);
        Box::into_raw(Box::new(Handle::of(Session::of(home.manager()))))
    }

    fn text(text: *const c_char) -> Option<String> {
        // SAFETY: the texts of this library end.
        let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) });
        text.map(|text| text.to_string_lossy().into_owned())
    }

    #[test]
    fn session_lists_and_calls() {
        let home = Home::new("");
        let session = session(&home);
        // SAFETY: the session is open, the texts are literals, and one thread uses them.
        unsafe {
            assert!(text(sesame_list(session)).is_some_and(|list| list.contains("greeting")));
            let arguments = c"[\"World\"]".as_ptr();
            let answer = sesame_call(session, c"greeting".as_ptr(), c"greet".as_ptr(), arguments);
            assert_eq!(text(answer).as_deref(), Some("\"Hello, World!\""));
            assert_eq!(text(sesame_last_error(session)), None);
            sesame_close(session);
        }
    }

    #[test]
    fn null_and_bad_text_are_errors() {
        let home = Home::new("");
        let session = session(&home);
        let (null, name) = (ptr::null(), c"greeting".as_ptr());
        // SAFETY: null is allowed everywhere; otherwise as above.
        unsafe {
            assert!(sesame_call(session, null, name, null).is_null());
            assert_eq!(text(sesame_last_error(session)).as_deref(), Some("name is NULL"));
            assert!(sesame_call(session, name, c"\xff".as_ptr(), null).is_null());
            assert_eq!(text(sesame_last_error(session)).as_deref(), Some("function is not UTF-8"));
            assert!(sesame_list(ptr::null_mut()).is_null());
            assert_eq!(text(sesame_last_error(ptr::null())).as_deref(), Some("session is NULL"));
            sesame_close(session);
            sesame_close(ptr::null_mut());
        }
    }

    /// An answer may be the argument of the next call, which replaces it.
    #[test]
    fn answer_can_be_an_argument() {
        let home = Home::new("");
        let session = session(&home);
        home.edit("greeting", |text| format!("{text}\n[config]\ngreeting.template = \"[]\"\n"));
        // SAFETY: as above.
        unsafe {
            let call = |arguments| {
                sesame_call(session, c"greeting".as_ptr(), c"greet".as_ptr(), arguments)
            };
            let answer = call(c"[\"\"]".as_ptr());
            assert_eq!(text(answer).as_deref(), Some("\"[]\""));
            assert!(call(answer).is_null());
            assert!(text(sesame_last_error(session)).is_some_and(|error| error.contains("JSON")));
            sesame_close(session);
        }
    }
}
