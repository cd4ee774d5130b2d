//! Failures about an extension, from the depot, the host and its directories.

use core_types::{ErrorKind, ExtensionName, Identity, OciReference};
use extension_depot::{
    ArtifactError, BlobError, ChangeCapabilitiesError, ChangeSettingsError, ChangeTimedGrantsError,
    ChangeTrustError, ChangedMeanwhile, CheckNameError, EditError, ExtensionNotFound, FileError,
    FindError, GrantInstalledError, GuestPathTaken, HistoryError, InstalledError, LinkedFile,
    ManifestError, NotInstalled, NoteSignatureError, OpenExtensionError, OtherSource,
    PolicyCheckError, RecordedSignatureError, RemoveError, ReplaceManifestError, SignatureRefusal,
    SignerError, StateFileError, StoredFileError, TimedGrantsError,
};
use extension_host::{DirectoryError, HostError};

use super::Failure;

/// Turns errors into failures as references to them are.
macro_rules! as_references {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::from(&error)
            }
        }
    )+};
}
pub(super) use as_references;

as_references! {
    ChangeCapabilitiesError, ChangeSettingsError, ChangeTimedGrantsError, ChangeTrustError, EditError,
    ExtensionNotFound, FileError, FindError, GrantInstalledError, HistoryError, InstalledError,
    NoteSignatureError, NotInstalled, RemoveError, ReplaceManifestError, StateFileError,
}

impl Failure {
    /// Reports that the extension of this name does not start.
    pub fn of_host(name: &ExtensionName, error: &HostError) -> Self {
        match error {
            HostError::Refused(refusals) => Self::refused(name, refusals),
            HostError::Engine(_) => Self::new(ErrorKind::Local, error),
            HostError::NotWasm { .. } | HostError::NotComponent { .. } | HostError::Fault(_) => {
                Self::new(ErrorKind::Failure, error)
            }
            HostError::Compile(_) | HostError::Load(_) => Self::new(ErrorKind::Local, error),
            HostError::NotExecutable(error) => error.into(),
            HostError::Link(_) => Self::new(ErrorKind::Refused, error)
                .with_hint("it was built for another version of these interfaces; ask its author"),
            HostError::Exports { .. } => Self::new(ErrorKind::Usage, error)
                .with_hint("see the exports of a module of Suffiks in docs/wasi-runtime.md"),
        }
    }

    /// Reports a directory that cannot be granted.
    pub fn of_directory(name: &ExtensionName, error: &DirectoryError) -> Self {
        let hint = match error {
            DirectoryError::Link { path, real } => {
                format!("to do it anyway, grant `{}` itself and revoke `{path}`", real.display())
            }
            DirectoryError::SameGuestPath(_) => same_guest_path_hint(name),
            DirectoryError::Missing { .. }
            | DirectoryError::Open { .. }
            | DirectoryError::Protected { .. }
            | DirectoryError::NoHome { .. } => {
                format!("see its grants: sesame extension info {name}")
            }
        };
        let is_local =
            matches!(error, DirectoryError::Open { .. } | DirectoryError::Missing { .. });
        let code = if is_local { ErrorKind::Local } else { ErrorKind::Refused };
        Self::new(code, error).with_hint(hint)
    }
}

impl From<&ExtensionNotFound> for Failure {
    fn from(error: &ExtensionNotFound) -> Self {
        Self::not_found(error)
    }
}

impl From<&NotInstalled> for Failure {
    fn from(error: &NotInstalled) -> Self {
        let NotInstalled { name, reference } = error;
        let hint = match reference {
            Some(reference) => {
                format!("sesame extension install {reference}{}", name_option(name, reference))
            }
            None => format!("sesame extension install REFERENCE --name {name}"),
        };
        Self::new(ErrorKind::NotFound, error).with_hint(hint)
    }
}

impl From<&FindError> for Failure {
    fn from(error: &FindError) -> Self {
        match error {
            FindError::NotFound(error) => error.into(),
            FindError::Manifest(error) => error.into(),
        }
    }
}

impl From<&InstalledError> for Failure {
    fn from(error: &InstalledError) -> Self {
        match error {
            InstalledError::Find(error) => error.into(),
            InstalledError::NotInstalled(error) => error.into(),
            InstalledError::Artifact { name, reference, source } => {
                Self::new(ErrorKind::Local, error).with_hint(artifact_hint(name, reference, source))
            }
            InstalledError::Record(error) => error.into(),
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

impl From<&OpenExtensionError> for Failure {
    fn from(error: &OpenExtensionError) -> Self {
        match error {
            OpenExtensionError::Installed(error) => error.into(),
            OpenExtensionError::Disabled { name } => Self::new(ErrorKind::Refused, error)
                .with_hint(format!("sesame extension enable {name}")),
            OpenExtensionError::Quarantined { name, .. } => Self::new(ErrorKind::Refused, error)
                .with_hint(format!(
                    "see `sesame extension logs {name}`, then: sesame extension enable {name}"
                )),
            OpenExtensionError::Policy(error) => error.into(),
            OpenExtensionError::TimedGrants(error) => error.into(),
        }
    }
}

impl From<&PolicyCheckError> for Failure {
    fn from(error: &PolicyCheckError) -> Self {
        match error {
            PolicyCheckError::Source(refusal) => refusal.clone().into(),
            PolicyCheckError::Signature(RecordedSignatureError::Record(error)) => error.into(),
            PolicyCheckError::Signature(RecordedSignatureError::Signer(error)) => error.into(),
        }
    }
}

impl From<&SignerError> for Failure {
    fn from(error: &SignerError) -> Self {
        match error {
            SignerError::Refused(refusal) => refusal.into(),
            SignerError::Trust(error) => error.into(),
        }
    }
}

impl From<&SignatureRefusal> for Failure {
    fn from(refusal: &SignatureRefusal) -> Self {
        Self::new(ErrorKind::Untrusted, refusal).with_hint(signature_hint(refusal))
    }
}

impl From<&NoteSignatureError> for Failure {
    fn from(error: &NoteSignatureError) -> Self {
        match error {
            NoteSignatureError::Find(error) => error.into(),
            NoteSignatureError::Changed(error) => error.into(),
            NoteSignatureError::Signature(refusal) => refusal.into(),
            NoteSignatureError::State(error) => error.into(),
        }
    }
}

impl From<&ChangedMeanwhile> for Failure {
    fn from(error: &ChangedMeanwhile) -> Self {
        Self::new(ErrorKind::Local, error).with_hint(changed_hint(&error.name))
    }
}

fn changed_hint(name: &ExtensionName) -> String {
    format!("see what it is now, then try again: sesame extension info {name}")
}

impl From<&OtherSource> for Failure {
    fn from(error: &OtherSource) -> Self {
        let OtherSource { name, installed, wanted } = error;
        let hint = if is_unconfirmed(installed, wanted) {
            format!("check whether it came from there: sesame extension update {name}")
        } else {
            "install it beside the other: add `--name NAME`".to_owned()
        };
        Self::new(ErrorKind::Refused, error).with_hint(hint)
    }
}

impl From<&CheckNameError> for Failure {
    fn from(error: &CheckNameError) -> Self {
        match error {
            CheckNameError::Manifest(error) => error.into(),
            CheckNameError::OtherSource(error) => error.into(),
        }
    }
}

impl From<&EditError> for Failure {
    fn from(error: &EditError) -> Self {
        match error {
            EditError::Find(error) => error.into(),
            EditError::Linked(linked) => linked.into(),
            EditError::Stored(error) => error.into(),
        }
    }
}

impl From<&ChangeCapabilitiesError> for Failure {
    fn from(error: &ChangeCapabilitiesError) -> Self {
        match error {
            ChangeCapabilitiesError::Edit(error) => error.into(),
            ChangeCapabilitiesError::SameGuestPath(error) => error.into(),
        }
    }
}

impl From<&GrantInstalledError> for Failure {
    fn from(error: &GrantInstalledError) -> Self {
        match error {
            GrantInstalledError::Edit(error) => error.into(),
            GrantInstalledError::SameGuestPath(error) => error.into(),
            GrantInstalledError::Changed(error) => error.into(),
        }
    }
}

impl From<&GuestPathTaken> for Failure {
    fn from(error: &GuestPathTaken) -> Self {
        Self::new(ErrorKind::Refused, error).with_hint(same_guest_path_hint(&error.name))
    }
}

impl From<&ChangeSettingsError> for Failure {
    fn from(error: &ChangeSettingsError) -> Self {
        match error {
            ChangeSettingsError::Edit(error) => error.into(),
            ChangeSettingsError::Manifest(error) => error.into(),
            ChangeSettingsError::Table { name, .. } => Self::new(ErrorKind::Usage, error)
                .with_hint(format!("see its settings: sesame extension set {name} --list")),
        }
    }
}

impl From<&ReplaceManifestError> for Failure {
    fn from(error: &ReplaceManifestError) -> Self {
        match error {
            ReplaceManifestError::Manifest(error) => error.into(),
            ReplaceManifestError::SameGuestPath(error) => error.into(),
            ReplaceManifestError::Edited { name } => {
                Self::new(ErrorKind::Local, error).with_hint(changed_hint(name))
            }
            ReplaceManifestError::Stored(error) => error.into(),
        }
    }
}

impl From<&ChangeTimedGrantsError> for Failure {
    fn from(error: &ChangeTimedGrantsError) -> Self {
        match error {
            ChangeTimedGrantsError::Find(error) => error.into(),
            ChangeTimedGrantsError::NotInstalled(error) => error.into(),
            ChangeTimedGrantsError::Changed(error) => error.into(),
            ChangeTimedGrantsError::NoSession => Self::new(ErrorKind::Local, error)
                .with_hint("leave out `--for` and `--until`, or set XDG_RUNTIME_DIR"),
            ChangeTimedGrantsError::Grants(error) => error.into(),
        }
    }
}

impl From<&RemoveError> for Failure {
    fn from(error: &RemoveError) -> Self {
        match error {
            RemoveError::NotFound(error) => error.into(),
            RemoveError::File(error) => error.into(),
            RemoveError::Stored(error) => error.into(),
        }
    }
}

impl From<&HistoryError> for Failure {
    fn from(error: &HistoryError) -> Self {
        match error {
            HistoryError::NotFound(error) => error.into(),
            HistoryError::Generation(error) => error.into(),
        }
    }
}

impl From<&LinkedFile> for Failure {
    fn from(linked: &LinkedFile) -> Self {
        Self::new(ErrorKind::Local, linked).with_hint(linked_hint(linked))
    }
}

impl From<&ChangeTrustError> for Failure {
    fn from(error: &ChangeTrustError) -> Self {
        match error {
            ChangeTrustError::File(error) => error.into(),
            ChangeTrustError::Linked(linked) => linked.into(),
        }
    }
}

impl From<&ManifestError> for Failure {
    fn from(error: &ManifestError) -> Self {
        Self::new(ErrorKind::Local, error).with_hint(manifest_hint(error))
    }
}

impl From<&TimedGrantsError> for Failure {
    fn from(error: &TimedGrantsError) -> Self {
        Self::new(ErrorKind::Local, error).with_optional_hint(timed_hint(error))
    }
}

impl From<&StateFileError> for Failure {
    fn from(error: &StateFileError) -> Self {
        Self::new(ErrorKind::Local, error).with_optional_hint(state_file_hint(error))
    }
}

impl From<&FileError> for Failure {
    fn from(error: &FileError) -> Self {
        Self::new(ErrorKind::Local, error)
    }
}

impl From<&StoredFileError> for Failure {
    fn from(error: &StoredFileError) -> Self {
        match error {
            StoredFileError::State(error) => error.into(),
            StoredFileError::File(error) => error.into(),
        }
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

fn timed_hint(error: &TimedGrantsError) -> Option<String> {
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

fn manifest_hint(error: &ManifestError) -> String {
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
