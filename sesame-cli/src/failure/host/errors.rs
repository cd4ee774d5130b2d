//! Failures of the host, of the code of an extension, and of the session's services.

use core_types::{ErrorKind, ExtensionName};
use extension_host::{
    AddressSpaceTooSmall, BackendError, CompileError, DirectoryError, HostError, IntoCacheError,
    NotExecutable, RequestError,
};
use extension_manager::{CodeError, OpenError};

use super::refused::RefusedImports;
use crate::failure::Failure;
use crate::failure::depot::same_guest_path_hint;
use crate::failure::help::{Explain, Help, explain};

explain! { RequestError: Failure }

/// sesame has one adapter, and toolchains can need another. What else is wrong with a module is its
/// author's.
const NOT_COMPONENT_HINT: &str = "ask its author for a component, or make one with the adapters that it needs: wasm-tools component new MODULE --adapt ADAPTER -o COMPONENT";

impl Failure {
    /// Reports that the extension of this name does not start.
    pub fn of_host(name: &ExtensionName, error: HostError) -> Self {
        match error {
            HostError::Refused(refusals) => RefusedImports { name: name.clone(), refusals }.into(),
            error => {
                let help = host_help(&error);
                Self::with_help(error, help)
            }
        }
    }

    /// Reports a directory that cannot be granted.
    pub fn of_directory(name: &ExtensionName, error: DirectoryError) -> Self {
        let help = directory_help(name, &error);
        Self::with_help(error, help)
    }
}

fn host_help(error: &HostError) -> Help {
    match error {
        HostError::Refused(_) => Help::new(ErrorKind::Refused),
        HostError::Engine(_) | HostError::Compile(_) | HostError::Load(_) => {
            Help::new(ErrorKind::Local)
        }
        HostError::NotWasm { .. } | HostError::Fault(_) => Help::new(ErrorKind::Failure),
        HostError::NotComponent { .. } => {
            Help::new(ErrorKind::Failure).with_hint(NOT_COMPONENT_HINT)
        }
        HostError::NotExecutable(error) => error.help(),
        HostError::Link(_) => Help::new(ErrorKind::Refused)
            .with_hint("it was built for another version of these interfaces; ask its author"),
        HostError::Exports { .. } => Help::new(ErrorKind::Usage)
            .with_hint("see the exports of a module of Suffiks in docs/wasi-runtime.md"),
    }
}

pub(in crate::failure) fn directory_help(name: &ExtensionName, error: &DirectoryError) -> Help {
    let hint = match error {
        DirectoryError::Link { path, real } => {
            format!("to do it anyway, grant `{}` itself and revoke `{path}`", real.display())
        }
        DirectoryError::SameGuestPath(_) => same_guest_path_hint(name),
        DirectoryError::Missing { .. }
        | DirectoryError::Open { .. }
        | DirectoryError::NoOpenat2 { .. }
        | DirectoryError::Protected { .. }
        | DirectoryError::NoHome { .. } => {
            format!("see its grants: sesame extension info {name}")
        }
    };
    let is_local = matches!(
        error,
        DirectoryError::Open { .. }
            | DirectoryError::NoOpenat2 { .. }
            | DirectoryError::Missing { .. }
    );
    let code = if is_local { ErrorKind::Local } else { ErrorKind::Refused };
    Help::new(code).with_hint(hint)
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Config(error) => error.into(),
            OpenError::Extension { source, .. } => Self::from(*source),
            OpenError::State(error) => error.into(),
            OpenError::Changed(error) => error.into(),
            OpenError::Code(error) => Self::from(*error),
            OpenError::Host { name, source } => Self::of_host(&name, *source),
            OpenError::SafeMode => {
                Self::new(ErrorKind::Refused, error).with_hint("unset SESAME_SAFE_MODE")
            }
            OpenError::SessionOff(ref place) => {
                let line = place.line.map(|line| format!(", line {line}")).unwrap_or_default();
                let hint = format!("see `{}`{line}", place.path.display());
                Self::new(ErrorKind::Refused, error).with_hint(hint)
            }
            OpenError::DeniedByPolicy { ref policy, .. } => {
                let hint =
                    format!("`deny` in `{}` lists the denied capabilities", policy.display());
                Self::new(ErrorKind::Refused, error).with_hint(hint)
            }
        }
    }
}

impl Explain for CodeError {
    fn help(&self) -> Help {
        match self {
            Self::Compile(error) => error.help(),
            Self::Binary(_) | Self::Temporary(_) => Help::new(ErrorKind::Local),
        }
    }
}

impl Explain for BackendError {
    fn help(&self) -> Help {
        match self {
            BackendError::NotFound => Help::new(ErrorKind::NotFound),
            BackendError::Unavailable(_) => Help::new(ErrorKind::Local)
                .with_hint("unlock your keyring, or start a Secret Service such as gnome-keyring"),
            _ => Help::new(ErrorKind::Local),
        }
    }
}

impl Explain for IntoCacheError {
    fn help(&self) -> Help {
        match self {
            Self::Compile(error) => {
                Help::new(code_of_compile(error)).with_hints(compile_hint(error))
            }
            Self::Load(HostError::NotExecutable(error)) => error.help(),
            Self::Cache(_) | Self::Load(_) => Help::new(ErrorKind::Local),
        }
    }
}

fn code_of_compile(error: &CompileError) -> ErrorKind {
    match error {
        CompileError::TooLong { .. } | CompileError::OutOfMemory { .. } => ErrorKind::Limit,
        CompileError::NotComponent { .. }
        | CompileError::Refused { .. }
        | CompileError::Crashed { .. } => ErrorKind::Failure,
        CompileError::Input { .. }
        | CompileError::Killed { .. }
        | CompileError::Start { .. }
        | CompileError::Output { .. } => ErrorKind::Local,
    }
}

fn compile_hint(error: &CompileError) -> Option<String> {
    match error {
        CompileError::Input { .. } => Some("sesame extension verify --repair".to_owned()),
        CompileError::NotComponent { .. } => Some(NOT_COMPONENT_HINT.to_owned()),
        CompileError::TooLong { limit } => {
            limit.ulimit.map(|option| format!("raise the limit: ulimit {option} 300"))
        }
        CompileError::OutOfMemory { limit } => {
            limit.ulimit.map(|option| format!("raise the limit: ulimit {option} unlimited"))
        }
        CompileError::Killed { .. } => Some(
            "close other programs or raise the memory limit of this session, then try again"
                .to_owned(),
        ),
        _ => None,
    }
}

impl Explain for NotExecutable {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Local).with_hint(match self {
            NotExecutable::Mount { .. } => {
                "mount it without `noexec`, or set XDG_CACHE_HOME to a directory on another file system".to_owned()
            }
            NotExecutable::Memory(_) => {
                "take `MemoryDenyWriteExecute` (PR_SET_MDWE) out of the service that runs sesame, or, with \
                SELinux, allow `execmem`: setsebool deny_execmem off"
                    .to_owned()
            }
        })
    }
}

impl Explain for AddressSpaceTooSmall {
    fn help(&self) -> Help {
        let (needed, option) = (self.needed_kib(), self.option);
        let hint = match (self.limit, self.maximum) {
            (None, _) => "close other programs, then try again".to_owned(),
            (_, Some(maximum)) if maximum < self.needed => {
                format!(
                    "its hard limit is lower: start sesame where `ulimit -H{option}` is at least {needed}"
                )
            }
            _ => format!("raise the limit: ulimit -{option} {needed}"),
        };
        Help::new(ErrorKind::Local).with_hint(hint)
    }
}
