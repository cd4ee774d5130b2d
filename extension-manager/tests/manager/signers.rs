//! Signers: whose signature is wanted, who may follow the first, and what is remembered of them.

use extension_depot::registry::generate_key;
use extension_depot::{
    Bundle, Depot, SecretKey, SignatureRefusal, SignatureState, SignerError, TrustAnchor,
    TrustedSigner,
};
use extension_manager::{
    Answer, BundlesError, ExportOptions, ImportOptions, InstallError, InstallOptions, Nobody,
    UpdateError, UpdateOptions, VerifySignerError,
};

use crate::fixture::{Fixture, new};
use crate::support::name;
use crate::support::person::Person;
use crate::support::registry::{component, install};

/// A key, and what proves its signatures.
struct Key {
    secret: SecretKey,
    proof: TrustAnchor,
}

impl Key {
    fn new(fixture: &Fixture, file: &str) -> Self {
        let (secret, public) = (fixture.home.path(file), fixture.home.path(&format!("{file}.pub")));
        generate_key(&secret, &public, None).expect("written");
        let pem = std::fs::read(secret).expect("a key");
        let public = std::fs::read_to_string(public).expect("a key");
        Self {
            secret: SecretKey::from_pem(&pem, None).expect("a secret key"),
            proof: TrustAnchor::of_key(public).expect("a public key"),
        }
    }
}

/// Publishes `a` in this version, signed by these.
fn publish(fixture: &Fixture, version: u8, requests: &str, keys: &[&Key]) -> String {
    let rest = format!("a:{version}.0.0");
    let source = fixture.publish(&rest, &component(version, requests));
    keys.iter().for_each(|key| fixture.remote.sign(&rest, &key.secret));
    source
}

fn by(key: &Key) -> InstallOptions<'static> {
    InstallOptions { signer: Some(key.proof.clone()), ..InstallOptions::default() }
}

/// A home in which `a` 1.0.0 is installed, signed by the maker, whom its user named.
fn signed(policy: &str) -> (Fixture, Key) {
    let fixture = Fixture::new(policy);
    let maker = Key::new(&fixture, "maker");
    let source = publish(&fixture, 1, "", &[&maker]);
    new(install(&fixture.installer(&Nobody), &source, by(&maker)));
    (fixture, maker)
}

/// Returns what the depot says of a signature.
#[track_caller]
fn refusal(error: InstallError) -> SignatureRefusal {
    match error {
        InstallError::Signer(SignerError::Refused(refusal)) => refusal,
        other => panic!("{other}"),
    }
}

#[test]
fn named_signer_is_trusted() {
    let (fixture, maker) = signed("");
    let trusted = fixture.manager.depot().trusted_signers().expect("readable");
    let [TrustedSigner { place, proof }] = &trusted[..] else { panic!("{trusted:?}") };
    assert_eq!(*proof, maker.proof);
    let place = place.to_string();
    assert_eq!(place, fixture.remote.reference("a:x").identity().to_string());
    let again = install(
        &fixture.installer(&Nobody),
        &fixture.remote.reference("a:1.0.0").to_string(),
        by(&maker),
    );
    again.expect("installed already");
    assert_eq!(fixture.manager.depot().trusted_signers().expect("readable").len(), 1);
}

#[test]
fn other_signer_installs_nothing() {
    let fixture = Fixture::new("");
    let (maker, other) = (Key::new(&fixture, "maker"), Key::new(&fixture, "other"));
    for keys in [&[][..], &[&maker]] {
        let source = publish(&fixture, 1, "", keys);
        let refused = install(&fixture.installer(&Nobody), &source, by(&other)).err();
        let refusal = refusal(refused.expect("the other is wanted"));
        assert!(matches!(refusal, SignatureRefusal::Required { .. }), "{refusal}");
        assert_eq!(fixture.version("a"), None);
        let trusted = fixture.manager.depot().trusted_signers().expect("readable");
        assert!(trusted.is_empty(), "a refusal trusts no signer: {trusted:?}");
    }
}

/// After a signed version, an unsigned one and one of another signer are refused; the same signer
/// follows.
#[test]
fn replaced_signer_is_refused() {
    let (fixture, maker) = signed("");
    let other = Key::new(&fixture, "other");
    let installer = fixture.installer(&Nobody);
    for (version, keys) in [(2, &[][..]), (3, &[&other][..])] {
        publish(&fixture, version, "", keys);
        let refused = installer.update(&name("a"), &UpdateOptions::default());
        let Err(UpdateError::Install(error)) = refused else { panic!("{refused:?}") };
        assert!(matches!(refusal(*error), SignatureRefusal::Changed { .. }));
        assert_eq!(fixture.version("a").as_deref(), Some("1.0.0"));
    }
    publish(&fixture, 4, "", &[&other, &maker]);
    installer.update(&name("a"), &UpdateOptions::default()).expect("the maker signed too");
    assert_eq!(fixture.version("a").as_deref(), Some("4.0.0"));
}

/// The pinned signer is part of what a decision is made upon.
#[test]
fn signer_changed_meanwhile_is_seen() {
    let (fixture, maker) = signed("");
    publish(&fixture, 2, "notification = true", &[&maker]);
    let (places, repository) =
        (fixture.home.places(), fixture.remote.reference("a:2.0.0").identity());
    let mut times = 0;
    let person = Person::answering(&[Answer::Always]).while_thinking(|| {
        times += 1;
        if times == 1 {
            let depot = Depot::new(places.clone());
            assert!(depot.lock().expect("free").accept_signer(&repository).expect("written"));
        }
    });
    let updated = fixture.installer(&person).update(&name("a"), &UpdateOptions::default());
    assert!(updated.expect("updated").is_applied);
    assert_eq!(person.shown().len(), 2, "decided again");
}

#[test]
fn policy_wants_a_trusted_signer() {
    let fixture = Fixture::new("require_signature = true\n");
    let (maker, stranger) = (Key::new(&fixture, "maker"), Key::new(&fixture, "stranger"));
    let installer = fixture.installer(&Nobody);
    for keys in [&[][..], &[&stranger]] {
        let source = publish(&fixture, 1, "", keys);
        let refused = install(&installer, &source, InstallOptions::default()).err();
        let refusal = refusal(refused.expect("no trusted signer"));
        assert!(matches!(refusal, SignatureRefusal::Required { .. }), "{refusal}");
    }
    let source = publish(&fixture, 2, "", &[&maker]);
    let committed = new(install(&installer, &source, by(&maker)));
    assert!(matches!(committed.signature, Some(SignatureState::Verified { .. })));
    let file = fixture.file("b.wasm", &component(3, ""));
    let local = install(&installer, &file, InstallOptions::default());
    assert!(local.is_err(), "a file has no signature");
}

/// The signer of the install is shown without a request; a required one is looked for.
#[test]
fn installed_signer_is_verified_again() {
    let (fixture, maker) = signed("");
    let other = Key::new(&fixture, "other");
    let installer = fixture.installer(&Nobody);
    let installed = fixture.manager.depot().installed(&name("a")).expect("installed");
    let before = fixture.remote.requests();
    let recorded = installer.verify_installed_signer(&installed, None).expect("recorded");
    assert_eq!(fixture.remote.requests(), before);
    assert!(matches!(recorded.signature, Some(SignatureState::Verified { .. })));
    assert!(recorded.checked_at.is_some());
    let asked =
        installer.verify_installed_signer(&installed, Some(&maker.proof)).expect("the maker");
    assert!(fixture.remote.requests() > before);
    assert_eq!((asked.signature, asked.checked_at), (recorded.signature, None));
    let refused = installer.verify_installed_signer(&installed, Some(&other.proof));
    let Err(VerifySignerError::Signer(error)) = refused else { panic!("{refused:?}") };
    assert!(matches!(refusal(*error), SignatureRefusal::Required { .. }));
}

#[test]
fn published_signer_is_verified() {
    let fixture = Fixture::new("");
    let (maker, other) = (Key::new(&fixture, "maker"), Key::new(&fixture, "other"));
    publish(&fixture, 1, "", &[&maker]);
    let reference = fixture.remote.reference("a:1.0.0");
    let installer = fixture.installer(&Nobody);
    let (pinned, evidence) =
        installer.verify_reference(&reference, Some(&maker.proof)).expect("signed");
    assert_eq!(pinned.unpinned(), reference);
    assert!(pinned.provenance().is_some() && evidence.signature.signer().is_some());
    let refused = installer.verify_reference(&reference, Some(&other.proof)).err();
    let refusal = refusal(refused.expect("not the other"));
    assert!(matches!(refusal, SignatureRefusal::Required { .. }));
    let missing = installer.verify_reference(&fixture.remote.reference("b:1.0.0"), None);
    assert!(matches!(missing, Err(InstallError::Registry(_))));
}

/// A bundle brings its signatures along: a trusted signer confirms the origin without a network.
#[test]
fn signed_bundle_keeps_its_origin() {
    let (from, maker) = signed("");
    let to = from.home.path("bundle.tar");
    from.installer(&Nobody).export(&[name("a")], &to, ExportOptions::default()).expect("written");
    let fixture = Fixture::beside(from.remote, "");
    let place =
        fixture.remote.reference("a:1.0.0").identity().to_string().parse().expect("a place");
    let signer = TrustedSigner { place, proof: maker.proof };
    let depot = fixture.manager.depot();
    depot.lock().expect("free").trust(&signer).expect("trusted");
    let before = fixture.remote.requests();
    let bundle = Bundle::open(&to).expect("a bundle");
    let terms = InstallOptions { names_bytes: true, ..InstallOptions::default() };
    let options =
        ImportOptions { bundle: &bundle, path: &to, install: &terms, with_storage: false };
    let installer = fixture.installer(&Nobody);
    let imported = installer.import(options.chosen(&[]).expect("all")[0], &options);
    let committed = new(imported.map_err(|error| panic!("{error}")));
    assert_eq!(committed.reference.unpinned(), fixture.remote.reference("a:1.0.0"));
    assert!(!fixture.has_event("it is not confirmed"));
    assert_eq!(fixture.remote.requests(), before);
}

/// A policy for the claimed place holds for the claim of a bundle as well.
#[test]
fn policy_holds_for_a_claim() {
    let (from, _) = signed("");
    let to = from.home.path("bundle.tar");
    from.installer(&Nobody).export(&[name("a")], &to, ExportOptions::default()).expect("written");
    let bundle = Bundle::open(&to).expect("a bundle");
    let terms = InstallOptions { names_bytes: true, ..InstallOptions::default() };
    let options =
        ImportOptions { bundle: &bundle, path: &to, install: &terms, with_storage: false };
    let signer = Fixture::beside(from.remote, "require_signature = true\n");
    let refused = signer.installer(&Nobody).import(options.chosen(&[]).expect("all")[0], &options);
    let Err(BundlesError::Install(error)) = refused else { panic!("no trusted signer") };
    assert!(matches!(refusal(*error), SignatureRefusal::Required { .. }));
    let blocked = Fixture::beside(signer.remote, "blocked_namespaces = [\"HOST/my-org\"]\n");
    let refused = blocked.installer(&Nobody).import(options.chosen(&[]).expect("all")[0], &options);
    let Err(BundlesError::Install(error)) = refused else { panic!("the place is blocked") };
    assert!(matches!(*error, InstallError::Policy(_)));
    assert_eq!(blocked.version("a"), None);
}
