//! The decision about each outgoing request of an extension.

use core_types::Request as Wanted;
use http::{Request, Response, Uri};
use wasmtime_wasi_http::{Error, RequestOptions, WasiHttpHooks};

#[cfg(feature = "network")]
use super::client;
#[cfg(feature = "network")]
use super::target::Budget;
use super::target::{Body, Sending, Target};
use crate::calling::Gate;
#[cfg(feature = "network")]
use crate::capabilities::RecordedAnswer;
use crate::capabilities::{Backends, RecordedWeb};

/// Decides each outgoing request before anything is resolved or connected. Redirects are handed to
/// the guest, whose next request is decided like the first.
pub(crate) struct Outgoing {
    gate: Gate,
    backends: Backends,
    #[cfg(feature = "network")]
    budget: Budget,
}

type Sent = Box<dyn Future<Output = Result<(Response<Body>, Sending), Error>> + Send>;

impl Outgoing {
    pub(crate) fn new(gate: Gate, backends: &Backends) -> Self {
        Self {
            gate,
            backends: backends.clone(),
            #[cfg(feature = "network")]
            budget: Budget::default(),
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
    let route = client::Route { target, gate: gate.clone(), access: backends.http.clone() };
    Box::new(client::send(request, options.unwrap_or_default(), route, budget.clone()))
}

/// Answers a request from the recorded web. Without a recorded answer the host does not exist.
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
