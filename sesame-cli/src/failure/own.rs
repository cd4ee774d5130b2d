//! Failures that arise in the binary itself.

use std::error::Error;
use std::io;
use std::path::Path;

use core_types::{
    Capabilities, ErrorKind, ExtensionName, Grant, OciReference, SettingError, shell_word,
};
use extension_host::WitError;

use super::Failure;
use crate::project::Project;
use crate::terminal::escape_to_line;

impl Failure {
    /// Reports a file or directory of the user that is missing or cannot be read.
    pub fn unreadable(path: &Path, error: io::Error) -> Self {
        let code = if error.kind() == io::ErrorKind::NotFound {
            ErrorKind::NotFound
        } else {
            ErrorKind::Local
        };
        Self::message(code, format!("cannot read `{}`", path.display())).caused_by(error)
    }

    /// Reports a file or directory of the user that cannot be written.
    pub fn unwritable(path: &Path, error: io::Error) -> Self {
        Self::message(ErrorKind::Local, format!("cannot write `{}`", path.display()))
            .caused_by(error)
    }

    /// Reports interfaces of a project that cannot be parsed.
    pub fn bad_interfaces(directory: &Path, error: WitError) -> Self {
        Self::message(
            ErrorKind::Usage,
            format!("the interfaces in `{}` cannot be understood", directory.display()),
        )
        .caused_by(error)
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
        Self::message(ErrorKind::Usage, message)
            .with_detail("to take the version from the tag: add `--version-from-tag`")
            .with_hint(format!(
                "sesame extension publish {}:{stated}",
                reference.repository_query()
            ))
    }

    /// Adds the hint for a project that cannot be built here before it is published.
    pub fn of_build_to_publish(self, project: &Project) -> Self {
        let built = project.built();
        if !built.is_file() {
            return self;
        }
        self.with_detail(format!(
            "to publish `{}` as it is, even if it does not match the sources: add `--no-build`",
            built.display()
        ))
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
    pub fn of_setting(name: &ExtensionName, error: SettingError) -> Self {
        Self::new(ErrorKind::Usage, error)
            .with_hint(format!("see its settings: sesame extension set {name} --list"))
    }

    /// Reports a part of a permission that is not granted as such, while other parts, which may
    /// cover it, are.
    pub fn no_such_part(name: &ExtensionName, grant: &Grant, there: &Capabilities) -> Self {
        let capability = grant.capability();
        Self::message(ErrorKind::Refused, format!("`{name}` was not granted {grant} as such"))
            .with_detail("these may cover it:")
            .with_details(there.of(capability).map(|part| format!("  {part}")))
            .with_hint(format!("sesame extension revoke {name} {capability}"))
    }
}
