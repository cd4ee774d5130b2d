//! Causes of the engine's errors, by their types.

use std::io;

use rustix::io::Errno;

/// Returns the error of this type among the causes of an engine's error.
pub(crate) fn cause_of<E: std::error::Error + Send + Sync + 'static>(
    error: &wasmtime::Error,
) -> Option<&E> {
    error.downcast_ref().or_else(|| error.chain().find_map(|cause| cause.downcast_ref()))
}

/// Tells whether the system refused memory or address space.
pub(crate) fn is_out_of_memory(error: &wasmtime::Error) -> bool {
    cause_of::<wasmtime::OutOfMemory>(error).is_some()
        || cause_of::<Errno>(error) == Some(&Errno::NOMEM)
        || cause_of::<io::Error>(error)
            .is_some_and(|error| error.kind() == io::ErrorKind::OutOfMemory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_memory_is_told_apart() {
        let refused =
            wasmtime::Error::from(Errno::NOMEM).context("mmap failed to reserve 0x104000000 bytes");
        assert!(is_out_of_memory(&refused));
        assert!(is_out_of_memory(
            &io::Error::from_raw_os_error(Errno::NOMEM.raw_os_error()).into()
        ));
        assert!(!is_out_of_memory(&wasmtime::Error::from(Errno::ACCESS)));
    }
}
