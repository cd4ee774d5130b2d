//! `sesame trust list`, `add`, `remove`, `accept` and `keygen`, and looking at signatures

use std::path::Path;

use core_types::{Digest, ExtensionName, OciPrefix, OciReference};
use extension_depot::registry::generate_key;
use extension_depot::{Attachment, Depot, PublicKey, SignatureState, TrustedSigner, read_plain};

use crate::arguments::TrustCommand;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::{Change, Outcome, Trust};

/// The largest file of a key, in bytes.
pub const MAX_KEY: u64 = 64 << 10;

/// Runs one of them.
pub fn run(context: &Context, command: TrustCommand) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    match command {
        TrustCommand::List => {
            Ok(Outcome::Trust(Trust { signers: depot.trusted_signers()?, first_uses: depot.first_uses() }))
        }
        TrustCommand::Add { key, place } => {
            let signer = signer(&key, place)?;
            let now = format!("the key {} is trusted for `{}`", signer.fingerprint, signer.place);
            Ok(Outcome::Changed(vec![Change { now, changed: depot.trust(&signer)? }]))
        }
        TrustCommand::Remove { key, place } => {
            let fingerprint =
                key.parse::<Digest>().or_else(|_| key_of(Path::new(&key)).map(|key| *key.fingerprint()))?;
            let changed = depot.distrust(&fingerprint, place.as_ref())?;
            let of_place = place.map(|place| format!(" for `{place}`")).unwrap_or_default();
            Ok(Outcome::Changed(vec![Change {
                now: format!("the key {fingerprint} is not trusted{of_place}"),
                changed,
            }]))
        }
        TrustCommand::Accept { name } => accept(&depot, &name),
        TrustCommand::Keygen { to } => keygen(&to),
    }
}

/// The next version counts as the first again, whoever signed it.
fn accept(depot: &Depot, name: &ExtensionName) -> Result<Outcome, Failure> {
    let of_extension = |error| Failure::of_extension(name, &error);
    let installed = depot.installed(name).map_err(of_extension)?;
    let repository = installed.reference.identity();
    let changed = depot.accept_signer(&repository).map_err(of_extension)?;
    let now = format!("whoever signs the next version of `{repository}` is accepted");
    Ok(Outcome::Changed(vec![Change { now, changed }]))
}

/// Writes a new pair of keys: `NAME.key`, which only the user can read, and `NAME.pub`.
fn keygen(to: &Path) -> Result<Outcome, Failure> {
    let (secret, public) = (to.with_extension("key"), to.with_extension("pub"));
    generate_key(&secret, &public)?;
    Ok(Outcome::Written(vec![secret, public]))
}

/// The public key in a file.
pub fn key_of(path: &Path) -> Result<PublicKey, Failure> {
    let shown = path.display();
    let pem = read_plain(path, MAX_KEY).map_err(|error| {
        Failure::message(ExitCode::Usage, format!("cannot read the key `{shown}`")).caused_by(&error)
    })?;
    PublicKey::from_pem(&pem).map_err(|error| {
        Failure::message(ExitCode::Usage, format!("`{shown}` cannot be used as a key")).caused_by(&error)
    })
}

/// A key in a file, trusted for a place.
pub fn signer(path: &Path, place: OciPrefix) -> Result<TrustedSigner, Failure> {
    let fingerprint = *key_of(path)?.fingerprint();
    let pem = String::from_utf8_lossy(&read_plain(path, MAX_KEY)?).into_owned();
    Ok(TrustedSigner { place, pem, fingerprint })
}

/// What is known of who signed something, looked up now and with every key that counts for it. Makes sure that it does: by
/// policy, by `key` where one is given, and by who was there first.
pub fn look(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    reference: &OciReference,
    key: Option<&PublicKey>,
) -> Result<SignatureState, Failure> {
    let state = if reference.is_local() {
        SignatureState::Unsigned
    } else {
        let keys = keys(context, depot, reference, key)?;
        context.wait_for(context.registry()?.signature(reference, &keys))?
    };
    judge(context, depot, (name, reference), state, key)
}

/// The same for an extension of a bundle, by what the bundle has.
pub fn look_into(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    reference: &OciReference,
    attachments: &[Attachment],
) -> Result<SignatureState, Failure> {
    let state = SignatureState::of(reference, attachments, &keys(context, depot, reference, None)?);
    judge(context, depot, (name, reference), state, None)
}

fn judge(
    context: &Context,
    depot: &Depot,
    (name, reference): (&ExtensionName, &OciReference),
    state: SignatureState,
    key: Option<&PublicKey>,
) -> Result<SignatureState, Failure> {
    let checked = depot.check_signature(reference, &state, context.config()?, key.map(PublicKey::fingerprint));
    checked.map(|()| state).map_err(|error| Failure::of_extension(name, &error))
}

/// Every key that counts for a place: those that the user trusts, those that a policy names, and the one that is given.
fn keys(
    context: &Context,
    depot: &Depot,
    reference: &OciReference,
    key: Option<&PublicKey>,
) -> Result<Vec<PublicKey>, Failure> {
    let mut keys: Vec<_> = key.cloned().into_iter().collect();
    for path in context.config()?.key_files(reference) {
        match key_of(&path) {
            Ok(key) => keys.push(key),
            Err(failure) => context.warn(&failure.in_one_line()),
        }
    }
    let is_for_it = |signer: &TrustedSigner| signer.place.covers(reference.registry(), &reference.repository());
    let trusted = depot.trusted_signers()?.into_iter().filter(is_for_it);
    keys.extend(trusted.filter_map(|signer| PublicKey::from_pem(signer.pem.as_bytes()).ok()));
    Ok(keys)
}

/// Trusts a key for one repository from now on.
pub fn remember(depot: &Depot, reference: &OciReference, path: &Path) -> Result<(), Failure> {
    let place = reference
        .identity()
        .to_string()
        .parse()
        .map_err(|error: core_types::ReferenceError| Failure::new(ExitCode::Usage, &error))?;
    depot.trust(&signer(path, place)?)?;
    Ok(())
}
