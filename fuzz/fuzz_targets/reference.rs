//! References, names and digests: each that parses prints as it was, and has a path of its own.
#![no_main]

use core_types::{Digest, ExtensionName, OciPrefix, OciQuery, OciReference};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(reference) = text.parse::<OciReference>() {
        let written = reference.to_string();
        assert_eq!(
            written.parse::<OciReference>().as_ref(),
            Ok(&reference),
            "{text:?} is written as {written:?}"
        );
        assert!(
            !reference
                .repository()
                .split('/')
                .any(|part| part.is_empty() || part == "." || part == "..")
        );
        let _ = (reference.pinned_digest(), reference.default_name(), reference.identity());
    }
    if let Ok(name) = text.parse::<ExtensionName>() {
        assert!(
            name.as_str() == text && !text.contains(['/', '.', '\\', '\0']) && text.len() <= 64
        );
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
    }
    let _ = (text.parse::<OciPrefix>(), text.parse::<OciQuery>());
});
