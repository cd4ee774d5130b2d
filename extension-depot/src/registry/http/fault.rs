//! One reason for a connection that failed, from the chain of errors of the HTTP client.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::CertificateError;

/// The reason for a connection that failed, or broke.
///
/// The client has an error for each of its layers, which all tell of the same event. A person reads
/// one.
#[derive(Debug)]
pub struct NetworkFault {
    reason: String,
    is_permanent: bool,
}

impl NetworkFault {
    /// Returns whether the same request fails again: it could not even be made.
    pub(crate) fn is_permanent(&self) -> bool {
        self.is_permanent
    }
}

impl From<reqwest::Error> for NetworkFault {
    fn from(error: reqwest::Error) -> Self {
        // The address may have a token in its query.
        let error = error.without_url();
        Self { reason: reason(&error), is_permanent: error.is_builder() }
    }
}

impl fmt::Display for NetworkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for NetworkFault {}

/// Returns the reason that the innermost error knows.
fn reason(error: &(dyn Error + 'static)) -> String {
    let (mut chain, mut next) = (Vec::new(), Some(error));
    while let Some(error) = next {
        chain.push(error);
        next = error.source();
    }
    let worded = chain.iter().rev().find_map(|error| of_layer(*error));
    let is_lookup = chain.iter().any(|error| error.to_string() == "dns error");
    let innermost = || chain.last().map(ToString::to_string).unwrap_or_default();
    match worded {
        Some(reason) => reason,
        // The system's resolver repeats what it did before it says why that failed.
        None if is_lookup => {
            let said = innermost();
            let why = said.rsplit(": ").next().unwrap_or_default();
            format!("its name cannot be resolved: {why}")
        }
        None => innermost(),
    }
}

fn of_layer(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(of_tls(error));
    }
    let error = error.downcast_ref::<io::Error>()?;
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return Some(of_tls(error));
    }
    let reason = match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection is refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            "the connection was broken off"
        }
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            "the connection ended before the answer was complete"
        }
        io::ErrorKind::HostUnreachable => "no route to its address",
        io::ErrorKind::NetworkUnreachable => "this machine is not connected to its network",
        io::ErrorKind::TimedOut => "it does not answer",
        _ => return None,
    };
    Some(reason.to_owned())
}

fn of_tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(problem) => of_certificate(problem),
        rustls::Error::InvalidMessage(_) => "it does not speak TLS".to_owned(),
        rustls::Error::AlertReceived(alert) => format!("it refuses TLS: {alert:?}"),
        rustls::Error::PeerIncompatible(_) => {
            "it speaks no version of TLS that sesame takes".to_owned()
        }
        other => format!("TLS fails: {other}"),
    }
}

fn of_certificate(problem: &CertificateError) -> String {
    let reason = match problem {
        CertificateError::UnknownIssuer => "is of an authority that this machine does not trust",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet; is the clock of this machine right?"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another host"
        }
        CertificateError::Revoked => "is revoked",
        other => return format!("its certificate cannot be verified: {other}"),
    };
    format!("its certificate {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error of the client with another one below it.
    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<dyn Error>>,
    }

    fn layers(texts: &[&'static str], innermost: Option<io::Error>) -> Layer {
        let [text, below @ ..] = texts else { panic!("at least one") };
        let source: Option<Box<dyn Error>> = match below {
            [] => innermost.map(|error| Box::new(error) as Box<dyn Error>),
            below => Some(Box::new(layers(below, innermost))),
        };
        Layer { text, source }
    }

    /// The layers of one failed look-up are one reason.
    #[test]
    fn chain_is_one_reason() {
        let lookup =
            io::Error::other("failed to lookup address information: Name or service not known");
        let texts = ["error sending request", "client error (Connect)", "dns error"];
        assert_eq!(
            reason(&layers(&texts, Some(lookup))),
            "its name cannot be resolved: Name or service not known"
        );
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let texts = ["error sending request", "client error (Connect)", "tcp connect error"];
        assert_eq!(reason(&layers(&texts, Some(refused))), "the connection is refused");
        assert_eq!(reason(&layers(&["request", "something else"], None)), "something else");
    }

    #[test]
    fn certificate_reason_is_in_words() {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let error = io::Error::new(io::ErrorKind::InvalidData, unknown);
        assert_eq!(
            reason(&layers(&["error sending request"], Some(error))),
            "its certificate is of an authority that this machine does not trust"
        );
    }
}
