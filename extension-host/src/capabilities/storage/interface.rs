//! `open-sesame:host/storage`: values of an extension's own, which it finds again in the next call.
//!
//! The first use in a call takes the storage of the extension until the call has ended. Changes
//! stay in memory until then: a call that ended by itself commits them together, and one that was
//! stopped drops them with its state.

use std::time::{Duration, Instant};

use core_types::{Capability, MAX_STORED_VALUE, Request, StorageKey, StorageSize, TooMuchStored};

use super::storage_use::Opened;
use crate::bindings::open_sesame::host::storage::Host;
use crate::bindings::open_sesame::host::types::Error;
use crate::calling::{CallState, Size};
use crate::capabilities::backends::BackendError;

/// The time between two attempts to take a storage that another call uses, at first and at most.
/// Calls use it for milliseconds, and a program may use it for hours.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(16)];

/// The request of each use.
const USE: Request = Request::Use(Capability::Storage);

impl Host for CallState {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let value = |opened: &mut Opened, key: StorageKey, _| {
            opened.values.get(key.as_str()).map(<[u8]>::to_vec)
        };
        self.with_key(key, Size::NONE, value).await
    }

    async fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        let size = Size { bytes: value.len(), max: MAX_STORED_VALUE };
        let set = self.with_key(key, size, |opened, key, max| {
            let set = opened.values.set(key, value, max);
            opened.is_changed |= set.is_ok();
            set
        });
        let set = set.await?;
        Ok(set.and_then(|set| set.map_err(|over| self.too_much(over))))
    }

    async fn remove(&mut self, key: String) -> wasmtime::Result<Result<(), Error>> {
        let remove = |opened: &mut Opened, key: StorageKey, _| {
            opened.is_changed |= opened.values.remove(key.as_str());
        };
        self.with_key(key, Size::NONE, remove).await
    }

    async fn keys(&mut self, prefix: String) -> wasmtime::Result<Result<Vec<String>, Error>> {
        if let Err(refusal) = self.admit(&USE, Size::NONE) {
            return Ok(Err(refusal));
        }
        let opened = self.opened_storage().await?;
        Ok(opened.map(|opened| opened.values.keys(&prefix).map(ToString::to_string).collect()))
    }
}

impl CallState {
    /// Does something with a key and the storage, and the bytes that it may have.
    async fn with_key<T>(
        &mut self,
        key: String,
        size: Size,
        act: impl FnOnce(&mut Opened, StorageKey, u64) -> T + Send,
    ) -> wasmtime::Result<Result<T, Error>> {
        if let Err(refusal) = self.admit(&USE, size) {
            return Ok(Err(refusal));
        }
        let key = match key.parse::<StorageKey>() {
            Ok(key) => key,
            Err(error) => return Ok(Err(Error::Other(error.to_string()))),
        };
        let max = self.gate.storage_bytes();
        let opened = self.opened_storage().await?;
        Ok(opened.map(|opened| act(opened, key, max)))
    }

    /// Returns the storage, which is taken for this call with the first use.
    async fn opened_storage(&mut self) -> wasmtime::Result<Result<&mut Opened, Error>> {
        let opened = match self.storage.0.take() {
            Some(opened) => opened,
            None => match self.take_storage().await {
                Ok(opened) => opened,
                Err(error) => return Ok(Err(error.into())),
            },
        };
        self.bounds.check_time()?;
        Ok(Ok(self.storage.0.insert(opened)))
    }

    /// Takes the storage. While another call has it, it waits for four fifths of the remaining
    /// time: the rest is for the guest to do without.
    async fn take_storage(&mut self) -> Result<Opened, BackendError> {
        let rest = self.bounds.deadline().saturating_duration_since(Instant::now());
        let until = Instant::now() + rest / 5 * 4;
        let [mut pause, longest] = PAUSES;
        loop {
            if let Some(taken) = self.backends().storage.take(&self.gate.permissions.owner)? {
                let values = taken.read()?;
                return Ok(Opened { taken, values, is_changed: false });
            }
            if Instant::now() >= until {
                let why = "another call of the extension is using its storage";
                return Err(BackendError::Unavailable(why.to_owned()));
            }
            tokio::time::sleep(pause).await;
            pause = longest.min(pause * 2);
        }
    }

    /// Tells the guest that a value does not fit, and the user how much would be needed.
    fn too_much(&self, over: TooMuchStored) -> Error {
        if let TooMuchStored::All { needed, .. } = over
            && let Some(size) = StorageSize::holding(needed)
        {
            self.gate.allows(&Request::Store(size));
        }
        Error::TooLarge(over.limit())
    }
}
