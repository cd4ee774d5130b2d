//! Zstandard, as [RFC 8878](https://www.rfc-editor.org/rfc/rfc8878) has it: frames one after
//! another.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::archives::file_kind::MAX_UNPACKED;

/// The largest window, which is kept in memory, in bytes. A frame of one segment has its whole
/// content as window.
const MAX_WINDOW: u64 = MAX_UNPACKED;

/// Reads the contents of all frames. Tools that seek in layers write many, and between them some
/// that are to be skipped.
pub(crate) struct ZstdReader<R> {
    source: R,
    decoder: FrameDecoder,
    is_in_frame: bool,
}

impl<R: BufRead> ZstdReader<R> {
    pub(crate) fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Self { source, decoder, is_in_frame: false }
    }

    /// Begins the next frame that has content. Returns whether there is one.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut (&mut self.source).take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(damaged(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if !self.is_in_frame {
                self.is_in_frame = self.begin_frame()?;
                if !self.is_in_frame {
                    return Ok(0);
                }
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                self.is_in_frame = false;
            } else {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.source, one).map_err(damaged)?;
            }
        }
        Ok(0)
    }
}

fn damaged(error: FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `zstd --no-check` makes of `hello` in one raw block.
    const HELLO: &[u8] = b"\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello";
    /// A frame of four bytes that mean nothing.
    const SKIPPED: &[u8] = b"\x50\x2a\x4d\x18\x04\0\0\0abcd";

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut found = Vec::new();
        ZstdReader::new(bytes).read_to_end(&mut found).map(|_| found)
    }

    #[test]
    fn zstd_joins_and_skips_frames() {
        assert_eq!(read(HELLO).expect("one"), b"hello");
        assert_eq!(read(&[HELLO, SKIPPED, HELLO, SKIPPED].concat()).expect("two"), b"hellohello");
        assert_eq!(read(b"").expect("none"), b"");
    }

    #[test]
    fn zstd_damage_is_an_error() {
        for damaged in
            [&HELLO[..7], &HELLO[..11], b"\x28\xb5\x2f\xfd", b"hello", &[HELLO, b"x"].concat()]
        {
            assert!(read(damaged).is_err(), "{damaged:?}");
        }
    }
}
