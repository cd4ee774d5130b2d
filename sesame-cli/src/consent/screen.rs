//! The screen that a person sees before they decide about an extension.

use std::fmt::Write;

use core_types::Grant;
use extension_depot::{PinnedSigner, SignatureState};
use extension_manager::{
    Ask, Denied, Direction, Proposal, ProposedArtifact, ProposedChange, Replaced,
};
use indicatif::HumanBytes;
use jiff::Timestamp;

use super::request_text::RequestText;
use crate::terminal::{escape_to_line, moment::ago};

/// How many digits of a digest are shown: enough to compare two by eye.
const SHORT_DIGEST: usize = 12;

/// Writes the screen of a proposal: everything that matters for the decision, and no question.
pub fn screen(proposal: &Proposal<'_>, now: Timestamp) -> String {
    let Proposal { owner, artifact, change, asks, given, denied } = proposal;
    let mut text = title(&owner.name.to_string(), artifact);
    let mut fact = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<10} {}", escape_to_line(&value));
    };
    fact("source", artifact.source.to_owned());
    fact("digest", short_digest(artifact));
    fact("size", HumanBytes(artifact.size).to_string());
    fact("publisher", publisher(artifact.signature, artifact.first_use));
    if let Some(created) = artifact.created {
        fact("made", format!("{}, as its publisher says", ago(created, now)));
    }
    fact("change", changed(change));
    let asked = |ask: &Ask| RequestText::new(ask, owner).to_string();
    let given_text = |grant: &Grant| RequestText::of_grant(grant, owner).to_string();
    let (optional, required): (Vec<_>, Vec<_>) = asks.iter().partition(|ask| ask.is_optional);
    list(&mut text, "it gets", given.iter().map(given_text));
    list(&mut text, "it needs", required.into_iter().map(asked));
    list(&mut text, "it works without", optional.into_iter().map(asked));
    list(&mut text, "it does not get", denied.iter().map(refused));
    text
}

/// Writes the full lists that the screen shortens.
pub fn details(proposal: &Proposal<'_>) -> String {
    let Proposal { owner, artifact, .. } = proposal;
    let mut text = String::new();
    let mut fact = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<10} {}", escape_to_line(&value));
    };
    fact("reference", artifact.reference.to_string());
    fact("identity", format!("{}: secrets and trust belong to it", owner.identity));
    fact("size", format!("{} bytes", artifact.size));
    if let Some(signature) = artifact.signature {
        fact("signature", signature.to_string());
    }
    if let Some(first) = artifact.first_use {
        fact("first use", format!("{}, {}", first.signer, first.since));
    }
    if let Some(created) = artifact.created {
        fact("made", created.to_string());
    }
    text
}

fn title(name: &str, artifact: &ProposedArtifact<'_>) -> String {
    let version = escape_to_line(&artifact.version);
    match artifact.description {
        Some(description) => format!("{name} {version}: {}\n", escape_to_line(description)),
        None => format!("{name} {version}\n"),
    }
}

fn short_digest(artifact: &ProposedArtifact<'_>) -> String {
    let digest = artifact.reference.provenance().map(ToString::to_string).unwrap_or_default();
    match digest.split_once(':') {
        Some((algorithm, hex)) if hex.len() > SHORT_DIGEST => {
            format!("{algorithm}:{}…", &hex[..SHORT_DIGEST])
        }
        _ => digest,
    }
}

/// Says who signed it, and whether that is the signer of the first version from there.
fn publisher(signature: Option<&SignatureState>, first: Option<&PinnedSigner>) -> String {
    let state = match signature {
        Some(SignatureState::Unsigned) => "unknown: it is not signed".to_owned(),
        Some(SignatureState::Verified { by }) => by.to_string(),
        Some(other) => format!("unknown: {other}"),
        None => return "checked when it was installed".to_owned(),
    };
    match first {
        Some(_) => format!("{state}; something came from there before"),
        None => format!("{state}; nothing came from there before"),
    }
}

fn changed(change: &ProposedChange) -> String {
    let from = |Replaced { reference, direction }: &Replaced| match direction {
        Direction::Upgrade => format!("an upgrade from {}", reference.revision()),
        Direction::Downgrade => format!("a downgrade from {}", reference.revision()),
        Direction::Other => format!("it replaces {reference}"),
    };
    match change {
        ProposedChange::New => "first install".to_owned(),
        ProposedChange::Over(replaced) | ProposedChange::Update(replaced) => from(replaced),
        ProposedChange::RollBack { generation } => format!("back to generation {generation}"),
    }
}

fn list(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        let _ = writeln!(text, "  {title}");
    }
    for line in lines {
        let _ = writeln!(text, "    {}", escape_to_line(&line));
    }
}

fn refused(denied: &Denied) -> String {
    match &denied.policy {
        Some(rule) => format!("{}: {rule}", denied.request()),
        None => format!("{}: no extension gets it", denied.request()),
    }
}
