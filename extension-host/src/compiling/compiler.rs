//! Compiling in a process of its own, with bounded time and memory.
//!
//! Wasmtime promises nothing about the time and memory that a binary takes to compile: small ones
//! that take minutes or gigabytes are known. A program that installs untrusted code therefore
//! compiles it in a child that the kernel bounds.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use core_types::Digest;
use private_files::read_regular;
use rustix::process::{Signal, set_parent_process_death_signal};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use super::child_error::{CompileError, INPUT, MEMORY, NOT_COMPONENT, OUTPUT, REFUSED};
use super::limits::CompilerLimits;
use crate::cache::{CodeCache, CodeKey, IntoCacheError};
use crate::code::{compile, compiling_engine};
use crate::error::HostError;

/// The most that the child reads, in bytes: compiling more takes several times as much memory, which
/// is more than the 2 GiB that the child has.
const MAX_INPUT: u64 = 512 << 20;

/// The maximum of threads: more need more address space than they save time.
const MAX_THREADS: usize = 4;

/// One file to compile to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompilerJob {
    /// The file to read.
    pub from: PathBuf,
    /// The file to write.
    pub to: PathBuf,
    /// The digest that the first must have.
    pub digest: Digest,
}

impl CompilerJob {
    /// Reads the jobs from the arguments of a child. Returns `None` for any other arguments.
    pub fn parse_all(arguments: &[OsString]) -> Option<Vec<Self>> {
        let parse = |job: &[OsString]| match job {
            [from, to, digest] => Some(Self {
                from: from.into(),
                to: to.into(),
                digest: digest.to_str()?.parse().ok()?,
            }),
            _ => None,
        };
        arguments.chunks(3).map(parse).collect()
    }

    fn to_arguments(&self) -> [OsString; 3] {
        [self.from.clone().into(), self.to.clone().into(), self.digest.to_string().into()]
    }
}

/// The command line of a program that calls [`run_compiler`] with the jobs that follow it, three
/// arguments each: the file to read, the file to write, and the digest of the first.
///
/// ```no_run
/// use extension_host::{CodeCache, CodeKey, CompilerCommand, CompilerJob, Host, run_compiler};
///
/// // The same program is the compiler when it is started with this argument.
/// let arguments: Vec<_> = std::env::args_os().collect();
/// if arguments.get(1).is_some_and(|first| first == "compile") {
///     let jobs = CompilerJob::parse_all(&arguments[2..]).expect("arguments of a compiler");
///     let failure = run_compiler(&jobs).err();
///     std::process::exit(failure.map_or(0, |failure| failure.code));
/// }
/// let compiler = CompilerCommand::new(std::env::current_exe()?, vec!["compile".into()]);
/// # let (binary, digest) = (std::path::Path::new("x.wasm"), "sha256:00".parse()?);
/// let cache = CodeCache::new("/home/someone/.cache/my-program");
/// let code = Host::new()?.compile_into(&cache, &CodeKey::new(&digest), binary, &compiler)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CompilerCommand {
    /// The program, usually the running one.
    pub program: PathBuf,
    /// The arguments that make it a compiler.
    pub arguments: Vec<OsString>,
    /// The number of threads that compile.
    pub threads: usize,
}

impl CompilerCommand {
    /// Makes a command that compiles with as many threads as there are processors, up to a useful
    /// maximum.
    pub fn new(program: PathBuf, arguments: Vec<OsString>) -> Self {
        let threads =
            std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MAX_THREADS));
        Self { program, arguments, threads }
    }

    /// Compiles a binary into the cache, and opens the result.
    pub(crate) fn compile_into(
        &self,
        cache: &CodeCache,
        key: &CodeKey,
        binary: &Path,
    ) -> Result<File, IntoCacheError> {
        cache.store(key, |path| {
            self.compile(binary, key.binary(), path).map_err(IntoCacheError::Compile)
        })
    }

    /// Compiles one file to another.
    fn compile(&self, from: &Path, digest: &Digest, to: &Path) -> Result<(), CompileError> {
        self.compile_each(&[CompilerJob {
            from: from.to_owned(),
            to: to.to_owned(),
            digest: *digest,
        }])
    }

    /// Compiles several files in one child, which saves starting as many. The bounds hold for all
    /// of them together, and a failure does not tell which of them failed.
    pub(crate) fn compile_each(&self, jobs: &[CompilerJob]) -> Result<(), CompileError> {
        let output = Command::new(&self.program)
            .args(&self.arguments)
            .args(jobs.iter().flat_map(CompilerJob::to_arguments))
            .env_clear()
            .env("RAYON_NUM_THREADS", self.threads.min(MAX_THREADS).to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .map_err(|source| CompileError::Start { program: self.program.clone(), source })?;
        if output.status.success() {
            return Ok(());
        }
        Err(CompileError::of_child(output.status, &output.stderr, &CompilerLimits::here()))
    }
}

/// Why the child failed.
#[derive(Debug)]
pub struct CompilerFailure {
    /// The text for standard error, which the parent reads.
    pub message: String,
    /// The exit code.
    pub code: i32,
}

/// Runs the child of a [`CompilerCommand`]: puts this process under the limits, then compiles each
/// file to another. The error goes to standard error, for the parent to read.
///
/// # Errors
/// When a file cannot be read or written, does not have its digest, or the compiler refuses the
/// code.
pub fn run_compiler(jobs: &[CompilerJob]) -> Result<(), CompilerFailure> {
    // Without the parent the code has no use.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    CompilerLimits::here()
        .apply()
        .map_err(|error| refused(format!("cannot limit the compiler: {error}")))?;
    let engine = compiling_engine().map_err(|error| failed(&error))?;
    jobs.iter().try_for_each(|job| run_job(&engine, job))
}

fn refused(message: String) -> CompilerFailure {
    CompilerFailure { message, code: REFUSED }
}

/// Translates the compiler's error. One with a hint of its own has an exit code of its own.
fn failed(error: &HostError) -> CompilerFailure {
    let code = match error {
        HostError::NotComponent { .. } => NOT_COMPONENT,
        error if error.is_out_of_memory() => MEMORY,
        _ => REFUSED,
    };
    CompilerFailure { message: chain(error), code }
}

#[expect(clippy::disallowed_methods, reason = "the parent made the file, and checks its contents")]
fn run_job(
    engine: &Engine,
    CompilerJob { from, to, digest }: &CompilerJob,
) -> Result<(), CompilerFailure> {
    let input = |message| CompilerFailure { message, code: INPUT };
    let bytes = read_regular(from, MAX_INPUT)
        .map_err(|error| input(format!("cannot read `{}`: {error}", from.display())))?;
    let found = Digest::from_sha256(Sha256::digest(&bytes).into());
    if found != *digest {
        return Err(input(format!(
            "`{}` is damaged: expected {digest}, got {found}",
            from.display()
        )));
    }
    let (_, compiled) = compile(engine, &bytes).map_err(|error| failed(&error))?;
    fs::write(to, compiled)
        .map_err(|error| CompilerFailure { message: error.to_string(), code: OUTPUT })
}

/// Joins the causes of an error on one line, since the parent says what failed; an error without
/// causes stands for itself.
fn chain(error: &dyn std::error::Error) -> String {
    let causes: Vec<_> = std::iter::successors(error.source(), |cause| cause.source())
        .map(ToString::to_string)
        .collect();
    if causes.is_empty() { error.to_string() } else { causes.join(": ") }
}
