//! The header `WWW-Authenticate` ([RFC 9110, section
//! 11](https://www.rfc-editor.org/rfc/rfc9110#section-11)).

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// The longest header that is parsed, in bytes: real ones have some hundreds.
const MAX_LENGTH: usize = 8 * 1024;

/// A demand for authentication that sesame can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A name and a password.
    Basic,
    /// A token from a token service.
    Bearer {
        /// The address of the token service.
        realm: String,
        /// The registry's name there.
        service: Option<String>,
        /// The scope of the token, in the token service's words.
        scope: Option<String>,
    },
}

/// Everything that a response demands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Challenges {
    /// The headers as they came, for messages.
    text: String,
    /// The demands that can be answered, the strongest first.
    known: Vec<Challenge>,
}

impl Challenges {
    /// Reads the demands of a response, which can stand in one header or in several.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let values =
            headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        Self::parse(&values.collect::<Vec<_>>().join(", "))
    }

    /// Reads a header.
    pub(crate) fn parse(header: &str) -> Self {
        let parsed = if header.len() > MAX_LENGTH { Vec::new() } else { split(header) };
        let bearers = parsed.iter().filter_map(|(scheme, parameters)| bearer(scheme, parameters));
        let mut known: Vec<_> = bearers.collect();
        known
            .extend(parsed.iter().any(|(scheme, _)| scheme == "basic").then_some(Challenge::Basic));
        Self { text: header.to_owned(), known }
    }

    /// Returns the same demands by the root of a registry, which does not know the scope of the
    /// token.
    pub(crate) fn of_root(mut self) -> Self {
        for challenge in &mut self.known {
            if let Challenge::Bearer { scope, .. } = challenge {
                *scope = None;
            }
        }
        self
    }

    /// Returns the demands that can be answered, the strongest first.
    pub(crate) fn known(&self) -> &[Challenge] {
        &self.known
    }

    /// Returns the headers as they came.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether a token is wanted, which can be had anonymously.
    pub(crate) fn has_bearer(&self) -> bool {
        self.known.iter().any(|challenge| matches!(challenge, Challenge::Bearer { .. }))
    }
}

fn bearer(scheme: &str, parameters: &Parameters) -> Option<Challenge> {
    let realm = parameters.get("realm").filter(|_| scheme == "bearer")?.clone();
    let scope = parameters.get("scope").filter(|scope| !scope.is_empty()).cloned();
    Some(Challenge::Bearer { realm, service: parameters.get("service").cloned(), scope })
}

type Parameters = BTreeMap<String, String>;

/// Splits a header into schemes with their parameters. Names are in lower case.
fn split(header: &str) -> Vec<(String, Parameters)> {
    let mut challenges: Vec<(String, Parameters)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let word_length = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        if word_length == 0 {
            // Credentials of another scheme, such as Negotiate, have characters that no name has.
            let Some(comma) = rest.find(',') else { return challenges };
            rest = &rest[comma..];
            continue;
        }
        let (word, after) = rest.split_at(word_length);
        let word = word.to_ascii_lowercase();
        match (after.trim_start().strip_prefix('='), challenges.last_mut()) {
            (Some(text), Some((_, parameters))) => {
                let Some((value, after)) = value(text.trim_start()) else { return challenges };
                parameters.entry(word).or_insert(value);
                rest = after;
            }
            (Some(_), None) => return challenges,
            (None, _) => {
                challenges.push((word, Parameters::new()));
                rest = after;
            }
        }
    }
}

/// Returns a token or quoted text, and what stands behind it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let length = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, after) = text.split_at(length);
        return Some((value.to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(header: &str) -> Option<Challenge> {
        Challenges::parse(header).known.into_iter().next()
    }

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        scoped(realm, service, None)
    }

    fn scoped(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let [service, scope] = [service, scope].map(|text| text.map(str::to_owned));
        Some(Challenge::Bearer { realm: realm.to_owned(), service, scope })
    }

    /// The strongest demand is found however it is written.
    #[test]
    fn strongest_challenge_is_found() {
        let parse = first;
        assert_eq!(
            parse(r#"Bearer realm="https://r/token",service="r",scope="x:y""#),
            scoped("https://r/token", Some("r"), Some("x:y"))
        );
        assert_eq!(parse(r#"bearer  REALM = "https://r/token""#), bearer("https://r/token", None));
        assert_eq!(parse("Bearer realm=https://r/token"), bearer("https://r/token", None));
        assert_eq!(parse(r#"Basic realm="a, b", Bearer realm="t""#), bearer("t", None));
        assert_eq!(parse(r#"Bearer realm="t", Basic realm="b""#), bearer("t", None));
        assert_eq!(parse(r#"Bearer realm="a\"b""#), bearer("a\"b", None));
        assert_eq!(parse(r#"Bearer realm="first",realm="second""#), bearer("first", None));
        assert_eq!(parse(r#"Basic realm="x""#), Some(Challenge::Basic));
        assert_eq!(parse("Basic"), Some(Challenge::Basic));
        assert_eq!(parse(r#"Negotiate, NTLM, BASIC realm="x""#), Some(Challenge::Basic));
        assert_eq!(parse(r#"Negotiate oYG/a+b==, Basic realm="x""#), Some(Challenge::Basic));
        assert_eq!(
            parse(r#"Digest realm="a", nonce="b, Bearer c", Basic realm="x""#),
            Some(Challenge::Basic)
        );
        assert_eq!(parse(r#"Negotiate /x, BEARER realm="t", service="r""#), bearer("t", Some("r")));
    }

    /// Several headers count as one, and every demand is kept.
    #[test]
    fn all_headers_are_read() {
        let values =
            ["Negotiate", "Basic realm=\"b\"", "Bearer realm=\"t\",scope=\"x:y:pull,push\""];
        let headers: HeaderMap = values
            .map(|value| (WWW_AUTHENTICATE, value.parse().expect("a value")))
            .into_iter()
            .collect();
        let challenges = Challenges::of(&headers);
        assert_eq!(
            challenges.known(),
            [scoped("t", None, Some("x:y:pull,push")).expect("some"), Challenge::Basic]
        );
        assert_eq!(challenges.of_root().known()[0], bearer("t", None).expect("some"));
    }

    #[test]
    fn unanswerable_is_nothing() {
        let long = format!("Bearer realm=\"{}\"", "x".repeat(100_000));
        for header in [
            "",
            ",",
            "Bearer",
            "Bearer service=\"x\"",
            "realm=\"x\"",
            "Negotiate abc",
            "Bearer realm=\"open",
            &long,
        ] {
            assert_eq!(first(header), None, "{}", &header[..header.len().min(40)]);
        }
    }

    proptest! {
        #[test]
        fn no_header_panics_or_hangs(header in "\\PC*|[a-zA-Z=\", \\\\]{0,80}") {
            let _ = Challenges::parse(&header);
        }
    }
}
