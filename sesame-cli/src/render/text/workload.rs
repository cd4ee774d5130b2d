//! The answers of an extension about a workload, as text.

use core_types::ErrorKind;
use extension_host::ValidationProblem;

use super::parts::{data, failure};
use crate::failure::Failure;
use crate::outcome::WorkloadReport;
use crate::render::Rendered;
use crate::terminal::escape_to_line;

pub(super) fn reported(report: &WorkloadReport) -> Rendered {
    match report {
        WorkloadReport::Validated(problems) if problems.is_empty() => data("valid\n".to_owned()),
        WorkloadReport::Validated(problems) => data(problems.iter().map(problem).collect()),
        WorkloadReport::Changed { workload, form } => data(form.write(workload.document())),
        WorkloadReport::Deleted(None) => data("cleaned up\n".to_owned()),
        WorkloadReport::Deleted(Some(error)) => {
            let message = format!("the extension could not clean up: {}", escape_to_line(error));
            Rendered {
                stderr: failure(&Failure::message(ErrorKind::Failure, message)),
                ..Default::default()
            }
        }
    }
}

fn problem(problem: &ValidationProblem) -> String {
    let value = if problem.value.is_empty() {
        String::new()
    } else {
        format!(": `{}`", escape_to_line(&problem.value))
    };
    format!("{}: {}{value}\n", escape_to_line(&problem.path), escape_to_line(&problem.detail))
}
