//! The extensions of this login session, for a program that embeds them.

use core_types::{ExtensionName, NameError};
use extension_depot::PlaceError;
use extension_host::{Arguments, CallError, Returned};

use super::callable::CallMode;
use crate::environment::{self, NoPlaces};
use crate::error::OpenError;
use crate::manager::{Manager, Options};

/// The extensions of this login session: what `sesame` installed, with this desktop behind their
/// capabilities.
///
/// The clipboard needs a process that keeps it after the call, and compiling one that is bounded: a
/// program that offers them makes a [`Manager`] of [`environment::places`] and [`Options`] of its
/// own.
///
/// ```no_run
/// # use extension_manager::{Session, SessionError};
/// let session = Session::open()?;
/// for name in ["World", "Moon"] {
///     println!("{}", session.call("greeting-extension", "greet", [name])?.to_text());
/// }
/// # Ok::<(), SessionError>(())
/// ```
pub struct Session {
    manager: Manager,
}

/// Why a call through a session gave no value.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The directories of this session are unknown.
    #[error(transparent)]
    NoPlaces(#[from] NoPlaces),
    /// A place cannot be relied on.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// No extension has such a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The extension cannot be called.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The call gave no value.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The extension returned an error.
    #[error("the extension returned an error")]
    Returned(Box<Returned>),
}

impl Session {
    /// Opens the extensions of this session. Nothing is connected.
    ///
    /// # Errors
    /// When the home directory is unknown, or a directory of sesame's belongs to another user.
    pub fn open() -> Result<Self, SessionError> {
        let places = environment::places()?;
        let options = Options {
            backends: environment::backends(&places),
            is_safe_mode: environment::is_safe_mode(),
            ..Options::default()
        };
        Ok(Self { manager: Manager::open(places, options)? })
    }

    /// Makes a session of a manager with places and options of its own.
    pub fn of(manager: Manager) -> Self {
        Self { manager }
    }

    /// Returns the manager.
    pub fn manager(&self) -> &Manager {
        &self.manager
    }

    /// Calls a function of an installed extension in a new instance and waits for it. Text goes in
    /// as it is where a string is wanted, and is read as a number, a boolean or
    /// [WAVE](https://github.com/bytecodealliance/wasm-tools) elsewhere.
    ///
    /// # Errors
    /// When the extension cannot be called, the call gives no value, or the value is an error.
    ///
    /// # Panics
    /// Within a tokio runtime, where [`Callable::call`](crate::Callable::call) is to be used.
    pub fn call<I>(
        &self,
        name: &str,
        function: &str,
        arguments: I,
    ) -> Result<Returned, SessionError>
    where
        I: IntoIterator,
        I::Item: Into<Vec<u8>>,
    {
        self.call_with(name, function, &Arguments::words(arguments))
    }

    /// Calls a function with arguments in another form than plain words, such as
    /// [`Arguments::Json`].
    ///
    /// # Errors
    /// As for [`Session::call`].
    ///
    /// # Panics
    /// As [`Session::call`] does.
    pub fn call_with(
        &self,
        name: &str,
        function: &str,
        arguments: &Arguments,
    ) -> Result<Returned, SessionError> {
        let name: ExtensionName = name.parse()?;
        let report =
            self.manager.callable(&name, CallMode::Ordinary)?.call_blocking(function, arguments);
        let returned = report.outcome?;
        if returned.is_err() {
            Err(SessionError::Returned(Box::new(returned)))
        } else {
            Ok(returned)
        }
    }
}
