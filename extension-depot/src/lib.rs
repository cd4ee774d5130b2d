//! Everything between a reference and verified files on disk.
//!
//! A [`Depot`] is the collection of installed extensions: their manifests, and beside them their
//! artifacts in an [OCI image
//! layout](https://github.com/opencontainers/image-spec/blob/main/image-layout.md), which any OCI
//! tool can read. Installing has two halves, so that a caller can compile and check what arrived
//! before anything changes: a [`Source`] is fetched into a [`Staged`] artifact, whose bytes are
//! verified, and [`Depot::install`] puts it in place, all or nothing.
//!
//! The Cargo feature `registry` (on by default) is the network. Without it a program can list and
//! open what is installed and install from files.
#![forbid(unsafe_code)]

mod activity_log;
mod archive;
mod artifact;
mod artifact_kind;
mod attachment;
mod basis;
mod binary;
mod blob;
mod bounded_json;
mod bundle;
mod bundle_reader;
mod change;
mod collect;
mod depot;
mod depot_error;
mod docs;
mod durable;
mod first_seen;
mod first_use;
mod followed_lists;
#[cfg(all(fuzzing, feature = "registry"))]
pub mod fuzzing;
mod health;
mod history;
mod image;
mod layout;
mod layout_source;
mod listing;
mod lock;
mod manifest_file;
mod manifest_settings;
mod output_directory;
mod own_file;
mod places;
mod publication;
mod record;
mod redirect_host;
#[cfg(feature = "registry")]
pub mod registry;
mod removal;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "registry")]
mod signature;
mod signature_state;
mod signer;
mod source;
mod staging;
mod state_file;
mod timed_grants;
mod toml_list;
mod trusted_signers;
mod unpack;
mod user_config;
mod verify;
mod web_address;
mod zstd;

pub use activity_log::{ActivityEntry, ActivityError, ActivityFinding, ActivityLog};
pub use artifact::{Artifact, ArtifactError};
pub use attachment::Attachment;
pub use basis::Basis;
pub use binary::Binary;
pub use blob::{BlobError, digest_of, read_blob, read_plain};
pub use bundle::BundleError;
pub use bundle_reader::{Bundle, Bundled};
pub use collect::Collected;
pub use depot::{Depot, InstallOrder, Installed, Listed};
pub use depot_error::DepotError;
pub use docs::{Docs, DocsError, Page};
pub use first_use::{Evidence, FirstSigner, FirstUse, SignatureRefusal};
pub use followed_lists::{FollowedList, FromList, GivenByList, Pruned};
pub use health::{Opened, Quarantine};
pub use history::{Generation, History, Reason};
pub use image::{Descriptor, ImageError, ImageManifest, MAX_BLOB, media_type};
pub use lock::LockError;
pub use manifest_file::{LoadedManifest, ManifestError, needs_text};
pub use manifest_settings::SettingChange;
pub use output_directory::{OutputDirectory, OutputFile};
pub use own_file::LinkedFile;
pub use places::{PlaceError, Places};
pub use publication::{Description, Publication};
pub use record::{CheckedSignature, Record};
pub use redirect_host::{RedirectHost, RedirectHostError};
pub use removal::Removed;
#[cfg(feature = "registry")]
pub use signature::{
    IdentityVerifier, KeyError, PublicKey, SecretKey, SecretKeyError, Verifier, VerifierError,
    Verifiers,
};
pub use signature_state::SignatureState;
pub use signer::Signer;
pub use source::{Source, SourceError, SourceTextError};
pub use staging::{Staged, StagingError};
pub use state_file::StateFileError;
pub use timed_grants::TimedGrantsError;
pub use trusted_signers::{SignerProof, TrustError, TrustedSigner};
pub use unpack::UnpackError;
pub use user_config::{
    CheckedFile, ConfigFileError, PolicyRefusal, RegistrySettings, Setting, UserConfig,
};
pub use verify::{Finding, Verification};
pub use web_address::{AddressError, WebAddress};
