//! Sending blobs and documents to a registry, through `oci-client`. It is given a token and never a password, since it would
//! send that to wherever the registry says.

use core_types::{Digest, OciReference};
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use rustls::pki_types::CertificateDer;

use super::Registry;
use super::error::RegistryError;
use super::http::USER_AGENT;
use super::settings::{host, is_loopback};
use crate::blob::digest_of;
use crate::signature::SecretKeyError;

/// Why something cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The registry before anything was sent.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The registry while it was sent.
    #[error("cannot push to `{reference}`")]
    Push {
        /// Where to.
        reference: Box<OciReference>,
        /// What went wrong.
        source: Box<oci_client::errors::OciDistributionError>,
    },
    /// The tag leads to other bytes.
    #[error("`{reference}` is there already, with other bytes: {there}, and these would be {new}")]
    Taken {
        /// Where to.
        reference: Box<OciReference>,
        /// What it leads to.
        there: Digest,
        /// What it would lead to.
        new: Digest,
    },
    /// The signature cannot be made.
    #[error("cannot sign the artifact")]
    Sign(#[from] SecretKeyError),
    /// The documents cannot be written.
    #[error("cannot describe the artifact")]
    Describe(#[from] serde_json::Error),
}

/// Something to publish under one tag.
pub(crate) struct Upload {
    pub(crate) blobs: Vec<Vec<u8>>,
    /// The manifest or index.
    pub(crate) manifest: Vec<u8>,
    pub(crate) media_type: &'static str,
}

/// Publishes blobs and then the document that names them.
pub(crate) async fn push(registry: &Registry, reference: &OciReference, upload: Upload) -> Result<Digest, PushError> {
    let token = registry.connect(reference)?.push_token().await?;
    let auth = token.map_or(RegistryAuth::Anonymous, RegistryAuth::Bearer);
    let failed = |source| PushError::Push { reference: Box::new(reference.clone()), source: Box::new(source) };
    let authorities = match registry.settings.scheme(reference.registry()) {
        "http" => Vec::new(),
        _ => registry.clients.authorities(reference.registry())?,
    };
    let client = client(registry, reference, authorities).map_err(failed)?;
    let target =
        Reference::with_tag(reference.registry().to_owned(), reference.repository(), reference.revision().to_owned());
    client.store_auth_if_needed(target.resolve_registry(), &auth).await;
    for blob in upload.blobs {
        let digest = digest_of(&blob).to_string();
        client.push_blob(&target, blob, &digest).await.map_err(failed)?;
    }
    let digest = digest_of(&upload.manifest);
    let content_type = upload.media_type.parse().unwrap_or_else(|_| unreachable!("a constant header"));
    client.push_manifest_raw(&target, upload.manifest, content_type).await.map_err(failed)?;
    Ok(digest)
}

fn client(
    registry: &Registry,
    reference: &OciReference,
    authorities: Vec<CertificateDer<'static>>,
) -> Result<Client, oci_client::errors::OciDistributionError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let protocol = match registry.settings.scheme(reference.registry()) {
        "http" => ClientProtocol::HttpsExcept(vec![reference.registry().to_owned()]),
        _ => ClientProtocol::Https,
    };
    // Without a proxy of ours, oci-client would take that of the environment, even for this machine.
    let proxies = &registry.settings.proxies;
    let unused = || Some("http://127.0.0.1:9".to_owned());
    let is_local = is_loopback(host(reference.registry()));
    Client::try_from(ClientConfig {
        protocol,
        http_proxy: proxies.http.clone().or_else(|| is_local.then(unused).flatten()),
        https_proxy: proxies.https.clone().or_else(|| is_local.then(unused).flatten()),
        no_proxy: Some(proxies.exceptions()),
        user_agent: USER_AGENT,
        connect_timeout: Some(registry.settings.patience.connect),
        read_timeout: Some(registry.settings.patience.idle),
        extra_root_certificates: authorities
            .into_iter()
            .map(|der| Certificate { encoding: CertificateEncoding::Der, data: der.to_vec() })
            .collect(),
        ..Default::default()
    })
}
