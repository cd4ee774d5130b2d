//! The terms of a sync.

/// On which terms extensions are brought into line.
///
/// ```no_run
/// use extension_manager::{Installer, ListSource, SyncOptions};
///
/// # fn plan(installer: &Installer<'_>) -> Result<(), Box<dyn std::error::Error>> {
/// let list = ListSource::Published("ghcr.io/my-org/desktop-set:stable".parse()?);
/// let options = SyncOptions { plan_only: true, ..SyncOptions::default() };
/// for step in installer.sync(Some(&list), &options)? {
///     println!("{}: {}", step.name, step.state.name());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SyncOptions {
    /// Whether nothing changes.
    pub plan_only: bool,
    /// Whether only pinned entries are accepted, and only an unchanged list.
    pub locked: bool,
    /// Whether extensions that the list dropped are removed.
    pub prune: bool,
    /// Whether things can come without TLS where others came with it.
    pub allow_plain_http: bool,
    /// Whether older versions can take the place of newer ones, where a list names them.
    pub allow_downgrade: bool,
    /// Whether new extensions get all their requests.
    pub grant_requested: bool,
}
