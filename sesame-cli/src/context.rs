//! The surroundings of one command: places, settings, terminal. Only this module reads the
//! environment.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use core_types::UnknownKey;
use directories::BaseDirs;
use extension_depot::registry::{
    Credential, CredentialFiles, ExplicitLogin, Notice, Notices, Registry, Settings, Timeouts,
};
use extension_depot::{Depot, EffectiveConfig, LoadedManifest, Places};
use extension_host::{CodeCache, CompilerCommand, Publisher};
use extension_manager::environment::{self, NoPlaces};
use extension_manager::{Consent, Installer, LazyRuntime, Manager, Network, Options};
use extension_session::{ProgramError, ServicePlaces, ServiceProgram, session_variables};

use crate::arguments::GlobalArguments;
use crate::failure::Failure;
use crate::outcome::ConfigValue;
use crate::terminal::{Colour, ProgressLines, ServiceEvents, Terminal, TerminalEvents, Warnings};

/// The word by which this program is started to hold the clipboard.
const HOLD_CLIPBOARD: &str = "hold-clipboard";

/// The surroundings that a command works with.
pub struct Context {
    /// The options that all commands share.
    pub global: GlobalArguments,
    /// The streams for output.
    pub terminal: Terminal,
    /// The receiver of warnings.
    pub warnings: Warnings,
    /// The lines that show what is worked on.
    pub progress: ProgressLines,
    places: Result<Places, NoPlaces>,
    manager: OnceCell<Manager>,
    config: OnceCell<EffectiveConfig>,
    /// A login that lasts for this process.
    login: OnceCell<ExplicitLogin>,
    registry: OnceCell<Registry>,
    runtime: LazyRuntime,
}

impl Context {
    /// Reads the surroundings of this process.
    pub fn new(global: GlobalArguments) -> Self {
        Self::of(global, Terminal::detect(Self::colour()), environment::places())
    }

    /// Returns the same surroundings with all files below another directory, for the demonstration.
    pub fn below(&self, root: &Path) -> Self {
        Self::of(self.global.clone(), self.terminal.clone(), Ok(Places::below(root)))
    }

    /// Returns the same context, in which nobody is asked.
    pub fn without_questions(self) -> Self {
        Self { terminal: self.terminal.without_questions(), ..self }
    }

    fn of(global: GlobalArguments, terminal: Terminal, places: Result<Places, NoPlaces>) -> Self {
        let warnings = Warnings::new(terminal.clone(), global.quiet, global.json);
        let is_watched = terminal.shows_progress() && !global.quiet && !global.json;
        Self {
            global,
            terminal,
            warnings,
            progress: ProgressLines::new(is_watched),
            places,
            manager: OnceCell::new(),
            config: OnceCell::new(),
            login: OnceCell::new(),
            registry: OnceCell::new(),
            runtime: LazyRuntime::default(),
        }
    }

    /// Returns the colours that the user wants. `NO_COLOR` wins over `CLICOLOR_FORCE`; a terminal
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

    /// Returns the time stamp for reproducible builds
    /// (<https://reproducible-builds.org/specs/source-date-epoch/>).
    pub fn source_date(&self) -> Option<u64> {
        env::var("SOURCE_DATE_EPOCH").ok()?.parse().ok()
    }

    /// Returns the user's editor with its arguments; `vi` is on every system that has one.
    pub fn editor(&self) -> OsString {
        ["VISUAL", "EDITOR"]
            .into_iter()
            .find_map(environment::path)
            .map_or_else(|| "vi".into(), PathBuf::into_os_string)
    }

    /// Returns the directory of the SDK for C, if a variable names it.
    pub fn wasi_sdk(&self) -> Option<PathBuf> {
        env::var_os("WASI_SDK_PATH").map(PathBuf::from)
    }

    /// Returns the path of a program: found in `PATH`, or as it is where it has a directory.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let is_program = |path: &PathBuf| {
            let mode = path.metadata().map(|file| (file.is_file(), file.permissions().mode()));
            mode.is_ok_and(|(is_file, mode)| is_file && mode & 0o111 != 0)
        };
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(is_program);
        }
        let path = env::var_os("PATH")?;
        env::split_paths(&path).map(|directory| directory.join(name)).find(is_program)
    }

    /// Returns the directories of this user, for files of other programs.
    pub fn base_directories() -> Option<BaseDirs> {
        BaseDirs::new()
    }

    /// Returns where systemd and the session bus look for files, for this user and on this system.
    pub fn service_places() -> Option<ServicePlaces> {
        // The default of the XDG specification.
        const SYSTEM_DATA: &str = "/usr/local/share:/usr/share";
        let base = Self::base_directories()?;
        let system = env::var_os("XDG_DATA_DIRS").filter(|directories| !directories.is_empty());
        let system = system.unwrap_or_else(|| SYSTEM_DATA.into());
        let system = env::split_paths(&system).filter(|directory| directory.is_absolute());
        let (config, data) = (base.config_dir().to_owned(), base.data_dir().to_owned());
        Some(ServicePlaces::new(config, data, system.collect()))
    }

    /// Returns this program as one that service files can name.
    pub fn service_program(&self) -> Result<ServiceProgram, ProgramError> {
        ServiceProgram::lasting(&this_program(), self.program("sesame").as_deref())
    }

    /// Returns `systemctl`, if there is one and a manager of units runs for this user.
    pub fn unit_manager(&self) -> Option<PathBuf> {
        let runtime = environment::runtime_directory()?;
        extension_session::has_unit_manager(&runtime).then(|| self.program("systemctl"))?
    }

    /// Returns the shell that asks for completions, if one does.
    pub fn completing_shell(variable: &str) -> Option<OsString> {
        environment::is_set(variable).then(|| env::var_os(variable)).flatten()
    }

    /// Returns the user's login shell.
    pub fn login_shell(&self) -> Option<OsString> {
        environment::path("SHELL").map(PathBuf::into_os_string)
    }

    /// Returns the paths of all files.
    pub fn places(&self) -> Result<&Places, Failure> {
        self.places.as_ref().map_err(|error| error.clone().into())
    }

    /// Returns the manager's depot.
    pub fn depot(&self) -> Result<&Depot, Failure> {
        Ok(self.manager()?.depot())
    }

    /// Returns the cache of compiled code.
    pub fn code_cache(&self) -> Result<CodeCache, Failure> {
        Ok(CodeCache::new(self.places()?.code()))
    }

    /// Returns the configuration.
    pub fn config(&self) -> Result<&EffectiveConfig, Failure> {
        if self.config.get().is_none() {
            let config = EffectiveConfig::load(self.places()?)?;
            self.warn_of_keys(config.unknown_keys.iter().map(|(path, key)| (path.display(), key)));
            let _ = self.config.set(config);
        }
        Ok(self.config.get().unwrap_or_else(|| unreachable!("set above")))
    }

    /// Returns the manager, with all capabilities of this session, after a check that only this user
    /// can write to its directories. Connections are opened when they are needed.
    pub fn manager(&self) -> Result<&Manager, Failure> {
        if self.manager.get().is_none() {
            let manager = Manager::open(self.places()?.clone(), self.options()?)?;
            let _ = self.manager.set(manager);
        }
        Ok(self.manager.get().unwrap_or_else(|| unreachable!("set above")))
    }

    /// Returns a manager for a service, which belongs to its caller. Its extensions publish by
    /// `publisher`.
    pub fn service_manager(&self, publisher: Arc<dyn Publisher>) -> Result<Manager, Failure> {
        let mut options = Options { events: Arc::new(ServiceEvents::new(self)), ..self.options()? };
        options.backends.publisher = publisher;
        // The environment of a service is as old as the service.
        let clipboard = environment::clipboard(this_program, HOLD_CLIPBOARD, session_variables);
        options.backends.clipboard = Arc::new(clipboard);
        Ok(Manager::open(self.places()?.clone(), options)?)
    }

    /// Returns the path of this program, for people.
    pub fn program_path(&self) -> PathBuf {
        this_program()
    }

    /// Returns a manager whoever owns the directories, to diagnose them.
    pub fn manager_as_it_is(&self) -> Result<Manager, Failure> {
        Ok(Manager::open_as_it_is(self.places()?.clone(), self.options()?))
    }

    fn options(&self) -> Result<Options, Failure> {
        let mut backends = environment::backends(self.places()?);
        let clipboard = environment::clipboard(this_program, HOLD_CLIPBOARD, HashMap::new);
        backends.clipboard = Arc::new(clipboard);
        backends.is_offline = self.is_offline();
        Ok(Options {
            backends,
            compiler: Some(compiler),
            is_safe_mode: environment::is_safe_mode(),
            events: Arc::new(TerminalEvents::new(self)),
        })
    }

    /// Returns the user that this process runs as.
    pub fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }

    /// Returns the configuration in the environment, without possible secrets.
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

    /// Returns a client for registries, configured from files and the environment.
    pub fn registry(&self) -> Result<&Registry, Failure> {
        if self.registry.get().is_none() {
            let _ = self.registry.set(Registry::new(Settings {
                registries: self.config()?.registries.clone(),
                login: self.login.get().cloned().or_else(explicit_login),
                credentials: CredentialFiles(credential_files(self.places()?)),
                secret_service: self.has_session_bus(),
                proxies: environment::proxies(),
                authorities: environment::authorities(),
                timeouts: Timeouts::default(),
                offline: self.is_offline(),
                notices: self.notices(),
            }));
        }
        Ok(self.registry.get().unwrap_or_else(|| unreachable!("set above")))
    }

    /// Prints the notices of connections to registries on standard error.
    fn notices(&self) -> Notices {
        let (terminal, warnings, is_quiet) =
            (self.terminal.clone(), self.warnings.clone(), self.global.quiet);
        let print = move |notice: &Notice| match notice {
            Notice::Anonymous(_) => warnings.warn(&notice.to_string()),
            Notice::WaitingForHelper(_) if is_quiet => {}
            Notice::WaitingForHelper(_) => terminal.status(&notice.to_string()),
        };
        let progress = self.progress.clone();
        Notices::new(move |notice| progress.above(|| print(notice)))
    }

    /// Uses a login for one registry until this process ends. The password comes from standard
    /// input.
    pub fn log_in_once(&self, registry: &str, username: &str) -> Result<(), Failure> {
        let password = Terminal::password_from_stdin()?;
        let credential = Credential::Password { username: username.to_owned(), password };
        let _ = self.login.set(ExplicitLogin { registry: registry.to_owned(), credential });
        Ok(())
    }

    /// Returns the password of a secret key from the environment: from our variable or cosign's.
    pub fn key_password(&self) -> Option<String> {
        ["SESAME_KEY_PASSWORD", "COSIGN_PASSWORD"].into_iter().find_map(|name| env::var(name).ok())
    }

    /// Returns whether this session has a bus, on which a Secret Service could be.
    pub fn has_session_bus(&self) -> bool {
        env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
    }

    /// Returns the id of the login session of this process, if its environment has one.
    pub fn login_session(&self) -> Option<String> {
        env::var("XDG_SESSION_ID").ok()
    }

    /// Runs work on the network to its end. The connections that it opens serve later work as well.
    pub fn wait_for<T>(&self, work: impl Future<Output = T>) -> std::io::Result<T> {
        self.runtime.wait_for(work)
    }

    /// Returns the registry client and the runtime of this process, for the manager.
    pub fn network(&self) -> Result<Network<'_>, Failure> {
        Ok(Network { registry: self.registry()?, runtime: &self.runtime })
    }

    /// Returns the operations that change installed extensions. They ask `consent`.
    pub fn installer<'a>(&'a self, consent: &'a dyn Consent) -> Result<Installer<'a>, Failure> {
        Ok(Installer {
            manager: self.manager()?,
            config: self.config()?,
            network: self.network()?,
            consent,
        })
    }

    /// Returns whether the user forbids connections.
    pub fn is_offline(&self) -> bool {
        self.global.offline || environment::is_offline()
    }

    /// Prints a warning.
    pub fn warn(&self, text: &str) {
        self.warnings.warn(text);
    }

    /// Prints a line on standard error.
    pub fn status(&self, text: &str) {
        if !self.global.quiet {
            self.terminal.status(text);
        }
    }

    /// Returns whether the user wants details.
    pub fn is_verbose(&self) -> bool {
        self.global.verbose
    }

    /// Prints a detail on standard error if the user wants details.
    pub fn verbose(&self, text: &str) {
        if self.is_verbose() {
            self.terminal.status(text);
        }
    }

    /// Warns of unknown keys in a manifest, which do nothing.
    pub fn warn_unknown_keys(&self, loaded: &LoadedManifest) {
        let place = loaded.path.display().to_string();
        self.warn_of_keys(loaded.unknown_keys.iter().map(|key| (&place, key)));
    }

    /// Warns of unknown keys, each with its document.
    pub fn warn_of_keys<'a>(
        &self,
        keys: impl ExactSizeIterator<Item = (impl Display, &'a UnknownKey)>,
    ) {
        self.warnings.warn_of_keys(keys);
    }

    /// Returns whether a question can be answered.
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

/// Returns the login in the environment, for scripts: `SESAME_REGISTRY` names its registry.
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

/// Returns the files with logins, in the order in which they are asked: our own, then those of
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
        environment::runtime_directory().map(|directory| directory.join("containers/auth.json")),
        config.map(|directory| directory.join("containers/auth.json")),
        home.map(|directory| directory.join(".docker/config.json")),
    ];
    files.into_iter().flatten().collect()
}
