//! `sesame registry login` and `logout`

use std::io::Read;

use extension_depot::registry::{Credential, forget_login, store_login};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::{Change, Outcome};

/// Keeps a login in the Secret Service. The password comes from standard input and stands nowhere else.
pub fn login(registry: &str, username: String) -> Result<Outcome, Failure> {
    check_registry(registry)?;
    let mut password = String::new();
    std::io::stdin().lock().take(64 * 1024).read_to_string(&mut password)?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        return Err(Failure::message(ExitCode::Usage, "there is no password on standard input"));
    }
    store_login(registry, &Credential::Password { username, password })?;
    Ok(Outcome::Changed(vec![Change { now: format!("logged in to `{registry}`"), changed: true }]))
}

/// Forgets a login.
pub fn logout(registry: &str) -> Result<Outcome, Failure> {
    check_registry(registry)?;
    let changed = forget_login(registry)?;
    Ok(Outcome::Changed(vec![Change { now: format!("logged out of `{registry}`"), changed }]))
}

fn check_registry(registry: &str) -> Result<(), Failure> {
    let prefix = registry.parse::<core_types::OciPrefix>().ok().filter(|prefix| prefix.components().is_empty());
    let wrong = || Failure::message(ExitCode::Usage, format!("`{}` is no registry", registry.escape_debug()));
    prefix.map(drop).ok_or_else(|| wrong().with_hint("write its host, such as `ghcr.io` or `localhost:5000`"))
}
