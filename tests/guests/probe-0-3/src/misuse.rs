//! What ends a call.

use std::future::pending;

use wasip3::clocks::monotonic_clock;
use wasip3::random::{insecure, random};

pub async fn misuse(what: &str) {
    match what {
        "random-too-much" => drop(random::get_random_bytes(u64::MAX)),
        "random-without-end" => loop {
            insecure::get_insecure_random_bytes(1 << 16);
        },
        "sleep-for-ever" => monotonic_clock::wait_until(u64::MAX).await,
        "sleep-an-hour" => monotonic_clock::wait_for(3_600_000_000_000).await,
        "sleep-briefly-for-ever" => loop {
            monotonic_clock::wait_for(1).await;
        },
        // No computing hands control back by itself.
        "spin" => loop {
            std::hint::black_box(0);
        },
        // Control is handed back, and is wanted again at once.
        "yield-for-ever" => loop {
            wit_bindgen::yield_async().await;
        },
        // Nothing is awaited that could ever come.
        "await-nothing" => pending().await,
        "await-own-future" => {
            let (_writer, reader) =
                wasip3::wit_future::new::<Result<(), wasip3::http::types::ErrorCode>>(|| Ok(()));
            let _ = reader.await;
        }
        "await-own-stream" => {
            let (_writer, mut reader) = wasip3::wit_stream::new::<u8>();
            let _ = reader.read(Vec::with_capacity(1)).await;
        }
        // A task that goes on after the result is there.
        "spin-after-return" => wit_bindgen::spawn_local(async {
            loop {
                wit_bindgen::yield_async().await;
            }
        }),
        "print-for-ever" => while crate::output::print(vec![b'x'; 1 << 16]).await.is_ok() {},
        "exit" => wasip3::cli::exit::exit_with_code(7),
        "panic" => panic!("it was asked to"),
        _ => panic!("no misuse: {what}"),
    }
}
