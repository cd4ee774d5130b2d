//! `wasi:filesystem/types` of WASI 0.3: Wasmtime's, with written bytes counted.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustix::io::{ReadWriteFlags, pwritev2};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, FutureReader, Linker, Resource, Source, StreamConsumer, StreamReader, StreamResult,
};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p3::bindings::filesystem::types::{
    self, DescriptorFlags, ErrorCode, HostDescriptorWithStore, OpenFlags, PathFlags,
};

use crate::calling::CallState;
use crate::limits::{WriteBudget, growth};
use crate::wasi::file_writes::written_to;
use crate::wasi::refused_writes::note_refused_write;
use crate::wasi::replace::replace_in;

/// The interface, in the version that Wasmtime registers it under.
const TYPES: &str = "wasi:filesystem/types@0.3.0";
/// The maximum of one write in bytes: as much as a stream of WASI 0.2 takes.
const CHUNK: usize = 64 * 1024;

type Written = FutureReader<Result<(), ErrorCode>>;

/// Links `wasi:filesystem/types`.
pub(super) fn link_files(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiFilesystem>(linker, CallState::filesystem)?;
    replace_in(linker, TYPES, |files| {
        files.func_wrap_concurrent("[method]descriptor.set-size", |host, arguments| {
            Box::pin(set_size(host, arguments))
        })?;
        files.func_wrap(
            "[method]descriptor.write-via-stream",
            |store, (descriptor, data, offset)| {
                Ok((write_via_stream(store, &descriptor, data, Place::At(offset))?,))
            },
        )?;
        files.func_wrap("[method]descriptor.append-via-stream", |store, (descriptor, data)| {
            Ok((write_via_stream(store, &descriptor, data, Place::End)?,))
        })?;
        files.func_wrap_concurrent("[method]descriptor.open-at", |host, arguments| {
            Box::pin(open_at(host, arguments))
        })
    })
}

async fn set_size(
    host: &Accessor<CallState>,
    (descriptor, size): (Resource<Descriptor>, u64),
) -> wasmtime::Result<(Result<(), ErrorCode>,)> {
    host.with(|mut store| -> wasmtime::Result<()> {
        let state = store.get();
        let budget = state.bounds.written.clone();
        let file = written_to(state.filesystem().table, &descriptor)?;
        Ok(budget.take(file.map_or(0, |file| growth(&file, size)))?)
    })?;
    let files = host.with_getter::<WasiFilesystem>(CallState::filesystem);
    match WasiFilesystem::set_size(&files, descriptor, size).await {
        Ok(()) => Ok((Ok(()),)),
        Err(error) => Ok((Err(error.downcast()?),)),
    }
}

async fn open_at(
    host: &Accessor<CallState>,
    (directory, path_flags, path, open_flags, flags): (
        Resource<Descriptor>,
        PathFlags,
        String,
        OpenFlags,
        DescriptorFlags,
    ),
) -> wasmtime::Result<(Result<Resource<Descriptor>, ErrorCode>,)> {
    let below = Resource::new_borrow(directory.rep());
    let files = host.with_getter::<WasiFilesystem>(CallState::filesystem);
    let opened =
        WasiFilesystem::open_at(&files, directory, path_flags, path, open_flags, flags).await;
    let opened = match opened {
        Ok(opened) => Ok(opened),
        Err(error) => Err(error.downcast()?),
    };
    let writes = flags.contains(DescriptorFlags::WRITE)
        || open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
    if writes && matches!(opened, Err(ErrorCode::NotPermitted)) {
        host.with(|mut store| note_refused_write(store.get(), &below));
    }
    Ok((opened,))
}

/// Writes a stream to a file. Wasmtime's own function cannot be counted: it takes the stream for
/// itself.
fn write_via_stream(
    mut store: StoreContextMut<'_, CallState>,
    descriptor: &Resource<Descriptor>,
    mut data: StreamReader<u8>,
    place: Place,
) -> wasmtime::Result<Written> {
    let (ended, end) = oneshot::channel();
    let state = store.data_mut();
    let budget = state.bounds.written.clone();
    match file_to_write(state.filesystem().table.get(descriptor)?) {
        Ok(file) => {
            let gap = match place {
                Place::At(offset) => growth(&file, offset),
                Place::End => 0,
            };
            data.pipe(
                &mut store,
                FileWriter { file, place, gap, budget, ended: Some(ended), writing: None },
            )?;
        }
        Err(error) => {
            data.close(&mut store)?;
            let _ = ended.send(Err(error));
        }
    }
    FutureReader::new(&mut store, end)
}

fn file_to_write(descriptor: &Descriptor) -> Result<Arc<File>, ErrorCode> {
    match descriptor {
        Descriptor::File(file) if file.perms.write_not_permitted() => Err(ErrorCode::NotPermitted),
        Descriptor::File(file) => Ok(file.file.clone()),
        Descriptor::Dir(_) => Err(ErrorCode::BadDescriptor),
    }
}

/// The place of the next bytes in a file.
#[derive(Clone, Copy)]
enum Place {
    At(u64),
    End,
}

/// Writes a stream into a file, piece by piece, and says how it ended.
struct FileWriter {
    file: Arc<File>,
    place: Place,
    /// The bytes between the end of the file and the begin of the stream: the first write makes
    /// them part of the file.
    gap: u64,
    budget: WriteBudget,
    ended: Option<oneshot::Sender<Result<(), ErrorCode>>>,
    writing: Option<JoinHandle<io::Result<usize>>>,
}

impl FileWriter {
    fn begin(&mut self, bytes: &[u8]) -> wasmtime::Result<JoinHandle<io::Result<usize>>> {
        let bytes = bytes[..bytes.len().min(CHUNK)].to_vec();
        self.budget.take(std::mem::take(&mut self.gap).saturating_add(bytes.len() as u64))?;
        let (file, place) = (self.file.clone(), self.place);
        Ok(spawn_blocking(move || place.write(&file, &bytes)))
    }

    fn end(&mut self, result: Result<(), ErrorCode>) {
        if let Some(ended) = self.ended.take() {
            let _ = ended.send(result);
        }
    }
}

impl Place {
    fn write(self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::At(offset) => file.write_at(bytes, offset),
            Self::End => Ok(pwritev2(file, &[io::IoSlice::new(bytes)], 0, ReadWriteFlags::APPEND)?),
        }
    }

    fn after(self, written: usize) -> Self {
        match self {
            Self::At(offset) => Self::At(offset.saturating_add(written as u64)),
            Self::End => Self::End,
        }
    }
}

impl<D> StreamConsumer<D> for FileWriter {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut source = source.as_direct(store);
        let mut writing = match self.writing.take() {
            Some(writing) => writing,
            None => self.begin(source.remaining())?,
        };
        let written = match Pin::new(&mut writing).poll(context) {
            Poll::Pending => {
                // A write that has not begun ends at once; one that has cannot be called back and
                // is waited for.
                if finish {
                    writing.abort();
                }
                self.writing = Some(writing);
                return Poll::Pending;
            }
            Poll::Ready(written) => written,
        };
        Poll::Ready(Ok(match written {
            Ok(Ok(written)) => {
                source.mark_read(written);
                self.place = self.place.after(written);
                StreamResult::Completed
            }
            Ok(Err(error)) => {
                self.end(Err(error.into()));
                StreamResult::Dropped
            }
            Err(_) => StreamResult::Cancelled,
        }))
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        self.end(Ok(()));
    }
}
