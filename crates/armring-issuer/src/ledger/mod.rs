//! What must last: accounts, payees, credentials, and what became of every token.
//!
//! A ledger decides nothing. It gathers [`Facts`](crate::Facts), asks [`judge`](crate::judge), and writes what was ruled, all in one
//! transaction, so that every kind of ledger gives the same answers.

mod memory;
mod model;
mod settle;
mod sqlite;

pub use memory::MemoryLedger;
pub use model::{
    Account, AccountState, CodeHash, CredentialRecord, CredentialState, DepositRef, Enrolled, Entry, Evidence, Fault,
    NewCredential, PayeeRecord, Pending, Reference, TRIES, float_account,
};
pub use settle::{Answer, Ruling, SignReceipt, Terms};
pub use sqlite::SqliteLedger;

use armring_wire::{AccountPseudonym, Amount, CredentialId, Currency, PayeeId, UnixTime};

use crate::error::{Error, MachineError};
use crate::redeem::VerifiedPayment;

/// Where accounts, payees, credentials and answers are kept. Each call is one transaction: on an error nothing has changed, unless it says
/// otherwise.
pub trait Ledger {
    /// Opens an account without money.
    ///
    /// # Errors
    /// [`CallerError::Exists`](crate::CallerError::Exists) where the id is taken.
    fn open_account(&mut self, account: AccountPseudonym, currency: Currency) -> Result<(), Error>;

    /// An account; `None` where there is no such account.
    ///
    /// # Errors
    /// The machine's alone.
    fn account(&self, account: AccountPseudonym) -> Result<Option<Account>, MachineError>;

    /// Blocks an account, so that it neither pays nor is paid, or opens it again.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`](crate::CallerError::UnknownAccount).
    fn set_account_state(&mut self, account: AccountPseudonym, state: AccountState) -> Result<(), Error>;

    /// Moves money that came from outside from the currency's [`float_account`] to `account`. The same deposit again does nothing.
    ///
    /// # Errors
    /// [`CallerError`](crate::CallerError): `UnknownAccount`, `Amount`, `ReferenceUsed`.
    fn deposit(&mut self, account: AccountPseudonym, amount: Amount, reference: DepositRef, now: UnixTime) -> Result<(), Error>;

    /// Every entry of an account, the oldest first; none where there is no such account.
    ///
    /// # Errors
    /// The machine's alone.
    fn statement(&self, account: AccountPseudonym) -> Result<Vec<Entry>, MachineError>;

    /// Keeps a payee's certificate.
    ///
    /// # Errors
    /// [`CallerError`](crate::CallerError): `UnknownAccount`, `Exists`.
    fn add_payee(&mut self, payee: &PayeeRecord) -> Result<(), Error>;

    /// A payee with a certificate; `None` where there is no such payee.
    ///
    /// # Errors
    /// The machine's alone.
    fn payee(&self, payee: PayeeId) -> Result<Option<PayeeRecord>, MachineError>;

    /// Keeps the hash of an enrolment code for an account, and forgets the codes that are too old at `now`.
    ///
    /// # Errors
    /// [`CallerError`](crate::CallerError): `UnknownAccount`, `Exists`.
    fn store_code(&mut self, code: &CodeHash, account: AccountPseudonym, expires: UnixTime, now: UnixTime) -> Result<(), Error>;

    /// The account that a code stands for; `None` where the code is unknown or too old at `now`.
    ///
    /// # Errors
    /// The machine's alone.
    fn code_account(&self, code: &CodeHash, now: UnixTime) -> Result<Option<Account>, MachineError>;

    /// Keeps `candidate`, inactive, if the code is good at `now` and was not used. Where it was used for the same payment key, keeps the
    /// candidate's digits alone.
    ///
    /// # Errors
    /// The machine's alone.
    fn enrol(&mut self, code: &CodeHash, candidate: &NewCredential, now: UnixTime) -> Result<Enrolled, MachineError>;

    /// The credentials of an account that wait for their digits, by id.
    ///
    /// # Errors
    /// The machine's alone.
    fn pending(&self, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError>;

    /// Activates a credential whose digits these are. The [`TRIES`]th wrong try cancels it.
    ///
    /// # Errors
    /// [`CallerError`](crate::CallerError): `UnknownCredential`, `NotPending`; after `WrongDigits` and `Cancelled` the try has been counted.
    fn confirm(&mut self, credential: CredentialId, digits: u32) -> Result<(), Error>;

    /// Freezes a credential for good. Freezing it again does nothing.
    ///
    /// # Errors
    /// [`CallerError::UnknownCredential`](crate::CallerError::UnknownCredential).
    fn freeze(&mut self, credential: CredentialId) -> Result<(), Error>;

    /// A credential; `None` where there is no such credential.
    ///
    /// # Errors
    /// The machine's alone.
    fn credential(&self, credential: CredentialId) -> Result<Option<CredentialRecord>, MachineError>;

    /// Answers each payment, in order, for good: all in one transaction, or none. A token that was answered before gets the same receipt.
    ///
    /// # Errors
    /// The machine's alone: the storage or the signer failed. Nothing was recorded.
    fn settle(&mut self, payments: &[VerifiedPayment], terms: &Terms<'_>) -> Result<Vec<Answer>, MachineError>;

    /// What proves that a credential's key is in two bands: pairs of signed tokens that one band does not sign.
    ///
    /// # Errors
    /// The machine's alone.
    fn evidence(&self, credential: CredentialId) -> Result<Vec<Evidence>, MachineError>;

    /// Reads all books and tells what does not agree. Nothing does not agree, unless the storage was damaged or written by others.
    ///
    /// # Errors
    /// The machine's alone.
    fn audit(&self) -> Result<Vec<Fault>, MachineError>;
}
