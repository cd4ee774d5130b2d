//! A registry behind TLS with a given certificate, and the requests that a client sends it before
//! the certificate is verified.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

/// The state of the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certified {
    /// Valid.
    Well,
    /// For another name.
    Otherwise,
    /// Expired last year.
    Formerly,
    /// Valid from the next century on.
    Someday,
    /// Signed by itself.
    Alone,
    /// Missing: the server speaks plain HTTP where TLS is due.
    Plain,
}

/// The server, until the process ends.
pub struct TlsServer {
    address: SocketAddr,
    authority: String,
    /// The requests that the server could read.
    read: Arc<Mutex<Vec<String>>>,
}

impl TlsServer {
    /// Starts it on a port that the system picks.
    /// # Errors
    /// When no port is free.
    pub fn start(certified: Certified) -> io::Result<Self> {
        Self::start_with(certified, "404 Not Found", b"{}")
    }

    /// Starts one that has a file, whatever is asked for.
    /// # Errors
    /// When no port is free.
    pub fn of_file(file: &[u8]) -> io::Result<Self> {
        Self::start_with(Certified::Well, "200 OK", file)
    }

    fn start_with(certified: Certified, status: &str, body: &[u8]) -> io::Result<Self> {
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let answer = [head.as_bytes(), body].concat();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (config, authority) = certificate(certified);
        let server = Self { address: listener.local_addr()?, authority, read: Arc::default() };
        let read = Arc::clone(&server.read);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let note =
                    |text: String| read.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                let _ = if certified == Certified::Plain {
                    talk(stream, &answer, note)
                } else {
                    talk_tls(stream, &config, &answer, note)
                };
            }
        });
        Ok(server)
    }

    /// Returns its host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Writes the certificate of its authority into a file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_authority(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, &self.authority)
    }

    /// Returns the requests that it could read.
    pub fn requests(&self) -> Vec<String> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Returns the certificate, and its authority in PEM.
pub(crate) fn certificate(certified: Certified) -> (Arc<ServerConfig>, String) {
    let key = || KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, key()).expect("an authority");
    let name = if certified == Certified::Otherwise { "localhost.example" } else { "127.0.0.1" };
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    match certified {
        Certified::Formerly => params.not_after = date_time_ymd(2025, 1, 1),
        Certified::Someday => params.not_before = date_time_ymd(2101, 1, 1),
        _ => {}
    }
    let own = key();
    let issued = match certified {
        Certified::Alone => params.self_signed(&own),
        _ => params.signed_by(&own, &authority),
    };
    let chain = vec![CertificateDer::from(issued.expect("issued").der().to_vec())];
    let secret = PrivateKeyDer::try_from(own.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions");
    let config =
        builder.with_no_client_auth().with_single_cert(chain, secret).expect("a configuration");
    (Arc::new(config), pem(authority.as_ref().der()))
}

pub(crate) fn pem(certificate: &[u8]) -> String {
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(certificate)
    )
}

/// Notes a request before the answer, so that a test finds it once the client has the answer.
fn talk_tls(
    mut stream: TcpStream,
    config: &Arc<ServerConfig>,
    answer: &[u8],
    note: impl FnOnce(String),
) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut connection = ServerConnection::new(Arc::clone(config)).ok()?;
    let mut tls = Stream::new(&mut connection, &mut stream);
    note(read_head(&mut tls)?);
    tls.write_all(answer).ok()?;
    connection.send_close_notify();
    connection.write_tls(&mut stream).ok().map(drop)
}

fn talk(mut stream: TcpStream, answer: &[u8], note: impl FnOnce(String)) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    read_head(&mut stream).filter(|text| text.starts_with("GET ")).map(note);
    stream.write_all(answer).ok()
}

pub(crate) fn read_head(stream: &mut impl Read) -> Option<String> {
    let mut bytes = vec![0; 4_096];
    let size = stream.read(&mut bytes).ok().filter(|size| *size > 0)?;
    Some(String::from_utf8_lossy(&bytes[..size]).into_owned())
}
