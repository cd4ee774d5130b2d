//! Headers without an end, in each way that makes them larger.

use wasip2::http::types::{Fields, OutgoingRequest, OutgoingResponse, RequestOptions};

const ROUNDS: u32 = 1_000_000;

pub fn grow(way: &str) -> u32 {
    let value = vec![b'x'; 1024];
    let large = vec![b'x'; 1 << 20];
    let fields = Fields::new();
    let mut kept: Vec<Fields> = Vec::new();
    let mut requests: Vec<OutgoingRequest> = Vec::new();
    let mut responses: Vec<OutgoingResponse> = Vec::new();
    let mut options: Vec<RequestOptions> = Vec::new();
    (0..ROUNDS)
        .take_while(|round| match way {
            "append" => fields.append("x", &value).is_ok(),
            "append-names" => fields.append(&format!("x-{round}"), &value).is_ok(),
            "set-many" => fields.set("x", &vec![value.clone(); *round as usize]).is_ok(),
            "set-large" => fields.set(&format!("x-{round}"), std::slice::from_ref(&large)).is_ok(),
            "from-list" => {
                let entries: Vec<_> =
                    (0..*round * 16).map(|at| (format!("x-{at}"), value.clone())).collect();
                Fields::from_list(&entries).map(|fields| kept.push(fields)).is_ok()
            }
            "clone" => {
                let _ = fields.set("x", &vec![value.clone(); 16]);
                kept.push(fields.clone());
                true
            }
            "requests" => {
                let request = OutgoingRequest::new(Fields::new());
                let is_taken = request.set_path_with_query(Some(&"/x".repeat(1 << 14))).is_ok();
                requests.push(request);
                is_taken
            }
            "answers" => {
                responses.push(OutgoingResponse::new(Fields::new()));
                options.push(RequestOptions::new());
                true
            }
            _ => false,
        })
        .count() as u32
}
