//! The environment of a login session: its directories, its desktop, its proxies. The one module of
//! the libraries that reads the environment, for programs that want what `sesame` itself has.
#![expect(clippy::disallowed_methods, reason = "the one module that reads the environment")]

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use core_types::EnvName;
use directories::{BaseDirs, ProjectDirs};
use extension_depot::Places;
use extension_depot::registry::Proxies;
use extension_host::{
    Backends, DirectoryRules, Display, Environment, HolderCommand, HttpAccess, RateLimits,
    SessionClipboard,
};

/// The system's policy. No variable moves it.
pub const SYSTEM_POLICY: &str = "/etc/pds/policy.toml";

/// The reason why the directories of this session are unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlaces {
    /// Neither the environment nor the system's list of users names a home directory.
    #[error("there is no home directory")]
    NoHome,
    /// `HOME` is empty.
    #[error("`HOME` is empty")]
    Empty,
    /// `HOME` is relative to the working directory: whoever wrote there would configure sesame.
    #[error("`HOME` is `{}`, which is not an absolute path", .0.display())]
    Relative(PathBuf),
    /// `HOME` names something else.
    #[error("`HOME` is `{}`, which is not a directory", .0.display())]
    NotDirectory(PathBuf),
}

/// The places of this session: the directories of the [XDG
/// specification](https://specifications.freedesktop.org/basedir/latest/), and the policy of the
/// system.
///
/// # Errors
/// When the home directory is unknown, or `HOME` does not name one.
pub fn places() -> Result<Places, NoPlaces> {
    check_home()?;
    let directories = ProjectDirs::from("", "", "pds").ok_or(NoPlaces::NoHome)?;
    Ok(Places {
        config: directories.config_dir().to_owned(),
        state: directories.state_dir().ok_or(NoPlaces::NoHome)?.to_owned(),
        cache: directories.cache_dir().to_owned(),
        runtime: directories.runtime_dir().map(Path::to_owned),
        system_policy: PathBuf::from(SYSTEM_POLICY),
    })
}

fn check_home() -> Result<(), NoPlaces> {
    let Some(home) = env::var_os("HOME").map(PathBuf::from) else { return Ok(()) };
    if home.as_os_str().is_empty() {
        Err(NoPlaces::Empty)
    } else if !home.is_absolute() {
        Err(NoPlaces::Relative(home))
    } else if home.metadata().is_ok_and(|metadata| !metadata.is_dir()) {
        Err(NoPlaces::NotDirectory(home))
    } else {
        Ok(())
    }
}

/// Returns the backends of this session, which connect when they are needed. `holder` is the
/// command line that keeps the clipboard after a call; without one, the clipboard is unavailable.
pub fn backends(places: &Places, holder: Option<HolderCommand>) -> Backends {
    Backends {
        clipboard: Arc::new(SessionClipboard { holder }),
        environment: Arc::new(SessionEnvironment),
        directories: Arc::new(directory_rules(places)),
        is_offline: is_offline(),
        http: Arc::new(http_access()),
        rates: Arc::new(RateLimits::shared(places.rates())),
        ..Backends::of_session()
    }
}

/// Returns the rules for directories that can be granted: none of sesame's own, and no keyring.
pub fn directory_rules(places: &Places) -> DirectoryRules {
    let base = BaseDirs::new();
    let mut protected = places.protected();
    protected.extend(base.as_ref().map(|base| base.data_dir().join("keyrings")));
    // Another session of this user may have a runtime directory, with timed grants, even if this
    // one has none.
    protected.push(PathBuf::from(format!("/run/user/{}/pds", rustix::process::geteuid().as_raw())));
    DirectoryRules { home: base.map(|base| base.home_dir().to_owned()), protected }
}

/// Returns the command that holds the clipboard of this session's display: a program that calls
/// [`hold_clipboard`](extension_host::hold_clipboard) when it is started with `argument` and the
/// name of the display. It gets the variables for the display. Without a display there is none.
pub fn clipboard_holder(
    program: impl FnOnce() -> PathBuf,
    argument: &str,
) -> Option<HolderCommand> {
    let displays = [("WAYLAND_DISPLAY", Display::Wayland), ("DISPLAY", Display::X11)];
    let (_, display) = displays.into_iter().find(|(name, _)| path(name).is_some())?;
    let needed = ["WAYLAND_DISPLAY", "DISPLAY", "XDG_RUNTIME_DIR", "XAUTHORITY", "HOME"];
    Some(HolderCommand {
        program: program(),
        arguments: vec![OsString::from(argument), OsString::from(display.name())],
        environment: needed
            .iter()
            .filter_map(|name| Some((OsString::from(name), env::var_os(name)?)))
            .collect(),
    })
}

/// Returns whether `SESAME_OFFLINE` forbids connections.
pub fn is_offline() -> bool {
    is_set("SESAME_OFFLINE")
}

/// Returns whether `SESAME_SAFE_MODE` forbids calls of extensions.
pub fn is_safe_mode() -> bool {
    is_set("SESAME_SAFE_MODE")
}

/// Returns whether a variable is set, and neither empty nor `0`.
pub fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
}

/// Returns the path in a variable, unless it is empty.
pub fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Returns the files with certificate authorities that are trusted beside the system's, from
/// `SESAME_CA_FILE`.
pub fn authorities() -> Vec<PathBuf> {
    path("SESAME_CA_FILE").into_iter().collect()
}

/// Returns the proxies and authorities for extensions, which are those for registries.
fn http_access() -> HttpAccess {
    let Proxies { http, https, except, variables } = proxies();
    HttpAccess::new(authorities(), http, https).except(except).named(variables)
}

/// Returns the proxies of the environment, in either case. `HTTP_PROXY` in upper case is ignored
/// where it could come from a web request (<https://httpoxy.org>).
pub fn proxies() -> Proxies {
    let variable = |name: &str| {
        // A value that is not text is an address that cannot be used, and not one that is not set.
        let value = env::var_os(name).filter(|value| !value.is_empty())?;
        Some((name.to_owned(), value.to_string_lossy().into_owned()))
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

/// The variables of this process, which are the session's.
struct SessionEnvironment;

impl Environment for SessionEnvironment {
    fn variable(&self, name: &EnvName) -> Option<String> {
        env::var(name.as_str()).ok()
    }
}
