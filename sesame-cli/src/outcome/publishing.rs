//! A published artifact, and its documentation.

use core_types::OciReference;

/// The outcome of publishing.
pub enum Published {
    /// It is there now, or was before.
    Now(extension_depot::registry::Published),
    /// `--dry-run`: the plan, and the exact bytes of its image manifest.
    Planned { reference: OciReference, manifest: String },
}

/// A page of documentation.
pub struct DocsPage {
    pub page: extension_depot::Page,
    /// The paths of all pages.
    pub pages: Vec<String>,
    /// Whether it is shown as it was written.
    pub raw: bool,
}
