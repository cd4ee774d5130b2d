//! Requests by `wasi:http`, spelled exactly as they are asked for.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, IncomingBody, IncomingResponse, Method, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

/// How much of a body is kept.
const KEPT: u64 = 64 * 1024;

pub fn fetch(scheme: &str, authority: &str, path: &str) -> Result<(u16, String), String> {
    let response = send(request(scheme, authority, path, Fields::new())?, None)?;
    let location = response.headers().get("location");
    if let Some(location) = location.first().filter(|_| response.status() / 100 == 3) {
        return Ok((response.status(), String::from_utf8_lossy(location).into_owned()));
    }
    let mut text = Vec::new();
    let status = response.status();
    read(&response, |bytes| {
        text.extend_from_slice(
            &bytes[..bytes.len().min(KEPT as usize - text.len().min(KEPT as usize))],
        )
    })?;
    Ok((status, String::from_utf8_lossy(&text).into_owned()))
}

pub fn fetch_with_header(authority: &str, name: &str, value: &str) -> Result<u16, String> {
    let fields = Fields::new();
    fields.append(name, value.as_bytes()).map_err(|error| format!("{error:?}"))?;
    send(request("http", authority, "/", fields)?, None).map(|response| response.status())
}

pub fn fetch_impatiently(authority: &str) -> Result<u16, String> {
    let options = RequestOptions::new();
    for set in [
        RequestOptions::set_connect_timeout,
        RequestOptions::set_first_byte_timeout,
        RequestOptions::set_between_bytes_timeout,
    ] {
        set(&options, Some(0)).map_err(|()| "refused".to_owned())?;
    }
    send(request("http", authority, "/", Fields::new())?, Some(options))
        .map(|response| response.status())
}

pub fn fetch_size(authority: &str, path: &str) -> Result<u64, String> {
    let response = send(request("http", authority, path, Fields::new())?, None)?;
    let mut size = 0;
    read(&response, |bytes| size += bytes.len() as u64)?;
    Ok(size)
}

fn request(
    scheme: &str,
    authority: &str,
    path: &str,
    fields: Fields,
) -> Result<OutgoingRequest, String> {
    let request = OutgoingRequest::new(fields);
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let refused = |what: &str| format!("the host refuses the {what}");
    request.set_method(&Method::Get).map_err(|()| refused("method"))?;
    request.set_scheme(Some(&scheme)).map_err(|()| refused("scheme"))?;
    request.set_authority(Some(authority)).map_err(|()| refused("authority"))?;
    request.set_path_with_query(Some(path)).map_err(|()| refused("path"))?;
    Ok(request)
}

fn send(
    request: OutgoingRequest,
    options: Option<RequestOptions>,
) -> Result<IncomingResponse, String> {
    let future =
        outgoing_handler::handle(request, options).map_err(|error| format!("{error:?}"))?;
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(error))) => Err(format!("{error:?}")),
        _ => Err("no answer".to_owned()),
    }
}

fn read(response: &IncomingResponse, mut take: impl FnMut(&[u8])) -> Result<(), String> {
    let body: IncomingBody = response.consume().map_err(|()| "the body is gone".to_owned())?;
    let stream = body.stream().map_err(|()| "the body is gone".to_owned())?;
    loop {
        match stream.blocking_read(KEPT) {
            Ok(bytes) => take(&bytes),
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
    }
}
