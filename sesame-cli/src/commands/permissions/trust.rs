//! `sesame trust list`, `add`, `remove`, `accept` and `keygen`

use std::path::{Path, PathBuf};

use core_types::{Digest, ErrorKind, OciPrefix};
use extension_depot::registry::generate_key;
use extension_depot::{Depot, Signer, TrustAnchor, TrustedSigner};

use crate::arguments::{GivenSigner, SignedSource, TrustCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Change, Outcome, Trust};
use crate::signing::proof;

/// How often a person can mistype a new password.
const PASSWORD_TRIES: usize = 3;

/// Runs one of them.
pub fn run(context: &Context, command: TrustCommand) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    match command {
        TrustCommand::List { .. } => {
            let first_uses =
                depot.first_uses().map_err(|error| Failure::new(ErrorKind::Local, error))?;
            Ok(Outcome::Trust(Trust { signers: depot.trusted_signers()?, first_uses }))
        }
        TrustCommand::Add { key, certificate, place } => {
            let given = key.as_deref().map(GivenSigner::Key).or_else(|| certificate.given());
            let given = given.ok_or_else(|| {
                Failure::message(
                    ErrorKind::Usage,
                    "no signer given: pass a public key file or --identity",
                )
            })?;
            let signer = TrustedSigner { place, proof: proof(given)? };
            let now = format!("{} is trusted for `{}`", signer.proof, signer.place);
            Ok(Outcome::Changed(vec![Change::new(now, depot.lock()?.trust(&signer)?)]))
        }
        TrustCommand::Remove { signer, place } => remove(depot, &signer, place.as_ref()),
        TrustCommand::Accept { of } => accept(depot, &of),
        TrustCommand::Keygen { to } => keygen(context, &to),
    }
}

/// Accepts the signer of the next version of an extension, or of a repository, as the first again.
fn accept(depot: &Depot, of: &SignedSource) -> Result<Outcome, Failure> {
    let repository = match of {
        SignedSource::Extension(name) => {
            let installed = depot.installed(name)?;
            installed.reference.identity()
        }
        SignedSource::Repository(repository) => {
            // Whose tag it is does not matter: a repository has one signer.
            let any =
                repository.at("any").map_err(|error| Failure::new(ErrorKind::Usage, error))?;
            any.identity()
        }
    };
    let changed = depot.lock()?.accept_signer(&repository)?;
    let now = format!("any signer of the next version of `{repository}` is accepted");
    Ok(Outcome::Changed(vec![Change::new(now, changed)]))
}

/// Writes a new pair of keys: `NAME.key`, which only the user can read, and `NAME.pub`.
fn keygen(context: &Context, to: &Path) -> Result<Outcome, Failure> {
    if to.file_name().is_none() || to.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(Failure::message(
            ErrorKind::Usage,
            format!("`{}` is not the name of a key", to.display()),
        ));
    }
    let (secret, public) = (with_ending(to, ".key"), with_ending(to, ".pub"));
    // An existing file is reported before the question for a password.
    if let Some(there) = [&secret, &public].into_iter().find(|path| path.symlink_metadata().is_ok())
    {
        return Err(Failure::key_is_there(there, to));
    }
    let password = new_password(context, &secret)?;
    generate_key(&secret, &public, password.as_deref().map(str::as_bytes))?;
    context.status(&about_keys(&secret, &public, password.is_some()));
    Ok(Outcome::Written(vec![secret, public]))
}

/// Appends an ending to the name, whatever dots it has.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Returns the password for a new key, from the environment or from a person, who types it twice.
/// Without one, the key is not encrypted.
fn new_password(context: &Context, key: &Path) -> Result<Option<String>, Failure> {
    let password = match context.key_password() {
        Some(password) => password,
        None if context.can_ask() => ask_twice(context, key)?,
        None => String::new(),
    };
    Ok(Some(password).filter(|password| !password.is_empty()))
}

fn ask_twice(context: &Context, key: &Path) -> Result<String, Failure> {
    for _ in 0..PASSWORD_TRIES {
        let first = context
            .terminal
            .ask_password(&format!("new password for {}, or none", key.display()))?;
        if first.is_empty() || context.terminal.ask_password("the same password again")? == first {
            return Ok(first);
        }
        context.terminal.status("the two are not the same");
    }
    Err(Failure::message(ErrorKind::Usage, "no password was typed twice; nothing was written"))
}

fn about_keys(secret: &Path, public: &Path, is_encrypted: bool) -> String {
    let (secret, public) = (secret.display(), public.display());
    let kept = if is_encrypted {
        format!("`{secret}` is your secret key, encrypted with the password")
    } else {
        format!(
            "`{secret}` is your secret key and is not encrypted: its readers can sign as you. SESAME_KEY_PASSWORD \
             encrypts a new one"
        )
    };
    format!("{kept}\n`{public}` is the public key, for those who install what you sign")
}

/// Trusts a key, by its digest or file, or an identity no longer.
fn remove(depot: &Depot, signer: &str, place: Option<&OciPrefix>) -> Result<Outcome, Failure> {
    let is_known = |known: &TrustedSigner| matches!(&known.proof, TrustAnchor::Identity(rule) if rule.identity == signer);
    let (whom, changed) = if depot.trusted_signers()?.iter().any(is_known) {
        let is_meant = |known: &TrustedSigner| {
            is_known(known) && place.is_none_or(|place| known.place.is_same(place))
        };
        (format!("`{signer}`"), depot.lock()?.distrust(is_meant)?)
    } else {
        let key = signer.parse::<Digest>().map_or_else(|_| key_of(Path::new(signer)), Ok)?;
        let is_meant = |known: &TrustedSigner| {
            known.proof.is_of(&Signer::Key { key })
                && place.is_none_or(|place| known.place.is_same(place))
        };
        (format!("the key {key}"), depot.lock()?.distrust(is_meant)?)
    };
    let of_place = place.map(|place| format!(" for `{place}`")).unwrap_or_default();
    Ok(Outcome::Changed(vec![Change::new(format!("{whom} is not trusted{of_place}"), changed)]))
}

fn key_of(path: &Path) -> Result<Digest, Failure> {
    match TrustAnchor::from_key_file(path)? {
        TrustAnchor::Key { fingerprint, .. } => Ok(fingerprint),
        TrustAnchor::Identity(_) => unreachable!("a key file has a key"),
    }
}
