//! References and repositories as a person types them: with the registry in front, so that `my-org/weather` is not taken for
//! a host `my-org`.

use core_types::{OciQuery, OciReference, ReferenceError};

/// A reference.
pub fn reference(text: &str) -> Result<OciReference, ReferenceError> {
    let reference: OciReference = text.parse()?;
    reference.check_registry_is_written()?;
    Ok(reference)
}

/// A repository.
pub fn repository(text: &str) -> Result<OciQuery, ReferenceError> {
    let repository: OciQuery = text.parse()?;
    repository.check_registry_is_written()?;
    Ok(repository)
}
