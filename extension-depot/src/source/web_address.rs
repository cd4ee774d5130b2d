//! Addresses of single files: `https://…` and `file://…`.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use core_types::{OciPrefix, OciQuery, OciReference};

/// The form of an address that begins with `file:` alone.
const FILE_FORM: &str = "write `file://` and an absolute path, or the path alone";
/// Schemes that other tools put before references, with an answer of their own.
const OF_REFERENCES: [&str; 3] = ["oci", "docker", "registry"];
/// What there is in place of other schemes.
const SCHEMES: &str = "only `https://` with `--sha256`, `file://`, a path, `oci:PATH` and a reference to a registry are sources";

/// The address of a file on the web: `https://host[:port]/path`, or `http://` for those that are
/// reached like that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress {
    scheme: &'static str,
    /// `host` or `host:port`.
    host: String,
    /// The path and query as they are written, without fragment.
    rest: String,
    /// The components of the path, decoded.
    path: Vec<String>,
}

/// Why a text is not the address of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot be used as the address of a file: {problem}", text.escape_debug())]
pub struct AddressError {
    /// The text as given.
    pub text: String,
    /// The problem with it.
    pub problem: &'static str,
}

impl WebAddress {
    /// Reads an address. Nothing when the text does not begin with `http://` or `https://`.
    ///
    /// # Errors
    /// When the rest is not a host and a path to a file.
    pub fn parse(text: &str) -> Option<Result<Self, AddressError>> {
        let (scheme, rest) = [("https", "https://"), ("http", "http://")]
            .iter()
            .find_map(|(scheme, start)| Some((*scheme, without_start(text, start)?)))?;
        Some(
            Self::of_parts(scheme, rest)
                .map_err(|problem| AddressError { text: text.to_owned(), problem }),
        )
    }

    fn of_parts(scheme: &'static str, text: &str) -> Result<Self, &'static str> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has characters that are not ASCII; write them percent-encoded");
        }
        let text = text.split('#').next().unwrap_or_default();
        let (host, rest) = text.split_at(text.find(['/', '?']).unwrap_or(text.len()));
        if host.contains('@') {
            return Err("it has a user name in it, and an address is shown and recorded");
        }
        let is_host = host.parse::<OciPrefix>().is_ok_and(|prefix| prefix.components().is_empty());
        if !is_host || host.contains('%') {
            return Err("it does not have a host name or address");
        }
        let path = path_components(rest.split('?').next().unwrap_or_default())?;
        if path.is_empty() {
            return Err("it does not have a path to a file");
        }
        Ok(Self { scheme, host: host.to_ascii_lowercase(), rest: rest.to_owned(), path })
    }

    /// `host`, or `host:port`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.scheme
    }

    /// Returns the path, decoded, as policies name places: `dir/file`.
    pub fn path(&self) -> String {
        self.path.join("/")
    }

    /// Returns the name of the file.
    pub fn file_name(&self) -> &str {
        self.path.last().map(String::as_str).unwrap_or_default()
    }

    /// Returns the whole address, with its query, which can have a secret in it.
    #[cfg(feature = "registry")]
    pub(crate) fn url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.host, self.rest)
    }

    /// Returns the reference to an artifact in a registry that this is with a scheme in front, if
    /// it is one.
    pub fn as_reference(&self) -> Option<OciReference> {
        format!("{}{}", self.host, self.rest).parse().ok()
    }

    /// Returns the repository that this may be meant as, if it could be one and does not name a
    /// file.
    pub fn as_repository(&self) -> Option<OciQuery> {
        let is_file = self.file_name().ends_with(".wasm");
        format!("{}{}", self.host, self.rest).parse().ok().filter(|_| !is_file)
    }
}

/// The address without its query, which can have a secret in it.
impl fmt::Display for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}{}",
            self.scheme,
            self.host,
            self.rest.split('?').next().unwrap_or_default()
        )
    }
}

/// Reads `file://…`. Nothing when the text does not begin like that.
///
/// # Errors
/// When it names another host, or cannot be decoded.
pub(crate) fn parse_file_address(text: &str) -> Option<Result<PathBuf, AddressError>> {
    let rest = without_start(text, "file://")?;
    let path = || {
        let (host, path) =
            rest.split_at(rest.find('/').ok_or("it does not have an absolute path")?);
        if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
            return Err("a file lies on this machine: write `file:///` and its path");
        }
        if path.contains(['?', '#']) {
            return Err("a path has `?` and `#` percent-encoded");
        }
        let decoded = decoded(path)
            .filter(|bytes| !bytes.contains(&0))
            .ok_or("it is not percent-encoded rightly")?;
        Ok(PathBuf::from(OsString::from_vec(decoded)))
    };
    Some(path().map_err(|problem| AddressError { text: text.to_owned(), problem }))
}

/// Returns the error for an address of another scheme, if a text is one. `file://` and the schemes
/// of the web have to be read before.
pub(crate) fn refuse_scheme(text: &str) -> Option<AddressError> {
    let problem = match without_start(text, "file:") {
        // `file:5000/x` is a repository of a registry that is called `file`.
        Some(rest) => (!rest.starts_with(|c: char| c.is_ascii_digit())).then_some(FILE_FORM),
        None => has_other_scheme(text).then_some(SCHEMES),
    };
    problem.map(|problem| AddressError { text: text.to_owned(), problem })
}

/// Returns whether a text begins as [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-3.1)
/// has it, with another scheme than that of references.
fn has_other_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once("://") else { return false };
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(is_scheme)
        && !OF_REFERENCES.iter().any(|other| scheme.eq_ignore_ascii_case(other))
}

/// Returns the rest of a text that begins with a scheme, in whichever case.
fn without_start<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let begins = text.get(..start.len())?.eq_ignore_ascii_case(start);
    begins.then(|| &text[start.len()..])
}

/// Returns the components of a path, decoded. One that a server could read in another way than a
/// policy is refused.
fn path_components(path: &str) -> Result<Vec<String>, &'static str> {
    let mut components = Vec::new();
    for component in path.split('/').filter(|component| !component.is_empty()) {
        let decoded = decoded(component).and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.ok_or("it is not percent-encoded rightly")?;
        if matches!(decoded.as_str(), "." | "..")
            || decoded.contains(['/', '\\'])
            || decoded.contains(char::is_control)
        {
            return Err("its path has a part that means something else elsewhere");
        }
        components.push(decoded);
    }
    Ok(components)
}

/// Returns the bytes that `%41` and others stand for, if each `%` begins two hexadecimal digits.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let digits =
                    [rest.next()?, rest.next()?].map(|digit| char::from(digit).to_digit(16));
                u8::try_from(digits[0]? << 4 | digits[1]?).ok()?
            }
            other => other,
        };
        bytes.push(byte);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn web(text: &str) -> Result<WebAddress, &'static str> {
        WebAddress::parse(text).expect("an address").map_err(|error| error.problem)
    }

    #[test]
    fn web_address_has_host_and_file() {
        let address =
            web("HTTPS://Example.com:8443/dl//v1/my%20x.wasm?token=SECRET#top").expect("good");
        assert_eq!((address.host(), address.file_name()), ("example.com:8443", "my x.wasm"));
        assert_eq!(address.path(), "dl/v1/my x.wasm");
        assert_eq!(address.to_string(), "https://example.com:8443/dl//v1/my%20x.wasm");
        assert!(
            WebAddress::parse("ghcr.io/a/b:1").is_none()
                && WebAddress::parse("file:///x").is_none()
        );
    }

    #[test]
    fn misleading_addresses_refused() {
        for bad in [
            "https://",
            "https:///x.wasm",
            "https://example.com",
            "https://example.com/",
            "https://me:SECRET@example.com/x.wasm",
            "https://exa mple.com/x.wasm",
            "https://example.com/a/../x.wasm",
            "https://example.com/a/%2e%2E/x.wasm",
            "https://example.com/a%2fx.wasm",
            "https://example.com/x%0a.wasm",
            "https://example.com/x%g0.wasm",
            "https://bücher.example/x.wasm",
            "https://example%2ecom/x.wasm",
            "https://example.com:99999/x.wasm",
        ] {
            assert!(web(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn scheme_reference_recognised() {
        let reference = |text: &str| {
            web(text).expect(text).as_reference().map(|reference| reference.to_string())
        };
        assert_eq!(reference("https://ghcr.io/o/x:1").as_deref(), Some("ghcr.io/o/x:1"));
        assert_eq!(reference("http://localhost:5000/x:1").as_deref(), Some("localhost:5000/x:1"));
        assert_eq!(reference("https://example.com/o/x.wasm"), None);
        let repository = |text: &str| {
            web(text).expect(text).as_repository().map(|repository| repository.to_string())
        };
        assert_eq!(repository("https://ghcr.io/o/x").as_deref(), Some("ghcr.io/o/x"));
        assert_eq!(repository("https://example.com/o/x.wasm"), None);
    }

    #[test]
    fn file_address_is_a_path() {
        let path = |text: &str| parse_file_address(text).expect("an address").ok();
        assert_eq!(path("file:///tmp/my%20x.wasm"), Some("/tmp/my x.wasm".into()));
        assert_eq!(path("FILE://localhost/x.wasm"), Some("/x.wasm".into()));
        for bad in [
            "file://",
            "file://x.wasm",
            "file://host/x",
            "file:///x%0",
            "file:///x%00",
            "file:///x?y",
            "file:///#",
        ] {
            assert_eq!(path(bad), None, "{bad}");
        }
        assert!(parse_file_address("./file").is_none());
    }

    #[test]
    fn other_schemes_are_refused() {
        let problem = |text: &str| refuse_scheme(text).map(|error| error.problem);
        for text in ["file:./x.wasm", "file:/x.wasm", "FILE:x.wasm", "file:"] {
            assert_eq!(problem(text), Some(FILE_FORM), "{text}");
        }
        for text in ["ftp://h/x.wasm", "S3://b/x", "git+ssh://h/x", "git://h/x", "ssh://", "C://x"]
        {
            assert_eq!(problem(text), Some(SCHEMES), "{text}");
        }
        for text in [
            "oci://ghcr.io/a/b:1",
            "docker://ghcr.io/a/b:1",
            "OCI://ghcr.io/a/b:1",
            "file:5000/x:1",
            "./ftp://h/x",
            "://x",
            "oci:dir",
            "my dir://x",
            "ghcr.io/a/b:1",
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_address_panics(text in "(https?|file)://\\PC*|\\PC*") {
            let _ = (WebAddress::parse(&text), parse_file_address(&text), refuse_scheme(&text));
        }
    }
}
