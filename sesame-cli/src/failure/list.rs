//! Hints about published lists.

use extension_depot::SignatureRefusal;

/// Returns the hint for a signature of something without a name.
pub(super) fn repository_signature_hint(refusal: &SignatureRefusal) -> String {
    match refusal {
        SignatureRefusal::Required { repository, .. } => {
            format!("if you have the publisher's key: sesame trust add KEY.pub --for {repository}")
        }
        SignatureRefusal::Changed { repository, .. } => {
            format!("if the publisher announced the change: sesame trust accept {repository}")
        }
    }
}
