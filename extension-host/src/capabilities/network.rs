//! `wasi:http`: linked for every extension that imports it, and inert.

use http::{Request, Response};
use wasmtime_wasi_http::{Error, RequestOptions, WasiHttpHooks};

/// Refuses every outgoing request before anything is resolved or connected.
pub(crate) struct RefuseAll;

type Body = wasmtime_wasi_http::WasiBody;
type Sending = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for RefuseAll {
    fn send_request(
        &mut self,
        _: Request<Body>,
        _: Option<RequestOptions>,
        _: Sending,
    ) -> Box<dyn Future<Output = Result<(Response<Body>, Sending), Error>> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
