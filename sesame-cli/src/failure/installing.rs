//! Failures of installs, updates, rollbacks, imports and syncs.

use core_types::{ErrorKind, ExtensionName, OciQuery, OciReference};
use extension_depot::{
    BasisError, BlobError, CommitError, ConfirmOriginError, GenerationError, PruneError,
    RepairError, RestoreError, TransportError, WebAddress,
};
use extension_manager::{
    BundlesError, Denied, DirectoryGrantError, EvidenceError, ExamineError, InstallError,
    RollbackError, SourceForm, StepProblem, SyncError, UpdateError,
};

use super::{Failure, Refused};
use crate::failure::depot::name_option;
use crate::terminal::{escape_to_line, shell_word};

/// What tells apart those who want to replace local bytes from those who want both.
const REPLACE_OR_BOTH: &str = "replacing them keeps their grants, settings and secrets; to keep both, choose another `--name`";

/// How many tags are shown where none is a version: those of a screen.
const MAX_TAGS: usize = 10;

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        match &error {
            InstallError::Form(form) => Self::of_form(form, "install"),
            InstallError::NoName(_) => {
                Self::new(ErrorKind::Usage, &error).with_hint("choose a name: add `--name NAME`")
            }
            InstallError::Runtime(_) => Self::new(ErrorKind::Local, &error),
            InstallError::Reference(_) => Self::new(ErrorKind::Usage, &error),
            InstallError::Tag(_) => Self::new(ErrorKind::Network, &error),
            InstallError::VersionOfOneThing { .. } => {
                Self::new(ErrorKind::Usage, &error).with_hint("leave out the tag, or `--version`")
            }
            InstallError::NoVersion { repository, tags, .. } => {
                Self::new(ErrorKind::NotFound, &error).with_tags(repository, tags)
            }
            InstallError::TagMoved(moved) => Self::new(ErrorKind::Untrusted, &error)
                .with_detail(format!("installed: {}", moved.installed))
                .with_detail(format!("found:     {}", moved.found))
                .with_hint(format!(
                    "if the publisher announced the change, install the new digest: sesame extension install {}{}",
                    moved.found,
                    name_option(&moved.name, &moved.found)
                )),
            InstallError::Downgrade(downgrade) => Self::new(ErrorKind::Untrusted, &error)
                .with_hint(format!(
                    "to do it anyway, add `--allow-downgrade`, or: sesame extension rollback {}",
                    downgrade.name
                )),
            InstallError::ReplacedByRegistry(replaced) => {
                let (name, source) = (&replaced.name, &replaced.origin);
                Self::new(ErrorKind::Usage, &error).with_hint(format!(
                    "sesame extension remove {name} && sesame extension install {source} --name {name}"
                ))
            }
            InstallError::OtherFile { name, origin, sha256, .. } => {
                let sha256 = sha256.map(|sha256| format!(" --sha256 {sha256}")).unwrap_or_default();
                let source = shell_word(&origin.to_string());
                Self::new(ErrorKind::Refused, &error)
                    .with_detail(REPLACE_OR_BOTH.to_owned())
                    .with_hint(format!(
                        "sesame extension install {source}{sha256} --replace {name}"
                    ))
            }
            InstallError::NotReplaced { .. } | InstallError::Declined { .. } => {
                Self::new(ErrorKind::Refused, &error)
            }
            InstallError::NotAllowed { missing, .. } => {
                let mut failure = Self::new(ErrorKind::Refused, &error);
                failure.about.refused = missing.iter().map(Refused::from).collect();
                failure
            }
            InstallError::Trust(error) => error.as_ref().into(),
            InstallError::Directory { name, source } => Self::of_directory(name, source),
            InstallError::AsksForMore { name, missing, .. } => {
                Self::new(ErrorKind::Refused, &error).asking_for_more(name, missing)
            }
            _ => Self::of_depot(&error).unwrap_or_else(|| Self::of_library(error)),
        }
    }
}

impl Failure {
    /// Reports an error of the depot, if it is one.
    fn of_depot(error: &InstallError) -> Option<Self> {
        Some(match error {
            InstallError::Lock(error) => error.into(),
            InstallError::Basis(BasisError::Manifest(error)) | InstallError::Manifest(error) => {
                error.into()
            }
            InstallError::Basis(BasisError::PinnedSigner(error)) | InstallError::State(error) => {
                error.into()
            }
            InstallError::Installed(error) => error.into(),
            InstallError::OtherSource(error) => error.into(),
            InstallError::Transport(error) => error.into(),
            InstallError::Signer(error) => error.into(),
            InstallError::Changed(error) => error.into(),
            InstallError::Commit(error) => error.into(),
            InstallError::Restore(error) => error.into(),
            InstallError::Repair(error) => error.into(),
            InstallError::Layout(error) => error.into(),
            InstallError::Grant(error) => error.into(),
            InstallError::TimedGrants(error) => error.into(),
            InstallError::SessionGrants(error) => error.into(),
            InstallError::TrustSigner(error) => error.into(),
            _ => return None,
        })
    }

    /// Reports an error of a library, which has a failure of its own.
    fn of_library(error: InstallError) -> Self {
        match error {
            InstallError::Policy(error) => error.into(),
            InstallError::Source(error) => (*error).into(),
            InstallError::Registry(error) => (*error).into(),
            InstallError::Download(error) => (*error).into(),
            InstallError::Examine(error) => error.into(),
            other => Self::new(ErrorKind::Failure, &other),
        }
    }

    /// Reports a source that cannot be used in the form in which `command` was given it.
    pub fn of_form(error: &SourceForm, command: &str) -> Self {
        let failure = Self::new(ErrorKind::Usage, error);
        match error {
            SourceForm::ReferenceWithScheme { reference, .. } => {
                failure.with_hint(format!("sesame extension {command} {reference}"))
            }
            SourceForm::DownloadWithoutDigest { address } => {
                failure.without_digest(address, command)
            }
            SourceForm::Local { .. } => {
                failure.with_hint(format!("name the file: sesame extension {command} ./FILE.wasm"))
            }
            SourceForm::DigestOfNoFile { .. } => failure.with_hint(
                "pin a reference with the digest of its manifest instead: REFERENCE@sha256:DIGEST",
            ),
        }
    }

    /// Adds the ways to download a file whose digest is missing.
    fn without_digest(mut self, address: &WebAddress, command: &str) -> Self {
        let file = escape_to_line(address.file_name());
        let by_hand = format!(
            "download it yourself, then: sesame extension {command} {}",
            shell_word(&format!("./{file}"))
        );
        self.details.push(by_hand);
        if let Some(repository) = address.as_repository() {
            self.details
                .push(format!("if it is a repository: sesame extension {command} {repository}"));
        }
        self.with_hint(format!(
            "add the expected digest: sesame extension {command} {} --sha256 DIGEST",
            shell_word(&address.to_string())
        ))
    }

    /// Adds the tags of a repository in which none is the version that is wanted.
    fn with_tags(mut self, repository: &OciQuery, tags: &[String]) -> Self {
        let Some(tag) = tags.first() else { return self };
        let shown: Vec<_> = tags.iter().take(MAX_TAGS).map(String::as_str).collect();
        self.details.push(format!("its tags are: {}", shown.join(" ")));
        self.with_hint(format!("name a tag: sesame extension install {repository}:{tag}"))
    }

    /// Adds the further requests of a newer version.
    fn asking_for_more(mut self, name: &ExtensionName, missing: &[Denied]) -> Self {
        for denied in missing {
            let rule =
                denied.policy.as_ref().map(|rule| format!(", and {rule}")).unwrap_or_default();
            self.details.push(format!("it asks for {}{rule}", denied.request()));
        }
        self.about.refused = missing.iter().map(Refused::from).collect();
        let unscoped = missing.iter().filter(|denied| denied.is_example && denied.policy.is_none());
        let unscoped: Vec<_> = unscoped.map(|denied| denied.grant.as_str()).collect();
        self.with_hint(if unscoped.is_empty() {
            format!("sesame extension update {name} --accept-new-capabilities")
        } else {
            format!(
                "grant a scope, as here, then update: sesame extension grant {name} {}",
                unscoped.join(" ")
            )
        })
    }

    /// Reports the tag of a list that leads to other bytes than when it was followed.
    fn list_moved(self, followed: &OciReference, found: &OciReference, is_locked: bool) -> Self {
        let locked = if is_locked { " --locked" } else { "" };
        self.with_detail(format!("followed: {followed}"))
            .with_detail(format!("found:    {found}"))
            .with_hint(format!(
                "if the publisher announced the change, sync the new digest: sesame extension sync {found}{locked}"
            ))
    }

    /// Reports an installed binary that is missing or damaged.
    pub fn damaged_binary(name: &ExtensionName, error: &BlobError) -> Self {
        Self::new(ErrorKind::Local, error)
            .with_hint(format!("sesame extension verify --repair {name}"))
    }

    /// Reports directories that cannot be granted to this extension.
    pub fn of_directory_grant(name: &ExtensionName, error: &DirectoryGrantError) -> Self {
        match error {
            DirectoryGrantError::Directory(error) => Self::of_directory(name, error),
            DirectoryGrantError::TimedGrants(error) => error.into(),
        }
    }
}

impl From<ExamineError> for Failure {
    fn from(error: ExamineError) -> Self {
        match error {
            ExamineError::Damaged { name, source } => Self::damaged_binary(&name, &source),
            ExamineError::Host { name, source } => Self::of_host(&name, &source),
            ExamineError::Code(error) => (*error).into(),
            ExamineError::Requests(error) => error.into(),
        }
    }
}

impl From<EvidenceError> for Failure {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Trust(error) => error.into(),
            EvidenceError::Runtime(error) => error.into(),
        }
    }
}

impl From<UpdateError> for Failure {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Install(error) => (*error).into(),
            UpdateError::Confirm(error) => Self::from(&error),
            UpdateError::MovedWhileLocked { ref name, .. } => {
                Self::new(ErrorKind::Untrusted, &error).with_hint(format!(
                    "install the new digest without `--locked`: sesame extension update {name}"
                ))
            }
            UpdateError::SecretsOfOrigin { ref name, .. } => Self::new(ErrorKind::Refused, &error)
                .with_hint(format!("sesame extension update {name} --accept-new-capabilities")),
        }
    }
}

impl From<RollbackError> for Failure {
    fn from(error: RollbackError) -> Self {
        match error {
            RollbackError::Install(error) => (*error).into(),
            RollbackError::History(error) => error.into(),
            RollbackError::Generation(error) => Self::from(&error),
            RollbackError::NoGeneration { ref name, .. } | RollbackError::NoOther { ref name } => {
                Self::new(ErrorKind::NotFound, &error)
                    .with_hint(format!("sesame extension history {name}"))
            }
        }
    }
}

impl From<BundlesError> for Failure {
    fn from(error: BundlesError) -> Self {
        match error {
            BundlesError::Install(error) => (*error).into(),
            BundlesError::Write(error) => error.into(),
            BundlesError::NothingToExport | BundlesError::NotInBundle { .. } => {
                Self::new(ErrorKind::NotFound, &error)
            }
            BundlesError::NoExtensions { ref bundle } => Self::new(ErrorKind::Failure, &error)
                .with_hint(format!(
                    "install an entry of it: sesame extension install oci:{} --name NAME",
                    bundle.display()
                )),
            BundlesError::UnprovenOrigin { ref name, ref claimed } => {
                Self::new(ErrorKind::Untrusted, &error).with_hint(format!(
                    "install it from there: sesame extension install {claimed}{}",
                    name_option(name, claimed)
                ))
            }
            BundlesError::OtherBytes { ref name, ref bundle, .. } => {
                let bundle = shell_word(&bundle.display().to_string());
                Self::new(ErrorKind::Refused, &error)
                    .with_detail(REPLACE_OR_BOTH.to_owned())
                    .with_hint(format!("sesame extension import {bundle} {name} --replace"))
            }
            BundlesError::OtherManifest { ref name } => Self::new(ErrorKind::Refused, &error)
                .with_hint(format!("sesame extension info {name}")),
            other => Self::new(ErrorKind::Failure, &other),
        }
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Install(error) => (*error).into(),
            SyncError::Files(_) | SyncError::Read { .. } => Self::new(ErrorKind::Local, &error),
            SyncError::Lists(error) => Self::from(&error),
            SyncError::ListMoved { ref followed, ref found, is_locked, .. } => {
                Self::new(ErrorKind::Untrusted, &error).list_moved(followed, found, is_locked)
            }
            SyncError::ListUnpinned { ref found } => Self::new(ErrorKind::Failure, &error)
                .with_hint(format!("pin its digest: sesame extension sync {found} --locked")),
            other => Self::new(ErrorKind::Failure, &other),
        }
    }
}

impl From<StepProblem> for Failure {
    fn from(problem: StepProblem) -> Self {
        match problem {
            StepProblem::Install(error) => (*error).into(),
            StepProblem::Compile(error) => error.into(),
            StepProblem::Name(error) => Self::from(&error),
            StepProblem::Policies(error) => Self::from(&error),
            StepProblem::Capabilities(error) => error.into(),
            StepProblem::Prune(error) => Self::from(&error),
            // The rest of the message quotes the manifest.
            StepProblem::Manifest(error) => {
                Self::message(ErrorKind::Local, crate::terminal::first_line(&error.to_string()))
            }
            other => Self::new(ErrorKind::Failure, &other),
        }
    }
}

/// The hint for a registry that was reached over TLS before.
const INSECURE_HINT: &str =
    "remove `plain_http` for it from config.toml, or, to do it anyway, add `--allow-plain-http`";

impl From<&TransportError> for Failure {
    fn from(error: &TransportError) -> Self {
        match error {
            TransportError::PinnedSigner(error) => error.into(),
            TransportError::Insecure(error) => {
                Self::new(ErrorKind::Untrusted, error).with_hint(INSECURE_HINT)
            }
        }
    }
}

impl From<&CommitError> for Failure {
    fn from(error: &CommitError) -> Self {
        match error {
            CommitError::SameGuestPath(error) => error.into(),
            CommitError::Linked(linked) => linked.into(),
            CommitError::Manifest(error) => error.into(),
            CommitError::Changed(error) => error.into(),
            CommitError::OtherSource(error) => error.into(),
            CommitError::Signature(refusal) => refusal.into(),
            CommitError::State(error) => error.into(),
            CommitError::Layout(error) => error.into(),
            CommitError::Stored(error) => error.into(),
        }
    }
}

impl From<&RestoreError> for Failure {
    fn from(error: &RestoreError) -> Self {
        match error {
            RestoreError::SameGuestPath(error) => error.into(),
            RestoreError::Linked(linked) => linked.into(),
            RestoreError::Changed(error) => error.into(),
            RestoreError::Generation(error) => error.into(),
            RestoreError::OtherSource(error) => error.into(),
            RestoreError::State(error) => error.into(),
            RestoreError::Layout(error) => error.into(),
            RestoreError::Stored(error) => error.into(),
        }
    }
}

impl From<&GenerationError> for Failure {
    fn from(error: &GenerationError) -> Self {
        match error {
            GenerationError::Gone { name, .. } => Self::new(ErrorKind::Local, error)
                .with_hint(format!("see the generations: sesame extension history {name}")),
            GenerationError::Record(error) => error.into(),
        }
    }
}

impl From<&ConfirmOriginError> for Failure {
    fn from(error: &ConfirmOriginError) -> Self {
        match error {
            ConfirmOriginError::Changed(error) => error.into(),
            ConfirmOriginError::Signature(refusal) => refusal.into(),
            ConfirmOriginError::Installed(error) => error.into(),
            ConfirmOriginError::State(error) => error.into(),
            ConfirmOriginError::Stored(error) => error.into(),
        }
    }
}

impl From<&RepairError> for Failure {
    fn from(error: &RepairError) -> Self {
        match error {
            RepairError::Find(error) => error.into(),
            RepairError::Changed(error) => error.into(),
            RepairError::Layout(error) => error.into(),
            RepairError::Record(error) => error.into(),
        }
    }
}

impl From<&PruneError> for Failure {
    fn from(error: &PruneError) -> Self {
        match error {
            PruneError::Lists(error) => error.into(),
            PruneError::Manifest(error) => error.into(),
            PruneError::Remove(error) => error.into(),
        }
    }
}
