//! Extensions that are programs: `wasi:cli/run` of a component, `_start` of a module.

use super::observe::Watch;
use super::process::Program;
use super::report::{CallReport, Returned};
use super::runtime;
use crate::error::CallError;
use crate::extension::Extension;
use crate::values::{Arguments, ExportedFunction};

impl Extension {
    /// The function by which the extension is a program, if it is one. With several versions, the
    /// first.
    pub fn program(&self) -> Option<&ExportedFunction> {
        self.functions.iter().find(|function| function.is_program())
    }

    /// Runs the extension as a program in a new instance, within the limits of a call. Returns its
    /// exit status: 0 when it returned or exited well, 1 when it returned an error, or the status
    /// that it exited with.
    ///
    /// Needs a tokio runtime with time and I/O enabled; dropping the future ends the program. Time
    /// in which a sink does not return counts, and is the sink's to end: it is told the deadline.
    pub async fn run_program(&self, program: Program) -> CallReport<i32> {
        let gate = self.gate();
        let Some(function) = self.program() else {
            return CallReport::failed(CallError::NoProgram, &gate);
        };
        let name = function.qualified_name();
        let watch = Watch::new(self.observer.as_ref(), gate.clone(), &name);
        let report = self
            .call_function(&gate, function, &Arguments::Words(Vec::new()), program.process)
            .await;
        let report = report.with_status();
        watch.ended(&report, |status| *status != 0);
        report
    }

    /// Runs the extension as a program and waits for it, or for `interrupted`, with which the
    /// program ends. Returns nothing when it was interrupted.
    ///
    /// # Panics
    /// Within a tokio runtime, where [`Extension::run_program`] is to be used.
    pub fn run_program_blocking(
        &self,
        program: Program,
        interrupted: impl Future<Output = ()>,
    ) -> Option<CallReport<i32>> {
        let work = async {
            tokio::select! {
                biased;
                () = interrupted => None,
                report = self.run_program(program) => Some(report),
            }
        };
        runtime::block_on(true, work).unwrap_or_else(|error| {
            Some(CallReport::failed(CallError::Other(error.into()), &self.gate()))
        })
    }
}

impl CallReport<Returned> {
    /// The same report with the status in the place of the value, as a shell would see it.
    fn with_status(self) -> CallReport<i32> {
        let outcome = match self.outcome {
            Ok(returned) => Ok(i32::from(returned.is_err())),
            Err(CallError::Exited { status }) => Ok(status),
            Err(error) => Err(error),
        };
        let Self { usage, output, stderr_tail, activity, .. } = self;
        CallReport { outcome, usage, output, stderr_tail, activity }
    }
}
