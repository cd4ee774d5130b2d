//! A registry with each misbehaviour that clients were caught by, and a foreign host to which it
//! tries to lead them.
//!
//! The repository's name picks the behaviour: `HOST/bad/extension/trunc:1.0.0`. Each request to
//! either is recorded with its credentials. The registry uses bare sockets, since a library for
//! HTTP would not lie about lengths.

mod artifacts;
mod wire;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use artifacts::ARTIFACTS;
use artifacts::Artifact;
use wire::{Asked, Reply, serve};

/// Misbehaviour in the registry's answers. [`ARTIFACTS`] has that of its contents.
pub const MANNERS: [&str; 27] = [
    "ok",
    "s500",
    "s503-then-ok",
    "s429-then-ok",
    "s429-forever",
    "s429-huge",
    "gone",
    "err-ansi",
    "err-denied",
    "err-mebibyte",
    "err-huge",
    "err-long",
    "redir-loop",
    "redir-stranger",
    "redir-stranger-blob",
    "redir-file",
    "slow-headers",
    "slow-body",
    "stall",
    "reset",
    "huge-manifest",
    "tag-flip",
    "trunc",
    "cl-short",
    "cl-long",
    "wrong-bytes",
    "endless",
];

/// The authentication that it demands before any answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// With a name and a password.
    Basic,
    /// Tokens come from the foreign host.
    Stranger,
    /// Tokens come from another address of this machine, where nothing listens.
    Elsewhere,
    /// Tokens come from a file.
    File,
    /// Tokens come from the registry itself, as they should.
    Own,
    /// The token never ends.
    EndlessToken,
    /// The token comes a byte a second.
    SlowToken,
}

/// A request, with the secrets that it gave away.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whether it went to the foreign host instead of the registry.
    pub stranger: bool,
    /// The path and query.
    pub path: String,
    /// `Authorization`, `Cookie` and all other headers, as they were sent.
    pub headers: String,
}

/// The registry and the foreign host, until this is dropped.
pub struct BadRegistry {
    registry: SocketAddr,
    stranger: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    registry: String,
    stranger: String,
    guard: Option<Guard>,
    asked: Mutex<Vec<Request>>,
    /// The number of requests for each behaviour.
    times: Mutex<BTreeMap<String, usize>>,
    over: AtomicBool,
}

impl BadRegistry {
    /// Starts both on ports that the system picks.
    /// # Errors
    /// When no port is free.
    pub fn start(guard: Option<Guard>) -> io::Result<Self> {
        let (ours, theirs) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
        let (registry, stranger) = (ours.local_addr()?, theirs.local_addr()?);
        let shared = Arc::new(Shared {
            registry: registry.to_string(),
            stranger: stranger.to_string(),
            guard,
            asked: Mutex::default(),
            times: Mutex::default(),
            over: AtomicBool::new(false),
        });
        accept(ours, Arc::clone(&shared), Shared::answer);
        accept(theirs, Arc::clone(&shared), Shared::answer_as_stranger);
        Ok(Self { registry, stranger, shared })
    }

    /// Returns the registry's host and port.
    pub fn host(&self) -> String {
        self.registry.to_string()
    }

    /// Returns the foreign host and port.
    pub fn stranger(&self) -> String {
        self.stranger.to_string()
    }

    /// Returns all requests to either.
    pub fn asked(&self) -> Vec<Request> {
        lock(&self.shared.asked).clone()
    }
}

impl Drop for BadRegistry {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        for address in [self.registry, self.stranger] {
            let _ = TcpStream::connect(address);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers each connection in a thread of its own, so that a slow one does not delay the others.
fn accept(listener: TcpListener, shared: Arc<Shared>, answer: fn(&Shared, &Asked) -> Reply) {
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if shared.over.load(Ordering::Relaxed) {
                return;
            }
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || serve(stream, |asked| answer(&shared, asked)));
        }
    });
}

impl Shared {
    fn note(&self, stranger: bool, asked: &Asked) {
        let request =
            Request { stranger, path: asked.path.clone(), headers: asked.headers.clone() };
        lock(&self.asked).push(request);
    }

    /// Counts a request for this behaviour. Returns the count, from 1.
    fn time(&self, behaviour: &str) -> usize {
        let mut times = lock(&self.times);
        let time = times.entry(behaviour.to_owned()).or_default();
        *time += 1;
        *time
    }

    fn answer_as_stranger(&self, asked: &Asked) -> Reply {
        self.note(true, asked);
        if asked.path.contains("token") {
            return Reply::json(200, r#"{"token":"strange","expires_in":300}"#);
        }
        Reply::ok("application/octet-stream", artifacts::component())
    }

    fn answer(&self, asked: &Asked) -> Reply {
        self.note(false, asked);
        if asked.path.starts_with("/token") {
            return self.token();
        }
        if let Some(challenge) = self.challenge(asked) {
            return Reply::status(401).with("WWW-Authenticate", &challenge);
        }
        let path = asked.path.split('?').next().unwrap_or_default();
        let parts: Vec<_> = path.split('/').collect();
        match parts.as_slice() {
            ["", "v2", ""] => Reply::json(200, "{}"),
            ["", "v2", "bad", "extension", behaviour, kind, name] => {
                self.behave(behaviour, kind, name, &asked.path)
            }
            _ => Reply::json(404, r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#),
        }
    }

    fn challenge(&self, asked: &Asked) -> Option<String> {
        let is_known = asked.headers.to_ascii_lowercase().contains("authorization: ");
        let realm = match self.guard.filter(|_| !is_known)? {
            Guard::Basic => return Some("Basic realm=\"x\"".to_owned()),
            Guard::Stranger => format!("http://{}/token", self.stranger),
            Guard::Elsewhere => "http://127.0.0.2:9/latest".to_owned(),
            Guard::File => "file:///etc/passwd".to_owned(),
            Guard::Own | Guard::EndlessToken | Guard::SlowToken => {
                format!("http://{}/token", self.registry)
            }
        };
        Some(format!(r#"Bearer realm="{realm}",service="x""#))
    }

    fn token(&self) -> Reply {
        match self.guard {
            Some(Guard::EndlessToken) => Reply::endless("application/json", b'A'),
            Some(Guard::SlowToken) => Reply::json(200, "").dripping(vec![b' '; 10_000]),
            _ => Reply::json(200, r#"{"token":"good","expires_in":300}"#),
        }
    }

    fn behave(&self, behaviour: &str, kind: &str, name: &str, path: &str) -> Reply {
        let artifact = Artifact::named(behaviour);
        let time = self.time(behaviour);
        self.refuse_to_serve(behaviour, time, path).unwrap_or_else(|| match kind {
            // There are no referrers, in the older scheme of tags.
            "manifests" if name.starts_with("sha256-") => Reply::json(404, "{}"),
            "manifests" => manifest(&artifact, behaviour, time),
            "blobs" => self.blob(&artifact, behaviour, name),
            _ => Reply::json(404, r#"{"errors":[{"code":"NOT_FOUND"}]}"#),
        })
    }

    /// Returns the answers of behaviours that are the same for each request.
    fn refuse_to_serve(&self, behaviour: &str, time: usize, path: &str) -> Option<Reply> {
        let again = || format!("http://{}{path}", self.registry);
        Some(match behaviour {
            "s500" => Reply::json(500, r#"{"errors":[{"code":"UNKNOWN","message":"boom"}]}"#),
            "s503-then-ok" if time <= 2 => Reply::status(503),
            "s429-then-ok" if time <= 2 => Reply::status(429).with("Retry-After", "1"),
            "s429-forever" => Reply::status(429).with("Retry-After", "1"),
            "s429-huge" => Reply::status(429).with("Retry-After", "999999999"),
            "gone" => Reply::json(
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#,
            ),
            "err-ansi" => Reply::json(
                400,
                r#"{"errors":[{"code":"DENIED","message":"\u001b]52;c;cm0=\u0007\u001b[31mROOT\u202e\u009b"}]}"#,
            ),
            "err-denied" => {
                Reply::json(403, r#"{"errors":[{"code":"DENIED","message":"who are you"}]}"#)
            }
            "err-mebibyte" => Reply::json(
                500,
                &format!(
                    r#"{{"errors":[{{"code":"X","message":"{}"}}]}}"#,
                    "long ".repeat(200_000)
                ),
            ),
            "err-huge" => Reply::endless("application/json", b' ').coded(500),
            "err-long" => Reply::json(
                400,
                &format!(r#"{{"errors":[{{"code":"X","message":"{}"}}]}}"#, "long ".repeat(1_500)),
            ),
            "redir-loop" => Reply::status(307).with("Location", &again()),
            "redir-stranger" => {
                Reply::status(307).with("Location", &format!("http://{}{path}", self.stranger))
            }
            "redir-file" => Reply::status(302).with("Location", "file:///etc/passwd"),
            "slow-headers" => Reply::SlowHeaders,
            "stall" => Reply::status(200).promising(1_000),
            "reset" => Reply::Reset,
            _ => return None,
        })
    }

    fn blob(&self, artifact: &Artifact, behaviour: &str, digest: &str) -> Reply {
        let bytes = artifact.blob(digest);
        if bytes == artifacts::CONFIG {
            return Reply::ok("application/octet-stream", bytes);
        }
        if behaviour == "redir-stranger-blob" {
            return Reply::status(307)
                .with("Location", &format!("http://{}/blob?signature=SIGNED", self.stranger));
        }
        let length = bytes.len();
        let reply = Reply::ok("application/octet-stream", bytes);
        match behaviour {
            "trunc" => reply.cut(length / 2).promising(length),
            "cl-short" => reply.promising(length / 2),
            "cl-long" => reply.promising(length + 100),
            "wrong-bytes" => reply.with_last_byte(1),
            "slow-body" => reply.dripped(),
            "endless" | "size-lie" => Reply::endless("application/octet-stream", 0),
            _ => reply,
        }
    }
}

fn manifest(artifact: &Artifact, behaviour: &str, time: usize) -> Reply {
    match behaviour {
        "huge-manifest" => Reply::endless(artifacts::MANIFEST, b' '),
        "tag-flip" if time.is_multiple_of(2) => Artifact::named("no-layers").document(),
        _ => artifact.document(),
    }
}
