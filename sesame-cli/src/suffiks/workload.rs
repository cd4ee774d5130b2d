//! Workloads, and asking an installed extension about one.

use std::path::Path;

use core_types::{ErrorKind, ExtensionName};
use extension_host::{Workload, WorkloadError, WorkloadOutcome, WorkloadRequest};
use extension_manager::CallMode;

use crate::context::Context;
use crate::failure::Failure;
use crate::installed::{warn_of_refusals, worth_telling};
use crate::suffiks::document;

/// Reads the workload in a file.
pub fn read_workload(path: &Path) -> Result<Workload, Failure> {
    let no_workload = |error: WorkloadError| {
        Failure::message(ErrorKind::Usage, format!("`{}` is not a workload", path.display()))
            .caused_by(error)
    };
    Workload::new(document::read(path)?).map_err(no_workload)
}

/// Asks an installed extension.
pub fn ask(
    context: &Context,
    name: &ExtensionName,
    request: WorkloadRequest,
) -> Result<WorkloadOutcome, Failure> {
    let callable = context.manager()?.callable(name, CallMode::Ordinary)?;
    let opened = callable.opened();
    let report = callable.call_workload_blocking(request);
    let refused = worth_telling(&report.activity);
    context.verbose(String::from_utf8_lossy(&report.output).trim_end());
    match report.outcome {
        Ok(outcome) => {
            warn_of_refusals(context, opened, &refused);
            Ok(outcome)
        }
        Err(error) => {
            let failure = Failure::of_call(opened, error, &report.stderr_tail, &refused);
            Err(failure.with_missing(&report.activity.missing))
        }
    }
}
