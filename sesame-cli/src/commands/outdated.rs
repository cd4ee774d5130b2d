//! `sesame extension outdated` and `sesame registry tags`

use core_types::{ExtensionName, OciQuery, OciReference, compare_tags, newest_tag, version_of_tag};
use extension_depot::registry::{Registry, RegistryError};
use extension_depot::{Depot, DepotError};

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::{Age, Freshness, Outcome};

/// Lists the tags of a repository, the newest version first.
pub fn tags(context: &Context, repository: &OciQuery) -> Result<Outcome, Failure> {
    let registry = context.registry()?;
    let mut tags = context.wait_for(registry.tags(repository))??;
    tags.sort_by(|one, other| compare_tags(one, other));
    Ok(Outcome::Tags(tags))
}

/// Compares what is installed with what its registry has. Nothing changes, and one registry that fails stops no other.
pub fn run(context: &Context, names: Vec<ExtensionName>) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let names = if names.is_empty() { installed(&depot)? } else { names };
    let registry = context.registry()?;
    let look = |name: &ExtensionName| {
        let installed = depot.installed(name).map_err(|error| Failure::of_extension(name, &error))?;
        let (newest, age) = context.wait_for(freshness(&registry, &installed.reference))??;
        Ok(Freshness { name: name.clone(), installed: installed.reference, newest, age })
    };
    Outcome::of_each(&names, look, Outcome::Outdated)
}

/// The names of everything that is installed.
pub fn installed(depot: &Depot) -> Result<Vec<ExtensionName>, Failure> {
    let listed = depot.list().map_err(|error: DepotError| Failure::new(ExitCode::Local, &error))?;
    Ok(listed.into_iter().filter(|listed| listed.is_installed).map(|listed| listed.name).collect())
}

/// The newest tag, and how what is installed stands to it.
pub async fn freshness(registry: &Registry, installed: &OciReference) -> Result<(Option<String>, Age), RegistryError> {
    if installed.registry() == "local" {
        return Ok((None, Age::Local));
    }
    let query: OciQuery = installed.repository_query();
    let tags = registry.tags(&query).await?;
    let current = version_of_tag(installed.revision());
    let is_unfinished = current.as_ref().is_some_and(|version| !version.pre.is_empty());
    let newest = newest_tag(tags.iter().map(String::as_str), is_unfinished).map(str::to_owned);
    let newer = newest
        .clone()
        .filter(|newest| current.as_ref().is_some_and(|current| version_of_tag(newest).as_ref() > Some(current)));
    if newer.is_some() {
        return Ok((newer, Age::Outdated));
    }
    match registry.resolve(&installed.unpinned()).await {
        Ok(resolved) if resolved.reference != *installed => Ok((newest, Age::Moved)),
        Ok(_) => Ok((newest, if current.is_some() { Age::Newest } else { Age::NoVersion })),
        Err(RegistryError::NotFound { .. }) => Ok((newest, Age::Withdrawn)),
        Err(error) => Err(error),
    }
}
