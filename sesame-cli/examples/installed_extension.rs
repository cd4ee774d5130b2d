//! A program that calls an extension which `sesame` installed. Policy, timed grants, limits,
//! quarantine and the activity log hold as they do for `sesame` itself: there is no call without
//! them.
//!
//! `cargo run -p sesame-cli --example installed_extension -- NAME FUNCTION [ARGUMENT]`
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Duration;

use extension_host::Arguments;
use extension_manager::{CallMode, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(name), Some(function)) = (words.next(), words.next()) else {
        return Err("usage: installed_extension NAME FUNCTION [ARGUMENT]".into());
    };
    let words: Vec<_> = words.collect();
    let session = Session::open()?;
    match session.call(&name, &function, words.clone()) {
        Ok(returned) => println!("{}", returned.to_text()),
        Err(error) => println!("{error}"),
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(at_once(&session, &name, &function, words))
}

/// Calls at once do not see each other: each has an instance of its own.
async fn at_once(
    session: &Session,
    name: &str,
    function: &str,
    words: Vec<String>,
) -> Result<(), Box<dyn Error>> {
    // Opened anew for each call, an extension has its present permissions: revocations and timed
    // grants that ended take effect.
    let callable = session.manager().callable(&name.parse()?, CallMode::Ordinary)?;
    let arguments = Arguments::words(words);
    let (first, second) =
        tokio::join!(callable.call(function, &arguments), callable.call(function, &arguments));
    for report in [first, second] {
        println!(
            "{}",
            report.outcome.map_or_else(|error| error.to_string(), |returned| returned.to_text())
        );
    }
    // A dropped call ends, and is in the log as cancelled.
    let unwanted =
        tokio::time::timeout(Duration::from_millis(50), callable.call(function, &arguments)).await;
    println!(
        "{}",
        if unwanted.is_err() { "cancelled" } else { "it was too quick to be cancelled" }
    );
    Ok(())
}
