//! The surroundings of one command: places, settings, terminal. The only module that reads the environment.

use std::cell::OnceCell;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use core_types::{Capabilities, EffectiveLimits, Manifest, OciReference};
use directories::ProjectDirs;
use extension_depot::registry::{CredentialFiles, Proxies, Registry, Settings};
use extension_depot::{Depot, LoadedManifest, Places};
use extension_host::{CodeCache, CompilerCommand, Permissions};

use crate::arguments::GlobalArguments;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::user_config::UserConfig;

/// The system's policy. No variable or option moves it.
const SYSTEM_POLICY: &str = "/etc/pds/policy.toml";

/// What a command works with.
pub struct Context {
    /// What was asked for on the command line, for every command alike.
    pub global: GlobalArguments,
    /// Where output goes.
    pub terminal: Terminal,
    places: Option<Places>,
    config: OnceCell<UserConfig>,
}

impl Context {
    /// The surroundings of this process.
    pub fn new(global: GlobalArguments) -> Self {
        let places = ProjectDirs::from("", "", "pds").and_then(|directories| {
            Some(Places {
                config: directories.config_dir().to_owned(),
                state: directories.state_dir()?.to_owned(),
                cache: directories.cache_dir().to_owned(),
            })
        });
        Self { global, terminal: Terminal::detect(), places, config: OnceCell::new() }
    }

    /// The same surroundings with everything below another directory, for the demonstration.
    pub fn below(&self, root: &Path) -> Self {
        Self {
            global: self.global.clone(),
            terminal: self.terminal.clone(),
            places: Some(Places::below(root)),
            config: OnceCell::new(),
        }
    }

    /// Where everything lies.
    pub fn places(&self) -> Result<&Places, Failure> {
        self.places.as_ref().ok_or_else(Failure::no_home)
    }

    /// The installed extensions.
    pub fn depot(&self) -> Result<Depot, Failure> {
        let terminal = self.terminal.clone();
        let quiet = self.global.quiet;
        let waiting = move || {
            if !quiet {
                terminal.note("waiting for another sesame to finish its change");
            }
        };
        Ok(Depot::new(self.places()?.clone()).on_waiting(waiting))
    }

    /// Compiled code.
    pub fn code_cache(&self) -> Result<CodeCache, Failure> {
        Ok(CodeCache::new(self.places()?.code()))
    }

    /// What is configured.
    pub fn config(&self) -> Result<&UserConfig, Failure> {
        if self.config.get().is_none() {
            let config = UserConfig::load(&self.places()?.config, Path::new(SYSTEM_POLICY))?;
            for (path, key) in &config.unknown_keys {
                self.warn(&format!("`{}`, {key}", path.display()));
            }
            let _ = self.config.set(config);
        }
        Ok(self.config.get().unwrap_or_else(|| unreachable!("set above")))
    }

    /// What is in force for an extension: its manifest within every policy.
    pub fn permissions(&self, manifest: &Manifest) -> Result<Permissions, Failure> {
        let config = self.config()?;
        let within =
            |capabilities: Capabilities, (policy, _): &(core_types::Policy, PathBuf)| policy.within(capabilities);
        Ok(Permissions {
            capabilities: config.policies.iter().fold(manifest.granted(), within),
            limits: EffectiveLimits::new(&manifest.limits, &config.ceilings()),
            config: manifest.config.clone(),
        })
    }

    /// Makes sure that every policy lets extensions come from there.
    pub fn check_source(&self, reference: &OciReference) -> Result<(), Failure> {
        let refusing = self.config()?.policies.iter().find(|(policy, _)| !policy.allows_source(reference));
        refusing.map_or(Ok(()), |(_, path)| Err(Failure::source_refused(reference, path)))
    }

    /// A client for registries with everything that the environment says.
    pub fn registry(&self) -> Result<Registry, Failure> {
        Ok(Registry::new(Settings {
            registries: self.config()?.registries.clone(),
            credentials: CredentialFiles(credential_files()),
            secret_service: env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some(),
            proxies: proxies(),
            authorities: path_variable("SESAME_CA_FILE").into_iter().collect(),
            offline: self.is_offline(),
        }))
    }

    /// Waits for work on the network, in a runtime that exists no longer than that. What still blocks in a thread of it
    /// is left behind.
    pub fn wait_for<T>(&self, work: impl Future<Output = T>) -> std::io::Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(work);
        runtime.shutdown_background();
        Ok(done)
    }

    /// Whether the user wants no connections.
    pub fn is_offline(&self) -> bool {
        self.global.offline || env::var_os("SESAME_OFFLINE").is_some_and(|value| !value.is_empty() && value != "0")
    }

    /// The command line of a bounded child that compiles: this program.
    pub fn compiler(&self) -> CompilerCommand {
        let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
        CompilerCommand { program, arguments: vec![OsString::from("compile-extension")] }
    }

    /// Says something on standard error that the user should know.
    pub fn warn(&self, text: &str) {
        if !self.global.quiet {
            self.terminal.note(&format!("warning: {text}"));
        }
    }

    /// Says something on standard error for those who asked to be told more.
    pub fn explain(&self, text: &str) {
        if self.global.verbose {
            self.terminal.note(text);
        }
    }

    /// Warns of keys in a manifest that do nothing.
    pub fn warn_unknown_keys(&self, loaded: &LoadedManifest) {
        for key in &loaded.unknown_keys {
            self.warn(&format!("`{}`, {key}", loaded.path.display()));
        }
    }

    /// Expands nothing and asks nobody: whether a question can be answered.
    pub fn can_ask(&self) -> bool {
        self.terminal.is_interactive() && !self.global.json && env::var_os("CI").is_none_or(|value| value.is_empty())
    }
}

fn path_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The files in which `docker login` and `podman login` keep credentials, in the order in which they are asked.
fn credential_files() -> Vec<PathBuf> {
    let absolute = |name: &str| path_variable(name).filter(|path| path.is_absolute());
    let home = absolute("HOME");
    let config = absolute("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let files = [
        path_variable("REGISTRY_AUTH_FILE"),
        path_variable("DOCKER_CONFIG").map(|directory| directory.join("config.json")),
        absolute("XDG_RUNTIME_DIR").map(|directory| directory.join("containers/auth.json")),
        config.map(|directory| directory.join("containers/auth.json")),
        home.map(|directory| directory.join(".docker/config.json")),
    ];
    files.into_iter().flatten().collect()
}

/// The proxies of the environment, in either case. `HTTP_PROXY` in upper case is not believed where it could come from a
/// web request (<https://httpoxy.org>).
fn proxies() -> Proxies {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let either = |name: &str| variable(&name.to_lowercase()).or_else(|| variable(name));
    let is_cgi = env::var_os("REQUEST_METHOD").is_some();
    let all = either("ALL_PROXY");
    let http = if is_cgi { variable("http_proxy") } else { either("HTTP_PROXY") };
    Proxies { http: http.or_else(|| all.clone()), https: either("HTTPS_PROXY").or(all), except: either("NO_PROXY") }
}
