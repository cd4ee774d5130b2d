//! The permissions that an extension lacks.

use core_types::{Grant, Touch};
use extension_depot::Installed;
use extension_host::{HostError, Refusal};
use extension_manager::{OpenError, Requests, requested_by};

use super::not_granted::NotGranted;
use super::question::is_offered;

/// Returns the permissions without which an extension is not linked; nothing where something else
/// keeps it from being linked.
///
/// # Errors
/// When something of it is offered by no notification.
pub(super) fn to_link(
    installed: &Installed,
    error: &OpenError,
) -> Option<Result<Vec<Grant>, NotGranted>> {
    let OpenError::Host { source, .. } = error else { return None };
    let HostError::Refused(refusals) = &**source else { return None };
    let lacking = refusals.iter().map(|refusal| match refusal {
        Refusal::NotGranted { capability, .. } => Some(*capability),
        _ => None,
    });
    let lacking: Vec<_> = lacking.collect::<Option<_>>()?;
    let by_author = requested_by(installed).into_iter();
    let by_author = by_author.filter(|request| lacking.contains(&request.grant.capability()));
    let requests = Requests::new(lacking.clone(), by_author.collect());
    Some(offered(requests))
}

fn offered(requests: Requests) -> Result<Vec<Grant>, NotGranted> {
    if let Some(open) = requests.without_scope.first() {
        return Err(NotGranted::NotOffered(open.to_string()));
    }
    let grants = requests.grants.into_iter().map(|request| request.grant);
    let check = |grant: Grant| match is_offered(&grant) {
        true => Ok(grant),
        false => Err(NotGranted::NotOffered(grant.to_string())),
    };
    grants.map(check).collect()
}

/// Returns the offered permissions among those that a call was refused.
pub(super) fn by_touches<'a>(refused: impl Iterator<Item = &'a Touch>) -> Vec<Grant> {
    let is_by_policy =
        |touch: &&Touch| touch.refusal.as_ref().is_none_or(core_types::Refusal::is_by_policy);
    let least = refused.filter(|touch| !is_by_policy(touch)).map(|touch| &touch.request);
    let mut grants: Vec<_> =
        least.filter_map(core_types::Request::least_grant).filter(is_offered).collect();
    grants.sort_unstable();
    grants.dedup();
    grants
}

#[cfg(test)]
mod tests {
    use core_types::{Activity, Authority, BootTime, Capability, Request, decide};

    use super::by_touches;

    /// Of what was refused, a question has the part that a notification offers, each once.
    #[test]
    fn refused_touches_are_wanted() {
        let mut activity = Activity::default();
        let refuse = |request: Request| {
            let authority = Authority::default();
            let decision = decide(&request, &authority, BootTime::default());
            activity.note(&request, &decision);
        };
        [
            Request::Use(Capability::Notification),
            Request::Use(Capability::Notification),
            Request::ReadSecret("token".to_owned()),
            Request::Publish("greeting.said".to_owned()),
        ]
        .into_iter()
        .for_each(refuse);
        let wanted: Vec<_> =
            by_touches(activity.refused()).iter().map(ToString::to_string).collect();
        assert_eq!(wanted, ["notification", "ipc-publish=greeting.said"]);
    }
}
