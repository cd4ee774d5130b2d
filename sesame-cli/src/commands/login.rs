//! `sesame registry login`, `logout` and `list`

use extension_depot::registry::{Credential, LoginError, LoginStore, forget_login, kept_logins, store_login};

use crate::arguments::StoreName;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::{Change, Outcome};
use crate::terminal::Terminal;

/// Keeps a login. The password comes from standard input or a prompt, and stands nowhere else.
pub fn login(
    context: &Context,
    registry: &str,
    username: String,
    stdin: bool,
    to: StoreName,
) -> Result<Outcome, Failure> {
    check_registry(registry)?;
    let store = match to {
        StoreName::SecretService => LoginStore::SecretService,
        StoreName::File => file(context)?,
    };
    if username.is_empty() || username.contains(':') {
        return Err(Failure::message(ExitCode::Usage, "a user name is not empty and has no `:`"));
    }
    let password = read_password(context, registry, stdin)?;
    if password.is_empty() {
        return Err(Failure::message(ExitCode::Usage, "there is no password on standard input"));
    }
    store_login(&store, registry, &Credential::Password { username, password }).map_err(|error| match error {
        LoginError::SecretService(_) => Failure::from(error)
            .with_hint("unlock your keyring, or add `--store file`, which does not encrypt the password"),
        other => other.into(),
    })?;
    Ok(Outcome::Changed(vec![Change { now: format!("logged in to `{registry}`"), changed: true }]))
}

fn read_password(context: &Context, registry: &str, stdin: bool) -> Result<String, Failure> {
    if !stdin && context.can_ask() {
        return Ok(context.terminal.ask_password(&format!("password for {registry}"))?);
    }
    Ok(Terminal::password_from_stdin()?)
}

/// Forgets a login, wherever it is kept.
pub fn logout(context: &Context, registry: &str) -> Result<Outcome, Failure> {
    check_registry(registry)?;
    let was_in_file = forget_login(&file(context)?, registry)?;
    let was_in_service = match forget_login(&LoginStore::SecretService, registry) {
        // Where there is no service, nothing is in it.
        Err(LoginError::SecretService(_)) if was_in_file || !context.has_session_bus() => false,
        other => other?,
    };
    let changed = was_in_file || was_in_service;
    Ok(Outcome::Changed(vec![Change { now: format!("logged out of `{registry}`"), changed }]))
}

/// Lists the registries that logins are kept for.
pub fn list(context: &Context) -> Result<Outcome, Failure> {
    let mut logins = kept_logins(&file(context)?)?;
    if context.has_session_bus() {
        match kept_logins(&LoginStore::SecretService) {
            Ok(kept) => logins.extend(kept),
            Err(error) => context.warn(&Failure::from(error).in_one_line()),
        }
    }
    Ok(Outcome::Logins(logins))
}

fn file(context: &Context) -> Result<LoginStore, Failure> {
    Ok(LoginStore::File(context.places()?.logins()))
}

fn check_registry(registry: &str) -> Result<(), Failure> {
    let prefix = registry.parse::<core_types::OciPrefix>().ok().filter(|prefix| prefix.components().is_empty());
    let wrong = || Failure::message(ExitCode::Usage, format!("`{}` is no registry", registry.escape_debug()));
    prefix.map(drop).ok_or_else(|| wrong().with_hint("write its host, such as `ghcr.io` or `localhost:5000`"))
}
