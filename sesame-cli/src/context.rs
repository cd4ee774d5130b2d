//! The surroundings of one command: places, settings, terminal. The only module that reads the
//! environment.

use std::cell::OnceCell;
use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use core_types::{OciReference, UnknownKey};
use directories::BaseDirs;
use extension_depot::registry::{
    Credential, CredentialFiles, ExplicitLogin, Notice, Notices, Patience, Registry, Settings,
};
use extension_depot::{Depot, LoadedManifest, Places, UserConfig};
use extension_host::{CodeCache, CompilerCommand, DirectoryRules};
use extension_manager::environment::{self, NoPlaces};
use extension_manager::{Event, Events, Manager, Options};
use tokio::runtime::Runtime;

use crate::arguments::GlobalArguments;
use crate::events::TerminalEvents;
use crate::failure::Failure;
use crate::outcome::ConfigValue;
use crate::style::Colour;
use crate::terminal::Terminal;
use crate::warnings::Warnings;

/// What a command works with.
pub struct Context {
    /// What was asked for on the command line, for every command alike.
    pub global: GlobalArguments,
    /// Where output goes.
    pub terminal: Terminal,
    /// Where warnings go.
    pub warnings: Warnings,
    places: Result<Places, NoPlaces>,
    manager: OnceCell<Manager>,
    config: OnceCell<UserConfig>,
    /// A login for this process alone.
    login: OnceCell<ExplicitLogin>,
    registry: OnceCell<Registry>,
    runtime: OnceCell<Runtime>,
}

impl Context {
    /// The surroundings of this process.
    pub fn new(global: GlobalArguments) -> Self {
        Self::of(global, Terminal::detect(Self::colour()), environment::places())
    }

    /// The same surroundings with everything below another directory, for the demonstration.
    pub fn below(&self, root: &Path) -> Self {
        Self::of(self.global.clone(), self.terminal.clone(), Ok(Places::below(root)))
    }

    fn of(global: GlobalArguments, terminal: Terminal, places: Result<Places, NoPlaces>) -> Self {
        let warnings = Warnings::new(terminal.clone(), global.quiet, global.json);
        Self {
            global,
            terminal,
            warnings,
            places,
            manager: OnceCell::new(),
            config: OnceCell::new(),
            login: OnceCell::new(),
            registry: OnceCell::new(),
            runtime: OnceCell::new(),
        }
    }

    /// Whether the user wants colours. `NO_COLOR` wins over `CLICOLOR_FORCE`, and a terminal
    /// without a name has none.
    pub fn colour() -> Colour {
        let is = |name: &str, value: &str| env::var_os(name).is_some_and(|found| found == value);
        let is_forced = environment::is_set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0");
        if environment::is_set("NO_COLOR") {
            Colour::Never
        } else if is_forced {
            Colour::Always
        } else if is("CLICOLOR", "0") || is("TERM", "dumb") || !environment::is_set("TERM") {
            Colour::Never
        } else {
            Colour::Auto
        }
    }

    /// The time that what is built now is said to be from, for builds that give the same bytes
    /// every time (<https://reproducible-builds.org/specs/source-date-epoch/>).
    pub fn source_date(&self) -> Option<u64> {
        env::var("SOURCE_DATE_EPOCH").ok()?.parse().ok()
    }

    /// The editor of this user, with its arguments; `vi` is on every system that has one.
    pub fn editor(&self) -> OsString {
        ["VISUAL", "EDITOR"]
            .into_iter()
            .find_map(environment::path)
            .map_or_else(|| "vi".into(), PathBuf::into_os_string)
    }

    /// Where the SDK for C is, if somebody says so.
    pub fn wasi_sdk(&self) -> Option<PathBuf> {
        env::var_os("WASI_SDK_PATH").map(PathBuf::from)
    }

    /// The directories of this user, for files of other programs.
    pub fn base_directories() -> Option<BaseDirs> {
        BaseDirs::new()
    }

    /// The shell that wants to know what could follow, if one does.
    pub fn completing_shell(variable: &str) -> Option<OsString> {
        environment::is_set(variable).then(|| env::var_os(variable)).flatten()
    }

    /// The shell of this user.
    pub fn login_shell(&self) -> Option<OsString> {
        environment::path("SHELL").map(PathBuf::into_os_string)
    }

    /// Where everything lies.
    pub fn places(&self) -> Result<&Places, Failure> {
        self.places.as_ref().map_err(Failure::from)
    }

    /// The installed extensions, where nobody else can have put them.
    pub fn depot(&self) -> Result<Depot, Failure> {
        self.places()?.ensure_own().map_err(|error| Failure::place(&error))?;
        self.depot_as_it_is()
    }

    /// The installed extensions, whosever the directories are: to find out what is wrong.
    pub fn depot_as_it_is(&self) -> Result<Depot, Failure> {
        let (waiting, unlogged) = (TerminalEvents::new(self), TerminalEvents::new(self));
        Ok(Depot::new(self.places()?.clone())
            .on_waiting(move || waiting.event(Event::WaitingForLock))
            .on_unlogged(move |error| unlogged.event(Event::ChangeNotLogged(error))))
    }

    /// Compiled code.
    pub fn code_cache(&self) -> Result<CodeCache, Failure> {
        Ok(CodeCache::new(self.places()?.code()))
    }

    /// What is configured.
    pub fn config(&self) -> Result<&UserConfig, Failure> {
        if self.config.get().is_none() {
            let config = UserConfig::load(self.places()?)?;
            self.warn_of_keys(config.unknown_keys.iter().map(|(path, key)| (path.display(), key)));
            let _ = self.config.set(config);
        }
        Ok(self.config.get().unwrap_or_else(|| unreachable!("set above")))
    }

    /// What calls extensions, with everything that this session offers. Nothing is connected before
    /// it is needed.
    pub fn manager(&self) -> Result<&Manager, Failure> {
        if self.manager.get().is_none() {
            let manager = Manager::open(self.places()?.clone(), self.options()?);
            let _ = self.manager.set(manager.map_err(|error| Failure::place(&error))?);
        }
        Ok(self.manager.get().unwrap_or_else(|| unreachable!("set above")))
    }

    fn options(&self) -> Result<Options, Failure> {
        let holder = environment::clipboard_holder(this_program, "hold-clipboard");
        let mut backends = environment::backends(self.places()?, holder);
        backends.is_offline = self.is_offline();
        Ok(Options {
            backends,
            compiler: Some(compiler),
            is_safe_mode: environment::is_safe_mode(),
            events: Arc::new(TerminalEvents::new(self)),
        })
    }

    /// Which directories extensions can be let into.
    pub fn directory_rules(&self) -> Result<DirectoryRules, Failure> {
        Ok(environment::directory_rules(self.places()?))
    }

    /// The user that this process runs as.
    pub fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }

    /// What the environment configures. What could be secret is not among it.
    pub fn variables(&self) -> Vec<ConfigValue> {
        let names = [
            "SESAME_OFFLINE",
            "SESAME_SAFE_MODE",
            "SESAME_CA_FILE",
            "SESAME_REGISTRY",
            "SESAME_REGISTRY_USERNAME",
        ];
        let value = |name: &str| {
            let value = env::var_os(name).filter(|value| !value.is_empty())?;
            let (key, value) = (name.to_owned(), format!("{:?}", value.to_string_lossy()));
            Some(ConfigValue { key, value, origin: "environment".to_owned() })
        };
        names.into_iter().filter_map(value).collect()
    }

    /// Makes sure that every policy lets extensions come from there.
    pub fn check_source(&self, reference: &OciReference) -> Result<(), Failure> {
        Ok(self.config()?.check_source(reference)?)
    }

    /// A client for registries with everything that the environment says.
    pub fn registry(&self) -> Result<&Registry, Failure> {
        if self.registry.get().is_none() {
            let _ = self.registry.set(Registry::new(Settings {
                registries: self.config()?.registries.clone(),
                login: self.login.get().cloned().or_else(explicit_login),
                credentials: CredentialFiles(credential_files(self.places()?)),
                secret_service: self.has_session_bus(),
                proxies: environment::proxies(),
                authorities: environment::authorities(),
                patience: Patience::default(),
                offline: self.is_offline(),
                notices: self.notices(),
            }));
        }
        Ok(self.registry.get().unwrap_or_else(|| unreachable!("set above")))
    }

    /// Shows on standard error what comes up while registries are talked to.
    fn notices(&self) -> Notices {
        let (terminal, warnings, is_quiet) =
            (self.terminal.clone(), self.warnings.clone(), self.global.quiet);
        Notices::new(move |notice| match notice {
            Notice::Anonymous(_) => warnings.warn(&notice.to_string()),
            Notice::WaitingForHelper(_) if is_quiet => {}
            Notice::WaitingForHelper(_) => terminal.note(&notice.to_string()),
        })
    }

    /// Uses a login for one registry, until this process ends. The password comes from standard
    /// input.
    pub fn log_in_once(&self, registry: &str, username: &str) -> Result<(), Failure> {
        let password = Terminal::password_from_stdin()?;
        let credential = Credential::Password { username: username.to_owned(), password };
        let _ = self.login.set(ExplicitLogin { registry: registry.to_owned(), credential });
        Ok(())
    }

    /// The password of a secret key, where the environment has it: in our variable or cosign's.
    pub fn key_password(&self) -> Option<String> {
        ["SESAME_KEY_PASSWORD", "COSIGN_PASSWORD"].into_iter().find_map(|name| env::var(name).ok())
    }

    /// Whether this session has a bus, on which a Secret Service could be.
    pub fn has_session_bus(&self) -> bool {
        env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
    }

    /// Waits for work on the network. Connections that it leaves open serve what is waited for
    /// next.
    pub fn wait_for<T>(&self, work: impl Future<Output = T>) -> std::io::Result<T> {
        if self.runtime.get().is_none() {
            // Where no thread can be started, names cannot be looked up, which would be a panic
            // deep in the runtime.
            std::thread::Builder::new().spawn(|| {}).map(drop)?;
            let _ = self
                .runtime
                .set(tokio::runtime::Builder::new_current_thread().enable_all().build()?);
        }
        Ok(self.runtime.get().unwrap_or_else(|| unreachable!("set above")).block_on(work))
    }

    /// Whether the user wants no connections.
    pub fn is_offline(&self) -> bool {
        self.global.offline || environment::is_offline()
    }

    /// The command line of a bounded child that compiles: this program.
    pub fn compiler(&self) -> CompilerCommand {
        compiler()
    }

    /// Says something that the user should know.
    pub fn warn(&self, text: &str) {
        self.warnings.warn(text);
    }

    /// Says something on standard error.
    pub fn say(&self, text: &str) {
        if !self.global.quiet {
            self.terminal.note(text);
        }
    }

    /// Whether somebody asked to be told more.
    pub fn is_verbose(&self) -> bool {
        self.global.verbose
    }

    /// Says something on standard error for those who asked to be told more.
    pub fn explain(&self, text: &str) {
        if self.is_verbose() {
            self.terminal.note(text);
        }
    }

    /// Warns of keys in a manifest that do nothing.
    pub fn warn_unknown_keys(&self, loaded: &LoadedManifest) {
        let place = loaded.path.display().to_string();
        self.warn_of_keys(loaded.unknown_keys.iter().map(|key| (&place, key)));
    }

    /// Warns of keys that do nothing, with the document that each stands in.
    pub fn warn_of_keys<'a>(
        &self,
        keys: impl ExactSizeIterator<Item = (impl Display, &'a UnknownKey)>,
    ) {
        self.warnings.warn_of_keys(keys);
    }

    /// Whether a question can be answered.
    pub fn can_ask(&self) -> bool {
        self.terminal.is_interactive()
            && !self.global.json
            && env::var_os("CI").is_none_or(|value| value.is_empty())
    }
}

fn compiler() -> CompilerCommand {
    CompilerCommand::new(this_program(), vec![OsString::from("compile-extension")])
}

fn this_program() -> PathBuf {
    env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"))
}

/// The login that the environment gives for one registry, for scripts: `SESAME_REGISTRY` says for
/// which.
fn explicit_login() -> Option<ExplicitLogin> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let registry = variable("SESAME_REGISTRY")?;
    let credential = match (variable("SESAME_REGISTRY_USERNAME"), variable("SESAME_REGISTRY_TOKEN"))
    {
        (Some(username), _) => {
            Credential::Password { username, password: variable("SESAME_REGISTRY_PASSWORD")? }
        }
        (None, token) => Credential::RefreshToken(token?),
    };
    Some(ExplicitLogin { registry, credential })
}

/// The files in which logins lie, in the order in which they are asked: our own, then those of
/// `docker login` and `podman login`.
fn credential_files(places: &Places) -> Vec<PathBuf> {
    let absolute = |name: &str| environment::path(name).filter(|path| path.is_absolute());
    let home = absolute("HOME");
    let config =
        absolute("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let files = [
        Some(places.logins()),
        environment::path("REGISTRY_AUTH_FILE"),
        environment::path("DOCKER_CONFIG").map(|directory| directory.join("config.json")),
        absolute("XDG_RUNTIME_DIR").map(|directory| directory.join("containers/auth.json")),
        config.map(|directory| directory.join("containers/auth.json")),
        home.map(|directory| directory.join(".docker/config.json")),
    ];
    files.into_iter().flatten().collect()
}
