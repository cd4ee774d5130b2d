//! Checks, and what is kept: signers, logins, tags, names of secrets.

use extension_depot::registry::{KeptLogin, LoginStore};
use extension_depot::{PinnedSigner, TrustAnchor, TrustedSigner};

use super::renderer::{listing, with_text_below};
use crate::listing::{Checks, Collected, Diagnoses, Logins, Secrets, Signers, Tags};
use crate::outcome::{Check, Collection, Diagnosis, Health, Trust};
use crate::render::Rendered;
use crate::render::cell::Cell;
use crate::render::screen::Screen;
use crate::terminal::{Style, escape_to_line};

/// Lists checks: `verify`
pub(in crate::render) fn checks(screen: &Screen, checks: &[Check]) -> Rendered {
    let row = |check: &Check| {
        let (state, style) = match (check.findings.is_empty(), check.repaired.is_empty()) {
            (true, true) => ("good", Style::Good),
            (true, false) => ("repaired", Style::Attention),
            (false, _) => ("damaged", Style::Bad),
        };
        let findings: Vec<_> =
            check.repaired.iter().chain(&check.findings).map(String::as_str).collect();
        vec![
            check.name.as_str().into(),
            Cell::new(state).styled(style),
            findings.join("; ").into(),
            signature(screen, check).into(),
        ]
    };
    let rows: Vec<_> = checks.iter().map(row).collect();
    listing::<Checks>(screen, &rows, "no extensions are installed")
}

fn signature(screen: &Screen, check: &Check) -> Option<String> {
    let signature = check.signature.as_ref()?;
    let at = check.checked_at.as_ref().map(|at| format!(" ({})", screen.written_time(at)));
    Some(format!("{signature}{}", at.unwrap_or_default()))
}

/// Lists diagnoses: `doctor`. On a terminal the fixes follow the table, each on a line that can be
/// pasted.
pub(in crate::render) fn diagnoses(screen: &Screen, diagnoses: &[Diagnosis]) -> Rendered {
    let row = |diagnosis: &Diagnosis| {
        let Diagnosis { what, health, finding, fix } = diagnosis;
        let style = match health {
            Health::Good => Style::Good,
            Health::Warning => Style::Attention,
            Health::Bad => Style::Bad,
        };
        vec![
            what.as_str().into(),
            Cell::new(health.name()).styled(style),
            finding.as_str().into(),
            fix.as_deref().into(),
        ]
    };
    let rows: Vec<_> = diagnoses.iter().map(row).collect();
    let fixes = diagnoses.iter().filter_map(|one| Some((&one.what, one.fix.as_ref()?)));
    let line = |(what, fix): (&String, &String)| {
        format!("fix {}: {}\n", escape_to_line(what), escape_to_line(fix))
    };
    with_text_below::<Diagnoses>(screen, &rows, "", || fixes.map(line).collect())
}

/// Lists removed generations: `gc`. The files are a note below them.
pub(in crate::render) fn collected(screen: &Screen, collection: &Collection) -> Rendered {
    let Collection { generations, blobs, compiled, bytes, is_dry_run } = collection;
    let done = if *is_dry_run { "would be removed" } else { "removed" };
    let row = |(name, number): &(core_types::ExtensionName, u32)| {
        vec![name.as_str().into(), number.to_string().into(), done.into()]
    };
    let rows: Vec<_> = generations.iter().map(row).collect();
    let listed = listing::<Collected>(screen, &rows, "every generation is kept");
    let (blobs, compiled) = (blobs.len(), compiled.len());
    let files =
        format!("{blobs} blobs and {compiled} files of compiled code {done}: {bytes} bytes\n");
    Rendered { stderr: listed.stderr + &files, ..listed }
}

/// Lists signers: `trust list`
pub(in crate::render) fn signers(screen: &Screen, trust: &Trust) -> Rendered {
    let trusted = trust.signers.iter().map(|TrustedSigner { place, proof }| {
        let (signer, issuer) = match proof {
            TrustAnchor::Key { fingerprint, .. } => (fingerprint.to_string(), None),
            TrustAnchor::Identity(rule) => (rule.identity.clone(), Some(rule.issuer.as_str())),
        };
        let kind = Cell::new("trusted").styled(Style::Good);
        vec![kind, place.to_string().into(), signer.into(), issuer.into(), Cell::default()]
    });
    let first = trust.first_uses.iter().map(|first| {
        let PinnedSigner { repository, signer, since, .. } = first;
        let (signer, since) = (signer.to_string(), Cell::time(*since, screen.now()));
        let place = repository.to_string();
        vec!["first".into(), place.into(), signer.into(), Cell::default(), since]
    });
    let rows: Vec<_> = trusted.chain(first).collect();
    listing::<Signers>(screen, &rows, "no signers are trusted, and none is pinned")
}

/// Lists logins: `registry list`
pub(in crate::render) fn logins(screen: &Screen, logins: &[KeptLogin]) -> Rendered {
    let row = |login: &KeptLogin| {
        let store = match &login.store {
            LoginStore::SecretService => "the Secret Service".to_owned(),
            LoginStore::File(path) => path.display().to_string(),
        };
        vec![login.registry.as_str().into(), store.into()]
    };
    let rows: Vec<_> = logins.iter().map(row).collect();
    listing::<Logins>(screen, &rows, "no logins are kept")
}

/// Lists tags: `registry tags`
pub(in crate::render) fn tags(screen: &Screen, tags: &[String]) -> Rendered {
    listing::<Tags>(screen, &single(tags), "the repository has no tags")
}

/// Lists the names of secrets: `secret list`
pub(in crate::render) fn secrets(screen: &Screen, names: &[String]) -> Rendered {
    listing::<Secrets>(screen, &single(names), "no secrets are kept")
}

fn single(texts: &[String]) -> Vec<Vec<Cell>> {
    texts.iter().map(|text| vec![text.as_str().into()]).collect()
}
