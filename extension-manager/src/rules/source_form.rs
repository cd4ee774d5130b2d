//! Which sources can be used at all.

use core_types::{Digest, OciReference};
use extension_depot::{Source, WebAddress};

/// Why a source of this form cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceForm {
    /// It is a reference that is written as an address.
    #[error("`{address}` is a reference to a registry, not the address of a file")]
    ReferenceWithScheme {
        /// The address as it was given.
        address: WebAddress,
        /// The reference.
        reference: OciReference,
    },
    /// It is a file of a web server without an expected digest.
    #[error("cannot download `{address}` without its digest")]
    DownloadWithoutDigest {
        /// The address.
        address: WebAddress,
    },
    /// It is the local reference of a manifest, which does not have a registry.
    #[error(
        "`{origin}` stands for a file that was installed here, not for an artifact of a registry"
    )]
    Local {
        /// The source.
        origin: Source,
    },
    /// A digest was given for a source that is not a file.
    #[error("`--sha256` is the digest of a file, and `{origin}` is not a file")]
    DigestOfNoFile {
        /// The source.
        origin: String,
    },
}

/// Makes sure that a source of this form can be used at all, before anything is looked for.
///
/// # Errors
/// When it can not.
///
/// ```
/// use extension_manager::{SourceForm, check_form};
///
/// let refused = check_form(&"https://example.com/x.wasm".parse()?, None);
/// assert!(matches!(refused, Err(SourceForm::DownloadWithoutDigest { .. })));
/// # Ok::<(), extension_depot::SourceTextError>(())
/// ```
pub fn check_form(source: &Source, sha256: Option<&Digest>) -> Result<(), SourceForm> {
    match source {
        Source::Web(address) => match (address.as_reference(), sha256) {
            (Some(reference), _) => {
                Err(SourceForm::ReferenceWithScheme { address: address.clone(), reference })
            }
            (None, None) => Err(SourceForm::DownloadWithoutDigest { address: address.clone() }),
            (None, Some(_)) => Ok(()),
        },
        Source::File(_) => Ok(()),
        Source::Registry(reference) if reference.is_local() => {
            Err(SourceForm::Local { origin: source.clone() })
        }
        Source::Newest(repository) if repository.is_local() => {
            Err(SourceForm::Local { origin: source.clone() })
        }
        Source::Registry(_) | Source::Newest(_) | Source::Layout { .. } if sha256.is_some() => {
            Err(SourceForm::DigestOfNoFile { origin: source.to_string() })
        }
        Source::Registry(_) | Source::Newest(_) | Source::Layout { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, with_digest: bool) -> Result<(), String> {
        let digest = extension_depot::digest_of(b"x");
        let source: Source = source.parse().expect(source);
        check_form(&source, with_digest.then_some(&digest)).map_err(|error| error.to_string())
    }

    #[test]
    fn digest_belongs_to_a_file() {
        assert_eq!(check("./x.wasm", true), Ok(()));
        assert_eq!(check("https://example.com/x.wasm", true), Ok(()));
        for source in ["ghcr.io/my-org/x:1.0.0", "ghcr.io/my-org/x", "oci:x.tar"] {
            assert_eq!(check(source, false), Ok(()), "{source}");
            let refused = check(source, true).expect_err(source);
            assert_eq!(
                refused,
                format!("`--sha256` is the digest of a file, and `{source}` is not a file")
            );
        }
    }

    #[test]
    fn download_needs_a_digest() {
        assert_eq!(
            check("https://example.com/x.wasm", false),
            Err("cannot download `https://example.com/x.wasm` without its digest".to_owned())
        );
    }

    #[test]
    fn local_reference_is_not_a_source() {
        let refused = check("local/file/x:0.0.0", false).expect_err("local");
        assert_eq!(
            refused,
            "`local/file/x:0.0.0` stands for a file that was installed here, not for an artifact of a registry"
        );
    }
}
