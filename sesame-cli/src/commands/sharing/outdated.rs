//! `sesame extension outdated` and `sesame registry tags`

use core_types::{ExtensionName, OciQuery, compare_tags};
use extension_manager::{Available, Nobody, remember_tags};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Freshness, Outcome};
use crate::terminal::waiting;

/// Lists the tags of a repository, the newest version first.
pub fn tags(context: &Context, repository: &OciQuery) -> Result<Outcome, Failure> {
    let registry = context.registry()?;
    let mut tags = context.wait_for(waiting(
        context,
        format!("resolving {repository}…"),
        registry.tags(repository),
    ))??;
    tags.sort_by(|one, other| compare_tags(one, other));
    remember_tags(context.places()?, repository, &tags);
    Ok(Outcome::Tags(tags))
}

/// Compares installed extensions with their registries. Nothing changes, and a failure does not
/// stop the others.
pub fn run(context: &Context, names: Vec<ExtensionName>) -> Result<Outcome, Failure> {
    let installer = context.installer(&Nobody)?;
    let names = if names.is_empty() { installer.installed_names()? } else { names };
    let look = |name: &ExtensionName| {
        let Available { installed, newest, age, .. } = installer.available(name)?;
        Ok(Freshness { name: name.clone(), installed, newest, age })
    };
    Outcome::of_each(&names, look, Outcome::Outdated)
}
