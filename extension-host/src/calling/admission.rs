//! The admission desk: what a guest asks a backend for is decided by the gate, measured, counted and
//! only then passed on.

use core_types::{Owner, Request};

use super::call_state::CallState;
use crate::bindings::open_sesame::host::types::Error;
use crate::capabilities::{BackendError, Backends, ask_backend};

impl CallState {
    /// Asks a backend for something, if the extension may have it: granted, not too large, and not
    /// too often.
    ///
    /// The outer error is the end of the call; the inner one is the guest's to handle.
    pub(crate) async fn ask_backend<T: Send + 'static>(
        &mut self,
        request: Request,
        size: Size,
        ask: impl FnOnce(&Backends, &Owner) -> Result<T, BackendError> + Send + 'static,
    ) -> wasmtime::Result<Result<T, Error>> {
        if let Err(refusal) = self.admit(&request, size) {
            return Ok(Err(refusal));
        }
        let (backends, owner) = (self.backends.clone(), self.gate.permissions.owner.clone());
        let answer = ask_backend(request.capability(), move || ask(&backends, &owner)).await;
        // A backend may have given up because the time was over, of which the guest learns in no
        // other way.
        self.bounds.check_time()?;
        Ok(answer.map_err(Error::from))
    }

    fn admit(&self, request: &Request, size: Size) -> Result<(), Error> {
        let decision = self.gate.decide(request);
        if !decision.allows() {
            // Where the policy lies is nothing to an extension.
            let why = if decision.is_by_policy() { "denied by policy" } else { "not granted" };
            return Err(Error::Denied(format!("{request} is {why}")));
        }
        if !size.fits() {
            return Err(Error::TooLarge(size.most as u64));
        }
        let owner = &self.gate.permissions.owner;
        match self.backends.rates.take(owner, request.capability()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::TooMany),
            Err(error) => Err(Error::Unavailable(format!("requests cannot be counted: {error}"))),
        }
    }
}

/// How many bytes were given, and how many may be.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) given: usize,
    pub(crate) most: usize,
}

impl Size {
    /// Nothing was given.
    pub(crate) const NOTHING: Self = Self { given: 0, most: 0 };

    pub(crate) fn fits(self) -> bool {
        self.given <= self.most
    }
}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::NotFound => Self::NotFound,
            BackendError::Unavailable(why) => Self::Unavailable(why),
            BackendError::Other(why) => Self::Other(why),
        }
    }
}
