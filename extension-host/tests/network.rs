//! Requests go to granted hosts, at allowed addresses, and bring back no more than the limits.

use crate::support;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use extension_host::{Backends, CallError, Code, Extension, Host, HttpAccess};
use support::{call, permissions, said};

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("a host"));
static DESKTOP: LazyLock<Code> =
    LazyLock::new(|| HOST.compile(&support::DESKTOP).expect("it compiles"));
static PROBE: LazyLock<Code> =
    LazyLock::new(|| HOST.compile(&support::PROBE).expect("it compiles"));

/// Grants for the guest's imports beside HTTP.
const OTHERS: &str = "config-read = true\nsecret-read = [\"a\"]\nsecret-write = [\"a\"]\nnotification = true\n\
     clipboard-write = true\nipc-publish = [\"a\"]\n";

/// A server on loopback that answers by path and remembers its requests.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let noted = noted.clone();
                std::thread::spawn(move || drop(answer(stream, &noted)));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("not poisoned").clone()
    }
}

fn answer(mut stream: TcpStream, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let rest: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    seen.lock().expect("not poisoned").push(format!("{first} | {}", rest.join(" | ")));
    let path = first.split(' ').nth(1).unwrap_or_default();
    match path {
        "/redirect" => stream.write_all(
            b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
        ),
        "/headers" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            (0..10_000).try_for_each(|at| {
                stream.write_all(format!("x-{at}: {}\r\n", "y".repeat(100)).as_bytes())
            })
        }
        "/endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            let piece = vec![b'x'; 1 << 20];
            (0..200).try_for_each(|_| stream.write_all(&piece))
        }
        "/silent" => {
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        "/half" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"),
        "/nonsense" => stream.write_all(b"\x00\x01\x02 nonsense\r\n\r\n"),
        _ => stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"),
    }
}

fn guest_with(network: &str, limits: &str, is_offline: bool) -> Extension {
    let backends = Backends { is_offline, ..Backends::default() };
    let permissions = permissions(&format!("{OTHERS}network = {network}"), limits);
    HOST.clone().with_backends(backends).extension(&DESKTOP, permissions).expect("it links")
}

fn guest(network: &str) -> Extension {
    guest_with(network, "", false)
}

/// Asks an authority for a path by a guest.
pub(crate) type Fetch = fn(&Extension, &str, &str) -> Result<String, String>;

fn fetch(extension: &Extension, authority: &str, path: &str) -> Result<String, String> {
    said(extension, "fetch", &["http", authority, path])
}

#[test]
fn only_granted_host_is_asked() {
    let server = Server::start();
    let port = server.port();
    let guest = guest(&format!("[\"http://127.0.0.1:{port}\"]"));
    assert_eq!(
        fetch(&guest, &format!("127.0.0.1:{port}"), "/x?y"),
        Ok("(200, \"hello\")".to_owned())
    );
    assert!(server.seen()[0].starts_with("GET /x?y HTTP/1.1 | "), "{:?}", server.seen());
    assert!(server.seen()[0].contains(&format!("host: 127.0.0.1:{port}")), "{:?}", server.seen());
    for authority in [
        &format!("127.0.0.2:{port}"),
        &format!("localhost:{port}"),
        &format!("127.1:{port}"),
        &format!("0x7f.0.0.1:{port}"),
        &format!("2130706433:{port}"),
        &format!("0177.0.0.1:{port}"),
        &format!("[::ffff:127.0.0.1]:{port}"),
        &format!("[::1]:{port}"),
        &format!("0.0.0.0:{port}"),
        &format!("127.0.0.1.:{port}x"),
        "127.0.0.1",
        "127.0.0.1:1",
        &format!("a@127.0.0.1:{port}"),
        &format!("127.0.0.1:{port}@evil.org"),
        "169.254.169.254",
        "metadata.google.internal",
        &format!("127.0.0.1%00.evil.org:{port}"),
    ] {
        let told = fetch(&guest, authority, "/");
        assert!(told.is_err(), "{authority}: {told:?}");
    }
    assert!(
        said(&guest, "fetch", &["https", &format!("127.0.0.1:{port}"), "/"]).is_err(),
        "another protocol"
    );
    assert!(
        said(&guest, "fetch", &["ftp", &format!("127.0.0.1:{port}"), "/"]).is_err(),
        "another protocol"
    );
    assert_eq!(server.seen().len(), 1, "{:?}", server.seen());
}

#[test]
fn refused_request_names_its_grant() {
    let report = call(&guest("[]"), "fetch", &["https", "api.example.com", "/"]);
    assert_eq!(report.outcome.expect("returns").to_text(), "ErrorCode::HttpRequestDenied");
    let touch = &report.activity.touches[0];
    assert_eq!(touch.request.to_string(), "network=https://api.example.com:443");
    assert_eq!(touch.grant().as_deref(), Some("network=api.example.com"));
}

/// A name that leads to this machine is refused unless that is granted.
#[test]
fn private_address_needs_a_grant() {
    assert_private_needs_a_grant(guest, fetch);
}

/// Asks a private address by a name, with and without a grant for private addresses.
pub(crate) fn assert_private_needs_a_grant(guest: fn(&str) -> Extension, fetch: Fetch) {
    let server = Server::start();
    let port = server.port();
    let name = format!("localhost:{port}");
    assert_eq!(
        fetch(&guest(&format!("[\"http://{name}\"]")), &name, "/"),
        Ok("(200, \"hello\")".to_owned())
    );
    // This spelling is a name to the rules and an address to the resolver.
    let odd = format!("127.1:{port}");
    assert_eq!(
        fetch(&guest(&format!("[\"http://{odd}\"]")), &odd, "/"),
        Err("ErrorCode::DestinationIpProhibited".to_owned())
    );
    let private = guest(&format!("[{{ host = \"http://{odd}\", allow_private = true }}]"));
    assert_eq!(fetch(&private, &odd, "/"), Ok("(200, \"hello\")".to_owned()));
    assert_eq!(server.seen().len(), 2);
}

/// A redirect is the guest's to follow, and the next hop is decided like the first.
#[test]
fn redirect_is_left_to_the_guest() {
    let server = Server::start();
    let port = server.port();
    let guest = guest(&format!("[\"http://127.0.0.1:{port}\"]"));
    let told = fetch(&guest, &format!("127.0.0.1:{port}"), "/redirect");
    assert_eq!(told, Ok("(302, \"http://169.254.169.254/\")".to_owned()));
    assert_eq!(
        fetch(&guest, "169.254.169.254", "/"),
        Err("ErrorCode::HttpRequestDenied".to_owned())
    );
}

#[test]
fn guest_cannot_forge_the_host() {
    let server = Server::start();
    let authority = format!("127.0.0.1:{}", server.port());
    let guest = guest(&format!("[\"http://{authority}\"]"));
    for name in [
        "host",
        "Host",
        "HOST",
        "connection",
        "transfer-encoding",
        "upgrade",
        "keep-alive",
        "proxy-connection",
        "http2-settings",
    ] {
        let told = said(&guest, "fetch-with-header", &[&authority, name, "evil.org"]);
        assert!(told.is_err(), "{name}: {told:?}");
    }
    assert_eq!(
        said(&guest, "fetch-with-header", &[&authority, "x-token", "mine"]),
        Ok("200".to_owned())
    );
    assert!(
        said(&guest, "fetch-with-header", &[&authority, "x-token", "a\r\nHost: evil.org"]).is_err()
    );
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn answers_end_at_their_limits() {
    let server = Server::start();
    let authority = format!("127.0.0.1:{}", server.port());
    let guest = guest_with(
        &format!("[\"http://{authority}\"]"),
        "max_fuel = 100_000_000_000\ntimeout_ms = 60_000",
        false,
    );
    assert!(fetch(&guest, &authority, "/headers").is_err());
    assert!(fetch(&guest, &authority, "/nonsense").is_err());
    assert!(fetch(&guest, &authority, "/half").is_err());
    let told = said(&guest, "fetch-size", &[&authority, "/endless"]);
    assert!(
        told.as_ref()
            .is_err_and(|told| told.contains("HttpResponseBodySize") || told.contains("body size")),
        "{told:?}"
    );
}

/// Waiting ends with the call, and a timeout of zero does not panic.
#[test]
fn network_wait_ends_with_call() {
    let server = Server::start();
    let authority = format!("127.0.0.1:{}", server.port());
    let rule = format!("[\"http://{authority}\"]");
    let impatient = said(&guest(&rule), "fetch-impatiently", &[&authority]);
    assert!(impatient.is_err() || impatient == Ok("200".to_owned()), "{impatient:?}");
    let started = Instant::now();
    let report = call(
        &guest_with(&rule, "timeout_ms = 700", false),
        "fetch",
        &["http", &authority, "/silent"],
    );
    assert!(
        report.outcome.is_err() && started.elapsed() < Duration::from_secs(2),
        "{:?}",
        report.outcome
    );
}

#[test]
fn offline_requests_are_refused() {
    let server = Server::start();
    let authority = format!("127.0.0.1:{}", server.port());
    let offline = guest_with(&format!("[\"http://{authority}\"]"), "", true);
    assert_eq!(fetch(&offline, &authority, "/"), Err("ErrorCode::HttpRequestDenied".to_owned()));
    let online = guest(&format!("[\"http://{authority}\"]"));
    assert!(said(&online, "connect-socket", &[&server.port().to_string()]).is_err());
    assert!(server.seen().is_empty());
}

/// Links the guest that calls WASI itself, with HTTP to this host and nothing else.
fn probe(network: &str, limits: &str) -> Extension {
    let permissions = permissions(&format!("network = {network}"), limits);
    HOST.extension(&PROBE, permissions).expect("it links")
}

/// A socket neither binds, listens, connects nor sends, and names are not looked up.
#[test]
fn sockets_and_look_ups_do_nothing() {
    assert_sockets_do_nothing(
        |hosts| probe(&format!("[{hosts}]"), ""),
        |way, why| {
            let expected =
                if way == "look-up" { "permanent-resolver-failure" } else { "access-denied" };
            assert_eq!(why, expected, "{way}");
        },
    );
}

/// Tries every way to a socket with the probe that `probe` makes for these hosts. `check` looks at
/// the refusal of each.
pub(crate) fn assert_sockets_do_nothing(
    probe: impl Fn(&str) -> Extension,
    check: impl Fn(&str, &str),
) {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    tcp.set_nonblocking(true).expect("set");
    udp.set_nonblocking(true).expect("set");
    let ports =
        [tcp.local_addr(), udp.local_addr()].map(|address| address.expect("an address").port());
    // Even where HTTP may go to the same place.
    let granted = format!("\"http://127.0.0.1:{}\", \"http://localhost:{}\"", ports[0], ports[1]);
    let ways = [
        "tcp-connect",
        "tcp-bind",
        "tcp-listen",
        "udp-bind",
        "udp-connect",
        "udp-send",
        "udp-unbound",
        "look-up",
    ];
    for (hosts, port) in
        ["", granted.as_str()].into_iter().flat_map(|hosts| ports.map(|port| (hosts, port)))
    {
        let probe = probe(hosts);
        for way in ways {
            check(way, &said(&probe, "reach", &[way, &port.to_string()]).expect_err(way));
        }
    }
    assert!(tcp.accept().is_err() && udp.recv(&mut [0; 8]).is_err(), "something arrived");
}

#[test]
fn growing_headers_are_refused() {
    let ways = [
        "append",
        "append-names",
        "set-many",
        "set-large",
        "from-list",
        "clone",
        "requests",
        "answers",
    ];
    let mut ends = Vec::new();
    for way in ways {
        let probe =
            probe("[]", "max_memory_mib = 32\nmax_fuel = 1_000_000_000_000\ntimeout_ms = 20_000");
        let report = call(&probe, "grow", &[way]);
        assert!(
            report.usage.elapsed < Duration::from_secs(25),
            "{way}: {:?}",
            report.usage.elapsed
        );
        let end = match &report.outcome {
            Ok(rounds) => {
                let rounds = rounds.to_text().parse::<u32>().expect("a number");
                assert!(rounds < 1_000_000, "{way} went on for {rounds} rounds");
                format!("refused after {rounds}")
            }
            Err(CallError::Other(error)) => error.root_cause().to_string(),
            Err(error) => error.to_string(),
        };
        ends.push(format!("{way}: {end}"));
    }
    insta::assert_snapshot!(ends.join("\n"), @"
    append: total size of fields exceeds limit
    append-names: total size of fields exceeds limit
    set-many: total size of fields exceeds limit
    set-large: total size of fields exceeds limit
    from-list: total size of fields exceeds limit
    clone: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    requests: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    answers: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    ");
}

/// A proxy of the program gets names, and never those of this machine.
#[test]
fn proxy_gets_names_but_not_private() {
    assert_proxy_gets_names_alone(behind, fetch);
}

/// Makes a guest whose requests go through proxies.
fn behind(network: &str, backends: Backends) -> Extension {
    let permissions = permissions(&format!("{OTHERS}network = {network}"), "");
    HOST.clone().with_backends(backends).extension(&DESKTOP, permissions).expect("it links")
}

/// Asks for a name and for a private address behind a proxy.
pub(crate) fn assert_proxy_gets_names_alone(guest: fn(&str, Backends) -> Extension, fetch: Fetch) {
    let (proxy, direct) = (Server::start(), Server::start());
    let http =
        HttpAccess::new(Vec::new(), Some(format!("http://me:SECRET@{}", proxy.address)), None);
    let backends = Backends { http: Arc::new(http), ..Backends::default() };
    let network =
        format!("[\"http://api.example.invalid\", \"http://127.0.0.1:{}\"]", direct.port());
    let guest = guest(&network, backends);
    assert_eq!(fetch(&guest, "api.example.invalid", "/x"), Ok("(200, \"hello\")".to_owned()));
    assert!(
        proxy.seen()[0].starts_with("GET http://api.example.invalid/x HTTP/1.1 | "),
        "{:?}",
        proxy.seen()
    );
    assert!(
        proxy.seen()[0].to_lowercase().contains("proxy-authorization: basic "),
        "{:?}",
        proxy.seen()
    );
    fetch(&guest, &format!("127.0.0.1:{}", direct.port()), "/y").expect("reached directly");
    assert_eq!((proxy.seen().len(), direct.seen().len()), (1, 1));
    assert!(!direct.seen()[0].to_lowercase().contains("proxy-authorization"));
    // Refused hosts are not told to the proxy either.
    assert!(fetch(&guest, "other.example.invalid", "/").is_err());
    assert_eq!(proxy.seen().len(), 1);
}

#[test]
fn https_proxy_makes_a_tunnel() {
    let proxy = Server::start();
    let http = HttpAccess::new(Vec::new(), None, Some(format!("http://{}", proxy.address)));
    let backends = Backends { http: Arc::new(http), ..Backends::default() };
    let permissions = permissions(&format!("{OTHERS}network = [\"api.example.invalid\"]"), "");
    let guest =
        HOST.clone().with_backends(backends).extension(&DESKTOP, permissions).expect("it links");
    said(&guest, "fetch", &["https", "api.example.invalid", "/"])
        .expect_err("what is behind it speaks no TLS");
    assert!(
        proxy.seen()[0].starts_with("CONNECT api.example.invalid:443 HTTP/1.1 | "),
        "{:?}",
        proxy.seen()
    );
}

/// A proxy of an unsupported scheme is named, and the host is not reached around it.
#[test]
fn unusable_proxy_ends_the_request() {
    for scheme in ["socks", "socks5", "socks5h", "socks4", "ftp", "htp"] {
        let proxy = Server::start();
        let address = format!("{scheme}://{}", proxy.address);
        let http = HttpAccess::new(Vec::new(), Some(address), None)
            .named(["ALL_PROXY", ""].map(str::to_owned));
        let backends = Backends { http: Arc::new(http), ..Backends::default() };
        let permissions =
            permissions(&format!("{OTHERS}network = [\"http://api.example.invalid\"]"), "");
        let guest = HOST
            .clone()
            .with_backends(backends)
            .extension(&DESKTOP, permissions)
            .expect("it links");
        let error = fetch(&guest, "api.example.invalid", "/x").expect_err(scheme);
        assert!(error.contains("ALL_PROXY"), "{scheme}: {error}");
        assert!(proxy.seen().is_empty());
    }
}
