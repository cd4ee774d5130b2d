//! A registry in memory, on a loopback port that the system picks: for `sesame demo` and for tests.
//!
//! It speaks the part of the [distribution
//! API](https://github.com/opencontainers/distribution-spec/blob/main/spec.md) that `oras`,
//! `skopeo` and sesame use to push and pull. It does not authenticate clients and forgets
//! everything when it stops.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use core_types::Digest;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::oci::blob::digest_of;
use crate::oci::descriptor::Descriptor;
use crate::oci::image::ImageIndex;
use crate::oci::media_type;

/// What a response carries.
pub type Body = BoxBody<Bytes, io::Error>;

/// Answers a request instead of the registry, or leaves it to the registry. Tests misbehave through
/// it.
pub type Intercept = dyn Fn(&Seen) -> Option<Response<Body>> + Send + Sync;

/// The largest upload, in bytes: the largest blob that the depot itself takes is not refused
/// here.
const MAX_UPLOAD: usize = 128 << 20;

/// A running registry. It stops when this is dropped.
pub struct MemoryRegistry {
    address: SocketAddr,
    contents: Arc<Contents>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A request that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `GET`, `HEAD`, `PUT` ...
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Content-Length`.
    pub content_length: Option<u64>,
}

struct Contents {
    intercept: Box<Intercept>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blobs: BTreeMap<Digest, Bytes>,
    /// Documents with their media types.
    manifests: BTreeMap<Digest, (String, Bytes)>,
    /// By repository and tag.
    tags: BTreeMap<(String, String), Digest>,
    repositories: BTreeMap<String, BTreeSet<Digest>>,
    uploads: BTreeMap<u64, Vec<u8>>,
    next_upload: u64,
    seen: Vec<Seen>,
    is_sealed: bool,
}

impl MemoryRegistry {
    /// Starts an empty registry.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start() -> io::Result<Self> {
        Self::start_with(|_| None)
    }

    /// Starts an empty registry in which `intercept` has the first word on every request.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start_with(
        intercept: impl Fn(&Seen) -> Option<Response<Body>> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let contents =
            Arc::new(Contents { intercept: Box::new(intercept), state: Mutex::default() });
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let serving = contents.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = serve(listener, serving) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        Ok(Self { address, contents, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns where it listens, as references write it: `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Takes nothing any more: from here on it can only be read.
    pub fn seal(&self) {
        self.contents.state().is_sealed = true;
    }

    /// Returns every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.contents.state().seen.clone()
    }

    /// Keeps a blob, as an upload would.
    pub fn put_blob(&self, bytes: &[u8]) -> Digest {
        let digest = digest_of(bytes);
        self.contents.state().blobs.insert(digest, Bytes::copy_from_slice(bytes));
        digest
    }

    /// Keeps a document under a tag, as an upload would.
    pub fn put_manifest(
        &self,
        repository: &str,
        tag: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Digest {
        self.contents.state().put_manifest(
            repository,
            tag,
            media_type.to_owned(),
            Bytes::copy_from_slice(bytes),
        )
    }

    /// Waits until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for MemoryRegistry {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: std::net::TcpListener, contents: Arc<Contents>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let contents = contents.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let contents = contents.clone();
                async move { Ok::<_, Infallible>(contents.answer(request).await) }
            });
            // A client that goes away in the middle does not matter.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Returns a response with all of its body.
pub fn response(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<hyper::header::HeaderName>(), value.parse()) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn error(status: u16, code: &str) -> Response<Body> {
    let body = format!(r#"{{"errors":[{{"code":"{code}"}}]}}"#);
    response(status, &[("Content-Type", "application/json")], body)
}

impl Contents {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let header = |name: &str| {
            parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let content_length = header("content-length").and_then(|length| length.parse().ok());
        let authorization = header("authorization");
        let seen = Seen { method: parts.method.to_string(), path, authorization, content_length };
        self.state().note(&seen);
        if let Some(answer) = (self.intercept)(&seen) {
            return answer;
        }
        let Ok(body) = Limited::new(body, MAX_UPLOAD).collect().await else {
            return error(413, "SIZE_INVALID");
        };
        let mut answer = self.route(&parts.method, &seen.path, &parts.headers, body.to_bytes());
        if parts.method == Method::HEAD {
            let length = hyper::body::Body::size_hint(answer.body()).exact().unwrap_or_default();
            answer.headers_mut().insert("content-length", length.into());
            *answer.body_mut() = Full::default().map_err(|never| match never {}).boxed();
        }
        answer
    }

    fn route(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Response<Body> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let Some(rest) = path.strip_prefix("/v2/") else { return error(404, "NAME_UNKNOWN") };
        if rest.is_empty() {
            return response(200, &[], "{}");
        }
        let is_read = method == Method::GET || method == Method::HEAD;
        let mut state = self.state();
        if state.is_sealed && !is_read {
            return error(405, "UNSUPPORTED");
        }
        if let Some((repository, upload)) = rest.split_once("/blobs/uploads/") {
            return state.upload(method, repository, upload, query, body);
        }
        if let Some((_, digest)) = rest.rsplit_once("/blobs/").filter(|_| is_read) {
            return state.blob(digest);
        }
        if let Some((repository, reference)) = rest.rsplit_once("/manifests/") {
            let content_type = headers
                .get(CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                .unwrap_or(media_type::MANIFEST);
            return match *method {
                Method::PUT => {
                    state.push_manifest(repository, reference, content_type.to_owned(), body)
                }
                _ if is_read => state.manifest(repository, reference),
                _ => error(405, "UNSUPPORTED"),
            };
        }
        if let Some(repository) = rest.strip_suffix("/tags/list").filter(|_| is_read) {
            return state.tags_of(repository);
        }
        if let Some((repository, digest)) = rest.rsplit_once("/referrers/").filter(|_| is_read) {
            return state.referrers(repository, digest);
        }
        error(404, "UNSUPPORTED")
    }
}

impl State {
    /// Remembers a request, for tests. A sealed registry does not.
    fn note(&mut self, seen: &Seen) {
        if !self.is_sealed {
            self.seen.push(seen.clone());
        }
    }

    fn blob(&self, digest: &str) -> Response<Body> {
        match digest.parse::<Digest>().ok().and_then(|digest| self.blobs.get(&digest)) {
            Some(bytes) => response(200, &[("Docker-Content-Digest", digest)], bytes.clone()),
            None => error(404, "BLOB_UNKNOWN"),
        }
    }

    /// Returns the three ways to upload: in one request, in a session at once, and in a session
    /// piece by piece.
    fn upload(
        &mut self,
        method: &Method,
        repository: &str,
        upload: &str,
        query: &str,
        body: Bytes,
    ) -> Response<Body> {
        let location = |id: u64| format!("/v2/{repository}/blobs/uploads/{id}");
        let digest = query.split('&').find_map(|pair| pair.strip_prefix("digest="));
        let digest = digest.map(|digest| digest.replace("%3A", ":").replace("%3a", ":"));
        if *method == Method::POST {
            if let Some(digest) = digest {
                return self.finish_upload(repository, &digest, &body);
            }
            self.next_upload += 1;
            self.uploads.insert(self.next_upload, body.to_vec());
            return response(
                202,
                &[(LOCATION.as_str(), &location(self.next_upload)), ("Range", "0-0")],
                "",
            );
        }
        let Some(id) = upload.parse().ok().filter(|id| self.uploads.contains_key(id)) else {
            return error(404, "BLOB_UPLOAD_UNKNOWN");
        };
        let mut bytes = self.uploads.remove(&id).unwrap_or_default();
        bytes.extend_from_slice(&body);
        match (method.as_str(), digest) {
            ("PATCH", _) => {
                let range = format!("0-{}", bytes.len().saturating_sub(1));
                self.uploads.insert(id, bytes);
                response(202, &[(LOCATION.as_str(), &location(id)), ("Range", &range)], "")
            }
            ("PUT", Some(digest)) => self.finish_upload(repository, &digest, &bytes),
            _ => error(405, "UNSUPPORTED"),
        }
    }

    fn finish_upload(&mut self, repository: &str, digest: &str, bytes: &[u8]) -> Response<Body> {
        let found = digest_of(bytes);
        if found.to_string() != digest {
            return error(400, "DIGEST_INVALID");
        }
        self.blobs.insert(found, Bytes::copy_from_slice(bytes));
        let location = format!("/v2/{repository}/blobs/{digest}");
        response(201, &[(LOCATION.as_str(), &location), ("Docker-Content-Digest", digest)], "")
    }

    fn push_manifest(
        &mut self,
        repository: &str,
        tag: &str,
        media_type: String,
        body: Bytes,
    ) -> Response<Body> {
        let digest = self.put_manifest(repository, tag, media_type, body).to_string();
        let location = format!("/v2/{repository}/manifests/{digest}");
        response(201, &[(LOCATION.as_str(), &location), ("Docker-Content-Digest", &digest)], "")
    }

    fn put_manifest(
        &mut self,
        repository: &str,
        tag: &str,
        media_type: String,
        bytes: Bytes,
    ) -> Digest {
        let digest = digest_of(&bytes);
        self.manifests.insert(digest, (media_type, bytes));
        self.repositories.entry(repository.to_owned()).or_default().insert(digest);
        if tag.parse::<Digest>().is_err() {
            self.tags.insert((repository.to_owned(), tag.to_owned()), digest);
        }
        digest
    }

    fn manifest(&self, repository: &str, reference: &str) -> Response<Body> {
        let tagged = || self.tags.get(&(repository.to_owned(), reference.to_owned())).copied();
        let in_repository = |digest: &Digest| {
            self.repositories.get(repository).is_some_and(|all| all.contains(digest))
        };
        let digest = reference.parse().ok().filter(in_repository).or_else(tagged);
        match digest.and_then(|digest| Some((digest, self.manifests.get(&digest)?))) {
            Some((digest, (media_type, bytes))) => {
                let digest = digest.to_string();
                response(
                    200,
                    &[("Content-Type", media_type), ("Docker-Content-Digest", &digest)],
                    bytes.clone(),
                )
            }
            None => error(404, "MANIFEST_UNKNOWN"),
        }
    }

    fn tags_of(&self, repository: &str) -> Response<Body> {
        let tags: Vec<_> = self
            .tags
            .keys()
            .filter(|(of, _)| of == repository)
            .map(|(_, tag)| tag.as_str())
            .collect();
        if tags.is_empty() {
            return error(404, "NAME_UNKNOWN");
        }
        let body = serde_json::json!({ "name": repository, "tags": tags }).to_string();
        response(200, &[("Content-Type", "application/json")], body)
    }

    /// Returns the documents whose subject is this digest.
    fn referrers(&self, repository: &str, digest: &str) -> Response<Body> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Referrer {
            artifact_type: Option<String>,
            subject: Option<Descriptor>,
        }
        let of_repository = self.repositories.get(repository).into_iter().flatten();
        let manifests = of_repository.filter_map(|candidate| {
            let (media_type, bytes) = self.manifests.get(candidate)?;
            let referrer: Referrer = serde_json::from_slice(bytes).ok()?;
            let subject = referrer.subject.filter(|subject| subject.digest.to_string() == digest);
            subject.map(|_| Descriptor {
                artifact_type: referrer.artifact_type,
                ..Descriptor::of(media_type, bytes)
            })
        });
        let index = ImageIndex::new(manifests.collect());
        match serde_json::to_vec(&index) {
            Ok(body) => response(200, &[("Content-Type", media_type::INDEX)], body),
            Err(_) => response(500, &[], Vec::new()),
        }
    }
}
