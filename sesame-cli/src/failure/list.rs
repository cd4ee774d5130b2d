//! Failures of published lists.

use core_types::{ErrorKind, OciReference};
use extension_depot::{DepotError, SignatureRefusal};

use super::{Failure, INSECURE_HINT, state_file_hint};

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

    /// Reports a list whose tag has moved since the last run.
    pub fn list_moved(
        list: &OciReference,
        followed: &OciReference,
        found: &OciReference,
        is_locked: bool,
    ) -> Self {
        let message =
            format!("the tag `{}` of the list has moved since it was followed", list.revision());
        let mut failure = Self::message(ErrorKind::Untrusted, message);
        failure.details = vec![format!("followed: {followed}"), format!("found:    {found}")];
        let locked = if is_locked { " --locked" } else { "" };
        failure.with_hint(format!(
            "if its publisher says why, take the new one: sesame extension sync {found}{locked}"
        ))
    }

    /// Reports a list by tag where only pinned ones are allowed.
    pub fn list_unpinned(found: &OciReference) -> Self {
        Self::message(
            ErrorKind::Failure,
            "the list is not pinned to a digest, and was never followed here",
        )
        .with_hint(format!("name its bytes: sesame extension sync {found} --locked"))
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
