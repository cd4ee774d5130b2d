//! The forms that signatures have. Only these are fetched, so a new form begins here.

use crate::oci::descriptor::Descriptor;
use crate::trust::signature::bundle::BUNDLE;
use crate::trust::signature::classic::LAYER as CLASSIC;

/// The most referrers that are fetched for one artifact: real ones have some ten, and each costs
/// requests.
pub(crate) const MAX_REFERRERS: usize = 64;
/// What cosign says that a classic signature is, where that is listed as a referrer.
const COSIGN_SIGNATURE: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";

/// Returns whether an entry of a list is a signature by its own account. Not every registry puts
/// that into its list.
pub(crate) fn says_signature(entry: &Descriptor) -> bool {
    let kind = entry.artifact_type.as_deref().unwrap_or_default();
    kind.starts_with(BUNDLE) || kind == COSIGN_SIGNATURE
}

/// Returns whether a layer is a signature by its media type.
pub(crate) fn is_signature(blob: &Descriptor) -> bool {
    blob.media_type == CLASSIC || blob.media_type.starts_with(BUNDLE)
}
