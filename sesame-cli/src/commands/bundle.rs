//! `sesame extension export` and `import`

use std::path::Path;

use core_types::ExtensionName;
use extension_depot::{Attachment, BundleError, Bundled, Depot, Installed};

use super::install::{Terms, install};
use super::outdated::installed;
use crate::arguments::{ExportArguments, ImportArguments};
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::{Installation, Outcome};

/// Puts extensions into one file, with what their registries have that refers to them.
pub fn export(context: &Context, arguments: &ExportArguments) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let (to, replace) = (&arguments.output, arguments.force);
    if to.exists() && !replace {
        return Err(BundleError::Exists { path: to.clone() }.into());
    }
    let find = |name: &ExtensionName| depot.installed(name).map_err(|error| Failure::of_extension(name, &error));
    let names = if arguments.all { installed(&depot)? } else { arguments.names.clone() };
    if names.is_empty() {
        return Err(Failure::message(ExitCode::NotFound, "there is nothing to export: nothing is installed"));
    }
    let extensions = names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let mut attachments = Vec::new();
    for extension in &extensions {
        attachments.extend(referrers(context, extension)?);
    }
    depot.export(&extensions, &attachments, to, replace)?;
    Ok(Outcome::Written(vec![to.clone()]))
}

fn referrers(context: &Context, extension: &Installed) -> Result<Vec<Attachment>, Failure> {
    let Installed { name, reference, .. } = extension;
    if reference.is_local() {
        return Ok(Vec::new());
    }
    if context.is_offline() {
        context.warn(&format!("what refers to `{name}`, such as signatures, is left out: sesame is offline"));
        return Ok(Vec::new());
    }
    Ok(context.wait_for(context.registry()?.referrers(reference))??)
}

/// Installs what is in a bundle, each extension by itself. Every byte is checked, and nothing is fetched.
pub fn import(context: &Context, arguments: &ImportArguments) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let mut bundled = depot.bundled(&arguments.bundle)?;
    if !arguments.names.is_empty() {
        bundled.retain(|bundled| arguments.names.contains(&bundled.name));
    }
    if let Some(missing) = arguments.names.iter().find(|name| bundled.iter().all(|bundled| bundled.name != **name)) {
        let path = arguments.bundle.display();
        return Err(Failure::message(ExitCode::NotFound, format!("the bundle `{path}` has no extension `{missing}`")));
    }
    if bundled.is_empty() {
        return Err(Failure::no_bundle(&arguments.bundle));
    }
    Outcome::of_each(&bundled, |bundled| import_one(context, &depot, arguments, bundled), Outcome::Installed)
}

fn import_one(
    context: &Context,
    depot: &Depot,
    arguments: &ImportArguments,
    bundled: &Bundled,
) -> Result<Installation, Failure> {
    let Bundled { name, reference } = bundled;
    let of_extension = |error| Failure::of_extension(name, &error);
    context.check_source(reference)?;
    depot.check_name(name, reference).map_err(of_extension)?;
    let manifest = depot.manifest(name)?;
    let pinned = manifest.as_ref().and_then(|loaded| loaded.pinned_reference());
    let is_known = pinned.as_ref() == Some(reference);
    if is_known && let Some(installed) = depot.whole(name) {
        return Ok(Installation::already(&installed));
    }
    check_claim(context, bundled, manifest.is_some(), is_known)?;
    let staged = depot.stage_bundled(&arguments.bundle, bundled)?;
    let attachments = depot.bundled_attachments(&arguments.bundle, reference)?;
    let terms = Terms {
        source: format!("the bundle {}", shown(&arguments.bundle)),
        grant: &arguments.grant,
        grant_requested: arguments.grant_requested,
        entry: None,
        attachments: Some(&attachments),
        signer: None,
        allow_downgrade: false,
    };
    install(context, depot, &staged, name, &terms)
}

/// Whoever made a bundle can write any origin into it. So it takes nobody's place, is given nothing that a manifest here has for
/// that origin, and counts for nothing where policy says which origins are allowed, unless the manifest is pinned to the very
/// bytes.
fn check_claim(context: &Context, bundled: &Bundled, has_manifest: bool, is_known: bool) -> Result<(), Failure> {
    let is_restricted = context.config()?.restricts_sources();
    if is_known || !(has_manifest || is_restricted) {
        return Ok(());
    }
    Err(Failure::unproven_origin(&bundled.name, &bundled.reference))
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
