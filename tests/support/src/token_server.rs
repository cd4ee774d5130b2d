//! A token service behind TLS that signs tokens for docker-registry
//! (<https://distribution.github.io/distribution/spec/auth/jwt/>). It knows `me` with the password
//! `SECRET`.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rustls::{ServerConfig, ServerConnection, Stream};
use serde_json::{Value, json};

use crate::tls::{Certified, certificate, pem, read_head};

/// The lifetime of a token in seconds: longer than any test.
const LIFE: u64 = 60;
/// `me:SECRET`, as clients send it.
const LOGIN: &str = "basic bWU6U0VDUkVU";

/// The service, until the process ends. Anonymous users get tokens to read below `public/`.
pub struct TokenServer {
    address: SocketAddr,
    authority: String,
    signer: String,
}

/// The key that signs tokens.
struct Signer {
    key: EcdsaKeyPair,
    certificate: Vec<u8>,
}

impl TokenServer {
    /// Starts it on a port that the system picks.
    /// # Errors
    /// When no port is free.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (config, authority) = certificate(Certified::Well);
        let signer = Signer::new();
        let server =
            Self { address: listener.local_addr()?, authority, signer: pem(&signer.certificate) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = talk(stream, &config, &signer);
            }
        });
        Ok(server)
    }

    /// Returns its host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Returns the address of its token endpoint.
    pub fn realm(&self) -> String {
        format!("https://{}/token", self.address)
    }

    /// Writes the certificate of its TLS authority into a file.
    /// # Errors
    /// When the file cannot be written.
    pub fn write_authority(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, &self.authority)
    }

    /// Writes the certificate that its tokens are signed with into a file.
    /// # Errors
    /// When the file cannot be written.
    pub fn write_signer(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, &self.signer)
    }
}

impl Signer {
    fn new() -> Self {
        let pair = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["tokens.example".to_owned()]).expect("a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&pair).expect("a certificate").der().to_vec();
        let pkcs8 = pair.serialize_der();
        let key = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &pkcs8,
            &SystemRandom::new(),
        );
        Self { key: key.expect("of this kind"), certificate }
    }

    fn token(&self, audience: &str, access: &[Value]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let header =
            json!({ "typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(&self.certificate)] });
        let claims = json!({
            "iss": "sesame-test", "sub": "me", "aud": audience, "jti": now.to_string(),
            "iat": now, "nbf": now - 10, "exp": now + LIFE, "access": access,
        });
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).expect("signed");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

fn talk(mut stream: TcpStream, config: &Arc<ServerConfig>, signer: &Signer) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut connection = ServerConnection::new(Arc::clone(config)).ok()?;
    let mut tls = Stream::new(&mut connection, &mut stream);
    let head = read_head(&mut tls)?;
    let (status, body) = match answer(&head, signer) {
        Some(body) => ("200 OK", body),
        None => (
            "401 Unauthorized",
            json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "wrong login" }] }),
        ),
    };
    let body = body.to_string();
    let length = body.len();
    write!(tls, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .ok()?;
    connection.send_close_notify();
    connection.write_tls(&mut stream).ok().map(drop)
}

/// Returns the requested token, with as much access as the login has; nothing for a wrong login.
fn answer(head: &str, signer: &Signer) -> Option<Value> {
    let target = head.split_whitespace().nth(1).unwrap_or_default();
    let login = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("authorization: ").map(|_| line));
    let is_known = login.map(|line| line.eq_ignore_ascii_case(&format!("authorization: {LOGIN}")));
    if is_known == Some(false) {
        return None;
    }
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let parameters: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let scopes =
        parameters.iter().filter(|(name, _)| *name == "scope").map(|(_, scope)| decoded(scope));
    let access: Vec<_> = scopes.filter_map(|scope| granted(&scope, is_known.is_some())).collect();
    let service =
        parameters.iter().find(|(name, _)| *name == "service").map(|(_, service)| decoded(service));
    // Only the newer name, without a stated lifetime, as some services answer.
    Some(json!({ "access_token": signer.token(&service.unwrap_or_default(), &access) }))
}

fn granted(scope: &str, is_known: bool) -> Option<Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let actions: Vec<_> = match () {
        () if is_known => actions.split(',').collect(),
        () if name.starts_with("public/") => vec!["pull"],
        () => return None,
    };
    Some(json!({ "type": kind, "name": name, "actions": actions }))
}

fn decoded(text: &str) -> String {
    text.replace("%3A", ":").replace("%2F", "/").replace("%2C", ",")
}
