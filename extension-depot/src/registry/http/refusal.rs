//! The error documents of registries
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes>).

use oci_client::errors::{OciEnvelope, OciError, OciErrorCode};

use crate::registry::credentials::credential::LoginProblem;

/// The most characters of an error document that are shown: two or three lines of a terminal.
const MAX_SHOWN: usize = 200;

/// The code and the message of a registry that refuses a request, escaped and on one line.
#[derive(Debug, thiserror::Error)]
#[error("the registry says: {text}")]
pub struct Refusal {
    text: String,
    /// The problem with the login, if there was one.
    #[source]
    login: Option<LoginProblem>,
}

/// The reason why a registry denies access.
#[derive(Debug, thiserror::Error)]
pub enum AccessProblem {
    /// The registry's own reason.
    #[error(transparent)]
    Refusal(Refusal),
    /// The problem with the login. The registry sent no error document.
    #[error(transparent)]
    Login(LoginProblem),
}

impl Refusal {
    /// Parses the first error of an error document. Registries send several only for several things,
    /// which we never ask for.
    pub(crate) fn parse(document: &[u8]) -> Option<Self> {
        let OciEnvelope { errors } = serde_json::from_slice(document).ok()?;
        let OciError { code, message, .. } = errors.into_iter().next()?;
        let code = code_name(&code)?;
        let parts = [code.trim(), message.trim()].map(|part| (!part.is_empty()).then_some(part));
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
        (!text.is_empty()).then(|| Self { text: one_line(&text), login: None })
    }

    /// Adds the problem with the login that was tried.
    pub(crate) fn with_login(self, problem: Option<LoginProblem>) -> Self {
        Self { login: problem, ..self }
    }
}

impl AccessProblem {
    /// Returns the registry's own reason, without the problem with the login.
    pub(crate) fn into_refusal(self) -> Option<Box<Refusal>> {
        match self {
            Self::Refusal(refusal) => Some(Box::new(refusal.with_login(None))),
            Self::Login(_) => None,
        }
    }
}

/// Returns a code as the registry writes it. The type becomes text only through serde.
fn code_name(code: &OciErrorCode) -> Option<String> {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(name)) => Some(name),
        _ => None,
    }
}

/// Escapes everything that a terminal could act on, and cuts the text to [`MAX_SHOWN`] characters.
fn one_line(text: &str) -> String {
    let escaped: String = text.chars().map(escape).collect();
    if escaped.chars().count() <= MAX_SHOWN {
        return escaped;
    }
    escaped.chars().take(MAX_SHOWN - 1).chain(['…']).collect()
}

/// Escapes one character. Quotes are common in messages and harmless, so they stay readable.
fn escape(character: char) -> String {
    match character {
        '"' | '\'' => character.to_string(),
        _ => character.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(document: &str) -> Option<String> {
        Refusal::parse(document.as_bytes()).map(|refusal| refusal.to_string())
    }

    #[test]
    fn refusal_shows_code_and_message() {
        let denied = "the registry says: DENIED: requested access to the resource is denied";
        let cases = [
            (
                r#"{"errors": [{"code": "DENIED", "message": "requested access to the resource is denied"}]}"#,
                denied,
            ),
            (r#"{"errors": [{"code": "NAME_UNKNOWN"}]}"#, "the registry says: NAME_UNKNOWN"),
            (
                r#"{"errors": [{"code": "", "message": " m "}, {"code": "X"}]}"#,
                "the registry says: m",
            ),
            (
                r#"{"errors": [{"code": "ARTIFACT_LOCKED", "message": "\"a\" isn't free", "detail": [1]}], "x": 1}"#,
                "the registry says: ARTIFACT_LOCKED: \"a\" isn't free",
            ),
        ];
        for (document, expected) in cases {
            assert_eq!(shown(document).as_deref(), Some(expected), "{document}");
        }
    }

    #[test]
    fn other_documents_are_no_refusal() {
        let others =
            ["", "{}", "<html>denied</html>", r#"{"errors": []}"#, r#"{"errors": [{"code": ""}]}"#];
        for document in
            others.into_iter().chain([r#"{"errors": [{"message": "m"}]}"#, r#"{"token": "t"}"#])
        {
            assert_eq!(shown(document), None, "{document}");
        }
    }

    #[test]
    fn refusal_is_escaped_and_cut() {
        let document =
            r#"{"errors": [{"code": "A\nerror: b", "message": "\u001b[31m\r\u202e\u009b"}]}"#;
        let expected = r"the registry says: A\nerror: b: \u{1b}[31m\r\u{202e}\u{9b}";
        assert_eq!(shown(document).as_deref(), Some(expected));
        let long = shown(&format!(r#"{{"errors": [{{"code": "{}"}}]}}"#, "\\u0007".repeat(1_000)))
            .expect("a refusal");
        assert_eq!(long.chars().count(), "the registry says: ".len() + MAX_SHOWN);
        assert!(long.ends_with('…'), "{long}");
    }
}
