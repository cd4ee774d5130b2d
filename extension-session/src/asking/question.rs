//! A question, in words that are sesame's own.

use core_types::event::EventPattern;
use core_types::{Capability, ExtensionName, Grant, OciReference, Scope, grant_command};

/// The most permissions of one question: more are not read.
pub(super) const MAX_GRANTS: usize = 4;
/// The longest untrusted text in a question, in characters.
const MAX_TEXT: usize = 80;

/// Permissions that an extension asks for until the login session ends.
///
/// Nothing in it but names and scopes is the choice of an extension, its author or a caller, and
/// these are escaped and cut.
///
/// ```
/// use extension_session::Question;
///
/// let question = Question {
///     name: "greeting".parse()?,
///     reference: "ghcr.io/my-org/greeting:1.0.0".parse()?,
///     grants: vec!["notification".parse()?],
/// };
/// assert_eq!(question.title(), "Permission for greeting");
/// assert!(question.text().contains("show notifications"));
/// assert!(question.text().ends_with("sesame extension grant greeting notification"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The extension.
    pub name: ExtensionName,
    /// The artifact that asks. The answer is for no other one.
    pub reference: OciReference,
    /// The permissions.
    pub grants: Vec<Grant>,
}

impl Question {
    /// Returns its title.
    pub fn title(&self) -> String {
        format!("Permission for {}", shown(self.name.as_str()))
    }

    /// Returns its text: who asks, for what, and what grants it for good.
    pub fn text(&self) -> String {
        let (name, identity) = (shown(self.name.as_str()), self.reference.identity());
        // The digest of a local file says nothing to a person.
        let place = identity.as_str().split('@').next().unwrap_or_default();
        let mut text = format!("{name}, which is from {}, asks to:\n", shown(place));
        let scopes: Vec<_> = self.grants.iter().map(|grant| shown(&grant.to_string())).collect();
        for (grant, scope) in self.grants.iter().zip(&scopes) {
            text.push_str(&format!("- {} ({scope})\n", grant.meaning()));
        }
        text + "For good: " + &grant_command(&self.name, scopes.iter().map(String::as_str))
    }

    /// Returns the capabilities that it is about, each once.
    pub(super) fn capabilities(&self) -> Vec<Capability> {
        let mut capabilities: Vec<_> = self.grants.iter().map(Grant::capability).collect();
        capabilities.sort_unstable();
        capabilities.dedup();
        capabilities
    }
}

/// Tells whether a notification offers a permission. One that gives access to files, secrets,
/// resources or the local network, or reaches beyond one named thing, needs the command line.
pub(super) fn is_offered(grant: &Grant) -> bool {
    // Of a longer text the end would not be seen, which is the part of a host that counts.
    let text = grant.to_string();
    if text.len() > MAX_TEXT || !text.chars().all(is_plain) {
        return false;
    }
    match (grant.capability(), grant.scope()) {
        (Capability::Notification | Capability::ClipboardWrite, Scope::Whole) => true,
        (Capability::IpcPublish, Scope::Pattern(topic)) => !topic.to_string().contains('*'),
        (Capability::Storage, Scope::Size(_)) | (Capability::Env, Scope::Variable(_)) => true,
        (Capability::Network, Scope::Host(rule)) => rule.is_one_public_host(),
        (Capability::Events, Scope::Events(EventPattern::Name(name))) => !name.is_private(),
        _ => false,
    }
}

/// Returns an untrusted text as it is shown: in plain ASCII, and not too long.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        let before = shown.len();
        match is_plain(c) {
            true => shown.push(c),
            false => shown.extend(c.escape_unicode()),
        }
        if shown.len() > MAX_TEXT {
            shown.truncate(before);
            shown.push('…');
            break;
        }
    }
    shown
}

fn is_plain(c: char) -> bool {
    c.is_ascii_graphic() || c == ' '
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> Grant {
        text.parse().expect(text)
    }

    #[test]
    fn narrow_permissions_are_offered() {
        for text in [
            "notification",
            "clipboard-write",
            "ipc-publish=greeting.said",
            "storage",
            "storage=1024KiB",
            "env=LANG",
            "events=power.battery",
            "events=custom.build.done",
            "network=api.example.com",
            "network=api.example.com:8443",
        ] {
            assert!(is_offered(&grant(text)), "{text}");
        }
        for text in [
            "filesystem=read:~/notes",
            "filesystem=write:~/notes",
            "secret-read=token",
            "secret-write=token",
            "config-read",
            "exec-env=APP_MODE",
            "resources=v1/secrets:get",
            "experimental=wasi-0.3",
            "events=file.changed",
            "events=network.wifi",
            "events=time.*",
            "events=custom.build.*",
            "ipc-publish=greeting.*",
            "network=*.example.com",
            "network=http://api.example.com",
            "network=api.example.com+private",
            "network=localhost",
            "network=127.0.0.1",
            "network=[::1]:8443",
            "network=93.184.215.14",
            "network=api.github.com.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.evil.example",
        ] {
            assert!(!is_offered(&grant(text)), "{text}");
        }
    }

    /// Every capability is decided about here, and those that are never offered stay so.
    #[test]
    fn offered_capabilities_are_few() {
        let offered = Capability::ALL
            .into_iter()
            .filter(|capability| is_offered(&grant(Grant::example(*capability))));
        let names: Vec<_> = offered.map(|capability| capability.to_string()).collect();
        assert_eq!(
            names,
            ["notification", "clipboard-write", "storage", "env", "network", "events"]
        );
    }

    #[test]
    fn question_is_in_our_words() {
        let reference = "ghcr.io/my-org/greeting:1.0.0".parse().expect("a reference");
        let grants = ["notification", "network=api.example.com"].map(grant);
        let name = "greeting".parse().expect("a name");
        let question = Question { name, reference, grants: grants.into() };
        insta::assert_snapshot!(question.text(), @r#"
        greeting, which is from ghcr.io/my-org/greeting, asks to:
        - show notifications, ten a minute at most (notification)
        - send anything that it knows to this host, and read what the host answers (network=api.example.com)
        For good: sesame extension grant greeting notification network=api.example.com
        "#);
    }

    #[test]
    fn text_of_others_is_escaped_and_cut() {
        assert_eq!(shown("a\u{202e}b\nc\u{1b}é"), "a\\u{202e}b\\u{a}c\\u{1b}\\u{e9}");
        let long = shown(&"x".repeat(10_000));
        assert_eq!((long.chars().count(), long.ends_with('…')), (MAX_TEXT + 1, true));
        let escaped = shown(&"é".repeat(80));
        assert!(escaped.chars().count() <= MAX_TEXT + 1, "{escaped}");
    }
}
