//! `sesame extension exec`

use std::os::unix::process::CommandExt;
use std::process::Command;

use core_types::{ErrorKind, ExtensionName};
use extension_host::{
    CommandEnvironment, RefusedVariable, Resources, VariableRefusal, Workload, WorkloadAction,
    WorkloadAnswer, WorkloadRequest,
};
use serde_json::json;

use crate::arguments::ExecArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::suffiks::workload;
use crate::terminal::escape_to_line;

/// Runs a command in the environment that an extension adds, by becoming it: its exit code and
/// signals are its own.
pub fn run(context: &Context, arguments: &ExecArguments) -> Result<Outcome, Failure> {
    let ExecArguments { name, workload, command } = arguments;
    let Some((program, rest)) = command.split_first() else {
        return Err(Failure::message(ErrorKind::Usage, "there is no command to run"));
    };
    let workload = match workload {
        Some(path) => workload::read_workload(path)?,
        None => Workload::new(json!({
            "apiVersion": "open-sesame.dev/v1", "kind": "Command",
            "metadata": { "name": program.to_string_lossy() }, "spec": {},
        }))
        .map_err(|error| Failure::new(ErrorKind::Usage, error))?,
    };
    let CommandEnvironment { variables, refused } = environment(context, name, workload)?;
    refused.iter().for_each(|refused| context.warn(&explain(name, refused)));
    context.warnings.show();
    crate::restore_core_limit();
    let variables = variables.iter().map(|(name, value)| (name.as_str(), value));
    let error = Command::new(program).args(rest).envs(variables).exec();
    let code = if error.kind() == std::io::ErrorKind::NotFound {
        ErrorKind::NotFound
    } else {
        ErrorKind::Local
    };
    Err(Failure::message(code, format!("cannot run `{}`", program.to_string_lossy()))
        .caused_by(error))
}

fn environment(
    context: &Context,
    name: &ExtensionName,
    workload: Workload,
) -> Result<CommandEnvironment, Failure> {
    let request = WorkloadRequest {
        action: WorkloadAction::Environment,
        workload,
        old: None,
        spec_keys: None,
        resources: Resources::default(),
    };
    match workload::ask(context, name, request)?.answer {
        WorkloadAnswer::Environment(environment) => Ok(environment),
        _ => unreachable!("the answer is that to what was asked"),
    }
}

/// Explains why a variable is not set.
fn explain(name: &ExtensionName, refused: &RefusedVariable) -> String {
    let variable = escape_to_line(&refused.name);
    match &refused.reason {
        VariableRefusal::Impossible => {
            format!("`{name}` does not set `{variable}`: not a valid variable")
        }
        VariableRefusal::Secret(error) => {
            format!("`{name}` does not get the secret `{variable}`: {error}")
        }
    }
}
