//! Answers as they go over the wire, honest or not.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The parts of a request that matter here.
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) headers: String,
}

/// An answer.
pub(super) enum Reply {
    /// A head, and a body whose length may differ from the promised one.
    Whole { head: Head, body: Vec<u8>, length: Option<usize>, every: Option<Duration> },
    /// A head, and an endless repetition of a byte.
    Endless { head: Head, byte: u8 },
    /// Headers, one a second.
    SlowHeaders,
    /// The connection breaks.
    Reset,
}

/// The status and the headers.
pub(super) struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

const SECOND: Duration = Duration::from_secs(1);
/// A bound on the head and body of a request: clients of these tests send far less.
const MAX_REQUEST: usize = 64 << 10;

impl Reply {
    pub(super) fn status(status: u16) -> Self {
        Self::Whole {
            head: Head { status, headers: Vec::new() },
            body: Vec::new(),
            length: None,
            every: None,
        }
    }

    pub(super) fn ok(media_type: &str, bytes: Vec<u8>) -> Self {
        Self::status(200).with("Content-Type", media_type).having(bytes)
    }

    pub(super) fn json(status: u16, text: &str) -> Self {
        Self::status(status)
            .with("Content-Type", "application/json")
            .having(text.as_bytes().to_vec())
    }

    pub(super) fn endless(media_type: &str, byte: u8) -> Self {
        Self::Endless {
            head: Head { status: 200, headers: vec![("Content-Type".into(), media_type.into())] },
            byte,
        }
    }

    fn head(&mut self) -> Option<&mut Head> {
        match self {
            Self::Whole { head, .. } | Self::Endless { head, .. } => Some(head),
            Self::SlowHeaders | Self::Reset => None,
        }
    }

    fn having(mut self, bytes: Vec<u8>) -> Self {
        if let Self::Whole { body, .. } = &mut self {
            *body = bytes;
        }
        self
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if let Some(head) = self.head() {
            head.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(super) fn coded(mut self, status: u16) -> Self {
        if let Some(head) = self.head() {
            head.status = status;
        }
        self
    }

    /// Promises this number of bytes.
    pub(super) fn promising(mut self, bytes: usize) -> Self {
        if let Self::Whole { length, .. } = &mut self {
            *length = Some(bytes);
        }
        self
    }

    pub(super) fn cut(mut self, at: usize) -> Self {
        if let Self::Whole { body, .. } = &mut self {
            body.truncate(at);
        }
        self
    }

    pub(super) fn with_last_byte(mut self, byte: u8) -> Self {
        if let Self::Whole { body, .. } = &mut self
            && let Some(last) = body.last_mut()
        {
            *last = byte;
        }
        self
    }

    /// Sends its body a byte a second.
    pub(super) fn dripped(mut self) -> Self {
        if let Self::Whole { every, .. } = &mut self {
            *every = Some(SECOND);
        }
        self
    }

    /// Sends these bytes, one a second.
    pub(super) fn dripping(self, bytes: Vec<u8>) -> Self {
        self.having(bytes).dripped()
    }

    fn send(self, stream: &mut TcpStream) -> io::Result<()> {
        match self {
            Self::Whole { head, body, length, every } => {
                head.send(stream, &format!("Content-Length: {}", length.unwrap_or(body.len())))?;
                send_body(stream, &body, every)?;
                // The head promises more, so a trusting client waits.
                if length.is_some_and(|length| length > body.len()) && body.is_empty() {
                    wait(stream)
                } else {
                    Ok(())
                }
            }
            Self::Endless { head, byte } => {
                head.send(stream, "Transfer-Encoding: chunked")?;
                let chunk = [b"10000\r\n", [byte; 0x10000].as_slice(), b"\r\n"].concat();
                loop {
                    stream.write_all(&chunk)?;
                }
            }
            Self::SlowHeaders => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
                send_body(stream, b"X-A: 1\r\n".repeat(1_000).as_slice(), Some(SECOND))
            }
            Self::Reset => Ok(()),
        }
    }
}

impl Head {
    fn send(&self, stream: &mut TcpStream, length: &str) -> io::Result<()> {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(
            stream,
            "HTTP/1.1 {} Answer\r\n{headers}{length}\r\nConnection: close\r\n\r\n",
            self.status
        )
    }
}

fn send_body(stream: &mut TcpStream, body: &[u8], every: Option<Duration>) -> io::Result<()> {
    let Some(every) = every else { return stream.write_all(body) };
    for byte in body {
        stream.write_all(&[*byte])?;
        std::thread::sleep(every);
    }
    Ok(())
}

/// Waits until the other side closes.
fn wait(stream: &mut TcpStream) -> io::Result<()> {
    stream.read(&mut [0]).map(drop)
}

/// Answers one request. A client that leaves early is not an error.
pub(super) fn serve(mut stream: TcpStream, answer: impl Fn(&Asked) -> Reply) {
    let Ok(line) = read_until(&mut stream, b"\r\n") else { return };
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    // Closing with unread bytes resets the connection, so the headers of such a request stay
    // unread.
    if path.contains("/reset/") {
        let _ = answer(&Asked { path, headers: String::new() }).send(&mut stream);
        return;
    }
    let Ok(headers) = read_until(&mut stream, b"\r\n\r\n") else { return };
    let _ = answer(&Asked { path, headers }).send(&mut stream);
}

fn read_until(stream: &mut TcpStream, end: &[u8]) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(end) && bytes.len() < MAX_REQUEST && stream.read(&mut byte)? == 1 {
        bytes.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
