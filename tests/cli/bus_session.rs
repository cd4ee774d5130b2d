//! A session of its own for a test: a bus, the service on it, and programs that ask it.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use test_support::{OnEvent, wakeable};
use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::zvariant::{OwnedValue, Value};

use crate::support::{GREETING, HOSTILE, Run, TestEnv, asking, env, manifest, send};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);
/// The output of programs that were started.
const PROGRAMS_LOG: &str = "programs.log";
/// The name and the object of the service.
pub const NAME: &str = core_types::BUS_NAME;
pub const OBJECT: &str = core_types::BUS_OBJECT;
/// The declaration of an event that a program emits, and its grant.
pub const TICKS: &str = "[events.\"custom.tick\"]\n";
pub const TICK: &str = "events=custom.tick";
/// The extensions that the service runs.
pub const RUNNING: &str = ".local/state/pds/extensions/events/running";

/// A process that ends with the test.
pub struct Ending(pub Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An environment with a bus of its own and the service on it.
pub struct Session {
    pub env: TestEnv,
    pub service: Ending,
    pub bus: Ending,
    /// Variables of the service.
    variables: Vec<(&'static str, String)>,
}

pub type Options<'a> = HashMap<&'a str, Value<'a>>;
pub type Answer = Result<(String, HashMap<String, OwnedValue>), (String, String)>;

impl Session {
    /// Starts a bus, and the service for what is installed.
    pub fn start(env: TestEnv) -> Self {
        Self::start_with(env, Vec::new())
    }

    /// The same, with this bus as the system bus of the service as well.
    pub fn on_one_bus(env: TestEnv) -> Self {
        let system = ("DBUS_SYSTEM_BUS_ADDRESS", address(&env));
        Self::start_with(env, vec![system, ("XDG_SESSION_ID", "c1".to_owned())])
    }

    fn start_with(env: TestEnv, variables: Vec<(&'static str, String)>) -> Self {
        env.make_runtime_directory();
        let bus = bus(&env);
        let service = service_with(&env, &[], &variables);
        Self { env, service, bus, variables }
    }

    /// Ends the service, and waits until it has ended.
    pub fn end(&mut self) {
        self.run("session stop").ok();
        self.service.0.wait().expect("it ends");
    }

    /// Ends the service, and starts it again.
    pub fn restart(&mut self) {
        self.end();
        self.start_again();
    }

    /// Kills the service.
    pub fn crash(&mut self) {
        self.service.0.kill().expect("killed");
        self.service.0.wait().expect("it ends");
    }

    /// Starts the service again, after its end.
    pub fn start_again(&mut self) {
        self.service = service_with(&self.env, &[], &self.variables);
    }

    /// Ends the service, and starts it again with one more variable.
    pub fn restart_with(&mut self, (name, value): (&'static str, &str)) {
        self.variables.push((name, value.to_owned()));
        self.restart();
    }

    /// Sends a signal to the service.
    pub fn signal(&self, signal: Signal) {
        send(&self.service.0, signal);
    }

    /// Runs a command in this session.
    pub fn run(&self, line: &str) -> Run {
        let mut command = self.env.command(line.split_whitespace());
        in_session(&self.env, &mut command);
        self.env.finish(command, b"")
    }

    /// Returns a program of Debian in this session, whose bus is its system bus as well.
    fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]);
        in_session(&self.env, command.args(&words[1..]));
        command.env("DBUS_SYSTEM_BUS_ADDRESS", self.address());
        for (variable, place) in [("TMPDIR", "tmp"), ("UPOWER_HISTORY_DIR", "history")] {
            std::fs::create_dir_all(self.env.path(place)).expect("made");
            command.env(variable, self.env.path(place));
        }
        command
    }

    /// Starts a program.
    pub fn start_program(&self, words: &[&str]) -> Ending {
        let log = OpenOptions::new().create(true).append(true).open(self.env.path(PROGRAMS_LOG));
        let log = log.expect("a log");
        let mut command = self.program(words);
        command.stdin(Stdio::piped()).stdout(log.try_clone().expect("a copy")).stderr(log);
        Ending(command.spawn().unwrap_or_else(|error| panic!("{}: {error}", words[0])))
    }

    /// Runs a program to its end, which has to be a good one, and returns what it printed.
    pub fn run_program(&self, words: &[&str]) -> String {
        let output = self.program(words).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", words[0]));
        let log = || std::fs::read_to_string(self.env.path(PROGRAMS_LOG)).unwrap_or_default();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {error}\n{}", log());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until a program owns a name.
    pub fn wait_for_name(&self, name: &str) {
        self.run_program(&["gdbus", "wait", "--session", "--timeout", "60", name]);
    }

    /// Waits until a source listens.
    pub fn wait_for_source(&self, source: &str) {
        let line = format!("source {source}  listening");
        let status = || self.run("session status").text();
        wait_for(|| status().contains(&line), status);
    }

    /// Connects as another program.
    pub fn connect(&self) -> Connection {
        let address = address(&self.env);
        let builder = Builder::address(address.as_str()).expect("an address");
        builder.method_timeout(LONG).build().expect("a connection")
    }

    /// Takes a name for what a connection serves at this path. It answers before it has the name: whoever
    /// waits for the name asks at once, and a question that nothing takes yet is lost.
    pub fn serve(&self, connection: &Connection, path: &str, name: &str) {
        let own = connection.unique_name().expect("a name");
        let address = address(&self.env);
        let builder = Builder::address(address.as_str()).expect("an address");
        let asking = builder.method_timeout(Duration::from_secs(1)).build().expect("a connection");
        let peer = Some("org.freedesktop.DBus.Peer");
        let answers = || asking.call_method(Some(own), path, peer, "Ping", &()).is_ok();
        wait_for(answers, || format!("nothing is served at {path}"));
        connection.request_name(name).expect("owned");
    }

    /// Returns the process of the service.
    pub fn process(&self) -> u32 {
        self.service.0.id()
    }

    /// Returns the address of its bus.
    pub fn address(&self) -> String {
        address(&self.env)
    }

    pub fn log(&self) -> String {
        self.env.read("service.log")
    }
}

/// An environment with one extension that declares these events and is granted what is named.
pub fn waking(name: &str, on_event: OnEvent, declared: &str, grants: &str) -> TestEnv {
    let env = env();
    add_waking(&env, name, on_event, declared, grants);
    env
}

/// Adds such an extension.
pub fn add_waking(env: &TestEnv, name: &str, on_event: OnEvent, declared: &str, grants: &str) {
    let binary = format!("work/{name}.wasm");
    env.write(&binary, asking(&wakeable(1, on_event), declared));
    let grants: String = grants.split(' ').map(|grant| format!(" --grant {grant}")).collect();
    env.run(&format!("extension install ./{name}.wasm{grants}")).ok();
}

/// Gives the calls of an extension this many milliseconds, however much they compute in them.
pub fn limit(env: &TestEnv, name: &str, milliseconds: u32) {
    const LIMITS: &str = "\n[limits]\n";
    let path = manifest(name);
    let text = env.read(&path);
    let text = text.split(LIMITS).next().unwrap_or_default();
    let limits = format!("timeout_ms = {milliseconds}\nmax_fuel = 1_000_000_000_000_000\n");
    env.write(&path, format!("{text}{LIMITS}{limits}"));
}

/// An environment with an extension that greets, and one that does its host no good.
pub fn with_hostile() -> TestEnv {
    let env = env();
    for (name, guest) in [("greet", &GREETING), ("hostile", &HOSTILE)] {
        env.write(&format!("work/{name}.wasm"), &**guest);
        env.run(&format!("extension install ./{name}.wasm")).ok();
    }
    env
}

/// A session with an extension that every service of a desktop wakes.
pub fn waking_session() -> Session {
    let env = env();
    let declared = "[events.\"power.battery\"]\nbelow = 20\n[events.\"power.source\"]\n\
                    [events.\"session.locked\"]\n[events.\"session.unlocked\"]\n\
                    [events.\"system.sleep\"]\n[events.\"network.changed\"]\n[events.\"media.changed\"]\n";
    env.write("work/woken.wasm", asking(&wakeable(1, OnEvent::Handles), declared));
    env.run("extension install ./woken.wasm --grant-requested").ok();
    Session::on_one_bus(env)
}

/// Returns the outcomes of the deliveries to an extension, in their order.
pub fn outcomes(session: &Session, name: &str) -> Vec<String> {
    let outcome = |call: &serde_json::Value| call["outcome"].as_str().map(str::to_owned);
    deliveries(session, name).iter().filter_map(outcome).collect()
}

/// Returns the deliveries to an extension as the log has them, in their order.
pub fn deliveries(session: &Session, name: &str) -> Vec<serde_json::Value> {
    let log = session.env.path(".local/state/pds/extensions/activity/activity.jsonl");
    let log = std::fs::read_to_string(log).unwrap_or_default();
    let is_delivery = |call: &serde_json::Value| {
        let cause = call["cause"].as_str().unwrap_or_default();
        call["extension"] == name && cause.starts_with("event:")
    };
    let calls = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    calls.filter(is_delivery).collect()
}

/// Waits until this event has woken it.
pub fn is_woken(session: &Session, event: &str) {
    let line = format!("woken: {event}: handled");
    wait_for(|| session.log().contains(&line), || session.log());
}

fn address(env: &TestEnv) -> String {
    format!("unix:path={}", env.path("run/bus").display())
}

pub fn in_session(env: &TestEnv, command: &mut Command) {
    command.env("XDG_RUNTIME_DIR", env.path("run"));
    command.env("DBUS_SESSION_BUS_ADDRESS", address(env));
}

/// Starts a bus without services that it could start.
fn bus(env: &TestEnv) -> Ending {
    // As many connections as a test makes; a real session bus allows more.
    let config = env.write(
        "bus.conf",
        format!(
            "<busconfig><type>session</type><listen>{}</listen><auth>EXTERNAL</auth>\
             <limit name=\"max_connections_per_user\">2000</limit>\
             <limit name=\"max_completed_connections\">2000</limit>\
             <limit name=\"max_replies_per_connection\">50000</limit>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            address(env)
        ),
    );
    let mut command = Command::new("dbus-daemon");
    command.arg("--nofork").arg(format!("--config-file={}", config.display()));
    let bus = Ending(command.stdin(Stdio::null()).spawn().expect("a bus"));
    wait_for(|| env.path("run/bus").exists(), || "no bus".to_owned());
    bus
}

pub fn service(env: &TestEnv, arguments: &[&str]) -> Ending {
    service_with(env, arguments, &[])
}

fn service_with(env: &TestEnv, arguments: &[&str], variables: &[(&'static str, String)]) -> Ending {
    let mut command = env.command([&["session", "run"], arguments].concat());
    in_session(env, &mut command);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let service = started(env, command, "service.log");
    let log = || env.read("service.log");
    wait_for(|| log().contains("event"), log);
    service
}

/// Starts a service by a command of the test, which logs to this file.
pub fn started(env: &TestEnv, mut command: Command, log: &str) -> Ending {
    let log = std::fs::File::create(env.path(log)).expect("a log");
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
    Ending(child.expect("started"))
}

/// Returns a command for the service of this session under another program, with the words of that.
pub fn under(program: &str, words: &[&str], env: &TestEnv) -> Command {
    let service = env.command(["session", "run"]);
    let mut command = Command::new(program);
    command.args(words).arg(service.get_program()).args(service.get_args()).env_clear();
    command.envs(service.get_envs().filter_map(|(name, value)| Some((name, value?))));
    in_session(env, command.current_dir(env.home()));
    command
}

pub fn wait_for(mut is_so: impl FnMut() -> bool, otherwise: impl Fn() -> String) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "{}", otherwise());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Asks the service, and returns the name and text of its error.
pub fn ask<B, A>(connection: &Connection, method: &str, body: &B) -> Result<A, (String, String)>
where
    B: serde::Serialize + zbus::zvariant::DynamicType,
    A: serde::de::DeserializeOwned + zbus::zvariant::Type,
{
    match connection.call_method(Some(NAME), OBJECT, Some(NAME), method, body) {
        Ok(answer) => Ok(answer.body().deserialize().expect("its type")),
        Err(zbus::Error::MethodError(name, text, _)) => {
            let name = name.strip_prefix("org.opensesame.Error.").unwrap_or(&name).to_owned();
            Err((name, text.unwrap_or_default()))
        }
        Err(error) => Err(("none".to_owned(), error.to_string())),
    }
}

pub fn call(connection: &Connection, name: &str, function: &str, arguments: &str) -> Answer {
    call_with(connection, (name, function, arguments), Options::new())
}

pub fn call_with(
    connection: &Connection,
    (name, function, arguments): (&str, &str, &str),
    options: Options<'_>,
) -> Answer {
    ask(connection, "Call", &(name, function, arguments, options))
}
