//! Names, passwords and tokens, and the files in which other tools keep them.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use core_types::{OciReference, canonical_registry};
use docker_credential::{CredentialRetrievalError, DockerCredential};

use super::logins;
use super::settings::Settings;
use crate::blob::open_plain;

/// What a registry is told about who asks.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password.
    Password {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// A token that is exchanged for shorter-lived ones; what `docker login` calls an identity token.
    RefreshToken(String),
}

/// What a credential says of itself never includes the secret.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { username, .. } => write!(f, "Password({username:?}, <redacted>)"),
            Self::RefreshToken(_) => f.write_str("RefreshToken(<redacted>)"),
        }
    }
}

/// Files as `docker login` and `podman login` write them, in the order in which they are asked: those of
/// `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG`, the runtime directory, the configuration directory and `~/.docker`. Their
/// credential helpers are run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialFiles(pub Vec<PathBuf>);

/// How long the Secret Service can take: whoever pulls is not made to wait for a prompt that nobody answers.
const PATIENCE_WITH_SERVICE: Duration = Duration::from_secs(4);
/// How long a credential helper can take, some of which ask a cloud.
const PATIENCE_WITH_HELPER: Duration = Duration::from_secs(10);
/// The largest file of credentials, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The credential for a repository: what its user gave to this process, sesame's own login, then the files in their order, each asked for the longest path
/// first. Nothing is an answer too: many registries let strangers read.
///
/// Files that are missing or cannot be understood and helpers that fail count as having nothing.
pub(crate) fn find(settings: &Settings, reference: &OciReference) -> Option<Credential> {
    let registry = reference.registry().to_owned();
    if let Some(login) =
        settings.login.as_ref().filter(|login| canonical_registry(&login.registry) == canonical_registry(&registry))
    {
        return Some(login.credential.clone());
    }
    if settings.secret_service
        && let Some(login) = within(PATIENCE_WITH_SERVICE, move || logins::login(&registry).ok().flatten()).flatten()
    {
        return Some(login);
    }
    let addresses = addresses(reference);
    let files = settings.credentials.0.clone();
    within(PATIENCE_WITH_HELPER, move || files.iter().find_map(|file| in_file(file, &addresses))).flatten()
}

/// Runs what may block for ever in a thread that is left behind then. Gives back nothing if it takes longer.
pub(super) fn within<T: Send + 'static>(patience: Duration, ask: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().spawn(move || sender.send(ask())).ok()?;
    receiver.recv_timeout(patience).ok()
}

/// The keys under which files have credentials for a repository: of each length, as it is written and in its one form.
fn addresses(reference: &OciReference) -> Vec<String> {
    let registry = canonical_registry(reference.registry());
    let mut spellings = vec![reference.registry().to_owned(), registry.clone()];
    spellings.dedup();
    let repository = reference.repository();
    let ends = repository.char_indices().rev().filter(|(_, c)| *c == '/').map(|(at, _)| &repository[..at]);
    let paths = std::iter::once(repository.as_str()).chain(ends).map(|path| format!("/{path}"));
    let with = |path: String| spellings.iter().map(move |spelling| format!("{spelling}{path}")).collect::<Vec<_>>();
    let mut addresses: Vec<_> = paths.chain(std::iter::once(String::new())).flat_map(with).collect();
    if registry == "docker.io" {
        addresses.push("https://index.docker.io/v1/".to_owned());
    }
    addresses
}

fn in_file(path: &std::path::Path, addresses: &[String]) -> Option<Credential> {
    let mut text = String::new();
    open_plain(path).ok()?.0.take(MAX_FILE).read_to_string(&mut text).ok()?;
    addresses.iter().find_map(|address| {
        let found: Result<_, CredentialRetrievalError> =
            docker_credential::get_credential_from_reader(text.as_bytes(), address);
        match found.ok()? {
            DockerCredential::IdentityToken(token) => Some(Credential::RefreshToken(token)),
            DockerCredential::UsernamePassword(username, _) if username.is_empty() => None,
            DockerCredential::UsernamePassword(username, password) => Some(Credential::Password { username, password }),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_in(text: &str, reference: &str) -> Option<Credential> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        let settings = Settings { credentials: CredentialFiles(vec![file.path().to_owned()]), ..Default::default() };
        find(&settings, &reference.parse().expect("a reference"))
    }

    fn password(username: &str) -> Option<Credential> {
        Some(Credential::Password { username: username.to_owned(), password: "p".to_owned() })
    }

    /// `u:p` in base64.
    const FILE: &str = r#"{"auths": {
        "ghcr.io": {"auth": "dTpw"},
        "ghcr.io/my-org": {"username": "org", "password": "p"},
        "https://index.docker.io/v1/": {"auth": "dTpw"},
        "token.example": {"auth": "", "identitytoken": "t"}
    }}"#;

    #[test]
    fn the_longest_path_wins_and_hosts_match_exactly() {
        assert_eq!(find_in(FILE, "ghcr.io/other/x:1"), password("u"));
        assert_eq!(find_in(FILE, "ghcr.io/my-org/x:1"), password("org"));
        assert_eq!(find_in(FILE, "docker.io/library/x:1"), password("u"));
        for same in ["ghcr.io:443/other/x:1", "GHCR.io/other/x:1"] {
            assert_eq!(find_in(FILE, same), password("u"), "{same}");
        }
        assert_eq!(find_in(FILE, "token.example/a/b:1"), Some(Credential::RefreshToken("t".to_owned())));
        for foreign in [
            "ghcr.io.evil.com/a/b:1",
            "evilghcr.io/a/b:1",
            "ghcr.io:8443/a/b:1",
            "gh.cr.io/a/b:1",
            "ghcr.io.example/my-org/b:1",
            "xn--ghcr-53d.io/a/b:1",
            "localhost/a/b:1",
            "[::1]:5000/a/b:1",
            "127.0.0.1:5000/a/b:1",
            "token.example:8080/a/b:1",
            "sub.token.example/a/b:1",
            "auth.docker.io/a/b:1",
        ] {
            assert_eq!(find_in(FILE, foreign), None, "{foreign}");
        }
        // A part of a path counts only as a whole.
        let half = r#"{"auths": {"ghcr.io/my": {"auth": "dTpw"}, "ghcr.io/my-org/x/y": {"auth": "dTpw"}}}"#;
        for foreign in ["ghcr.io/my-org/x:1", "ghcr.io/myself/x:1", "ghcr.io/my-org/x-y:1"] {
            assert_eq!(find_in(half, foreign), None, "{foreign}");
        }
        assert_eq!(find_in(half, "ghcr.io/my/x:1"), password("u"));
    }

    #[test]
    fn damaged_files_and_missing_helpers_count_as_nothing() {
        for text in ["", "{", "[]", r#"{"auths": {"ghcr.io": {"auth": "!!"}}}"#, r#"{"credsStore": "is-not-there"}"#] {
            assert_eq!(find_in(text, "ghcr.io/a/b:1"), None, "{text}");
        }
    }

    #[test]
    fn what_is_printed_has_no_secret() {
        let all = [password("u").expect("some"), Credential::RefreshToken("p".to_owned())];
        assert_eq!(format!("{all:?}"), r#"[Password("u", <redacted>), RefreshToken(<redacted>)]"#);
    }
}
