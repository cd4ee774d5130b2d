//! The client that sends a request to a granted host.
//!
//! The address is checked after it is resolved, and exactly the checked address is dialled: a name
//! that leads to this machine or its network is refused, even if it led elsewhere a moment ago.
//! Redirects are not followed, and connections are not kept. Where the program names a proxy, the
//! proxy dials.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use core_types::{NetworkRule, Scheme};
use http::header::PROXY_AUTHORIZATION;
use http::{Request, Response, Uri};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, RequestOptions};

use super::access::HttpAccess;
use super::target::{Body, Budget, Sending, Target};
use crate::calling::Gate;

/// The timeouts for guests that set none, as common clients have them. The timeout of the call ends
/// everything in any case.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(30);
const BETWEEN_BYTES_TIMEOUT: Duration = Duration::from_secs(30);
/// The shortest timeout. A guest can ask for none at all.
const MIN_TIMEOUT: Duration = Duration::from_millis(1);
/// The maximum of the head of a response, in fields and bytes: the defaults of common servers
/// several times over.
const MAX_FIELDS: usize = 100;
const MAX_FIELD_BYTES: usize = 64 * 1024;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The target of a request, and the way there.
pub(crate) struct Route {
    pub(crate) target: Target,
    pub(crate) gate: Gate,
    pub(crate) access: Arc<HttpAccess>,
}

/// Connects, sends and waits for the head of the response. The future that comes with it drives the
/// body.
pub(crate) async fn send(
    mut request: Request<Body>,
    options: RequestOptions,
    route: Route,
    budget: Budget,
) -> Result<(Response<Body>, Sending), Error> {
    budget.consume_connection()?;
    let wait = |given: Option<Duration>, otherwise| given.unwrap_or(otherwise).max(MIN_TIMEOUT);
    let proxy = route
        .access
        .proxy(request.uri())
        .map_err(|error| Error::InternalError(Some(error.to_string())))?;
    let connecting =
        timeout(wait(options.connect_timeout, CONNECT_TIMEOUT), connect(&route, proxy.as_ref()));
    let stream = connecting.await.map_err(|_| Error::ConnectionTimeout)??;
    let mut builder = http1::Builder::new();
    builder.max_headers(MAX_FIELDS).max_buf_size(MAX_FIELD_BYTES);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    match proxy.filter(|_| route.target.scheme == Scheme::Http) {
        // A proxy for plain HTTP gets the whole address.
        Some(proxy) => {
            let authorization = proxy.basic_auth().cloned();
            request.headers_mut().extend(authorization.map(|value| (PROXY_AUTHORIZATION, value)));
        }
        None => {
            let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
            *request.uri_mut() = path.parse::<Uri>().map_err(|_| Error::HttpRequestUriInvalid)?;
        }
    }
    let first_byte = wait(options.first_byte_timeout, FIRST_BYTE_TIMEOUT);
    let pause = wait(options.between_bytes_timeout, BETWEEN_BYTES_TIMEOUT);
    let mut connection = Some(Box::pin(connection));
    let answer = timeout(first_byte, sender.send_request(request));
    let response = drive(answer, &mut connection)
        .await?
        .map_err(|_| Error::ConnectionReadTimeout)?
        .map_err(head_error)?;
    let body = |incoming| {
        LimitedBody { incoming, budget, pause, timer: Box::pin(sleep(pause)) }.boxed_unsync()
    };
    let rest = async move {
        if let Some(connection) = connection {
            connection.await.map_err(Error::from)
        } else {
            Ok(())
        }
    };
    Ok((response.map(body), Box::new(rest)))
}

/// Waits for an answer while the connection does its work. A short connection can be done before
/// its answer is polled.
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

fn head_error(error: hyper::Error) -> Error {
    if error.is_parse_too_large() {
        Error::HttpResponseHeaderSectionSize(None)
    } else {
        error.into()
    }
}

/// Connects to one of the addresses that the rule for this host allows, or to the proxy in front of
/// it.
async fn connect(route: &Route, proxy: Option<&Intercept>) -> Result<Box<dyn Stream>, Error> {
    let Route { target, gate, access } = route;
    let stream = match proxy {
        None => dial(&addresses(target, gate).await?).await?,
        Some(proxy) => {
            match addresses(target, gate).await {
                // A name that cannot be resolved here may be known to the proxy.
                Ok(_) | Err(Error::DnsError { .. } | Error::DestinationNotFound) => {}
                Err(refused) => return Err(refused),
            }
            through(proxy, target).await?
        }
    };
    if target.scheme == Scheme::Http {
        return Ok(Box::new(stream));
    }
    let name = target.bare_host().trim_end_matches('.').to_owned();
    let name = ServerName::try_from(name).map_err(|_| Error::HttpRequestUriInvalid)?;
    let tls = access.tls().map_err(|_| Error::ConfigurationError)?;
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(Error::Tls)?;
    Ok(Box::new(stream))
}

/// Connects to a proxy, and for HTTPS through it.
async fn through(proxy: &Intercept, target: &Target) -> Result<TcpStream, Error> {
    let authority = proxy.uri().authority().ok_or(Error::ConfigurationError)?;
    let address = (authority.host().to_owned(), authority.port_u16().unwrap_or(80));
    let mut stream = TcpStream::connect(address).await.map_err(Error::Connect)?;
    if target.scheme == Scheme::Http {
        return Ok(stream);
    }
    let to = format!("{}:{}", target.host, target.port);
    let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").into_bytes();
    if let Some(authorization) = proxy.basic_auth() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await.map_err(Error::Connect)?;
    let mut answer = Vec::new();
    // One byte at a time: the bytes behind the head belong to TLS.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() > MAX_FIELD_BYTES {
            return Err(Error::HttpResponseHeaderSectionSize(None));
        }
        answer.push(stream.read_u8().await.map_err(Error::Connect)?);
    }
    let is_open = answer.starts_with(b"HTTP/1.1 200") || answer.starts_with(b"HTTP/1.0 200");
    if is_open { Ok(stream) } else { Err(Error::ConnectionRefused) }
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

/// Resolves the host, and keeps the addresses that a rule for it allows.
async fn addresses(target: &Target, gate: &Gate) -> Result<Vec<SocketAddr>, Error> {
    let granted = gate.in_force();
    let rules: Vec<_> = granted
        .hosts()
        .filter(|rule| rule.allows(target.scheme, &target.host, target.port))
        .collect();
    allowed(resolve(target).await?, &rules)
}

/// Returns the resolved addresses that a rule allows. Only these are dialled, whatever the name
/// resolves to by then.
fn allowed(resolved: Vec<SocketAddr>, rules: &[&NetworkRule]) -> Result<Vec<SocketAddr>, Error> {
    let is_allowed =
        |address: &SocketAddr| rules.iter().any(|rule| rule.allows_address(address.ip()));
    let allowed: Vec<_> = resolved.into_iter().filter(is_allowed).collect();
    if allowed.is_empty() { Err(Error::DestinationIpProhibited) } else { Ok(allowed) }
}

async fn resolve(target: &Target) -> Result<Vec<SocketAddr>, Error> {
    let found = tokio::net::lookup_host((target.bare_host(), target.port)).await;
    let found: Vec<_> =
        found.map_err(|_| Error::DnsError { rcode: None, info_code: None })?.collect();
    if found.is_empty() { Err(Error::DestinationNotFound) } else { Ok(found) }
}

/// The body of a response, within the budget of the call and its timeout between bytes.
struct LimitedBody {
    incoming: Incoming,
    budget: Budget,
    pause: Duration,
    timer: Pin<Box<Sleep>>,
}

impl LimitedBody {
    fn count(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Error> {
        let size = frame.data_ref().map_or(0, Bytes::len) as u64;
        self.budget.consume_bytes(size)?;
        self.timer.as_mut().reset(Instant::now() + self.pause);
        Ok(frame)
    }
}

impl http_body::Body for LimitedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A name can have public and private addresses: only the allowed ones are dialled.
    #[test]
    fn only_allowed_addresses_are_dialled() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().expect("an address")).collect()
        };
        let rule: NetworkRule = "api.example.com".parse().expect("a rule");
        let public = addresses(&["203.0.113.7:443", "[2606:4700::1]:443"]);
        let inside = [
            "127.0.0.1:443",
            "[::1]:443",
            "[::ffff:127.0.0.1]:443",
            "169.254.169.254:443",
            "[fd00:ec2::254]:443",
            "0.0.0.0:443",
            "[::]:443",
            "10.0.0.1:443",
            "172.16.0.1:443",
            "192.168.1.1:443",
            "100.64.0.1:443",
            "[fe80::1]:443",
            "[::ffff:10.0.0.1]:443",
            "[64:ff9b::7f00:1]:443",
            "255.255.255.255:443",
            "224.0.0.1:443",
        ];
        let inside = addresses(&inside);
        assert!(allowed(inside.clone(), &[&rule]).is_err());
        for address in &inside {
            let mixed = [&[*address], &public[1..], &[*address]].concat();
            assert_eq!(allowed(mixed, &[&rule]).expect("one is left"), public[1..], "{address}");
        }
        assert!(allowed(public, &[]).is_err(), "a rule that was taken away allows nothing");
    }
}
