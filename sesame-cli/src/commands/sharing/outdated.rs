//! `sesame extension outdated` and `sesame registry tags`

use core_types::{ExtensionName, OciQuery};
use extension_manager::{Available, Nobody};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Freshness, Outcome};

/// Lists the tags of a repository, the newest version first.
pub fn tags(context: &Context, repository: &OciQuery) -> Result<Outcome, Failure> {
    Ok(Outcome::Tags(context.installer(&Nobody)?.tags(repository)?))
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
