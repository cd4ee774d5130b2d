//! What the user is told when something cannot be done: the error, one hint, an exit code. The only place that
//! decides these.

mod conversions;

use std::error::Error;
use std::io;
use std::path::Path;

use core_types::{
    Capabilities, Capability, ExtensionName, Grant, Limit, LimitOrigin, NameError, OciQuery, OciReference, Request,
    Touch, VersionReq,
};
use extension_depot::{
    ArtifactError, BlobError, DepotError, ManifestError, PlaceError, SignatureRefusal, Source, StateFileError,
    TimedGrantsError,
};
use extension_host::{CallError, DirectoryError, ExportedFunction, HostError, Refusal, Returned};

use crate::exit_code::ExitCode;
use crate::outcome::Denied;
use crate::terminal::inert_line;

/// A failure as it is shown.
#[derive(Debug)]
pub struct Failure {
    /// What failed.
    pub message: String,
    /// Why, from the outside in.
    pub causes: Vec<String>,
    /// More that helps, such as what can be called.
    pub details: Vec<String>,
    /// One command or action that helps.
    pub hint: Option<String>,
    /// What the shell is told.
    pub code: ExitCode,
}

impl Failure {
    /// A failure from an error and its causes.
    pub fn new(code: ExitCode, error: &dyn Error) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        Self { message: error.to_string(), causes, details: Vec::new(), hint: None, code }
    }

    /// A failure without a cause.
    pub fn message(code: ExitCode, message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new(), details: Vec::new(), hint: None, code }
    }

    /// The same failure with its cause.
    pub fn caused_by(mut self, cause: &dyn Error) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// The same failure with a hint.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn with_optional_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The message with its causes, for places that have one line.
    pub fn in_one_line(&self) -> String {
        std::iter::once(&self.message)
            .chain(&self.causes)
            .map(|text| crate::render::first_line(text))
            .collect::<Vec<_>>()
            .join(": ")
    }

    /// A file or directory that the user named is not there or cannot be read.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        let code = if error.kind() == io::ErrorKind::NotFound { ExitCode::NotFound } else { ExitCode::Local };
        Self::message(code, format!("cannot read `{}`", path.display())).caused_by(error)
    }

    /// There is nowhere to keep anything.
    pub fn no_home() -> Self {
        Self::message(ExitCode::Local, "there is no home directory").with_hint("set HOME to an absolute path")
    }

    /// A directory of sesame's is somebody else's.
    pub fn place(error: &PlaceError) -> Self {
        Self::new(ExitCode::Local, error).with_hint("sesame doctor")
    }

    /// The tag led to other bytes when the extension was installed.
    pub fn tag_moved(name: &ExtensionName, installed: &OciReference, found: &OciReference) -> Self {
        let message = format!("the tag `{}` has moved since `{name}` was installed", installed.revision());
        let mut failure = Self::message(ExitCode::Untrusted, message);
        failure.details = vec![format!("installed: {installed}"), format!("found:     {found}")];
        failure.with_hint(format!(
            "if its maker says why, take the new one: sesame extension install {found}{}",
            name_option(name, found)
        ))
    }

    /// There is nothing that could be meant.
    pub fn nothing_to_publish() -> Self {
        Self::message(ExitCode::Usage, "there is nothing to publish: this directory has no `extension.toml`")
            .with_hint("name the file: sesame extension publish REFERENCE FILE.wasm")
    }

    /// The same failure, of something that stands in this file.
    pub fn in_file(mut self, path: &Path) -> Self {
        self.message = format!("`{}`: {}", path.display(), self.message);
        self
    }

    /// A bundle names where something came from, and nothing shows that it did.
    pub fn unproven_origin(name: &ExtensionName, claimed: &OciReference) -> Self {
        let message = format!("nothing shows that the `{name}` of this bundle came from `{}`", claimed.identity());
        Self::message(ExitCode::Untrusted, message).with_hint(format!(
            "install it from there: sesame extension install {claimed}{}",
            name_option(name, claimed)
        ))
    }

    /// A file is no bundle.
    pub fn no_bundle(path: &Path) -> Self {
        let path = path.display();
        Self::message(ExitCode::Failure, format!("`{path}` has no extensions that `sesame extension export` put there"))
            .with_hint(format!("install an entry of it: sesame extension install oci:{path} --name NAME"))
    }

    /// The binary of an installed extension is missing or not what it was.
    pub fn damaged_binary(name: &ExtensionName, error: &BlobError) -> Self {
        Self::new(ExitCode::Local, error).with_hint(format!("sesame extension verify --repair {name}"))
    }

    /// A range of versions was given for one thing.
    pub fn version_of_no_repository(source: &Source) -> Self {
        let message =
            format!("`--version` chooses among the tags of a repository, and `{source}` is one thing already");
        Self::message(ExitCode::Usage, message).with_hint("leave out the tag, or `--version`")
    }

    /// A repository has no tag that is a version, or none in the range.
    pub fn no_version(repository: &OciQuery, wanted: Option<&VersionReq>, tags: &[String]) -> Self {
        let within = wanted.map(|wanted| format!(" in `{wanted}`")).unwrap_or_default();
        let mut failure = Self::message(ExitCode::NotFound, format!("`{repository}` has no version{within}"));
        if let Some(tag) = tags.first() {
            let shown: Vec<_> = tags.iter().take(10).map(String::as_str).collect();
            failure.details.push(format!("its tags are: {}", shown.join(" ")));
            failure.hint = Some(format!("name a tag: sesame extension install {repository}:{tag}"));
        }
        failure
    }

    /// A newer version asks for more than the one that is installed.
    pub fn asks_for_more(name: &ExtensionName, to: &str, missing: &[Denied]) -> Self {
        let message = format!("`{name}` {to} asks for more than the installed version; that one stays");
        let mut failure = Self::message(ExitCode::Refused, message);
        failure.details = missing.iter().map(|denied| format!("it asks for {}", denied.grant)).collect();
        let all = missing.iter().map(|denied| denied.grant.as_str());
        let unscoped: Vec<_> = all.filter(|grant| grant.ends_with("=SCOPE")).collect();
        failure.with_hint(if unscoped.is_empty() {
            format!("sesame extension update {name} --accept-new-capabilities")
        } else {
            format!("say how far it may reach, then update: sesame extension grant {name} {}", unscoped.join(" "))
        })
    }

    /// A tag leads to other bytes than those that are installed, and the user wants the same.
    pub fn moved_while_locked(name: &ExtensionName, installed: &OciReference) -> Self {
        let message = format!("the tag `{}` of `{name}` leads to other bytes by now", installed.revision());
        Self::message(ExitCode::Untrusted, message)
            .with_hint(format!("take them: leave out `--locked`: sesame extension update {name}"))
    }

    /// An older version than the one that is installed.
    pub fn downgrade(name: &ExtensionName, installed: &OciReference, found: &OciReference) -> Self {
        let message = format!("{} is older than the installed {} of `{name}`", found.revision(), installed.revision());
        Self::message(ExitCode::Untrusted, message)
            .with_hint(format!("if it is meant, add `--allow-downgrade`, or: sesame extension rollback {name}"))
    }

    /// The source gives no name.
    pub fn no_name(error: &NameError) -> Self {
        Self::new(ExitCode::Usage, error).with_hint("choose a name: add `--name NAME`")
    }

    /// The user wants no extension to be called.
    pub fn safe_mode() -> Self {
        Self::message(ExitCode::Refused, "no extension is called in safe mode").with_hint("unset SESAME_SAFE_MODE")
    }

    /// Something about the installed extension of this name.
    pub fn of_extension(name: &ExtensionName, error: &DepotError) -> Self {
        let (code, hint) = match error {
            DepotError::NotFound { .. } => (ExitCode::NotFound, Some("sesame extension list".to_owned())),
            DepotError::NotInstalled { reference: Some(reference), .. } => (
                ExitCode::NotFound,
                Some(format!("sesame extension install {reference}{}", name_option(name, reference))),
            ),
            DepotError::NotInstalled { reference: None, .. } => {
                (ExitCode::NotFound, Some(format!("sesame extension install REFERENCE --name {name}")))
            }
            DepotError::Artifact { reference, .. } if reference.is_local() => {
                (ExitCode::Local, Some(format!("sesame extension install FILE --name {name}")))
            }
            DepotError::CapabilitiesChanged { .. } | DepotError::Changed { .. } => (ExitCode::Local, None),
            DepotError::Artifact { source: ArtifactError::Blob(BlobError::Missing { .. }), .. } => {
                (ExitCode::Local, Some("sesame extension sync".to_owned()))
            }
            DepotError::Artifact { .. } => (ExitCode::Local, Some(format!("sesame extension verify --repair {name}"))),
            DepotError::OtherSource { .. } => {
                (ExitCode::Refused, Some("install it beside the other: add `--name NAME`".to_owned()))
            }
            DepotError::Disabled { .. } => (ExitCode::Refused, Some(format!("sesame extension enable {name}"))),
            DepotError::Quarantined { .. } => (
                ExitCode::Refused,
                Some(format!("see `sesame extension logs {name}`, then: sesame extension enable {name}")),
            ),
            DepotError::Policy(refusal) => return refusal.clone().into(),
            DepotError::Insecure { .. } => (
                ExitCode::Untrusted,
                Some(
                    "remove `plain_http` for it from config.toml, or, if it is meant, add `--allow-plain-http`"
                        .to_owned(),
                ),
            ),
            DepotError::Trust(error) => return error.as_ref().into(),
            DepotError::Signature(refusal) => (ExitCode::Untrusted, Some(signature_hint(name, refusal))),
            DepotError::State(error) => (ExitCode::Local, state_file_hint(error)),
            DepotError::GenerationGone { .. } => {
                (ExitCode::Local, Some(format!("what can be gone back to: sesame extension history {name}")))
            }
            DepotError::Timed(error) => (ExitCode::Local, timed_hint(error)),
            DepotError::Manifest(error) => (ExitCode::Local, Some(manifest_hint(error))),
            DepotError::Lock(error) => return error.into(),
            DepotError::Staging(_) | DepotError::Activity(_) | DepotError::Io { .. } => (ExitCode::Local, None),
        };
        Self::new(code, error).with_optional_hint(hint)
    }

    /// The extension of this name does not start.
    pub fn of_host(name: &ExtensionName, error: &HostError) -> Self {
        match error {
            HostError::Refused(refusals) => Self::refused(name, refusals),
            HostError::Engine(_) => Self::new(ExitCode::Local, error),
            HostError::NotWasm { .. } | HostError::Compile(_) => Self::new(ExitCode::Failure, error),
            HostError::Load(_) => Self::new(ExitCode::Local, error),
            HostError::Link(_) => Self::new(ExitCode::Refused, error)
                .with_hint("it was built for another version of these interfaces; ask its author"),
            HostError::Exports { .. } => {
                Self::new(ExitCode::Usage, error).with_hint("what a module of Suffiks exports: docs/wasi-runtime.md")
            }
        }
    }

    /// A part of a permission that is not there as such, while other parts are, which may cover it.
    pub fn no_such_part(name: &ExtensionName, grant: &Grant, there: &Capabilities) -> Self {
        let capability = grant.capability();
        let parts = there.grants_in_full().into_iter().filter(|part| part.capability() == capability);
        let mut failure = Self::message(ExitCode::Refused, format!("`{name}` was not granted {grant} as such"));
        failure.details.push("these may cover it:".to_owned());
        failure.details.extend(parts.map(|part| format!("  {part}")));
        failure.with_hint(format!("sesame extension revoke {name} {capability}"))
    }

    /// A capability that the manifest grants and a policy takes away.
    pub fn denied_by_policy(name: &ExtensionName, capability: Capability, policy: &Path) -> Self {
        let message = format!("policy denies `{name}` the capability `{capability}`, which it needs");
        Self::message(ExitCode::Refused, message)
            .with_hint(format!("`deny` in `{}` names what no extension has", policy.display()))
    }

    fn refused(name: &ExtensionName, refusals: &[Refusal]) -> Self {
        let mut failure = Self::message(ExitCode::Refused, format!("`{name}` does not get what it needs"));
        failure.details = refusals.iter().map(ToString::to_string).collect();
        let grantable = |refusal: &Refusal| match refusal {
            Refusal::NotGranted { capability, .. } => Some(Request::Import(*capability).grant_text()),
            Refusal::Unknown { .. } => None,
        };
        let missing: Option<Vec<_>> = refusals.iter().map(grantable).collect();
        failure.with_hint(match missing {
            Some(capabilities) => format!("sesame extension grant {name} {}", capabilities.join(" ")),
            None => "it needs another version of sesame; ask its author which".to_owned(),
        })
    }

    /// A call gave no value. `limits_file` is where the limits of the extension are written.
    pub fn of_call(name: &ExtensionName, error: &CallError, limits_file: &Path) -> Self {
        match error {
            CallError::NoSuchFunction { exports, .. } => {
                Self::new(ExitCode::NotFound, error).listing("these can be called:", name, exports)
            }
            CallError::Ambiguous { candidates, .. } => {
                Self::new(ExitCode::NotFound, error).listing("these have the name:", name, candidates)
            }
            CallError::Argument(_) | CallError::Uncallable { .. } => {
                Self::new(ExitCode::Usage, error).with_hint(format!("sesame extension info {name}"))
            }
            CallError::Directory(error) => Self::of_directory(name, error),
            CallError::Limit(exceeded) => {
                let hint = limit_hint(&exceeded.limit, limits_file);
                Self::new(ExitCode::Limit, error).with_optional_hint(hint)
            }
            CallError::Trap { .. } => {
                Self::new(ExitCode::Limit, error).with_hint(format!("sesame extension logs {name}"))
            }
            CallError::Fault(_) => Self::new(ExitCode::Limit, error).with_hint(format!("sesame extension logs {name}")),
            CallError::NoWorkloads => {
                Self::new(ExitCode::Usage, error).with_hint(format!("what it can do: sesame extension info {name}"))
            }
            CallError::Exited { .. } => {
                Self::new(ExitCode::Failure, error).with_hint(format!("sesame extension logs {name}"))
            }
            CallError::Other(_) => Self::new(ExitCode::Limit, error),
        }
    }

    /// The extension returned an error.
    pub fn returned_error(returned: &Returned) -> Self {
        let text = inert_line(&returned.to_text());
        let colon = if text.is_empty() { "" } else { ": " };
        Self::message(ExitCode::Failure, format!("the extension returned an error{colon}{text}"))
    }

    /// A directory that an extension cannot be let into.
    pub fn of_directory(name: &ExtensionName, error: &DirectoryError) -> Self {
        let hint = match error {
            DirectoryError::Link { path, real } => {
                format!("if it is meant, grant `{}` itself and revoke `{path}`", real.display())
            }
            DirectoryError::Open { .. } | DirectoryError::Protected { .. } | DirectoryError::NoHome { .. } => {
                format!("see what is granted: sesame extension info {name}")
            }
        };
        let code = if matches!(error, DirectoryError::Open { .. }) { ExitCode::Local } else { ExitCode::Refused };
        Self::new(code, error).with_hint(hint)
    }

    /// The same failure, for a call that was refused something: that is the likely cause.
    pub fn with_refusals(mut self, name: &ExtensionName, refused: &[&Touch]) -> Self {
        if refused.is_empty() {
            return self;
        }
        if matches!(self.code, ExitCode::Failure | ExitCode::Limit) {
            self.code = ExitCode::Refused;
        }
        self.details.extend(refused.iter().map(|touch| refusal(name, touch)));
        let grant = refused.iter().find_map(|touch| touch.grant.as_ref());
        self.with_optional_hint(grant.map(|grant| format!("sesame extension grant {name} {grant}")))
    }

    /// Lists the functions that can be called under this title, and apart from them the others with the reason.
    fn listing(mut self, title: &str, name: &ExtensionName, functions: &[ExportedFunction]) -> Self {
        let (callable, others): (Vec<_>, Vec<_>) = functions.iter().partition(|function| function.is_callable());
        if !callable.is_empty() || others.is_empty() {
            self.details.push(title.to_owned());
            self.details.extend(callable.iter().map(|function| format!("  {function}")));
        }
        if !others.is_empty() {
            self.details.push("these cannot be called:".to_owned());
            let reason = |function: &ExportedFunction| function.uncallable.as_ref().map(ToString::to_string);
            let line = |function: &&ExportedFunction| format!("  {function}: {}", reason(function).unwrap_or_default());
            self.details.extend(others.iter().map(line));
        }
        let example = callable.first().map(|function| function.qualified_name());
        self.with_optional_hint(example.map(|function| format!("sesame extension call {name} '{function}'")))
    }
}

/// What an extension was refused, and why.
pub fn refusal(name: &ExtensionName, touch: &Touch) -> String {
    format!("`{name}` may not use {}: {}", touch.what, touch.rule.as_deref().unwrap_or("not granted"))
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
        TimedGrantsError::NoSession => Some("leave out `--for` and `--until`, or set XDG_RUNTIME_DIR".to_owned()),
        TimedGrantsError::NotOurs { path } | TimedGrantsError::Content { path, .. } => {
            Some(format!("remove `{}`: what is granted for a while is lost with it", path.display()))
        }
        TimedGrantsError::Io { .. } => None,
    }
}

/// What makes `install` use this name, where it would choose another.
pub fn name_option(name: &ExtensionName, reference: &OciReference) -> String {
    let is_default = reference.default_name().is_ok_and(|default| default == *name);
    if is_default { String::new() } else { format!(" --name {name}") }
}

/// Where a limit can be raised, by whom it can be raised.
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
    }
}
