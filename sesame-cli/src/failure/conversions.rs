//! Turns errors of the libraries into failures.

use core_types::ErrorKind;
use extension_depot::registry::{DownloadError, KeygenError, LoginError, PushError, RegistryError};
use extension_depot::{
    ActivityError, ArtifactError, BlobError, BundleError, ConfigFileError, DocsError, ImageError,
    LockError, ManifestError, PolicyRefusal, SourceError, StagingError, TimedGrantsError,
    TrustError, UnpackError, VerifierError,
};
use extension_host::{
    AddressSpaceTooSmall, BackendError, CompileError, HostError, IntoCacheError, NotExecutable,
    RequestError,
};

use extension_manager::environment::NoPlaces;
use extension_manager::{CodeError, OpenError};

use super::Failure;
use super::depot::as_references;
use crate::project::{BuildError, MissingTool, ProjectError};
use crate::suffiks::{ResourceDirectoryError, document::DocumentError};

/// The hint for a file system without locks.
pub const LOCKS_HINT: &str =
    "keep `XDG_CONFIG_HOME` and `XDG_STATE_HOME` on a file system with locks, such as a local disk";

as_references! { LockError, ManifestError, TimedGrantsError, TrustError }

impl From<VerifierError> for Failure {
    fn from(error: VerifierError) -> Self {
        Self::new(ErrorKind::Usage, &error)
    }
}

impl From<&NoPlaces> for Failure {
    fn from(error: &NoPlaces) -> Self {
        Self::new(ErrorKind::Local, error).with_hint("set HOME to the absolute path of a directory")
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::SafeMode => {
                Self::new(ErrorKind::Refused, &error).with_hint("unset SESAME_SAFE_MODE")
            }
            OpenError::Config(error) => error.into(),
            OpenError::Extension { source, .. } => Self::from(&*source),
            OpenError::State(error) => error.into(),
            OpenError::Changed(error) => Self::from(&error),
            OpenError::Code(error) => Self::from(*error),
            OpenError::Host { name, source } => Self::of_host(&name, &source),
            OpenError::DeniedByPolicy { ref policy, .. } => Self::new(ErrorKind::Refused, &error)
                .with_hint(format!(
                    "`deny` in `{}` lists the denied capabilities",
                    policy.display()
                )),
        }
    }
}

impl From<CodeError> for Failure {
    fn from(error: CodeError) -> Self {
        match error {
            CodeError::Compile(error) => error.into(),
            CodeError::Binary(_) | CodeError::Temporary(_) => Self::new(ErrorKind::Local, &error),
        }
    }
}

impl From<&TrustError> for Failure {
    fn from(error: &TrustError) -> Self {
        let failure = Self::new(ErrorKind::Local, error);
        match error {
            TrustError::Content { path, .. }
            | TrustError::NoKey { path }
            | TrustError::Means { path, .. } => {
                failure.with_hint(format!("fix `{}` in an editor", path.display()))
            }
            TrustError::Io { .. } => failure,
        }
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        let code = match &error {
            DocumentError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            DocumentError::Read { .. } => ErrorKind::Local,
            DocumentError::Parse { .. } => ErrorKind::Usage,
        };
        Self::new(code, &error)
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        match &error {
            BuildError::NoLanguage => Self::new(ErrorKind::Usage, &error)
                .with_hint("say so in extension.toml: [build] language = \"rust\""),
            BuildError::NoKind(_) => Self::new(ErrorKind::Usage, &error),
            BuildError::MissingTools(missing) => {
                Self::new(ErrorKind::NotFound, &error).with_installation(missing)
            }
            _ => Self::new(ErrorKind::Failure, &error),
        }
    }
}

impl Failure {
    /// Adds the commands that install missing tools: as one line to paste, after the places where
    /// that is explained.
    fn with_installation(mut self, missing: &[MissingTool]) -> Self {
        let is_explained = |tool: &&MissingTool| tool.install.contains("https://");
        let (explained, commands): (Vec<_>, Vec<_>) = missing.iter().partition(is_explained);
        if let ([tool], []) = (&explained[..], &commands[..]) {
            return self.with_hint(format!("install it: {}", tool.install));
        }
        let line = |tool: &&MissingTool| format!("`{}`: {}", tool.title, tool.install);
        self.details = explained.iter().map(line).collect();
        if commands.is_empty() {
            return self.with_hint("install them as described there");
        }
        let commands: Vec<_> = commands.iter().map(|tool| tool.install).collect();
        self.with_hint(format!("install {}: {}", them(commands.len()), commands.join(" && ")))
    }
}

fn them(count: usize) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

impl From<ProjectError> for Failure {
    fn from(error: ProjectError) -> Self {
        let code = if matches!(error, ProjectError::Read { .. }) {
            ErrorKind::Local
        } else {
            ErrorKind::Usage
        };
        Self::new(code, &error)
    }
}

impl From<DocsError> for Failure {
    fn from(error: DocsError) -> Self {
        let code = match &error {
            DocsError::Empty { .. } => ErrorKind::NotFound,
            DocsError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            DocsError::Read { .. } => ErrorKind::Local,
            _ => ErrorKind::Untrusted,
        };
        Self::new(code, &error)
    }
}

impl From<ResourceDirectoryError> for Failure {
    fn from(error: ResourceDirectoryError) -> Self {
        match error {
            ResourceDirectoryError::Document(error) => error.into(),
            ResourceDirectoryError::NoResource { .. } | ResourceDirectoryError::Twice { .. } => {
                Self::new(ErrorKind::Usage, &error)
            }
            ResourceDirectoryError::Io { .. } => Self::new(ErrorKind::Local, &error),
        }
    }
}

impl From<KeygenError> for Failure {
    fn from(error: KeygenError) -> Self {
        Self::new(ErrorKind::Local, &error)
    }
}

impl From<PolicyRefusal> for Failure {
    fn from(error: PolicyRefusal) -> Self {
        Self::new(ErrorKind::Refused, &error)
            .with_hint(format!("the policy is `{}`", error.policy.display()))
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        let failure = Self::new(
            if error == BackendError::NotFound { ErrorKind::NotFound } else { ErrorKind::Local },
            &error,
        );
        match error {
            BackendError::Unavailable(_) => failure
                .with_hint("unlock your keyring, or start a Secret Service such as gnome-keyring"),
            _ => failure,
        }
    }
}

impl From<ActivityError> for Failure {
    fn from(error: ActivityError) -> Self {
        Self::new(ErrorKind::Local, &error)
    }
}

impl From<&LockError> for Failure {
    fn from(error: &LockError) -> Self {
        let failure = Self::new(ErrorKind::Local, error);
        match error {
            LockError::Io { source, .. } if source.kind() == std::io::ErrorKind::Unsupported => {
                failure.with_hint(LOCKS_HINT)
            }
            LockError::Busy { holder: Some(pid) } => {
                failure.with_hint(format!("see what it does: ps -p {pid}"))
            }
            _ => failure,
        }
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        let failure = Self::new(ErrorKind::Local, &error);
        match error {
            BundleError::Blob { name, .. } => {
                failure.with_hint(format!("sesame extension verify --repair {name}"))
            }
            BundleError::Exists { .. } => failure.with_hint("replace it: add `--force`"),
            BundleError::Write { .. } => failure,
        }
    }
}

impl From<ConfigFileError> for Failure {
    fn from(error: ConfigFileError) -> Self {
        Self::from(&error)
    }
}

impl From<&ConfigFileError> for Failure {
    fn from(error: &ConfigFileError) -> Self {
        Self::new(ErrorKind::Local, error)
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        let code = match &error {
            RegistryError::Pin(_) | RegistryError::LayerPinned { .. } => ErrorKind::Untrusted,
            RegistryError::NotFound { .. }
            | RegistryError::MissingRepository { .. }
            | RegistryError::MissingTag { .. } => ErrorKind::NotFound,
            RegistryError::PlainHttp { .. } => ErrorKind::Usage,
            RegistryError::Unauthorized { .. } | RegistryError::LoginRefused { .. } => {
                ErrorKind::Authentication
            }
            RegistryError::Blob(error) => code_of_blob(error),
            RegistryError::Image(error) => code_of_image(error),
            RegistryError::Unpack(error) => code_of_unpack(error),
            RegistryError::Docs(_) => ErrorKind::Untrusted,
            RegistryError::Staging(_) | RegistryError::Certificates { .. } => ErrorKind::Local,
            _ => ErrorKind::Network,
        };
        let hint = registry_hint(&error);
        let mut failure = Self::new(code, &error).with_optional_hint(hint);
        if let RegistryError::MissingTag { nearest, .. } = &error {
            failure.details.push(format!("the nearest tags are: {}", nearest.join(" ")));
        }
        failure
    }
}

impl From<DownloadError> for Failure {
    fn from(error: DownloadError) -> Self {
        let is_missing = matches!(error.source, RegistryError::Status { status: 404 | 410, .. });
        let message = error.to_string();
        let mut failure = Self::from(error.source);
        failure.causes.insert(0, std::mem::replace(&mut failure.message, message));
        if is_missing {
            failure.code = ErrorKind::NotFound.into();
        }
        failure
    }
}

fn registry_hint(error: &RegistryError) -> Option<String> {
    match error {
        RegistryError::Pin(_) => Some("give the whole digest, or none".to_owned()),
        RegistryError::LayerPinned { manifest, .. } => Some(format!("pin it with @{manifest}")),
        RegistryError::PlainHttp { registry } => Some(format!(
            "use `https://`, or, to do it anyway, set `plain_http = true` under [registries.\"{registry}\"] in config.toml"
        )),
        RegistryError::Offline { .. } => {
            Some("leave out `--offline` and unset SESAME_OFFLINE".to_owned())
        }
        RegistryError::MissingTag { reference, .. } => {
            Some(format!("see all tags: sesame registry tags {}", reference.repository_query()))
        }
        RegistryError::NotFound { .. } => {
            Some("check the spelling of the registry, repository and tag".to_owned())
        }
        RegistryError::MissingRepository { .. } => {
            Some("check the spelling of the registry and repository".to_owned())
        }
        RegistryError::Unauthorized { registry, .. } => {
            Some(format!("sesame registry login {registry}"))
        }
        RegistryError::Status { retry_after: Some(seconds), status: 429 | 503, .. } => {
            Some(format!("the registry asks to wait {seconds} s: try again then"))
        }
        RegistryError::Status { registry, status: 429, .. } => Some(format!(
            "wait a while, or raise your limit with a login: sesame registry login {registry}"
        )),
        RegistryError::Proxy { variable, .. } => Some(format!(
            "set `{variable}` to the `http://` address of a proxy, or name the host in NO_PROXY"
        )),
        RegistryError::Redirect { registry, private: Some(host), .. } => Some(format!(
            "if you trust it, add `allow-redirect-to = [\"{host}\"]` under [registries.\"{registry}\"] in config.toml"
        )),
        RegistryError::Timeout { registry } => Some(format!(
            "to wait longer, set `timeout_seconds = 120` under [registries.\"{registry}\"] in config.toml"
        )),
        RegistryError::Realm { registry, realm } => {
            let host = realm.strip_prefix("https://").filter(|host| !host.is_empty())?;
            Some(format!(
                "if you trust it, add `token_hosts = [\"{host}\"]` under [registries.\"{registry}\"] in config.toml"
            ))
        }
        _ => None,
    }
}

/// Returns the kind of error: an artifact that is not an extension is the publisher's choice; a malformed one should not be
/// trusted.
fn code_of_image(error: &ImageError) -> ErrorKind {
    match error {
        ImageError::NoWasm { .. }
        | ImageError::SeveralWasm { .. }
        | ImageError::SeveralFiles { .. }
        | ImageError::AmbiguousIndex { .. } => ErrorKind::Failure,
        ImageError::Malformed { .. }
        | ImageError::ForeignUrls { .. }
        | ImageError::TooLarge { .. } => ErrorKind::Untrusted,
    }
}

fn code_of_unpack(error: &UnpackError) -> ErrorKind {
    match error {
        UnpackError::Image(error) => code_of_image(error),
        UnpackError::Io { .. } => ErrorKind::Local,
        UnpackError::Archive { .. }
        | UnpackError::TooLarge { .. }
        | UnpackError::Entry { .. }
        | UnpackError::Path { .. } => ErrorKind::Untrusted,
    }
}

fn code_of_artifact(error: &ArtifactError) -> ErrorKind {
    match error {
        ArtifactError::Blob(error) => code_of_blob(error),
        ArtifactError::Image(error) => code_of_image(error),
        ArtifactError::Unpack(error) => code_of_unpack(error),
        ArtifactError::Unrecorded => ErrorKind::Local,
    }
}

fn code_of_blob(error: &BlobError) -> ErrorKind {
    match error {
        BlobError::Digest { .. } | BlobError::TooLarge { .. } => ErrorKind::Untrusted,
        BlobError::Size { expected, found } if found > expected => ErrorKind::Untrusted,
        BlobError::Size { .. } => ErrorKind::Network,
        BlobError::Missing { .. } | BlobError::Io { .. } => ErrorKind::Local,
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let code = match &error {
            SourceError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            SourceError::NoEntry { .. } => ErrorKind::NotFound,
            SourceError::Digest { .. } => ErrorKind::Untrusted,
            // The network cannot lose bytes of a local artifact.
            SourceError::Artifact(ArtifactError::Blob(BlobError::Size { .. })) => {
                ErrorKind::Untrusted
            }
            SourceError::Artifact(error) => code_of_artifact(error),
            SourceError::NoLayout { .. }
            | SourceError::Reference(_)
            | SourceError::TooLarge { .. } => ErrorKind::Failure,
            SourceError::Read { .. } | SourceError::Staging(_) => ErrorKind::Local,
        };
        Self::new(code, &error)
    }
}

impl From<IntoCacheError> for Failure {
    fn from(error: IntoCacheError) -> Self {
        match &error {
            IntoCacheError::Compile(compile) => Self::new(code_of_compile(compile), &error)
                .with_optional_hint(compile_hint(compile).map(str::to_owned)),
            IntoCacheError::Load(HostError::NotExecutable(error)) => error.into(),
            IntoCacheError::Cache(_) | IntoCacheError::Load(_) => {
                Self::new(ErrorKind::Local, &error)
            }
        }
    }
}

fn code_of_compile(error: &CompileError) -> ErrorKind {
    match error {
        CompileError::TooLong { .. } | CompileError::OutOfMemory { .. } => ErrorKind::Limit,
        CompileError::Refused { .. } | CompileError::Crashed { .. } => ErrorKind::Failure,
        CompileError::Input { .. }
        | CompileError::Killed { .. }
        | CompileError::Start { .. }
        | CompileError::Output { .. } => ErrorKind::Local,
    }
}

fn compile_hint(error: &CompileError) -> Option<&'static str> {
    match error {
        CompileError::Input { .. } => Some("sesame extension verify --repair"),
        CompileError::TooLong { limit } if limit.is_inherited => {
            Some("raise the limit: ulimit -t 300")
        }
        CompileError::OutOfMemory { limit } if limit.is_inherited => {
            Some("raise the limit: ulimit -v unlimited")
        }
        CompileError::Killed { .. } => {
            Some("close other programs or raise the memory limit of this session, then try again")
        }
        _ => None,
    }
}

impl From<&NotExecutable> for Failure {
    fn from(error: &NotExecutable) -> Self {
        Self::new(ErrorKind::Local, error).with_hint(match error {
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

impl From<&AddressSpaceTooSmall> for Failure {
    fn from(error: &AddressSpaceTooSmall) -> Self {
        let needed = error.needed_kib();
        let hint = match (error.limit, error.maximum) {
            (None, _) => "close other programs, then try again".to_owned(),
            (_, Some(maximum)) if maximum < error.needed => {
                format!(
                    "its hard limit is lower: start sesame where `ulimit -Hv` is at least {needed}"
                )
            }
            _ => format!("raise the limit: ulimit -v {needed}"),
        };
        Self::new(ErrorKind::Local, error).with_hint(hint)
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self::new(ErrorKind::Failure, &error)
    }
}

impl From<StagingError> for Failure {
    fn from(error: StagingError) -> Self {
        Self::new(ErrorKind::Local, &error)
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        Self::new(ErrorKind::Local, &error).with_hint(
            "start a Secret Service such as gnome-keyring, or use `docker login` or `podman login`, which sesame reads",
        )
    }
}

impl From<PushError> for Failure {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Registry(error) => error.into(),
            PushError::Taken { .. } => Self::new(ErrorKind::Failure, &error).with_hint(
                "publish it under another version, or replace the old bytes with `--overwrite`",
            ),
            PushError::Push { ref source, .. } => {
                let hint = registry_hint(source);
                Self::new(ErrorKind::Network, &error).with_optional_hint(hint)
            }
            other => Self::new(ErrorKind::Network, &other),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(ErrorKind::Local, &error)
    }
}
