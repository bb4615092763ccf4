//! What the operator does about payees and bands.

use core::time::Duration;

use armring_pairing::DiffieHellman;
use armring_token::{Form, PayeeCertificate, PayeeKey, PayeeRights, Signature};
use armring_wire::{AccountPseudonym, CredentialId, EnrolmentCode, PayeeId, Text, UnixTime, Validity};
use rand_core::TryCryptoRng;
use signature::MultipartSigner;

use crate::error::{CallerError, Error, MachineError};
use crate::issuer::Issuer;
use crate::keys::draw;
use crate::ledger::{CodeHash, CredentialState, Evidence, Ledger, PayeeRecord, Pending};

/// For how long an enrolment code is good.
pub const CODE_VALIDITY: Duration = Duration::from_secs(10 * 60);

/// Who asks for a payee certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applicant<'a> {
    /// Shown to payers: at most 32 bytes, no control characters.
    pub name: &'a str,
    /// The key that it signs its requests with.
    pub key: PayeeKey,
    /// Where its money goes. It may ask for this account's currency alone.
    pub account: AccountPseudonym,
    /// From when until when it may ask.
    pub validity: Validity,
}

impl<L: Ledger, S: MultipartSigner<Signature>, D: DiffieHellman> Issuer<L, S, D> {
    /// Certifies a payee under an id that is drawn, and keeps the certificate.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`], [`CallerError::Name`].
    pub fn certify_payee(
        &mut self,
        applicant: &Applicant<'_>,
        now: UnixTime,
        rng: &mut impl TryCryptoRng,
    ) -> Result<PayeeRecord, Error> {
        let certificate = PayeeCertificate {
            form: Form,
            key: self.keys.signing_id(),
            payee: PayeeId(draw(rng)?),
            payee_key: *applicant.key.as_bytes(),
            name: Text::new(applicant.name).ok_or(CallerError::Name)?,
            currency: self.account(applicant.account)?.currency,
            rights: PayeeRights::PAYMENT,
            validity: applicant.validity,
        };
        let object = self.keys.sign(&certificate, now)?;
        let payee = PayeeRecord::new(applicant.account, object).ok_or(MachineError::Encoding)?;
        self.ledger.add_payee(&payee)?;
        Ok(payee)
    }

    /// Revokes a payee: it neither is paid nor gives back, and the revocation list says so. Doing it again does nothing.
    ///
    /// # Errors
    /// [`CallerError::UnknownPayee`].
    pub fn revoke_payee(&mut self, payee: PayeeId, now: UnixTime) -> Result<(), Error> {
        self.ledger.set_payee_revoked(payee, true, now)
    }

    /// Lets a payee be paid again that was revoked.
    ///
    /// # Errors
    /// [`CallerError::UnknownPayee`].
    pub fn restore_payee(&mut self, payee: PayeeId, now: UnixTime) -> Result<(), Error> {
        self.ledger.set_payee_revoked(payee, false, now)
    }

    /// Gives the signed-in user of an account a code to enrol one band with, within [`CODE_VALIDITY`]. Only its hash is kept.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`]; [`CallerError::Time`] past the year 2106.
    pub fn issue_code(
        &mut self,
        account: AccountPseudonym,
        now: UnixTime,
        rng: &mut impl TryCryptoRng,
    ) -> Result<EnrolmentCode, Error> {
        let (code, expires) = new_code(now, rng)?;
        self.ledger.store_code(&CodeHash::of(&code), account, expires, now)?;
        Ok(code)
    }

    /// What the signed-in user of an account has to confirm, with digits to show on the issuer's own page: never in the wallet.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`].
    pub fn pending_confirmations(&self, account: AccountPseudonym) -> Result<Vec<Pending>, Error> {
        self.account(account)?;
        Ok(self.ledger.pending(account)?)
    }

    /// Activates a credential, when its user says outside of the wallet that the band shows these digits.
    ///
    /// # Errors
    /// [`CallerError::WrongDigits`]: it stays inactive; with the third wrong try [`CallerError::Cancelled`], for good.
    /// [`CallerError::UnknownCredential`], [`CallerError::NotPending`].
    pub fn confirm(&mut self, credential: CredentialId, digits: u32, now: UnixTime) -> Result<(), Error> {
        self.ledger.confirm(credential, digits, now)
    }

    /// Freezes a credential, until it is unfrozen. Freezing it again does nothing, and neither does freezing one that is refused for good.
    ///
    /// # Errors
    /// [`CallerError::UnknownCredential`].
    pub fn freeze(&mut self, credential: CredentialId, now: UnixTime) -> Result<(), Error> {
        self.ledger.set_frozen(credential, true, now)
    }

    /// Makes a frozen credential again what it was before: active, or waiting for its digits. One that is not frozen stays as it is.
    ///
    /// # Errors
    /// [`CallerError::UnknownCredential`]; [`CallerError::Final`] where it is cloned, revoked or cancelled.
    pub fn unfreeze(&mut self, credential: CredentialId, now: UnixTime) -> Result<(), Error> {
        self.ledger.set_frozen(credential, false, now)
    }

    /// Revokes a credential for good. One that is refused for good already stays as it is.
    ///
    /// # Errors
    /// [`CallerError::UnknownCredential`].
    pub fn revoke(&mut self, credential: CredentialId, now: UnixTime) -> Result<(), Error> {
        self.ledger.revoke(credential, None, now)
    }

    /// Revokes the credential of a band that is lost, and gives the signed-in user of its account a code to enrol another band with, within
    /// [`CODE_VALIDITY`]. The account stays, with its balance and its statement.
    ///
    /// # Errors
    /// [`CallerError::UnknownCredential`]; [`CallerError::Time`] past the year 2106. Nothing was then revoked.
    pub fn replace_band(
        &mut self,
        credential: CredentialId,
        now: UnixTime,
        rng: &mut impl TryCryptoRng,
    ) -> Result<EnrolmentCode, Error> {
        let (code, expires) = new_code(now, rng)?;
        self.ledger.revoke(credential, Some((&CodeHash::of(&code), expires)), now)?;
        Ok(code)
    }

    /// How a credential is.
    ///
    /// # Errors
    /// [`CallerError::UnknownCredential`].
    pub fn state(&self, credential: CredentialId) -> Result<CredentialState, Error> {
        Ok(self.ledger.credential(credential)?.ok_or(CallerError::UnknownCredential)?.state())
    }

    /// What proves that a credential's key is in two bands.
    ///
    /// # Errors
    /// The machine's alone.
    pub fn evidence(&self, credential: CredentialId) -> Result<Vec<Evidence>, Error> {
        Ok(self.ledger.evidence(credential)?)
    }
}

fn new_code(now: UnixTime, rng: &mut impl TryCryptoRng) -> Result<(EnrolmentCode, UnixTime), Error> {
    let code = EnrolmentCode(draw(rng)?);
    Ok((code, now.checked_add(CODE_VALIDITY).ok_or(CallerError::Time)?))
}
