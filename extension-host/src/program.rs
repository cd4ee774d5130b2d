//! Extensions that are programs: `wasi:cli/run` of a component, `_start` of a module.

use std::borrow::Cow;
use std::sync::Arc;

use crate::arguments::{ArgumentError, Arguments, Word};
use crate::binary::START;
use crate::error::CallError;
use crate::exports::ExportedFunction;
use crate::extension::Extension;
use crate::imports::split_version;
use crate::observe::Watch;
use crate::output::{OutputSink, Sinks};
use crate::report::{CallReport, Returned};

/// The interface that a component exports its program by.
const RUN: &str = "wasi:cli/run";

/// What a program is started with, beside what it is granted: arguments and standard streams.
///
/// ```
/// let program = extension_host::Program::new(["--verbose"]);
/// ```
#[derive(Clone, Default)]
pub struct Program {
    pub(crate) process: Process,
}

/// What one call has of a process. Its first argument is always the name of the extension.
#[derive(Clone, Default)]
pub(crate) struct Process {
    pub(crate) arguments: Vec<String>,
    stdio: Option<Stdio>,
}

/// The standard streams of a program that has those of this process.
#[derive(Clone)]
struct Stdio {
    sinks: Sinks,
    reads_stdin: bool,
}

impl Program {
    /// A program with these arguments, without input; its output is kept like that of a call.
    pub fn new<T: Into<String>>(arguments: impl IntoIterator<Item = T>) -> Self {
        Self { process: Process::with_arguments(arguments.into_iter().map(Into::into).collect()) }
    }

    /// The same program with the standard input of this process, and with what it writes passed on
    /// to these as it comes.
    ///
    /// What it writes to standard error is kept as well, up to the limit of output; what it writes
    /// to standard output is not.
    pub fn with_streams(
        mut self,
        stdout: Arc<dyn OutputSink>,
        stderr: Arc<dyn OutputSink>,
    ) -> Self {
        self.process.stdio = Some(Stdio { sinks: Sinks { stdout, stderr }, reads_stdin: true });
        self
    }
}

impl Process {
    fn with_arguments(arguments: Vec<String>) -> Self {
        Self { arguments, stdio: None }
    }

    pub(crate) fn sinks(&self) -> Option<Sinks> {
        self.stdio.as_ref().map(|stdio| stdio.sinks.clone())
    }

    pub(crate) fn reads_stdin(&self) -> bool {
        self.stdio.as_ref().is_some_and(|stdio| stdio.reads_stdin)
    }
}

impl ExportedFunction {
    /// Whether it is the entry of a program, which takes arguments and ends with a status: `run` of
    /// `wasi:cli/run`, or `_start` of a module.
    pub fn is_program(&self) -> bool {
        match &self.interface {
            Some(interface) => split_version(interface).0 == RUN && self.name == "run",
            None => self.name == START && self.parameters().is_empty(),
        }
    }
}

/// A call, as its arguments reach the guest: as values, or as the arguments of a process.
pub(crate) fn split_arguments<'a>(
    function: &ExportedFunction,
    arguments: &'a Arguments,
) -> Result<(Cow<'a, Arguments>, Process), ArgumentError> {
    match arguments {
        Arguments::Words(words) if function.is_program() => {
            let arguments = words.iter().enumerate().map(|(at, word)| process_argument(at, word));
            let process = Process::with_arguments(arguments.collect::<Result<_, _>>()?);
            Ok((Cow::Owned(Arguments::Words(Vec::new())), process))
        }
        other => Ok((Cow::Borrowed(other), Process::default())),
    }
}

/// WASI's arguments are text.
fn process_argument(at: usize, word: &Word) -> Result<String, ArgumentError> {
    String::from_utf8(word.clone().into_bytes()).map_err(|error| ArgumentError::Value {
        number: at + 1,
        name: format!("argv[{}]", at + 1),
        ty: "string".to_owned(),
        reason: format!("not UTF-8 from byte {} on", error.utf8_error().valid_up_to()),
    })
}

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
        crate::call_runtime::block_on(true, work).unwrap_or_else(|error| {
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
