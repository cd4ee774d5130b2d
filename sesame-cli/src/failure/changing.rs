//! Failures of updates, rollbacks, imports and syncs.

use core_types::{ErrorKind, OciReference, shell_word};
use extension_manager::{BundlesError, RollbackError, StepProblem, SyncError, UpdateError};

use super::Failure;
use super::depot::{name_option, storage_help};
use super::help::{Explain, Help};
use super::installing::REPLACE_OR_BOTH;
use crate::terminal::first_line;

impl From<UpdateError> for Failure {
    fn from(error: UpdateError) -> Self {
        let help = match &error {
            UpdateError::MovedWhileLocked { name, .. } => Help::new(ErrorKind::Untrusted)
                .with_hint(format!(
                    "install the new digest without `--locked`: sesame extension update {name}"
                )),
            UpdateError::SecretsOfOrigin { name, .. } => Help::new(ErrorKind::Refused)
                .with_hint(format!("sesame extension update {name} --accept-new-capabilities")),
            UpdateError::Confirm(error) => error.help(),
            UpdateError::Install(_) => Help::new(ErrorKind::Failure),
        };
        match error {
            UpdateError::Install(error) => Self::from(*error),
            error => Self::with_help(error, help),
        }
    }
}

impl From<RollbackError> for Failure {
    fn from(error: RollbackError) -> Self {
        match error {
            RollbackError::Install(error) => Self::from(*error),
            RollbackError::History(error) => error.into(),
            RollbackError::Generation(error) => error.into(),
            RollbackError::NoGeneration { ref name, .. } | RollbackError::NoOther { ref name } => {
                let hint = format!("sesame extension history {name}");
                Self::new(ErrorKind::NotFound, error).with_hint(hint)
            }
        }
    }
}

impl From<BundlesError> for Failure {
    fn from(error: BundlesError) -> Self {
        match error {
            BundlesError::Install(error) => Self::from(*error),
            error => {
                let help = bundles_help(&error);
                Self::with_help(error, help)
            }
        }
    }
}

fn bundles_help(error: &BundlesError) -> Help {
    match error {
        BundlesError::Write(error) => error.help(),
        BundlesError::NothingToExport | BundlesError::NotInBundle { .. } => {
            Help::new(ErrorKind::NotFound)
        }
        BundlesError::NoExtensions { bundle } => Help::new(ErrorKind::Failure).with_hint(format!(
            "install an entry of it: sesame extension install {} --name NAME",
            shell_word(&format!("oci:{}", bundle.display()))
        )),
        BundlesError::UnprovenOrigin { name, claimed } => Help::new(ErrorKind::Untrusted)
            .with_hint(format!(
                "install it from there: sesame extension install {claimed}{}",
                name_option(name, claimed)
            )),
        BundlesError::OtherBytes { name, bundle, .. } => {
            let bundle = shell_word(&bundle.display().to_string());
            Help::new(ErrorKind::Refused)
                .with_detail(REPLACE_OR_BOTH)
                .with_hint(format!("sesame extension import {bundle} {name} --replace"))
        }
        BundlesError::OtherManifest { name } => {
            Help::new(ErrorKind::Refused).with_hint(format!("sesame extension info {name}"))
        }
        BundlesError::Storage { name, source } => storage_help(name, source),
        BundlesError::KeepsData { name } => Help::new(ErrorKind::Refused)
            .with_detail("without --with-storage it is imported and keeps its own data")
            .with_hint(format!("to lose its own data: sesame extension storage {name} --reset")),
        _ => Help::new(ErrorKind::Failure),
    }
}

/// Helps with the tag of a list that leads to other bytes than when it was followed.
fn list_moved(followed: &OciReference, found: &OciReference, is_locked: bool) -> Help {
    let locked = if is_locked { " --locked" } else { "" };
    Help::new(ErrorKind::Untrusted)
        .with_detail(format!("followed: {followed}"))
        .with_detail(format!("found:    {found}"))
        .with_hint(format!(
            "if the publisher announced the change, sync the new digest: sesame extension sync {found}{locked}"
        ))
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        let help = match &error {
            SyncError::Files(_) | SyncError::Read { .. } => Help::new(ErrorKind::Local),
            SyncError::Lists(error) => error.help(),
            SyncError::ListMoved { followed, found, is_locked, .. } => {
                list_moved(followed, found, *is_locked)
            }
            SyncError::ListUnpinned { found } => Help::new(ErrorKind::Failure)
                .with_hint(format!("pin its digest: sesame extension sync {found} --locked")),
            _ => Help::new(ErrorKind::Failure),
        };
        match error {
            SyncError::Install(error) => Self::from(*error),
            error => Self::with_help(error, help),
        }
    }
}

impl From<StepProblem> for Failure {
    fn from(problem: StepProblem) -> Self {
        match problem {
            StepProblem::Install(error) => Self::from(*error),
            StepProblem::Compile(error) => error.into(),
            StepProblem::Name(error) => error.into(),
            StepProblem::Policies(error) => error.into(),
            StepProblem::Capabilities(error) => error.into(),
            StepProblem::Prune(error) => error.into(),
            // The rest of the message quotes the manifest.
            StepProblem::Manifest(error) => {
                Self::message(ErrorKind::Local, first_line(&error.to_string()))
            }
            other => Self::new(ErrorKind::Failure, other),
        }
    }
}
