//! Compiled code: out of the cache, or compiled again.

use extension_depot::{Binary, MAX_BLOB, read_blob};
use extension_host::{
    CacheError, Code, CodeCache, CodeKey, CompileError, CompilerCommand, Host, HostError,
    IntoCacheError,
};

use crate::error::CodeError;
use crate::events::{Event, Events};
use crate::manager::Manager;

impl Manager {
    /// Returns the code of a binary. Missing or untrusted code in the cache is compiled again: in a
    /// bounded child process where [`Options::compiler`](crate::Options::compiler) names one, else
    /// in this process.
    ///
    /// # Errors
    /// When the binary does not compile, or this machine does not let compiled code run.
    pub fn code(&self, host: &Host, binary: &Binary) -> Result<Code, CodeError> {
        let (cache, key) = (self.code_cache(), CodeKey::new(&binary.digest));
        match host.load(&cache, &key) {
            Ok(code) => Ok(code),
            // Compiling again does not help against this.
            Err(error @ IntoCacheError::Load(HostError::NotExecutable(_))) => Err(error.into()),
            Err(why) => {
                let events = self.events();
                events.event(Event::CompileStarted(&why));
                let compiled = match self.compiler() {
                    Some(compiler) => {
                        Job { host, key: &key, binary, compiler: &compiler }.compile(&cache, events)
                    }
                    None => compile_here(host, binary),
                };
                events.event(Event::CompileEnded);
                compiled
            }
        }
    }
}

/// Compiles in this process, without bounds on time and memory.
fn compile_here(host: &Host, binary: &Binary) -> Result<Code, CodeError> {
    let bytes = read_blob(&binary.path, &binary.digest, MAX_BLOB)?;
    Ok(host.compile(&bytes).map_err(IntoCacheError::Load)?)
}

/// The work of a child process.
struct Job<'a> {
    host: &'a Host,
    key: &'a CodeKey,
    binary: &'a Binary,
    compiler: &'a CompilerCommand,
}

impl Job<'_> {
    /// Compiles into the cache, or, where the cache cannot be used, for this process alone.
    fn compile(&self, cache: &CodeCache, events: &dyn Events) -> Result<Code, CodeError> {
        match self.compile_into(cache) {
            Err(
                error @ (IntoCacheError::Cache(CacheError::NotOurs { .. } | CacheError::Io { .. })
                | IntoCacheError::Compile(CompileError::Output { .. })),
            ) => {
                events.event(Event::CodeNotKept(&error));
                let directory = tempfile::tempdir().map_err(CodeError::Temporary)?;
                let cache = CodeCache::new(directory.path().join("code"));
                Ok(self.compile_into(&cache)?.without_file())
            }
            other => Ok(other?),
        }
    }

    fn compile_into(&self, cache: &CodeCache) -> Result<Code, IntoCacheError> {
        self.host.compile_into(cache, self.key, &self.binary.path, self.compiler)
    }
}
