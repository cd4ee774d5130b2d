//! Failures of projects, documents and resources, which are an author's.

use std::io;

use core_types::ErrorKind;

use super::help::{Explain, Help};
use crate::project::{BuildError, MissingTool, ProjectError};
use crate::suffiks::{ResourceDirectoryError, document::DocumentError};

impl Explain for DocumentError {
    fn help(&self) -> Help {
        let code = match self {
            DocumentError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            DocumentError::Read { .. } => ErrorKind::Local,
            DocumentError::Parse { .. } => ErrorKind::Usage,
        };
        Help::new(code)
    }
}

impl Explain for BuildError {
    fn help(&self) -> Help {
        match self {
            BuildError::NoLanguage => Help::new(ErrorKind::Usage)
                .with_hint("say so in extension.toml: [build] language = \"rust\""),
            BuildError::NoKind(_) => Help::new(ErrorKind::Usage),
            BuildError::MissingTools(missing) => {
                with_installation(Help::new(ErrorKind::NotFound), missing)
            }
            _ => Help::new(ErrorKind::Failure),
        }
    }
}

/// Adds the commands that install missing tools: as one line to paste, after the places where that
/// is explained.
fn with_installation(help: Help, missing: &[MissingTool]) -> Help {
    let is_explained = |tool: &&MissingTool| tool.install.contains("https://");
    let (explained, commands): (Vec<_>, Vec<_>) = missing.iter().partition(is_explained);
    if let ([tool], []) = (&explained[..], &commands[..]) {
        return help.with_hint(format!("install it: {}", tool.install));
    }
    let line = |tool: &&MissingTool| format!("`{}`: {}", tool.title, tool.install);
    let help = help.with_details(explained.iter().map(line));
    if commands.is_empty() {
        return help.with_hint("install them as described there");
    }
    let commands: Vec<_> = commands.iter().map(|tool| tool.install).collect();
    help.with_hint(format!("install {}: {}", them(commands.len()), commands.join(" && ")))
}

fn them(count: usize) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

impl Explain for ProjectError {
    fn help(&self) -> Help {
        let code = if matches!(self, ProjectError::Read { .. }) {
            ErrorKind::Local
        } else {
            ErrorKind::Usage
        };
        Help::new(code)
    }
}

impl Explain for ResourceDirectoryError {
    fn help(&self) -> Help {
        match self {
            ResourceDirectoryError::Document(error) => error.help(),
            ResourceDirectoryError::NoResource { .. } | ResourceDirectoryError::Twice { .. } => {
                Help::new(ErrorKind::Usage)
            }
            ResourceDirectoryError::Io { .. } => Help::new(ErrorKind::Local),
        }
    }
}
