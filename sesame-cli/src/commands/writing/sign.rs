//! `sesame extension sign`

use extension_depot::registry::SignatureForm;

use crate::arguments::{FormName, SignArguments};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Change, Outcome};
use crate::signing::secret_key;
use crate::terminal::waiting;

/// Signs the artifact of a reference, and publishes the signature as its referrer.
pub fn run(context: &Context, arguments: &SignArguments) -> Result<Outcome, Failure> {
    let key = secret_key(context, &arguments.key)?;
    let form = match arguments.form {
        FormName::Bundle => SignatureForm::Bundle,
        FormName::Classic => SignatureForm::Classic,
    };
    let reference = &arguments.reference;
    let signing = context.registry()?.sign(reference, &key, form);
    let signed =
        context.wait_for(waiting(context, format!("resolving {reference}…"), signing))??;
    let now = format!("`{signed}` is signed by the key {}", key.public().fingerprint());
    Ok(Outcome::Changed(vec![Change::new(now, true)]))
}
