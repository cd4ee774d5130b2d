//! Workloads, and asking an installed extension about one.

use std::path::Path;

use core_types::{ErrorKind, ExtensionName};
use extension_host::{Workload, WorkloadError, WorkloadOutcome, WorkloadRequest};
use extension_manager::CallMode;

use crate::context::Context;
use crate::document;
use crate::failure::Failure;
use crate::refusals::{is_worth_telling, warn_of_refusal};

/// Reads the workload in a file.
pub fn read_workload(path: &Path) -> Result<Workload, Failure> {
    let no_workload = |error: WorkloadError| {
        Failure::message(ErrorKind::Usage, format!("`{}` is not a workload", path.display()))
            .caused_by(&error)
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
    let (opened, limits_file) = (callable.opened(), &callable.opened().installed.loaded.path);
    let report = callable.call_workload_blocking(request);
    let refused: Vec<_> =
        report.activity.refused().filter(|touch| is_worth_telling(touch)).collect();
    context.explain(String::from_utf8_lossy(&report.output).trim_end());
    match report.outcome {
        Ok(outcome) => {
            refused.iter().for_each(|touch| warn_of_refusal(context, opened, touch));
            Ok(outcome)
        }
        Err(error) => {
            let failure = Failure::of_call(name, &error, limits_file, &report.stderr_tail)
                .with_refusals_of(&error, name, &refused);
            Err(failure.with_missing(&report.activity.missing))
        }
    }
}
