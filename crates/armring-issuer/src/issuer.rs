//! The issuer: its keys, its policy and its ledger; and what its operator does.

use core::fmt;
use core::time::Duration;

use armring_pairing::{DiffieHellman, SoftwareKey};
use armring_token::{Form, PayeeCertificate, PayeeKey, PayeeRights, Signature};
use armring_wire::records::issuer::Refusal;
use armring_wire::{
    AccountPseudonym, Amount, CredentialId, Currency, EnrolmentCode, PayeeId, RootFingerprint, Text, UnixTime, Validity,
};
use ed25519_dalek::SigningKey;
use rand_core::TryCryptoRng;
use signature::MultipartSigner;

use crate::error::{CallerError, Error, MachineError};
use crate::keys::{CheckedKeys, Keys, draw};
use crate::ledger::{
    Account, AccountState, Answer, CodeHash, CredentialState, DepositRef, Entry, Evidence, Ledger, PayeeRecord, Pending, Terms,
};
use crate::policy::Policy;
use crate::redeem::{self, VerifiedPayment};

/// For how long an enrolment code is good.
pub const CODE_VALIDITY: Duration = Duration::from_secs(10 * 60);

/// A payment service: what it signs with, what it allows, and what it has written down.
///
/// It holds no socket, no clock and no thread. Bytes from wallets and payees go through [`handle`](Self::handle); everything else is for the
/// operator, behind the operator's own sign-in.
pub struct Issuer<L, S = SigningKey, D = SoftwareKey> {
    pub(crate) keys: CheckedKeys<S, D>,
    pub(crate) policy: Policy,
    pub(crate) ledger: L,
}

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
    /// An issuer with these keys.
    ///
    /// # Errors
    /// [`CallerError::KeyList`] or [`CallerError::KeyNotListed`] where nobody would accept at `now` what these keys sign;
    /// [`MachineError::Signer`].
    pub fn new(keys: Keys<S, D>, policy: Policy, ledger: L, now: UnixTime) -> Result<Self, Error> {
        Ok(Self { keys: CheckedKeys::new(keys, now)?, policy, ledger })
    }

    /// Takes newer keys in place of those that it has.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`CallerError::KeyList`] with a lower epoch or of another root.
    pub fn set_keys(&mut self, keys: Keys<S, D>, now: UnixTime) -> Result<(), Error> {
        self.keys = CheckedKeys::new(keys, now)?.not_older_than(&self.keys)?;
        Ok(())
    }

    /// Opens an account without money and names it.
    ///
    /// # Errors
    /// The machine's alone.
    pub fn open_account(&mut self, currency: Currency, rng: &mut impl TryCryptoRng) -> Result<AccountPseudonym, Error> {
        let account = AccountPseudonym(draw(rng)?);
        self.ledger.open_account(account, currency)?;
        Ok(account)
    }

    /// Credits an account with money that came from outside. The same deposit again does nothing, so that it is safe to repeat.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`], [`CallerError::Amount`]; [`CallerError::ReferenceUsed`] where the reference stands for another deposit.
    pub fn deposit(
        &mut self,
        account: AccountPseudonym,
        amount: Amount,
        reference: DepositRef,
        now: UnixTime,
    ) -> Result<(), Error> {
        self.ledger.deposit(account, amount, reference, now)
    }

    /// How an account stands.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`].
    pub fn account(&self, account: AccountPseudonym) -> Result<Account, Error> {
        self.ledger.account(account)?.ok_or_else(|| CallerError::UnknownAccount.into())
    }

    /// Blocks an account, so that it neither pays nor is paid, or opens it again.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`].
    pub fn set_account_state(&mut self, account: AccountPseudonym, state: AccountState) -> Result<(), Error> {
        self.ledger.set_account_state(account, state)
    }

    /// Every entry of an account, the oldest first.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`].
    pub fn statement(&self, account: AccountPseudonym) -> Result<Vec<Entry>, Error> {
        self.account(account)?;
        Ok(self.ledger.statement(account)?)
    }

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
        let code = EnrolmentCode(draw(rng)?);
        let expires = now.checked_add(CODE_VALIDITY).ok_or(CallerError::Time)?;
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
    pub fn confirm(&mut self, credential: CredentialId, digits: u32) -> Result<(), Error> {
        self.ledger.confirm(credential, digits)
    }

    /// Freezes a credential for good.
    ///
    /// # Errors
    /// [`CallerError::UnknownCredential`].
    pub fn freeze(&mut self, credential: CredentialId) -> Result<(), Error> {
        self.ledger.freeze(credential)
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

    /// Verifies a token and the request that it answers: every signature, and that they speak of the same payment. Changes nothing. The
    /// inner error is what to answer.
    ///
    /// # Errors
    /// The machine's alone.
    pub fn verify(&self, request: &[u8], token: &[u8]) -> Result<Result<VerifiedPayment, Refusal>, MachineError> {
        redeem::verify(self.keys.root(), &self.ledger, request, token)
    }

    /// Answers payments that verified, in order and for good, all in one transaction.
    ///
    /// # Errors
    /// The machine's alone. Nothing was then recorded, of any of them.
    pub fn settle(&mut self, payments: &[VerifiedPayment], now: UnixTime) -> Result<Vec<Answer>, MachineError> {
        let keys = &self.keys;
        let sign = |ruling: &_| keys.sign_receipt(ruling, now);
        self.ledger.settle(payments, &Terms { now, policy: &self.policy, sign: &sign })
    }
}

impl<L, S, D> Issuer<L, S, D> {
    /// What the issuer is known by.
    pub const fn root(&self) -> &RootFingerprint {
        self.keys.root()
    }

    /// The signed key list.
    pub fn key_list(&self) -> &[u8] {
        self.keys.key_list()
    }

    /// What it allows.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Allows something else from now on.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Its ledger.
    pub const fn ledger(&self) -> &L {
        &self.ledger
    }

    /// Its ledger, to keep or to close it.
    pub fn into_ledger(self) -> L {
        self.ledger
    }
}

impl<L: fmt::Debug, S, D> fmt::Debug for Issuer<L, S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("keys", &self.keys).field("policy", &self.policy).field("ledger", &self.ledger).finish()
    }
}
