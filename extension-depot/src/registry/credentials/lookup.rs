//! Looks logins up in the places where they are kept.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use core_types::{OciReference, canonical_registry};
use tokio::sync::oneshot;

use crate::registry::credentials::credential::{
    Credential, FoundLogin, LoginPlace, LoginProblem, Notice,
};
use crate::registry::credentials::helper::Running;
use crate::registry::credentials::login_file::{Found, LoginFile};
use crate::registry::credentials::{helper, logins};
use crate::registry::settings::{ExplicitLogin, Settings};

/// How long the Secret Service can take: a pull does not wait for a prompt that is never answered.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a credential helper can take. Some ask a cloud, or the user for a touch of a key.
const HELPER_TIMEOUT: Duration = Duration::from_secs(60);
/// The time after which the user is told that a helper is running. Helpers without a question
/// answer sooner.
const HELPER_NOTICE: Duration = Duration::from_secs(2);

/// The login for a repository, and what went wrong while it was looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lookup {
    pub(crate) login: Option<FoundLogin>,
    pub(crate) problems: Vec<LoginProblem>,
}

/// The lookups of a command for one registry, so that nothing is asked twice.
#[derive(Default)]
pub(crate) struct Lookups {
    repositories: BTreeMap<String, Lookup>,
    service: Option<Option<Credential>>,
    /// By helper and server.
    helpers: BTreeMap<(String, String), Result<Option<Credential>, String>>,
}

impl Lookups {
    /// Finds the login for a repository: the explicit login of this process, sesame's own login,
    /// then the files in their order, each by its longest path first. Most registries can be read
    /// without one.
    pub(crate) async fn find(&mut self, settings: &Settings, reference: &OciReference) -> Lookup {
        let repository = reference.repository();
        if let Some(known) = self.repositories.get(&repository) {
            return known.clone();
        }
        let lookup = self.look_up(settings, reference).await;
        self.repositories.insert(repository, lookup.clone());
        lookup
    }

    /// What went wrong while the login for a repository was looked for.
    pub(crate) fn problems(&self, reference: &OciReference) -> &[LoginProblem] {
        self.repositories
            .get(&reference.repository())
            .map(|lookup| lookup.problems.as_slice())
            .unwrap_or_default()
    }

    async fn look_up(&mut self, settings: &Settings, reference: &OciReference) -> Lookup {
        let mut lookup = Lookup::default();
        let registry = reference.registry();
        let is_for_it = |login: &&ExplicitLogin| {
            canonical_registry(&login.registry) == canonical_registry(registry)
        };
        if let Some(login) = settings.login.as_ref().filter(is_for_it) {
            let credential = login.credential.clone();
            lookup.login = Some(FoundLogin { credential, place: LoginPlace::Process });
        } else if let Some(credential) = self.in_service(settings, registry).await {
            lookup.login = Some(FoundLogin { credential, place: LoginPlace::SecretService });
        }
        for path in &settings.credentials.0 {
            if lookup.login.is_some() {
                break;
            }
            lookup.login = self.in_file(settings, reference, path, &mut lookup.problems).await;
        }
        lookup
    }

    async fn in_service(&mut self, settings: &Settings, registry: &str) -> Option<Credential> {
        if !settings.secret_service {
            return None;
        }
        if self.service.is_none() {
            let registry = registry.to_owned();
            let asking = in_background(move || logins::login(&registry).ok().flatten());
            let answer = tokio::time::timeout(SERVICE_TIMEOUT, asking).await;
            self.service = Some(answer.ok().and_then(Result::ok).flatten());
        }
        self.service.clone().flatten()
    }

    /// Returns the login in a file. A helper that fails does not keep the login from being found
    /// behind it.
    async fn in_file(
        &mut self,
        settings: &Settings,
        reference: &OciReference,
        path: &Path,
        problems: &mut Vec<LoginProblem>,
    ) -> Option<FoundLogin> {
        let entries = match entries_of(path, reference) {
            Ok(entries) => entries,
            Err(problem) => {
                problems.push(problem);
                return None;
            }
        };
        for entry in entries {
            match self.login_of(settings, path, entry).await {
                Ok(Some(login)) => return Some(login),
                Ok(None) => {}
                Err(problem) if problems.contains(&problem) => {}
                Err(problem) => problems.push(problem),
            }
        }
        None
    }

    async fn login_of(
        &mut self,
        settings: &Settings,
        path: &Path,
        entry: Found,
    ) -> Result<Option<FoundLogin>, LoginProblem> {
        let file = path.to_owned();
        let (credential, place) = match entry {
            Found::Login(credential) => (Some(credential), LoginPlace::File(file)),
            Found::Helper { helper, server } => {
                match self.ask_helper(settings, &helper, &server).await {
                    Ok(credential) => (credential, LoginPlace::Helper { helper, file }),
                    Err(reason) => return Err(LoginProblem::Helper { helper, file, reason }),
                }
            }
        };
        Ok(credential.map(|credential| FoundLogin { credential, place }))
    }

    async fn ask_helper(
        &mut self,
        settings: &Settings,
        helper: &str,
        server: &str,
    ) -> Result<Option<Credential>, String> {
        let key = (helper.to_owned(), server.to_owned());
        if let Some(known) = self.helpers.get(&key) {
            return known.clone();
        }
        let ((program, about), running) = (key.clone(), Running::default());
        let in_thread = running.clone();
        let mut asking = in_background(move || helper::ask(&program, &about, &in_thread));
        let answer = match tokio::time::timeout(HELPER_NOTICE, &mut asking).await {
            Ok(answer) => Ok(answer),
            Err(_) => {
                settings.notices.tell(&Notice::WaitingForHelper(helper.to_owned()));
                tokio::time::timeout(HELPER_TIMEOUT - HELPER_NOTICE, asking).await
            }
        };
        let answer = answer.ok().and_then(Result::ok).unwrap_or_else(|| {
            running.end();
            Err(format!("it does not answer within {} s", HELPER_TIMEOUT.as_secs()))
        });
        self.helpers.insert(key, answer.clone());
        answer
    }
}

fn entries_of(path: &Path, reference: &OciReference) -> Result<Vec<Found>, LoginProblem> {
    let entries = LoginFile::read(path)?.entries(reference);
    entries.map_err(|reason| LoginProblem::File { path: path.to_owned(), reason })
}

/// Runs what may block on a thread that is left behind when it takes too long.
fn in_background<T: Send + 'static>(
    ask: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || sender.send(ask()));
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::credentials::credential::CredentialFiles;

    fn find_in(text: &str, reference: &str) -> Option<Credential> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        let settings = Settings {
            credentials: CredentialFiles(vec![file.path().to_owned()]),
            ..Default::default()
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let reference = reference.parse().expect("a reference");
        let lookup = runtime.block_on(Lookups::default().find(&settings, &reference));
        lookup.login.map(|login| login.credential)
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

    /// The longest path wins and hosts match exactly.
    #[test]
    fn longest_login_path_wins() {
        assert_eq!(find_in(FILE, "ghcr.io/other/x:1"), password("u"));
        assert_eq!(find_in(FILE, "ghcr.io/my-org/x:1"), password("org"));
        assert_eq!(find_in(FILE, "docker.io/library/x:1"), password("u"));
        for same in ["ghcr.io:443/other/x:1", "GHCR.io/other/x:1"] {
            assert_eq!(find_in(FILE, same), password("u"), "{same}");
        }
        assert_eq!(
            find_in(FILE, "token.example/a/b:1"),
            Some(Credential::RefreshToken("t".to_owned()))
        );
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

    /// A login holds for a registry and not for one spelling of it. Of several, the one
    /// that is written the same counts.
    #[test]
    fn logins_hold_for_every_spelling() {
        let spelled = r#"{"auths": {"https://GHCR.io:443/v2/": {"auth": "dTpw"}, "b.example": {"auth": "dTpw"},
            "b.example:443": {"username": "v", "password": "p"}, "docker.io:443/a": {"auth": "dTpw"}}}"#;
        for same in [
            "ghcr.io/a/b:1",
            "ghcr.io:0443/a/b:1",
            "GHCR.io/a/b:1",
            "docker.io/a/b:1",
            "b.example/a/b:1",
        ] {
            assert_eq!(find_in(spelled, same), password("u"), "{same}");
        }
        assert_eq!(find_in(spelled, "b.example:443/a/b:1"), password("v"));
        assert_eq!(find_in(spelled, "ghcr.io:8443/a/b:1"), None);
        let credential = password("u").expect("some");
        let login = Some(ExplicitLogin { registry: "GHCR.io:443".to_owned(), credential });
        let settings = Settings { login, ..Default::default() };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let lookup = |reference: &str| {
            let reference = reference.parse().expect("a reference");
            runtime.block_on(Lookups::default().find(&settings, &reference)).login.is_some()
        };
        assert!(lookup("ghcr.io/a/b:1") && !lookup("ghcr.io:8443/a/b:1"));
    }

    /// What Docker writes for its own registry and for others, and what Podman writes for a part of
    /// one.
    #[test]
    fn docker_and_podman_keys_known() {
        for (key, reference) in [
            ("https://index.docker.io/v1/", "docker.io/library/x:1"),
            ("index.docker.io", "docker.io/library/x:1"),
            ("registry-1.docker.io", "docker.io/library/x:1"),
            ("docker.io/library", "docker.io/library/x:1"),
            ("https://r.example:5000", "r.example:5000/a/b:1"),
            ("http://r.example:5000/v1/", "r.example:5000/a/b:1"),
            ("r.example/v2/", "r.example/a/b:1"),
            ("https://r.example/v2/", "r.example/a/b:1"),
            ("r.example/", "r.example/a/b:1"),
            ("r.example/a/b", "r.example/a/b:1"),
            ("R.Example:443/a", "r.example/a/b:1"),
        ] {
            let text = format!(r#"{{"auths": {{"{key}": {{"auth": "dTpw"}}}}}}"#);
            assert_eq!(find_in(&text, reference), password("u"), "{key}");
        }
        // An identity token under the name that helpers have for it: `<token>:t` in base64.
        let token = r#"{"auths": {"r.example": {"auth": "PHRva2VuPjp0"}}}"#;
        assert_eq!(
            find_in(token, "r.example/a/b:1"),
            Some(Credential::RefreshToken("t".to_owned()))
        );
    }

    /// A helper that is missing does not hide the login that stands beside it, and an empty
    /// name is not one.
    #[test]
    fn missing_helper_hides_no_login() {
        for helpers in [
            r#""credHelpers": {"r.example": "is-not-there"}, "credsStore": "is-not-there""#,
            r#""credHelpers": {"r.example": ""}, "credsStore": """#,
        ] {
            let text = format!(r#"{{{helpers}, "auths": {{"r.example": {{"auth": "dTpw"}}}}}}"#);
            assert_eq!(find_in(&text, "r.example/a/b:1"), password("u"), "{helpers}");
        }
    }

    /// Damaged files and missing helpers count as nothing.
    #[test]
    fn damaged_login_files_are_skipped() {
        for text in [
            "",
            "{",
            "[]",
            r#"{"auths": {"ghcr.io": {"auth": "!!"}}}"#,
            r#"{"credsStore": "is-not-there"}"#,
        ] {
            assert_eq!(find_in(text, "ghcr.io/a/b:1"), None, "{text}");
        }
    }

    /// A byte order mark, a line end in base64, a `null` and a slash behind the host are
    /// what people's files have.
    #[test]
    fn small_flaws_are_tolerated() {
        for text in [
            "\u{feff}{\"auths\": {\"ghcr.io\": {\"auth\": \"dTpw\"}}}",
            r#"{"auths": {"ghcr.io": {"auth": "dTpw\n"}, "other.example": null}}"#,
            r#"{"auths": {"ghcr.io": {"auth": "dTpwCg=="}}}"#,
            r#"{"auths": {"https://ghcr.io/v2/": {"auth": "dTpw"}}}"#,
            r#"{"auths": {"ghcr.io/": {"auth": "dTpw"}}, "credHelpers": null}"#,
        ] {
            assert_eq!(find_in(text, "ghcr.io/a/b:1"), password("u"), "{text}");
        }
    }

    #[test]
    fn what_is_printed_has_no_secret() {
        let all = [password("u").expect("some"), Credential::RefreshToken("p".to_owned())];
        assert_eq!(format!("{all:?}"), r#"[Password("u", <redacted>), RefreshToken(<redacted>)]"#);
    }
}
