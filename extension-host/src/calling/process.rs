//! The surroundings of one call: its process as the guest sees it, and what the state is made from.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use core_types::Config;

use super::gate::Gate;
use crate::capabilities::Backends;
use crate::limits::{OutputSink, Sinks};
use crate::values::{ArgumentError, Arguments, ExportedFunction, Word};

/// A run of a program: its arguments and standard streams, beside its grants.
///
/// ```
/// use extension_host::{Host, Permissions, Program};
///
/// # let binary = wat::parse_str(r#"(module (func (export "_start")))"#)?;
/// let host = Host::new()?;
/// let extension = host.extension(&host.compile(&binary)?, Permissions::default())?;
/// let program = Program::new(["--verbose"]);
/// let report = extension.run_program_blocking(program, std::future::pending());
/// assert_eq!(report.expect("not interrupted").outcome?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Program {
    pub(crate) process: Process,
}

/// The parts of an extension and of a call from which the state of the call is made.
pub(crate) struct Setup<'a> {
    pub(crate) gate: &'a Gate,
    /// The visible part of the configuration.
    pub(crate) config: &'a Arc<Config>,
    pub(crate) backends: &'a Backends,
    pub(crate) process: &'a Process,
    pub(crate) deadline: Instant,
}

/// The process that one call runs in. Its first argument is always the name of the extension.
#[derive(Clone, Default)]
pub(crate) struct Process {
    pub(crate) arguments: Vec<String>,
    stdio: Option<Stdio>,
}

/// The standard streams of a program that uses those of this process.
#[derive(Clone)]
struct Stdio {
    sinks: Sinks,
    reads_stdin: bool,
}

impl Program {
    /// Makes a program with these arguments and without input. Its output is kept like that of a
    /// call.
    pub fn new<T: Into<String>>(arguments: impl IntoIterator<Item = T>) -> Self {
        Self { process: Process::with_arguments(arguments.into_iter().map(Into::into).collect()) }
    }

    /// Connects the program to the standard input of this process, and passes its output on to
    /// these sinks as it comes.
    ///
    /// Standard error is kept as well, up to the limit of output; standard output is not.
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

/// Splits the arguments of a call: values for a function, arguments of the process for a program.
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

/// Checks that an argument is text, as WASI demands.
fn process_argument(at: usize, word: &Word) -> Result<String, ArgumentError> {
    String::from_utf8(word.clone().into_bytes()).map_err(|error| ArgumentError::Value {
        number: at + 1,
        name: format!("argv[{}]", at + 1),
        ty: "string".to_owned(),
        reason: format!("not UTF-8 from byte {} on", error.utf8_error().valid_up_to()),
    })
}
