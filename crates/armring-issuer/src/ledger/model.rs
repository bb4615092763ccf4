//! Accounts, what moves between them, and payees.

use armring_token::{PayeeCertificate, PayeeKey, PayeeRights, Unverified};
use armring_wire::{
    AccountPseudonym, CredentialId, Currency, PayeeId, PayeeRef, RefundDigest, RequestDigest, TokenDigest, UnixTime, Validity,
};

use crate::judge::Receiver;

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// What credentials call it.
    pub id: AccountPseudonym,
    /// The one currency that it holds.
    pub currency: Currency,
    /// Whether it may pay and be paid.
    pub state: AccountState,
    /// The sum of its entries, in minor units. Below zero for the issuer's float alone.
    pub balance: i64,
}

/// Whether an account may pay and be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountState {
    /// It may.
    Open,
    /// It may not, until it is opened again.
    Blocked,
}

/// The account of the issuer that money from outside comes through, one for each currency. What it owes, the others have.
#[must_use]
pub const fn float_account(currency: Currency) -> AccountPseudonym {
    let [high, low] = currency.numeric().to_be_bytes();
    AccountPseudonym([b'f', b'l', b'o', b'a', b't', 0, high, low])
}

/// What a depositor calls a deposit: 16 bytes, of which the same never stand for two deposits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DepositRef(pub [u8; 16]);

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reference {
    /// Money from outside.
    Deposit(DepositRef),
    /// A payment by this token.
    Payment(TokenDigest),
    /// What was given back of a payment.
    Refund(RefundDigest),
}

/// One line of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub time: UnixTime,
    /// What for.
    pub reference: Reference,
    /// By how many minor units the account rose, or fell where below zero.
    pub change: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// A payee with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayeeRecord {
    pub(crate) id: PayeeId,
    pub(crate) payee_key: [u8; 32],
    pub(crate) account: AccountPseudonym,
    pub(crate) currency: Currency,
    pub(crate) rights: PayeeRights,
    pub(crate) validity: Validity,
    pub(crate) certificate: Vec<u8>,
    pub(crate) revoked: bool,
}

impl PayeeRecord {
    /// The payee that a certificate of this issuer speaks of; `None` where these bytes are none.
    pub(crate) fn new(account: AccountPseudonym, certificate: Vec<u8>) -> Option<Self> {
        let body = *Unverified::<PayeeCertificate<'_>>::parse(&certificate).ok()?.claims();
        let (id, payee_key) = (body.payee, body.payee_key);
        let (currency, rights, validity) = (body.currency, body.rights, body.validity);
        Some(Self { id, payee_key, account, currency, rights, validity, certificate, revoked: false })
    }

    /// Its key; `None` where these bytes are none, which an issuer does not certify.
    pub(crate) fn key(&self) -> Option<PayeeKey> {
        PayeeKey::from_bytes(self.payee_key)
    }

    /// Names the payee.
    #[must_use]
    pub const fn id(&self) -> PayeeId {
        self.id
    }

    /// Where its money goes.
    #[must_use]
    pub const fn account(&self) -> AccountPseudonym {
        self.account
    }

    /// Whether its operator revoked it, so that it neither is paid nor gives back.
    #[must_use]
    pub const fn is_revoked(&self) -> bool {
        self.revoked
    }

    /// The signed certificate.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    pub(crate) fn receiver(&self, account: Account) -> Receiver {
        Receiver {
            account,
            currency: self.currency,
            validity: self.validity,
            may_receive: !self.revoked && self.rights.allows(PayeeRights::PAYMENT),
            may_refund: !self.revoked,
        }
    }
}

/// Something in the books that does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The entries of a currency do not sum to zero.
    Unbalanced(Currency),
    /// An account's balance is not the sum of its entries, or is below zero and the account not a float.
    Balance(AccountPseudonym),
    /// Not all entries of an account are found.
    Entries(AccountPseudonym),
    /// A token, refund or deposit has not exactly its entries: two, of the right accounts, with its amount, currency and time; or none where it
    /// was refused.
    Moved(Reference),
    /// An entry is for a token, refund or deposit that is not in the books.
    Unexplained(Reference),
    /// Two tokens of a credential have overlapping totals, or its counts are not those of its tokens; or there are tokens of it and not it.
    Totals(CredentialId),
    /// Two tokens of a credential have this counter.
    CounterTwice(CredentialId, u32),
    /// A request was settled by two tokens.
    SettledTwice(RequestDigest),
    /// It is listed as settled, and not as the token says that settled it, or no token did.
    NotSettled(RequestDigest),
    /// It was settled and is not listed as such, so that it could be settled again.
    NotListed(RequestDigest),
    /// More was given back of a payment than it was.
    Refunds(TokenDigest),
    /// What is kept as its receipt is none for this token, or says something else than what became of it.
    Receipt(TokenDigest),
    /// The token with this counter has no receipt of its own.
    NoReceipt(CredentialId, u32),
    /// A receipt is of a token that is not in the books.
    NoToken(TokenDigest),
    /// What is kept as its receipt is none for this refund, or says something else than what became of it.
    RefundReceipt(RefundDigest),
    /// It was refused as cloned, and what it is a clone of is gone, or its credential is not refused for good.
    Clone(TokenDigest),
    /// The revocation list says something else about it than its state.
    Revocation(PayeeRef),
    /// The database itself finds its file damaged; how is told. Nothing else was then looked at.
    File,
}
