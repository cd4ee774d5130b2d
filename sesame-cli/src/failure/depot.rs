//! Failures of the depot.

use core_types::{ErrorKind, ExtensionName, Identity, OciReference};
use extension_depot::{
    ArtifactError, BlobError, DepotError, LinkedFile, ManifestError, SignatureRefusal,
    StateFileError, TimedGrantsError,
};

use super::Failure;
use super::help::{Explain, Help};
use super::list::repository_signature_hint;

impl Failure {
    /// Reports an error of the depot about the extension of this name, which a refused signature does
    /// not carry.
    pub fn of_extension(name: &ExtensionName, error: DepotError) -> Self {
        let help = match &error {
            DepotError::Signature(refusal) => {
                Help::new(ErrorKind::Untrusted).with_hint(signature_hint(name, refusal))
            }
            error => error.help(),
        };
        Self::with_help(error, help)
    }

    /// Reports an installed binary that is missing or damaged.
    pub fn damaged_binary(name: &ExtensionName, error: BlobError) -> Self {
        Self::new(ErrorKind::Local, error)
            .with_hint(format!("sesame extension verify --repair {name}"))
    }
}

impl Explain for DepotError {
    fn help(&self) -> Help {
        let (code, hint) = match self {
            DepotError::NotFound { name } => return Help::not_found(name),
            DepotError::NotInstalled { name, reference: Some(reference) } => (
                ErrorKind::NotFound,
                Some(format!(
                    "sesame extension install {reference}{}",
                    name_option(name, reference)
                )),
            ),
            DepotError::NotInstalled { name, reference: None } => (
                ErrorKind::NotFound,
                Some(format!("sesame extension install REFERENCE --name {name}")),
            ),
            DepotError::Artifact { name, reference, .. } if reference.is_local() => {
                (ErrorKind::Local, Some(format!("sesame extension install FILE --name {name}")))
            }
            DepotError::Changed { name } | DepotError::Edited { name } => (
                ErrorKind::Local,
                Some(format!("see what it is now, then try again: sesame extension info {name}")),
            ),
            DepotError::Artifact {
                source: ArtifactError::Blob(BlobError::Missing { .. }), ..
            } => (ErrorKind::Local, Some("sesame extension sync".to_owned())),
            DepotError::Artifact { name, .. } => {
                (ErrorKind::Local, Some(format!("sesame extension verify --repair {name}")))
            }
            DepotError::OtherSource { name, installed, wanted }
                if is_unconfirmed(installed, wanted) =>
            {
                (
                    ErrorKind::Refused,
                    Some(format!(
                        "check whether it came from there: sesame extension update {name}"
                    )),
                )
            }
            DepotError::SettingTable { name, .. } => (
                ErrorKind::Usage,
                Some(format!("see its settings: sesame extension set {name} --list")),
            ),
            DepotError::OtherSource { .. } => (
                ErrorKind::Refused,
                Some("install it beside the other: add `--name NAME`".to_owned()),
            ),
            DepotError::Disabled { name } => {
                (ErrorKind::Refused, Some(format!("sesame extension enable {name}")))
            }
            DepotError::Quarantined { name, .. } => (
                ErrorKind::Refused,
                Some(format!(
                    "see `sesame extension logs {name}`, then: sesame extension enable {name}"
                )),
            ),
            DepotError::Policy(refusal) => return refusal.help(),
            DepotError::Insecure { .. } => (ErrorKind::Untrusted, Some(INSECURE_HINT.to_owned())),
            DepotError::Trust(error) => return error.help(),
            DepotError::Signature(refusal) => {
                (ErrorKind::Untrusted, Some(repository_signature_hint(refusal)))
            }
            DepotError::State(error) => (ErrorKind::Local, state_file_hint(error)),
            DepotError::GenerationGone { name, .. } => (
                ErrorKind::Local,
                Some(format!("see the generations: sesame extension history {name}")),
            ),
            DepotError::SameGuestPath { name, .. } => {
                (ErrorKind::Refused, Some(same_guest_path_hint(name)))
            }
            DepotError::Timed(error) => (ErrorKind::Local, timed_hint(error)),
            DepotError::Manifest(error) => (ErrorKind::Local, Some(manifest_hint(error))),
            DepotError::Lock(error) => return error.help(),
            DepotError::Staging(_) | DepotError::Activity(_) | DepotError::Io { .. } => {
                (ErrorKind::Local, None)
            }
        };
        Help::new(code).with_hints(hint)
    }
}

impl Explain for StateFileError {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Local).with_hints(state_file_hint(self))
    }
}

/// The hint for a registry that was reached over TLS before.
const INSECURE_HINT: &str =
    "remove `plain_http` for it from config.toml, or, to do it anyway, add `--allow-plain-http`";

/// Returns the hint to list the directories and to change a guest path.
pub(super) fn same_guest_path_hint(name: &ExtensionName) -> String {
    format!(
        "grant one of them under another path, as in `filesystem=read:~/notes::/notes`; see its grants: sesame extension info {name}"
    )
}

fn signature_hint(name: &ExtensionName, refusal: &SignatureRefusal) -> String {
    match refusal {
        SignatureRefusal::Required { repository, .. } => {
            format!(
                "if you have the publisher's key: sesame trust add KEY.pub --for {repository}; then, if it is installed: sesame \
                 extension verify {name}"
            )
        }
        SignatureRefusal::Changed { .. } => {
            format!("if the publisher announced the change: sesame trust accept {name}")
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
        TimedGrantsError::NoSession => {
            Some("leave out `--for` and `--until`, or set XDG_RUNTIME_DIR".to_owned())
        }
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
        ManifestError::Linked(linked) => linked_hint(linked),
    }
}

/// Returns the command that replaces a link by a file. The user may rather edit its target.
pub(super) fn linked_hint(LinkedFile { path, target }: &LinkedFile) -> String {
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
