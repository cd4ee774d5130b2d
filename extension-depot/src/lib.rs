//! Everything between a reference and verified files on disk.
//!
//! A [`Depot`] is the collection of installed extensions: their manifests, and beside them their
//! artifacts in an [OCI image
//! layout](https://github.com/opencontainers/image-spec/blob/main/image-layout.md), which any OCI
//! tool can read. Installing has two halves, so that a caller can compile and check what arrived
//! before anything changes: a [`Source`] is fetched into a [`Staged`] artifact, whose bytes are
//! verified, and [`LockedDepot::install`] puts it in place, all or nothing.
//!
//! The Cargo feature `registry` (on by default) is the network. Without it a program can list and
//! open what is installed and install from files.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod activity;
mod archives;
mod config;
mod events;
mod files;
#[cfg(all(fuzzing, feature = "registry"))]
pub mod fuzzing;
mod history;
mod manifest;
mod oci;
#[cfg(feature = "registry")]
pub mod registry;
#[cfg(feature = "serve")]
pub mod serve;
mod source;
mod storage;
mod store;
mod trust;

pub use activity::{
    ActivityEntry, ActivityError, ActivityFinding, ActivityLog, NoteCallError, Quarantine,
};
pub use archives::{Docs, DocsError, Page, UnpackError};
pub use config::{
    CheckedFile, ConfigFileError, EffectiveConfig, PlaceError, Places, PolicyRefusal, RedirectHost,
    RedirectHostError, RegistrySettings, SessionConsent, SessionSettings, Setting,
};
pub use events::{BegunRunning, ClaimError, EventTimes, NotNoted, RunningExtensions, SessionClaim};
pub use files::{LockError, OutputDirectory, OutputFile, StateFileError, StoredFileError};
pub use history::{
    Collected, FollowedList, FromList, Generation, GenerationError, GivenByList, History,
    HistoryError, PruneError, Pruned, Reason, RestoreError,
};
pub use manifest::{
    ChangeCapabilitiesError, ChangeSettingsError, ChangeTimedGrantsError, EditError,
    GrantInstalledError, GuestPathTaken, LoadedManifest, ManifestError, ReplaceManifestError, Seed,
    SettingChange, TimedGrantsError, needs_text,
};
pub use oci::{
    Artifact, ArtifactError, Attachment, Binary, BlobError, Description, Descriptor, ImageError,
    ImageManifest, MAX_BLOB, Publication, digest_of, media_type, read_blob,
};
/// Annotations of artifacts: `org.opencontainers.image.*` of the OCI image specification.
pub mod annotation {
    pub use crate::oci::{CREATED, VERSION};
}
pub use private_files::{FileError, LinkedFile, read_regular};
pub use source::{
    AddressError, Bundle, BundleContents, BundleError, Bundled, BundledStorage, Source,
    SourceError, SourceTextError, Staged, StagingError, WebAddress,
};
pub use storage::{LockedStorage, Orphan, Storage, StorageError};
pub use store::{
    Basis, BasisError, ChangedMeanwhile, CheckNameError, CheckedSignature, CommitError,
    ConfirmOriginError, Depot, ExtensionNotFound, FindError, Finding, InstallPlan, Installed,
    InstalledError, Listed, LockedDepot, NotInstalled, OpenExtensionError, Opened, OtherSource,
    PolicyCheckError, Record, RecordedSignatureError, RemoveError, Removed, RepairError,
    Verification,
};
#[cfg(feature = "registry")]
pub use trust::signature::{
    IdentityVerifier, KeyError, PublicKey, SecretKey, SecretKeyError, Verifier, VerifierError,
    Verifiers,
};
pub use trust::{
    ChangeTrustError, Evidence, FirstSigner, InsecureTransport, NoteSignatureError, PinnedSigner,
    SignatureRefusal, SignatureState, SignedArtifact, Signer, SignerError, TransportError,
    TrustAnchor, TrustError, TrustedSigner,
};
