//! The tokens that a sale has taken.

use std::collections::VecDeque;

use armring_wire::{Outcome, TokenDigest};

use crate::error::TokenError;

/// How many tokens a sale keeps at most that wait for the issuer's answer or have one. One that waits is never let go of for a newer one.
const TOKENS_MAX: usize = 8;
/// How many copies of one body, each under another signature, wait at most.
pub(crate) const COPIES_MAX: usize = 4;

/// The tokens of a sale.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens(pub(crate) Vec<Taken>);

/// A token that was taken, and how far it is.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) digest: TokenDigest,
    /// The token under each signature that it came with: until the issuer has answered, nobody here knows which one verifies. The issuer is
    /// asked about the first. Never empty.
    pub(crate) copies: VecDeque<Vec<u8>>,
    pub(crate) state: State,
}

#[derive(Clone, Debug)]
pub(crate) enum State {
    /// Nothing of it was verified here.
    Waiting,
    /// It was verified by its credential and accepted without asking the issuer.
    Pending,
    /// The issuer's receipt for it.
    Answered(Vec<u8>, Outcome),
}

impl Taken {
    pub(crate) fn token(&self) -> &[u8] {
        self.copies.front().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn receipt(&self) -> Option<(&[u8], Outcome)> {
        match &self.state {
            State::Answered(receipt, outcome) => Some((receipt, *outcome)),
            State::Waiting | State::Pending => None,
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.receipt().is_some_and(|(_, outcome)| outcome.is_settled())
    }

    pub(crate) const fn is_pending(&self) -> bool {
        matches!(self.state, State::Pending)
    }

    /// The issuer's receipt for the copy that it was asked about. Its first answer is final.
    pub(crate) fn answer(&mut self, receipt: &[u8], outcome: Outcome) -> Outcome {
        if let Some((_, first)) = self.receipt() {
            return first;
        }
        self.copies.truncate(1);
        self.state = State::Answered(receipt.to_vec(), outcome);
        outcome
    }
}

impl Tokens {
    pub(crate) fn find(&self, digest: &TokenDigest) -> Option<&Taken> {
        self.0.iter().find(|taken| taken.digest == *digest)
    }

    pub(crate) fn find_mut(&mut self, digest: &TokenDigest) -> Option<&mut Taken> {
        self.0.iter_mut().find(|taken| taken.digest == *digest)
    }

    pub(crate) fn settled(&self) -> Option<&Taken> {
        self.0.iter().find(|taken| taken.is_settled())
    }

    /// The one of which nothing was verified that has waited longest.
    pub(crate) fn waiting(&self) -> Option<&Taken> {
        self.0.iter().find(|taken| matches!(taken.state, State::Waiting))
    }

    pub(crate) fn pending(&self) -> Option<&Taken> {
        self.0.iter().find(|taken| taken.is_pending())
    }

    /// Keeps a token, of which nothing is verified, for the issuer to answer.
    pub(crate) fn keep(&mut self, digest: TokenDigest, token: &[u8]) -> Result<(), TokenError> {
        if let Some(taken) = self.find_mut(&digest) {
            let waits = matches!(taken.state, State::Waiting) && !taken.copies.iter().any(|copy| copy == token);
            if waits && taken.copies.len() >= COPIES_MAX {
                return Err(TokenError::TooMany);
            }
            if waits {
                taken.copies.push_back(token.to_vec());
            }
            return Ok(());
        }
        self.is_open()?;
        if self.0.len() >= TOKENS_MAX {
            let refused = self.0.iter().position(|taken| taken.receipt().is_some()).ok_or(TokenError::TooMany)?;
            self.0.remove(refused);
        }
        self.push(digest, token, State::Waiting);
        Ok(())
    }

    /// Whether another token may still be taken.
    pub(crate) fn is_open(&self) -> Result<(), TokenError> {
        match (self.settled(), self.pending()) {
            (Some(_), _) => Err(TokenError::AlreadySettled),
            (None, Some(_)) => Err(TokenError::AlreadyPending),
            (None, None) => Ok(()),
        }
    }

    /// Keeps a token that verified, in place of all copies of it. It has its place whatever else waits.
    pub(crate) fn accept(&mut self, digest: TokenDigest, token: &[u8]) {
        match self.find_mut(&digest) {
            Some(taken) => {
                taken.copies = VecDeque::from([token.to_vec()]);
                taken.state = State::Pending;
            }
            None => self.push(digest, token, State::Pending),
        }
    }

    /// The issuer could not verify the signature of the copy that it was asked about: the next one is tried. What verified here stays.
    pub(crate) fn drop_copy(&mut self, digest: &TokenDigest) {
        if let Some(taken) = self.find_mut(digest).filter(|taken| matches!(taken.state, State::Waiting)) {
            taken.copies.pop_front();
        }
        self.0.retain(|taken| !taken.copies.is_empty());
    }

    /// The issuer does not take this body under any signature. What verified here, or has an answer, stays.
    pub(crate) fn drop_body(&mut self, digest: &TokenDigest) {
        self.0.retain(|taken| taken.digest != *digest || !matches!(taken.state, State::Waiting));
    }

    fn push(&mut self, digest: TokenDigest, token: &[u8], state: State) {
        self.0.push(Taken { digest, copies: VecDeque::from([token.to_vec()]), state });
    }
}
