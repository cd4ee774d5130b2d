//! Failures of the depot.

use core_types::{ErrorKind, ExtensionName, Identity, OciReference};
use extension_depot::{
    ArtifactError, BasisError, BlobError, ChangeCapabilitiesError, ChangeSettingsError,
    ChangeTimedGrantsError, ChangeTrustError, ChangedMeanwhile, CheckNameError, CommitError,
    ConfirmOriginError, EditError, ExtensionNotFound, FileError, FindError, GenerationError,
    GrantInstalledError, GuestPathTaken, HistoryError, InstalledError, LinkedFile, ManifestError,
    NotInstalled, NoteSignatureError, OpenExtensionError, OtherSource, PolicyCheckError,
    PruneError, RecordedSignatureError, RemoveError, RepairError, ReplaceManifestError,
    RestoreError, SignatureRefusal, SignerError, StateFileError, StorageError, StoredFileError,
    TimedGrantsError, TransportError,
};

use super::Failure;
use super::help::{Explain, Help, explain, explain_by_source};

explain! { FileError: Local }

explain_by_source! {
    BasisError: Manifest, PinnedSigner;
    ChangeCapabilitiesError: Edit, SameGuestPath;
    ChangeTrustError: File, Linked;
    CheckNameError: Manifest, OtherSource;
    CommitError:
        SameGuestPath, Manifest, Linked, Changed, OtherSource, Signature, State, Layout, Stored;
    ConfirmOriginError: Changed, Signature, Installed, State, Stored;
    EditError: Find, Linked, Stored;
    FindError: NotFound, Manifest;
    GrantInstalledError: Edit, SameGuestPath, Changed;
    HistoryError: NotFound, Generation;
    NoteSignatureError: Find, Changed, Signature, State;
    PolicyCheckError: Source, Signature;
    PruneError: Lists, Manifest, Remove;
    RecordedSignatureError: Record, Signer;
    RepairError: Find, Changed, Layout, Record;
    RestoreError:
        SameGuestPath, Linked, Changed, Generation, OtherSource, State, Layout, Stored;
    SignerError: Refused, Trust;
    StoredFileError: State, File;
}

impl Failure {
    /// Reports a storage that cannot be used.
    pub fn of_storage(name: &ExtensionName, error: StorageError) -> Self {
        let help = storage_help(name, &error);
        Self::with_help(error, help)
    }

    /// Reports an installed binary that is missing or damaged.
    pub fn damaged_binary(name: &ExtensionName, error: BlobError) -> Self {
        Self::new(ErrorKind::Local, error)
            .with_hint(format!("sesame extension verify --repair {name}"))
    }
}

impl Explain for RemoveError {
    fn help(&self) -> Help {
        match self {
            Self::NotFound(error) => error.help(),
            Self::File(error) => error.help(),
            Self::Stored(error) => error.help(),
            Self::Storage { name, source } => {
                let again = format!("sesame extension remove --purge {name}");
                storage_help(name, source).with_first_hint(again)
            }
        }
    }
}

/// Helps with a storage that cannot be used.
pub(super) fn storage_help(name: &ExtensionName, error: &StorageError) -> Help {
    let help = Help::new(ErrorKind::Local);
    match error {
        StorageError::Damaged { .. } => {
            help.with_hint(format!("sesame extension storage {name} --reset"))
        }
        StorageError::Busy => help.with_hint("try again when its call has ended"),
        StorageError::Newer { .. } | StorageError::File(_) => help,
    }
}

impl Explain for ExtensionNotFound {
    fn help(&self) -> Help {
        Help::not_found(&self.name)
    }
}

impl Explain for NotInstalled {
    fn help(&self) -> Help {
        let Self { name, reference } = self;
        let hint = match reference {
            Some(reference) => {
                format!("sesame extension install {reference}{}", name_option(name, reference))
            }
            None => format!("sesame extension install REFERENCE --name {name}"),
        };
        Help::new(ErrorKind::NotFound).with_hint(hint)
    }
}

impl Explain for InstalledError {
    fn help(&self) -> Help {
        match self {
            Self::Find(error) => error.help(),
            Self::NotInstalled(error) => error.help(),
            Self::Artifact { name, reference, source } => {
                Help::new(ErrorKind::Local).with_hint(artifact_hint(name, reference, source))
            }
            Self::Record(error) => error.help(),
        }
    }
}

/// Returns the command that restores an artifact.
fn artifact_hint(name: &ExtensionName, reference: &OciReference, error: &ArtifactError) -> String {
    match error {
        _ if reference.is_local() => format!("sesame extension install FILE --name {name}"),
        ArtifactError::Blob(BlobError::Missing { .. }) => "sesame extension sync".to_owned(),
        _ => format!("sesame extension verify --repair {name}"),
    }
}

impl Explain for OpenExtensionError {
    fn help(&self) -> Help {
        match self {
            Self::Installed(error) => error.help(),
            Self::Disabled { name } => {
                Help::new(ErrorKind::Refused).with_hint(format!("sesame extension enable {name}"))
            }
            Self::Quarantined { name, .. } => Help::new(ErrorKind::Refused).with_hint(format!(
                "see `sesame extension logs {name}`, then: sesame extension enable {name}"
            )),
            Self::Policy(error) => error.help(),
            Self::TimedGrants(error) => error.help(),
        }
    }
}

impl Explain for SignatureRefusal {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Untrusted).with_hint(signature_hint(self))
    }
}

impl Explain for ChangedMeanwhile {
    fn help(&self) -> Help {
        changed_help(&self.name)
    }
}

fn changed_help(name: &ExtensionName) -> Help {
    Help::new(ErrorKind::Local)
        .with_hint(format!("see what it is now, then try again: sesame extension info {name}"))
}

impl Explain for OtherSource {
    fn help(&self) -> Help {
        let Self { name, installed, wanted } = self;
        Help::new(ErrorKind::Refused).with_hint(if is_unconfirmed(installed, wanted) {
            format!("check whether it came from there: sesame extension update {name}")
        } else {
            "install it beside the other: add `--name NAME`".to_owned()
        })
    }
}

impl Explain for GuestPathTaken {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Refused).with_hint(same_guest_path_hint(&self.name))
    }
}

impl Explain for ChangeSettingsError {
    fn help(&self) -> Help {
        match self {
            Self::Edit(error) => error.help(),
            Self::Manifest(error) => error.help(),
            Self::Table { name, .. } => Help::new(ErrorKind::Usage)
                .with_hint(format!("see its settings: sesame extension set {name} --list")),
        }
    }
}

impl Explain for ChangeTimedGrantsError {
    fn help(&self) -> Help {
        match self {
            Self::NoSession => Help::new(ErrorKind::Local)
                .with_hint("leave out `--for` and `--until`, or set XDG_RUNTIME_DIR to a directory that only you own and can write to"),
            Self::Find(error) => error.help(),
            Self::NotInstalled(error) => error.help(),
            Self::Changed(error) => error.help(),
            Self::Grants(error) => error.help(),
        }
    }
}

impl Explain for LinkedFile {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Local).with_hint(linked_hint(self))
    }
}

impl Explain for ReplaceManifestError {
    fn help(&self) -> Help {
        match self {
            Self::Manifest(error) => error.help(),
            Self::SameGuestPath(error) => error.help(),
            Self::Edited { name } => changed_help(name),
            Self::Stored(error) => error.help(),
        }
    }
}

/// The hint for a registry that was reached over TLS before.
const INSECURE_HINT: &str =
    "remove `plain_http` for it from config.toml, or, to do it anyway, add `--allow-plain-http`";

impl Explain for TransportError {
    fn help(&self) -> Help {
        match self {
            Self::PinnedSigner(error) => error.help(),
            Self::Insecure(_) => Help::new(ErrorKind::Untrusted).with_hint(INSECURE_HINT),
        }
    }
}

impl Explain for GenerationError {
    fn help(&self) -> Help {
        match self {
            Self::Gone { name, .. } => Help::new(ErrorKind::Local)
                .with_hint(format!("see the generations: sesame extension history {name}")),
            Self::Record(error) => error.help(),
        }
    }
}

impl Explain for StateFileError {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Local).with_hints(state_file_hint(self))
    }
}

/// Returns the hint to list the directories and to change a guest path.
pub(super) fn same_guest_path_hint(name: &ExtensionName) -> String {
    format!(
        "grant one of them under another path, as in `filesystem=read:~/notes::/notes`; see its grants: sesame extension info {name}"
    )
}

fn signature_hint(refusal: &SignatureRefusal) -> String {
    match refusal {
        SignatureRefusal::Required { name: Some(name), repository, .. } => {
            format!(
                "if you have the publisher's key: sesame trust add KEY.pub --for {repository}; then, if it is installed: sesame \
                 extension verify {name}"
            )
        }
        SignatureRefusal::Changed { name: Some(name), .. } => {
            format!("if the publisher announced the change: sesame trust accept {name}")
        }
        SignatureRefusal::Required { name: None, repository, .. } => {
            format!("if you have the publisher's key: sesame trust add KEY.pub --for {repository}")
        }
        SignatureRefusal::Changed { name: None, repository, .. } => {
            format!("if the publisher announced the change: sesame trust accept {repository}")
        }
    }
}

fn state_file_hint(error: &StateFileError) -> Option<String> {
    match error {
        StateFileError::Newer { .. } => Some("use the newer sesame that wrote it".to_owned()),
        StateFileError::Damaged { path, .. } => {
            Some(format!("move `{}` away: only its own contents are lost", path.display()))
        }
        StateFileError::Io { .. } => None,
    }
}

pub(super) fn timed_hint(error: &TimedGrantsError) -> Option<String> {
    match error {
        TimedGrantsError::NotOurs { path } | TimedGrantsError::Content { path, .. } => {
            Some(format!("remove `{}`: the timed grants in it are lost", path.display()))
        }
        TimedGrantsError::Io { .. } => None,
    }
}

/// Returns whether the installed extension came in a bundle and the wanted one is in a registry.
fn is_unconfirmed(installed: &Identity, wanted: &Identity) -> bool {
    installed.as_str().starts_with("local/bundle/") && !wanted.as_str().starts_with("local/")
}

/// Returns the option that makes `install` use this name where it would choose another.
pub(super) fn name_option(name: &ExtensionName, reference: &OciReference) -> String {
    let is_default = reference.default_name().is_ok_and(|default| default == *name);
    if is_default { String::new() } else { format!(" --name {name}") }
}

pub(super) fn manifest_hint(error: &ManifestError) -> String {
    match error {
        ManifestError::Read { path, .. } | ManifestError::Content { path, .. } => {
            format!("fix `{}` in an editor", path.display())
        }
    }
}

/// Returns the command that replaces a link by a file. The user may rather edit its target.
fn linked_hint(LinkedFile { path, target }: &LinkedFile) -> String {
    if target.exists() {
        format!(
            "put a copy in its place: cp --remove-destination '{}' '{}'",
            target.display(),
            path.display()
        )
    } else {
        format!("remove the link: rm '{}'", path.display())
    }
}
