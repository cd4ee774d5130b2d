//! The surroundings of one command: places, settings, terminal. The only module that reads the environment.

use std::cell::OnceCell;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use core_types::{EnvName, OciReference, UnknownKey};
use directories::{BaseDirs, ProjectDirs};
use extension_depot::registry::{
    Credential, CredentialFiles, ExplicitLogin, Notice, Notices, Patience, Proxies, Registry, Settings,
};
use extension_depot::{Depot, LoadedManifest, Places, UserConfig};
use extension_host::{
    Backends, CodeCache, CompilerCommand, DirectoryRules, Display, Environment, HolderCommand, HttpAccess, RateLimits,
    SecretService, SessionClipboard, SessionNotifier, SessionPublisher,
};

use tokio::runtime::Runtime;

use crate::arguments::GlobalArguments;
use crate::failure::Failure;
use crate::outcome::ConfigValue;
use crate::terminal::Terminal;

/// The system's policy. No variable or option moves it.
const SYSTEM_POLICY: &str = "/etc/pds/policy.toml";

/// How many keys that do nothing are named: a document can have a million, and nobody reads more than a screen.
pub const MAX_WARNINGS: usize = 20;

/// What a command works with.
pub struct Context {
    /// What was asked for on the command line, for every command alike.
    pub global: GlobalArguments,
    /// Where output goes.
    pub terminal: Terminal,
    places: Option<Places>,
    /// Why the home directory of the environment cannot be used, so that nothing is made elsewhere instead.
    bad_home: Option<String>,
    config: OnceCell<UserConfig>,
    /// A login for this process alone.
    login: OnceCell<ExplicitLogin>,
    registry: OnceCell<Registry>,
    runtime: OnceCell<Runtime>,
}

impl Context {
    /// The surroundings of this process.
    pub fn new(global: GlobalArguments) -> Self {
        let places = ProjectDirs::from("", "", "pds").and_then(|directories| {
            Some(Places {
                config: directories.config_dir().to_owned(),
                state: directories.state_dir()?.to_owned(),
                cache: directories.cache_dir().to_owned(),
                runtime: directories.runtime_dir().map(Path::to_owned),
                system_policy: PathBuf::from(SYSTEM_POLICY),
            })
        });
        Self { bad_home: bad_home(), ..Self::of(global, Terminal::detect(), places) }
    }

    /// The same surroundings with everything below another directory, for the demonstration.
    pub fn below(&self, root: &Path) -> Self {
        Self::of(self.global.clone(), self.terminal.clone(), Some(Places::below(root)))
    }

    fn of(global: GlobalArguments, terminal: Terminal, places: Option<Places>) -> Self {
        Self {
            global,
            terminal,
            places,
            bad_home: None,
            config: OnceCell::new(),
            login: OnceCell::new(),
            registry: OnceCell::new(),
            runtime: OnceCell::new(),
        }
    }

    /// Whether text may have styles (<https://no-color.org>).
    pub fn wants_styles(&self) -> bool {
        !is_set("NO_COLOR")
    }

    /// The time that what is built now is said to be from, for builds that give the same bytes every time
    /// (<https://reproducible-builds.org/specs/source-date-epoch/>).
    pub fn source_date(&self) -> Option<u64> {
        env::var("SOURCE_DATE_EPOCH").ok()?.parse().ok()
    }

    /// The editor of this user, with its arguments; `vi` is on every system that has one.
    pub fn editor(&self) -> OsString {
        let named =
            ["VISUAL", "EDITOR"].into_iter().find_map(|name| env::var_os(name).filter(|value| !value.is_empty()));
        named.unwrap_or_else(|| "vi".into())
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
        is_set(variable).then(|| env::var_os(variable)).flatten()
    }

    /// The shell of this user.
    pub fn login_shell(&self) -> Option<OsString> {
        env::var_os("SHELL").filter(|value| !value.is_empty())
    }

    /// Where everything lies.
    pub fn places(&self) -> Result<&Places, Failure> {
        if let Some(reason) = &self.bad_home {
            return Err(Failure::bad_home(reason));
        }
        self.places.as_ref().ok_or_else(Failure::no_home)
    }

    /// The installed extensions, where nobody else can have put them.
    pub fn depot(&self) -> Result<Depot, Failure> {
        self.places()?.ensure_own().map_err(|error| Failure::place(&error))?;
        self.depot_as_it_is()
    }

    /// The installed extensions, whosever the directories are: to find out what is wrong.
    pub fn depot_as_it_is(&self) -> Result<Depot, Failure> {
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
            let config = UserConfig::load(self.places()?)?;
            self.warn_of_keys(config.unknown_keys.iter().map(|(path, key)| (path.display().to_string(), key)));
            let _ = self.config.set(config);
        }
        Ok(self.config.get().unwrap_or_else(|| unreachable!("set above")))
    }

    /// What stands behind the capabilities in this session. Nothing is connected before it is needed.
    pub fn backends(&self) -> Result<Backends, Failure> {
        Ok(Backends {
            secrets: Arc::new(SecretService),
            notifications: Arc::new(SessionNotifier),
            clipboard: Arc::new(SessionClipboard { holder: clipboard_holder() }),
            publisher: Arc::new(SessionPublisher),
            environment: Arc::new(SessionEnvironment),
            directories: Arc::new(self.directory_rules()?),
            is_offline: self.is_offline(),
            http: Arc::new(http_access()),
            recorded_web: None,
            rates: Arc::new(RateLimits::shared(self.places()?.rates())),
        })
    }

    /// Which directories extensions can be let into: none of sesame's own, and no keyring.
    pub fn directory_rules(&self) -> Result<DirectoryRules, Failure> {
        let base = BaseDirs::new();
        let mut protected = self.places()?.protected();
        protected.extend(base.as_ref().map(|base| base.data_dir().join("keyrings")));
        // Another session of this user may have its timed grants where this one has no runtime directory.
        protected.push(PathBuf::from(format!("/run/user/{}/pds", self.user())));
        Ok(DirectoryRules { home: base.map(|base| base.home_dir().to_owned()), protected })
    }

    /// The user that this process runs as.
    pub fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }

    /// What the environment configures. What could be secret is not among it.
    pub fn variables(&self) -> Vec<ConfigValue> {
        let names =
            ["SESAME_OFFLINE", "SESAME_SAFE_MODE", "SESAME_CA_FILE", "SESAME_REGISTRY", "SESAME_REGISTRY_USERNAME"];
        let value = |name: &str| {
            let value = env::var_os(name).filter(|value| !value.is_empty())?;
            let (key, value) = (name.to_owned(), format!("{:?}", value.to_string_lossy()));
            Some(ConfigValue { key, value, origin: "environment".to_owned() })
        };
        names.into_iter().filter_map(value).collect()
    }

    /// Whether no extension may be called.
    pub fn is_safe_mode(&self) -> bool {
        is_set("SESAME_SAFE_MODE")
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
                proxies: proxies(),
                authorities: authorities(),
                patience: Patience::default(),
                offline: self.is_offline(),
                notices: self.notices(),
            }));
        }
        Ok(self.registry.get().unwrap_or_else(|| unreachable!("set above")))
    }

    /// Shows on standard error what comes up while registries are talked to.
    fn notices(&self) -> Notices {
        if self.global.quiet {
            return Notices::default();
        }
        let terminal = self.terminal.clone();
        Notices::new(move |notice| match notice {
            Notice::WaitingForHelper(_) => terminal.note(&notice.to_string()),
            Notice::Anonymous(_) => terminal.note(&format!("warning: {notice}")),
        })
    }

    /// Uses a login for one registry, until this process ends. The password comes from standard input.
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

    /// Waits for work on the network. Connections that it leaves open serve what is waited for next.
    pub fn wait_for<T>(&self, work: impl Future<Output = T>) -> std::io::Result<T> {
        if self.runtime.get().is_none() {
            // Where no thread can be started, names cannot be looked up, which would be a panic deep in the runtime.
            std::thread::Builder::new().spawn(|| {}).map(drop)?;
            let _ = self.runtime.set(tokio::runtime::Builder::new_current_thread().enable_all().build()?);
        }
        Ok(self.runtime.get().unwrap_or_else(|| unreachable!("set above")).block_on(work))
    }

    /// Whether the user wants no connections.
    pub fn is_offline(&self) -> bool {
        self.global.offline || is_set("SESAME_OFFLINE")
    }

    /// The command line of a bounded child that compiles: this program.
    pub fn compiler(&self) -> CompilerCommand {
        CompilerCommand::new(this_program(), vec![OsString::from("compile-extension")])
    }

    /// Says something on standard error that the user should know.
    pub fn warn(&self, text: &str) {
        if !self.global.quiet {
            self.terminal.note(&format!("warning: {text}"));
        }
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
        self.warn_of_keys(loaded.unknown_keys.iter().map(|key| (place.clone(), key)));
    }

    /// Warns of keys that do nothing, with the document that each stands in.
    pub fn warn_of_keys<'a>(&self, mut keys: impl ExactSizeIterator<Item = (String, &'a UnknownKey)>) {
        for (place, key) in keys.by_ref().take(MAX_WARNINGS) {
            self.warn(&format!("`{place}`, {key}"));
        }
        if keys.len() > 0 {
            self.warn(&format!("{} more unknown keys do nothing", keys.len()));
        }
    }

    /// Whether a question can be answered.
    pub fn can_ask(&self) -> bool {
        self.terminal.is_interactive() && !self.global.json && env::var_os("CI").is_none_or(|value| value.is_empty())
    }
}

/// The variables of this process, which are the session's.
struct SessionEnvironment;

impl Environment for SessionEnvironment {
    fn variable(&self, name: &EnvName) -> Option<String> {
        env::var(name.as_str()).ok()
    }
}

/// What holds the clipboard of this session's display: this program, with what it needs to find the display.
fn clipboard_holder() -> Option<HolderCommand> {
    let display = [("WAYLAND_DISPLAY", Display::Wayland), ("DISPLAY", Display::X11)];
    let (_, display) = display.into_iter().find(|(name, _)| path_variable(name).is_some())?;
    let needed = ["WAYLAND_DISPLAY", "DISPLAY", "XDG_RUNTIME_DIR", "XAUTHORITY", "HOME"];
    Some(HolderCommand {
        program: this_program(),
        arguments: vec![OsString::from("hold-clipboard"), OsString::from(display.name())],
        environment: needed.iter().filter_map(|name| Some((OsString::from(name), env::var_os(name)?))).collect(),
    })
}

/// Why `HOME` does not name a directory. Relative to the working directory, whoever wrote there would configure sesame.
fn bad_home() -> Option<String> {
    let home = env::var_os("HOME")?;
    let path = Path::new(&home);
    if home.is_empty() {
        Some("`HOME` is empty".to_owned())
    } else if !path.is_absolute() {
        Some(format!("`HOME` is `{}`, which is not an absolute path", path.display()))
    } else {
        let is_other = path.metadata().is_ok_and(|metadata| !metadata.is_dir());
        is_other.then(|| format!("`HOME` is `{}`, which is not a directory", path.display()))
    }
}

fn this_program() -> PathBuf {
    env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"))
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
}

fn path_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The login that the environment gives for one registry, for scripts: `SESAME_REGISTRY` says for which.
fn explicit_login() -> Option<ExplicitLogin> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let registry = variable("SESAME_REGISTRY")?;
    let credential = match (variable("SESAME_REGISTRY_USERNAME"), variable("SESAME_REGISTRY_TOKEN")) {
        (Some(username), _) => Credential::Password { username, password: variable("SESAME_REGISTRY_PASSWORD")? },
        (None, token) => Credential::RefreshToken(token?),
    };
    Some(ExplicitLogin { registry, credential })
}

/// The files in which logins lie, in the order in which they are asked: our own, then those of `docker login` and
/// `podman login`.
fn credential_files(places: &Places) -> Vec<PathBuf> {
    let absolute = |name: &str| path_variable(name).filter(|path| path.is_absolute());
    let home = absolute("HOME");
    let config = absolute("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let files = [
        Some(places.logins()),
        path_variable("REGISTRY_AUTH_FILE"),
        path_variable("DOCKER_CONFIG").map(|directory| directory.join("config.json")),
        absolute("XDG_RUNTIME_DIR").map(|directory| directory.join("containers/auth.json")),
        config.map(|directory| directory.join("containers/auth.json")),
        home.map(|directory| directory.join(".docker/config.json")),
    ];
    files.into_iter().flatten().collect()
}

/// The files with certificate authorities that are trusted beside the system's.
fn authorities() -> Vec<PathBuf> {
    path_variable("SESAME_CA_FILE").into_iter().collect()
}

/// What granted requests of extensions go through, which is what registries are reached through.
fn http_access() -> HttpAccess {
    let Proxies { http, https, except, variables } = proxies();
    HttpAccess::new(authorities(), http, https).except(except).named(variables)
}

/// The proxies of the environment, in either case. `HTTP_PROXY` in upper case is not believed where it could come from a
/// web request (<https://httpoxy.org>).
fn proxies() -> Proxies {
    let variable = |name: &str| {
        let value = env::var(name).ok().filter(|value| !value.is_empty())?;
        Some((name.to_owned(), value))
    };
    let either = |name: &str| variable(&name.to_lowercase()).or_else(|| variable(name));
    let is_cgi = env::var_os("REQUEST_METHOD").is_some();
    let all = either("ALL_PROXY");
    let http = if is_cgi { variable("http_proxy") } else { either("HTTP_PROXY") };
    let named = |found: Option<(String, String)>| found.or_else(|| all.clone()).unzip();
    let ((http_from, http), (https_from, https)) = (named(http), named(either("HTTPS_PROXY")));
    let variables = [http_from, https_from].map(Option::unwrap_or_default);
    Proxies { http, https, except: either("NO_PROXY").map(|(_, value)| value), variables }
}
