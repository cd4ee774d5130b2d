//! A failure: what it consists of, and those that arise in the binary itself.

use std::error::Error;
use std::io;
use std::path::Path;

use core_types::{
    Capabilities, ErrorKind, ExtensionName, Grant, OciReference, SettingError, Touch, plain_message,
};
use extension_depot::PlaceError;
use extension_host::WitError;
use schemars::JsonSchema;
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::outcome::Denied;
use crate::project::Project;
use crate::terminal::{escape_to_line, first_line, shell_word};

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
    pub(super) unknown: Option<ExtensionName>,
}

/// A permission that an extension was refused.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
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
            let reason = plain_message(&error.to_string());
            // Wrappers of libraries repeat the message of the wrapped error.
            if causes.last() != Some(&reason) {
                causes.push(reason);
            }
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
        self.causes.push(plain_message(&cause.to_string()));
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

    pub(super) fn with_optional_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// Returns the message with its causes, for places that have one line.
    pub fn in_one_line(&self) -> String {
        std::iter::once(&self.message)
            .chain(&self.causes)
            .map(|text| first_line(text))
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

    /// Reports a key that would overwrite another.
    pub fn key_is_there(path: &Path, name: &Path) -> Self {
        Self::message(
            ErrorKind::Local,
            format!("`{}` already exists, and keys are never replaced", path.display()),
        )
        .with_hint(format!(
            "create one of another name: sesame trust keygen {}",
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
            format!("`{name}` is an installed extension, which `dev` does not replace"),
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
            .push("to take the version from the tag: add `--version-from-tag`".to_owned());
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
                "to publish `{built}` as it is, even if it does not match the sources: add `--no-build`"
            ));
        }
        self
    }

    /// Adds the file that the failure is about.
    pub fn in_file(mut self, path: &Path) -> Self {
        self.message = format!("`{}`: {}", path.display(), self.message);
        self
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

    /// Reports text that is neither a reference nor a source.
    pub fn mistyped(text: &str, problem: &dyn Error) -> Self {
        Self::message(ErrorKind::Usage, format!("`{}`: {problem}", escape_to_line(text)))
    }

    /// Reports a setting that cannot be set.
    pub fn of_setting(name: &ExtensionName, error: &SettingError) -> Self {
        Self::new(ErrorKind::Usage, error)
            .with_hint(format!("see its settings: sesame extension set {name} --list"))
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
}
