//! Signing artifacts as cosign does, in both of its forms.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_types::{Digest, OciReference};
use serde_json::json;

use crate::oci::descriptor::Descriptor;
use crate::oci::image::ImageManifest;
use crate::oci::media_type;
use crate::registry::client::Registry;
use crate::registry::push::publish::{Referrer, not_a_tag};
use crate::registry::push::upload::{PushError, Upload, push};
use crate::registry::referrers::find_signature;
use crate::trust::signature::bundle::{
    BUNDLE_0_3, PREDICATE_OF_BUNDLE, SIGN, STATEMENT, encoded, statement,
};
use crate::trust::signature::classic::{LAYER as CLASSIC, SIGNATURE, claim};
use crate::trust::signature::secret_key::SecretKey;

/// In which form a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureForm {
    /// A bundle that refers to the artifact; what cosign writes from version 3 on.
    Bundle,
    /// A layer under the tag `sha256-HEX.sig`, which every cosign reads.
    Classic,
}

impl Registry {
    /// Signs an artifact, and publishes the signature beside it. Returns the pinned reference.
    ///
    /// # Errors
    /// When the registry does not have it, refuses, or cannot be reached.
    pub async fn sign(
        &self,
        reference: &OciReference,
        key: &SecretKey,
        form: SignatureForm,
    ) -> Result<OciReference, PushError> {
        let (pinned, subject) = self.signable(reference).await?;
        match form {
            SignatureForm::Classic => self.sign_classic(&pinned, &subject.digest, key).await?,
            SignatureForm::Bundle => self.sign_bundle(&pinned, subject, key).await?,
        }
        Ok(pinned)
    }

    /// Adds a signature in the classic form. Earlier signatures stay.
    async fn sign_classic(
        &self,
        pinned: &OciReference,
        digest: &Digest,
        key: &SecretKey,
    ) -> Result<(), PushError> {
        let payload = claim(pinned, digest).into_bytes();
        let mut layer = Descriptor::of(CLASSIC, &payload);
        layer.annotations.insert(SIGNATURE.to_owned(), STANDARD.encode(key.sign(&payload)?));
        let tag = format!("sha256-{}.sig", digest.hex());
        let before = find_signature(&self.connect(pinned)?, &tag).await?;
        let mut layers = before.map(|manifest| manifest.layers).unwrap_or_default();
        layers.push(layer);
        let diffs: Vec<_> = layers.iter().map(|layer| layer.digest.to_string()).collect();
        let config = json!({
            "architecture": "", "os": "", "created": "0001-01-01T00:00:00Z", "config": {},
            "rootfs": { "type": "layers", "diff_ids": diffs },
        });
        let config = config.to_string().into_bytes();
        let manifest =
            ImageManifest::new(Descriptor::of(media_type::IMAGE_CONFIG, &config), layers);
        let manifest = serde_json::to_vec(&manifest)?;
        let upload =
            Upload { blobs: vec![payload, config], manifest, media_type: media_type::MANIFEST };
        push(self, &pinned.with_revision(&tag).map_err(not_a_tag)?, upload).await.map(drop)
    }

    async fn sign_bundle(
        &self,
        pinned: &OciReference,
        subject: Descriptor,
        key: &SecretKey,
    ) -> Result<(), PushError> {
        let payload = statement(&subject.digest);
        let signature = STANDARD.encode(key.sign(&encoded(STATEMENT, payload.as_bytes()))?);
        let hint = STANDARD.encode(key.public().fingerprint().bytes());
        let bundle = json!({
            "mediaType": BUNDLE_0_3,
            "verificationMaterial": { "publicKey": { "hint": hint } },
            "dsseEnvelope": {
                "payload": STANDARD.encode(payload), "payloadType": STATEMENT, "signatures": [{ "sig": signature }],
            },
        });
        let referrer = Referrer {
            kind: BUNDLE_0_3,
            annotations: annotations(),
            layer: (BUNDLE_0_3, bundle.to_string().into_bytes()),
            ending: "bundle",
        };
        self.attach(pinned, subject, referrer).await
    }
}

fn annotations() -> BTreeMap<String, String> {
    let content = ("dev.sigstore.bundle.content", "dsse-envelope");
    let kind = (PREDICATE_OF_BUNDLE, SIGN);
    [content, kind].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}
