//! Taking a token on trust, when the issuer cannot be reached.

use armring_token::{Credential, CredentialRights, KeyList, PaymentToken, Unverified, Verified, VerifyError};
use armring_wire::records::issuer::Refusal;
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{Amount, PayeeRef, TokenDigest, UnixTime, decode_record};

use crate::error::{OfflineError, TokenError};
use crate::floor::Offline;
use crate::revoked::Revoked;
use crate::sale::{Sale, unheard};

/// What a payee without network checks a token with.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'a> {
    /// The issuer's keys.
    pub keys: &'a Verified<KeyList>,
    /// Who no longer counts.
    pub revoked: &'a Revoked,
}

/// A payment that was accepted without asking the issuer. It is not settled: only a receipt for it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending<'a> {
    /// The token, which verified with the payer's credential.
    pub token: &'a [u8],
    /// What it is known by, to [redeem](Sale::redeem) it.
    pub digest: TokenDigest,
    /// How much it will have paid.
    pub amount: Amount,
}

impl Sale {
    /// What a payer's wallet said, one record, while the issuer cannot be reached; and what to say to that. Nothing is kept of a token that is
    /// not accepted.
    pub fn hear_offline(&mut self, record: &[u8], book: &mut Offline, lists: Lists<'_>, now: UnixTime) -> FromPayee<'_> {
        let (token, credential) = match decode_record(record) {
            Ok(ToPayee::Ask) => return self.ask(),
            Ok(ToPayee::Token(token)) => (token.as_bytes(), None),
            Ok(ToPayee::Offline { token, credential }) => (token.as_bytes(), Some(credential.as_bytes())),
            Err(error) => return unheard(error),
            Ok(ToPayee::Unknown(_)) => return FromPayee::Refused(Refusal::Malformed),
        };
        let digest = match self.answered_by(token) {
            Ok(unverified) => unverified.token_digest(&self.root),
            Err(error) => return error.into(),
        };
        let known = self.tokens.find(&digest).map(|taken| (taken.receipt().is_some(), taken.is_pending()));
        match (known, credential) {
            (Some((true, _)), _) => self.receipt_for(&digest).unwrap_or(FromPayee::Nothing),
            (Some((_, true)), _) => FromPayee::Pending,
            (_, Some(credential)) => match self.accept_offline(token, credential, book, lists, now) {
                Ok(_) => FromPayee::Pending,
                Err(error) => error.into(),
            },
            (_, None) => self.tokens.is_open().map_or_else(FromPayee::from, |()| FromPayee::Refused(Refusal::NotOffline)),
        }
    }

    /// Accepts a token without asking the issuer: everything is checked but whether it was spent elsewhere, which only the issuer knows. The
    /// token takes its place in `book` until [`Offline::release`], and is to be redeemed as soon as there is network. One that was accepted
    /// before is the same one and is counted once.
    ///
    /// # Errors
    /// An [`OfflineError`]; nothing has then changed.
    pub fn accept_offline(
        &mut self,
        token: &[u8],
        credential: &[u8],
        book: &mut Offline,
        lists: Lists<'_>,
        now: UnixTime,
    ) -> Result<Pending<'_>, OfflineError> {
        let unverified = self.answered_by(token)?;
        let digest = unverified.token_digest(&self.root);
        let is_new = !self.tokens.find(&digest).is_some_and(|taken| taken.is_pending());
        if is_new {
            self.tokens.is_open()?;
            if self.tokens.find(&digest).is_some_and(|taken| taken.receipt().is_some()) {
                return Err(OfflineError::Answered);
            }
            let credential = self.verify_credential(credential, lists, now)?;
            let verified = self.verify_token(unverified, &credential, now)?;
            book.admit(&verified, &credential, digest)?;
            self.tokens.accept(digest, token);
        }
        self.pending().ok_or(OfflineError::Token(TokenError::TooMany))
    }

    /// The payment that waits to be redeemed, after it was accepted without network.
    #[must_use]
    pub fn pending(&self) -> Option<Pending<'_>> {
        let taken = self.tokens.pending()?;
        Some(Pending { token: taken.token(), digest: taken.digest, amount: self.amount() })
    }

    /// The payer's credential: the issuer signed it, it holds now, and it is not revoked. Neither is this payee.
    fn verify_credential(&self, object: &[u8], lists: Lists<'_>, now: UnixTime) -> Result<Verified<Credential>, OfflineError> {
        if lists.keys.next_update <= now {
            return Err(OfflineError::StaleKeyList);
        }
        if !lists.revoked.is_fresh(now) {
            return Err(OfflineError::StaleRevocations);
        }
        let unverified = Unverified::<Credential>::parse(object).map_err(VerifyError::from)?;
        let issuer = lists.keys.signing_key(unverified.claims().key, unverified.claims().validity.from)?;
        let credential = unverified.verify(&self.root, &issuer)?;
        let payer = PayeeRef::Credential(credential.id);
        if lists.revoked.contains(payer) || lists.revoked.contains(self.payee) {
            return Err(OfflineError::Revoked);
        }
        let allowed = credential.validity.contains(now)
            && credential.rights.allows(CredentialRights::PAY)
            && credential.currency == self.amount().currency()
            && payer != self.payee;
        if allowed { Ok(credential) } else { Err(OfflineError::NotAllowed) }
    }

    /// The token: the credential's key signed it, for use without network, with as much effort as the amount asks for, in time.
    fn verify_token(
        &self,
        unverified: Unverified<'_, PaymentToken>,
        credential: &Credential,
        now: UnixTime,
    ) -> Result<Verified<PaymentToken>, OfflineError> {
        if unverified.claims().credential != credential.id {
            return Err(OfflineError::OtherCredential);
        }
        let token = unverified.verify(&self.root, &credential.payment_key().ok_or(VerifyError::Key)?)?;
        if self.expiry <= now {
            return Err(OfflineError::Expired);
        }
        if token.presence.online_only {
            return Err(OfflineError::OnlineOnly);
        }
        if !credential.limits.allows(armring_token::Minor(token.amount.minor()), token.presence) {
            return Err(OfflineError::OverLimit);
        }
        Ok(token)
    }
}

impl From<OfflineError> for FromPayee<'_> {
    fn from(error: OfflineError) -> Self {
        match error {
            OfflineError::Token(error) => error.into(),
            OfflineError::Answered => Self::Nothing,
            OfflineError::NotVerified(VerifyError::Malformed) => Self::Refused(Refusal::Malformed),
            OfflineError::NotVerified(_) | OfflineError::OtherCredential => Self::Refused(Refusal::Signature),
            _ => Self::Refused(Refusal::NotOffline),
        }
    }
}
