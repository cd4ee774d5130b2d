//! Variables that an extension may set for a command.

use std::fmt;
use std::str::FromStr;

use crate::capability::scope::names::{EnvName, ScopeError};
use crate::serde_as_text;

/// Variables that an extension may set for a command that is run in its environment: one by its
/// name, or all whose names begin alike, as `APP_*`.
///
/// A name that loaders, shells or tools act upon, such as `PATH`, is covered by itself alone.
///
/// ```
/// let names: core_types::ExecEnv = "APP_*".parse()?;
/// assert!(names.covers(&"APP_MODE".parse()?));
/// assert!(!names.covers(&"PATH".parse()?));
/// # Ok::<(), core_types::ScopeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecEnv(String);

impl ExecEnv {
    /// Tells whether a variable of this name may be set.
    pub fn covers(&self, name: &EnvName) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => name.as_str().starts_with(prefix) && !is_interpreted(name.as_str()),
            None => self.0 == name.as_str(),
        }
    }

    /// Tells whether every variable that the other covers is covered by this.
    pub(crate) fn covers_all(&self, other: &Self) -> bool {
        match other.0.strip_suffix('*') {
            Some(prefix) => self.0.strip_suffix('*').is_some_and(|own| prefix.starts_with(own)),
            None => other.0.parse().is_ok_and(|name| self.covers(&name)),
        }
    }
}

impl FromStr for ExecEnv {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        // A short beginning would cover names that the user does not think of.
        let is_beginning = |prefix: &str| prefix.len() >= 3 && prefix.ends_with('_');
        let is_wide = text.strip_suffix('*').is_some_and(|prefix| !is_beginning(prefix));
        match text.strip_suffix('*').unwrap_or(text).parse::<EnvName>() {
            Ok(_) if !is_wide => Ok(Self(text.to_owned())),
            _ => Err(ScopeError {
                text: text.to_owned(),
                kind: "name of an environment variable, such as `APP_MODE`, nor the beginning of several, such as `APP_*`, with its `_`",
            }),
        }
    }
}

impl fmt::Display for ExecEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

serde_as_text!(ExecEnv);

/// Variables whose values choose code, files or servers for programs.
const INTERPRETED: [&str; 92] = [
    "AR",
    "AS",
    "BASHOPTS",
    "BROWSER",
    "CC",
    "CDPATH",
    "CFLAGS",
    "CLASSPATH",
    "CPATH",
    "CPP",
    "CXX",
    "CXXFLAGS",
    "DISPLAY",
    "EDITOR",
    "ENV",
    "FC",
    "FCEDIT",
    "FPATH",
    "GCONV_PATH",
    "GNUMAKEFLAGS",
    "GTK_MODULES",
    "HISTFILE",
    "HOME",
    "HOSTALIASES",
    "IFS",
    "INPUTRC",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "KUBECONFIG",
    "LD",
    "LDFLAGS",
    "LOCPATH",
    "LOGNAME",
    "MAKEFILES",
    "MAKEFLAGS",
    "MANPAGER",
    "MFLAGS",
    "NETRC",
    "NLSPATH",
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "PAGER",
    "PATH",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "PKG_CONFIG",
    "PROMPT_COMMAND",
    "PS0",
    "PS1",
    "PS2",
    "PS4",
    "PWD",
    "RES_OPTIONS",
    "REQUESTS_CA_BUNDLE",
    "RUSTFLAGS",
    "SHELL",
    "SHELLOPTS",
    "SHLVL",
    "TAR_OPTIONS",
    "TEMP",
    "TERM",
    "TERMCAP",
    "TERMINFO",
    "TMP",
    "TMPDIR",
    "TZ",
    "TZDIR",
    "USER",
    "VISUAL",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
    "BAT_PAGER",
    "COMPILER_PATH",
    "CPPFLAGS",
    "C_INCLUDE_PATH",
    "ERL_AFLAGS",
    "EXINIT",
    "GRADLE_OPTS",
    "GST_PLUGIN_PATH",
    "HGRCPATH",
    "JAVA_HOME",
    "LIBRARY_PATH",
    "MAKE",
    "RIPGREP_CONFIG_PATH",
    "RSYNC_CONNECT_PROG",
    "RSYNC_RSH",
    "SVN_SSH",
    "VIMINIT",
    "VK_ADD_LAYER_PATH",
    "WGETRC",
];

/// The beginnings of such names.
const INTERPRETED_PREFIXES: [&str; 46] = [
    "ANSIBLE_",
    "AWS_",
    "AZURE_",
    "BASH_",
    "BUNDLE_",
    "CARGO_",
    "CMAKE_",
    "COMPOSER_",
    "CURL_",
    "DBUS_",
    "DOCKER_",
    "DOTNET_",
    "DYLD_",
    "ELECTRON_",
    "GCC_",
    "GEM_",
    "GIO_",
    "GIT_",
    "GLIBC_",
    "GO",
    "GTK_",
    "HELM_",
    "KRB5",
    "LC_",
    "LD_",
    "LESS",
    "LIBGL_",
    "LUA_",
    "MALLOC_",
    "MAVEN_",
    "NIX_",
    "NODE_",
    "NPM_",
    "PERL",
    "PIP_",
    "PKG_CONFIG_",
    "PYTHON",
    "QT_",
    "R_",
    "RUBY",
    "RUST",
    "SESAME_",
    "SSH_",
    "SSL_",
    "SUDO_",
    "XDG_",
];

/// The ends of such names.
const INTERPRETED_SUFFIXES: [&str; 23] = [
    "_ARGS",
    "_ASKPASS",
    "_BIN",
    "_CMD",
    "_COMMAND",
    "_CONFIG",
    "_CONFIG_FILE",
    "_DIR",
    "_EDITOR",
    "_EXEC",
    "_FLAGS",
    "_HOME",
    "_LIB",
    "_OPTIONS",
    "_OPTS",
    "_PAGER",
    "_PATH",
    "_PRELOAD",
    "_PROG",
    "_PROXY",
    "_RSH",
    "_SHELL",
    "_SSH",
];

/// Tells whether programs that are in wide use take this variable as more than data. Upper and
/// lower case are the same for some of them, as for `http_proxy`.
///
/// The list cannot be complete: a grant of `APP_*` trusts that no program of the user acts upon
/// such a name.
fn is_interpreted(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    INTERPRETED.contains(&upper.as_str())
        || INTERPRETED_PREFIXES.iter().any(|prefix| upper.starts_with(prefix))
        || INTERPRETED_SUFFIXES.iter().any(|suffix| upper.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(grant: &str, name: &str) -> bool {
        grant.parse::<ExecEnv>().expect(grant).covers(&name.parse().expect(name))
    }

    /// A beginning covers what begins so and no name that programs act upon.
    #[test]
    fn prefix_covers_no_special_names() {
        assert!(covers("FOO", "FOO") && !covers("FOO", "FOOD") && !covers("FOO", "foo"));
        assert!(covers("APP_*", "APP_MODE") && !covers("APP_*", "APPLE"));
        for name in [
            "LD_PRELOAD",
            "BASH_ENV",
            "GIT_SSH_COMMAND",
            "APP_PRELOAD",
            "http_proxy",
            "JAVA_HOME",
            "KUBE_EDITOR",
        ] {
            let beginning = format!("{}*", &name[..name.find('_').expect("one") + 1]);
            assert!(!covers(&beginning, name), "{name} is never covered by a beginning");
            assert!(covers(name, name), "{name} is covered by itself");
        }
        assert!(["PATH", "PYTHONSTARTUP", "JAVA_TOOL_OPTIONS"].into_iter().all(is_interpreted));
    }

    /// What is covered by a part is covered by the whole.
    #[test]
    fn whole_covers_what_parts_cover() {
        let all = |own: &str, other: &str| {
            own.parse::<ExecEnv>().expect(own).covers_all(&other.parse().expect(other))
        };
        assert!(all("AP_*", "AP_B_*") && all("AP_*", "AP_B") && all("AB", "AB"));
        assert!(!all("AP_B_*", "AP_*") && !all("AP_B", "AP_*") && !all("LD_*", "LD_PRELOAD"));
    }

    /// A star alone or in the middle is refused.
    #[test]
    fn misplaced_star_is_refused() {
        for bad in ["*", "A*", "J*", "A_*", "APP*", "A*B", "A=", "", "1_X_*", "A B_*", "**"] {
            assert!(bad.parse::<ExecEnv>().is_err(), "{bad:?}");
        }
    }
}
