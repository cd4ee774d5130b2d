//! The functions of WASI's first version that make a file larger: Wasmtime's, with written bytes
//! counted, and `path_open`, with refused writes noted.
//!
//! `fd_allocate` is not among them, since Wasmtime refuses it.

use std::os::unix::ffi::OsStrExt;

use wasmtime::{AsContextMut, Caller, Linker};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::types::{Errno, Fd, Fdflags, Oflags, Prestat, Rights};
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as preview1, WasiSnapshotPreview1};
use wiggle::{GuestMemory, GuestPtr};

use super::state::{ModuleState, WASI};

/// Links the functions, in the place of Wasmtime's own.
pub(super) fn link(linker: &mut Linker<ModuleState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.func_wrap_async(WASI, "fd_write", |caller, arguments| {
        Box::new(write(caller, arguments))
    })?;
    linker.func_wrap_async(WASI, "fd_pwrite", |caller, arguments| {
        Box::new(write_at(caller, arguments))
    })?;
    linker.func_wrap_async(WASI, "fd_filestat_set_size", |caller, arguments| {
        Box::new(set_size(caller, arguments))
    })?;
    linker.func_wrap_async(WASI, "path_open", |caller, arguments| {
        Box::new(open(caller, arguments))
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Counts and calls `fd_write`: the descriptor, an array of buffers, its length, and the address
/// for the number of written bytes.
async fn write(
    mut caller: Caller<'_, ModuleState>,
    (fd, buffers, count, written): (i32, i32, i32, i32),
) -> wasmtime::Result<i32> {
    let budget = caller.data().bounds.written.clone();
    let (mut memory, wasi) = parts(&mut caller)?;
    // Standard output has no position, and is counted by itself.
    if let Ok(position) = wasi.fd_tell(&mut memory, descriptor(fd)) {
        let grown = growth(wasi, &mut memory, fd, position, true).await;
        budget.take(grown.saturating_add(first_length(&memory, buffers, count)))?;
    }
    preview1::fd_write(wasi, &mut memory, fd, buffers, count, written).await
}

/// Counts and calls `fd_pwrite`, which is `fd_write` at an offset.
async fn write_at(
    mut caller: Caller<'_, ModuleState>,
    (fd, buffers, count, offset, written): (i32, i32, i32, i64, i32),
) -> wasmtime::Result<i32> {
    let budget = caller.data().bounds.written.clone();
    let (mut memory, wasi) = parts(&mut caller)?;
    if wasi.fd_tell(&mut memory, descriptor(fd)).is_ok() {
        let grown = growth(wasi, &mut memory, fd, offset.cast_unsigned(), true).await;
        budget.take(grown.saturating_add(first_length(&memory, buffers, count)))?;
    }
    preview1::fd_pwrite(wasi, &mut memory, fd, buffers, count, offset, written).await
}

/// Counts and calls `fd_filestat_set_size`: the descriptor and the size.
async fn set_size(
    mut caller: Caller<'_, ModuleState>,
    (fd, size): (i32, i64),
) -> wasmtime::Result<i32> {
    let budget = caller.data().bounds.written.clone();
    let (mut memory, wasi) = parts(&mut caller)?;
    if wasi.fd_tell(&mut memory, descriptor(fd)).is_ok() {
        budget.take(growth(wasi, &mut memory, fd, size.cast_unsigned(), false).await)?;
    }
    preview1::fd_filestat_set_size(wasi, &mut memory, fd, size).await
}

/// Calls `path_open`: the descriptor of the directory, flags of the look-up, the path and its
/// length, flags of the opening, the rights on the file and below it, flags of the file, and the
/// address for its descriptor.
async fn open(
    mut caller: Caller<'_, ModuleState>,
    (fd, lookup, path, length, flags, rights, below, file_flags, opened): (
        i32,
        i32,
        i32,
        i32,
        i32,
        i64,
        i64,
        i32,
        i32,
    ),
) -> wasmtime::Result<i32> {
    let (mut memory, wasi) = parts(&mut caller)?;
    let memory = &mut memory;
    let errno = preview1::path_open(
        wasi, memory, fd, lookup, path, length, flags, rights, below, file_flags, opened,
    )
    .await?;
    let writes = Rights::from_bits_truncate(rights.cast_unsigned()).contains(Rights::FD_WRITE)
        || Oflags::from_bits_truncate(flags as u16).intersects(Oflags::CREAT | Oflags::TRUNC);
    if writes && errno == Errno::Perm as i32 {
        let directory = preopened(wasi, descriptor(fd));
        let state = caller.data();
        state.gate.note_refused_write(|path| {
            let in_guest = state.directories.in_guest(path);
            (directory.as_deref() == Some(in_guest.as_os_str().as_bytes())).then_some(0)
        });
    }
    Ok(errno)
}

/// Returns the path under which the guest finds a directory, if the descriptor is one that it got.
/// Wasmtime does not say where one lies that it opened itself, below which C libraries open nothing.
fn preopened(wasi: &mut WasiP1Ctx, fd: Fd) -> Option<Vec<u8>> {
    let Prestat::Dir(status) = wasi.fd_prestat_get(&mut GuestMemory::Unshared(&mut []), fd).ok()?;
    let mut path = vec![0; status.pr_name_len as usize];
    let mut memory = GuestMemory::Unshared(&mut path);
    wasi.fd_prestat_dir_name(&mut memory, fd, GuestPtr::new(0), status.pr_name_len).ok()?;
    Some(path)
}

fn descriptor(fd: i32) -> Fd {
    Fd::from(fd.cast_unsigned())
}

/// Returns the memory of a module and WASI, as Wasmtime's functions find them. A shared memory
/// would need threads, which are off.
fn parts<'a>(
    caller: &'a mut Caller<'_, ModuleState>,
) -> wasmtime::Result<(GuestMemory<'a>, &'a mut WasiP1Ctx)> {
    let fuel = caller.as_context_mut().hostcall_fuel();
    let memory = caller.get_export("memory").and_then(wasmtime::Extern::into_memory);
    let memory = memory.ok_or_else(|| wasmtime::Error::msg("missing required memory export"))?;
    let (memory, state) = memory.data_and_store_mut(caller);
    let wasi = state.wasi();
    wasi.set_hostcall_fuel(fuel);
    Ok((GuestMemory::Unshared(memory), wasi))
}

/// Returns the length of the first non-empty buffer, which is all that one call writes. Wasmtime
/// refuses an array outside of memory afterwards.
fn first_length(memory: &GuestMemory<'_>, buffers: i32, count: i32) -> u64 {
    let GuestMemory::Unshared(memory) = memory else { return 0 };
    let at = |address: u64| {
        let start = usize::try_from(address).ok()?;
        let bytes = memory.get(start..start.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let buffers = u64::from(buffers.cast_unsigned());
    let lengths =
        (0..u64::from(count.cast_unsigned())).map_while(|index| at(buffers + 8 * index + 4));
    lengths.into_iter().find(|length| *length > 0).map_or(0, u64::from)
}

/// Returns the bytes by which a file grows before the bytes that are written at this offset.
async fn growth(
    wasi: &mut WasiP1Ctx,
    memory: &mut GuestMemory<'_>,
    fd: i32,
    offset: u64,
    is_write: bool,
) -> u64 {
    if offset == 0 {
        return 0;
    }
    let size = wasi.fd_filestat_get(memory, descriptor(fd)).await.map_or(0, |status| status.size);
    let growth = offset.saturating_sub(size);
    // A file that is open for appending grows at its end, whatever the offset.
    let appends = growth > 0
        && is_write
        && wasi
            .fd_fdstat_get(memory, descriptor(fd))
            .await
            .is_ok_and(|status| status.fs_flags.contains(Fdflags::APPEND));
    if appends { 0 } else { growth }
}
