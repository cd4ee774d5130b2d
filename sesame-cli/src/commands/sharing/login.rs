//! `sesame registry login`, `logout` and `list`

use core_types::{ErrorKind, OciPrefix, OciReference};
use extension_depot::registry::{
    Credential, LoginCheck, LoginError, LoginStore, RegistryError, forget_login, kept_logins,
    store_login,
};

use crate::arguments::StoreName;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Change, Outcome};
use crate::terminal::{Terminal, waiting};

/// A login to keep, as given on the command line.
pub struct LoginOrder {
    pub registry: String,
    pub username: Option<String>,
    pub password_stdin: bool,
    pub store: StoreName,
    /// Whether the registry has to accept the login first.
    pub is_tried: bool,
}

/// Keeps a login. The password comes only from standard input or a prompt, since other users can
/// see arguments.
pub fn login(context: &Context, order: LoginOrder) -> Result<Outcome, Failure> {
    let registry = registry_host(&order.registry)?;
    let store = match order.store {
        StoreName::SecretService => LoginStore::SecretService,
        StoreName::File => file(context)?,
    };
    let username = read_username(context, &registry, order.username)?;
    if store == LoginStore::SecretService {
        // Opened first, so that a password that cannot be kept is not asked for.
        kept_logins(&store).map_err(without_store)?;
    }
    let password = read_password(context, &registry, order.password_stdin)?;
    if password.is_empty() {
        return Err(Failure::message(ErrorKind::Usage, "there is no password on standard input"));
    }
    let credential = Credential::Password { username, password };
    if order.is_tried {
        try_login(context, &registry, &credential)?;
    }
    store_login(&store, &registry, &credential).map_err(without_store)?;
    Ok(Outcome::Changed(vec![Change::new(format!("logged in to `{registry}`"), true)]))
}

fn without_store(error: LoginError) -> Failure {
    match error {
        LoginError::SecretService(_) => Failure::from(error).with_first_hint(
            "unlock your keyring, or add `--store file`, which does not encrypt the password",
        ),
        other => other.into(),
    }
}

fn read_username(
    context: &Context,
    registry: &str,
    given: Option<String>,
) -> Result<String, Failure> {
    let username = match given {
        Some(username) => username,
        None if context.can_ask() => context.terminal.ask(&format!("user name for {registry}:"))?,
        None => {
            return Err(Failure::message(
                ErrorKind::Usage,
                "no user name is given: add `--username`",
            ));
        }
    };
    if username.is_empty() || username.contains(':') {
        return Err(Failure::message(ErrorKind::Usage, "a user name is not empty and has no `:`"));
    }
    Ok(username)
}

/// Checks that the registry accepts a login.
fn try_login(context: &Context, registry: &str, credential: &Credential) -> Result<(), Failure> {
    let reference = format!("{registry}/login:check").parse::<OciReference>();
    let reference = reference.map_err(|_| not_a_registry(registry))?;
    let checking = context.registry()?.check_login(&reference, credential.clone());
    let checked = context.wait_for(waiting(context, format!("asking {registry}…"), checking))?;
    if checked.map_err(not_tried)? == LoginCheck::NotAsked {
        context.warn(&format!("`{registry}` answers without a login, so this one was not tried"));
    }
    Ok(())
}

/// Adds the option that skips this check.
fn not_tried(error: RegistryError) -> Failure {
    let is_refused = matches!(error, RegistryError::LoginRefused { .. });
    let failure = Failure::from(error);
    if is_refused {
        return failure.with_hint(
            "check the user name and the password, or add `--no-verify` to keep the login untried",
        );
    }
    failure.with_hint("add `--no-verify` to keep the login untried")
}

fn read_password(context: &Context, registry: &str, stdin: bool) -> Result<String, Failure> {
    if !stdin && context.can_ask() {
        return Ok(context.terminal.ask_password(&format!("password for {registry}"))?);
    }
    Ok(Terminal::password_from_stdin()?)
}

/// Deletes a login, wherever it is kept.
pub fn logout(context: &Context, text: &str) -> Result<Outcome, Failure> {
    let registry = registry_host(text)?;
    let mut changed = forget(context, &registry)?;
    if text != registry {
        // Earlier versions kept a login under the text as it was typed.
        changed |= forget(context, text)?;
    }
    Ok(Outcome::Changed(vec![Change::new(format!("logged out of `{registry}`"), changed)]))
}

fn forget(context: &Context, registry: &str) -> Result<bool, Failure> {
    let was_in_file = forget_login(&file(context)?, registry)?;
    let was_in_service = match forget_login(&LoginStore::SecretService, registry) {
        // A missing service does not hold a login.
        Err(LoginError::SecretService(_)) if was_in_file || !context.has_session_bus() => false,
        other => other?,
    };
    Ok(was_in_file || was_in_service)
}

/// Lists the registries with a login.
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

/// Parses the host of a registry from pasted text: with a scheme, with the path of the API as
/// Docker writes it, in any case.
fn registry_host(text: &str) -> Result<String, Failure> {
    let lower = text.trim().to_ascii_lowercase();
    let bare = ["oci://", "https://", "http://"]
        .iter()
        .find_map(|scheme| lower.strip_prefix(scheme))
        .unwrap_or(&lower);
    let bare = bare.trim_end_matches('/');
    let bare = ["/v1", "/v2"].iter().find_map(|path| bare.strip_suffix(path)).unwrap_or(bare);
    let prefix: OciPrefix = bare.parse().map_err(|_| not_a_registry(text))?;
    match prefix.registry() {
        host if !prefix.components().is_empty() => Err(part_of_registry(text, host)),
        // The name of Docker's registry in Docker's own files.
        "index.docker.io" => Ok("docker.io".to_owned()),
        host => Ok(host.to_owned()),
    }
}

fn not_a_registry(text: &str) -> Failure {
    let message = format!("`{}` is not a registry", text.escape_debug());
    Failure::message(ErrorKind::Usage, message)
        .with_hint("write its host, such as `ghcr.io` or `localhost:5000`")
}

fn part_of_registry(text: &str, host: &str) -> Failure {
    let message = format!("`{}` is not a registry but a part of one", text.escape_debug());
    Failure::message(ErrorKind::Usage, message).with_hint(format!("sesame registry login {host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registry_is_read_as_people_paste_it() {
        for (text, host) in [
            ("ghcr.io", "ghcr.io"),
            (" GHCR.io/ ", "ghcr.io"),
            ("oci://ghcr.io", "ghcr.io"),
            ("HTTPS://ghcr.io/v2/", "ghcr.io"),
            ("http://localhost:5000/", "localhost:5000"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("docker.io", "docker.io"),
            ("[::1]:5000", "[::1]:5000"),
        ] {
            assert_eq!(registry_host(text).ok().as_deref(), Some(host), "{text}");
        }
        for text in [
            "",
            "https://",
            "ghcr.io/my-org",
            "https://ghcr.io/my-org/x",
            "me@ghcr.io",
            "ghcr.io:x",
            "a b",
        ] {
            assert!(registry_host(text).is_err(), "{text}");
        }
    }
}
