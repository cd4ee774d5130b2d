//! Asks a person at the terminal about an extension's permissions.

use core_types::{Capability, Grant, Owner};
use extension_manager::{Answer, Ask, Asked, Consent, Proposal, Question, Verdict};
use jiff::Timestamp;

use super::request_text::{meaning, meaning_of};
use super::screen::{details, screen};
use crate::context::Context;

/// The choices under a screen. No is the default.
const CHOICES: &str =
    "[i]nstall with these, [c]hoose one by one, [s]ession only, [v]iew details, [N]o:";

/// Asks the person at the terminal. Without one, nothing is granted, and the options of the command
/// count as confirmation.
pub struct TerminalConsent<'a> {
    context: &'a Context,
}

impl<'a> TerminalConsent<'a> {
    /// Asks on the terminal of this command.
    pub fn new(context: &'a Context) -> Self {
        Self { context }
    }
}

impl Consent for TerminalConsent<'_> {
    fn answer(&self, proposal: &Proposal<'_>) -> Verdict {
        if !self.context.can_ask() {
            return Verdict::Unattended;
        }
        self.context.progress.clear();
        let terminal = &self.context.terminal;
        terminal.status(&screen(proposal, Timestamp::now()));
        loop {
            match terminal.ask(CHOICES).unwrap_or_default().to_ascii_lowercase().as_str() {
                // `y` means the shown requests.
                "i" | "install" | "y" | "yes" => return self.all(proposal, Duration::Always),
                "s" | "session" => return self.all(proposal, Duration::Session),
                "c" | "choose" => return self.each(proposal),
                "v" | "view" => terminal.status(&details(proposal)),
                "" => {
                    terminal.status("no answer is a no");
                    return Verdict::Declined;
                }
                "n" | "no" => return Verdict::Declined,
                other => terminal.status(&format!("`{other}` is not one of i, c, s, v and n")),
            }
        }
    }

    fn confirm(&self, question: &Question<'_>) -> bool {
        let context = self.context;
        context.progress.clear();
        match question {
            Question::Replace { owner, old, new, granted } => {
                let name = &owner.name;
                context.status(&format!(
                    "`{name}` is replaced:\n  installed: {old}\n  new:       {new}"
                ));
                for grant in granted {
                    context.status(&format!("  it keeps: {grant}"));
                }
                let identity = old.identity();
                context
                    .status(&format!("  it keeps its settings, and the secrets of `{identity}`"));
                // Without a terminal, `--replace` is the consent.
                !context.can_ask() || is_confirmed(context, "Replace it?")
            }
            Question::SecretsOfOrigin { owner: Owner { name, identity } } => {
                let question = format!(
                    "`{name}` may use secrets, which would be those of `{identity}` from now on. Go on?"
                );
                context.can_ask() && is_confirmed(context, &question)
            }
        }
    }
}

impl TerminalConsent<'_> {
    /// Grants all that is shown. A capability without a scope is granted as far as the person says.
    fn all(&self, proposal: &Proposal<'_>, duration: Duration) -> Verdict {
        let answer = |ask: &Ask| match (&ask.request, duration) {
            (Asked::Grant(_), Duration::Always) => Answer::Always,
            (Asked::Grant(_), Duration::Session) => Answer::Session,
            (Asked::WithoutScope(capability), _) => {
                duration.within(self.allowed_scope(proposal.owner, *capability))
            }
        };
        Verdict::Answered(proposal.asks.iter().map(answer).collect())
    }

    /// Asks about each request by itself.
    fn each(&self, proposal: &Proposal<'_>) -> Verdict {
        let answer = |ask: &Ask| match &ask.request {
            Asked::Grant(grant) => self.one(proposal.owner, grant),
            Asked::WithoutScope(capability) => {
                Duration::Always.within(self.allowed_scope(proposal.owner, *capability))
            }
        };
        Verdict::Answered(proposal.asks.iter().map(answer).collect())
    }

    /// Asks about one request: its meaning and its duration.
    fn one(&self, owner: &Owner, grant: &Grant) -> Answer {
        let (name, meaning) = (&owner.name, meaning(grant, owner));
        let question = format!(
            "`{name}` asks for {grant}: it could {meaning}.\n  Allow it? [a]lways, for this [s]ession, [N]o:"
        );
        let terminal = &self.context.terminal;
        loop {
            match terminal.ask(&question).unwrap_or_default().to_ascii_lowercase().as_str() {
                "a" | "always" | "y" | "yes" => return Answer::Always,
                "s" | "session" => return Answer::Session,
                "" => {
                    terminal.status("no answer is a no");
                    return Answer::No;
                }
                "n" | "no" => return Answer::No,
                other => terminal.status(&format!("`{other}` is not one of a, s and n")),
            }
        }
    }

    /// Asks whether a capability without a scope is allowed at all, and how far. These are two
    /// questions, so that a `no` to the first is not the name of a scope.
    fn allowed_scope(&self, owner: &Owner, capability: Capability) -> Option<Grant> {
        let (name, meaning) = (&owner.name, meaning_of(capability, owner));
        let question = format!(
            "`{name}` imports {capability} and does not say how far it has to reach: it could {meaning}.\n  Allow it at all?"
        );
        let is_allowed = self.context.terminal.confirm(&question).unwrap_or_default();
        is_allowed.then(|| self.scope(capability)).flatten()
    }

    /// Asks how far a capability reaches; nothing typed is not allowed.
    fn scope(&self, capability: Capability) -> Option<Grant> {
        let terminal = &self.context.terminal;
        let how_far = format!(
            "  how far, as in `{}` (nothing: not allowed)\n  {capability}=",
            Grant::example(capability)
        );
        loop {
            let scope = terminal.ask(&how_far).ok().filter(|scope| !scope.is_empty())?;
            match format!("{capability}={scope}").parse() {
                Ok(grant) => return Some(grant),
                Err(error) => terminal.status(&format!("not allowed: {error}")),
            }
        }
    }
}

/// How long something is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duration {
    Always,
    Session,
}

impl Duration {
    /// Returns the answer that grants this much for this long.
    fn within(self, grant: Option<Grant>) -> Answer {
        match (grant, self) {
            (Some(grant), Self::Always) => Answer::AlwaysAs(grant),
            (Some(grant), Self::Session) => Answer::SessionAs(grant),
            (None, _) => Answer::No,
        }
    }
}

fn is_confirmed(context: &Context, question: &str) -> bool {
    context.terminal.confirm(question).unwrap_or_default()
}
