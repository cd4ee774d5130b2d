//! `sesame workload`: an extension of Suffiks answers about a workload.

use extension_host::{Resources, WorkloadAction, WorkloadAnswer, WorkloadRequest};

use crate::arguments::{ValidationType, WorkloadArguments, WorkloadCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Outcome, WorkloadReport};
use crate::suffiks::{
    ExtensionDocument, ResourceDirectory,
    document::Form,
    workload::{ask, read_workload},
};

/// Asks an extension about a workload.
pub fn run(context: &Context, command: WorkloadCommand) -> Result<Outcome, Failure> {
    let (arguments, action) = match command {
        WorkloadCommand::Validate { arguments, kind } => {
            let kind = kind.unwrap_or(if arguments.old.is_some() {
                ValidationType::Update
            } else {
                ValidationType::Create
            });
            (arguments, WorkloadAction::Validate(kind as i32))
        }
        WorkloadCommand::Default(arguments) => (arguments, WorkloadAction::Default),
        WorkloadCommand::Sync(arguments) => (arguments, WorkloadAction::Sync),
        WorkloadCommand::Delete(arguments) => (arguments, WorkloadAction::Delete),
    };
    let directory = arguments.resources.as_deref().map(ResourceDirectory::read).transpose()?;
    let request = request(&arguments, action, directory.as_ref())?;
    let workload = request.workload.clone();
    let outcome = ask(context, &arguments.name, request)?;
    if let Some(directory) = directory {
        directory.write(&outcome.resources)?;
    }
    let form = Form::of(&arguments.workload);
    Ok(Outcome::Workload(Box::new(match outcome.answer {
        WorkloadAnswer::Validated(problems) => WorkloadReport::Validated(problems),
        WorkloadAnswer::Defaulted(workload) => WorkloadReport::Changed { workload, form },
        WorkloadAnswer::Synced(changes) => WorkloadReport::Changed {
            workload: changes.apply_containers(changes.apply(workload)),
            form,
        },
        WorkloadAnswer::Deleted(error) => WorkloadReport::Deleted(error),
        WorkloadAnswer::Environment(_) => unreachable!("no command of this file asks for it"),
    })))
}

fn request(
    arguments: &WorkloadArguments,
    action: WorkloadAction,
    directory: Option<&ResourceDirectory>,
) -> Result<WorkloadRequest, Failure> {
    let document: Option<ExtensionDocument> =
        arguments.ext.as_deref().map(ExtensionDocument::read).transpose()?;
    Ok(WorkloadRequest {
        action,
        workload: read_workload(&arguments.workload)?,
        old: arguments.old.as_deref().map(read_workload).transpose()?,
        spec_keys: document.map(|document| document.spec_keys()),
        resources: directory
            .map_or_else(Resources::default, |directory| directory.resources().clone()),
    })
}
