//! The projects of authors: the languages that they are written in, as the folders of `templates`
//! describe them, the files of new ones, and how one is built of which sources.

mod distribution;
mod event_sample;
mod language;
mod project_file;
mod recipe;
mod sources;
mod template;
mod words;

pub use language::{Language, ProjectKind};
pub use project_file::{FILE, Project, ProjectError, ProjectFile, version_in};
pub use recipe::{BuildError, MissingTool, Recipe};
pub use sources::{Made, Sources, is_built, is_lock, note_built};
pub use template::{NewProject, files};
