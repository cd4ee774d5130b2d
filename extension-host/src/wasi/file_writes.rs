//! `wasi:filesystem/types`: Wasmtime's, with written bytes counted.
//!
//! The first four functions are all that makes a file larger. Everything else that a guest can do with
//! one ends in them: a copied descriptor, zeroes, or one stream that is spliced into another. The
//! fifth opens files.

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable, ResourceTableError};
use wasmtime_wasi::filesystem::{Descriptor, OpenMode, WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, DescriptorFlags, ErrorCode, HostDescriptor, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{
    DynOutputStream, FsResult, OutputStream, Pollable, StreamError, StreamResult,
};

use super::refused_writes::note_refused_write;
use super::replace::replace_in;
use crate::calling::CallState;
use crate::limits::{WriteBudget, growth};

/// The interface, in the version that Wasmtime registers it under.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// The result of a function of the interface.
type Answer<T> = wasmtime::Result<(Result<T, ErrorCode>,)>;

/// Links `wasi:filesystem/types`.
pub(crate) fn link_files(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiFilesystem>(linker, CallState::filesystem)?;
    replace_in(linker, TYPES, |files| {
        files.func_wrap_async("[method]descriptor.write", |store, arguments| {
            Box::new(write(store, arguments))
        })?;
        files.func_wrap_async("[method]descriptor.set-size", |store, arguments| {
            Box::new(set_size(store, arguments))
        })?;
        files.func_wrap("[method]descriptor.write-via-stream", write_via_stream)?;
        files.func_wrap("[method]descriptor.append-via-stream", append_via_stream)?;
        files.func_wrap_async("[method]descriptor.open-at", |store, arguments| {
            Box::new(open_at(store, arguments))
        })
    })
}

/// Returns the file behind a descriptor, if it may be written to. Writes to others are refused and
/// not counted.
pub(crate) fn written_to(
    table: &ResourceTable,
    descriptor: &Resource<Descriptor>,
) -> Result<Option<Arc<File>>, ResourceTableError> {
    Ok(match table.get(descriptor)? {
        Descriptor::File(file)
            if !file.perms.write_not_permitted() && file.open_mode.contains(OpenMode::WRITE) =>
        {
            Some(file.file.clone())
        }
        _ => None,
    })
}

async fn write(
    mut store: StoreContextMut<'_, CallState>,
    (descriptor, bytes, offset): (Resource<Descriptor>, Vec<u8>, u64),
) -> Answer<u64> {
    let budget = store.data().bounds.written.clone();
    let mut files = store.data_mut().filesystem();
    if let Some(file) = written_to(files.table, &descriptor)? {
        budget.take(growth(&file, offset).saturating_add(bytes.len() as u64))?;
    }
    answer(files.write(descriptor, bytes, offset).await)
}

async fn set_size(
    mut store: StoreContextMut<'_, CallState>,
    (descriptor, size): (Resource<Descriptor>, u64),
) -> Answer<()> {
    let budget = store.data().bounds.written.clone();
    let mut files = store.data_mut().filesystem();
    if let Some(file) = written_to(files.table, &descriptor)? {
        budget.take(growth(&file, size))?;
    }
    answer(files.set_size(descriptor, size).await)
}

fn write_via_stream(
    mut store: StoreContextMut<'_, CallState>,
    (descriptor, offset): (Resource<Descriptor>, u64),
) -> Answer<Resource<DynOutputStream>> {
    let budget = store.data().bounds.written.clone();
    let mut files = store.data_mut().filesystem();
    let gap = written_to(files.table, &descriptor)?.map_or(0, |file| growth(&file, offset));
    let opened = files.write_via_stream(descriptor, offset);
    answer(opened.and_then(|stream| counted(files.table, stream, budget, gap)))
}

fn append_via_stream(
    mut store: StoreContextMut<'_, CallState>,
    (descriptor,): (Resource<Descriptor>,),
) -> Answer<Resource<DynOutputStream>> {
    let budget = store.data().bounds.written.clone();
    let mut files = store.data_mut().filesystem();
    let opened = files.append_via_stream(descriptor);
    answer(opened.and_then(|stream| counted(files.table, stream, budget, 0)))
}

async fn open_at(
    mut store: StoreContextMut<'_, CallState>,
    (directory, path_flags, path, open_flags, flags): (
        Resource<Descriptor>,
        PathFlags,
        String,
        OpenFlags,
        DescriptorFlags,
    ),
) -> Answer<Resource<Descriptor>> {
    let below = Resource::new_borrow(directory.rep());
    let files = &mut store.data_mut().filesystem();
    let opened = answer(files.open_at(directory, path_flags, path, open_flags, flags).await)?;
    let writes = flags.contains(DescriptorFlags::WRITE)
        || open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
    if writes && matches!(opened, (Err(ErrorCode::NotPermitted),)) {
        note_refused_write(store.data_mut(), &below);
    }
    Ok(opened)
}

fn answer<T>(result: FsResult<T>) -> Answer<T> {
    match result {
        Ok(value) => Ok((Ok(value),)),
        Err(error) => Ok((Err(error.downcast()?),)),
    }
}

/// Replaces a stream by one that counts.
fn counted(
    table: &mut ResourceTable,
    stream: Resource<DynOutputStream>,
    budget: WriteBudget,
    gap: u64,
) -> FsResult<Resource<DynOutputStream>> {
    let stream = table.delete(stream)?;
    let counted: DynOutputStream = Box::new(CountedStream { stream, budget, gap });
    Ok(table.push(counted)?)
}

/// A stream into a file.
struct CountedStream {
    stream: DynOutputStream,
    budget: WriteBudget,
    /// The bytes between the end of the file and the begin of the stream: the first write makes
    /// them part of the file.
    gap: u64,
}

impl CountedStream {
    fn count(&mut self, bytes: &Bytes) -> StreamResult<()> {
        let bytes = std::mem::take(&mut self.gap).saturating_add(bytes.len() as u64);
        self.budget.take(bytes).map_err(|spent| StreamError::Trap(spent.into()))
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for CountedStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.count(&bytes)?;
        self.stream.write(bytes)
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.count(&bytes)?;
        self.stream.blocking_write_and_flush(bytes).await
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.stream.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.stream.check_write()
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for CountedStream {
    async fn ready(&mut self) {
        self.stream.ready().await;
    }
}
