//! `sesame extension verify`

use core_types::ExtensionName;
use extension_depot::{Listed, TrustAnchor};
use extension_manager::{
    CheckedFiles, CodeRepairError, Damage, Nobody, Restore, VerifySignerError,
};

use crate::arguments::{GivenSigner, typed_reference};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Check, Outcome};
use crate::signing::proof;

/// Reads and hashes each file, the compiled code included, repairs damage on request, and shows the
/// signers. References that are not installed are verified in their registry.
pub fn run(
    context: &Context,
    what: &[String],
    repair: bool,
    signer: Option<GivenSigner<'_>>,
) -> Result<Outcome, Failure> {
    let wanted = signer.map(proof).transpose()?;
    if what.is_empty() {
        // An extension that another process has removed meanwhile need not be verified.
        let check_one = |listed: Listed| check(context, &listed.name, repair).ok();
        let listed = context.manager()?.depot().list()?;
        return Ok(Outcome::Verified(listed.into_iter().filter_map(check_one).collect()));
    }
    let verify = |what: &String| match what.parse::<ExtensionName>() {
        Ok(name) => verify_installed(context, &name, repair, wanted.as_ref()),
        Err(_) => verify_reference(context, what, wanted.as_ref()),
    };
    Outcome::of_each(what, verify, Outcome::Verified)
}

fn verify_installed(
    context: &Context,
    name: &ExtensionName,
    repair: bool,
    wanted: Option<&TrustAnchor>,
) -> Result<Check, Failure> {
    let check = check(context, name, repair)?;
    let Ok(installed) = context.manager()?.depot().installed(name) else { return Ok(check) };
    let installer = context.installer(&Nobody)?;
    let verified = installer.verify_installed_signer(&installed, wanted)?;
    Ok(Check {
        signature: verified.signature.map(|signature| signature.to_string()),
        checked_at: verified.checked_at.map(|at| at.to_string()),
        ..check
    })
}

fn verify_reference(
    context: &Context,
    what: &str,
    wanted: Option<&TrustAnchor>,
) -> Result<Check, Failure> {
    let reference = typed_reference(what).map_err(|error| Failure::mistyped(what, &error))?;
    let (pinned, evidence) = context.installer(&Nobody)?.verify_reference(&reference, wanted)?;
    let signature = Some(evidence.signature.to_string());
    Ok(Check { signature, ..Check::of(pinned.to_string()) })
}

fn check(context: &Context, name: &ExtensionName, repair: bool) -> Result<Check, Failure> {
    let restore: &Restore<'_, Failure> =
        &|name, reference| Ok(context.installer(&Nobody)?.restore(name, reference)?);
    let CheckedFiles { damage, repaired } =
        context.manager()?.check_files(name, repair.then_some(restore))?;
    Ok(Check {
        findings: damage.into_iter().map(described).collect(),
        repaired: repaired.into_iter().map(described).collect(),
        ..Check::of(name.to_string())
    })
}

fn described(damage: Damage<Failure>) -> String {
    match damage {
        Damage::Artifact(finding) => finding.to_string(),
        Damage::FromFile => {
            "it did not come from a registry: install it from its file once more".to_owned()
        }
        Damage::NotRestored(failure) => format!("cannot fetch it again: {failure}"),
        Damage::Code(error) => error.to_string(),
        Damage::NotCompiled(CodeRepairError::Code(error)) => error.to_string(),
        Damage::NotCompiled(error) => error.to_string(),
    }
}

impl From<VerifySignerError> for Failure {
    fn from(error: VerifySignerError) -> Self {
        match error {
            VerifySignerError::Record(error) => error.into(),
            VerifySignerError::Lock(error) => error.into(),
            VerifySignerError::Note(error) => error.into(),
            VerifySignerError::Signer(error) => (*error).into(),
        }
    }
}
