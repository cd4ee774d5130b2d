//! Failures of registries and of the artifacts that come from there or from a file.

use std::io;

use core_types::ErrorKind;
use extension_depot::registry::{DownloadError, KeygenError, LoginError, PushError, RegistryError};
use extension_depot::{
    ArtifactError, BlobError, DocsError, ImageError, SourceError, StagingError, UnpackError,
};

use super::help::{Explain, Help, explain};

explain! { KeygenError: Local, StagingError: Local }

impl Explain for RegistryError {
    fn help(&self) -> Help {
        let code = match self {
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
        let nearest = match self {
            Self::MissingTag { nearest, .. } => {
                Some(format!("the nearest tags are: {}", nearest.join(" ")))
            }
            _ => None,
        };
        Help::new(code).with_details(nearest).with_hints(registry_hint(self))
    }
}

impl Explain for DownloadError {
    fn help(&self) -> Help {
        let help = self.source.help();
        match self.source {
            RegistryError::Status { status: 404 | 410, .. } => {
                Help { code: ErrorKind::NotFound.into(), ..help }
            }
            _ => help,
        }
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

/// Returns the kind of error: an artifact that is not an extension is the publisher's choice; a
/// malformed one should not be trusted.
fn code_of_image(error: &ImageError) -> ErrorKind {
    match error {
        ImageError::NoWasm { .. }
        | ImageError::SeveralWasm { .. }
        | ImageError::SeveralFiles { .. }
        | ImageError::AmbiguousIndex { .. } => ErrorKind::Failure,
        ImageError::Malformed { .. }
        | ImageError::ForeignUrls { .. }
        | ImageError::LargeImage { .. }
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

impl Explain for SourceError {
    fn help(&self) -> Help {
        let code = match self {
            SourceError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
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
        Help::new(code)
    }
}

impl Explain for LoginError {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Local).with_hint(
            "start a Secret Service such as gnome-keyring, or use `docker login` or `podman login`, which sesame reads",
        )
    }
}

impl Explain for PushError {
    fn help(&self) -> Help {
        match self {
            Self::Registry(error) => error.help(),
            Self::Taken { .. } => Help::new(ErrorKind::Failure).with_hint(
                "publish it under another version, or replace the old bytes with `--overwrite`",
            ),
            Self::Push { source, .. } => {
                Help::new(ErrorKind::Network).with_hints(registry_hint(source))
            }
            _ => Help::new(ErrorKind::Network),
        }
    }
}

impl Explain for DocsError {
    fn help(&self) -> Help {
        let code = match self {
            DocsError::Empty { .. } => ErrorKind::NotFound,
            DocsError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            DocsError::Read { .. } => ErrorKind::Local,
            _ => ErrorKind::Untrusted,
        };
        Help::new(code)
    }
}
