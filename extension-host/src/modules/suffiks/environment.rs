//! The variables that an extension sets for a command, as far as they are granted.

use std::collections::BTreeSet;

use core_types::{Capability, Config, EnvName, Owner, Request, SecretName, variable_name};

use super::changes::{Changes, EnvSource};
use crate::calling::Gate;
use crate::capabilities::{BackendError, Backends, ask_backend};

/// The variables that an extension wants to set for a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandEnvironment {
    /// The variables that it may set, each once, in its order.
    pub variables: Vec<(EnvName, String)>,
    /// The variables that cannot be set, with the reasons. Those without a grant are in the
    /// activity of the call instead.
    pub refused: Vec<RefusedVariable>,
}

/// A variable that is not set. The name is untrusted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedVariable {
    /// Its name, or that of its secret.
    pub name: String,
    /// The reason.
    pub reason: VariableRefusal,
}

/// Why a variable is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableRefusal {
    /// A variable cannot have that name or value.
    Impossible,
    /// The secret is not available.
    Secret(BackendError),
}

/// The maximum of a shown name in characters: the name is untrusted and may be of any length.
const MAX_NAME: usize = 256;

/// Decides each variable of these changes.
pub(crate) async fn environment(
    changes: Changes,
    gate: &Gate,
    config: &Config,
    backends: &Backends,
) -> CommandEnvironment {
    let mut environment = CommandEnvironment::default();
    for (name, value) in changes.env {
        environment.set(gate, &name, value);
    }
    let mut asked = BTreeSet::new();
    for source in changes
        .env_from
        .into_iter()
        .filter(|source| asked.insert((source.is_secret, source.name.clone())))
    {
        if source.is_secret {
            environment.set_secret(gate, &source, backends).await;
        } else {
            // There is one map of configuration, under any name.
            config
                .environment()
                .for_each(|(name, value)| environment.set(gate, &name, value.to_owned()));
        }
    }
    environment
}

impl CommandEnvironment {
    fn set(&mut self, gate: &Gate, text: &str, value: String) {
        let Some(name) = text.parse::<EnvName>().ok().filter(|_| !value.contains('\0')) else {
            return self.refuse(text, VariableRefusal::Impossible);
        };
        if gate.allows(&Request::SetVariable(name.clone())) {
            self.variables.retain(|(other, _)| *other != name);
            self.variables.push((name, value));
        }
    }

    /// Sets the variable of a secret, which has one value and gives its upper-case name.
    async fn set_secret(&mut self, gate: &Gate, source: &EnvSource, backends: &Backends) {
        let Ok(name) = source.name.parse::<SecretName>() else {
            return self.refuse(&source.name, VariableRefusal::Impossible);
        };
        if !gate.allows(&Request::ReadSecret(name.to_string())) {
            return;
        }
        match read_secret(name.clone(), &gate.permissions.owner, backends).await {
            Ok(value) => self.set(gate, &variable_name(name.as_str()), value),
            Err(BackendError::NotFound) if source.optional => {}
            Err(error) => self.refuse(&source.name, VariableRefusal::Secret(error)),
        }
    }

    fn refuse(&mut self, name: &str, reason: VariableRefusal) {
        let name = name.chars().take(MAX_NAME).collect();
        let refused = RefusedVariable { name, reason };
        if !self.refused.contains(&refused) {
            self.refused.push(refused);
        }
    }
}

/// Reads a secret for a command. Waiting ends with the time of the call.
async fn read_secret(
    name: SecretName,
    owner: &Owner,
    backends: &Backends,
) -> Result<String, BackendError> {
    let (backends, owner) = (backends.clone(), owner.clone());
    let read = move || backends.secrets.read(&owner, name.as_str());
    ask_backend(Capability::SecretRead, read).await
}
