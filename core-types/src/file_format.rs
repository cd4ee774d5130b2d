//! Recognizes files that are not WebAssembly binaries by their first bytes.

/// The first bytes of a text that are looked at: a licence has some 12 KiB, and stands as a comment
/// in front of the word that tells the kind.
const MAX_BEGINNING: usize = 64 * 1024;
/// Where the format of an archive of `tar` stands.
const TAR_MAGIC: std::ops::Range<usize> = 257..262;

/// Formats by their first bytes. Longer beginnings stand before shorter ones that they begin with.
const FORMATS: &[(&[u8], &str)] = &[
    (b"\x7fELF", "a native program or library (ELF)"),
    (b"MZ", "a native program or library (Windows)"),
    (b"\xcf\xfa\xed\xfe", "a native program or library (macOS)"),
    (b"\xca\xfe\xba\xbe", "a Java class or a native program (macOS)"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
    (b"\xfd7zXZ", "compressed with xz; unpack it first"),
    (b"BZh", "compressed with bzip2; unpack it first"),
    (b"PK\x03\x04", "a zip archive; unpack it first"),
    (b"BC\xc0\xde", "LLVM bitcode, not linked to a WebAssembly binary"),
    (b"!<arch>", "a static library; link it to a WebAssembly binary"),
    (b"%PDF", "a PDF document"),
    (b"#!", "a script"),
    (
        b"version https://git-lfs",
        "a Git LFS pointer; fetch the file that it stands for with `git lfs pull`",
    ),
];

/// The first words of the text form of WebAssembly, behind a bracket.
const WASM_WORDS: [&str; 2] = ["module", "component"];

/// The marks of a comment up to the end of its line: of the text form, and of WIT and most
/// programming languages.
const LINE_COMMENTS: [&str; 2] = [";;", "//"];

/// The marks around a comment of several lines, of the same languages. Such comments nest in both
/// the text form and WIT.
const BLOCK_COMMENTS: [(&str, &str); 2] = [("(;", ";)"), ("/*", "*/")];

/// Texts by how they begin, in lower case, after white space and comments.
const TEXTS: &[(&str, &str)] = &[
    ("<!doctype html", HTML),
    ("<html", HTML),
    ("<?xml", "XML"),
    ("{", "JSON text"),
    ("package ", "a text in WIT or a programming language; build it first"),
    ("world ", WIT_TEXT),
    ("interface ", WIT_TEXT),
];

const WASM_TEXT: &str = "WebAssembly in its text form; make a binary of it with `wasm-tools parse`";
const HTML: &str = "an HTML page, such as of a login or an error";
const WIT_TEXT: &str = "WIT text, which only describes interfaces";

/// Says what bytes are that are neither a component nor a module: `a native program or library
/// (ELF)`.
///
/// ```
/// assert_eq!(core_types::describe_format(b"#!/bin/sh"), "a script");
/// ```
pub fn describe_format(bytes: &[u8]) -> String {
    match bytes {
        [] => "empty".to_owned(),
        [b'\0', b'a', b's', b'm', rest @ ..] => describe_wasm(rest),
        // Wasmtime gives its own code a system that no other program has.
        [0x7f, b'E', b'L', b'F', _, _, _, 200, ..] => {
            "code that Wasmtime compiled; install the `.wasm` file that it was made of".to_owned()
        }
        _ => known_format(bytes).map_or_else(|| unknown_format(bytes), str::to_owned),
    }
}

/// Describes a binary that begins as WebAssembly does and has another version. Of its four bytes
/// the first two are a version and the last two a layer: 0 for modules, 1 for components.
fn describe_wasm(rest: &[u8]) -> String {
    match rest {
        [version, 0, 1, 0, ..] if *version < 0x0d => {
            format!(
                "a component made for a draft of the component model (version {version:#04x}); build it again with current tools"
            )
        }
        [version, 0, 1, 0, ..] => {
            format!("a component of a newer version ({version:#04x}) than this sesame knows")
        }
        [1, 0, 0, 0, ..] => "a WebAssembly module".to_owned(),
        [version, 0, 0, 0, ..] => {
            format!("a WebAssembly module of version {version}, and there is only version 1")
        }
        [_, _, layer, other, ..] => {
            format!("WebAssembly of an unknown layer ({layer:#04x} {other:#04x})")
        }
        _ => "only the beginning of a WebAssembly binary; it was cut short".to_owned(),
    }
}

fn known_format(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(TAR_MAGIC) == Some(b"ustar") {
        return Some("a tar archive; unpack it first");
    }
    let format = FORMATS.iter().find(|(beginning, _)| bytes.starts_with(beginning));
    format.map(|(_, format)| *format).or_else(|| known_text(bytes))
}

fn known_text(bytes: &[u8]) -> Option<&'static str> {
    let beginning = &bytes[..bytes.len().min(MAX_BEGINNING)];
    let text = String::from_utf8_lossy(beginning).to_ascii_lowercase();
    let rest = behind_comments(text.trim_start_matches('\u{feff}'))?;
    if is_wasm_text(rest) {
        return Some(WASM_TEXT);
    }
    TEXTS.iter().find(|(beginning, _)| rest.starts_with(beginning)).map(|(_, format)| *format)
}

/// Returns whether a text is a bracket and a word of WebAssembly, with blanks and comments between
/// them or not.
fn is_wasm_text(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('(').and_then(behind_comments) else { return false };
    let ends =
        |rest: &str| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n', '(', ')', ';']);
    WASM_WORDS.iter().any(|word| inner.strip_prefix(word).is_some_and(ends))
}

/// Returns the text behind the blanks and comments at its start. Nothing where a comment does not
/// end.
fn behind_comments(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    loop {
        if LINE_COMMENTS.iter().any(|mark| rest.starts_with(mark)) {
            rest = rest.split_once(['\n', '\r'])?.1;
        } else if let Some(marks) = BLOCK_COMMENTS.iter().find(|marks| rest.starts_with(marks.0)) {
            rest = behind_block(rest, *marks)?;
        } else {
            return Some(rest);
        }
        rest = rest.trim_start();
    }
}

/// Returns the text behind the comment at its start. Each comment within it has to end as well.
fn behind_block<'a>(text: &'a str, (open, close): (&str, &str)) -> Option<&'a str> {
    let (mut rest, mut depth) = (text.strip_prefix(open)?, 1_usize);
    while depth > 0 {
        if let Some(inner) = rest.strip_prefix(open) {
            (rest, depth) = (inner, depth + 1);
        } else if let Some(outer) = rest.strip_prefix(close) {
            (rest, depth) = (outer, depth - 1);
        } else {
            rest = &rest[rest.chars().next()?.len_utf8()..];
        }
    }
    Some(rest)
}

fn unknown_format(bytes: &[u8]) -> String {
    format!("something that begins with `{}`", bytes[..bytes.len().min(16)].escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_named() {
        let mut tar = [0; 512];
        tar[TAR_MAGIC].copy_from_slice(b"ustar");
        for (bytes, expected) in [
            (&b""[..], "empty"),
            (b"\x7fELF\x02\x01\x01\0", "a native program or library (ELF)"),
            (
                b"\x7fELF\x02\x01\x01\xc8",
                "code that Wasmtime compiled; install the `.wasm` file that it was made of",
            ),
            (b"\x1f\x8b\x08", "compressed with gzip; unpack it first"),
            (b"PK\x03\x04", "a zip archive; unpack it first"),
            (&tar, "a tar archive; unpack it first"),
            (b";; a comment\n  (module)", WASM_TEXT),
            (b"\xef\xbb\xbf(component)", WASM_TEXT),
            (b"<!DOCTYPE html><title>login", HTML),
            (b"\n{\"errors\": []}", "JSON text"),
            (b"world x {}", WIT_TEXT),
            (b"hello", "something that begins with `hello`"),
            (b";; only a comment", "something that begins with `;; only a commen`"),
        ] {
            assert_eq!(describe_format(bytes), expected);
        }
    }

    /// The text form is found behind blanks and both kinds of comments, wherever they stand.
    #[test]
    fn wasm_text_behind_comments_is_named() {
        let licence = format!(";; {}\n(module)", "x".repeat(2_000));
        for text in [
            "( module )",
            "(\n\tmodule $m",
            "(module",
            "(module(func))",
            "(; comment ;)\n(module",
            "  \n\t;; comment\n(component",
            "(; one (; two (;;) ;) three ;)( (;;) ;; four\r\n component)",
            "(; é ;)(module)",
            &licence,
        ] {
            assert_eq!(describe_format(text.as_bytes()), WASM_TEXT, "{text}");
        }
        let wit = "package ";
        for text in ["// a\n/* b /* c */ */ package x:y;", "/**/package x:y;"] {
            let expected = TEXTS.iter().find(|(word, _)| *word == wit).expect("a text").1;
            assert_eq!(describe_format(text.as_bytes()), expected, "{text}");
        }
    }

    /// Other words in brackets, and comments that do not end, are not the text form.
    #[test]
    fn other_brackets_are_not_wasm_text() {
        let endless = format!("(;{}", "(;".repeat(MAX_BEGINNING));
        let beyond = format!(";;{}\n(module)", " ".repeat(MAX_BEGINNING));
        for text in [
            "(modules)",
            "(define x)",
            "(;module",
            "(; (; ;) (module)",
            "(;;module)",
            &endless,
            &beyond,
        ] {
            let described = describe_format(text.as_bytes());
            assert!(described.starts_with("something that begins with"), "{text}: {described}");
        }
    }

    #[test]
    fn other_versions_of_wasm_are_named() {
        for (rest, expected) in [
            (
                &b"\x0a\0\x01\0"[..],
                "a component made for a draft of the component model (version 0x0a); build it again with current tools",
            ),
            (b"\x0e\0\x01\0", "a component of a newer version (0x0e) than this sesame knows"),
            (b"\x02\0\0\0", "a WebAssembly module of version 2, and there is only version 1"),
            (b"\x0d\0\x02\0", "WebAssembly of an unknown layer (0x02 0x00)"),
            (b"\x01\0", "only the beginning of a WebAssembly binary; it was cut short"),
            (b"", "only the beginning of a WebAssembly binary; it was cut short"),
        ] {
            assert_eq!(describe_format(&[b"\0asm", rest].concat()), expected);
        }
    }
}
