//! Measures calls over the session bus beside a bare echo of zbus, in turn, on the bus of this
//! session: `bus_latency ROUNDS NAME FUNCTION ARGUMENTS`. The service has to run.
//!
//! benches/run starts it. The times are in microseconds: the median and the 99th percentile.
#![expect(clippy::print_stdout, reason = "a program that prints its figures")]

use std::collections::HashMap;
use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use core_types::{BUS_NAME, BUS_OBJECT};
use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::interface;
use zbus::zvariant::Value;

const ECHO: &str = "org.opensesame.Echo";

/// Gives a text back, in a process of its own.
struct Echo;

#[interface(name = "org.opensesame.Echo")]
impl Echo {
    async fn echo(&self, text: String) -> String {
        text
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["echo"] => echo(),
        [rounds, name, function, arguments] => {
            measure(rounds.parse()?, (name, function, arguments))
        }
        _ => Err("usage: bus_latency ROUNDS NAME FUNCTION ARGUMENTS".into()),
    }
}

fn echo() -> Result<(), Box<dyn Error>> {
    let _connection = Builder::session()?.name(ECHO)?.serve_at("/", Echo)?.build()?;
    loop {
        std::thread::park();
    }
}

/// Ends the echo with the measurement.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn measure(rounds: usize, call: (&str, &str, &str)) -> Result<(), Box<dyn Error>> {
    let child = Command::new(std::env::current_exe()?).arg("echo").stdin(Stdio::null()).spawn()?;
    let _echo = Ending(child);
    let connection = Connection::session()?;
    let begun = Instant::now();
    while ask_echo(&connection).is_err() {
        if begun.elapsed() > Duration::from_secs(5) {
            return Err("the echo does not answer".into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    ask_service(&connection, call)?;
    let (mut echoes, mut calls) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        echoes.push(timed(|| ask_echo(&connection))?);
        calls.push(timed(|| ask_service(&connection, call))?);
    }
    show("bare echo over the bus", echoes);
    show("call over the bus", calls);
    Ok(())
}

fn ask_echo(connection: &Connection) -> zbus::Result<()> {
    connection.call_method(Some(ECHO), "/", Some(ECHO), "Echo", &("World",)).map(drop)
}

fn ask_service(connection: &Connection, call: (&str, &str, &str)) -> zbus::Result<()> {
    let body = (call.0, call.1, call.2, HashMap::<&str, Value<'_>>::new());
    connection.call_method(Some(BUS_NAME), BUS_OBJECT, Some(BUS_NAME), "Call", &body).map(drop)
}

fn timed(ask: impl FnOnce() -> zbus::Result<()>) -> zbus::Result<Duration> {
    let begun = Instant::now();
    ask()?;
    Ok(begun.elapsed())
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times.get(times.len() * part / 100).map_or(0, Duration::as_micros);
    println!("{what:<26}{:>8}{:>8}", at(50), at(99));
}
