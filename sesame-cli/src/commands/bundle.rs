//! `sesame extension export` and `import`

use std::path::Path;

use core_types::{ErrorKind, ExtensionName, OciReference, version_of_tag};
use extension_depot::{
    Attachment, Basis, Bundle, BundleError, Bundled, Depot, Evidence, Installed, Staged,
};

use super::install::{Terms, install};
use super::outdated::installed;
use super::trust;
use crate::arguments::{ExportArguments, ImportArguments};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Installation, Outcome};
use crate::progress::waiting;
use crate::replacement::{NameUse, local_reference};

/// Puts extensions into one file, with what their registries have that refers to them.
pub fn export(context: &Context, arguments: &ExportArguments) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let (to, replace) = (&arguments.output, arguments.force);
    if to.exists() && !replace {
        return Err(BundleError::Exists { path: to.clone() }.into());
    }
    let find = |name: &ExtensionName| {
        depot.installed(name).map_err(|error| Failure::of_extension(name, &error))
    };
    let names = if arguments.all { installed(&depot)? } else { arguments.names.clone() };
    if names.is_empty() {
        return Err(Failure::message(
            ErrorKind::NotFound,
            "there is nothing to export: nothing is installed",
        ));
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
        context.warn(&format!(
            "what refers to `{name}`, such as signatures, is left out: sesame is offline"
        ));
        return Ok(Vec::new());
    }
    let looking = context.registry()?.referrers(reference);
    Ok(context.wait_for(waiting(
        context,
        format!("resolving the referrers of {reference}…"),
        looking,
    ))??)
}

/// Installs what is in a bundle, each extension by itself. Every byte is checked, and nothing is
/// fetched.
pub fn import(context: &Context, arguments: &ImportArguments) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let bundle = Bundle::open(&arguments.bundle)?;
    let is_wanted =
        |bundled: &&Bundled| arguments.names.is_empty() || arguments.names.contains(&bundled.name);
    let wanted: Vec<_> = bundle.extensions().iter().filter(is_wanted).collect();
    if let Some(missing) =
        arguments.names.iter().find(|name| wanted.iter().all(|bundled| bundled.name != **name))
    {
        let path = arguments.bundle.display();
        return Err(Failure::message(
            ErrorKind::NotFound,
            format!("the bundle `{path}` has no extension `{missing}`"),
        ));
    }
    if wanted.is_empty() {
        return Err(Failure::no_bundle(&arguments.bundle));
    }
    let import = |bundled: &&Bundled| import_one(context, &depot, arguments, (&bundle, bundled));
    Outcome::of_each(&wanted, import, Outcome::Installed)
}

fn import_one(
    context: &Context,
    depot: &Depot,
    arguments: &ImportArguments,
    (bundle, bundled): (&Bundle, &Bundled),
) -> Result<Installation, Failure> {
    let Bundled { name, claimed, .. } = bundled;
    // A manifest that is pinned to the very bytes says that they are wanted, and whose they are.
    let pinned = depot.manifest(name)?.and_then(|loaded| loaded.pinned_reference());
    let known = pinned.filter(|pinned| pinned.provenance() == claimed.provenance());
    let named = known.as_ref().unwrap_or(claimed);
    context.check_source(named)?;
    let basis = depot.basis(name, named).map_err(|error| Failure::of_extension(name, &error))?;
    if known.is_some()
        && let Some(installed) = depot.whole(name)
    {
        return Ok(Installation::already(&installed));
    }
    let mut staged = depot.stage_bundled(bundle, bundled)?;
    let evidence = trust::look_into(context, depot, named, &bundle.signatures(named)?)?;
    // What a policy wants of the place that it claims to be from it wants of the claim as well.
    trust::judge(context, depot, name, (named, basis.first_use()), &evidence, None)?;
    let is_confirmed = known.is_some() || is_signed_origin(&basis, &staged, &evidence);
    staged.reference = if is_confirmed {
        named.clone()
    } else {
        let own = own_reference(context, depot, &basis, bundled, arguments)?;
        context.warn(&unconfirmed(bundled));
        own
    };
    let terms = Terms {
        source: format!("the bundle {}", shown(&arguments.bundle)),
        grant: &arguments.grant,
        grant_requested: arguments.grant_requested,
        entry: None,
        evidence: Some(&evidence),
        claimed: (!is_confirmed).then_some(claimed),
        signer: None,
        allow_downgrade: false,
        names_bytes: true,
        replaces: arguments.replace,
    };
    install(context, depot, &staged, name, &terms)
}

/// Whether a signer who is trusted for the claimed place signed these bytes. The version is the
/// word of the bundle's maker unless the signed bytes say it as well; without that, they replace no
/// other version.
fn is_signed_origin(basis: &Basis, staged: &Staged, evidence: &Evidence) -> bool {
    let claimed = &staged.reference;
    if evidence.signature.signer().is_none() || claimed.is_local() {
        return false;
    }
    let said = staged
        .artifact
        .manifest
        .annotations
        .get(VERSION)
        .and_then(|version| version_of_tag(version));
    match (version_of_tag(claimed.revision()), said) {
        (Some(tag), Some(said)) => tag == said,
        _ => basis.pinned().is_none(),
    }
}

/// The annotation for the version.
const VERSION: &str = "org.opencontainers.image.version";

/// Returns the reference of an entry with an unconfirmed origin: it has the identity of its bytes.
/// It replaces nothing, gets nothing from a manifest that is here, and is refused where a policy
/// restricts sources.
fn own_reference(
    context: &Context,
    depot: &Depot,
    basis: &Basis,
    bundled: &Bundled,
    arguments: &ImportArguments,
) -> Result<OciReference, Failure> {
    let Bundled { name, claimed, .. } = bundled;
    let own = bundled.own_reference().map_err(|error| Failure::new(ErrorKind::Failure, &error))?;
    if context.config()?.restricts_sources() && context.check_source(&own).is_err() {
        return Err(Failure::unproven_origin(name, claimed));
    }
    context.check_source(&own)?;
    let name_use = if arguments.replace { NameUse::Replace } else { NameUse::Own };
    let reference = local_reference(depot, name, &own, name_use)?;
    let is_its = basis.check_name(&reference).is_ok() && basis.pinned().is_some();
    match basis.loaded() {
        Some(_) if !is_its && !claimed.is_local() => Err(Failure::unproven_origin(name, claimed)),
        Some(loaded) if !is_its => {
            Err(Failure::other_bytes(name, loaded.pinned_reference().as_ref(), &arguments.bundle))
        }
        _ => Ok(reference),
    }
}

fn unconfirmed(bundled: &Bundled) -> String {
    let Bundled { name, claimed, .. } = bundled;
    if claimed.is_local() {
        return format!(
            "`{name}` has an identity of its own: a bundle cannot give it that of another machine's file"
        );
    }
    let place = claimed.identity();
    format!(
        "nothing shows that `{name}` came from `{place}`: it has an identity of its own, without the secrets of that place, \
         until this finds it there: sesame extension update {name}"
    )
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
