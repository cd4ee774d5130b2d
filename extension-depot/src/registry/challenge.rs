//! The header `WWW-Authenticate` ([RFC 9110, section 11](https://www.rfc-editor.org/rfc/rfc9110#section-11)).

use std::collections::BTreeMap;

/// The longest header that is looked at, in bytes.
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
        /// What it calls the registry.
        service: Option<String>,
        /// What the token is to be good for, in the token service's words.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The strongest demand in the header that can be answered.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        if header.len() > MAX_LENGTH {
            return None;
        }
        let challenges = split(header);
        let bearer = challenges.iter().find_map(|(scheme, parameters)| {
            let realm = parameters.get("realm").filter(|_| scheme == "bearer")?.clone();
            let scope = parameters.get("scope").filter(|scope| !scope.is_empty()).cloned();
            Some(Self::Bearer { realm, service: parameters.get("service").cloned(), scope })
        });
        bearer.or_else(|| challenges.iter().any(|(scheme, _)| scheme == "basic").then_some(Self::Basic))
    }
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
            return challenges;
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

/// A token or quoted text, and what stands behind it.
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

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        scoped(realm, service, None)
    }

    fn scoped(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let [service, scope] = [service, scope].map(|text| text.map(str::to_owned));
        Some(Challenge::Bearer { realm: realm.to_owned(), service, scope })
    }

    #[test]
    fn the_strongest_demand_is_found_however_it_is_written() {
        let parse = Challenge::parse;
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
    }

    #[test]
    fn what_cannot_be_answered_is_nothing() {
        let long = format!("Bearer realm=\"{}\"", "x".repeat(100_000));
        for header in
            ["", ",", "Bearer", "Bearer service=\"x\"", "realm=\"x\"", "Negotiate abc", "Bearer realm=\"open", &long]
        {
            assert_eq!(Challenge::parse(header), None, "{}", &header[..header.len().min(40)]);
        }
    }

    proptest! {
        #[test]
        fn no_header_panics_or_hangs(header in "\\PC*|[a-zA-Z=\", \\\\]{0,80}") {
            let _ = Challenge::parse(&header);
        }
    }
}
