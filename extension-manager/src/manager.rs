//! The manager: the extensions of one user, with everything that holds for their calls.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use core_types::{Digest, ExtensionName, UnknownKey};
use extension_depot::{Depot, EffectiveConfig, Installed, PlaceError, Places};
use extension_host::{Backends, Code, CodeCache, CompilerCommand, DirectoryRules, Host};

use crate::error::OpenError;
use crate::events::{Event, Events, Silent};

/// What a manager works with, beside the places.
#[derive(Clone)]
pub struct Options {
    /// What stands behind the capabilities. By default nothing does: what is granted is not
    /// available then.
    pub backends: Backends,
    /// Makes the command line of a bounded child that compiles, when something has to be compiled.
    /// By default code is compiled in this process, without bounds.
    pub compiler: Option<fn() -> CompilerCommand>,
    /// Whether the user wants no extension to be called, whatever is asked. By default extensions
    /// are called.
    pub is_safe_mode: bool,
    /// Who is told of what happens meanwhile. By default nobody is.
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
    /// The code of what was called, so that a program that runs for long loads each once.
    loaded: Mutex<HashMap<ExtensionName, Loaded>>,
}

/// An extension's code and what runs it.
#[derive(Clone)]
pub(crate) struct Loaded {
    /// What the manifest pinned when it was loaded. Another pin is other code.
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

    /// Opens them whosever the directories are: to find out what is wrong. What lies there may be
    /// another user's.
    pub fn open_as_it_is(places: Places, options: Options) -> Self {
        let (waiting, unlogged) = (options.events.clone(), options.events.clone());
        let depot = Depot::new(places)
            .on_waiting(move || waiting.event(Event::WaitingForLock))
            .on_unlogged(move |error| unlogged.event(Event::ChangeNotLogged(error)));
        Self { depot: Arc::new(depot), options, loaded: Mutex::default() }
    }

    /// What is installed.
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

    /// The cache of compiled code.
    pub fn code_cache(&self) -> CodeCache {
        CodeCache::new(self.depot.places().code())
    }

    pub(crate) fn is_safe_mode(&self) -> bool {
        self.options.is_safe_mode
    }

    pub(crate) fn compiler(&self) -> Option<CompilerCommand> {
        self.options.compiler.map(|make| make())
    }

    /// Whether the user wants no connections.
    pub(crate) fn is_offline(&self) -> bool {
        self.options.backends.is_offline
    }

    pub(crate) fn directories(&self) -> &DirectoryRules {
        &self.options.backends.directories
    }

    pub(crate) fn events(&self) -> &dyn Events {
        &*self.options.events
    }

    /// The code of an installed extension, loaded once, with a host that notes each call.
    pub(crate) fn loaded(&self, installed: &Installed) -> Result<Loaded, OpenError> {
        let pinned = installed.artifact.digest;
        // What a thread that panicked left is whole: entries are only put in.
        let known = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = known().get(&installed.name).filter(|loaded| loaded.pinned == pinned)
        {
            return Ok(loaded.clone());
        }
        let host = self.noting_host(installed)?;
        let code = self.code(&host, installed.binary())?;
        let loaded = Loaded { pinned, host: Arc::new(host), code };
        known().insert(installed.name.clone(), loaded.clone());
        Ok(loaded)
    }

    /// A host with what this session offers, which notes each call in the activity log and counts
    /// failures.
    fn noting_host(&self, installed: &Installed) -> Result<Host, OpenError> {
        let host = Host::new().map_err(|source| OpenError::of_host(&installed.name, source))?;
        let (depot, events) = (self.depot.clone(), self.options.events.clone());
        let (name, pinned) = (installed.name.clone(), installed.artifact.digest);
        let observer = move |call: &core_types::CallRecord| match depot
            .note_call(&name, &pinned, call)
        {
            Ok(None) => {}
            Ok(Some(quarantine)) => {
                events.event(Event::Quarantined { name: name.clone(), quarantine: &quarantine });
            }
            // A log that cannot be written keeps no call from being made, and the user has to know.
            Err(error) => events.event(Event::CallNotLogged(&error)),
        };
        Ok(host.with_backends(self.options.backends.clone()).observed_by(observer))
    }
}
