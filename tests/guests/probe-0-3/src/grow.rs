//! Things that the host keeps for a guest, without an end.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use wasip3::cli::{stdin, stdout};
use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Fields, Request, RequestOptions, Response};
use wasip3::sockets::types::{IpAddressFamily, TcpSocket};
use wasip3::{wit_future, wit_stream};

const ROUNDS: u32 = 100_000;

/// What is kept, so that nothing of it is given back.
#[derive(Default)]
struct Kept(Vec<Box<dyn std::any::Any>>);

impl Kept {
    fn keep<T: 'static>(&mut self, value: T) -> bool {
        self.0.push(Box::new(value));
        true
    }
}

pub async fn grow(way: &str) -> u32 {
    let fields = Fields::new();
    let mut kept = Kept::default();
    for round in 0..ROUNDS {
        let goes_on = match way {
            "append" | "append-names" | "set-many" | "set-large" => {
                grow_fields(way, &fields, round)
            }
            "from-list" | "clone" | "requests" | "answers" | "options" => {
                grow_messages(way, &fields, round, &mut kept)
            }
            "streams" | "futures" | "kept-writers" | "tasks" | "sleepers" => {
                grow_waitables(way, &mut kept)
            }
            "pipes" | "dropped-pipes" | "inputs" | "dropped-inputs" | "sockets" => {
                grow_host_ends(way, &mut kept)
            }
            _ => false,
        };
        if !goes_on {
            return round;
        }
        // A task begins when the others wait.
        if way == "tasks" {
            wit_bindgen::yield_async().await;
        }
    }
    ROUNDS
}

fn grow_fields(way: &str, fields: &Fields, round: u32) -> bool {
    let value = vec![b'x'; 1024];
    match way {
        "append" => fields.append("x", &value),
        "append-names" => fields.append(&format!("x-{round}"), &value),
        "set-many" => fields.set("x", &vec![value; round as usize]),
        _ => fields.set(&format!("x-{round}"), &[vec![b'x'; 1 << 20]]),
    }
    .is_ok()
}

fn grow_messages(way: &str, fields: &Fields, round: u32, kept: &mut Kept) -> bool {
    let value = vec![b'x'; 1024];
    match way {
        "from-list" => {
            let entries: Vec<_> =
                (0..round * 16).map(|at| (format!("x-{at}"), value.clone())).collect();
            Fields::from_list(&entries).is_ok_and(|fields| kept.keep(fields))
        }
        "clone" => {
            let _ = fields.set("x", &vec![value; 16]);
            kept.keep(fields.clone())
        }
        "requests" => {
            let (_, trailers) = wit_future::new(|| Ok(None));
            let (request, sent) = Request::new(Fields::new(), None, trailers, None);
            drop(sent);
            let is_taken = request.set_path_with_query(Some(&"/x".repeat(1 << 14))).is_ok();
            kept.keep(request) && is_taken
        }
        "answers" => {
            let (_, trailers) = wit_future::new(|| Ok(None));
            kept.keep(Response::new(Fields::new(), None, trailers))
        }
        _ => kept.keep(RequestOptions::new()),
    }
}

fn grow_waitables(way: &str, kept: &mut Kept) -> bool {
    match way {
        "streams" => kept.keep(wit_stream::new::<u8>()),
        "futures" => kept.keep(wit_future::new::<Result<(), ErrorCode>>(|| Ok(()))),
        "kept-writers" => kept.keep(wit_stream::new::<u8>().0),
        "tasks" => {
            wit_bindgen::spawn_local(monotonic_clock::wait_until(u64::MAX));
            true
        }
        // A call of the host that has begun and is never waited for.
        _ => {
            let mut sleep: Pin<Box<dyn Future<Output = ()>>> =
                Box::pin(monotonic_clock::wait_until(u64::MAX));
            let begun = sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            matches!(begun, Poll::Pending) && kept.keep(sleep)
        }
    }
}

fn grow_host_ends(way: &str, kept: &mut Kept) -> bool {
    match way {
        "pipes" => {
            let (writer, reader) = wit_stream::new();
            kept.keep((writer, stdout::write_via_stream(reader)))
        }
        // The guest has no handle any more, the host has its end.
        "dropped-pipes" => {
            let (writer, reader) = wit_stream::new();
            drop(stdout::write_via_stream(reader));
            drop(writer);
            true
        }
        "inputs" => kept.keep(stdin::read_via_stream()),
        "dropped-inputs" => {
            drop(stdin::read_via_stream());
            true
        }
        _ => TcpSocket::create(IpAddressFamily::Ipv4).is_ok_and(|socket| kept.keep(socket)),
    }
}
