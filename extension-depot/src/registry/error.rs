//! Errors of registries.

use std::path::PathBuf;

use core_types::{Digest, DigestError, OciQuery, OciReference};

use crate::archives::docs::DocsError;
use crate::archives::unpack::UnpackError;
use crate::oci::blob::BlobError;
use crate::oci::image_error::ImageError;
use crate::registry::http::fault::NetworkFault;
use crate::registry::http::refusal::{AccessProblem, Refusal};
use crate::source::staging::StagingError;

/// Why an artifact cannot be had from a registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The reference is pinned to something other than a whole digest.
    #[error("the reference cannot be pinned")]
    Pin(#[source] DigestError),
    /// The network is off by the user's wish.
    #[error("cannot contact {registry} in offline mode")]
    Offline {
        /// The registry.
        registry: String,
    },
    /// The published documentation is invalid.
    #[error("the documentation cannot be shown")]
    Docs(#[source] DocsError),
    /// The registry does not have it.
    #[error("the registry does not have `{reference}`")]
    NotFound {
        /// The request.
        reference: Box<OciReference>,
        /// The registry's own reason.
        source: Option<Box<Refusal>>,
    },
    /// The registry does not have the repository.
    #[error("the registry does not have the repository `{repository}`")]
    MissingRepository {
        /// The request.
        repository: Box<OciQuery>,
        /// The registry's own reason.
        source: Option<Box<Refusal>>,
    },
    /// The registry has the repository and not the tag.
    #[error("the registry does not have `{reference}`")]
    MissingTag {
        /// The request.
        reference: Box<OciReference>,
        /// The tags that are most like it, the nearest first.
        nearest: Vec<String>,
    },
    /// The pin is the digest of a layer.
    #[error("{given} is the digest of a layer, not of the manifest; the manifest's is {manifest}")]
    LayerPinned {
        /// The digest that was given.
        given: Digest,
        /// The one that belongs there.
        manifest: Digest,
    },
    /// The registry wants to know who asks.
    #[error("the registry `{registry}` denies {who} access to `{repository}`")]
    Unauthorized {
        /// The registry.
        registry: String,
        /// The repository.
        repository: String,
        /// `anonymous`, or the user name that it refused.
        who: String,
        /// The registry's own reason, and the problem with the login.
        source: Option<Box<AccessProblem>>,
    },
    /// The registry takes an upload and does not have it afterwards.
    #[error("the registry `{registry}` does not have {digest} after the upload")]
    NotKept {
        /// The registry.
        registry: String,
        /// The upload.
        digest: Digest,
    },
    /// The registry takes a document and does not move the tag to it.
    #[error(
        "the tag `{tag}` at the registry `{registry}` does not lead to {digest} after the upload"
    )]
    NotTagged {
        /// The registry.
        registry: String,
        /// The tag.
        tag: String,
        /// The upload.
        digest: Digest,
    },
    /// The registry begins an upload and does not say where it goes on.
    #[error("the registry `{registry}` does not say where to upload to")]
    NoUploadLocation {
        /// The registry.
        registry: String,
    },
    /// The registry sends us to ask a token of a host that it is not paired with.
    #[error(
        "the registry `{registry}` wants a token from `{realm}`, which it is not paired with; no credential was sent"
    )]
    Realm {
        /// The registry.
        registry: String,
        /// The host of the token service.
        realm: String,
    },
    /// The registry's demand for authentication cannot be understood.
    #[error("the registry `{registry}` asks for authentication in a way that sesame does not know: `{}`", challenge.escape_debug())]
    Challenge {
        /// The registry.
        registry: String,
        /// Its message.
        challenge: String,
    },
    /// The registry answers with an error.
    #[error("the registry `{registry}` answers {status}{}", message.map(|message| format!(": {message}")).unwrap_or_default())]
    Status {
        /// The registry.
        registry: String,
        /// The HTTP status.
        status: u16,
        /// What sesame adds to the status.
        message: Option<&'static str>,
        /// After how many seconds it wants to be asked again.
        retry_after: Option<u64>,
        /// The registry's own reason.
        source: Option<Box<Refusal>>,
    },
    /// The registry sends us somewhere that we do not go.
    #[error("the registry `{registry}` redirects to `{to}`, {reason}")]
    Redirect {
        /// The registry.
        registry: String,
        /// Where to, without query.
        to: String,
        /// Why not.
        reason: &'static str,
        /// The host and port, where it is refused only because its address is a private one.
        private: Option<String>,
    },
    /// A proxy is configured that sesame cannot speak to.
    #[error("cannot use the proxy of the scheme `{}` that `{variable}` names", scheme.escape_debug())]
    Proxy {
        /// The variable.
        variable: String,
        /// The scheme of its value.
        scheme: String,
    },
    /// The registry refuses a login that is to be kept.
    #[error("the registry `{registry}` refuses the login of `{username}`")]
    LoginRefused {
        /// The registry.
        registry: String,
        /// Whose login.
        username: String,
        /// The registry's own reason.
        source: Option<Box<Refusal>>,
    },
    /// It would be reached without TLS.
    #[error("`{registry}` cannot be reached over plain HTTP")]
    PlainHttp {
        /// The host.
        registry: String,
    },
    /// The connection cannot be made or breaks.
    #[error("cannot reach the registry `{registry}`")]
    Network {
        /// The registry.
        registry: String,
        /// What went wrong.
        source: NetworkFault,
    },
    /// The registry does not answer in time.
    #[error("the registry `{registry}` does not answer in time")]
    Timeout {
        /// The registry.
        registry: String,
    },
    /// A document is larger than sesame takes.
    #[error("the registry `{registry}` sends more than {most} bytes where a document should be")]
    TooLarge {
        /// The registry.
        registry: String,
        /// The most that is taken.
        most: u64,
    },
    /// A list of tags or referrers is not complete.
    #[error("the registry `{registry}` does not send a complete list: {reason}")]
    Incomplete {
        /// The registry.
        registry: String,
        /// The problem.
        reason: String,
    },
    /// The HTTP client cannot be set up.
    #[error("cannot set up secure connections")]
    Setup(#[source] NetworkFault),
    /// A certificate authority's file cannot be used.
    #[error("cannot use the certificates in `{}`", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// The problem with it.
        reason: String,
    },
    /// Bytes have another digest.
    #[error("the registry does not send what was asked for")]
    Blob(#[source] BlobError),
    /// The artifact is not an extension.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The layers do not have a binary.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The artifact cannot be staged.
    #[error(transparent)]
    Staging(#[from] StagingError),
}

impl RegistryError {
    /// Makes the error of an answer that is not what the specification says.
    pub(crate) fn malformed(reason: impl Into<String>) -> Self {
        Self::Image(ImageError::Malformed { reason: reason.into() })
    }

    /// Returns whether the same request may work a moment later, and how long to wait at least.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Network { source, .. } => !source.is_permanent(),
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            Self::Blob(BlobError::Size { expected, found }) => found < expected,
            _ => false,
        }
    }

    /// Maps reqwest's timeouts and connection errors to one variant each.
    pub(crate) fn network(registry: &str, source: reqwest::Error) -> Self {
        let registry = registry.to_owned();
        if source.is_timeout() {
            Self::Timeout { registry }
        } else {
            Self::Network { registry, source: source.into() }
        }
    }
}
