//! The admission desk between a guest and the backends: the gate decides, then size and rate are
//! checked, and only then the backend is asked.

use core_types::{Owner, Request};

use super::call_state::CallState;
use crate::bindings::open_sesame::host::types::Error;
use crate::capabilities::{BackendError, Backends, ask_backend};

impl CallState {
    /// Asks a backend for something if the request is granted, small enough and within its rate.
    ///
    /// The outer error ends the call; the inner one goes to the guest.
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
        // The backend may have given up because the deadline passed. The guest must not go on then.
        self.bounds.check_time()?;
        Ok(answer.map_err(Error::from))
    }

    pub(crate) fn admit(&self, request: &Request, size: Size) -> Result<(), Error> {
        let decision = self.gate.decide(request);
        if !decision.allows() {
            // An extension does not learn where the policy lies.
            let why = if decision.is_by_policy() { "denied by policy" } else { "not granted" };
            return Err(Error::Denied(format!("{request} is {why}")));
        }
        if !size.fits() {
            return Err(Error::TooLarge(size.max as u64));
        }
        let owner = &self.gate.permissions.owner;
        match self.backends.rates.take(owner, request.capability()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::TooMany),
            Err(error) => Err(Error::Unavailable(format!("requests cannot be counted: {error}"))),
        }
    }
}

/// The size of a request in bytes, and its maximum.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) bytes: usize,
    pub(crate) max: usize,
}

impl Size {
    /// The size of a request without content.
    pub(crate) const NONE: Self = Self { bytes: 0, max: 0 };

    pub(crate) fn fits(self) -> bool {
        self.bytes <= self.max
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
