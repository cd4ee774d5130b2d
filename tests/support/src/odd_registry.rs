//! A registry with the manners of Nexus, Harbor, Gitea and zot: anonymous users read and only known
//! ones write, `/v2/` is open, `Location` is relative with a query that has to be kept, `200` and
//! `202` stand for `201`, tags come in pages with opaque links, a list of referrers is missing, and
//! blobs are served without their digest.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::digest::digest_of;

/// Further manners of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// Whether uploads can come in one piece.
    pub takes_whole: bool,
    /// Whether uploads can come in chunks.
    pub takes_chunks: bool,
    /// The smallest chunk that it takes, except for the last, in bytes.
    pub min_chunk: usize,
    /// The largest request that it takes, in bytes.
    pub max_request: usize,
    /// The part of an upload that it keeps.
    pub keeps: Keeps,
    /// Whether the answer to an upload is lost on its way: `502`.
    pub loses_answers: bool,
}

/// The part of an upload that a registry keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// All of it.
    All,
    /// Nothing, whatever it answers.
    Nothing,
    /// The same number of other bytes.
    Others,
    /// Blobs and documents, but only new tags.
    OldTags,
}

/// Takes uploads in one piece only.
impl Default for Manners {
    fn default() -> Self {
        let max_request = usize::MAX;
        Self {
            takes_whole: true,
            takes_chunks: false,
            min_chunk: 0,
            max_request,
            keeps: Keeps::All,
            loses_answers: false,
        }
    }
}

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `HEAD`, `PUT` ...
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The query behind `?`.
    pub query: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    media_type: String,
}

/// The registry, until the process ends. It knows `me` with the password `SECRET`.
pub struct OddRegistry {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    manners: Manners,
    blobs: BTreeMap<String, Vec<u8>>,
    /// By repository and digest, with media types.
    manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    /// By repository, in the order in which they came.
    tags: BTreeMap<String, Vec<(String, String)>>,
    uploads: BTreeMap<u64, Vec<u8>>,
    next_upload: u64,
    seen: Vec<Request>,
}

/// An answer.
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// `me:SECRET`, as clients send it.
const LOGIN: &str = "Basic bWU6U0VDUkVU";
/// The number of tags on a page: small, so that a test needs several.
const PAGE: usize = 2;

impl OddRegistry {
    /// Starts it on a port that the system picks.
    /// # Errors
    /// When no port is free.
    pub fn start(manners: Manners) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            manners,
            blobs: BTreeMap::new(),
            manifests: BTreeMap::new(),
            tags: BTreeMap::new(),
            uploads: BTreeMap::new(),
            next_upload: 0,
            seen: Vec::new(),
        }));
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&serving);
                std::thread::spawn(move || talk(stream, &state));
            }
        });
        Ok(Self { address, state })
    }

    /// Returns its host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Returns all requests so far.
    pub fn seen(&self) -> Vec<Request> {
        locked(&self.state).seen.clone()
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn talk(mut stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let request = read_request(&stream)?;
    let is_head = request.method == "HEAD";
    let Reply { status, headers, body } = locked(state).answer(request);
    let mut head =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    if is_head { Some(()) } else { stream.write_all(&body).ok() }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|size| *size > 0)?;
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let found = lines
            .iter()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned())
    };
    let mut words = lines.first()?.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut body =
        vec![0; header("content-length").and_then(|size| size.parse().ok()).unwrap_or_default()];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (authorization, media_type) =
        (header("authorization"), header("content-type").unwrap_or_default());
    Some(Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        authorization,
        media_type,
        body,
    })
}

impl Reply {
    fn of(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn having(self, media_type: &str, body: Vec<u8>) -> Self {
        Self { body, ..self }.with("Content-Type", media_type.to_owned())
    }

    /// Returns 404 as a web application does.
    fn nothing() -> Self {
        Self::of(404).having("text/html", b"<html>not found</html>".to_vec())
    }
}

impl State {
    fn answer(&mut self, request: Request) -> Reply {
        self.seen.push(request.clone());
        let is_read = matches!(request.method.as_str(), "GET" | "HEAD");
        if !is_read && request.authorization.as_deref() != Some(LOGIN) {
            let challenges = "Negotiate, BASIC realm=\"Sonatype, Nexus\", charset=\"UTF-8\"";
            return Reply::of(401).with("WWW-Authenticate", challenges.to_owned());
        }
        if request.body.len() > self.manners.max_request {
            return Reply::of(413).having("text/html", b"<html>too large</html>".to_vec());
        }
        let path = request.path.clone();
        let Some(rest) = path.strip_prefix("/v2/") else { return Reply::nothing() };
        if rest.is_empty() {
            return Reply::of(200).having("application/json", b"{}".to_vec());
        }
        if let Some((_, upload)) = rest.split_once("/blobs/uploads/") {
            return self.upload(&request, upload);
        }
        if let Some((_, digest)) = rest.rsplit_once("/blobs/").filter(|_| is_read) {
            return self.blobs.get(digest).map_or_else(Reply::nothing, |blob| {
                Reply::of(200).having("application/octet-stream", blob.clone())
            });
        }
        if let Some((repository, name)) = rest.rsplit_once("/manifests/") {
            return if is_read {
                self.manifest(repository, name)
            } else {
                self.put_manifest(repository, name, request)
            };
        }
        match rest.strip_suffix("/tags/list") {
            Some(repository) => self.page(repository, &request.query),
            None => Reply::nothing(),
        }
    }

    /// Handles uploads. Each step has an address relative to the one before, with a query.
    fn upload(&mut self, request: &Request, upload: &str) -> Reply {
        if request.method == "POST" {
            self.next_upload += 1;
            self.uploads.insert(self.next_upload, Vec::new());
            let location = format!("{}?_state=a%2Fb%3D", self.next_upload);
            let reply = Reply::of(202).with("Location", location);
            return reply.with("OCI-Chunk-Min-Length", self.manners.min_chunk.to_string());
        }
        let Manners { takes_whole, takes_chunks, .. } = self.manners;
        let Some(mut bytes) = upload.parse().ok().and_then(|id: u64| self.uploads.remove(&id))
        else {
            return Reply::nothing();
        };
        let keeps_query = request.query.starts_with("_state=a%2Fb%3D");
        match request.method.as_str() {
            "PATCH" if takes_chunks && keeps_query => {
                bytes.extend_from_slice(&request.body);
                self.uploads.insert(upload.parse().unwrap_or_default(), bytes);
                Reply::of(202).with("Location", format!("{upload}?_state=a%2Fb%3D&part=1"))
            }
            "PATCH" => Reply::of(501),
            "PUT" if !keeps_query || (!takes_whole && bytes.is_empty()) => Reply::of(400),
            "PUT" => {
                bytes.extend_from_slice(&request.body);
                self.finish(request, bytes)
            }
            _ => Reply::of(405),
        }
    }

    fn finish(&mut self, request: &Request, mut bytes: Vec<u8>) -> Reply {
        let digest = request
            .query
            .split('&')
            .find_map(|pair| pair.strip_prefix("digest="))
            .unwrap_or_default();
        let digest = digest.replace("%3A", ":");
        if digest_of(&bytes) != digest {
            return Reply::of(400);
        }
        if self.manners.keeps == Keeps::Others {
            bytes.iter_mut().for_each(|byte| *byte ^= 1);
        }
        if self.manners.keeps != Keeps::Nothing {
            self.blobs.insert(digest, bytes);
        }
        self.done()
    }

    fn done(&self) -> Reply {
        Reply::of(if self.manners.loses_answers { 502 } else { 200 })
    }

    fn put_manifest(&mut self, repository: &str, name: &str, request: Request) -> Reply {
        let digest = digest_of(&request.body);
        self.manifests
            .insert((repository.to_owned(), digest.clone()), (request.media_type, request.body));
        let tags = self.tags.entry(repository.to_owned()).or_default();
        let is_there = tags.iter().any(|(tag, _)| tag == name);
        let stays = is_there && self.manners.keeps == Keeps::OldTags;
        if !stays && !name.starts_with("sha256:") {
            tags.retain(|(tag, _)| tag != name);
            tags.push((name.to_owned(), digest));
        }
        self.done()
    }

    fn manifest(&self, repository: &str, name: &str) -> Reply {
        let tagged =
            self.tags.get(repository).and_then(|tags| tags.iter().find(|(tag, _)| tag == name));
        let digest = tagged.map_or_else(|| name.to_owned(), |(_, digest)| digest.clone());
        match self.manifests.get(&(repository.to_owned(), digest)) {
            Some((media_type, bytes)) => Reply::of(200).having(media_type, bytes.clone()),
            None => Reply::nothing(),
        }
    }

    /// Returns a page of tags, the newest last. The query `last` is ignored.
    fn page(&self, repository: &str, query: &str) -> Reply {
        let Some(tags) = self.tags.get(repository) else { return Reply::nothing() };
        let start = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("next=t")?.parse().ok())
            .unwrap_or(0);
        let names: Vec<_> =
            tags.iter().map(|(tag, _)| tag.as_str()).skip(start).take(PAGE).collect();
        let body = serde_json::json!({ "name": repository, "tags": names }).to_string();
        let reply = Reply::of(200).having("application/json", body.into_bytes());
        if start + PAGE >= tags.len() {
            return reply;
        }
        let next =
            format!("<list?next=t{}&n=9>; title=\"a, next page\"; rel=\"next\"", start + PAGE);
        reply.with("Link", next)
    }
}
