//! What must last: accounts, payees, credentials, and what became of every token.
//!
//! A ledger decides nothing. It gathers [`Facts`](crate::Facts), asks [`judge`](crate::judge), and writes what was ruled, all in one
//! transaction, so that every kind of ledger gives the same answers.

mod audit;
mod credential;
mod memory;
mod model;
#[cfg(feature = "postgres")]
mod postgres;
mod refund;
mod revoked;
mod settle;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use credential::{CodeHash, CredentialRecord, CredentialState, Enrolled, Evidence, NewCredential, Pending, TRIES};
pub use memory::MemoryLedger;
pub use model::{Account, AccountState, DepositRef, Entry, Fault, PayeeRecord, Reference, float_account};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresLedger, PostgresOptions};
pub use refund::{RefundAnswer, RefundRuling, RefundTerms, SignRefund};
pub use revoked::RevokedPart;
pub use settle::{Answer, Ruling, SignReceipt, Terms};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteLedger;

use core::ops::ControlFlow;

use armring_token::Epoch;
use armring_wire::{AccountPseudonym, Amount, CredentialId, Currency, PayeeId, UnixTime};

use crate::error::{Error, MachineError};
use crate::redeem::VerifiedPayment;
use crate::refund::VerifiedRefund;

/// Hears an entry; says whether to go on.
pub type TellEntry<'a> = dyn FnMut(Entry) -> ControlFlow<()> + 'a;

/// Work beside all transactions.
pub type Upkeep = Box<dyn FnMut() -> Result<(), MachineError> + Send>;

/// Makes durable all that was written before it was called.
pub type Syncer = Box<dyn FnMut() -> Result<(), MachineError> + Send>;

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

    /// The accounts that come after this one by id, or all from the first on, the issuer's floats among them: a thousand at most. None where
    /// there are no more.
    ///
    /// # Errors
    /// The machine's alone.
    fn accounts(&self, after: Option<AccountPseudonym>) -> Result<Vec<Account>, MachineError>;

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

    /// Tells every entry of an account, the oldest first, one after the other, until `tell` has enough; none where there is no such account.
    ///
    /// # Errors
    /// The machine's alone. What was told then may not be all.
    fn statement(&self, account: AccountPseudonym, tell: &mut TellEntry<'_>) -> Result<(), MachineError>;

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

    /// Revokes a payee, so that it neither is paid nor gives back, or restores it, and lists that. Doing it again does nothing.
    ///
    /// # Errors
    /// [`CallerError::UnknownPayee`](crate::CallerError::UnknownPayee).
    fn set_payee_revoked(&mut self, payee: PayeeId, revoked: bool, now: UnixTime) -> Result<(), Error>;

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

    /// Keeps `candidate` if the code is good at `now` and was not used. Where it was used for the same payment key, keeps the candidate's
    /// digits, and activates the credential that waits for its digits where the candidate is active.
    ///
    /// # Errors
    /// The machine's alone.
    fn enrol(&mut self, code: &CodeHash, candidate: &NewCredential, now: UnixTime) -> Result<Enrolled, MachineError>;

    /// The credentials of an account that wait for their digits, by id.
    ///
    /// # Errors
    /// The machine's alone.
    fn pending(&self, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError>;

    /// Activates a credential whose digits these are. The [`TRIES`]th wrong try cancels it, and lists that.
    ///
    /// # Errors
    /// [`CallerError`](crate::CallerError): `UnknownCredential`, `NotPending`; after `WrongDigits` and `Cancelled` the try has been counted.
    fn confirm(&mut self, credential: CredentialId, digits: u32, now: UnixTime) -> Result<(), Error>;

    /// Freezes a credential, or makes it again what it was before, and lists that. Doing it again does nothing, and so does freezing one that
    /// is refused for good.
    ///
    /// # Errors
    /// [`CallerError`](crate::CallerError): `UnknownCredential`; `Final` where it is unfrozen and is refused for good.
    fn set_frozen(&mut self, credential: CredentialId, frozen: bool, now: UnixTime) -> Result<(), Error>;

    /// Revokes a credential for good, and lists that. One that is refused for good stays as it is. With a code, which is good until `expires`,
    /// keeps its hash for the same account, both or neither.
    ///
    /// # Errors
    /// [`CallerError`](crate::CallerError): `UnknownCredential`, `Exists`.
    fn revoke(&mut self, credential: CredentialId, code: Option<(&CodeHash, UnixTime)>, now: UnixTime) -> Result<(), Error>;

    /// A part of the revocation list: everything that came after the epoch `since`, or everything that counts where `since` is 0 or an epoch
    /// that has not been; `None` where the list has no such part.
    ///
    /// The parts of one list are those of the answers with the same `since` and epoch.
    ///
    /// # Errors
    /// The machine's alone.
    fn revoked(&self, since: Epoch, part: u16) -> Result<Option<RevokedPart>, MachineError>;

    /// A credential; `None` where there is no such credential.
    ///
    /// # Errors
    /// The machine's alone.
    fn credential(&self, credential: CredentialId) -> Result<Option<CredentialRecord>, MachineError>;

    /// Those of these credentials that there are.
    ///
    /// # Errors
    /// The machine's alone.
    fn credentials(&self, credentials: &[CredentialId]) -> Result<Vec<CredentialRecord>, MachineError> {
        credentials.iter().filter_map(|id| self.credential(*id).transpose()).collect()
    }

    /// Those of these payees with certificates that there are.
    ///
    /// # Errors
    /// The machine's alone.
    fn payees(&self, payees: &[PayeeId]) -> Result<Vec<PayeeRecord>, MachineError> {
        payees.iter().filter_map(|id| self.payee(*id).transpose()).collect()
    }

    /// Another handle on the same books, for another thread; `None` where there can be but one.
    ///
    /// # Errors
    /// The machine's alone.
    fn another(&self) -> Result<Option<Self>, MachineError>
    where
        Self: Sized,
    {
        Ok(None)
    }

    /// What another thread should do again and again beside all transactions, so that they need not; `None` where there is nothing.
    ///
    /// # Errors
    /// The machine's alone.
    fn upkeep(&self) -> Result<Option<Upkeep>, MachineError> {
        Ok(None)
    }

    /// Answers each payment, in order, for good: all in one transaction, or none. A token that was answered before gets the same receipt.
    ///
    /// # Errors
    /// The machine's alone: the storage or the signer failed. Nothing was recorded.
    fn settle(&mut self, payments: &[VerifiedPayment], terms: &Terms<'_>) -> Result<Vec<Answer>, MachineError>;

    /// Makes durable, from another thread, what [`settle_early`](Self::settle_early) wrote; `None` where that is durable when it returns.
    ///
    /// # Errors
    /// The machine's alone.
    fn syncer(&self) -> Result<Option<Syncer>, MachineError> {
        Ok(None)
    }

    /// As [`settle`](Self::settle), but durable only once the [`Syncer`] was called after it and did not fail: nobody may be answered before.
    /// The next transaction can begin meanwhile, and sees what this one wrote.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    fn settle_early(&mut self, payments: &[VerifiedPayment], terms: &Terms<'_>) -> Result<Vec<Answer>, MachineError> {
        self.settle(payments, terms)
    }

    /// Answers a refund for good; `None`, and nothing recorded, where there was no such payment to this payee. A refund that was answered
    /// before gets the same receipt.
    ///
    /// # Errors
    /// The machine's alone: the storage or the signer failed. Nothing was recorded.
    fn refund(&mut self, refund: &VerifiedRefund, terms: &RefundTerms<'_>) -> Result<Option<RefundAnswer>, MachineError>;

    /// What proves that a credential's key is in two bands: pairs of signed tokens that one band does not sign.
    ///
    /// # Errors
    /// The machine's alone.
    fn evidence(&self, credential: CredentialId) -> Result<Vec<Evidence>, MachineError>;

    /// Reads all books and says what does not agree: of each kind of fault the first thousand. Nothing does not agree, unless the storage was
    /// damaged or written by others.
    ///
    /// # Errors
    /// The machine's alone.
    fn audit(&self) -> Result<Vec<Fault>, MachineError>;

    /// As [`audit`](Self::audit), and reads every object that was signed, and all of the storage where it can check itself: `tell` hears what
    /// is being read. It holds little in memory, however much there is; a database sorts what is more in files of its own.
    ///
    /// # Errors
    /// The machine's alone.
    fn verify(&self, tell: &mut dyn FnMut(&str)) -> Result<Vec<Fault>, MachineError>;
}
