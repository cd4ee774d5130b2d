//! Sends one request of an extension to a host that is granted.
//!
//! The address is looked at after it is resolved, and the very address that was looked at is dialled: a name that leads
//! to this machine or its network is refused, whatever it led to a moment ago. No proxy is used, nothing is redirected,
//! and nothing is kept for the next request.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use core_types::{NetworkRule, Scheme};
use http::{Request, Response, Uri};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, RequestOptions};

use super::network::{Body, Budget, Sending, Target};
use crate::gate::Gate;

/// How long to wait where the guest does not say. The timeout of the call ends everything in any case.
const CONNECT: Duration = Duration::from_secs(10);
const FIRST_BYTE: Duration = Duration::from_secs(30);
const BETWEEN_BYTES: Duration = Duration::from_secs(30);
/// The shortest wait. A guest can ask for none at all.
const SHORTEST: Duration = Duration::from_millis(1);
/// The most fields and bytes in front of a response.
const MOST_FIELDS: usize = 100;
const MOST_FIELD_BYTES: usize = 64 * 1024;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects, sends and waits for the head of the response. What is left to do for its body comes with it.
pub(crate) async fn send(
    mut request: Request<Body>,
    options: RequestOptions,
    target: Target,
    gate: Gate,
    budget: Budget,
) -> Result<(Response<Body>, Sending), Error> {
    take_one(&budget)?;
    let wait = |given: Option<Duration>, otherwise| given.unwrap_or(otherwise).max(SHORTEST);
    let connecting = timeout(wait(options.connect_timeout, CONNECT), connect(&target, &gate));
    let stream = connecting.await.map_err(|_| Error::ConnectionTimeout)??;
    let mut builder = http1::Builder::new();
    builder.max_headers(MOST_FIELDS).max_buf_size(MOST_FIELD_BYTES);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    *request.uri_mut() = path.parse::<Uri>().map_err(|_| Error::HttpRequestUriInvalid)?;
    let first_byte = wait(options.first_byte_timeout, FIRST_BYTE);
    let pause = wait(options.between_bytes_timeout, BETWEEN_BYTES);
    let mut connection = Some(Box::pin(connection));
    let answer = timeout(first_byte, sender.send_request(request));
    let response =
        drive(answer, &mut connection).await?.map_err(|_| Error::ConnectionReadTimeout)?.map_err(head_error)?;
    let body = |incoming| LimitedBody { incoming, budget, pause, timer: Box::pin(sleep(pause)) }.boxed_unsync();
    let rest =
        async move { if let Some(connection) = connection { connection.await.map_err(Error::from) } else { Ok(()) } };
    Ok((response.map(body), Box::new(rest)))
}

/// Waits for an answer while the connection does its work. A short one can have done all of it before the answer is
/// looked at.
async fn drive<T>(
    answer: impl Future<Output = T>,
    connection: &mut Option<Pin<Box<impl Future<Output = Result<(), hyper::Error>>>>>,
) -> Result<T, Error> {
    let mut answer = std::pin::pin!(answer);
    if let Some(working) = connection {
        tokio::select! {
            biased;
            answer = &mut answer => return Ok(answer),
            ended = working => ended.map_err(head_error)?,
        }
    }
    *connection = None;
    Ok(answer.await)
}

fn take_one(budget: &Budget) -> Result<(), Error> {
    let taken = budget.connections.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    taken.map(drop).map_err(|_| Error::ConnectionLimitReached)
}

fn head_error(error: hyper::Error) -> Error {
    if error.is_parse_too_large() { Error::HttpResponseHeaderSectionSize(None) } else { error.into() }
}

/// A connection to one of the addresses that the rule for this host allows.
async fn connect(target: &Target, gate: &Gate) -> Result<Box<dyn Stream>, Error> {
    let stream = dial(&addresses(target, gate).await?).await?;
    if target.scheme == Scheme::Http {
        return Ok(Box::new(stream));
    }
    let name = target.host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_owned();
    let name = ServerName::try_from(name).map_err(|_| Error::HttpRequestUriInvalid)?;
    let stream = TlsConnector::from(tls()?).connect(name, stream).await.map_err(Error::Tls)?;
    Ok(Box::new(stream))
}

async fn dial(addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
    let mut failed = io::Error::from(io::ErrorKind::HostUnreachable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(Error::Connect(failed))
}

/// Resolves the host, and keeps what a rule for it allows.
async fn addresses(target: &Target, gate: &Gate) -> Result<Vec<SocketAddr>, Error> {
    let granted = gate.in_force().network;
    let rules: Vec<_> =
        granted.into_iter().filter(|rule| rule.allows(target.scheme, &target.host, target.port)).collect();
    let resolved = resolve(target).await?;
    let is_allowed = |address: IpAddr| rules.iter().any(|rule: &NetworkRule| rule.allows_address(address));
    let allowed: Vec<_> = resolved.into_iter().filter(|address| is_allowed(address.ip())).collect();
    if allowed.is_empty() { Err(Error::DestinationIpProhibited) } else { Ok(allowed) }
}

async fn resolve(target: &Target) -> Result<Vec<SocketAddr>, Error> {
    let host = target.host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((host, target.port)).await;
    let found: Vec<_> = found.map_err(|_| Error::DnsError { rcode: None, info_code: None })?.collect();
    if found.is_empty() { Err(Error::DestinationNotFound) } else { Ok(found) }
}

/// TLS with the certificates that the system trusts. Made by the first request that needs it.
fn tls() -> Result<Arc<ClientConfig>, Error> {
    static CONFIG: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        ClientConfig::with_platform_verifier().ok().map(Arc::new)
    });
    config.clone().ok_or(Error::ConfigurationError)
}

/// The body of a response, up to what the call may still use and as long as something comes.
struct LimitedBody {
    incoming: Incoming,
    budget: Budget,
    pause: Duration,
    timer: Pin<Box<Sleep>>,
}

impl LimitedBody {
    fn count(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Error> {
        let size = frame.data_ref().map_or(0, Bytes::len) as u64;
        let left = |left: u64| left.checked_sub(size);
        let counted = self.budget.bytes.try_update(Ordering::Relaxed, Ordering::Relaxed, left);
        counted.map_err(|_| Error::HttpResponseBodySize(None))?;
        self.timer.as_mut().reset(Instant::now() + self.pause);
        Ok(frame)
    }
}

impl http_body::Body for LimitedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(self.count(frame))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                ready!(self.timer.as_mut().poll(context));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
