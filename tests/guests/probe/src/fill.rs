//! Every way to make files larger.

use wasip2::filesystem::types::{Descriptor, ErrorCode};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use crate::files::open_at;

const MEBIBYTE: u64 = 1 << 20;
/// The most that a stream takes from one call that blocks.
const PIECE: usize = 4096;

pub fn fill(way: &str, path: &str, mebibytes: u32) -> Result<u32, String> {
    (0..mebibytes).try_for_each(|round| once(way, path, round))?;
    Ok(mebibytes)
}

/// Adds a mebibyte.
fn once(way: &str, path: &str, round: u32) -> Result<(), String> {
    let path = if way == "several" { format!("{path}{round}") } else { path.to_owned() };
    let file = open_at(&path, "rwc")?;
    let at = u64::from(round) * MEBIBYTE;
    match way {
        "write" | "several" => named(file.write(&vec![0; MEBIBYTE as usize], at).map(drop)),
        "again" => named(file.write(&vec![0; MEBIBYTE as usize], 0).map(drop)),
        "set-size" => named(file.set_size(at + MEBIBYTE)),
        "shrink" => named(file.set_size(0).and_then(|()| file.set_size(MEBIBYTE))),
        "beyond" => named(file.write(b"x", at + MEBIBYTE).map(drop)),
        "stream-beyond" => streamed(file.write_via_stream(at + MEBIBYTE), |stream| {
            stream.blocking_write_and_flush(b"x")
        }),
        "stream" => streamed(file.write_via_stream(at), write_pieces),
        "append" => streamed(file.append_via_stream(), write_pieces),
        "unblocked" => streamed(file.write_via_stream(at), write_unblocked),
        "zeroes" => streamed(file.write_via_stream(at), |stream| {
            (0..MEBIBYTE as usize / PIECE)
                .try_for_each(|_| stream.blocking_write_zeroes_and_flush(PIECE as u64))
        }),
        "splice" => splice(&file, at),
        _ => Err(format!("no way: {way}")),
    }
}

fn write_pieces(stream: &OutputStream) -> Result<(), StreamError> {
    (0..MEBIBYTE as usize / PIECE).try_for_each(|_| stream.blocking_write_and_flush(&[0; PIECE]))
}

fn write_unblocked(stream: &OutputStream) -> Result<(), StreamError> {
    let mut left = MEBIBYTE;
    while left > 0 {
        let piece = stream.check_write()?.min(left);
        stream.write(&vec![0; piece as usize])?;
        stream.subscribe().block();
        left -= piece;
    }
    stream.blocking_flush()
}

/// Copies the first mebibyte of a file to another place in it.
fn splice(file: &Descriptor, at: u64) -> Result<(), String> {
    if at == 0 {
        return named(file.write(&vec![0; MEBIBYTE as usize], 0).map(drop));
    }
    let source: InputStream = file.read_via_stream(0).map_err(|error| error.name().to_owned())?;
    streamed(file.write_via_stream(at), |stream| {
        let mut left = MEBIBYTE;
        while left > 0 {
            left -= stream.blocking_splice(&source, left)?;
        }
        Ok(())
    })
}

fn streamed(
    stream: Result<OutputStream, ErrorCode>,
    write: impl FnOnce(&OutputStream) -> Result<(), StreamError>,
) -> Result<(), String> {
    write(&stream.map_err(|error| error.name().to_owned())?).map_err(|error| error.to_string())
}

fn named(result: Result<(), ErrorCode>) -> Result<(), String> {
    result.map_err(|error| error.name().to_owned())
}
