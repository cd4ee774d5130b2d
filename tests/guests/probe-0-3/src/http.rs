//! `wasi:http/client`, without what a library would make good.

use wasip3::http::client::send;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response, Scheme};
use wasip3::{wit_future, wit_stream};
use wit_bindgen::rt::async_support::StreamReader;

pub async fn fetch(
    method: &str,
    scheme: &str,
    authority: &str,
    path: &str,
) -> Result<(u16, String), String> {
    let request = request(Fields::new(), None);
    let method = if method == "GET" { Method::Get } else { Method::Other(method.to_owned()) };
    request.set_method(&method).map_err(|()| "the method is refused")?;
    let response = send_to(request, scheme, authority, path).await?;
    let location = response.get_headers().get("location");
    let status = response.get_status_code();
    let body = match location.first() {
        Some(location) => location.clone(),
        None => body(response).collect().await,
    };
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

pub async fn fetch_with_header(
    authority: &str,
    name: String,
    value: Vec<u8>,
) -> Result<u16, String> {
    let fields = Fields::from_list(&[(name, value)]).map_err(|error| format!("{error:?}"))?;
    send_to(request(fields, None), "http", authority, "/")
        .await
        .map(|response| response.get_status_code())
}

pub async fn fetch_size(authority: &str, path: &str) -> Result<u64, String> {
    let response = send_to(request(Fields::new(), None), "http", authority, path).await?;
    let (_, nothing) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = Response::consume_body(response, nothing);
    let (mut size, mut buffer) = (0, Vec::with_capacity(64 * 1024));
    loop {
        let (result, bytes) = stream.read(buffer).await;
        size += bytes.len() as u64;
        if matches!(result, wit_bindgen::rt::async_support::StreamResult::Dropped) {
            break;
        }
        buffer = bytes;
        buffer.clear();
    }
    trailers.await.map(|_| size).map_err(name)
}

pub async fn upload(authority: &str, bytes: u64) -> Result<u16, String> {
    let (mut writer, reader) = wit_stream::new();
    let request = request(Fields::new(), Some(reader));
    request.set_method(&Method::Post).map_err(|()| "the method is refused")?;
    wit_bindgen::spawn_local(async move {
        for _ in 0..bytes / (1 << 20) {
            if !writer.write_all(vec![b'x'; 1 << 20]).await.is_empty() {
                break;
            }
        }
    });
    send_to(request, "http", authority, "/").await.map(|response| response.get_status_code())
}

/// A request without trailers.
pub fn request(fields: Fields, contents: Option<StreamReader<u8>>) -> Request {
    let (_, trailers) = wit_future::new(|| Ok(None));
    Request::new(fields, contents, trailers, None).0
}

async fn send_to(
    request: Request,
    scheme: &str,
    authority: &str,
    path: &str,
) -> Result<Response, String> {
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    request.set_scheme(Some(&scheme)).map_err(|()| "the scheme is refused")?;
    request.set_authority(Some(authority)).map_err(|()| "the authority is refused")?;
    request.set_path_with_query(Some(path)).map_err(|()| "the path is refused")?;
    send(request).await.map_err(name)
}

fn body(response: Response) -> StreamReader<u8> {
    let (_, nothing) = wit_future::new(|| Ok(()));
    Response::consume_body(response, nothing).0
}

fn name(error: ErrorCode) -> String {
    format!("{error:?}")
}
