//! `sesame extension outdated` and `sesame registry tags`

use core_types::{
    ErrorKind, ExtensionName, OciQuery, OciReference, Period, Version, compare_tags, newer_tags,
    version_of_tag,
};
use extension_depot::Depot;
use extension_depot::registry::{Registry, RegistryError};

use super::list::listed;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Age, Freshness, Outcome};
use crate::progress::waiting;
use crate::tag_listing;

/// How many newer versions are looked at until one is found that has been known for long enough.
const MAX_CANDIDATES: usize = 10;

/// Lists the tags of a repository, the newest version first.
pub fn tags(context: &Context, repository: &OciQuery) -> Result<Outcome, Failure> {
    let registry = context.registry()?;
    let mut tags = context.wait_for(waiting(
        context,
        format!("resolving {repository}…"),
        registry.tags(repository),
    ))??;
    tags.sort_by(|one, other| compare_tags(one, other));
    tag_listing::remember(context.places()?, repository, &tags);
    Ok(Outcome::Tags(tags))
}

/// Compares what is installed with what its registry has. Nothing changes, and one registry that
/// fails stops no other.
pub fn run(context: &Context, names: Vec<ExtensionName>) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let names = if names.is_empty() { installed(&depot)? } else { names };
    let look = |name: &ExtensionName| {
        let installed =
            depot.installed(name).map_err(|error| Failure::of_extension(name, &error))?.reference;
        let look = Look {
            registry: context.registry()?,
            depot: &depot,
            min_age: context.config()?.min_release_age(),
        };
        let resolving = format!("resolving {}…", installed.repository_query());
        let Found { newest, age, .. } =
            context.wait_for(waiting(context, resolving, look.closely(&installed)))??;
        Ok(Freshness { name: name.clone(), installed, newest, age })
    };
    Outcome::of_each(&names, look, Outcome::Outdated)
}

/// The names of everything that is installed.
pub fn installed(depot: &Depot) -> Result<Vec<ExtensionName>, Failure> {
    Ok(listed(depot)?
        .into_iter()
        .filter(|listed| listed.is_installed)
        .map(|listed| listed.name)
        .collect())
}

/// A look at what a registry has by now.
pub struct Look<'a> {
    pub registry: &'a Registry,
    pub depot: &'a Depot,
    /// How long a version has to have been known before it is taken.
    pub min_age: Option<Period>,
}

/// What there is.
pub struct Found {
    /// The tag of the newest version that can be taken.
    pub newest: Option<String>,
    pub age: Age,
    /// What an update would take.
    pub target: Option<OciReference>,
}

impl Found {
    fn nothing(installed: &OciReference, age: Age) -> Self {
        Self {
            newest: version_of_tag(installed.revision()).map(|_| installed.revision().to_owned()),
            age,
            target: None,
        }
    }
}

impl Look<'_> {
    /// What an update would take, in one request where nothing is new: the versions above the one
    /// that is installed, or, where the tag is no version, what it leads to by now. That the tag of
    /// a version has moved is not noticed.
    pub async fn for_update(&self, installed: &OciReference) -> Result<Found, Failure> {
        match version_of_tag(installed.revision()) {
            _ if installed.is_local() => Ok(Found { newest: None, age: Age::Local, target: None }),
            Some(current) => self.for_newer(installed, &current).await,
            None => self.for_moved(installed).await,
        }
    }

    /// The same, and whether the tag of a version still leads to what is installed.
    pub async fn closely(&self, installed: &OciReference) -> Result<Found, Failure> {
        let found = self.for_update(installed).await?;
        match found.age {
            Age::Newest | Age::TooNew => {
                let age = self.tag(installed).await?;
                Ok(if age == Age::NoVersion { found } else { Found { age, target: None, ..found } })
            }
            _ => Ok(found),
        }
    }

    async fn for_newer(
        &self,
        installed: &OciReference,
        current: &Version,
    ) -> Result<Found, Failure> {
        let tags = self.registry.tags(&installed.repository_query()).await?;
        let newer = newer_tags(tags.iter().map(String::as_str), current);
        let mut found =
            Found::nothing(installed, if newer.is_empty() { Age::Newest } else { Age::TooNew });
        for tag in newer.into_iter().take(MAX_CANDIDATES) {
            let candidate = installed
                .with_revision(tag)
                .map_err(|error| Failure::new(ErrorKind::Network, &error))?;
            if let Some(target) = self.known_long_enough(candidate).await? {
                found = Found {
                    newest: Some(tag.to_owned()),
                    age: Age::Outdated,
                    target: Some(target),
                };
                break;
            }
        }
        Ok(found)
    }

    /// The candidate, pinned to the bytes that have been known for long enough where that matters.
    async fn known_long_enough(
        &self,
        candidate: OciReference,
    ) -> Result<Option<OciReference>, Failure> {
        let Some(min_age) = self.min_age else { return Ok(Some(candidate)) };
        let resolved = self.registry.resolve(&candidate).await?.reference;
        let known_for = self
            .depot
            .lock()?
            .known_for(&resolved)
            .map_err(|error| Failure::new(ErrorKind::Local, &error))?;
        Ok((known_for >= min_age.duration()).then_some(resolved))
    }

    async fn for_moved(&self, installed: &OciReference) -> Result<Found, Failure> {
        let age = self.tag(installed).await?;
        let target = (age == Age::Moved).then(|| installed.unpinned());
        Ok(Found { age, target, ..Found::nothing(installed, age) })
    }

    /// Whether a tag still leads to what is installed.
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
