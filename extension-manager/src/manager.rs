//! The manager: the extensions of one user, with everything that holds for their calls.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use core_types::{Digest, ExtensionName, UnknownKey};
use extension_depot::{Depot, EffectiveConfig, Installed, PlaceError, Places};
use extension_host::{
    Backends, Code, CodeCache, CompilerCommand, DirectoryRules, ExportedFunction, Host,
};

use crate::calling::{DepotStorage, RefusalLimiter};
use crate::error::OpenError;
use crate::events::{Event, Events, Silent};

/// The tools of a manager, beside the places.
///
/// ```
/// use extension_manager::Options;
///
/// let options = Options { is_safe_mode: true, ..Options::default() };
/// assert!(options.compiler.is_none(), "code is compiled in this process");
/// ```
#[derive(Clone)]
pub struct Options {
    /// The backends of capabilities. By default there are none, and granted capabilities are
    /// unavailable, but for `storage`, which is in the depot.
    pub backends: Backends,
    /// Makes the command line of a bounded child that compiles, when something has to be compiled.
    /// By default code is compiled in this process, without bounds.
    pub compiler: Option<fn() -> CompilerCommand>,
    /// Whether the user wants no extension to be called, whatever is asked. By default extensions
    /// are called.
    pub is_safe_mode: bool,
    /// The receiver of events. By default they are dropped.
    pub events: Arc<dyn Events>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            backends: Backends::default(),
            compiler: None,
            is_safe_mode: false,
            events: Arc::new(Silent),
        }
    }
}

/// The extensions of one user.
///
/// ```
/// use extension_manager::{Manager, Options};
/// use extension_depot::Places;
/// # let directory = tempfile::tempdir()?;
/// # let root = directory.path();
///
/// let manager = Manager::open(Places::below(root), Options::default())?;
/// assert!(manager.depot().list()?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Manager {
    depot: Arc<Depot>,
    options: Options,
    /// Loaded code, so that a long-running program loads each extension once.
    loaded: Mutex<HashMap<ExtensionName, Loaded>>,
    /// The refused deliveries that are in the log already.
    refusals: Arc<RefusalLimiter>,
}

/// An extension's code and what runs it.
#[derive(Clone)]
pub(crate) struct Loaded {
    /// The pin at the time of loading. Another pin is other code.
    pinned: Digest,
    pub(crate) host: Arc<Host>,
    pub(crate) code: Code,
}

impl Manager {
    /// Opens the extensions that lie at these places. Nothing has to be there yet.
    ///
    /// # Errors
    /// When a directory of these belongs to another user or others can write to it.
    pub fn open(places: Places, options: Options) -> Result<Self, PlaceError> {
        places.ensure_own()?;
        Ok(Self::open_as_it_is(places, options))
    }

    /// Opens the depot whoever owns its directories, to diagnose it. Its contents may be another
    /// user's.
    pub fn open_as_it_is(places: Places, options: Options) -> Self {
        let (waiting, unlogged) = (options.events.clone(), options.events.clone());
        let depot = Depot::new(places)
            .on_waiting(move || waiting.event(Event::WaitingForLock))
            .on_unlogged(move |error| unlogged.event(Event::ChangeNotLogged(error)));
        Self { depot: Arc::new(depot), options, loaded: Mutex::default(), refusals: Arc::default() }
    }

    /// The installed artifact.
    pub fn depot(&self) -> &Depot {
        &self.depot
    }

    /// The configuration and every policy, as they are at this moment.
    ///
    /// # Errors
    /// When a document of them cannot be read or understood: nothing is allowed then.
    pub fn config(&self) -> Result<EffectiveConfig, OpenError> {
        let config = EffectiveConfig::load(self.depot.places())?;
        if !config.unknown_keys.is_empty() {
            self.events().event(Event::UnknownKeys(&config.unknown_keys));
        }
        Ok(config)
    }

    /// Warns of keys in a document that do nothing.
    pub(crate) fn warn_of_unknown_keys(&self, document: &Path, keys: &[UnknownKey]) {
        if keys.is_empty() {
            return;
        }
        let keys: Vec<_> = keys.iter().map(|key| (document.to_owned(), key.clone())).collect();
        self.events().event(Event::UnknownKeys(&keys));
    }

    /// Returns the cache of compiled code.
    pub fn code_cache(&self) -> CodeCache {
        CodeCache::new(self.depot.places().code())
    }

    /// Tells whether the user wants no extension to be called, whatever is asked.
    pub fn is_safe_mode(&self) -> bool {
        self.options.is_safe_mode
    }

    pub(crate) fn compiler(&self) -> Option<CompilerCommand> {
        self.options.compiler.map(|make| make())
    }

    /// Returns whether the user forbids connections.
    pub(crate) fn is_offline(&self) -> bool {
        self.options.backends.is_offline
    }

    pub(crate) fn directories(&self) -> &DirectoryRules {
        &self.options.backends.directories
    }

    pub(crate) fn events(&self) -> &dyn Events {
        &*self.options.events
    }

    /// The refused deliveries that are in the log already.
    pub(crate) fn refusals(&self) -> &RefusalLimiter {
        &self.refusals
    }

    /// Returns the code of an installed extension with a host that logs each call. It is loaded
    /// once, and again when the pin moved or the file of the code changed.
    pub(crate) fn loaded(&self, installed: &Installed) -> Result<Loaded, OpenError> {
        let pinned = installed.artifact.digest;
        // A panic of another thread leaves whole entries.
        let known = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = |loaded: &&Loaded| loaded.pinned == pinned && loaded.code.is_current();
        if let Some(loaded) = known().get(&installed.name).filter(holds) {
            return Ok(loaded.clone());
        }
        let host = self.noting_host(installed)?;
        let code = self.code(&host, installed.binary())?;
        let loaded = Loaded { pinned, host: Arc::new(host), code };
        known().insert(installed.name.clone(), loaded.clone());
        Ok(loaded)
    }

    /// Lets go of the code of all other extensions. Without this, a long-running program keeps that of
    /// a removed one in its memory. Calls that run end as they began.
    pub fn keep_code_of(&self, is_there: impl Fn(&ExtensionName) -> bool) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.retain(|name, _| is_there(name));
    }

    /// Lists the functions of an installed extension, those that can be called first. None of its
    /// code runs.
    ///
    /// # Errors
    /// When its binary is not there, or does not run here.
    pub fn functions(&self, installed: &Installed) -> Result<Vec<ExportedFunction>, OpenError> {
        let loaded = self.loaded(installed)?;
        Ok(loaded.host.exports(&loaded.code))
    }

    /// Makes a host with the capabilities of this session, which logs each call and counts
    /// failures.
    fn noting_host(&self, installed: &Installed) -> Result<Host, OpenError> {
        let host = Host::new().map_err(|source| OpenError::of_host(&installed.name, source))?;
        let (depot, events) = (self.depot.clone(), self.options.events.clone());
        let (name, pinned) = (installed.name.clone(), installed.artifact.digest);
        let refusals = self.refusals.clone();
        let observer = move |call: &core_types::CallRecord| {
            if !refusals.admits(call) {
                return;
            }
            match depot.note_call(&name, &pinned, call) {
                Ok(None) => {}
                Ok(Some(quarantine)) => {
                    events.event(Event::Quarantined { name: name.clone(), quarantine: &quarantine })
                }
                // A log that cannot be written keeps no call from being made, and the user has to
                // know.
                Err(error) => events.event(Event::CallNotLogged(&error)),
            }
        };
        let storage =
            DepotStorage { depot: self.depot.clone(), events: self.options.events.clone() };
        let backends = Backends { storage: Arc::new(storage), ..self.options.backends.clone() };
        Ok(host.with_backends(backends).observed_by(observer))
    }
}
