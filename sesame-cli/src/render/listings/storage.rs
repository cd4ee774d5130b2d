//! What extensions keep: `storage`, and `list --orphans`.

use extension_depot::Orphan;

use super::renderer::listing;
use crate::listing::{Orphans, StoredKeys};
use crate::outcome::{StorageReport, StoredKey};
use crate::render::Rendered;
use crate::render::screen::{Form, Screen};

/// Lists the keys of a storage, and for a person how much room there is.
pub(in crate::render) fn stored_keys(screen: &Screen, report: &StorageReport) -> Rendered {
    let StorageReport { keys, size_bytes, max_bytes } = report;
    let row = |stored: &StoredKey| vec![stored.key.as_str().into(), stored.size.to_string().into()];
    let rows: Vec<_> = keys.iter().map(row).collect();
    let listed = listing::<StoredKeys>(screen, &rows, "nothing is kept");
    if screen.form() != Form::Table {
        return listed;
    }
    let room = format!("{size_bytes} of {max_bytes} bytes are used\n");
    Rendered { stderr: listed.stderr + &room, ..listed }
}

/// Lists the storages of extensions that are not installed.
pub(in crate::render) fn orphans(screen: &Screen, orphans: &[Orphan]) -> Rendered {
    let row = |orphan: &Orphan| {
        vec![
            orphan.identity.as_deref().unwrap_or("(damaged)").into(),
            orphan.size.to_string().into(),
            orphan.path.display().to_string().into(),
        ]
    };
    let rows: Vec<_> = orphans.iter().map(row).collect();
    listing::<Orphans>(screen, &rows, "no data of removed extensions is kept")
}
