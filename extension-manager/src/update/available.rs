//! The versions in a registry.

use core_types::{ExtensionName, OciReference, Period, Version, newer_tags, version_of_tag};
use extension_depot::Depot;
use extension_depot::registry::{Registry, RegistryError};
use serde::Serialize;

use super::error::UpdateError;
use crate::events::{Phase, Wait};
use crate::install::InstallError;
use crate::installer::Installer;

/// How many newer versions are looked at until one is found that has been known for long enough:
/// each takes a request.
const MAX_CANDIDATES: usize = 10;

/// Whether there is something newer.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Age {
    /// Nothing is newer.
    Newest,
    /// Something is newer.
    Outdated,
    /// The tag leads to other bytes than those that are installed.
    Moved,
    /// The registry does not have the tag any more.
    Withdrawn,
    /// The tag is not a version, so nothing is newer than it.
    NoVersion,
    /// It came from a file.
    Local,
    /// Its user keeps it at its version.
    Pinned,
    /// There is a newer version that has not been known for as long as policy wants.
    TooNew,
}

impl Age {
    /// Returns the state in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Newest => "the newest",
            Self::Outdated => "there is a newer one",
            Self::Moved => "the tag has moved",
            Self::Withdrawn => "the tag is gone",
            Self::NoVersion => "the tag is not a version",
            Self::Local => "from a file",
            Self::Pinned => "pinned",
            Self::TooNew => "there is a newer one, too new for `min_release_age`",
        }
    }
}

/// An installed extension compared with its registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Available {
    /// The installed artifact.
    pub installed: OciReference,
    /// The tag of the newest version that can be taken.
    pub newest: Option<String>,
    /// Whether that is newer.
    pub age: Age,
    /// The target of an update.
    pub target: Option<OciReference>,
}

impl Available {
    fn nothing(installed: &OciReference, age: Age) -> Self {
        Self {
            installed: installed.clone(),
            newest: version_of_tag(installed.revision()).map(|_| installed.revision().to_owned()),
            age,
            target: None,
        }
    }

    /// Makes the result for an extension whose registry is not asked.
    pub(super) fn not_looked_for(installed: &OciReference, age: Age) -> Self {
        Self { installed: installed.clone(), newest: None, age, target: None }
    }
}

impl Installer<'_> {
    /// Compares an extension with its registry. Nothing changes.
    ///
    /// # Errors
    /// When it is not installed, or its registry does not answer.
    pub fn available(&self, name: &ExtensionName) -> Result<Available, UpdateError> {
        let _work = self.work_on(name);
        let installed = self.depot().installed(name)?.reference;
        self.phase(name, Phase::Resolving);
        let look = self.look(self.config.min_release_age());
        let query = installed.repository_query();
        let what = Wait::Resolving(&query);
        let work = look.closely(&installed);
        self.network.wait(self.events(), &what, work).map_err(InstallError::Runtime)?
    }

    pub(super) fn look(&self, min_age: Option<Period>) -> Look<'_> {
        Look { registry: self.registry(), depot: self.depot(), min_age }
    }
}

/// A look at a registry.
pub(super) struct Look<'a> {
    registry: &'a Registry,
    depot: &'a Depot,
    /// How long a version has to have been known before it is taken.
    min_age: Option<Period>,
}

impl Look<'_> {
    /// Finds the target of an update, in one request where nothing is new: a newer version, or,
    /// where the tag is not a version, the present digest of the tag. A moved version tag is not
    /// noticed.
    pub(super) async fn for_update(
        &self,
        installed: &OciReference,
    ) -> Result<Available, UpdateError> {
        match version_of_tag(installed.revision()) {
            _ if installed.is_local() => Ok(Available::not_looked_for(installed, Age::Local)),
            Some(current) => self.for_newer(installed, &current).await,
            None => self.for_moved(installed).await,
        }
    }

    /// Finds the same, and whether a version tag still leads to the installed bytes.
    async fn closely(&self, installed: &OciReference) -> Result<Available, UpdateError> {
        let found = self.for_update(installed).await?;
        match found.age {
            Age::Newest | Age::TooNew => match self.tag(installed).await? {
                Age::NoVersion => Ok(found),
                age => Ok(Available { age, target: None, ..found }),
            },
            _ => Ok(found),
        }
    }

    async fn for_newer(
        &self,
        installed: &OciReference,
        current: &Version,
    ) -> Result<Available, UpdateError> {
        let tags = self.registry.tags(&installed.repository_query()).await?;
        let newer = newer_tags(tags.iter().map(String::as_str), current);
        let age = if newer.is_empty() { Age::Newest } else { Age::TooNew };
        for tag in newer.into_iter().take(MAX_CANDIDATES) {
            let candidate = installed.with_revision(tag).map_err(InstallError::Tag)?;
            if let Some(target) = self.known_long_enough(candidate).await? {
                let (newest, target) = (Some(tag.to_owned()), Some(target));
                let installed = installed.clone();
                return Ok(Available { installed, newest, age: Age::Outdated, target });
            }
        }
        Ok(Available::nothing(installed, age))
    }

    /// Returns the candidate, pinned to the bytes that have been known for long enough where that
    /// matters.
    async fn known_long_enough(
        &self,
        candidate: OciReference,
    ) -> Result<Option<OciReference>, UpdateError> {
        let Some(min_age) = self.min_age else { return Ok(Some(candidate)) };
        let resolved = self.registry.resolve(&candidate).await?.reference;
        let time_since_first_seen = self.depot.lock()?.time_since_first_seen(&resolved)?;
        Ok((time_since_first_seen >= min_age.duration()).then_some(resolved))
    }

    async fn for_moved(&self, installed: &OciReference) -> Result<Available, UpdateError> {
        let age = self.tag(installed).await?;
        let target = (age == Age::Moved).then(|| installed.unpinned());
        Ok(Available { target, ..Available::nothing(installed, age) })
    }

    /// Returns whether a tag still leads to the installed bytes.
    async fn tag(&self, installed: &OciReference) -> Result<Age, RegistryError> {
        match self.registry.resolve(&installed.unpinned()).await {
            Ok(resolved) if resolved.reference != *installed => Ok(Age::Moved),
            Ok(_) => Ok(Age::NoVersion),
            Err(RegistryError::NotFound { .. } | RegistryError::MissingTag { .. }) => {
                Ok(Age::Withdrawn)
            }
            Err(error) => Err(error),
        }
    }
}
