//! The environment of a login session: its directories, its desktop, its proxies. The one module of
//! the libraries that reads the environment, for programs that want what `sesame` itself has.
#![expect(clippy::disallowed_methods, reason = "the one module that reads the environment")]

use std::collections::HashMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
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
use private_files::ensure_exclusive;

/// The system's policy. No variable moves it.
pub const SYSTEM_POLICY: &str = "/etc/pds/policy.toml";

/// The variables that name a display, in the order in which they count.
const DISPLAYS: [(&str, Display); 2] =
    [("WAYLAND_DISPLAY", Display::Wayland), ("DISPLAY", Display::X11)];
/// The variables by which a display is reached.
const OF_DISPLAY: [&str; 3] = ["WAYLAND_DISPLAY", "DISPLAY", "XAUTHORITY"];

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
    check_home(env::var_os("HOME").map(PathBuf::from))?;
    let directories = ProjectDirs::from("", "", "pds").ok_or(NoPlaces::NoHome)?;
    Ok(Places {
        config: directories.config_dir().to_owned(),
        state: directories.state_dir().ok_or(NoPlaces::NoHome)?.to_owned(),
        cache: directories.cache_dir().to_owned(),
        runtime: runtime_directory().map(|directory| directory.join("pds")),
        system_policy: PathBuf::from(SYSTEM_POLICY),
    })
}

/// Returns the directory of the login session, `XDG_RUNTIME_DIR`, if it belongs to this user and no
/// other one can write to it, as the specification demands: another writer could plant grants and logins
/// there.
pub fn runtime_directory() -> Option<PathBuf> {
    named_runtime_directory().filter(|directory| is_private(directory))
}

fn named_runtime_directory() -> Option<PathBuf> {
    path("XDG_RUNTIME_DIR").filter(|directory| directory.is_absolute())
}

/// Tells whether a directory is this user's alone. A missing one is: this user makes it.
fn is_private(directory: &Path) -> bool {
    match directory.metadata() {
        Ok(metadata) => ensure_exclusive(&metadata).is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Checks what the variable `HOME` names. Without one, the system's list of users names it.
fn check_home(home: Option<PathBuf>) -> Result<(), NoPlaces> {
    let Some(home) = home else { return Ok(()) };
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

/// Returns the backends of this session, which connect when they are needed. Its clipboard is
/// unavailable: see [`clipboard`].
pub fn backends(places: &Places) -> Backends {
    Backends {
        clipboard: Arc::new(SessionClipboard { holder: Arc::new(|| None) }),
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
    // One that does not count now does once it is private again.
    protected.extend(named_runtime_directory().map(|directory| directory.join("pds")));
    // Another session of this user may have a runtime directory, with timed grants, even if this
    // one has none.
    protected.push(PathBuf::from(format!("/run/user/{}/pds", rustix::process::geteuid().as_raw())));
    DirectoryRules { home: base.map(|base| base.home_dir().to_owned()), protected }
}

/// Returns the clipboard of the display that the session has when a text is put there. `program` calls
/// [`hold_clipboard`](extension_host::hold_clipboard) when it is started with `argument` and the
/// name of the display, and keeps the text after the call. Where `session` returns a display
/// then, it counts, and those of this process do not.
pub fn clipboard(
    program: fn() -> PathBuf,
    argument: &'static str,
    session: fn() -> HashMap<String, OsString>,
) -> SessionClipboard {
    let holder = move || {
        let session = session();
        let has_display = DISPLAYS.iter().any(|(name, _)| session.contains_key(*name));
        // A display of one and the authority of the other do not belong together.
        let variable = |name: &str| match has_display && OF_DISPLAY.contains(&name) {
            true => session.get(name).cloned(),
            false => env::var_os(name),
        };
        clipboard_holder(variable, program, argument)
    };
    SessionClipboard { holder: Arc::new(holder) }
}

/// Returns the command that holds the clipboard of the display of these variables; nothing without a
/// display. It gets the variables for the display.
fn clipboard_holder(
    variable: impl Fn(&str) -> Option<OsString>,
    program: fn() -> PathBuf,
    argument: &str,
) -> Option<HolderCommand> {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let (_, display) = DISPLAYS.into_iter().find(|(name, _)| is_set(name))?;
    let needed = OF_DISPLAY.into_iter().chain(["XDG_RUNTIME_DIR", "HOME"]);
    Some(HolderCommand {
        program: program(),
        arguments: vec![OsString::from(argument), OsString::from(display.name())],
        environment: needed
            .filter_map(|name| Some((OsString::from(name), variable(name)?)))
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
    env::var_os(name).is_some_and(|value| is_yes(&value))
}

fn is_yes(value: &OsStr) -> bool {
    !value.is_empty() && value != "0"
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
    proxies_among(|name| env::var_os(name))
}

fn proxies_among(environment: impl Fn(&str) -> Option<OsString>) -> Proxies {
    let variable = |name: &str| {
        // A value that is not text is an address that cannot be used, and not one that is not set.
        let value = environment(name).filter(|value| !value.is_empty())?;
        Some((name.to_owned(), value.to_string_lossy().into_owned()))
    };
    let either = |name: &str| variable(&name.to_lowercase()).or_else(|| variable(name));
    let is_cgi = environment("REQUEST_METHOD").is_some();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_is_a_directory_by_its_whole_path() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        std::fs::write(&file, "").expect("written");
        let check = |home: &Path| check_home(Some(home.to_owned()));
        assert_eq!(check_home(None), Ok(()));
        assert_eq!(check(directory.path()), Ok(()));
        assert_eq!(check(&directory.path().join("later")), Ok(()), "it may be made");
        assert_eq!(check(Path::new("")), Err(NoPlaces::Empty));
        assert_eq!(check(Path::new("home")), Err(NoPlaces::Relative("home".into())));
        assert_eq!(check(&file), Err(NoPlaces::NotDirectory(file.clone())));
    }

    #[test]
    fn zero_and_nothing_mean_no() {
        for (value, expected) in [("", false), ("0", false), ("1", true), ("no", true)] {
            assert_eq!(is_yes(OsStr::new(value)), expected, "{value:?}");
        }
    }

    /// Returns the two proxies, with the variables that name them.
    fn found(variables: &[(&str, &str)]) -> [(Option<String>, Option<String>); 2] {
        let proxies = proxies_among(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        });
        let [http_from, https_from] = proxies.variables;
        let named = |from: String| Some(from).filter(|from| !from.is_empty());
        [(proxies.http, named(http_from)), (proxies.https, named(https_from))]
    }

    /// Lower case wins, `ALL_PROXY` stands in for what is missing, and a web request sets nothing.
    #[test]
    fn proxies_are_found_in_either_case() {
        let some = |address: &str, from: &str| (Some(address.to_owned()), Some(from.to_owned()));
        let none = || (None, None);
        assert_eq!(found(&[]), [none(), none()]);
        assert_eq!(
            found(&[("HTTP_PROXY", "a"), ("http_proxy", "b"), ("HTTPS_PROXY", "c")]),
            [some("b", "http_proxy"), some("c", "HTTPS_PROXY")]
        );
        assert_eq!(
            found(&[("ALL_PROXY", "a"), ("https_proxy", "b")]),
            [some("a", "ALL_PROXY"), some("b", "https_proxy")]
        );
        assert_eq!(
            found(&[("HTTP_PROXY", "a"), ("REQUEST_METHOD", "GET")]),
            [none(), none()],
            "a header `Proxy:` of the request"
        );
        let lower = [("http_proxy", "a"), ("REQUEST_METHOD", "GET")];
        assert_eq!(found(&lower)[0], some("a", "http_proxy"));
        assert_eq!(found(&[("http_proxy", ""), ("ALL_PROXY", "")]), [none(), none()]);
    }

    /// Not even root's home lets an extension have the keyring or sesame's own files.
    #[test]
    fn own_files_and_keyring_are_protected() {
        let places = Places::below("/home/ada/pds");
        let rules = directory_rules(&places);
        for directory in places.protected() {
            assert!(rules.protected.contains(&directory), "{}", directory.display());
        }
        let user = rustix::process::geteuid().as_raw();
        assert!(rules.protected.contains(&PathBuf::from(format!("/run/user/{user}/pds"))));
    }
}
