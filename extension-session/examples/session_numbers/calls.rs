//! Calls over the bus beside a bare echo and beside a new process for each, in turn.

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use core_types::{BUS_NAME, BUS_OBJECT};
use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::interface;
use zbus::zvariant::Value;

use crate::Result;
use crate::figures::{Figures, Times};
use crate::home::Home;

const ECHO: &str = "org.opensesame.Echo";
/// With it this program is the echo.
pub const ECHO_ARGUMENT: &str = "echo";
const STARTS: usize = 30;

/// Gives a text back, in a process of its own.
struct Echo;

#[interface(name = "org.opensesame.Echo")]
impl Echo {
    async fn echo(&self, text: String) -> String {
        text
    }
}

/// Answers until it is killed.
pub fn echo() -> Result<()> {
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

/// Measures starts of the service, its memory, and calls of `greeting` and of other components.
pub fn measure(
    home: &Home,
    rounds: usize,
    others: &[(&str, &str)],
    figures: &mut Figures,
) -> Result<()> {
    let connection = Connection::session()?;
    let mut starts = Times::default();
    for _ in 0..STARTS {
        starts.add(home.start(&connection)?.1);
    }
    figures.add_times("start until the name is owned", &mut starts, [None, Some(60.0)])?;
    let (service, _) = home.start(&connection)?;
    figures.add("memory with one extension, idle", service.memory()?, "MiB", Some(20.0))?;
    let _echo = start_echo(&connection)?;
    let caller = Caller { connection, home };
    caller.compare("greeting", rounds, figures)?;
    figures.add("memory after these calls", service.memory()?, "MiB", None)?;
    for (name, component) in others {
        home.install(component, name, &[])?;
        caller.compare(name, rounds, figures)?;
    }
    Ok(())
}

fn start_echo(connection: &Connection) -> Result<Ending> {
    let mut echo = Command::new(std::env::current_exe()?);
    let echo = Ending(echo.arg(ECHO_ARGUMENT).stdin(Stdio::null()).spawn()?);
    let begun = Instant::now();
    while ask_echo(connection).is_err() {
        if begun.elapsed() > Duration::from_secs(5) {
            return Err("the echo does not answer".into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(echo)
}

fn ask_echo(connection: &Connection) -> zbus::Result<()> {
    connection.call_method(Some(ECHO), "/", Some(ECHO), "Echo", &("World",)).map(drop)
}

struct Caller<'a> {
    connection: Connection,
    home: &'a Home,
}

impl Caller<'_> {
    /// Measures the echo, calls over the bus, and calls by a new process, which take longer and are
    /// fewer.
    fn compare(&self, name: &str, rounds: usize, figures: &mut Figures) -> Result<()> {
        let [mut echoes, mut calls, mut processes] = <[Times; 3]>::default();
        self.call(name)?;
        for round in 0..rounds {
            echoes.add(timed(|| Ok(ask_echo(&self.connection)?))?);
            calls.add(timed(|| self.call(name))?);
            if round % 20 == 0 {
                processes
                    .add(timed(|| self.home.run(&["extension", "call", name, "greet", "World"]))?);
            }
        }
        let goals = if name == "greeting" { [Some(1.0), Some(3.0)] } else { [None, None] };
        figures.add_times(&format!("beside `{name}`: bare echo"), &mut echoes, [None, None])?;
        figures.add_times(&format!("call of `{name}`"), &mut calls, goals)?;
        let over = (name == "greeting").then_some(0.25);
        let more = calls.at(50) - echoes.at(50);
        figures.add(
            &format!("call of `{name}`, median over that of the echo"),
            more,
            "ms",
            over,
        )?;
        let what = format!("call of `{name}` in a new process, median");
        figures.add(&what, processes.at(50), "ms", None)
    }

    fn call(&self, name: &str) -> Result<()> {
        let body = (name, "greet", r#"["World"]"#, HashMap::<&str, Value<'_>>::new());
        let name = Some(BUS_NAME);
        Ok(self.connection.call_method(name, BUS_OBJECT, name, "Call", &body).map(drop)?)
    }
}

fn timed(ask: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    ask()?;
    Ok(begun.elapsed())
}
