//! Fetches the artifact of a source, whatever is installed.

use core_types::{Digest, ExtensionName, OciReference, VersionReq, newest_tag, newest_tag_within};
use extension_depot::registry::{Progress, Resolved};
use extension_depot::{Source, Staged, WebAddress};

use super::error::InstallError;
use crate::events::{Phase, Wait};
use crate::installer::Installer;
use crate::rules::{SourceForm, remember_tags};

impl Installer<'_> {
    /// Fetches the artifact of a reference without installing it. `name` is that of the extension.
    ///
    /// # Errors
    /// When a policy refuses its place, or the registry does not give it.
    pub fn fetch(
        &self,
        name: &ExtensionName,
        reference: &OciReference,
    ) -> Result<Staged, InstallError> {
        let _work = self.work_on(name);
        self.fetch_for(name, reference)
    }

    /// Fetches the same, as a part of other work on the extension.
    pub(crate) fn fetch_for(
        &self,
        name: &ExtensionName,
        reference: &OciReference,
    ) -> Result<Staged, InstallError> {
        self.config.check_source(reference)?;
        self.phase(name, Phase::Resolving);
        let work = async |report: &dyn Fn(&ExtensionName, Progress)| {
            let resolved = self.registry().resolve(reference).await?;
            let report = |progress| report(name, progress);
            self.registry().stage(self.depot(), &resolved, &report).await
        };
        let staged = self.network.download(self.events(), &Wait::Resolving(reference), work);
        Ok(staged.map_err(InstallError::Runtime)??)
    }

    /// Fetches the pinned bytes of an extension again, and puts them back into place.
    ///
    /// # Errors
    /// When it cannot be fetched, or the manifest is pinned to something else by now.
    pub fn restore(
        &self,
        name: &ExtensionName,
        reference: &OciReference,
    ) -> Result<(), InstallError> {
        let _work = self.work_on(name);
        let staged = self.fetch_for(name, reference)?;
        let restored = self.depot().lock()?.repair(&[(name, &staged)])?;
        Ok(restored.into_iter().collect::<Result<(), _>>()?)
    }

    /// Fetches the artifact of a source for inspection: whether it may be installed under its name
    /// is another question.
    ///
    /// # Errors
    /// When the source cannot be read or a policy refuses it.
    pub fn fetch_from(
        &self,
        source: &Source,
        sha256: Option<&Digest>,
        name: &ExtensionName,
    ) -> Result<Staged, InstallError> {
        match &self.resolve_version(source, None)? {
            Source::Registry(reference) => self.fetch(name, reference),
            local => self.stage_local(local, sha256, name),
        }
    }

    /// Stages a local artifact.
    pub(super) fn stage_local(
        &self,
        source: &Source,
        sha256: Option<&Digest>,
        name: &ExtensionName,
    ) -> Result<Staged, InstallError> {
        match source {
            Source::File(path) => Ok(self.depot().stage_expected_file(path, sha256, name)?),
            Source::Web(address) => self.download(address, sha256, name),
            Source::Layout { path, tag } => {
                Ok(self.depot().stage_layout(path, tag.as_deref(), name)?)
            }
            Source::Registry(reference) => self.fetch_for(name, reference),
            Source::Newest(repository) => Err(InstallError::NoVersion {
                repository: Box::new(repository.clone()),
                wanted: None,
                tags: Vec::new(),
            }),
        }
    }

    /// Downloads a file whose digest is known. From then on it is as any other file.
    fn download(
        &self,
        address: &WebAddress,
        sha256: Option<&Digest>,
        name: &ExtensionName,
    ) -> Result<Staged, InstallError> {
        let without = || SourceForm::DownloadWithoutDigest { address: address.clone() };
        let digest = sha256.ok_or_else(without)?;
        self.config.check_address(address)?;
        let work = async |report: &dyn Fn(&ExtensionName, Progress)| {
            let report = |progress| report(name, progress);
            self.registry().download(address, digest, &report).await
        };
        let bytes = self.network.download(self.events(), &Wait::Asking(address.host()), work);
        Ok(self.depot().stage_bytes(bytes.map_err(InstallError::Runtime)??, name)?)
    }

    /// Follows a reference to its artifact, once: from then on the digest counts.
    pub(super) fn look_up_reference(
        &self,
        reference: &OciReference,
    ) -> Result<Resolved, InstallError> {
        let work = self.registry().resolve(reference);
        let resolved = self.network.wait(self.events(), &Wait::Resolving(reference), work);
        Ok(resolved.map_err(InstallError::Runtime)??)
    }

    /// Chooses the newest version of a repository. Every other source stays as it is.
    pub(super) fn resolve_version(
        &self,
        source: &Source,
        wanted: Option<&VersionReq>,
    ) -> Result<Source, InstallError> {
        let Source::Newest(repository) = source else {
            return if wanted.is_some() {
                Err(InstallError::VersionOfOneThing { origin: source.clone() })
            } else {
                Ok(source.clone())
            };
        };
        self.config.check_source(&repository.at("any")?)?;
        let work = self.registry().tags(repository);
        let tags = self.network.wait(self.events(), &Wait::Resolving(repository), work);
        let tags = tags.map_err(InstallError::Runtime)??;
        remember_tags(self.depot().places(), repository, &tags);
        let all = tags.iter().map(String::as_str);
        let newest = match wanted {
            Some(wanted) => newest_tag_within(all, wanted),
            None => newest_tag(all, false),
        };
        match newest {
            Some(tag) => Ok(Source::Registry(repository.at(tag).map_err(InstallError::Tag)?)),
            None => Err(InstallError::NoVersion {
                repository: Box::new(repository.clone()),
                wanted: wanted.cloned(),
                tags,
            }),
        }
    }
}
