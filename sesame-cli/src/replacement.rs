//! Local files under names that are taken: each is an extension of its own, unless the user says
//! which one it replaces.

use core_types::{Digest, ErrorKind, ExtensionName, OciReference};
use extension_depot::{Basis, Depot, DepotError, Source};

use crate::context::Context;
use crate::failure::Failure;

/// What the name is for under which something is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameUse {
    /// It is installed under it, where the name is free or its own.
    Own,
    /// It takes the place of what has the name, as `--replace` says.
    Replace,
}

/// The reference of local bytes under a name. The bytes that are installed keep theirs; others have
/// the digest for an identity, or that of what they replace.
pub fn local_reference(
    depot: &Depot,
    name: &ExtensionName,
    own: &OciReference,
    name_use: NameUse,
) -> Result<OciReference, Failure> {
    let owner = depot.manifest(name)?.and_then(|loaded| loaded.pinned_reference());
    let Some(owner) = owner.filter(is_file) else {
        return Ok(own.clone());
    };
    let digest = own.pinned_digest().ok().flatten();
    Ok(match (digest, name_use) {
        _ if owner.provenance() == own.provenance() => owner,
        (Some(digest), NameUse::Replace) => owner.continued_by(digest),
        _ => own.clone(),
    })
}

/// Checks that what replaces another by name is a file: the identity of what comes from a registry
/// is not given away.
pub fn check_source(source: &Source, replaced: Option<&ExtensionName>) -> Result<(), Failure> {
    match (source, replaced) {
        (Source::Registry(_) | Source::Newest(_), Some(name)) => {
            Err(Failure::replaced_by_registry(source, name))
        }
        _ => Ok(()),
    }
}

/// Checks that local bytes can have a name. Where other local bytes have it, the hint says how
/// these replace them.
pub fn check_name(
    depot: &Depot,
    name: &ExtensionName,
    reference: &OciReference,
    (source, sha256): (&Source, Option<&Digest>),
) -> Result<(), Failure> {
    match depot.check_name(name, reference) {
        Err(DepotError::OtherSource { installed, .. }) if is_replaceable(depot, name)? => {
            Err(Failure::other_file(name, &installed, source, sha256))
        }
        checked => checked.map_err(|error| Failure::of_extension(name, &error)),
    }
}

/// Whether an installed extension came from a file, so that another file can replace it.
fn is_replaceable(depot: &Depot, name: &ExtensionName) -> Result<bool, Failure> {
    let owner = depot.manifest(name)?.and_then(|loaded| loaded.manifest.extension.oci);
    Ok(owner.is_some_and(|owner| is_file(&owner)))
}

/// Whether it is of bytes that a user installed from a file, a layout or a bundle.
fn is_file(reference: &OciReference) -> bool {
    reference.is_local() && !reference.is_development()
}

/// Shows what an artifact takes over from the one that it replaces, and asks the person at the
/// terminal. Without a terminal, `--replace` is the consent.
pub fn confirm(context: &Context, basis: &Basis, new: &OciReference) -> Result<(), Failure> {
    let Some(old) = basis.pinned().filter(|old| old != new) else { return Ok(()) };
    let name = basis.name();
    context.say(&format!("`{name}` is replaced:\n  installed: {old}\n  new:       {new}"));
    for grant in basis.capabilities().into_iter().flatten() {
        context.say(&format!("  it keeps: {grant}"));
    }
    context.say(&format!("  it keeps its settings, and the secrets of `{}`", old.identity()));
    if !context.can_ask() || context.terminal.confirm("Replace it?")? {
        return Ok(());
    }
    Err(Failure::message(ErrorKind::Refused, format!("`{name}` is not replaced")))
}
