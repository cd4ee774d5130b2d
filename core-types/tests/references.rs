//! The grammar of references, row by row: what each text means, or what is wrong with it and where.

use core_types::{OciReference, ReferenceProblem};
use proptest::prelude::*;

/// Text, registry, principal, scope, revision, provenance.
type Valid =
    (&'static str, &'static str, &'static str, &'static str, &'static str, Option<&'static str>);

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[rustfmt::skip]
const VALID: &[Valid] = &[
    ("ghcr.io/my-org/greeting-extension:0.1.0", "ghcr.io", "my-org", "greeting-extension", "0.1.0", None),
    ("ghcr.io/my-org/greeting-extension:0.1.0@sha256:abcdef1234567890", "ghcr.io", "my-org", "greeting-extension", "0.1.0", Some("sha256:abcdef1234567890")),
    ("ghcr.io/suffiks/examples/wasi/ingress-as:v0.0.5", "ghcr.io", "suffiks", "examples/wasi/ingress-as", "v0.0.5", None),
    ("oci://ghcr.io/my-org/x:1", "ghcr.io", "my-org", "x", "1", None),
    ("localhost/a/b:1", "localhost", "a", "b", "1", None),
    ("localhost:5000/a/b:1", "localhost:5000", "a", "b", "1", None),
    ("127.0.0.1:5000/a/b:1", "127.0.0.1:5000", "a", "b", "1", None),
    ("127.0.0.1/a/b:1", "127.0.0.1", "a", "b", "1", None),
    ("[::1]:5000/a/b:1", "[::1]:5000", "a", "b", "1", None),
    ("[2001:db8::1]/a/b:1", "[2001:db8::1]", "a", "b", "1", None),
    ("GHCR.IO/a/b:1", "GHCR.IO", "a", "b", "1", None),
    ("registry-1.docker.io/a/b:1", "registry-1.docker.io", "a", "b", "1", None),
    ("xn--bcher-kva.example/a/b:1", "xn--bcher-kva.example", "a", "b", "1", None),
    ("r:1/a/b:1", "r:1", "a", "b", "1", None),
    ("r:65535/a/b:1", "r:65535", "a", "b", "1", None),
    ("r/a.b/c:1", "r", "a.b", "c", "1", None),
    ("r/a_b/c__d:1", "r", "a_b", "c__d", "1", None),
    ("r/a-b/c---d:1", "r", "a-b", "c---d", "1", None),
    ("r/0/1:2", "r", "0", "1", "2", None),
    ("registry.example/one:1.0.0", "registry.example", "", "one", "1.0.0", None),
    ("localhost:5000/one:1", "localhost:5000", "", "one", "1", None),
    ("localhost:5000/one:1@sha256:00", "localhost:5000", "", "one", "1", Some("sha256:00")),
    ("oci://[::1]:5000/one:1", "[::1]:5000", "", "one", "1", None),
    ("local:5000/one:1", "local:5000", "", "one", "1", None),
    ("r/a/b/c/d/e/f/g/h:1", "r", "a", "b/c/d/e/f/g/h", "1", None),
    ("r/a/b:latest", "r", "a", "b", "latest", None),
    ("r/a/b:V1_2.3-rc.1", "r", "a", "b", "V1_2.3-rc.1", None),
    ("r/a/b:_", "r", "a", "b", "_", None),
    ("r/a/b:1.2.3_build.5", "r", "a", "b", "1.2.3_build.5", None),
    ("r/a/b:sha256-e3b0c442.sig", "r", "a", "b", "sha256-e3b0c442.sig", None),
    ("r/a/b:1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "r", "a", "b", "1", Some(DIGEST)),
    ("r/a/b:1@sha512:00", "r", "a", "b", "1", Some("sha512:00")),
    ("r/a/b:1@sha256+b64:0a", "r", "a", "b", "1", Some("sha256+b64:0a")),
    ("r/a/b:1@multihash.x_y-z:ff", "r", "a", "b", "1", Some("multihash.x_y-z:ff")),
    ("local/file/greeting:0.1.0", "local", "file", "greeting", "0.1.0", None),
];

/// Text, byte at which it goes wrong, problem.
type Invalid = (&'static str, usize, ReferenceProblem);

#[rustfmt::skip]
const INVALID: &[Invalid] = &[
    ("", 0, ReferenceProblem::Empty),
    ("oci://", 6, ReferenceProblem::Empty),
    ("/a/b:1", 0, ReferenceProblem::Registry),
    ("https://ghcr.io/a/b:1", 0, ReferenceProblem::Scheme),
    ("docker://ghcr.io/a/b:1", 0, ReferenceProblem::Scheme),
    ("oci:///a/b:1", 6, ReferenceProblem::Registry),
    ("gh cr.io/a/b:1", 2, ReferenceProblem::Registry),
    ("ghcr..io/a/b:1", 5, ReferenceProblem::Registry),
    (".ghcr.io/a/b:1", 0, ReferenceProblem::Registry),
    ("ghcr.io./a/b:1", 8, ReferenceProblem::Registry),
    ("-ghcr.io/a/b:1", 0, ReferenceProblem::Registry),
    ("ghcr-.io/a/b:1", 4, ReferenceProblem::Registry),
    ("user@ghcr.io/a/b:1", 4, ReferenceProblem::Registry),
    ("ghcr.io@evil/a/b:1", 7, ReferenceProblem::Registry),
    ("gh_cr.io/a/b:1", 2, ReferenceProblem::Registry),
    ("ɡhcr.io/a/b:1", 0, ReferenceProblem::Registry),
    ("bücher.example/a/b:1", 1, ReferenceProblem::Registry),
    ("[::1/a/b:1", 1, ReferenceProblem::Registry),
    ("[127.0.0.1]/a/b:1", 1, ReferenceProblem::Registry),
    ("[::1]x/a/b:1", 5, ReferenceProblem::Registry),
    ("::1/a/b:1", 0, ReferenceProblem::Registry),
    ("r:/a/b:1", 2, ReferenceProblem::Port),
    ("r:0/a/b:1", 2, ReferenceProblem::Port),
    ("r:65536/a/b:1", 2, ReferenceProblem::Port),
    ("r:+80/a/b:1", 2, ReferenceProblem::Port),
    ("r:8080x/a/b:1", 2, ReferenceProblem::Port),
    ("ghcr.io", 7, ReferenceProblem::MissingPrincipal),
    ("greeting-extension:1", 20, ReferenceProblem::MissingPrincipal),
    ("ghcr.io/", 8, ReferenceProblem::Component),
    ("ghcr.io/my-org", 14, ReferenceProblem::MissingRevision),
    ("my-org/weather:1", 0, ReferenceProblem::MissingRegistry),
    ("oci://my-org/weather:1", 0, ReferenceProblem::MissingRegistry),
    ("my-org/weather", 0, ReferenceProblem::MissingRegistry),
    ("local/x:1", 7, ReferenceProblem::MissingScope),
    ("LOCAL/file:1", 10, ReferenceProblem::MissingScope),
    ("embedded/x:1", 10, ReferenceProblem::MissingScope),
    ("ghcr.io/my-org/", 15, ReferenceProblem::Component),
    ("r//b:1", 2, ReferenceProblem::Component),
    ("r/a//b:1", 4, ReferenceProblem::Component),
    ("r/A/b:1", 2, ReferenceProblem::Component),
    ("r/a/B:1", 4, ReferenceProblem::Component),
    ("r/a/bC:1", 5, ReferenceProblem::Component),
    ("r/-a/b:1", 2, ReferenceProblem::Component),
    ("r/a-/b:1", 4, ReferenceProblem::Component),
    ("r/a/b..c:1", 6, ReferenceProblem::Component),
    ("r/a/b___c:1", 7, ReferenceProblem::Component),
    ("r/a/../b:1", 4, ReferenceProblem::Component),
    ("r/a/b%2f:1", 5, ReferenceProblem::Component),
    ("r/a/b c:1", 5, ReferenceProblem::Component),
    ("r/a/b\u{2011}c:1", 5, ReferenceProblem::Component),
    ("r/a/b\0:1", 5, ReferenceProblem::Component),
    ("r/a/b", 5, ReferenceProblem::MissingRevision),
    ("r/a/b@sha256:00", 5, ReferenceProblem::MissingRevision),
    ("r/a/b:", 6, ReferenceProblem::Revision),
    ("r/a/b:@sha256:00", 6, ReferenceProblem::Revision),
    ("r/a/b:.1", 6, ReferenceProblem::Revision),
    ("r/a/b:-1", 6, ReferenceProblem::Revision),
    ("r/a/b:1.2.3+build", 11, ReferenceProblem::Revision),
    ("r/a/b:1/c", 7, ReferenceProblem::Revision),
    ("r/a/b:1:2", 7, ReferenceProblem::Revision),
    ("r/a/b:1 ", 7, ReferenceProblem::Revision),
    ("r/a/b:é", 6, ReferenceProblem::Revision),
    ("r/a/b:1@", 8, ReferenceProblem::Provenance),
    ("r/a/b:1@sha256", 14, ReferenceProblem::Provenance),
    ("r/a/b:1@sha256:", 15, ReferenceProblem::Provenance),
    ("r/a/b:1@:00", 8, ReferenceProblem::Provenance),
    ("r/a/b:1@SHA256:00", 8, ReferenceProblem::Provenance),
    ("r/a/b:1@sha256:0G", 16, ReferenceProblem::Provenance),
    ("r/a/b:1@sha256:ABCD", 15, ReferenceProblem::Provenance),
    ("r/a/b:1@sha256:../../x", 15, ReferenceProblem::Provenance),
    ("r/a/b:1@sha-:00", 12, ReferenceProblem::Provenance),
    ("r/a/b:1@sha256:00@x", 17, ReferenceProblem::Provenance),
];

/// Valid references have the expected fields and print themselves.
#[test]
fn valid_references_have_fields() {
    for (text, registry, principal, scope, revision, provenance) in VALID {
        let reference: OciReference =
            text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let found =
            (reference.registry(), reference.principal(), reference.scope(), reference.revision());
        assert_eq!(found, (*registry, *principal, *scope, *revision), "{text}");
        assert_eq!(
            reference.provenance().map(ToString::to_string).as_deref(),
            *provenance,
            "{text}"
        );
        assert_eq!(reference.to_string(), text.trim_start_matches("oci://"));
    }
}

/// Invalid references say what is wrong and where.
#[test]
fn invalid_references_are_explained() {
    let found: Vec<_> = INVALID
        .iter()
        .map(|(text, ..)| {
            let error = text.parse::<OciReference>().expect_err(text);
            (*text, error.position, error.problem)
        })
        .collect();
    let wrong: Vec<_> =
        std::iter::zip(INVALID, &found).filter(|(expected, found)| expected != found).collect();
    assert!(wrong.is_empty(), "expected and found: {wrong:#?}");
}

/// Lengths are bounded at the limits of registries.
#[test]
fn lengths_have_registry_bounds() {
    let reference = |path: usize, tag: usize| {
        format!("r/a/{}:{}", "p".repeat(path - 2), "t".repeat(tag)).parse::<OciReference>()
    };
    assert!(reference(255, 128).is_ok());
    assert_eq!(reference(256, 1).expect_err("too long").problem, ReferenceProblem::TooLong);
    let error = reference(10, 129).expect_err("too long");
    assert_eq!((error.position, error.problem), (13 + 128, ReferenceProblem::Revision));
}

/// Columns count characters and the message shows none raw.
#[test]
fn columns_count_characters() {
    let error = "é\u{1b}/a/b:1".parse::<OciReference>().expect_err("no host name");
    assert_eq!(error.column(), 1);
    insta::assert_snapshot!(error, @r"`é\u{1b}/a/b:1` is not a reference: column 1: a registry is a host name or address, with a port if need be, such as `ghcr.io` or `localhost:5000`");
}

/// A shortened provenance parses and is no digest.
#[test]
fn short_provenance_is_not_a_digest() {
    let reference: OciReference = "r/a/b:1@sha256:abcdef1234567890".parse().expect("valid");
    insta::assert_snapshot!(
        reference.pinned_digest().expect_err("shortened"),
        @"`sha256:abcdef1234567890` is not a whole digest: 64 lower-case hexadecimal digits must follow `sha256:`, not 16 characters of which 16 fit"
    );
    assert_eq!("r/a/b:1".parse::<OciReference>().expect("valid").pinned_digest(), Ok(None));
}

/// The identity has no revision and the name is the last component.
#[test]
fn identity_is_without_revision() {
    let reference: OciReference = "GHCR.io/suffiks/wasi/ingress-as:v1".parse().expect("valid");
    assert_eq!(reference.identity().to_string(), "ghcr.io/suffiks/wasi/ingress-as");
    assert_eq!(reference.default_name().expect("a name").as_str(), "ingress-as");
    let default_name = |text: &str| text.parse::<OciReference>().expect("valid").default_name();
    assert_eq!(default_name("r/a/b_c:1").expect("a name").as_str(), "b-c");
    assert!(default_name(&format!("r/a/{}:1", "n".repeat(65))).is_err());
}

/// Secrets, grants and trust belong to the registry and not to one spelling of it. What is printed
/// is what was written.
#[test]
fn registry_spellings_share_identity() {
    for text in ["GHCR.io:443/a/b:1", "ghcr.io:080/a/b:1", "ghcr.io/a/b:1"] {
        let reference: OciReference = text.parse().expect(text);
        assert_eq!(
            (reference.identity().as_str(), reference.to_string().as_str()),
            ("ghcr.io/a/b", text)
        );
    }
    let other: OciReference = "ghcr.io:8443/a/b:1".parse().expect("valid");
    assert_eq!(other.identity().as_str(), "ghcr.io:8443/a/b");
    let host: OciReference = "local:443/file/x:1".parse().expect("valid");
    assert!(
        !host.is_local() && host.identity().as_str() == "local:443/file/x",
        "not the identity of a file"
    );
}

/// A file stays a file in any case, since its identity is in lower case.
#[test]
fn local_registry_is_local_in_any_case() {
    for text in ["local/file/x:1", "Local/file/x:1"] {
        let reference: OciReference = text.parse().expect(text);
        assert!(reference.is_local() && reference.identity().as_str() == "local/file/x", "{text}");
    }
    assert!(!"local:5000/file/x:1".parse::<OciReference>().expect("valid").is_local());
}

/// Two files of one name are two extensions, and one that takes the place of another keeps its
/// identity.
#[test]
fn local_identity_is_its_digest() {
    let [first, second, third] =
        ["1", "2", "3"].map(|digit| format!("sha256:{}", digit.repeat(64)));
    let pinned = |kind: &str, digest: &str| -> OciReference {
        format!("local/{kind}/weather:0.0.0@{digest}").parse().expect("valid")
    };
    for kind in ["file", "layout", "bundle"] {
        let (one, other) = (pinned(kind, &first), pinned(kind, &second));
        assert_eq!(one.identity().as_str(), format!("local/{kind}/weather@{first}"));
        assert_ne!(one.identity(), other.identity());
        let continued = one.continued_by(second.parse().expect("a digest"));
        assert_eq!(
            continued.to_string(),
            format!("local/{kind}/{}/weather:0.0.0@{second}", "1".repeat(64))
        );
        assert_eq!(
            (continued.identity(), continued.default_name()),
            (one.identity(), one.default_name())
        );
        assert_eq!((continued.place(), continued.is_local()), (format!("{kind}/weather"), true));
        let again = continued.continued_by(third.parse().expect("a digest"));
        assert_eq!(
            (again.identity(), again.pinned_digest()),
            (one.identity(), third.parse().map(Some))
        );
    }
    let upper: OciReference = format!("LOCAL/file/weather:0.0.0@{first}").parse().expect("valid");
    assert_eq!(upper.identity(), pinned("file", &first).identity());
}

/// Every build of a project that is tried has one identity, and that of nothing that is installed.
#[test]
fn development_has_its_own_identity() {
    let name = "weather".parse().expect("a name");
    let [first, second] =
        ["a", "b"].map(|digit| format!("sha256:{}", digit.repeat(64)).parse().expect("a digest"));
    let built = OciReference::local_development(&name, "0.0.0").expect("valid");
    let [one, other] = [first, second].map(|digest| built.pinned_to(digest));
    assert!(one.is_development() && one.identity() == other.identity());
    assert_eq!(one.identity().as_str(), "local/dev/weather");
    let file = OciReference::local_file(&name, "0.0.0").expect("valid").pinned_to(first);
    assert_ne!(file.identity(), one.identity());
    assert_eq!(one.continued_by(second), other);
}

/// One part identity is registry and scope.
#[test]
fn single_part_is_the_scope() {
    let reference: OciReference = "Registry.example/one:1".parse().expect("valid");
    assert_eq!(reference.identity().as_str(), "registry.example/one");
    assert_eq!(reference.repository(), "one");
    assert_eq!(reference.default_name().expect("a name").as_str(), "one");
    assert_eq!(reference.with_revision("2").expect("a tag").to_string(), "Registry.example/one:2");
}

/// References put together from the grammar.
fn reference() -> impl Strategy<Value = String> {
    (
        "([a-zA-Z0-9]([a-z0-9-]{0,6}[a-z0-9])?(\\.[a-z0-9]{1,5}){0,2}|\\[::[1-9]\\])(:[1-9][0-9]{0,3})?",
        "([a-z0-9]{1,6}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}/)?",
        "[a-z0-9]{1,6}(/[a-z0-9]{1,4}(__[a-z]{1,3})?){0,3}",
        "[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}",
        proptest::option::of("(sha256|md5|a\\+b|x_y\\.z):[0-9a-f]{1,70}"),
    )
        .prop_map(|(registry, principal, scope, tag, provenance)| {
            // A host without a dot or a port before one path component is a path whose registry is
            // missing.
            let is_path = principal.is_empty() && !scope.contains('/') && !registry.contains(['.', ':']);
            let registry = if is_path { format!("{registry}.example") } else { registry };
            let pin = provenance.map(|provenance| format!("@{provenance}")).unwrap_or_default();
            format!("{registry}/{principal}{scope}:{tag}{pin}")
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Displaying then parsing is the identity.
    #[test]
    fn displayed_reference_parses_back(text in reference()) {
        let parsed: OciReference = text.parse().expect("put together from the grammar");
        prop_assert_eq!(&parsed.to_string(), &text);
        prop_assert_eq!(parsed.to_string().parse::<OciReference>().expect("displayed"), parsed);
    }

    /// Only what the registry itself takes for one repository has one identity.
    #[test]
    fn identity_tells_repositories_apart(one in reference(), other in reference()) {
        let [one, other] = [one, other].map(|text| text.parse::<OciReference>().expect("from the grammar"));
        let place = |reference: &OciReference| (reference.registry().to_lowercase(), reference.repository());
        prop_assert_eq!(one.identity() == other.identity(), place(&one) == place(&other));
        let fields = (one.principal().is_empty(), one.scope().contains('/'));
        prop_assert!(fields != (true, true), "the principal is empty only where there is one component: {}", one);
    }

    /// No text panics and every error is within the text.
    #[test]
    fn errors_lie_within_the_text(text in "\\PC*|[a-z0-9:/@.\\[\\]_-]{0,60}") {
        if let Err(error) = text.parse::<OciReference>() {
            prop_assert!(error.position <= text.len());
            prop_assert!(error.column() <= text.chars().count() + 1);
        }
    }

    #[test]
    fn a_damaged_reference_never_panics(text in reference(), at in 0..80usize, with: char) {
        let damaged: String = text.chars().enumerate().map(|(i, c)| if i == at { with } else { c }).collect();
        let _ = damaged.parse::<OciReference>();
    }
}
