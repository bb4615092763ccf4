//! A credential with its key, its counter and its total: what may be signed, and what was.

use armring_token::{
    Counter, Credential, CredentialRights, Form, FreeCount, Gesture, Minor, Payment, PaymentRequest, PaymentToken, Presence,
    Receipt, Signing, Verified,
};
use armring_wire::records::band::Decline;
use armring_wire::{Amount, PayeeRef, RequestDigest, RootFingerprint, TokenDigest, UnixTime};

use crate::keys::OpenKey;
use crate::store::{Free, StoredToken};

/// How many tokens are remembered under a credential: a request that one of them answered gets the same token again.
pub const TOKENS_REMEMBERED: usize = 4;

/// A token that was signed, and whether the wearer was told what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed {
    pub(crate) token: PaymentToken,
    pub(crate) told: bool,
}

/// A credential, ready to pay.
pub(crate) struct Purse<S> {
    credential: Credential,
    signing: Signing<Payment, S>,
    counter: Counter,
    cumulative: Minor,
    free: Free,
    ceiling: Minor,
    signed: [Option<Signed>; TOKENS_REMEMBERED],
}

impl<S> Purse<S> {
    pub(crate) fn new(credential: Credential, key: OpenKey<S>) -> Self {
        let ceiling = credential.limits.offline_total;
        let (counter, cumulative, free) = (Counter(0), Minor(0), Free::default());
        Self { credential, signing: key.signing, counter, cumulative, free, ceiling, signed: [None; TOKENS_REMEMBERED] }
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

    /// The token with this digest for the issuer with this root, if it is remembered.
    pub(crate) fn signed(&self, digest: &TokenDigest, root: &RootFingerprint) -> Option<&Signed> {
        self.signed.iter().flatten().find(|signed| signed.token.digest(root) == *digest)
    }

    /// Takes note that the wearer was told what became of the token with this counter.
    pub(crate) fn told(&mut self, counter: Counter) {
        if let Some(signed) = self.signed.iter_mut().flatten().find(|signed| signed.token.counter == counter) {
            signed.told = true;
        }
    }

    /// What the wearer has to do to pay what `request` asks for; or why it cannot be paid at all.
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
        Ok(match amount {
            _ if amount > limits.press => Gesture::FreshUnlock,
            _ if self.one_more_free(amount).is_some() => Gesture::None,
            _ => Gesture::Press,
        })
    }

    /// What will have been paid without a gesture once `amount` is as well; `None` where that is more than the credential grants.
    fn one_more_free(&self, amount: Minor) -> Option<Free> {
        let limits = &self.credential.limits;
        let count = self.free.count.0.checked_add(1).map(FreeCount)?;
        let total = self.free.total.0.checked_add(amount.0).map(Minor)?;
        let granted = amount <= limits.free && count <= limits.free_count && total <= limits.free_total;
        granted.then_some(Free { count, total })
    }

    /// Why no payment request can be signed for `amount`, if so.
    pub(crate) fn may_receive(&self, amount: Amount, expiry: UnixTime, latest: UnixTime) -> Result<(), Decline> {
        let Credential { currency, rights, validity, .. } = &self.credential;
        if !rights.allows(CredentialRights::RECEIVE) || amount.currency() != *currency || amount.is_zero() {
            return Err(Decline::NotAllowed);
        }
        if expiry <= latest || validity.until <= latest { Err(Decline::Expired) } else { Ok(()) }
    }

    /// The token that pays `amount` to `payee` for `request`, and what counts with it from then on. Nothing is counted until
    /// [`Self::count`]: it has to be stored first.
    pub(crate) fn next_token(
        &self,
        request: RequestDigest,
        payee: PayeeRef,
        amount: Amount,
        presence: Presence,
        latest: UnixTime,
    ) -> Result<StoredToken, Decline> {
        let counter = self.counter.0.checked_add(1).map(Counter).ok_or(Decline::Exhausted)?;
        let cumulative = self.cumulative.0.checked_add(amount.minor()).map(Minor).ok_or(Decline::Exhausted)?;
        let presence = Presence { online_only: cumulative > self.ceiling, ..presence };
        let credential = self.credential.id;
        let free = match presence.gesture {
            Gesture::None => self.one_more_free(Minor(amount.minor())).ok_or(Decline::NotAllowed)?,
            Gesture::Press | Gesture::FreshUnlock => Free::default(),
        };
        let body = PaymentToken { form: Form, credential, payee, request, amount, counter, cumulative, presence };
        Ok(StoredToken { body, free, latest })
    }

    /// Takes note of a token that was stored: signed now, or before a restart.
    pub(crate) fn count(&mut self, stored: &StoredToken) {
        let token = stored.body;
        if token.counter > self.counter {
            (self.counter, self.free) = (token.counter, stored.free);
        }
        self.cumulative = self.cumulative.max(token.cumulative);
        if let Some(place) = self.signed.get_mut(place_of(&token)) {
            *place = Some(Signed { token, told: false });
        }
    }

    /// Up to which total tokens are signed for payees without network.
    pub(crate) const fn ceiling(&self) -> Minor {
        self.ceiling
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
