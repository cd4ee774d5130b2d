//! `wasi:http`: linked for every extension that imports it; requests go out to hosts that are
//! granted and nowhere else.

#[cfg(feature = "network")]
use std::sync::Arc;
#[cfg(feature = "network")]
use std::sync::atomic::{AtomicU32, AtomicU64};

use core_types::{Request as Wanted, Scheme};
use http::{Request, Response, Uri};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::types;
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;
use wasmtime_wasi_http::{Error, RequestOptions, WasiHttp, WasiHttpHooks, WasiHttpView};

#[cfg(feature = "network")]
use crate::backends::RecordedAnswer;
use crate::backends::{Backends, RecordedWeb};
use crate::gate::Gate;
use crate::state::CallState;

/// The most bytes that all responses of one call bring.
#[cfg(feature = "network")]
const MOST_RESPONSE_BYTES: u64 = 64 << 20;
/// The most connections that one call makes.
#[cfg(feature = "network")]
const MOST_CONNECTIONS: u32 = 100;

/// Decides about each outgoing request before anything is resolved or connected. Redirects are
/// handed to the guest, whose next request is decided about like the first.
pub(crate) struct Outgoing {
    gate: Gate,
    backends: Backends,
    #[cfg(feature = "network")]
    budget: Budget,
}

/// What one call may still use of the network.
#[cfg(feature = "network")]
#[derive(Clone)]
pub(crate) struct Budget {
    pub(crate) bytes: Arc<AtomicU64>,
    pub(crate) connections: Arc<AtomicU32>,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scheme: Scheme,
    /// As the guest spells it.
    pub(crate) host: String,
    pub(crate) port: u16,
}

pub(crate) type Body = wasmtime_wasi_http::WasiBody;
pub(crate) type Sending = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(Response<Body>, Sending), Error>> + Send>;

impl Outgoing {
    pub(crate) fn new(gate: Gate, backends: &Backends) -> Self {
        Self {
            gate,
            backends: backends.clone(),
            #[cfg(feature = "network")]
            budget: Budget {
                bytes: Arc::new(AtomicU64::new(MOST_RESPONSE_BYTES)),
                connections: Arc::new(AtomicU32::new(MOST_CONNECTIONS)),
            },
        }
    }

    fn decide(&self, uri: &Uri) -> Result<Target, Error> {
        let target = Target::of(uri)?;
        let Target { scheme, host, port } = target.clone();
        let goes_nowhere = self.backends.is_offline && self.backends.recorded_web.is_none();
        if !self.gate.allows(&Wanted::Connect { scheme, host, port }) || goes_nowhere {
            return Err(Error::HttpRequestDenied);
        }
        Ok(target)
    }
}

impl Target {
    /// The host without the brackets around an address.
    #[cfg(feature = "network")]
    pub(crate) fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// A name in front of an `@` could make a reader take one host for another, so there is none.
    fn of(uri: &Uri) -> Result<Self, Error> {
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.ok_or(Error::HttpRequestUriInvalid)?;
        let scheme = match uri.scheme_str() {
            Some("https") => Scheme::Https,
            Some("http") => Scheme::Http,
            _ => return Err(Error::HttpProtocolError),
        };
        let port = authority.port_u16().unwrap_or_else(|| scheme.default_port());
        Ok(Self { scheme, host: authority.host().to_owned(), port })
    }
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: Request<Body>,
        options: Option<RequestOptions>,
        _: Sending,
    ) -> Sent {
        match (self.decide(request.uri()), &self.backends.recorded_web) {
            (Ok(_), Some(web)) => replay(web.as_ref(), &request),
            (Ok(target), None) => send(self, request, options, target),
            (Err(error), _) => Box::new(async { Err(error) }),
        }
    }
}

#[cfg(feature = "network")]
fn send(
    outgoing: &Outgoing,
    request: Request<Body>,
    options: Option<RequestOptions>,
    target: Target,
) -> Sent {
    let Outgoing { gate, backends, budget } = outgoing;
    let way = super::http_client::Way { target, gate: gate.clone(), access: backends.http.clone() };
    Box::new(super::http_client::send(request, options.unwrap_or_default(), way, budget.clone()))
}

/// What was recorded for a request. One that was not has no host to go to.
#[cfg(feature = "network")]
fn replay(web: &dyn RecordedWeb, request: &Request<Body>) -> Sent {
    use http_body_util::BodyExt;
    let answer = web.answer(request.method().as_str(), &request.uri().to_string());
    let response =
        answer.ok_or(Error::DestinationNotFound).and_then(|RecordedAnswer { status, body }| {
            let body = http_body_util::Full::new(body.into())
                .map_err(|never| match never {})
                .boxed_unsync();
            Response::builder().status(status).body(body).map_err(|_| Error::HttpProtocolError)
        });
    let done: Sending = Box::new(async { Ok(()) });
    Box::new(async move { response.map(|response| (response, done)) })
}

#[cfg(not(feature = "network"))]
fn replay(_: &dyn RecordedWeb, _: &Request<Body>) -> Sent {
    Box::new(async { Err(Error::HttpRequestDenied) })
}

#[cfg(not(feature = "network"))]
fn send(_: &Outgoing, _: Request<Body>, _: Option<RequestOptions>, _: Target) -> Sent {
    Box::new(async { Err(Error::HttpRequestDenied) })
}

/// The interface, in the version that Wasmtime registers it under.
const TYPES: &str = "wasi:http/types@0.2.12";
/// The longest name of a method that is none of HTTP's own, in bytes.
const MAX_METHOD: usize = 64;

/// Whether a method's name is as short as such names are.
pub(crate) fn is_known_method_length(name: &str) -> bool {
    name.len() <= MAX_METHOD
}

type SetMethod = (Resource<HostOutgoingRequest>, types::Method);

/// Links `wasi:http/types`, with one function replaced: Wasmtime's keeps the name of a method
/// however long it is, and a guest can have a thousand requests.
pub(crate) fn link_http_types(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiHttp>(linker, &types::LinkOptions::default(), CallState::http)?;
    linker.allow_shadowing(true);
    let set_method =
        |mut store: StoreContextMut<'_, CallState>, (request, method): SetMethod| {
            if matches!(&method, types::Method::Other(name) if !is_known_method_length(name)) {
                return Ok((Err(()),));
            }
            Ok((types::HostOutgoingRequest::set_method(
                &mut store.data_mut().http(),
                request,
                method,
            )?,))
        };
    linker.instance(TYPES)?.func_wrap("[method]outgoing-request.set-method", set_method)?;
    linker.allow_shadowing(false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_host_that_everybody_reads_alike() {
        let target = |uri: &str| Target::of(&uri.parse().expect(uri)).ok();
        let expected =
            |scheme, host: &str, port| Some(Target { scheme, host: host.to_owned(), port });
        assert_eq!(
            target("https://api.example.com/x"),
            expected(Scheme::Https, "api.example.com", 443)
        );
        assert_eq!(target("http://[::1]:8080/"), expected(Scheme::Http, "[::1]", 8080));
        for uri in
            ["https://api.example.com@evil.org/", "ftp://x/", "/only/a/path", "https://a:b@c/"]
        {
            assert_eq!(target(uri), None, "{uri}");
        }
    }
}
