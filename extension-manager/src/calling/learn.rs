//! The least permissions and limits of a call, from its use of resources.

use core_types::{Activity, Capabilities, Capability, Grant, GrantedPath, LimitName, Request};
use extension_host::{CallReport, Extension, Usage};

/// The needs of an extension, as far as one call shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// The least grants that allow everything that it touched, and let it start.
    pub capabilities: Capabilities,
    /// Unused imports without a known grant.
    pub unscoped: Vec<Capability>,
    /// Limits of half as much again as it used, in the unit of each key.
    pub limits: Vec<(LimitName, u64)>,
}

impl Needs {
    /// Learns the needs of an extension, which had `before`, from a call.
    pub fn of(extension: &Extension, report: &CallReport, before: &Capabilities) -> Self {
        let imported: Vec<_> =
            extension.imports().iter().filter_map(|import| import.capability).collect();
        let mut activity = report.activity.clone();
        if report.outcome.as_ref().is_ok_and(|returned| !returned.is_err()) {
            drop_refused_writes(&mut activity);
        }
        let (capabilities, unscoped) = needed(&activity, &imported, before);
        Self { capabilities, unscoped, limits: limits(&report.usage) }
    }
}

/// Returns the removed grants with `-` and the new ones with `+`.
///
/// ```
/// use core_types::{Capabilities, Grant};
/// use extension_manager::difference;
///
/// let capabilities = |texts: &[&str]| -> Result<Capabilities, _> {
///     texts.iter().map(|text| text.parse::<Grant>()).collect()
/// };
/// let (before, after) = (capabilities(&["notification"])?, capabilities(&["env=LANG"])?);
/// let signs: String = difference(&before, &after).iter().map(|(sign, _)| *sign).collect();
/// assert_eq!(signs, "-+");
/// # Ok::<(), core_types::GrantError>(())
/// ```
pub fn difference(before: &Capabilities, after: &Capabilities) -> Vec<(char, Grant)> {
    let is_in = |grant: &Grant, all: &Capabilities| all.iter().any(|other| other == grant);
    let gone = before.iter().filter(|grant| !is_in(grant, after)).map(|grant| ('-', grant.clone()));
    let come = after.iter().filter(|grant| !is_in(grant, before)).map(|grant| ('+', grant.clone()));
    gone.chain(come).collect()
}

/// Forgets the writes that were refused during a call that succeeded: reading was enough.
fn drop_refused_writes(activity: &mut Activity) {
    activity.touches.retain(|touch| touch.refusal.is_none() || !touch.request.is_write());
}

/// Returns the least grants for everything that was used or refused and for the start of the
/// extension: unused imports keep their grants. Also returns the imports without a known grant.
fn needed(
    activity: &Activity,
    imported: &[Capability],
    before: &Capabilities,
) -> (Capabilities, Vec<Capability>) {
    let mut capabilities = Capabilities::default();
    for touch in &activity.touches {
        match &touch.request {
            // The call does not show how far the grant has to reach.
            Request::Use(capability) if before.grants(*capability) => {
                capabilities.extend(before.of(*capability).cloned());
            }
            request => capabilities.extend(request.least_grant()),
        }
    }
    // A missing directory may exist the next time.
    capabilities.extend(before.iter().filter(|grant| is_missing(grant, activity)).cloned());
    let unused: Vec<_> =
        imported.iter().filter(|capability| !capabilities.grants(**capability)).copied().collect();
    for capability in &unused {
        let least = Request::Use(*capability).least_grant().filter(|_| !before.grants(*capability));
        capabilities.extend(before.of(*capability).cloned().chain(least));
    }
    let unscoped =
        unused.into_iter().filter(|capability| !capabilities.grants(*capability)).collect();
    (capabilities, unscoped)
}

/// Returns whether a grant is of a missing directory that the call looked for.
fn is_missing(grant: &Grant, activity: &Activity) -> bool {
    let is_it = |path: &GrantedPath| activity.missing.iter().any(|it| it == path.host());
    grant.directory().is_some_and(is_it)
}

/// Returns limits of one and a half times the use, in round numbers. The time of a call depends on
/// more than the extension, so it is at least a second.
fn limits(usage: &Usage) -> Vec<(LimitName, u64)> {
    let more = |used: u64| used.saturating_add(used / 2).max(1);
    let milliseconds = u64::try_from(usage.elapsed.as_millis()).unwrap_or(u64::MAX);
    let mut limits = vec![
        (LimitName::Memory, more(usage.memory_bytes as u64).div_ceil(1 << 20)),
        (LimitName::Fuel, rounded_up(more(usage.fuel))),
        (LimitName::Timeout, rounded_up(more(milliseconds)).max(1_000)),
        (LimitName::TableElements, rounded_up(more(usage.table_elements as u64))),
    ];
    if usage.written_bytes > 0 {
        limits.push((LimitName::Written, more(usage.written_bytes).div_ceil(1 << 20)));
    }
    limits
}

/// Rounds up to two digits that are not zero.
fn rounded_up(number: u64) -> u64 {
    let unit = 10_u64.pow(number.max(1).ilog10().saturating_sub(1));
    number.div_ceil(unit).saturating_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core_types::{Authority, BootTime, decide};

    /// A directory that does not exist yet keeps its grant.
    #[test]
    fn missing_directory_stays_granted() {
        let mut before = Capabilities::default();
        for text in ["filesystem=read:~/later::/later", "filesystem=write:~/unused"] {
            before.add(&text.parse().expect(text));
        }
        let mut activity = Activity::default();
        activity.note_missing(&"~/later::/later".parse().expect("a path"));
        let (learnt, _) = needed(&activity, &[], &before);
        assert!(learnt.iter().eq(before.iter().take(1)));
    }

    /// The size of the storage is kept, and grows where the call needed more.
    #[test]
    fn storage_keeps_its_size() {
        let of = |before: &[&str], requests: &[Request]| -> Vec<String> {
            let before: Capabilities =
                before.iter().map(|text| text.parse::<Grant>().expect(text)).collect();
            let authority = Authority::of(before.clone());
            let mut activity = Activity::default();
            for request in requests {
                activity.note(request, &decide(request, &authority, BootTime::default()));
            }
            needed(&activity, &[Capability::Storage], &before)
                .0
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        let uses = Request::Use(Capability::Storage);
        let larger = Request::Store("512KiB".parse().expect("a size"));
        assert_eq!(of(&[], std::slice::from_ref(&uses)), ["storage"]);
        assert_eq!(of(&["storage=1KiB"], std::slice::from_ref(&uses)), ["storage=1KiB"]);
        assert_eq!(of(&["storage=1024KiB"], std::slice::from_ref(&uses)), ["storage=1024KiB"]);
        assert_eq!(of(&["storage"], &[uses, larger]), ["storage=512KiB"]);
    }

    #[test]
    fn limits_are_half_as_much_again_in_round_numbers() {
        for (number, expected) in
            [(0, 0), (1, 1), (99, 99), (100, 100), (101, 110), (12_345, 13_000), (999, 1_000)]
        {
            assert_eq!(rounded_up(number), expected, "{number}");
        }
        let usage = Usage { fuel: 1_234_567, memory_bytes: 17 << 16, ..Default::default() };
        assert_eq!(limits(&usage)[..2], [(LimitName::Memory, 2), (LimitName::Fuel, 1_900_000)]);
    }

    #[test]
    fn unused_import_keeps_its_grants() {
        let granted = |texts: &[&str]| -> Capabilities {
            texts.iter().map(|text| text.parse::<Grant>().expect(text)).collect()
        };
        let imported = [Capability::SecretRead, Capability::Notification, Capability::IpcPublish];
        let before = granted(&["secret-read=token", "env=LANG"]);
        let (learnt, unscoped) = needed(&Activity::default(), &imported, &before);
        assert_eq!(learnt, granted(&["secret-read=token", "notification"]), "`env` is unused");
        assert_eq!(unscoped, [Capability::IpcPublish], "its scope is unknown");
    }

    #[test]
    fn difference_is_both_ways() {
        let capabilities = |texts: &[&str]| -> Capabilities {
            texts.iter().map(|text| text.parse::<Grant>().expect(text)).collect()
        };
        let before = capabilities(&["notification", "env=LANG"]);
        let after = capabilities(&["env=LANG", "network=a.example"]);
        let found: Vec<_> = difference(&before, &after)
            .into_iter()
            .map(|(sign, grant)| format!("{sign} {grant}"))
            .collect();
        assert_eq!(found, ["- notification", "+ network=a.example"]);
        assert!(difference(&after, &after).is_empty());
    }

    /// The time of a call depends on the machine, so a short one gets a second at least.
    #[test]
    fn short_call_gets_a_second() {
        let of_call = |elapsed| {
            let usage = Usage { elapsed, written_bytes: 3 << 20, ..Default::default() };
            limits(&usage)
        };
        let get = |limits: &[(LimitName, u64)], name| {
            limits.iter().find(|(limit, _)| *limit == name).map(|(_, value)| *value)
        };
        let short = of_call(std::time::Duration::from_millis(3));
        assert_eq!(get(&short, LimitName::Timeout), Some(1_000));
        let long = of_call(std::time::Duration::from_millis(4_321));
        assert_eq!(get(&long, LimitName::Timeout), Some(6_500));
        assert_eq!(get(&long, LimitName::Written), Some(5));
    }
}
