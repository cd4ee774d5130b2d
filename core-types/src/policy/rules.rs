//! The rules of the administrator and the user for all extensions.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::capability::{Capability, Grant, Scope, StorageSize};
use crate::event::{EventName, EventPattern, Interval};
use crate::limits::Limits;
use crate::policy::period::Period;
use crate::reference::{OciPrefix, OciReference};

/// A policy: the top level of `/etc/pds/policy.toml`, and `[extensions.policy]` of the user's
/// configuration.
///
/// It is a ceiling. Where several files say something, the strictest holds; none can give anything
/// that a manifest does not ask for, but for what `preapproved` lets a list of extensions have.
/// Places are `registry[/principal[/scope]]` and cover whole path segments: `registry/x` is the
/// repository `x` and all below it.
///
/// ```
/// use core_types::{Policy, parse_toml};
///
/// let policy: Policy = parse_toml("allowed_registries = ['ghcr.io/my-org']")?.value;
/// assert!(policy.check_source(&"ghcr.io/my-org/weather:1".parse()?).is_ok());
/// assert!(policy.check_source(&"ghcr.io/other/weather:1".parse()?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct Policy {
    /// `deny`: capabilities that are denied to every extension, whatever its manifest says.
    /// Default: none.
    pub deny: Vec<Capability>,
    /// `deny_events`: events that wake no extension, whatever its manifest says. A pattern names
    /// private ones too. Default: none.
    pub deny_events: Vec<EventPattern>,
    /// `min_event_interval`: the shortest time between two events of one name for one extension,
    /// such as `10s`. Default: none beyond that of each event.
    pub min_event_interval: Option<Interval>,
    /// `allowed_registries`: the only places that extensions can come from. Default: all places.
    pub allowed_registries: Option<Vec<OciPrefix>>,
    /// `blocked_namespaces`: places that no extension can come from. Default: none.
    pub blocked_namespaces: Vec<OciPrefix>,
    /// `require_signature`: whether extensions need the signature of a trusted signer. Default:
    /// false.
    pub require_signature: bool,
    /// `trusted_signers`: the signers for a place, one of which has to have signed each extension
    /// from there. Default: none.
    pub trusted_signers: BTreeMap<OciPrefix, Vec<SignerRule>>,
    /// `min_release_age`: how long ago a version has to have been seen first before `update` takes
    /// it, such as `7d`. Default: no time.
    pub min_release_age: Option<Period>,
    /// `preapproved`: grants that extensions of a published list get without a question. Default:
    /// none.
    pub preapproved: Vec<Preapproved>,
    /// `lists_that_prune`: published lists that may demand by their `[defaults]` that `sync`
    /// removes extensions that left the list. Default: none.
    pub lists_that_prune: Option<Vec<OciPrefix>>,
    /// `max_storage_kib`: how much data of its own each extension can keep at most, whatever its
    /// manifest says. Default: what the manifest says.
    pub max_storage_kib: Option<StorageSize>,
    /// `session`: whether the session service may wake extensions and call them for programs. `true`
    /// is the same as nothing. Default: true.
    pub session: Option<bool>,
    /// `limits`: the highest values that manifests can have. Default: none.
    pub limits: Limits,
}

/// A signer that a policy names.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(
    untagged,
    expecting = "the file of a public key, or a table of `identity`, `issuer` and `trusted_root`"
)]
pub enum SignerRule {
    /// The owner of the public key (PEM) in this file.
    KeyFile(String),
    /// The identity in a certificate.
    Identity(IdentityRule),
}

/// The owner of a certificate with exactly these values.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityRule {
    /// `identity`: who signs, as the certificate names them: an address, or the URL of a workflow.
    pub identity: String,
    /// `issuer`: who says so: the URL of an OpenID Connect issuer.
    pub issuer: String,
    /// `trusted_root`: the file with the certificate authorities and logs that are believed, in
    /// [Sigstore's
    /// form](https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto).
    pub trusted_root: PathBuf,
}

/// The rule as a policy's author wrote it.
impl fmt::Display for SignerRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyFile(file) => f.write_str(file),
            Self::Identity(rule) => write!(f, "{} of {}", rule.identity, rule.issuer),
        }
    }
}

/// Grants that extensions of one published list get without a question.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Preapproved {
    /// `list`: where the list is published.
    pub list: OciPrefix,
    /// `grants`: the grants, as `CAPABILITY[=SCOPE]`.
    #[serde(default)]
    pub grants: Vec<Grant>,
}

/// Why a policy does not let an extension come from a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceRefusal {
    /// Other places are allowed, and this one is not.
    NotAllowed,
    /// The place is blocked.
    Blocked(OciPrefix),
}

/// The signature that a policy wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequiredSigner<'a> {
    /// None.
    Nobody,
    /// That of any trusted signer.
    Anybody,
    /// That of one of these.
    One(Vec<&'a SignerRule>),
}

/// The refusal as the end of a sentence about the source.
impl fmt::Display for SourceRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed => f.write_str("it is none of the places in `allowed_registries`"),
            Self::Blocked(prefix) => write!(f, "`blocked_namespaces` names `{prefix}`"),
        }
    }
}

impl Policy {
    /// Checks that an extension can come from there.
    ///
    /// # Errors
    /// With the first rule that forbids it.
    pub fn check_source(&self, reference: &OciReference) -> Result<(), SourceRefusal> {
        self.check_place(reference.registry(), &reference.place())
    }

    /// Checks that a file can come from a place without a reference, such as a web server.
    ///
    /// # Errors
    /// With the first rule that forbids it.
    pub fn check_place(&self, host: &str, path: &str) -> Result<(), SourceRefusal> {
        let covers = |prefix: &&OciPrefix| prefix.covers(host, path);
        if let Some(blocked) = self.blocked_namespaces.iter().find(covers) {
            return Err(SourceRefusal::Blocked(blocked.clone()));
        }
        if self
            .allowed_registries
            .as_ref()
            .is_some_and(|allowed| !allowed.iter().any(|prefix| covers(&prefix)))
        {
            return Err(SourceRefusal::NotAllowed);
        }
        Ok(())
    }

    /// Returns the rule by which an event wakes no extension, if there is one.
    pub fn denial_of_event(&self, name: &EventName) -> Option<&EventPattern> {
        self.deny_events.iter().find(|pattern| pattern.names(name))
    }

    /// Tells whether everything that a grant allows is denied by this policy.
    pub(crate) fn denial_of_grant(&self, grant: &Grant) -> Option<&EventPattern> {
        let Scope::Events(events) = grant.scope() else { return None };
        self.deny_events.iter().find(|pattern| pattern.names_all(events))
    }

    /// Returns the signature that this policy wants on extensions from there.
    pub fn required_signer(&self, reference: &OciReference) -> RequiredSigner<'_> {
        let covers = |prefix: &OciPrefix| prefix.covers(reference.registry(), &reference.place());
        let signers = self
            .trusted_signers
            .iter()
            .filter(|(prefix, _)| covers(prefix))
            .flat_map(|(_, signers)| signers)
            .collect();
        match (self.require_signature, self.trusted_signers.keys().any(covers)) {
            (_, true) => RequiredSigner::One(signers),
            (true, false) => RequiredSigner::Anybody,
            (false, false) => RequiredSigner::Nobody,
        }
    }

    /// Tells whether this list may demand that `sync` removes extensions that left it; nothing
    /// where this policy does not name lists.
    pub fn lets_prune(&self, list: &OciReference) -> Option<bool> {
        let covers = |prefix: &OciPrefix| prefix.covers(list.registry(), &list.repository());
        self.lists_that_prune.as_ref().map(|lists| lists.iter().any(covers))
    }

    /// Tells whether extensions of this list get this grant without a question.
    pub fn preapproves(&self, list: &OciReference, grant: &Grant) -> bool {
        let is_meant =
            |entry: &&Preapproved| entry.list.covers(list.registry(), &list.repository());
        let mut grants = self.preapproved.iter().filter(is_meant).flat_map(|entry| &entry.grants);
        grants.any(|allowed| allowed.reaches(grant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::authority::Authority;
    use crate::policy::document::Document;
    use crate::policy::timed::BootTime;

    fn policy(text: &str) -> Policy {
        crate::parse_toml(text).expect("valid").value
    }

    /// Returns the rest of grants where the policy holds.
    fn within(policy: Policy, grants: &[&str]) -> Vec<Capability> {
        let granted = grants.iter().map(|grant| grant.parse().expect(grant));
        let policies = vec![(policy, Document::default())];
        let authority = Authority { policies, ..Authority::of(granted.collect()) };
        authority.in_force(BootTime::default()).granted()
    }

    fn refusal(policy: &Policy, reference: &str) -> Option<String> {
        policy
            .check_source(&reference.parse().expect(reference))
            .err()
            .map(|refusal| refusal.to_string())
    }

    /// A policy takes away and never gives.
    #[test]
    fn policy_takes_away_and_never_gives() {
        let policy = policy("deny = [\"notification\"]");
        let left = within(policy, &["notification", "clipboard-write"]);
        assert_eq!(left, [Capability::ClipboardWrite]);
    }

    /// A feature that is granted stays denied where the policy denies `experimental`.
    #[test]
    fn policy_denies_experimental_features() {
        let asked = ["experimental=wasi-0.3"];
        assert_eq!(within(policy("deny = [\"experimental\"]"), &asked), []);
        assert_eq!(within(Policy::default(), &asked), [Capability::Experimental]);
    }

    /// Places are compared by whole segments and what is blocked is blocked.
    #[test]
    fn places_match_whole_segments() {
        let policy = policy(
            "allowed_registries = [\"ghcr.io/my-org\"]\nblocked_namespaces = [\"ghcr.io/my-org/old\"]",
        );
        assert_eq!(refusal(&policy, "ghcr.io/my-org/x:1"), None);
        assert_eq!(refusal(&policy, "ghcr.io/my-org/older:1"), None);
        for other in
            ["ghcr.io/my-org-evil/x:1", "evil.io/my-org/x:1", "ghcr.io.evil.com/my-org/x:1"]
        {
            assert_eq!(
                refusal(&policy, other),
                Some(SourceRefusal::NotAllowed.to_string()),
                "{other}"
            );
        }
        let blocked = Some("`blocked_namespaces` names `ghcr.io/my-org/old`".to_owned());
        assert_eq!(refusal(&policy, "ghcr.io/my-org/old:1"), blocked);
        assert_eq!(refusal(&policy, "GHCR.io/my-org/old/deep:1"), blocked);
        assert_eq!(refusal(&Policy::default(), "evil.io/a/b:1"), None);
    }

    /// A place of one part is a repository as well as a principal, in what is allowed as in what is
    /// blocked.
    #[test]
    fn place_of_one_part_covers_both() {
        let policy = policy(
            "allowed_registries = [\"r.io/x\", \"r.io/y\"]\nblocked_namespaces = [\"r.io/y\"]",
        );
        assert_eq!((refusal(&policy, "r.io/x:1"), refusal(&policy, "r.io/x/deep:1")), (None, None));
        let blocked = Some("`blocked_namespaces` names `r.io/y`".to_owned());
        assert_eq!(
            (refusal(&policy, "r.io/y:1"), refusal(&policy, "R.io/y/deep:1")),
            (blocked.clone(), blocked)
        );
        assert_eq!(refusal(&policy, "r.io/xy:1"), Some(SourceRefusal::NotAllowed.to_string()));
    }

    /// A signature is required everywhere or where there are signers.
    #[test]
    fn signature_is_required_for_signers() {
        let required = |policy: &Policy, text: &str| match policy
            .required_signer(&text.parse().expect(text))
        {
            RequiredSigner::Nobody => "nobody".to_owned(),
            RequiredSigner::Anybody => "anybody".to_owned(),
            RequiredSigner::One(rules) => {
                rules.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(required(&policy("require_signature = true"), "a.io/b/c:1"), "anybody");
        let policy = policy(
            "[trusted_signers]\n\"ghcr.io/none\" = []\n\"ghcr.io/my-org\" = [\"/etc/pds/my-org.pub\", \
             { identity = \"me@example.com\", issuer = \"https://login\", trusted_root = \"/etc/pds/root.json\" }]",
        );
        assert_eq!(
            required(&policy, "ghcr.io/my-org/x:1"),
            "/etc/pds/my-org.pub me@example.com of https://login"
        );
        assert_eq!(
            required(&policy, "ghcr.io/none/x:1"),
            "",
            "a list without keys is kept by nobody"
        );
        assert_eq!(required(&policy, "ghcr.io/other/x:1"), "nobody");
    }

    /// A list is given what is preapproved for it and no more.
    #[test]
    fn list_gets_only_preapproved() {
        let policy = policy(
            "[[preapproved]]\nlist = \"r.io/org/set\"\ngrants = [\"notification\", \"network=*.example.org\"]",
        );
        let list = |text: &str| text.parse::<OciReference>().expect(text);
        let approves =
            |from: &str, grant: &str| policy.preapproves(&list(from), &grant.parse().expect(grant));
        assert!(approves("r.io/org/set:stable", "notification"));
        assert!(approves("r.io/org/set:stable", "network=*.example.org"));
        assert!(!approves("r.io/org/set:stable", "network=api.example.com"));
        assert!(!approves("r.io/org/setter:stable", "notification"));
    }

    /// A policy that says nothing about pruning neither allows nor forbids it.
    #[test]
    fn lists_prune_only_where_named() {
        let lets = |text: &str, list: &str| policy(text).lets_prune(&list.parse().expect(list));
        let named = "lists_that_prune = [\"r.io/org/set\"]";
        assert_eq!(lets(named, "R.io/org/set:stable"), Some(true));
        assert_eq!(lets(named, "r.io/org/setter:stable"), Some(false));
        assert_eq!(
            (lets("lists_that_prune = []", "r.io/org/set:1"), lets("", "r.io/org/set:1")),
            (Some(false), None)
        );
    }

    /// What is preapproved is a directory, whatever path the guest has for it.
    #[test]
    fn preapproved_directory_may_be_renamed() {
        let policy =
            policy("[[preapproved]]\nlist = \"r.io/org/set\"\ngrants = [\"filesystem=read:~/a\"]");
        let list = "r.io/org/set:stable".parse::<OciReference>().expect("a reference");
        let approves = |grant: &str| policy.preapproves(&list, &grant.parse().expect(grant));
        assert!(approves("filesystem=read:~/a::/data") && approves("filesystem=read:~/a/b::."));
        assert!(!approves("filesystem=write:~/a::/data") && !approves("filesystem=read:~/b::/a"));
    }
}
