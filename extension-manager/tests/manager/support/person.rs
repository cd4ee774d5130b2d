//! A person who answers as a test wants it.

use std::cell::RefCell;

use extension_manager::{Answer, Asked, Consent, Proposal, Question, Verdict};

/// An action of a test while a person thinks.
type Meanwhile<'a> = Box<dyn FnMut() + 'a>;

/// Answers each proposal in the same way, and remembers the texts.
pub struct Person<'a> {
    answers: Vec<Answer>,
    confirms: bool,
    meanwhile: RefCell<Option<Meanwhile<'a>>>,
    /// The shown texts, a line for each proposal or question.
    shown: RefCell<Vec<String>>,
}

impl<'a> Person<'a> {
    /// Answers with these.
    pub fn answering(answers: &[Answer]) -> Self {
        Self {
            answers: answers.to_vec(),
            confirms: true,
            meanwhile: RefCell::default(),
            shown: RefCell::default(),
        }
    }

    /// Confirms nothing.
    pub fn refusing() -> Self {
        Self { confirms: false, ..Self::answering(&[]) }
    }

    /// Does something before the answer.
    pub fn while_thinking(self, meanwhile: impl FnMut() + 'a) -> Self {
        Self { meanwhile: RefCell::new(Some(Box::new(meanwhile))), ..self }
    }

    pub fn shown(&self) -> Vec<String> {
        self.shown.borrow().clone()
    }
}

impl Consent for Person<'_> {
    fn answer(&self, proposal: &Proposal<'_>) -> Verdict {
        let asks: Vec<_> = proposal
            .asks
            .iter()
            .map(|ask| match (&ask.request, &ask.settings) {
                (Asked::Grant(grant), _) if ask.is_optional => format!("{grant} (optional)"),
                (Asked::Grant(grant), Some(settings)) => format!("{grant} ({settings})"),
                (Asked::Grant(grant), None) => grant.to_string(),
                (Asked::WithoutScope(capability), _) => format!("{capability} (no scope)"),
            })
            .collect();
        let signature = proposal.artifact.signature.map(ToString::to_string).unwrap_or_default();
        self.shown.borrow_mut().push(format!(
            "{} {}, {signature}: {}",
            proposal.owner.name,
            proposal.artifact.version,
            asks.join(" ")
        ));
        if let Some(meanwhile) = self.meanwhile.borrow_mut().as_mut() {
            meanwhile();
        }
        if self.confirms { Verdict::Answered(self.answers.clone()) } else { Verdict::Declined }
    }

    fn confirm(&self, question: &Question<'_>) -> bool {
        let line = match question {
            Question::Replace { owner, granted, .. } => {
                let granted: Vec<_> = granted.iter().map(ToString::to_string).collect();
                format!("replace {}, which keeps {}", owner.name, granted.join(" "))
            }
            Question::SecretsOfOrigin { owner } => {
                format!("{} gets the secrets of {}", owner.name, owner.identity)
            }
        };
        self.shown.borrow_mut().push(line);
        self.confirms
    }
}
