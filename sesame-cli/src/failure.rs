//! Failures as the user sees them: the error, one hint, an exit code. Only this module decides
//! these.

mod conversions;
mod list;
mod refused;
mod similar;

use std::error::Error;
use std::io;
use std::path::Path;

use core_types::{
    Capabilities, Digest, ErrorKind, ExtensionName, Grant, Identity, Limit, LimitOrigin, NameError,
    OciQuery, OciReference, SettingError, Touch, VersionReq,
};
use extension_depot::{
    ArtifactError, BlobError, DepotError, LinkedFile, ManifestError, PlaceError, SignatureRefusal,
    Source, StateFileError, TimedGrantsError, WebAddress,
};
use extension_host::{CallError, DirectoryError, ExportedFunction, HostError, Returned, WitError};
use serde::Serialize;

pub use self::conversions::LOCKS_HINT;
use crate::exit_code::ExitCode;
use crate::outcome::Denied;
use crate::project::Project;
use crate::terminal::{inert_line, shell_word};

/// A failure as it is shown.
#[derive(Debug)]
pub struct Failure {
    /// What failed.
    pub message: String,
    /// The reasons, from the outside in.
    pub causes: Vec<String>,
    /// Further help, such as the functions that can be called.
    pub details: Vec<String>,
    /// One command or action that helps.
    pub hint: Option<String>,
    /// The exit code.
    pub code: ExitCode,
    /// The subject. Boxed, since a failure is passed through many hands.
    pub about: Box<About>,
}

/// The subject of a failure.
#[derive(Debug, Default)]
pub struct About {
    /// Refused or denied permissions, for programs.
    pub refused: Vec<Refused>,
    /// The unknown extension, so that a similar name can be suggested.
    unknown: Option<ExtensionName>,
}

/// A permission that an extension was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The resource or capability.
    what: String,
    /// The rule and its place, if there is one.
    rule: Option<String>,
    /// The grant that would help, if one would.
    grant: Option<String>,
}

impl From<&Denied> for Refused {
    fn from(denied: &Denied) -> Self {
        Self {
            what: denied.request().to_owned(),
            rule: denied.policy.clone(),
            grant: denied.policy.is_none().then(|| denied.grant.clone()),
        }
    }
}

impl From<&Touch> for Refused {
    fn from(touch: &Touch) -> Self {
        Self {
            what: touch.request.to_string(),
            rule: touch.refusal.as_ref().map(ToString::to_string),
            grant: touch.grant(),
        }
    }
}

impl Failure {
    /// Makes a failure from an error and its causes.
    pub fn new(code: impl Into<ExitCode>, error: &dyn Error) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        Self { causes, ..Self::message(code, error.to_string()) }
    }

    /// Makes a failure without a cause.
    pub fn message(code: impl Into<ExitCode>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            details: Vec::new(),
            hint: None,
            code: code.into(),
            about: Box::default(),
        }
    }

    /// Adds a cause.
    pub fn caused_by(mut self, cause: &dyn Error) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds a detail.
    pub fn with_detail(mut self, detail: String) -> Self {
        self.details.push(detail);
        self
    }

    /// Sets the hint.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn with_optional_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// Returns the message with its causes, for places that have one line.
    pub fn in_one_line(&self) -> String {
        std::iter::once(&self.message)
            .chain(&self.causes)
            .map(|text| crate::render::first_line(text))
            .collect::<Vec<_>>()
            .join(": ")
    }

    /// Reports a file or directory of the user that is missing or cannot be read.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        let code = if error.kind() == io::ErrorKind::NotFound {
            ErrorKind::NotFound
        } else {
            ErrorKind::Local
        };
        Self::message(code, format!("cannot read `{}`", path.display())).caused_by(error)
    }

    /// Reports a file or directory of the user that cannot be written.
    pub fn unwritable(path: &Path, error: &io::Error) -> Self {
        Self::message(ErrorKind::Local, format!("cannot write `{}`", path.display()))
            .caused_by(error)
    }

    /// Reports interfaces of a project that cannot be parsed.
    pub fn bad_interfaces(directory: &Path, error: &WitError) -> Self {
        Self::message(
            ErrorKind::Usage,
            format!("the interfaces in `{}` cannot be understood", directory.display()),
        )
        .caused_by(error)
    }

    /// Reports a directory of sesame's that belongs to another user.
    pub fn place(error: &PlaceError) -> Self {
        Self::new(ErrorKind::Local, error).with_hint("sesame doctor")
    }

    /// Reports a tag that has moved since the install.
    pub fn tag_moved(name: &ExtensionName, installed: &OciReference, found: &OciReference) -> Self {
        let message =
            format!("the tag `{}` has moved since `{name}` was installed", installed.revision());
        let mut failure = Self::message(ErrorKind::Untrusted, message);
        failure.details = vec![format!("installed: {installed}"), format!("found:     {found}")];
        failure.with_hint(format!(
            "if its maker says why, take the new one: sesame extension install {found}{}",
            name_option(name, found)
        ))
    }

    /// Reports a key that would overwrite another.
    pub fn key_is_there(path: &Path, name: &Path) -> Self {
        Self::message(
            ErrorKind::Local,
            format!("`{}` is there already, and a key is never replaced", path.display()),
        )
        .with_hint(format!(
            "make one of another name: sesame trust keygen {}",
            shell_word(&format!("{}-2", name.display()))
        ))
    }

    /// Reports that there is nothing to publish.
    pub fn nothing_to_publish() -> Self {
        Self::message(
            ErrorKind::Usage,
            "there is nothing to publish: this directory has no `extension.toml`",
        )
        .with_hint("name the file: sesame extension publish REFERENCE FILE.wasm")
    }

    /// Reports an extension with the temporary name of a project.
    pub fn name_taken_for_dev(name: &ExtensionName) -> Self {
        Self::message(
            ErrorKind::Refused,
            format!("`{name}` is an extension of yours, and `dev` leaves it alone"),
        )
        .with_hint(format!(
            "try the project under another name: sesame extension dev --name {name}-2"
        ))
    }

    /// Reports a tag with another version than the author's.
    pub fn other_version(stated: &str, reference: &OciReference) -> Self {
        let (tag, stated) = (reference.revision(), stated.escape_debug());
        let message = format!("the tag is `{tag}`, and the author's version is `{stated}`");
        let mut failure = Self::message(ErrorKind::Usage, message);
        failure
            .details
            .push("if the version is to come from the tag: add `--version-from-tag`".to_owned());
        failure.with_hint(format!(
            "sesame extension publish {}:{stated}",
            reference.repository_query()
        ))
    }

    /// Adds the hint for a project that cannot be built here before it is published.
    pub fn of_build_to_publish(mut self, project: &Project) -> Self {
        let built = project.built();
        if built.is_file() {
            let built = built.display();
            self.details.push(format!(
                "to publish `{built}` as it is, whatever it was built of: add `--no-build`"
            ));
        }
        self
    }

    /// Adds the file that the failure is about.
    pub fn in_file(mut self, path: &Path) -> Self {
        self.message = format!("`{}`: {}", path.display(), self.message);
        self
    }

    /// Reports a claimed origin of a bundle without any proof.
    pub fn unproven_origin(name: &ExtensionName, claimed: &OciReference) -> Self {
        let message = format!(
            "nothing shows that the `{name}` of this bundle came from `{}`",
            claimed.identity()
        );
        Self::message(ErrorKind::Untrusted, message).with_hint(format!(
            "install it from there: sesame extension install {claimed}{}",
            name_option(name, claimed)
        ))
    }

    /// Reports a name that belongs to another file, without `--replace`.
    pub fn other_file(
        name: &ExtensionName,
        installed: &Identity,
        source: &Source,
        sha256: Option<&Digest>,
    ) -> Self {
        let sha256 = sha256.map(|sha256| format!(" --sha256 {sha256}")).unwrap_or_default();
        let source = shell_word(&source.to_string());
        Self::taken(name, installed)
            .with_hint(format!("sesame extension install {source}{sha256} --replace {name}"))
    }

    /// Reports a name that belongs to other bytes than those of a bundle, without `--replace`.
    pub fn other_bytes(
        name: &ExtensionName,
        installed: Option<&OciReference>,
        bundle: &Path,
    ) -> Self {
        let Some(installed) = installed.filter(|installed| installed.is_local()) else {
            return Self::message(
                ErrorKind::Refused,
                format!("`{name}` has a manifest for something else"),
            )
            .with_hint(format!("sesame extension info {name}"));
        };
        let bundle = shell_word(&bundle.display().to_string());
        Self::taken(name, &installed.identity())
            .with_hint(format!("sesame extension import {bundle} {name} --replace"))
    }

    fn taken(name: &ExtensionName, installed: &Identity) -> Self {
        let message =
            format!("`{name}` is the name of other bytes, which are installed as `{installed}`");
        let mut failure = Self::message(ErrorKind::Refused, message);
        failure.details.push(
            "to replace them and keep their grants, settings and secrets, say so; to have both, choose another `--name`"
                .to_owned(),
        );
        failure
    }

    /// Reports an extension from a registry that would replace another by name.
    pub fn replaced_by_registry(source: &Source, name: &ExtensionName) -> Self {
        let message =
            "`--replace` is for files, and what comes from a registry has an identity of its own";
        Self::message(ErrorKind::Usage, message).with_hint(format!(
            "sesame extension remove {name} && sesame extension install {source} --name {name}"
        ))
    }

    /// Reports the local reference of a manifest, which does not have a registry.
    pub fn local_reference(source: &Source, command: &str) -> Self {
        let message =
            format!("`{source}` stands for a file that was installed here, and no registry has it");
        Self::message(ErrorKind::Usage, message)
            .with_hint(format!("name the file: sesame extension {command} ./FILE.wasm"))
    }

    /// Reports an extension of a bundle that would get the secrets of its confirmed origin.
    pub fn secrets_of_origin(name: &ExtensionName, origin: &OciReference) -> Self {
        let message = format!(
            "`{name}` may use secrets, which would be those of `{}` from now on",
            origin.identity()
        );
        Self::message(ErrorKind::Refused, message)
            .with_hint(format!("sesame extension update {name} --accept-new-capabilities"))
    }

    /// Reports a file that is not a bundle.
    pub fn no_bundle(path: &Path) -> Self {
        let path = path.display();
        Self::message(
            ErrorKind::Failure,
            format!("`{path}` has no extensions that `sesame extension export` put there"),
        )
        .with_hint(format!(
            "install an entry of it: sesame extension install oci:{path} --name NAME"
        ))
    }

    /// Reports an installed binary that is missing or damaged.
    pub fn damaged_binary(name: &ExtensionName, error: &BlobError) -> Self {
        Self::new(ErrorKind::Local, error)
            .with_hint(format!("sesame extension verify --repair {name}"))
    }

    /// Reports a range of versions for a source with only one version.
    pub fn version_of_no_repository(source: &Source) -> Self {
        let message = format!(
            "`--version` chooses among the tags of a repository, and `{source}` is one thing already"
        );
        Self::message(ErrorKind::Usage, message).with_hint("leave out the tag, or `--version`")
    }

    /// Reports a repository without any version, or without one in the range.
    pub fn no_version(repository: &OciQuery, wanted: Option<&VersionReq>, tags: &[String]) -> Self {
        let within = wanted.map(|wanted| format!(" in `{wanted}`")).unwrap_or_default();
        let mut failure =
            Self::message(ErrorKind::NotFound, format!("`{repository}` has no version{within}"));
        if let Some(tag) = tags.first() {
            let shown: Vec<_> = tags.iter().take(10).map(String::as_str).collect();
            failure.details.push(format!("its tags are: {}", shown.join(" ")));
            failure.hint = Some(format!("name a tag: sesame extension install {repository}:{tag}"));
        }
        failure
    }

    /// Reports a newer version that requests more than the installed one.
    pub fn asks_for_more(name: &ExtensionName, to: &str, missing: &[Denied]) -> Self {
        let message =
            format!("`{name}` {to} asks for more than the installed version; that one stays");
        let mut failure = Self::message(ErrorKind::Refused, message);
        let asks_for = |denied: &Denied| {
            let rule =
                denied.policy.as_ref().map(|rule| format!(", and {rule}")).unwrap_or_default();
            format!("it asks for {}{rule}", denied.request())
        };
        failure.details = missing.iter().map(asks_for).collect();
        failure.about.refused = missing.iter().map(Refused::from).collect();
        let unscoped = missing.iter().filter(|denied| denied.is_example && denied.policy.is_none());
        let unscoped: Vec<_> = unscoped.map(|denied| denied.grant.as_str()).collect();
        failure.with_hint(if unscoped.is_empty() {
            format!("sesame extension update {name} --accept-new-capabilities")
        } else {
            format!(
                "say how far it may reach, such as here, then update: sesame extension grant {name} {}",
                unscoped.join(" ")
            )
        })
    }

    /// Reports an update of everything without a terminal for the question.
    pub fn nothing_to_update() -> Self {
        Self::message(ErrorKind::Usage, "name the extensions to update, or update all of them")
            .with_hint("sesame extension update --all")
    }

    /// Reports that the person declined an update.
    pub fn not_updated() -> Self {
        Self::message(ErrorKind::Failure, "nothing was updated")
    }

    /// Reports a moved tag under `--locked`.
    pub fn moved_while_locked(name: &ExtensionName, installed: &OciReference) -> Self {
        let message =
            format!("the tag `{}` of `{name}` leads to other bytes by now", installed.revision());
        Self::message(ErrorKind::Untrusted, message)
            .with_hint(format!("take them: leave out `--locked`: sesame extension update {name}"))
    }

    /// Reports a version that is older than the installed one.
    pub fn downgrade(name: &ExtensionName, installed: &OciReference, found: &OciReference) -> Self {
        let message = format!(
            "{} is older than the installed {} of `{name}`",
            found.revision(),
            installed.revision()
        );
        Self::message(ErrorKind::Untrusted, message).with_hint(format!(
            "if it is meant, add `--allow-downgrade`, or: sesame extension rollback {name}"
        ))
    }

    /// Reports a download without an expected digest.
    pub fn download_without_digest(address: &WebAddress, command: &str) -> Self {
        let message = format!("`{address}` is not downloaded without its digest");
        let mut failure = Self::message(ErrorKind::Usage, message);
        let file = inert_line(address.file_name());
        let by_hand = format!(
            "download it yourself, then: sesame extension {command} {}",
            shell_word(&format!("./{file}"))
        );
        failure.details.push(by_hand);
        if let Some(repository) = address.as_repository() {
            failure
                .details
                .push(format!("if it is a repository: sesame extension {command} {repository}"));
        }
        failure.with_hint(format!(
            "say which bytes you expect: sesame extension {command} {} --sha256 DIGEST",
            shell_word(&address.to_string())
        ))
    }

    /// Reports a reference to a registry in the form of a file's address.
    pub fn reference_with_scheme(
        address: &WebAddress,
        reference: &OciReference,
        command: &str,
    ) -> Self {
        let message =
            format!("`{address}` is a reference to a registry, not the address of a file");
        Self::message(ErrorKind::Usage, message)
            .with_hint(format!("sesame extension {command} {reference}"))
    }

    /// Reports text that is neither a reference nor a source.
    pub fn mistyped(text: &str, problem: &dyn Error) -> Self {
        Self::message(ErrorKind::Usage, format!("`{}`: {problem}", inert_line(text)))
    }

    /// Reports a digest for a source that is not a file.
    pub fn digest_of_no_file(source: &str) -> Self {
        let message = format!("`--sha256` is the digest of a file, and `{source}` is not a file");
        Self::message(ErrorKind::Usage, message).with_hint(
            "pin a reference with the digest of its manifest instead: REFERENCE@sha256:DIGEST",
        )
    }

    /// Reports a setting that cannot be set.
    pub fn of_setting(name: &ExtensionName, error: &SettingError) -> Self {
        Self::new(ErrorKind::Usage, error)
            .with_hint(format!("see what can be set: sesame extension set {name} --list"))
    }

    /// Reports a source that does not yield a name.
    pub fn no_name(error: &NameError) -> Self {
        Self::new(ErrorKind::Usage, error).with_hint("choose a name: add `--name NAME`")
    }

    /// Reports an error about the installed extension of this name.
    pub fn of_extension(name: &ExtensionName, error: &DepotError) -> Self {
        let (code, hint) = match error {
            DepotError::NotFound { name } => return Self::not_found(name, error),
            DepotError::NotInstalled { reference: Some(reference), .. } => (
                ErrorKind::NotFound,
                Some(format!(
                    "sesame extension install {reference}{}",
                    name_option(name, reference)
                )),
            ),
            DepotError::NotInstalled { reference: None, .. } => (
                ErrorKind::NotFound,
                Some(format!("sesame extension install REFERENCE --name {name}")),
            ),
            DepotError::Artifact { reference, .. } if reference.is_local() => {
                (ErrorKind::Local, Some(format!("sesame extension install FILE --name {name}")))
            }
            DepotError::Changed { .. } | DepotError::Edited { .. } => (
                ErrorKind::Local,
                Some(format!("see what it is now, then try again: sesame extension info {name}")),
            ),
            DepotError::Artifact {
                source: ArtifactError::Blob(BlobError::Missing { .. }), ..
            } => (ErrorKind::Local, Some("sesame extension sync".to_owned())),
            DepotError::Artifact { .. } => {
                (ErrorKind::Local, Some(format!("sesame extension verify --repair {name}")))
            }
            DepotError::OtherSource { installed, wanted, .. }
                if is_unconfirmed(installed, wanted) =>
            {
                (
                    ErrorKind::Refused,
                    Some(format!(
                        "find out whether it came from there: sesame extension update {name}"
                    )),
                )
            }
            DepotError::SettingTable { .. } => (
                ErrorKind::Usage,
                Some(format!("see what can be set: sesame extension set {name} --list")),
            ),
            DepotError::OtherSource { .. } => (
                ErrorKind::Refused,
                Some("install it beside the other: add `--name NAME`".to_owned()),
            ),
            DepotError::Disabled { .. } => {
                (ErrorKind::Refused, Some(format!("sesame extension enable {name}")))
            }
            DepotError::Quarantined { .. } => (
                ErrorKind::Refused,
                Some(format!(
                    "see `sesame extension logs {name}`, then: sesame extension enable {name}"
                )),
            ),
            DepotError::Policy(refusal) => return refusal.clone().into(),
            DepotError::Insecure { .. } => (ErrorKind::Untrusted, Some(INSECURE_HINT.to_owned())),
            DepotError::Trust(error) => return error.as_ref().into(),
            DepotError::Signature(refusal) => {
                (ErrorKind::Untrusted, Some(signature_hint(name, refusal)))
            }
            DepotError::State(error) => (ErrorKind::Local, state_file_hint(error)),
            DepotError::GenerationGone { .. } => (
                ErrorKind::Local,
                Some(format!("what can be gone back to: sesame extension history {name}")),
            ),
            DepotError::SameGuestPath(_) => (ErrorKind::Refused, Some(same_guest_path_hint(name))),
            DepotError::Timed(error) => (ErrorKind::Local, timed_hint(error)),
            DepotError::Manifest(error) => (ErrorKind::Local, Some(manifest_hint(error))),
            DepotError::Lock(error) => return error.into(),
            DepotError::Staging(_) | DepotError::Activity(_) | DepotError::Io { .. } => {
                (ErrorKind::Local, None)
            }
        };
        Self::new(code, error).with_optional_hint(hint)
    }

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
                .with_hint("what a module of Suffiks exports: docs/wasi-runtime.md"),
        }
    }

    /// Reports a part of a permission that is not granted as such, while other parts, which may
    /// cover it, are.
    pub fn no_such_part(name: &ExtensionName, grant: &Grant, there: &Capabilities) -> Self {
        let capability = grant.capability();
        let mut failure =
            Self::message(ErrorKind::Refused, format!("`{name}` was not granted {grant} as such"));
        failure.details.push("these may cover it:".to_owned());
        failure.details.extend(there.of(capability).map(|part| format!("  {part}")));
        failure.with_hint(format!("sesame extension revoke {name} {capability}"))
    }

    /// Reports a call without a result. `limits_file` has the limits of the extension, and
    /// `stderr_tail` the end of its standard error, which usually says why.
    pub fn of_call(
        name: &ExtensionName,
        error: &CallError,
        limits_file: &Path,
        stderr_tail: &[u8],
    ) -> Self {
        let mut failure = Self::of_call_error(name, error, limits_file);
        failure.details.extend(last_lines(stderr_tail));
        failure
    }

    fn of_call_error(name: &ExtensionName, error: &CallError, limits_file: &Path) -> Self {
        match error {
            CallError::NoSuchFunction { name: wanted, exports } => {
                Self::new(ErrorKind::NotFound, error)
                    .listing("these can be called:", name, exports)
                    .or_similar_function(name, wanted, exports)
            }
            CallError::Ambiguous { candidates, .. } => Self::new(ErrorKind::NotFound, error)
                .listing("these have the name:", name, candidates),
            CallError::Argument(_) | CallError::Uncallable { .. } => {
                Self::new(ErrorKind::Usage, error)
                    .with_hint(format!("sesame extension info {name}"))
            }
            CallError::Directory(error) => Self::of_directory(name, error),
            CallError::Limit(exceeded) => {
                let hint = limit_hint(&exceeded.limit, limits_file);
                Self::new(ErrorKind::Limit, error).with_optional_hint(hint)
            }
            CallError::AddressSpace(error) => error.into(),
            CallError::Trap { .. } => Self::new(ErrorKind::Limit, error)
                .with_hint(format!("sesame extension logs {name}")),
            CallError::Fault(_) => Self::new(ErrorKind::Limit, error)
                .with_hint(format!("sesame extension logs {name}")),
            CallError::NoProgram => Self::new(ErrorKind::Usage, error)
                .with_hint(format!("see what can be called: sesame extension info {name}")),
            CallError::OutputClosed => Self::new(ErrorKind::Failure, error),
            CallError::NoWorkloads => Self::new(ErrorKind::Usage, error)
                .with_hint(format!("what it can do: sesame extension info {name}")),
            CallError::Exited { .. } => Self::new(ErrorKind::Failure, error)
                .with_hint(format!("sesame extension logs {name}")),
            CallError::Other(_) => Self::new(ErrorKind::Limit, error),
        }
    }

    /// Reports an error that the extension returned.
    pub fn returned_error(returned: &Returned) -> Self {
        let text = inert_line(&returned.to_text());
        let colon = if text.is_empty() { "" } else { ": " };
        Self::message(ErrorKind::Failure, format!("the extension returned an error{colon}{text}"))
    }

    /// Reports that the reader of a call's result is gone.
    pub fn unread_output() -> Self {
        let message = "the result is not written: the reader of standard output took nothing for \
                       the time that a call has (`timeout_ms`)";
        Self::message(ErrorKind::Limit, message)
            .with_hint("write it to a file, by `> FILE` behind the command")
    }

    /// Reports a directory that cannot be granted.
    pub fn of_directory(name: &ExtensionName, error: &DirectoryError) -> Self {
        let hint = match error {
            DirectoryError::Link { path, real } => {
                format!("if it is meant, grant `{}` itself and revoke `{path}`", real.display())
            }
            DirectoryError::SameGuestPath(_) => same_guest_path_hint(name),
            DirectoryError::Missing { .. }
            | DirectoryError::Open { .. }
            | DirectoryError::Protected { .. }
            | DirectoryError::NoHome { .. } => {
                format!("see what is granted: sesame extension info {name}")
            }
        };
        let is_local =
            matches!(error, DirectoryError::Open { .. } | DirectoryError::Missing { .. });
        let code = if is_local { ErrorKind::Local } else { ErrorKind::Refused };
        Self::new(code, error).with_hint(hint)
    }

    /// Adds the refusals of a call that ended with this error. They are the likely cause of an error
    /// or a crash, and never of a limit.
    pub fn with_refusals_of(
        self,
        error: &CallError,
        name: &ExtensionName,
        refused: &[&Touch],
    ) -> Self {
        match error {
            CallError::Limit(_) => self.listing_refusals(name, refused),
            _ => self.with_refusals(name, refused),
        }
    }

    /// Adds refusals that are the likely cause of the failure.
    pub fn with_refusals(self, name: &ExtensionName, refused: &[&Touch]) -> Self {
        let mut failure = self.listing_refusals(name, refused);
        if refused.is_empty() {
            return failure;
        }
        if matches!(failure.code, ExitCode::Failed(ErrorKind::Failure | ErrorKind::Limit)) {
            failure.code = ErrorKind::Refused.into();
        }
        match refused.iter().find_map(|touch| touch.grant()) {
            Some(grant) => failure.with_hint(format!("sesame extension grant {name} {grant}")),
            None => failure,
        }
    }

    /// Adds refusals without a word on the cause.
    fn listing_refusals(mut self, name: &ExtensionName, refused: &[&Touch]) -> Self {
        self.details.splice(0..0, refused.iter().map(|touch| refusal(name, touch)));
        self.about.refused = refused.iter().map(|touch| Refused::from(*touch)).collect();
        self
    }

    /// Adds the missing directories that a call looked for.
    pub fn with_missing(mut self, directories: &[String]) -> Self {
        self.details.extend(
            directories.iter().map(|path| format!("the directory `{path}` does not exist")),
        );
        self
    }

    /// Lists the callable functions under this title, and the others apart with the reason.
    fn listing(
        mut self,
        title: &str,
        name: &ExtensionName,
        functions: &[ExportedFunction],
    ) -> Self {
        let (callable, others): (Vec<_>, Vec<_>) =
            functions.iter().partition(|function| function.is_callable());
        if !callable.is_empty() || others.is_empty() {
            self.details.push(title.to_owned());
            self.details.extend(callable.iter().map(|function| format!("  {function}")));
        }
        if !others.is_empty() {
            self.details.push("these cannot be called:".to_owned());
            let reason =
                |function: &ExportedFunction| function.uncallable.as_ref().map(ToString::to_string);
            let line = |function: &&ExportedFunction| {
                format!("  {function}: {}", reason(function).unwrap_or_default())
            };
            self.details.extend(others.iter().map(line));
        }
        let example = callable.first().map(|function| example_of(name, function, functions));
        self.with_optional_hint(example)
    }

    /// Reports a call without a function.
    pub fn without_function(
        name: &ExtensionName,
        exports: &[ExportedFunction],
        is_program: bool,
    ) -> Self {
        let failure =
            Self::message(ErrorKind::Usage, format!("name the function of `{name}` to call"));
        let failure = failure.listing("these can be called:", name, exports);
        if is_program {
            failure.with_hint(format!("it is a program: sesame extension run {name}"))
        } else {
            failure
        }
    }
}

/// Returns the complete line of a call to this function, one of `all`.
fn example_of(
    name: &ExtensionName,
    function: &ExportedFunction,
    all: &[ExportedFunction],
) -> String {
    let is_only = all.iter().filter(|other| other.name == function.name).count() == 1;
    let called = if is_only { function.name.clone() } else { function.qualified_name() };
    let words = std::iter::once(called).chain(function.example_words());
    let words: Vec<_> = words.map(|word| shell_word(&word)).collect();
    format!("sesame extension call {name} {}", words.join(" "))
}

/// The hint for a registry that was reached over TLS before.
const INSECURE_HINT: &str =
    "remove `plain_http` for it from config.toml, or, if it is meant, add `--allow-plain-http`";

/// The number of lines of a guest's standard error in a message: enough for the end of a panic, and
/// within one screen.
const MAX_STDERR_LINES: usize = 10;

/// Returns the last lines of a guest, indented so that none looks like a line of ours.
fn last_lines(stderr_tail: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(stderr_tail);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let last = &lines[lines.len().saturating_sub(MAX_STDERR_LINES)..];
    let shown = last.iter().map(|line| format!("  {}", inert_line(line)));
    std::iter::once("the last lines of its stderr:".to_owned()).chain(shown).collect()
}

/// Describes a refusal and its reason.
pub fn refusal(name: &ExtensionName, touch: &Touch) -> String {
    let rule = touch.refusal.as_ref().map_or("not granted".to_owned(), ToString::to_string);
    format!("`{name}` may not use {}: {rule}", touch.request)
}

/// Returns the hint to list the directories and to change a guest path.
fn same_guest_path_hint(name: &ExtensionName) -> String {
    format!(
        "grant one of them under another path, as in `filesystem=read:~/notes::/notes`; see what is granted: sesame extension info {name}"
    )
}

fn signature_hint(name: &ExtensionName, refusal: &SignatureRefusal) -> String {
    match refusal {
        SignatureRefusal::Required { repository, .. } => {
            format!(
                "if you have its maker's key: sesame trust add KEY.pub --for {repository}; then, if it is installed: sesame \
                 extension verify {name}"
            )
        }
        SignatureRefusal::Changed { .. } => {
            format!("if its maker says why: sesame trust accept {name}")
        }
    }
}

fn state_file_hint(error: &StateFileError) -> Option<String> {
    match error {
        StateFileError::Newer { .. } => Some("use the newer sesame that wrote it".to_owned()),
        StateFileError::Damaged { path, .. } => {
            Some(format!("move `{}` away: what it says is lost, and nothing else", path.display()))
        }
        StateFileError::Io { .. } => None,
    }
}

fn timed_hint(error: &TimedGrantsError) -> Option<String> {
    match error {
        TimedGrantsError::NoSession => {
            Some("leave out `--for` and `--until`, or set XDG_RUNTIME_DIR".to_owned())
        }
        TimedGrantsError::NotOurs { path } | TimedGrantsError::Content { path, .. } => Some(
            format!("remove `{}`: what is granted for a while is lost with it", path.display()),
        ),
        TimedGrantsError::Io { .. } => None,
    }
}

/// Returns whether the installed extension came in a bundle and the wanted one is in a registry.
fn is_unconfirmed(installed: &Identity, wanted: &Identity) -> bool {
    installed.as_str().starts_with("local/bundle/") && !wanted.as_str().starts_with("local/")
}

/// Returns the option that makes `install` use this name where it would choose another.
pub fn name_option(name: &ExtensionName, reference: &OciReference) -> String {
    let is_default = reference.default_name().is_ok_and(|default| default == *name);
    if is_default { String::new() } else { format!(" --name {name}") }
}

/// Returns the key and file by which a limit can be raised.
fn limit_hint(limit: &Limit, manifest: &Path) -> Option<String> {
    let key = limit.name.key()?;
    Some(match &limit.origin {
        LimitOrigin::Policy(policy) => {
            format!("`{key}` in the policy `{}` is the highest value allowed", policy.display())
        }
        _ => format!("raise `{key}` under [limits] in `{}`", manifest.display()),
    })
}

fn manifest_hint(error: &ManifestError) -> String {
    match error {
        ManifestError::Read { path, .. } | ManifestError::Content { path, .. } => {
            format!("mend `{}` with an editor", path.display())
        }
        ManifestError::Linked(linked) => linked_hint(linked),
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
