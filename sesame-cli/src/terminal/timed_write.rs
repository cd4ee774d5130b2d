//! Writes to a stream whose reader may have stopped reading, within a time.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::interrupt;

/// The bytes of one write: those that a writable pipe takes without blocking (`PIPE_BUF`).
const PIECE: usize = 4096;

/// The timeout for a reader.
#[derive(Debug, Clone, Copy)]
pub enum WriteTimeout {
    /// Until this moment, however much it reads.
    Until(Instant),
    /// As long as it reads something within this time.
    PerPiece(Duration),
}

impl WriteTimeout {
    fn left(self) -> Duration {
        match self {
            Self::Until(deadline) => deadline.saturating_duration_since(Instant::now()),
            Self::PerPiece(time) => time,
        }
    }
}

/// Writes all of these bytes.
///
/// `TimedOut` for a reader that is too slow, `BrokenPipe` after a signal that ends this process,
/// and those of the stream.
pub fn write_with_timeout(
    to: BorrowedFd<'_>,
    mut bytes: &[u8],
    timeout: WriteTimeout,
) -> io::Result<()> {
    while !bytes.is_empty() {
        wait_until_writable(to, timeout.left())?;
        match rustix::io::write(to, &bytes[..bytes.len().min(PIECE)]) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wait_until_writable(to: BorrowedFd<'_>, time: Duration) -> io::Result<()> {
    let deadline = Instant::now() + time;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left)
            .unwrap_or(Timespec { tv_sec: i64::from(i32::MAX), tv_nsec: 0 });
        match poll(&mut [PollFd::new(&to, PollFlags::OUT)], Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Err(Errno::INTR) if !interrupt::came() => {}
            Err(Errno::INTR) => return Err(io::ErrorKind::BrokenPipe.into()),
            // The write that follows returns the error of the stream.
            other => return Ok(other.map(drop)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    /// A reader that stops reading is given up at the deadline; one that reads gets everything.
    #[test]
    fn full_pipe_is_left_at_the_deadline() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let begun = Instant::now();
        let much = vec![7; 1 << 20];
        let soon = Duration::from_millis(50);
        for timeout in [WriteTimeout::Until(begun + soon), WriteTimeout::PerPiece(soon)] {
            let error = write_with_timeout(writer.as_fd(), &much, timeout).expect_err("not read");
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
        assert!(begun.elapsed() < Duration::from_secs(2));
        let reading = std::thread::spawn(move || io::copy(&mut reader, &mut io::sink()));
        let timeout = WriteTimeout::Until(Instant::now() + Duration::from_secs(60));
        write_with_timeout(writer.as_fd(), &much, timeout).expect("read");
        drop(writer);
        assert!(reading.join().expect("no panic").expect("read") > 1 << 20);
    }

    /// A slow reader is waited for as long as it reads.
    #[test]
    fn slow_reader_gets_everything() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let reading = std::thread::spawn(move || {
            let mut piece = vec![0; 64 << 10];
            let mut read = 0;
            while let Ok(some @ 1..) = io::Read::read(&mut reader, &mut piece) {
                read += some;
                std::thread::sleep(Duration::from_millis(50));
            }
            read
        });
        let timeout = WriteTimeout::PerPiece(Duration::from_millis(400));
        write_with_timeout(writer.as_fd(), &vec![7; 1 << 20], timeout).expect("read");
        drop(writer);
        assert_eq!(reading.join().expect("no panic"), 1 << 20);
    }
}
