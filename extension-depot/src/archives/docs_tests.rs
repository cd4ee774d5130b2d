//! Archives of pages, good and hostile.

use flate2::write::GzEncoder;
use proptest::prelude::*;
use tar::EntryType;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

/// Returns a header with any name, whatever a tar library would say to it.
fn header(path: &[u8], kind: EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o4777);
    header.set_cksum();
    header
}

fn entry(path: &[u8], kind: EntryType, bytes: &[u8]) -> Vec<u8> {
    let mut tar = header(path, kind, bytes.len() as u64).as_bytes().to_vec();
    tar.extend(bytes);
    tar.resize(tar.len().div_ceil(512) * 512, 0);
    tar
}

fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    gzip(&[entries.concat(), vec![0; 1024]].concat())
}

fn refusal(entries: &[Vec<u8>]) -> String {
    Docs::unpack(&archive(entries)).expect_err("refused").to_string()
}

fn page(path: &str) -> Vec<u8> {
    entry(path.as_bytes(), EntryType::Regular, b"# Page\n")
}

#[test]
fn pages_are_found_by_their_names() {
    let docs = Docs::unpack(&archive(&[
        entry(b"guide/", EntryType::Directory, b""),
        page("./guide/index.md"),
        page("z.md"),
        page("README.md"),
        entry(b"picture.png", EntryType::Regular, b"\xff\xfe"),
    ]))
    .expect("good");
    let paths: Vec<_> = docs.pages().iter().map(|page| page.path.as_str()).collect();
    assert_eq!(paths, ["README.md", "guide/index.md", "z.md"]);
    assert_eq!(docs.first().expect("one").path, "README.md");
    for (asked, found) in [
        ("z", "z.md"),
        ("z.md", "z.md"),
        ("guide", "guide/index.md"),
        ("/guide/", "guide/index.md"),
    ] {
        assert_eq!(docs.page(asked).expect(asked).path, found);
    }
    assert_eq!(docs.page("picture.png"), None);
}

#[test]
fn docs_round_trip_reproducibly() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir(directory.path().join("guide")).expect("a directory");
    for (path, text) in
        [("index.md", "# Hi"), ("guide/a.md", "b"), (".hidden.md", "x"), ("notes.txt", "x")]
    {
        fs::write(directory.path().join(path), text).expect("written");
    }
    std::os::unix::fs::symlink("/etc/passwd", directory.path().join("link.md")).expect("a link");
    let docs = Docs::read(directory.path()).expect("pages");
    let packed = docs.pack().expect("packed");
    assert_eq!(Docs::unpack(&packed).expect("unpacked"), docs);
    assert_eq!(docs.pages().len(), 2, "neither links nor what is hidden");
    assert_eq!(Docs::read(directory.path()).expect("pages").pack().expect("packed"), packed);
    let empty = tempfile::tempdir().expect("a directory");
    assert!(matches!(Docs::read(empty.path()), Err(DocsError::Empty { .. })));
}

#[test]
fn one_bad_page_refuses_all() {
    let kinds = [
        EntryType::Link,
        EntryType::Symlink,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
        EntryType::GNUSparse,
        EntryType::XGlobalHeader,
        EntryType::Continuous,
        EntryType::new(b'V'),
    ];
    let said: Vec<_> =
        kinds.iter().map(|kind| refusal(&[page("a.md"), entry(b"b.md", *kind, b"")])).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    the documentation has `b.md`, which is a hard link; only pages and directories can be in it
    the documentation has `b.md`, which is a symbolic link; only pages and directories can be in it
    the documentation has `b.md`, which is a device; only pages and directories can be in it
    the documentation has `b.md`, which is a device; only pages and directories can be in it
    the documentation has `b.md`, which is a pipe; only pages and directories can be in it
    the documentation is not a gzipped tar
    the documentation has `b.md`, which is a header for all entries; only pages and directories can be in it
    the documentation has `b.md`, which is of an unknown kind; only pages and directories can be in it
    the documentation has `b.md`, which is of an unknown kind; only pages and directories can be in it
    "#);
    let xattr = b"25 SCHILY.xattr.user.a=b\n";
    assert!(
        refusal(&[entry(b"x", EntryType::XHeader, xattr), page("a.md")]).contains("attributes")
    );
}

/// Paths that lead elsewhere or look alike are refused.
#[test]
fn misleading_paths_are_refused() {
    let mut said = Vec::new();
    for path in [
        "../a.md",
        "a/../../b.md",
        "/etc/a.md",
        "a//b.md",
        "a/./b.md",
        "C:a.md",
        "a\\b.md",
        "a\u{202e}b.md",
        "a\u{1b}[0m.md",
        "..",
        "a/..",
    ] {
        said.push(refusal(&[page(path)]));
    }
    said.push(refusal(&[entry(b"\xff.md", EntryType::Regular, b"")]));
    said.push(refusal(&[page("A.md"), page("a.md")]));
    said.push(refusal(&[page("\u{e9}.md"), page("e\u{301}.md")]));
    said.push(refusal(&[page("a.md"), page("a.md")]));
    said.push(refusal(&[entry(b"a.md", EntryType::Regular, b"\xff")]));
    insta::assert_snapshot!(said.join("\n"), @r#"
    the documentation has a page `../a.md`, whose path leads out of the archive
    the documentation has a page `a/../../b.md`, whose path leads out of the archive
    the documentation has a page `/etc/a.md`, whose path begins at the root
    the documentation has a page `a//b.md`, whose path has an empty part
    the documentation has a page `a/./b.md`, whose path has an empty part
    the documentation has a page `C:a.md`, whose path means something else on other systems
    the documentation has a page `a\\b.md`, whose path means something else on other systems
    the documentation has a page `a\u{202e}b.md`, whose path has characters that cannot be seen
    the documentation has a page `a\u{1b}[0m.md`, whose path has characters that cannot be seen
    the documentation has a page `..`, whose path leads out of the archive
    the documentation has a page `a/..`, whose path leads out of the archive
    the documentation has a page `\\xff.md`, whose path is not UTF-8 text
    the documentation has a page `a.md`, whose path is that of another page, or looks like it
    the documentation has a page `é.md`, whose path is that of another page, or looks like it
    the documentation has a page `a.md`, whose path is that of another page, or looks like it
    the page `a.md` of the documentation is not UTF-8 text
    "#);
}

/// Returns a record of a PAX header: its length, a key and a value.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let length = (1..)
        .find(|length| length.to_string().len() + rest.len() == *length)
        .expect("there is one");
    format!("{length}{rest}").into_bytes()
}

/// Headers of other tars say nothing that is believed blindly.
#[test]
fn other_tar_headers_are_checked() {
    let long = format!("{}/a.md", "d".repeat(150));
    let gnu = entry(b"././@LongLink", EntryType::GNULongName, format!("{long}\0").as_bytes());
    let docs = Docs::unpack(&archive(&[gnu, page("short.md")])).expect("a long name");
    assert_eq!(docs.pages()[0].path, long);
    let out = entry(b"././@LongLink", EntryType::GNULongName, b"../../out.md\0");
    assert!(refusal(&[out, page("short.md")]).contains("leads out of the archive"));

    let pax = |key: &str, value: &str| entry(b"pax", EntryType::XHeader, &record(key, value));
    let docs = Docs::unpack(&archive(&[pax("path", "other.md"), page("a.md")])).expect("a path");
    assert_eq!(docs.pages()[0].path, "other.md");
    for path in ["../x.md", "/etc/x.md", "a\u{202e}.md", "a//b.md"] {
        assert!(Docs::unpack(&archive(&[pax("path", path), page("a.md")])).is_err(), "{path}");
    }
    // A size of its own hides a second entry inside of the first from those who believe the header
    // (RUSTSEC-2025-0111).
    let outer = entry(b"outer.md", EntryType::Regular, &page("hidden.md"));
    for size in ["0", "1", "512", "-1", "99999999999999999999", "18446744073709551615", "x"] {
        let docs = Docs::unpack(&archive(&[pax("size", size), outer.clone()]));
        assert!(docs.is_err(), "{size}: {docs:?}");
    }
    assert!(
        Docs::unpack(&archive(&[pax("size", "7"), page("a.md")])).is_ok(),
        "the same size twice"
    );
    assert!(Docs::unpack(&archive(&[pax("GNU.sparse.major", "1"), page("a.md")])).is_err());

    // The oldest form has no magic word; what lies behind the end is not read.
    let mut old = header(b"old.md", EntryType::Regular, 2);
    old.as_mut_bytes()[257..265].fill(0);
    old.set_cksum();
    let old = [old.as_bytes().as_slice(), b"# ", &[0; 510]].concat();
    assert_eq!(Docs::unpack(&archive(&[old])).expect("an old form").pages()[0].path, "old.md");
    let behind = [page("a.md"), vec![0; 1024], page("../b.md")];
    assert_eq!(Docs::unpack(&archive(&behind)).expect("an end").pages().len(), 1);
    assert!(Docs::unpack(&gzip(&page("a.md"))).is_ok(), "without an end, as some write it");
    let mut damaged = page("a.md");
    damaged[0] ^= 1;
    assert!(Docs::unpack(&archive(&[damaged])).is_err(), "a checksum that is wrong");
}

#[test]
fn bombs_are_stopped_at_the_caps() {
    let zeros = gzip(&vec![0; 64 << 20]);
    assert!(zeros.len() < 1 << 20);
    insta::assert_snapshot!(Docs::unpack(&zeros).expect_err("too large"), @"the documentation is too large: more than 16 MiB");
    let members = [gzip(&vec![0; 9 << 20]), gzip(&vec![0; 9 << 20])].concat();
    assert!(
        matches!(Docs::unpack(&members), Err(DocsError::TooLarge { .. })),
        "several members count together"
    );
    let many: Vec<_> = (0..=MAX_ENTRIES).map(|n| page(&format!("{n}.md"))).collect();
    insta::assert_snapshot!(refusal(&many), @"the documentation is too large: more than 2000 entries");
    insta::assert_snapshot!(refusal(&[entry(b"a.md", EntryType::Regular, &vec![b'a'; (1 << 20) + 1])]), @"the documentation is too large: `a.md` has more than 1 MiB");
    assert_eq!(clean_path(&"a/".repeat(101)), Err("is too long"));
    let nested = archive(&[entry(b"a.md", EntryType::Regular, &archive(&[page("b.md")]))]);
    assert!(matches!(Docs::unpack(&nested), Err(DocsError::Text { .. })), "an archive is no page");
}

/// An archive that was cut is refused at every length.
#[test]
fn cut_archive_is_refused() {
    let whole = Docs { pages: vec![Page { path: "a.md".to_owned(), text: "text ".repeat(100) }] }
        .pack()
        .expect("packed");
    for length in 0..whole.len() {
        assert!(Docs::unpack(&whole[..length]).is_err(), "{length} of {}", whole.len());
    }
    let size = header(b"a.md", EntryType::Regular, u64::MAX >> 2);
    assert!(
        Docs::unpack(&archive(&[size.as_bytes().to_vec()])).is_err(),
        "a size that is not there"
    );
}

/// What may come into an archive, at random.
fn any_entry() -> impl Strategy<Value = (String, bool)> {
    ("([ab.]{1,3}/){0,3}[abA.]{1,3}(\\.md)?", proptest::bool::weighted(0.2))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn docs_match_a_model(entries in proptest::collection::vec(any_entry(), 1..6)) {
        let is_clean = |path: &str| path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        let mut seen = std::collections::HashSet::new();
        let clean = |path: &str| path.strip_prefix("./").unwrap_or(path).to_owned();
        let files = entries.iter().filter(|(path, is_directory)| !is_directory && clean(path) != ".");
        let is_good = entries.iter().all(|(path, _)| is_clean(&clean(path)) || clean(path) == ".")
            && files.clone().all(|(path, _)| seen.insert(clean(path).to_lowercase()));
        let packed = entries.iter().map(|(path, is_directory)| {
            let kind = if *is_directory { EntryType::Directory } else { EntryType::Regular };
            entry(path.as_bytes(), kind, if *is_directory { b"" } else { b"# Page\n" })
        });
        let taken = Docs::unpack(&archive(&packed.collect::<Vec<_>>()));
        prop_assert_eq!(taken.is_ok(), is_good, "{:?}: {:?}", entries, taken);
        let pages = files.map(|(path, _)| clean(path)).filter(|path| path.ends_with(".md"));
        let expected: std::collections::BTreeSet<_> = pages.collect();
        if let Ok(docs) = taken {
            let found: std::collections::BTreeSet<_> = docs.pages().iter().map(|page| page.path.clone()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = Docs::unpack(&bytes);
        let _ = Docs::unpack(&gzip(&bytes));
    }

    #[test]
    fn docs_paths_stay_below_root(paths in proptest::collection::vec("[aA./\\\\é~:]{1,12}(\\.md)?", 1..8)) {
        let entries: Vec<_> = paths.iter().map(|path| page(path)).collect();
        if let Ok(docs) = Docs::unpack(&archive(&entries)) {
            for page in docs.pages() {
                let joined = Path::new("/root").join(&page.path);
                prop_assert!(joined.starts_with("/root/") && !page.path.split('/').any(|part| part == ".."), "{page:?}");
            }
        }
    }
}
