//! What every policy says together: each can deny, and none can allow what another denies.

use std::path::PathBuf;

use core_types::event::Interval;
use core_types::{
    Capability, Ceilings, Decision, Document, Grant, OciReference, Period, Policy, RequiredSigner,
    SignerRule, SourceRefusal, denied_by_policy, grant_denied_by_policy,
};

use crate::config::effective_config::EffectiveConfig;
use crate::source::web_address::WebAddress;
use crate::trust::signer::Signer;

/// A policy does not let extensions come from a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy does not let extensions come from `{source_of}`: {refusal}")]
pub struct PolicyRefusal {
    /// The place.
    pub source_of: String,
    /// Why not.
    pub refusal: SourceRefusal,
    /// The file that says so.
    pub policy: PathBuf,
}

impl EffectiveConfig {
    /// Checks that every policy lets extensions come from there.
    ///
    /// # Errors
    /// With the first policy that does not.
    pub fn check_source(&self, reference: &OciReference) -> Result<(), PolicyRefusal> {
        self.check_policies(reference.identity().as_str(), |policy| policy.check_source(reference))
    }

    /// Checks that every policy lets extensions come from a file of a web server. Where only some
    /// places are allowed, its host has to be among them.
    ///
    /// # Errors
    /// With the first policy that does not.
    pub fn check_address(&self, address: &WebAddress) -> Result<(), PolicyRefusal> {
        self.check_policies(&address.to_string(), |policy| {
            policy.check_place(address.host(), &address.path())
        })
    }

    fn check_policies(
        &self,
        source_of: &str,
        check: impl Fn(&Policy) -> Result<(), SourceRefusal>,
    ) -> Result<(), PolicyRefusal> {
        self.policies.iter().try_for_each(|(policy, document)| {
            check(policy).map_err(|refusal| PolicyRefusal {
                source_of: source_of.to_owned(),
                refusal,
                policy: document.path.clone(),
            })
        })
    }

    /// Whose signature a policy misses, in words, where this signer signed or none did.
    /// `is_trusted` says whether the user trusts them.
    pub(crate) fn missing_signer(
        &self,
        reference: &OciReference,
        signed_by: Option<&Signer>,
        is_trusted: &dyn Fn(&Signer) -> bool,
    ) -> Option<String> {
        let is_named =
            |signer: &Signer| self.signer_rules(reference).any(|rule| signer.is_meant_by(rule));
        self.policies.iter().find_map(|(policy, document)| {
            let policy_file = document.path.display();
            match policy.required_signer(reference) {
                RequiredSigner::Nobody => None,
                RequiredSigner::Anybody
                    if signed_by.is_some_and(|by| is_trusted(by) || is_named(by)) =>
                {
                    None
                }
                RequiredSigner::Anybody => {
                    Some(format!("a trusted signer (`require_signature` in `{policy_file}`)"))
                }
                RequiredSigner::One(rules) => {
                    let is_by = |rule: &&SignerRule| {
                        signed_by.is_some_and(|signer| signer.is_meant_by(rule))
                    };
                    let all =
                        || rules.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    let missing =
                        || format!("one of `trusted_signers` in `{policy_file}`: {}", all());
                    (!rules.iter().any(is_by)).then(missing)
                }
            }
        })
    }

    /// Returns the signers that policies name for a place.
    pub(crate) fn signer_rules(
        &self,
        reference: &OciReference,
    ) -> impl Iterator<Item = &SignerRule> {
        self.policies.iter().flat_map(|(policy, _)| match policy.required_signer(reference) {
            RequiredSigner::One(rules) => rules,
            RequiredSigner::Nobody | RequiredSigner::Anybody => Vec::new(),
        })
    }

    /// Returns whether a policy requires a signature of artifacts from there.
    pub(crate) fn wants_signature(&self, reference: &OciReference) -> bool {
        self.policies
            .iter()
            .any(|(policy, _)| policy.required_signer(reference) != RequiredSigner::Nobody)
    }

    /// Returns whether a policy says where extensions may come from.
    pub fn restricts_sources(&self) -> bool {
        self.policies.iter().any(|(policy, _)| policy.allowed_registries.is_some())
    }

    /// Returns whether a policy lets the extensions of this list have this without a question.
    pub fn preapproves(&self, list: &OciReference, grant: &Grant) -> bool {
        self.policies.iter().any(|(policy, _)| policy.preapproves(list, grant))
    }

    /// Returns whether this list may demand that `sync` removes the extensions that it lost: some
    /// policy has to say so, and none that names lists may leave it out.
    pub fn lets_prune(&self, list: &OciReference) -> bool {
        let said: Vec<_> =
            self.policies.iter().filter_map(|(policy, _)| policy.lets_prune(list)).collect();
        !said.is_empty() && said.into_iter().all(|allowed| allowed)
    }

    /// Returns why no grant of this capability has an effect, if a policy denies it.
    pub fn denial(&self, capability: Capability) -> Option<Decision<'_>> {
        denied_by_policy(capability, &self.policies)
    }

    /// Returns why all that a grant allows has no effect, if a policy denies it.
    pub fn denial_of(&self, grant: &Grant) -> Option<Decision<'_>> {
        grant_denied_by_policy(grant, &self.policies)
    }

    /// Returns the shortest time between two events of one name, by the strictest policy.
    pub fn min_event_interval(&self) -> Option<Interval> {
        self.policies.iter().filter_map(|(policy, _)| policy.min_event_interval).max()
    }

    /// Returns how long ago a version has to have been seen first before it is taken; the longest
    /// that any policy wants.
    pub fn min_release_age(&self) -> Option<Period> {
        self.policies.iter().filter_map(|(policy, _)| policy.min_release_age).max()
    }

    /// Returns the ceilings of all policies.
    pub fn ceilings(&self) -> Vec<Ceilings> {
        let ceilings = |(policy, document): &(Policy, Document)| Ceilings {
            limits: policy.limits.clone(),
            source: document.path.clone(),
        };
        self.policies.iter().map(ceilings).collect()
    }
}
