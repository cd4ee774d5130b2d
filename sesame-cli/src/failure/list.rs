//! Failures of published lists.

use core_types::ErrorKind;
use extension_depot::{DepotError, SignatureRefusal};

use super::Failure;
use super::depot::{INSECURE_HINT, state_file_hint};

impl Failure {
    /// Reports an error about a published list, which does not have a name.
    pub fn of_list(error: &DepotError) -> Self {
        let (code, hint) = match error {
            DepotError::Signature(refusal) => {
                (ErrorKind::Untrusted, Some(list_signature_hint(refusal)))
            }
            DepotError::Insecure { .. } => (ErrorKind::Untrusted, Some(INSECURE_HINT.to_owned())),
            DepotError::State(error) => (ErrorKind::Local, state_file_hint(error)),
            DepotError::Trust(error) => return error.as_ref().into(),
            DepotError::Lock(error) => return error.into(),
            DepotError::Policy(refusal) => return refusal.clone().into(),
            _ => (ErrorKind::Local, None),
        };
        Self::new(code, error).with_optional_hint(hint)
    }
}

fn list_signature_hint(refusal: &SignatureRefusal) -> String {
    match refusal {
        SignatureRefusal::Required { repository, .. } => {
            format!("if you have its publisher's key: sesame trust add KEY.pub --for {repository}")
        }
        SignatureRefusal::Changed { repository, .. } => {
            format!("if its publisher says why: sesame trust accept {repository}")
        }
    }
}
