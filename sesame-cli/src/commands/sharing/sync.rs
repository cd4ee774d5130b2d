//! `sesame extension sync`

use extension_manager::SyncOptions;

use crate::arguments::SyncArguments;
use crate::consent::TerminalConsent;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// Installs the contents of the manifests or of a list, and nothing else.
pub fn run(context: &Context, arguments: &SyncArguments) -> Result<Outcome, Failure> {
    let options = SyncOptions {
        plan_only: arguments.check || arguments.dry_run,
        locked: arguments.locked,
        prune: arguments.prune,
        allow_plain_http: arguments.allow_plain_http,
        allow_downgrade: arguments.allow_downgrade,
        grant_requested: arguments.grant_requested,
    };
    let consent = TerminalConsent::new(context);
    let steps = context.installer(&consent)?.sync(arguments.list.as_ref(), &options)?;
    let steps = steps.into_iter().map(Into::into).collect();
    Ok(Outcome::Synced { steps, is_check: arguments.check })
}
