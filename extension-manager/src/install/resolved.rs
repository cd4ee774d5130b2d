//! First stage: the artifact of a source.

use core_types::{ChangeKind, Digest, ExtensionName, OciReference, VersionReq};
use extension_depot::registry::{self, Progress};
use extension_depot::{Basis, Installed, OtherSource, Source, TransportError};

use super::error::InstallError;
use super::staged::{Content, Staged};
use crate::events::Wait;
use crate::installer::Installer;
use crate::rules::{NameUse, check_tag, is_file, local_reference};

/// The artifact to fetch.
#[derive(Clone, Copy)]
pub(super) struct StageRequest<'a> {
    /// Where it comes from.
    pub(super) source: &'a Source,
    /// The name under which it is installed.
    pub(super) name: &'a ExtensionName,
    /// The range in which the version has to be.
    pub(super) version: Option<&'a VersionReq>,
    /// The digest that a file has to have.
    pub(super) sha256: Option<&'a Digest>,
    /// Whether it can come without TLS where others came with it.
    pub(super) allow_plain_http: bool,
    /// The purpose of the name.
    pub(super) name_use: NameUse,
}

/// A resolved source: one artifact, which policy and the owner of the name allow.
pub(super) struct Resolved {
    name: ExtensionName,
    origin: Origin,
}

enum Origin {
    /// A digest in a registry, with the state of the extension at the check.
    Registry { resolved: Box<registry::Resolved>, basis: Box<Basis> },
    /// A file, an address or a layout, whose digest is known when its bytes are there.
    Local { source: Source, sha256: Option<Digest>, name_use: NameUse },
}

/// The outcome of resolving a source.
pub(crate) enum Resolution<T> {
    /// Exactly this is installed.
    Already(Box<Installed>),
    /// Something else is.
    New(T),
}

impl Installer<'_> {
    /// Resolves a source. Policy, transport, name and tag are checked before a byte of it is
    /// fetched.
    pub(super) fn resolve(
        &self,
        request: &StageRequest<'_>,
    ) -> Result<Resolution<Resolved>, InstallError> {
        let StageRequest { name, sha256, name_use, .. } = *request;
        match self.resolve_version(request.source, request.version)? {
            Source::Registry(reference) => self.resolve_reference(request, &reference),
            source => {
                let sha256 = sha256.copied();
                let origin = Origin::Local { source, sha256, name_use };
                Ok(Resolution::New(Resolved { name: name.clone(), origin }))
            }
        }
    }

    fn resolve_reference(
        &self,
        request: &StageRequest<'_>,
        reference: &OciReference,
    ) -> Result<Resolution<Resolved>, InstallError> {
        let name = request.name;
        let basis = self.depot().basis(name, reference)?;
        if !request.allow_plain_http {
            let is_secure = self.registry().is_secure(reference);
            basis.check_transport(is_secure).map_err(TransportError::from)?;
        }
        self.check_source(ChangeKind::Install, reference)?;
        basis.check_name(reference)?;
        if reference.provenance().is_some()
            && let Some(installed) = self.installed_as(&basis, reference)
        {
            return Ok(Resolution::Already(installed));
        }
        let resolved = self.look_up_reference(reference)?;
        if let Some(installed) = self.installed_as(&basis, &resolved.reference) {
            return Ok(Resolution::Already(installed));
        }
        let names_bytes = reference.provenance().is_some();
        check_tag(name, basis.pinned(), &resolved.reference, names_bytes)?;
        let (resolved, basis) = (Box::new(resolved), Box::new(basis));
        let origin = Origin::Registry { resolved, basis };
        Ok(Resolution::New(Resolved { name: name.clone(), origin }))
    }

    /// Returns the extension of this name, if it is whole and pinned to the same.
    fn installed_as(&self, basis: &Basis, reference: &OciReference) -> Option<Box<Installed>> {
        basis.pinned().filter(|pinned| pinned == reference)?;
        let installed = self.depot().installed_with_binary(basis.name())?;
        (installed.reference == *reference).then(|| Box::new(installed))
    }
}

impl Resolved {
    /// Fetches and verifies the bytes.
    pub(super) fn stage(
        self,
        installer: &Installer<'_>,
    ) -> Result<Resolution<Staged>, InstallError> {
        let Self { name, origin } = self;
        match origin {
            Origin::Registry { resolved, basis } => {
                let what = Wait::Resolving(&resolved.reference);
                let work = async |report: &dyn Fn(&ExtensionName, Progress)| {
                    let report = |progress| report(&name, progress);
                    installer.registry().stage(installer.depot(), &resolved, &report).await
                };
                let staged = installer.network.download(installer.events(), &what, work);
                let content = Content::Arrived(staged.map_err(InstallError::Runtime)??);
                Ok(Resolution::New(Staged::new(name, content).on(*basis)))
            }
            Origin::Local { source, sha256, name_use } => {
                stage_local(installer, name, &source, sha256, name_use)
            }
        }
    }
}

fn stage_local(
    installer: &Installer<'_>,
    name: ExtensionName,
    source: &Source,
    sha256: Option<Digest>,
    name_use: NameUse,
) -> Result<Resolution<Staged>, InstallError> {
    if let Source::Web(_) = source {
        let as_file = OciReference::local_file(&name, "0.0.0")?;
        installer.check_source(ChangeKind::Install, &as_file)?;
    }
    let mut staged = installer.stage_local(source, sha256.as_ref(), &name)?;
    installer.check_source(ChangeKind::Install, &staged.reference)?;
    let depot = installer.depot();
    let basis = depot.basis(&name, &staged.reference)?;
    staged.reference = local_reference(basis.pinned(), &staged.reference, name_use);
    let basis = depot.rebase(basis, &staged.reference)?;
    check_local_name(&basis, &staged.reference, source, sha256)?;
    match installer.installed_as(&basis, &staged.reference) {
        Some(installed) => Ok(Resolution::Already(installed)),
        None => Ok(Resolution::New(Staged::new(name, Content::Arrived(staged)).on(basis))),
    }
}

/// Checks that local bytes can have a name. Where other local bytes have it, the error says which.
fn check_local_name(
    basis: &Basis,
    reference: &OciReference,
    source: &Source,
    sha256: Option<Digest>,
) -> Result<(), InstallError> {
    let name = basis.name().clone();
    let owner = basis.loaded().and_then(|loaded| loaded.manifest.extension.oci.as_ref());
    match basis.check_name(reference) {
        Err(OtherSource { installed, .. }) if owner.is_some_and(is_file) => {
            let origin = Box::new(source.clone());
            Err(InstallError::OtherFile { name, installed, origin, sha256 })
        }
        checked => Ok(checked?),
    }
}
