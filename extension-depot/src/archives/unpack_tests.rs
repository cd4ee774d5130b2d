//! Layers that have a binary, and those that have none, too much, or something misleading.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tar::EntryType;

const WASM: &[u8] = b"\0asm\x01\0\0\0";
const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

/// One Zstandard frame of raw blocks.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut frame = b"\x28\xb5\x2f\xfd\xa0".to_vec();
    frame.extend(u32::try_from(bytes.len()).expect("short").to_le_bytes());
    let blocks: Vec<_> = bytes.chunks(100_000).collect();
    for (at, block) in blocks.iter().enumerate() {
        let header =
            u32::try_from(block.len() << 3).expect("short") | u32::from(at + 1 == blocks.len());
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(*block);
    }
    frame
}

/// Adds an entry whose path is written as it is.
fn add(tar: &mut tar::Builder<Vec<u8>>, path: &str, kind: EntryType, bytes: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    tar.append(&header, bytes).expect("in memory");
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        add(&mut tar, path, EntryType::Regular, bytes);
    }
    tar.into_inner().expect("in memory")
}

fn unpacked(media_type: &str, bytes: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    let mut sink = Vec::new();
    let found =
        unpack(file.path(), &Descriptor::of(media_type, bytes), "a container image", &mut sink)?;
    assert_eq!(
        found,
        Unpacked { digest: crate::oci::blob::digest_of(&sink), size: sink.len() as u64 }
    );
    Ok(sink)
}

/// Returns the refusal of a layer, without its digest.
fn refusal(bytes: &[u8]) -> String {
    let error = unpacked(TAR, bytes).expect_err("refused");
    error.to_string().replace(&crate::oci::blob::digest_of(bytes).to_string(), "DIGEST")
}

#[test]
fn every_packing_gives_the_binary() {
    let tar = tar_of(&[("etc/", b""), ("README.md", b"# x"), ("./app/plugin.wasm", WASM)]);
    let forms =
        [tar.clone(), gzip(&tar), zstd(&tar), [gzip(&tar[..600]), gzip(&tar[600..])].concat()];
    for form in forms {
        assert_eq!(unpacked(TAR, &form).expect("packed"), WASM);
    }
    for form in [gzip(WASM), zstd(WASM)] {
        assert_eq!(unpacked("application/wasm+gzip", &form).expect("packed"), WASM);
    }
    let large = [WASM, &vec![7; 300_000]].concat();
    assert_eq!(unpacked(TAR, &zstd(&tar_of(&[("x", &large)]))).expect("packed"), large);
}

#[test]
fn exactly_one_binary_is_taken() {
    insta::assert_snapshot!(refusal(&tar_of(&[("a.wasm", WASM), ("b/c", WASM)])), @"not an extension: its layer has several WebAssembly files, `a.wasm`, `b/c`; one is expected");
    insta::assert_snapshot!(refusal(&gzip(&tar_of(&[("bin/sh", b"\x7fELF")]))), @"not an extension: it is a container image without WebAssembly (layer `application/vnd.oci.image.layer.v1.tar`)");
    insta::assert_snapshot!(refusal(&gzip(&[0; 1024])), @"not an extension: it is a container image without WebAssembly (layer `application/vnd.oci.image.layer.v1.tar`)");
    insta::assert_snapshot!(refusal(&gzip(&gzip(WASM))), @"not an extension: it is an archive in an archive without WebAssembly (layer `application/vnd.oci.image.layer.v1.tar`)");
    let text = unpacked("application/gzip", &gzip(b"just text")).expect_err("text");
    insta::assert_snapshot!(text, @"not an extension: it is text in an archive without WebAssembly (layer `application/gzip`)");
}

#[test]
fn misleading_entries_are_refused() {
    let with = |path: &str, kind, bytes: &[u8]| {
        let mut tar = tar::Builder::new(Vec::new());
        add(&mut tar, path, kind, bytes);
        add(&mut tar, "plugin.wasm", EntryType::Regular, WASM);
        refusal(&tar.into_inner().expect("in memory"))
    };
    insta::assert_snapshot!(with("link", EntryType::Symlink, b""), @"the layer DIGEST has `link`, which is a symbolic link; only regular files and directories are accepted");
    for kind in
        [EntryType::Link, EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::new(b'Z')]
    {
        assert!(with("x", kind, b"").contains("only regular files and directories"), "{kind:?}");
    }
    insta::assert_snapshot!(with("../x", EntryType::Regular, b""), @"the layer DIGEST has a file `../x`, whose path leads out of the archive");
    for path in ["/etc/passwd", "a\\b", "a/../../b", "C:x", "a\u{1b}[2J", "a//b", "Plugin.wasm"] {
        assert!(with(path, EntryType::Regular, b"").contains("whose path"), "{path}");
    }
    // An image of another kind has links, which are not its problem.
    let mut tar = tar::Builder::new(Vec::new());
    add(&mut tar, "bin", EntryType::Symlink, b"");
    assert!(refusal(&tar.into_inner().expect("in memory")).contains("without WebAssembly"));
}

#[test]
fn caps_end_what_is_too_large() {
    let zeros = vec![0; 3 << 20];
    for bomb in
        [gzip(&tar_of(&[("zeros", &zeros), ("a.wasm", WASM)])), gzip(&[WASM, &zeros].concat())]
    {
        let refusal = refusal(&bomb);
        let expected = format!(
            "the layer DIGEST is too large when unpacked: more than {SMALL} bytes, of {}",
            bomb.len()
        );
        assert_eq!(refusal, expected);
    }
    let many: Vec<_> = (0..=MAX_ENTRIES).map(|at| format!("{at}")).collect();
    let files: Vec<_> = many.iter().map(|path| (path.as_str(), b"".as_slice())).collect();
    insta::assert_snapshot!(refusal(&tar_of(&files)), @"the layer DIGEST is too large when unpacked: more than 10000 entries");
}

#[test]
fn damage_is_an_error_anywhere() {
    let tar = tar_of(&[("a.wasm", &[WASM, &[1; 2000]].concat())]);
    for form in [tar.clone(), gzip(&tar), zstd(&tar)] {
        let cut = &form[..form.len().min(tar.len() - 1024) / 2];
        assert!(
            matches!(unpacked(TAR, cut), Err(UnpackError::Archive { .. })),
            "{} of {}",
            cut.len(),
            form.len()
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_when_unpacked(bytes: Vec<u8>, at in 0..2048usize, with: u8) {
        let _ = unpacked(TAR, &bytes);
        let tar = tar_of(&[("a", b"x"), ("a.wasm", WASM)]);
        for mut form in [tar.clone(), gzip(&tar), zstd(&tar)] {
            let at = at % form.len();
            form[at] = with;
            let _ = unpacked(TAR, &form);
        }
    }
}
