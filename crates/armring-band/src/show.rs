//! What a band with a display shows before it pays: only what it verified.

use armring_pairing::DiffieHellman;
use armring_token::{
    Credential, CredentialRights, PayeeCertificate, PayeeKey, PayeeRights, PaymentRequest, Unverified, VerifyError,
};
use armring_wire::records::band::Decline;
use armring_wire::records::{MEMO_MAX, NAME_MAX};
use armring_wire::{Amount, CredentialId, Currency, PayeeId, PayeeRef, Validity};
use heapless::String;

use crate::keys::PaymentKeys;
use crate::phase::{Phase, Task};
use crate::state::Core;

/// What waits to be paid, verified: the band shows it until the wearer presses or it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// Who asks.
    pub asker: Asker<'a>,
    /// What they say it is for.
    pub memo: &'a str,
    /// How much.
    pub amount: Amount,
}

/// Who asks to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker<'a> {
    /// A payee, by the name that the issuer certified.
    Certified(&'a str),
    /// A person, who has no name here: only the issuer knows whose credential this is.
    Wearer(CredentialId),
}

/// What is kept of an offer while it waits.
pub(crate) struct Shown {
    asker: ShownAsker,
    memo: String<MEMO_MAX>,
}

enum ShownAsker {
    Certified(String<NAME_MAX>),
    Wearer(CredentialId),
}

/// What an issuer says of a payee, whichever object says it.
struct Vouched {
    key: Option<PayeeKey>,
    currency: Currency,
    may_ask: bool,
    validity: Validity,
    asker: ShownAsker,
}

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    pub(crate) fn offer(&self) -> Option<Offer<'_>> {
        let Phase::Linked(linked) = &self.phase else { return None };
        let Task::Pay(pending, Some(shown)) = &linked.task else { return None };
        let asker = match &shown.asker {
            ShownAsker::Certified(name) => Asker::Certified(name),
            ShownAsker::Wearer(id) => Asker::Wearer(*id),
        };
        Some(Offer { asker, memo: &shown.memo, amount: pending.amount })
    }

    /// Verifies a request, and who asks by it, as far as a band can that has no clock. What the issuer signed is not older than now.
    pub(crate) fn verify_to_show(&mut self, request: &[u8], certificate: &[u8]) -> Result<Shown, Decline> {
        let invalid = |_: VerifyError| Decline::Invalid;
        let request = Unverified::<PaymentRequest<'_>>::parse(request).map_err(|_| Decline::Invalid)?;
        let vouched = match request.claims().payee {
            PayeeRef::Certificate(payee) => self.certified(payee, certificate),
            PayeeRef::Credential(payee) => self.credentialed(payee, certificate),
        };
        let Vouched { key, currency, may_ask, validity, asker } = vouched.map_err(invalid)?;
        let latest = self.latest.max(validity.from);
        if !may_ask || validity.until <= latest {
            return Err(Decline::Invalid);
        }
        let request = request.verify(&self.fingerprint, &key.ok_or(Decline::Invalid)?).map_err(invalid)?;
        if request.amount.currency() != currency {
            return Err(Decline::Invalid);
        }
        self.latest = latest;
        let memo = String::try_from(request.memo.as_str()).map_err(|_| Decline::Invalid)?;
        Ok(Shown { asker, memo })
    }

    fn certified(&self, payee: PayeeId, object: &[u8]) -> Result<Vouched, VerifyError> {
        let unverified = Unverified::<PayeeCertificate<'_>>::parse(object)?;
        let list = self.key_list.as_ref().ok_or(VerifyError::Key)?;
        let issuer = list.signing_key(unverified.claims().key, unverified.claims().validity.from)?;
        let certificate = unverified.verify(&self.fingerprint, &issuer)?;
        let name = String::try_from(certificate.name.as_str()).map_err(|_| VerifyError::Malformed)?;
        Ok(Vouched {
            key: certificate.payee_key(),
            currency: certificate.currency,
            may_ask: certificate.payee == payee && certificate.rights.allows(PayeeRights::PAYMENT),
            validity: certificate.validity,
            asker: ShownAsker::Certified(name),
        })
    }

    fn credentialed(&self, payee: CredentialId, object: &[u8]) -> Result<Vouched, VerifyError> {
        let unverified = Unverified::<Credential>::parse(object)?;
        let list = self.key_list.as_ref().ok_or(VerifyError::Key)?;
        let issuer = list.signing_key(unverified.claims().key, unverified.claims().validity.from)?;
        let credential = unverified.verify(&self.fingerprint, &issuer)?;
        Ok(Vouched {
            key: credential.payment_key().map(|key| key.as_payee()),
            currency: credential.currency,
            may_ask: credential.id == payee && credential.rights.allows(CredentialRights::RECEIVE),
            validity: credential.validity,
            asker: ShownAsker::Wearer(payee),
        })
    }
}
