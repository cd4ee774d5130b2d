//! Extensions that are programs: `wasi:cli/run` of a component, `_start` of a module.

use super::observe::Watch;
use super::process::Program;
use super::report::{CallReport, Returned};
use crate::error::CallError;
use crate::extension::Extension;
use crate::values::{Arguments, ExportedFunction};

impl Extension {
    /// Returns the function by which the extension is a program, if it is one. With several
    /// versions, the first.
    pub fn program(&self) -> Option<&ExportedFunction> {
        self.functions.iter().find(|function| function.is_program())
    }

    /// Runs the extension as a program in a new instance, within the limits of a call. Returns its
    /// exit status: 0 when it returned or exited with 0, 1 when it returned an error, or the status
    /// that it exited with.
    ///
    /// The run needs a Tokio runtime with time and I/O enabled. Dropping the future ends the
    /// program. Time in which a sink does not return counts, and the sink has to end it: it gets
    /// the deadline.
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

    /// Runs the extension as a program and waits for it, or for `interrupted`, which ends the
    /// program. Returns `None` when it was interrupted.
    ///
    /// # Panics
    /// Within a Tokio runtime: use [`Extension::run_program`] there.
    pub fn run_program_blocking(
        &self,
        program: Program,
        interrupted: impl Future<Output = ()>,
    ) -> Option<CallReport<i32>> {
        // A program has the driver for sockets: its standard streams are ours.
        self.wait_until(true, self.run_program(program), interrupted)
    }
}

impl CallReport<Returned> {
    /// Replaces the value by the status that a shell would see.
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
