//! Failures of installs, which updates, rollbacks, imports and syncs have as well.

use core_types::{ErrorKind, ExtensionName, OciQuery, grant_command, newest_tag, shell_word};
use extension_depot::WebAddress;
use extension_manager::{
    Denied, DirectoryGrantError, EvidenceError, ExamineError, InstallError, SourceForm, TagMoved,
};

use super::Failure;
use super::depot::name_option;
use super::help::{Explain, Help, Refused};
use crate::terminal::escape_to_line;

/// What tells apart those who want to replace local bytes from those who want both.
pub(super) const REPLACE_OR_BOTH: &str = "replacing them keeps their grants, settings and secrets; to keep both, choose another `--name`";

/// How many tags are shown where none is a version: those of a screen.
const MAX_TAGS: usize = 10;

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        match error {
            // Told without the name in front.
            InstallError::Directory { name, source } => Self::of_directory(&name, *source),
            InstallError::Examine(error) => error.into(),
            InstallError::Download(error) => Self::from(*error),
            error => {
                let help = install_help(&error);
                Self::with_help(error, help)
            }
        }
    }
}

fn install_help(error: &InstallError) -> Help {
    match error {
        InstallError::Form(form) => form_help(form, "install"),
        InstallError::NoName(_) => {
            Help::new(ErrorKind::Usage).with_hint("choose a name: add `--name NAME` to `install`")
        }
        InstallError::Runtime(_) => Help::new(ErrorKind::Local),
        InstallError::Reference(_) => Help::new(ErrorKind::Usage),
        InstallError::Tag(_) => Help::new(ErrorKind::Network),
        InstallError::VersionOfOneThing { .. } => {
            Help::new(ErrorKind::Usage).with_hint("leave out the tag, or `--version`")
        }
        InstallError::NoVersion { repository, tags, .. } => {
            with_tags(Help::new(ErrorKind::NotFound), repository, tags)
        }
        InstallError::TagMoved(moved) => moved.help(),
        InstallError::Downgrade(downgrade) => Help::new(ErrorKind::Untrusted).with_hint(format!(
            "to do it anyway, add `--allow-downgrade`, or: sesame extension rollback {}",
            downgrade.name
        )),
        InstallError::ReplacedByRegistry(replaced) => {
            let (name, source) = (&replaced.name, shell_word(&replaced.origin.to_string()));
            Help::new(ErrorKind::Usage).with_hint(format!(
                "sesame extension remove {name} && sesame extension install {source} --name {name}"
            ))
        }
        InstallError::OtherFile { name, origin, sha256, .. } => {
            let sha256 = sha256.map(|sha256| format!(" --sha256 {sha256}")).unwrap_or_default();
            let source = shell_word(&origin.to_string());
            Help::new(ErrorKind::Refused)
                .with_detail(REPLACE_OR_BOTH)
                .with_hint(format!("sesame extension install {source}{sha256} --replace {name}"))
        }
        InstallError::NotReplaced { .. } | InstallError::Declined { .. } => {
            Help::new(ErrorKind::Refused)
        }
        InstallError::NotAllowed { missing, .. } => {
            Help { refused: refused(missing), ..Help::new(ErrorKind::Refused) }
        }
        InstallError::AsksForMore { name, missing, .. } => asking_for_more(name, missing),
        InstallError::Trust(error) => error.help(),
        InstallError::TrustSigner(error) => error.help(),
        InstallError::Lock(error) => error.help(),
        InstallError::Basis(error) => error.help(),
        InstallError::Manifest(error) => error.help(),
        InstallError::State(error) => error.help(),
        InstallError::Installed(error) => error.help(),
        InstallError::OtherSource(error) => error.help(),
        InstallError::Transport(error) => error.help(),
        InstallError::Signer(error) => error.help(),
        InstallError::Changed(error) => error.help(),
        InstallError::Commit(error) => error.help(),
        InstallError::Restore(error) => error.help(),
        InstallError::Repair(error) => error.help(),
        InstallError::Layout(error) => error.help(),
        InstallError::Grant(error) => error.help(),
        InstallError::TimedGrants(error) => error.help(),
        InstallError::SessionGrants(error) => error.help(),
        InstallError::Policy(error) => error.help(),
        InstallError::Source(error) => error.help(),
        InstallError::Registry(error) => error.help(),
        _ => Help::new(ErrorKind::Failure),
    }
}

impl Explain for TagMoved {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Untrusted)
            .with_detail(format!("installed: {}", self.installed))
            .with_detail(format!("found:     {}", self.found))
            .with_hint(format!(
                "if the publisher announced the change, install the new digest: sesame extension install {}{}",
                self.found,
                name_option(&self.name, &self.found)
            ))
    }
}

impl Failure {
    /// Reports a source that cannot be used in the form in which `command` was given it.
    pub fn of_form(error: SourceForm, command: &str) -> Self {
        let help = form_help(&error, command);
        Self::with_help(error, help)
    }

    /// Reports directories that cannot be granted to this extension.
    pub fn of_directory_grant(name: &ExtensionName, error: DirectoryGrantError) -> Self {
        match error {
            DirectoryGrantError::Directory(error) => Self::of_directory(name, error),
            DirectoryGrantError::TimedGrants(error) => error.into(),
        }
    }
}

fn form_help(error: &SourceForm, command: &str) -> Help {
    let help = Help::new(ErrorKind::Usage);
    match error {
        SourceForm::ReferenceWithScheme { reference, .. } => {
            help.with_hint(format!("sesame extension {command} {reference}"))
        }
        SourceForm::DownloadWithoutDigest { address } => without_digest(help, address, command),
        SourceForm::Local { .. } => {
            help.with_hint(format!("name the file: sesame extension {command} ./FILE.wasm"))
        }
        SourceForm::DigestOfNoFile { .. } => help.with_hint(
            "pin a reference with the digest of its manifest instead: REFERENCE@sha256:DIGEST",
        ),
    }
}

/// Adds the ways to download a file whose digest is missing.
fn without_digest(help: Help, address: &WebAddress, command: &str) -> Help {
    let file = escape_to_line(address.file_name());
    let by_hand = format!(
        "download it yourself, then: sesame extension {command} {}",
        shell_word(&format!("./{file}"))
    );
    let repository = address.as_repository().map(|repository| {
        format!("if it is a repository: sesame extension {command} {repository}")
    });
    help.with_detail(by_hand).with_details(repository).with_hint(format!(
        "add the expected digest: sesame extension {command} {} --sha256 DIGEST",
        shell_word(&address.to_string())
    ))
}

/// Adds the tags of a repository in which none is the version that is wanted.
fn with_tags(help: Help, repository: &OciQuery, tags: &[String]) -> Help {
    let all = || tags.iter().map(String::as_str);
    let Some(tag) = newest_tag(all(), false).or(all().next()) else { return help };
    let shown: Vec<_> = tags.iter().take(MAX_TAGS).map(String::as_str).collect();
    help.with_detail(format!("its tags are: {}", shown.join(" ")))
        .with_hint(format!("name a tag: sesame extension install {repository}:{tag}"))
}

/// Lists the further requests of a newer version.
fn asking_for_more(name: &ExtensionName, missing: &[Denied]) -> Help {
    let line = |denied: &Denied| {
        let rule = denied.policy.as_ref().map(|rule| format!(", and {rule}")).unwrap_or_default();
        format!("it asks for {}{rule}", denied.request())
    };
    let unscoped = missing.iter().filter(|denied| denied.is_example && denied.policy.is_none());
    let unscoped: Vec<_> = unscoped.map(|denied| denied.grant.as_str()).collect();
    let help = Help { refused: refused(missing), ..Help::new(ErrorKind::Refused) };
    help.with_details(missing.iter().map(line)).with_hint(if unscoped.is_empty() {
        format!("sesame extension update {name} --accept-new-capabilities")
    } else {
        format!("grant a scope, as here, then update: {}", grant_command(name, unscoped))
    })
}

fn refused(missing: &[Denied]) -> Vec<Refused> {
    missing.iter().map(Refused::from).collect()
}

impl From<ExamineError> for Failure {
    fn from(error: ExamineError) -> Self {
        match error {
            ExamineError::Damaged { name, source } => Self::damaged_binary(&name, source),
            ExamineError::Host { name, source } => Self::of_host(&name, *source),
            ExamineError::Code(error) => Self::from(*error),
            ExamineError::Events(error) => Self::new(ErrorKind::Failure, error),
            ExamineError::Requests(error) => error.into(),
        }
    }
}

impl Explain for EvidenceError {
    fn help(&self) -> Help {
        match self {
            Self::Trust(error) => error.help(),
            Self::Runtime(error) => error.help(),
        }
    }
}
