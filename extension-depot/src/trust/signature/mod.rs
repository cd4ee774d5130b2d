//! Signatures of artifacts, by key and by certificate.
//!
//! The two forms that
//! [cosign](https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md) writes are read:
//! the classic one under the tag `sha256-HEX.sig`, and
//! [bundles](https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto) of
//! version 0.3 that refer to the artifact, signed by a key or by certificate. Neither needs a
//! network beyond fetching; a signature by a key needs no log. Classic signatures by certificate
//! are recognised and not supported.

pub(crate) mod bundle;
pub(crate) mod classic;
mod evidence;
pub(crate) mod forms;
mod found;
pub(crate) mod key;
mod keygen;
mod keyless;
mod ring_provider;
pub(crate) mod secret_key;
pub(crate) mod verifier;

#[cfg(test)]
mod keyless_tests;
#[cfg(test)]
mod tests;

pub use key::{KeyError, PublicKey};
pub use keygen::{KeygenError, generate_key};
pub use keyless::IdentityVerifier;
pub use secret_key::{SecretKey, SecretKeyError};
pub use verifier::{Verifier, VerifierError, Verifiers};
