//! A credential with its key, its counter and its total: what may be signed, and what was.

use armring_token::{
    Counter, Credential, CredentialRights, Form, Gesture, Minor, Payment, PaymentRequest, PaymentToken, Presence, Receipt,
    Signing, Verified,
};
use armring_wire::records::band::Decline;
use armring_wire::{Amount, PayeeRef, RequestDigest, TokenDigest, UnixTime};

use crate::keys::OpenKey;

/// How many tokens are remembered under a credential: a request that one of them answered gets the same token again.
pub const TOKENS_REMEMBERED: usize = 4;

/// A token that was signed, its digest, and whether the wearer was told what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed {
    pub(crate) token: PaymentToken,
    digest: TokenDigest,
    pub(crate) told: bool,
}

/// A credential, ready to pay.
pub(crate) struct Purse<S> {
    credential: Credential,
    signing: Signing<Payment, S>,
    counter: Counter,
    cumulative: Minor,
    ceiling: Minor,
    signed: [Option<Signed>; TOKENS_REMEMBERED],
}

impl<S> Purse<S> {
    pub(crate) fn new(credential: Credential, key: OpenKey<S>) -> Self {
        let ceiling = credential.limits.offline_total;
        let (counter, cumulative) = (Counter(0), Minor(0));
        Self { credential, signing: key.signing, counter, cumulative, ceiling, signed: [None; TOKENS_REMEMBERED] }
    }

    pub(crate) const fn credential(&self) -> &Credential {
        &self.credential
    }

    pub(crate) const fn signing(&self) -> &Signing<Payment, S> {
        &self.signing
    }

    /// The token that answered this request, if it is remembered.
    pub(crate) fn token_for(&self, request: &RequestDigest) -> Option<&PaymentToken> {
        self.signed.iter().flatten().map(|signed| &signed.token).find(|token| token.request == *request)
    }

    /// The token with this digest, if it is remembered.
    pub(crate) fn signed(&self, digest: &TokenDigest) -> Option<&Signed> {
        self.signed.iter().flatten().find(|signed| signed.digest == *digest)
    }

    /// Takes note that the wearer was told what became of the token with this digest.
    pub(crate) fn told(&mut self, digest: &TokenDigest) {
        if let Some(signed) = self.signed.iter_mut().flatten().find(|signed| signed.digest == *digest) {
            signed.told = true;
        }
    }

    /// What the wearer has to do to pay `amount` to `payee`; or why it cannot be paid at all.
    pub(crate) fn effort(&self, request: &PaymentRequest<'_>, latest: UnixTime) -> Result<Gesture, Decline> {
        let Credential { id, currency, limits, rights, validity, .. } = &self.credential;
        let allowed = rights.allows(CredentialRights::PAY)
            && request.amount.currency() == *currency
            && !request.amount.is_zero()
            && request.payee != PayeeRef::Credential(*id);
        if !allowed {
            return Err(Decline::NotAllowed);
        }
        // The band has no clock: what is over by the latest time that the issuer signed is over.
        if request.expiry <= latest || validity.until <= latest {
            return Err(Decline::Expired);
        }
        let amount = Minor(request.amount.minor());
        if amount > limits.each {
            return Err(Decline::OverLimit);
        }
        Ok(if amount > limits.press { Gesture::FreshUnlock } else { Gesture::Press })
    }

    /// Why no payment request can be signed for `amount`, if so.
    pub(crate) fn may_receive(&self, amount: Amount, expiry: UnixTime, latest: UnixTime) -> Result<(), Decline> {
        let Credential { currency, rights, validity, .. } = &self.credential;
        if !rights.allows(CredentialRights::RECEIVE) || amount.currency() != *currency || amount.is_zero() {
            return Err(Decline::NotAllowed);
        }
        if expiry <= latest || validity.until <= latest { Err(Decline::Expired) } else { Ok(()) }
    }

    /// The token that pays `amount` to `payee` for `request`. Nothing is counted until [`Self::count`]: the token has to be stored first.
    pub(crate) fn next_token(
        &self,
        request: RequestDigest,
        payee: PayeeRef,
        amount: Amount,
        presence: Presence,
    ) -> Result<PaymentToken, Decline> {
        let counter = self.counter.0.checked_add(1).map(Counter).ok_or(Decline::Exhausted)?;
        let cumulative = self.cumulative.0.checked_add(amount.minor()).map(Minor).ok_or(Decline::Exhausted)?;
        let presence = Presence { online_only: cumulative > self.ceiling, ..presence };
        let credential = self.credential.id;
        Ok(PaymentToken { form: Form, credential, payee, request, amount, counter, cumulative, presence })
    }

    /// Takes note of a token that was stored: signed now, or before a restart.
    pub(crate) fn count(&mut self, token: PaymentToken, digest: TokenDigest) {
        self.counter = self.counter.max(token.counter);
        self.cumulative = self.cumulative.max(token.cumulative);
        if let Some(place) = self.signed.get_mut(place_of(&token)) {
            *place = Some(Signed { token, digest, told: false });
        }
    }

    /// The ceiling that a receipt for one of this credential's tokens sets.
    pub(crate) fn answer(&mut self, receipt: &Verified<Receipt>) -> Minor {
        if receipt.ceiling.currency() == self.credential.currency {
            self.raise_ceiling(Minor(receipt.ceiling.minor()));
        }
        self.ceiling
    }

    /// The ceiling never falls: what it counts, settled and voided, never does.
    pub(crate) fn raise_ceiling(&mut self, ceiling: Minor) {
        self.ceiling = self.ceiling.max(ceiling);
    }
}

/// Where a token is stored, in place of the oldest one that is remembered.
pub(crate) const fn place_of(token: &PaymentToken) -> usize {
    token.counter.0 as usize % TOKENS_REMEMBERED
}
