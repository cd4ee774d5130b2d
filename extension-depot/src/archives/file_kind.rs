//! What bytes are, by how they begin and by their media type.

use crate::oci::descriptor::MAX_BLOB;

/// The most bytes of a layer when it is unpacked: twice the largest binary.
pub(crate) const MAX_UNPACKED: u64 = 2 * MAX_BLOB;
/// The size in bytes of a tar that has nothing in it: the two blocks at its end. The header of a
/// file is a third one.
pub(crate) const EMPTY_TAR: u64 = 1024;
/// The most bytes of a layer without files, packed or not: two thousand directories, or the padding
/// of any tool. A larger one counts as one with files, and is not read for this.
pub(crate) const MAX_EMPTY: u64 = 1 << 20;

/// What bytes are, by how they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Wasm,
    Gzip,
    Zstd,
    Tar,
    Other,
}

impl Kind {
    pub(crate) fn of(head: &[u8]) -> Self {
        // Where a tar has the name of its format, behind the first name, mode, owner, size, time,
        // sum and link.
        const USTAR: usize = 257;
        match head {
            [0, b'a', b's', b'm', ..] => Self::Wasm,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A frame that is to be skipped, which the tools that seek in layers begin with.
            [first, 0x2a, 0x4d, 0x18, ..] if *first >> 4 == 5 => Self::Zstd,
            head if head.get(USTAR..).is_some_and(|rest| rest.starts_with(b"ustar")) => Self::Tar,
            _ => Self::Other,
        }
    }
}

/// Returns whether a media type says that it is a tar, such as those of the layers of containers,
/// packed or not.
pub(crate) fn is_tar_type(media_type: &str) -> bool {
    let last =
        media_type.rsplit('.').find(|word| !matches!(*word, "gzip" | "zstd")).unwrap_or_default();
    matches!(last, "tar" | "tar+gzip" | "tar+zstd")
}

/// Returns whether a layer is a tar with files in it, by its media type and size alone. A smaller
/// one can have directories only.
pub(crate) fn is_filled_tar(media_type: &str, size: u64) -> bool {
    is_tar_type(media_type) && size > MAX_EMPTY
}

/// What bytes are that are not WebAssembly, by how they begin.
pub(crate) fn describe(head: &[u8]) -> String {
    let known = [
        (b"\x7fELF".as_slice(), "a native program"),
        (b"PK\x03\x04", "a zip archive"),
        (b"%PDF", "a PDF document"),
        (b"\x89PNG", "a picture"),
        (b"#!", "a script"),
        (b"{", "JSON"),
        (b"<", "HTML or XML"),
    ];
    let found = known.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, what)| *what);
    let is_text = |text: &str| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    // The head can end in the middle of a character.
    let text = std::str::from_utf8(head)
        .or_else(|error| std::str::from_utf8(&head[..error.valid_up_to()]));
    match found {
        Some(what) => what.to_owned(),
        None if head.is_empty() => "an empty file".to_owned(),
        None if text.is_ok_and(|text| !text.is_empty() && is_text(text)) => "text".to_owned(),
        None => format!("data that starts with `{}`", head[..head.len().min(8)].escape_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_described_by_start() {
        for (head, expected) in [
            (b"\x7fELF\x02".as_slice(), "a native program"),
            (b"# Read me\n", "text"),
            ("ä".repeat(300).as_bytes().get(..511).expect("half a letter"), "text"),
            (b"{\"a\":1}", "JSON"),
            (b"", "an empty file"),
            (b"\xff\x00\x1b[31m", "data that starts with `\\xff\\x00\\x1b[31m`"),
        ] {
            assert_eq!(describe(head), expected);
        }
    }

    /// A small tar, packed or not, can have directories only.
    #[test]
    fn large_tars_are_filled() {
        for media_type in [
            "application/vnd.oci.image.layer.v1.tar",
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ] {
            let is_filled = |size| is_filled_tar(media_type, size);
            assert_eq!((is_filled(MAX_EMPTY), is_filled(MAX_EMPTY + 1)), (false, true));
        }
        assert!(!is_filled_tar("application/wasm", MAX_BLOB));
    }
}
