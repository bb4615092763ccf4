//! What came of a line.

use super::language::Wanted;

/// How something ended, with what was said about it.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) how: Wanted,
    pub(super) said: String,
    /// The receipt that it ended with, in hexadecimal.
    pub(super) receipt: Option<String>,
}

impl Outcome {
    pub(super) fn new(how: Wanted, said: impl Into<String>) -> Self {
        Self { how, said: said.into(), receipt: None }
    }

    pub(super) fn done() -> Self {
        Self::new(Wanted::Done, "")
    }

    pub(super) fn with_receipt(self, receipt: String) -> Self {
        Self { receipt: Some(receipt), ..self }
    }

    /// As it is told where a story does not say how.
    pub(super) fn told(&self) -> String {
        let mut word = self.how.word().to_owned();
        if let Some(first) = word.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        if self.said.is_empty() { format!("{word}.") } else { format!("{word}: {}.", self.said) }
    }
}
