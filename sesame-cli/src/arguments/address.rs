//! References, repositories and sources as a person types them: with the registry in front, so that
//! `my-org/weather` is not taken for a host `my-org`. Decorations of other tools or of a browser
//! are removed; any other mistake is answered with the text to type instead.

use std::str::FromStr;

use core_types::{
    ExtensionName, OciQuery, OciReference, ReferenceError, ReferenceProblem, shell_word,
};
use extension_depot::{Source, SourceTextError};

use crate::terminal::escape_to_line;

/// The answer to the name of a file without a path, with `FILE` in its place.
const PATH: &str = "the path of a file begins with `./`: type `./FILE`";
/// Endings of files, and the answers to their names.
const FILES: [(&str, &str); 6] = [
    (".wasm", PATH),
    (".wat", PATH),
    (".tgz", PATH),
    (".gz", PATH),
    (
        ".tar",
        "a tar is an OCI layout or a bundle: type `oci:FILE`, or `sesame extension import FILE`",
    ),
    (".toml", "a list of extensions is installed with `sesame extension sync FILE`"),
];

/// The text to type instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Mistyped(String);

/// Parses a reference.
pub fn reference(text: &str) -> Result<OciReference, Mistyped> {
    let text = cleaned(text);
    text.parse().map_err(|error| explained(text, &error))
}

/// Parses a repository.
pub fn repository(text: &str) -> Result<OciQuery, Mistyped> {
    let text = cleaned(text);
    text.parse().map_err(|error| explained(text, &error))
}

/// Parses a source: a reference or a repository, or a file here or on the web.
pub fn source(text: &str) -> Result<Source, Mistyped> {
    let text = cleaned(text);
    if let Some(meant) = page_of(text) {
        return Err(Mistyped(format!("this is the address of a page; did you mean `{meant}`?")));
    }
    if let Some(meant) = address_in_upper_case(text) {
        return Err(Mistyped(format!("did you mean `{meant}`?")));
    }
    if matches!(text, "." | "..") {
        return Err(Mistyped(format!(
            "this is a directory: type a file in it, as in `{text}/NAME.wasm`, or `oci:{text}` for an OCI layout"
        )));
    }
    match text.parse::<Source>() {
        Ok(source) => Ok(source),
        Err(SourceTextError::Reference(error)) => {
            Err(path_of(text).unwrap_or_else(|| explained(text, &error)))
        }
        Err(SourceTextError::Address(error)) => Err(Mistyped(error.to_string())),
    }
}

/// Returns the text to type for a file that is named without a path, which reads as a reference.
fn path_of(text: &str) -> Option<Mistyped> {
    let lower = text.to_ascii_lowercase();
    let mut named = FILES.iter().filter(|(ending, _)| lower.ends_with(ending));
    let (_, answer) = named.next().filter(|_| is_file_name(text))?;
    Some(Mistyped(answer.replace("FILE", &shell_word(&escape_to_line(text)))))
}

/// Returns whether a text cannot name a place in a registry: it has neither a host in front nor a
/// version behind.
fn is_file_name(text: &str) -> bool {
    let host = text.split_once('/').map_or("", |(host, _)| host);
    !host.contains('.') && !text.contains([':', '@'])
}

/// Removes surrounding blanks, the schemes that container tools put in front, and trailing slashes.
fn cleaned(text: &str) -> &str {
    let text = text.trim();
    let bare = ["docker://", "oci://", "registry://"]
        .into_iter()
        .find_map(|scheme| without_start(text, scheme));
    let text = bare.unwrap_or(text);
    let without_slashes = text.trim_end_matches('/');
    if without_slashes.is_empty() || without_slashes.ends_with(':') {
        text
    } else {
        without_slashes
    }
}

/// Returns the rest of a text that begins like this, in either case.
fn without_start<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let begins = text.get(..start.len())?.eq_ignore_ascii_case(start);
    begins.then(|| &text[start.len()..])
}

/// Returns the rest of a web address.
fn without_scheme(text: &str) -> Option<&str> {
    without_start(text, "https://").or_else(|| without_start(text, "http://"))
}

/// Returns the repository of a web page about it. The page itself is never fetched.
fn page_of(text: &str) -> Option<String> {
    let rest = without_scheme(text).unwrap_or(text);
    let parts: Vec<_> = rest.split(['?', '#']).next()?.split('/').collect();
    let repository = match parts.as_slice() {
        ["github.com", owner, name] => format!("ghcr.io/{owner}/{name}"),
        ["github.com", owner, _, "pkgs", "container", name] => format!("ghcr.io/{owner}/{name}"),
        ["github.com", "orgs" | "users", owner, "packages", "container", rest @ ..] => {
            format!("ghcr.io/{owner}/{}", rest.iter().find(|part| **part != "package")?)
        }
        ["hub.docker.com", "r", owner, name, ..] => format!("docker.io/{owner}/{name}"),
        _ => return None,
    };
    Some(repository.to_lowercase())
}

/// Returns the reference in a web address that is invalid only for its upper case.
fn address_in_upper_case(text: &str) -> Option<String> {
    let rest = without_scheme(text)?;
    let lower = lower_path(rest).filter(|_| !rest.ends_with(".wasm"))?;
    lower.parse::<OciReference>().ok().map(|reference| reference.to_string())
}

/// Returns the text with its repository in lower case, if that changes it. A tag keeps its case.
fn lower_path(text: &str) -> Option<String> {
    let begin = text.rfind('/').unwrap_or(0);
    let end = text[begin..].find([':', '@']).map_or(text.len(), |at| begin + at);
    let lower = format!("{}{}", text[..end].to_lowercase(), &text[end..]);
    (lower != text).then_some(lower)
}

/// Returns the text to type instead of an invalid reference: a similar one, if that is valid.
fn explained(text: &str, error: &ReferenceError) -> Mistyped {
    let shown = text.escape_debug();
    Mistyped(match guess(text, error) {
        Some(Guess::Whole(meant)) => format!("did you mean `{meant}`?"),
        Some(Guess::LowerCase(meant)) => format!("a repository is in lower case: type `{meant}`"),
        Some(Guess::NoPlace { name, version }) => format!(
            "it does not say from where: type the whole reference, as in `ghcr.io/OWNER/{name}{version}`, or the path of a \
             file, as in `./{name}.wasm`"
        ),
        Some(Guess::NoRegistry(meant)) => {
            format!(
                "the registry is missing, as in `ghcr.io/{meant}`; the path of a file begins with `./`"
            )
        }
        Some(Guess::Blank) => {
            "there is a blank in it: type one reference, or put a path in quotes".to_owned()
        }
        Some(Guess::NoTag(place)) => format!("the tag is missing, as in `{place}:1.0.0`"),
        None => format!(
            "`{shown}` is not a reference, as `ghcr.io/OWNER/NAME:1.0.0` is one: {}",
            error.problem
        ),
    })
}

/// A guess at the intended text.
enum Guess {
    /// A complete reference.
    Whole(String),
    /// The same in lower case.
    LowerCase(String),
    /// A name without a registry, with or without a version as its tag.
    NoPlace { name: String, version: String },
    /// A path without a registry.
    NoRegistry(String),
    /// Several words.
    Blank,
    /// A repository that needs a tag.
    NoTag(String),
}

fn guess(text: &str, error: &ReferenceError) -> Option<Guess> {
    if text.contains(char::is_whitespace) {
        return Some(Guess::Blank);
    }
    if let Some(place) = without_scheme(text) {
        return is_place(place).then(|| Guess::Whole(place.to_owned()));
    }
    if let Some(name) = bare_name(text) {
        return Some(name);
    }
    if let Some((place, version)) =
        text.rsplit_once('@').filter(|(_, version)| !version.contains(':'))
    {
        let meant = format!("{place}:{version}");
        return is_place(&meant).then_some(Guess::Whole(meant));
    }
    if error.problem == ReferenceProblem::MissingRegistry {
        return Some(Guess::NoRegistry(text.to_owned()));
    }
    if error.problem == ReferenceProblem::MissingRevision && is_place(text) {
        return Some(Guess::NoTag(text.to_owned()));
    }
    lower_path(text).filter(|lower| is_place(lower)).map(Guess::LowerCase)
}

/// Returns whether this is a reference or a repository with its registry.
fn is_place(text: &str) -> bool {
    text.parse::<OciQuery>().is_ok() || text.parse::<OciReference>().is_ok()
}

/// Parses a name as other package managers have it: `weather`, `weather@1.2` or `weather:1.2`.
fn bare_name(text: &str) -> Option<Guess> {
    let (name, version) = match text.split_once(['@', ':']) {
        Some((name, version)) => (name, format!(":{version}")),
        None => (text, String::new()),
    };
    let name = ExtensionName::from_str(&name.to_lowercase()).ok()?.to_string();
    Some(Guess::NoPlace { name, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_tools_spelling_is_understood() {
        for (typed, meant) in [
            ("docker://ghcr.io/o/x:1", "ghcr.io/o/x:1"),
            ("OCI://ghcr.io/o/x:1", "ghcr.io/o/x:1"),
            ("  ghcr.io/o/x:1 ", "ghcr.io/o/x:1"),
            ("ghcr.io/o/x/", "ghcr.io/o/x"),
            ("ghcr.io/o/x:V1", "ghcr.io/o/x:V1"),
            ("x.wasm", "x.wasm"),
            ("./my x.wasm", "./my x.wasm"),
            ("oci:layout/", "oci:layout"),
            ("/", "/"),
        ] {
            assert_eq!(
                source(typed).map(|source| source.to_string()),
                Ok(meant.to_owned()),
                "{typed}"
            );
        }
        assert!(repository("docker://ghcr.io/o/x/").is_ok() && reference(" ghcr.io/o/x:1").is_ok());
    }

    #[test]
    fn mistyped_source_has_a_hint() {
        for (typed, meant) in [
            ("ghcr.io/O/X:1", "`ghcr.io/o/x:1`"),
            ("GHCR.io/o/X", "`ghcr.io/o/x`"),
            ("https://ghcr.io/O/X:1", "`ghcr.io/o/x:1`"),
            ("https://github.com/O/X", "`ghcr.io/o/x`"),
            ("github.com/O/X", "`ghcr.io/o/x`"),
            ("https://github.com/orgs/o/packages/container/package/x", "`ghcr.io/o/x`"),
            ("https://hub.docker.com/r/o/x", "`docker.io/o/x`"),
            ("weather", "`ghcr.io/OWNER/weather`"),
            ("Weather", "`ghcr.io/OWNER/weather`"),
            ("weather@1.2.0", "`ghcr.io/OWNER/weather:1.2.0`"),
            ("weather:1.2", "`ghcr.io/OWNER/weather:1.2`"),
            ("weather:1", "`ghcr.io/OWNER/weather:1`"),
            ("ghcr.io/o/x@1.2.0", "`ghcr.io/o/x:1.2.0`"),
            ("o/x", "`ghcr.io/o/x`"),
            ("o/x:1", "`ghcr.io/o/x:1`"),
            ("dist/weather", "`./`"),
            ("weather.wat", "`./weather.wat`"),
            ("weather.component.wat", "`./weather.component.wat`"),
            ("my_app.wat", "`./my_app.wat`"),
            ("dist/weather.wat", "`./dist/weather.wat`"),
            ("my app.wat", "`./'my app.wat'`"),
            ("WEATHER.WASM", "`./WEATHER.WASM`"),
            ("weather.tgz", "`./weather.tgz`"),
            ("weather.tar.gz", "`./weather.tar.gz`"),
            ("layout.tar", "`oci:layout.tar`"),
            ("list.toml", "`sesame extension sync list.toml`"),
            ("ghcr.io/O/x.wat", "`ghcr.io/o/x.wat`"),
            ("file:./x.wasm", "`file://` and an absolute path"),
            ("file:/abs/x.wasm", "the path alone"),
            ("s3://bucket/x", "only `https://` with `--sha256`"),
            ("ftp://example.com/x.wasm", "only `https://` with `--sha256`"),
            ("ghcr.io/o/x y", "blank"),
            ("", "is not a reference"),
            ("./", "`./NAME.wasm`"),
            ("..", "`oci:..`"),
        ] {
            let said = source(typed).expect_err(typed).to_string();
            assert!(said.contains(meant) && !said.contains("column"), "{typed}: {said}");
        }
        let said = reference("ghcr.io/o/x").expect_err("no tag").to_string();
        assert_eq!(said, "the tag is missing, as in `ghcr.io/o/x:1.0.0`");
        let said = reference("https://ghcr.io/o/x:1").expect_err("a scheme").to_string();
        assert_eq!(said, "did you mean `ghcr.io/o/x:1`?");
    }

    /// Each suggestion parses.
    #[test]
    fn suggestions_can_be_typed() {
        for typed in ["ghcr.io/O/X:1", "https://github.com/O/X", "o/x:1", "ghcr.io/o/x@1.2.0"] {
            let said = source(typed).expect_err(typed).to_string();
            let meant = said.split('`').nth(1).expect("quoted");
            assert!(source(meant).is_ok(), "{said}");
        }
    }
}
