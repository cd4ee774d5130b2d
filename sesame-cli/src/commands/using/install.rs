//! `sesame extension install`

use extension_depot::Source;
use extension_manager::{InstallOptions, InstallRequest, NameUse};

use crate::arguments::InstallArguments;
use crate::consent::TerminalConsent;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::signing::proof;

/// Installs an extension.
pub fn run(context: &Context, arguments: &InstallArguments) -> Result<Outcome, Failure> {
    if let Some((registry, username)) =
        registry_of(&arguments.source).zip(arguments.username.as_ref())
    {
        context.log_in_once(registry, username)?;
    }
    let name_use = if arguments.replace.is_some() { NameUse::Replace } else { NameUse::Own };
    let request = InstallRequest {
        source: &arguments.source,
        name: arguments.replace.as_ref().or(arguments.name.as_ref()),
        version: arguments.version.as_ref(),
        sha256: arguments.sha256.as_ref(),
        allow_plain_http: arguments.allow_plain_http,
        options: InstallOptions {
            source: arguments.source.to_string(),
            grant: &arguments.grant,
            grant_requested: arguments.grant_requested,
            signer: arguments.signer.given().map(proof).transpose()?,
            allow_downgrade: arguments.allow_downgrade,
            names_bytes: matches!(&arguments.source, Source::Registry(reference) if reference.provenance().is_some()),
            name_use,
            entry: None,
            schedules: None,
            planned: None,
        },
    };
    let consent = TerminalConsent::new(context);
    let installation = context.installer(&consent)?.install(&request)?;
    Ok(Outcome::Installed(vec![installation.into()]))
}

fn registry_of(source: &Source) -> Option<&str> {
    match source {
        Source::Registry(reference) => Some(reference.registry()),
        Source::Newest(repository) => Some(repository.registry()),
        Source::File(_) | Source::Web(_) | Source::Layout { .. } => None,
    }
}
