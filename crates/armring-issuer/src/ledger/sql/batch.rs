//! How a ledger in a database settles many payments at once: what they need to know is read at once, they are judged in memory one after the
//! other, and what was ruled is written at once.

use std::collections::{HashMap, HashSet};

use armring_token::Gesture;
use armring_wire::{AccountPseudonym, CredentialId, Outcome, PayeeId, PayeeRef, TokenDigest, UnixTime};

use super::super::credential::{CredentialRecord, CredentialState};
use super::super::model::{Account, Entry, PayeeRecord, Reference};
use super::super::settle::{Answer, Books, Ruling, Terms, settle_one};
use super::codes;
use crate::error::MachineError;
use crate::judge::{DAY, Facts, FreeRun, Receiver};
use crate::redeem::{Interval, VerifiedPayment};

/// What a database looks up and writes for payments, inside of one transaction. Whatever it gives it keeps from being changed by others until
/// the transaction is over, or else the transaction fails.
///
/// Credentials are asked for before accounts, each in order of their ids, so that two transactions never wait for each other.
pub(in super::super) trait Store {
    /// Those of these credentials that there are.
    fn credentials(&mut self, ids: &[CredentialId]) -> Result<Vec<CredentialRecord>, MachineError>;

    /// Those of these payees that there are.
    fn payees(&mut self, ids: &[PayeeId]) -> Result<Vec<PayeeRecord>, MachineError>;

    /// Those of these accounts that there are.
    fn accounts(&mut self, ids: &[AccountPseudonym]) -> Result<Vec<Book>, MachineError>;

    /// What was before each payment. Velocity counts what was settled after `since`.
    fn histories(&mut self, payments: &[Asked<'_>], since: UnixTime) -> Result<Vec<History>, MachineError>;

    /// Writes all of it.
    fn write(&mut self, changes: &Changes<'_>) -> Result<(), MachineError>;
}

/// A payment, and the credential that pays.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Asked<'a> {
    pub(in super::super) payment: &'a VerifiedPayment,
    pub(in super::super) payer: &'a CredentialRecord,
}

/// An account, and how many entries it has: the number of the next one.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Book {
    pub(in super::super) account: Account,
    pub(in super::super) entries: i64,
    /// Which is its newest entry, where the database finds the others from there.
    pub(in super::super) last: Option<i64>,
}

/// What was answered before a payment.
#[derive(Debug, Default)]
pub(in super::super) struct History {
    /// This very token: the outcome and the receipt.
    pub(in super::super) answered: Option<(Outcome, Vec<u8>)>,
    /// A token with which this one is a clone's: its counter, and what it is known by.
    pub(in super::super) conflict: Option<(u32, TokenDigest)>,
    /// Whether another token settled the request.
    pub(in super::super) request_settled: bool,
    /// Whether one with a higher counter came before, where the database asks for it.
    pub(in super::super) is_late: bool,
    /// When the token with the credential's highest counter was answered, where the database asks for it.
    pub(in super::super) newest: Option<UnixTime>,
    /// As in [`Facts`].
    pub(in super::super) settled_within_a_day: i64,
    /// As in [`Facts`].
    pub(in super::super) free_run: FreeRun,
}

/// The payments without a gesture right before one, as they are read from the highest counter down.
pub(in super::super) struct Run {
    pub(in super::super) goes_on: bool,
    expected: u32,
    left: u16,
    pub(in super::super) run: FreeRun,
}

impl Run {
    pub(in super::super) fn before(asked: &Asked<'_>) -> Self {
        let (token, most) = (asked.payment.token(), asked.payer.credential.limits.free_count.0);
        let goes_on = token.presence.gesture == Gesture::None && most > 0;
        Self { goes_on, expected: token.counter.0, left: most, run: FreeRun::default() }
    }

    pub(in super::super) fn add(&mut self, counter: u32, gesture: u8, minor: i64) {
        self.expected = self.expected.saturating_sub(1);
        self.goes_on &= counter == self.expected && gesture == codes::gesture_code(Gesture::None);
        if self.goes_on {
            self.run = FreeRun { count: self.run.count.saturating_add(1), total: self.run.total.saturating_add(minor) };
            self.left = self.left.saturating_sub(1);
            self.goes_on = self.left > 0;
        }
    }
}

/// What is to be written.
#[derive(Debug, Default)]
pub(in super::super) struct Changes<'p> {
    /// Tokens that took their counter, settled or voided.
    pub(in super::super) tokens: Vec<Answered<'p>>,
    /// Tokens refused as cloned, and the counters of those that they are clones of.
    pub(in super::super) clones: Vec<(Answered<'p>, u32)>,
    /// The accounts that changed, as they are now.
    pub(in super::super) books: Vec<Book>,
    /// Of which account, with which number.
    pub(in super::super) entries: Vec<(AccountPseudonym, i64, Entry)>,
}

/// A payment, what was ruled about it, and the receipt that says so.
#[derive(Debug)]
pub(in super::super) struct Answered<'p> {
    pub(in super::super) payment: &'p VerifiedPayment,
    pub(in super::super) ruling: Ruling,
    pub(in super::super) receipt: Vec<u8>,
    /// When the credential ceases to be valid anyway.
    pub(in super::super) until: UnixTime,
    /// As in [`History`].
    pub(in super::super) is_late: bool,
    /// As in [`History`].
    pub(in super::super) newest: Option<UnixTime>,
}

/// Answers each payment, in order.
pub(in super::super) fn settle_all(
    store: &mut impl Store,
    payments: &[VerifiedPayment],
    terms: &Terms<'_>,
) -> Result<Vec<Answer>, MachineError> {
    let mut answers = Vec::with_capacity(payments.len());
    let mut rest = payments;
    while !rest.is_empty() {
        let (wave, later) = rest.split_at_checked(independent(rest)).unwrap_or((rest, &[]));
        let mut sheet = Sheet::of(store, wave, terms.now.saturating_sub(DAY))?;
        for payment in wave {
            answers.push(settle_one(&mut sheet, payment, terms)?);
        }
        store.write(&sheet.changes())?;
        rest = later;
    }
    Ok(answers)
}

/// How many payments from the first on ask about nothing that one before them changes, besides balances and states: each is of a credential
/// and for a request of its own.
fn independent(payments: &[VerifiedPayment]) -> usize {
    let (mut credentials, mut requests) = (HashSet::new(), HashSet::new());
    let depends =
        |payment: &VerifiedPayment| !credentials.insert(payment.token().credential) || !requests.insert(payment.token().request);
    payments.iter().position(depends).unwrap_or(payments.len())
}

/// All that there is to know about a few payments, and what comes of them.
struct Sheet<'p> {
    credentials: HashMap<CredentialId, CredentialRecord>,
    payees: HashMap<PayeeId, PayeeRecord>,
    books: HashMap<AccountPseudonym, (Book, bool)>,
    histories: HashMap<CredentialId, History>,
    tokens: Vec<Answered<'p>>,
    clones: Vec<(Answered<'p>, u32)>,
    entries: Vec<(AccountPseudonym, i64, Entry)>,
}

const NO_CREDENTIAL: MachineError = MachineError::Damaged("a payment's credential is gone");
const NO_PAYEE: MachineError = MachineError::Damaged("a payment's payee is gone");
const NO_ACCOUNT: MachineError = MachineError::Damaged("an account is gone");
const FULL: MachineError = MachineError::Damaged("a balance is more than there can be");

impl<'p> Sheet<'p> {
    fn of(store: &mut impl Store, payments: &'p [VerifiedPayment], since: UnixTime) -> Result<Self, MachineError> {
        let (mut paying, mut paid) = (Vec::new(), Vec::new());
        for payment in payments {
            paying.push(payment.token().credential);
            match payment.token().payee {
                PayeeRef::Certificate(id) => paid.push(id),
                PayeeRef::Credential(id) => paying.push(id),
            }
        }
        let credentials: HashMap<_, _> =
            store.credentials(&sorted(paying))?.into_iter().map(|record| (record.credential.id, record)).collect();
        let payees: HashMap<_, _> = store.payees(&sorted(paid))?.into_iter().map(|payee| (payee.id, payee)).collect();
        let accounts = credentials.values().map(|record| record.credential.account);
        let accounts = sorted(accounts.chain(payees.values().map(|payee| payee.account)).collect());
        let books = store.accounts(&accounts)?.into_iter().map(|book| (book.account.id, (book, false))).collect();
        let mut asked = Vec::with_capacity(payments.len());
        for payment in payments {
            asked.push(Asked { payment, payer: credentials.get(&payment.token().credential).ok_or(NO_CREDENTIAL)? });
        }
        let histories = store.histories(&asked, since)?;
        let histories = payments.iter().map(|payment| payment.token().credential).zip(histories).collect();
        Ok(Self { credentials, payees, books, histories, tokens: Vec::new(), clones: Vec::new(), entries: Vec::new() })
    }

    fn changes(self) -> Changes<'p> {
        let Self { tokens, clones, entries, books, .. } = self;
        let mut books: Vec<_> = books.into_values().filter(|(_, changed)| *changed).map(|(book, _)| book).collect();
        books.sort_unstable_by_key(|book| book.account.id);
        Changes { tokens, clones, books, entries }
    }

    fn history(&self, payment: &VerifiedPayment) -> Result<&History, MachineError> {
        self.histories.get(&payment.token().credential).ok_or(NO_CREDENTIAL)
    }

    fn account(&self, account: AccountPseudonym) -> Result<Account, MachineError> {
        Ok(self.books.get(&account).ok_or(NO_ACCOUNT)?.0.account)
    }

    fn receiver(&self, payee: PayeeRef) -> Result<Receiver, MachineError> {
        match payee {
            PayeeRef::Certificate(id) => {
                let payee = self.payees.get(&id).ok_or(NO_PAYEE)?;
                Ok(payee.receiver(self.account(payee.account)?))
            }
            PayeeRef::Credential(id) => {
                let record = self.credentials.get(&id).ok_or(NO_PAYEE)?;
                Ok(record.receiver(self.account(record.credential.account)?))
            }
        }
    }

    /// Two entries that sum to zero, and the balances that follow.
    fn transfer(&mut self, from: &Account, to: &Account, minor: i64, ruling: &Ruling) -> Result<(), MachineError> {
        let changes = [(from, minor.checked_neg().ok_or(FULL)?), (to, minor)];
        for (account, change) in changes {
            let (book, changed) = self.books.get_mut(&account.id).ok_or(NO_ACCOUNT)?;
            book.account.balance = book.account.balance.checked_add(change).ok_or(FULL)?;
            let (time, reference, currency) = (ruling.time, Reference::Payment(ruling.token), account.currency);
            self.entries.push((account.id, book.entries, Entry { time, reference, change, currency }));
            book.entries = book.entries.saturating_add(1);
            *changed = true;
        }
        Ok(())
    }
}

impl<'p> Books<'p> for Sheet<'p> {
    fn answered(&self, payment: &VerifiedPayment) -> Result<Option<Answer>, MachineError> {
        let answered = self.history(payment)?.answered.as_ref();
        let token = payment.digest();
        Ok(answered.map(|(outcome, receipt)| Answer { token, outcome: *outcome, receipt: receipt.clone(), repeated: true }))
    }

    fn facts(&self, payment: &VerifiedPayment, _: UnixTime) -> Result<Facts, MachineError> {
        let (token, history) = (payment.token(), self.history(payment)?);
        let payer = self.credentials.get(&token.credential).ok_or(NO_CREDENTIAL)?.clone();
        Ok(Facts {
            conflict: history.conflict.map(|(_, digest)| digest),
            request_settled: history.request_settled,
            payer_account: self.account(payer.credential.account)?,
            payer,
            receiver: self.receiver(token.payee)?,
            settled_within_a_day: history.settled_within_a_day,
            free_run: history.free_run,
        })
    }

    fn record(
        &mut self,
        payment: &'p VerifiedPayment,
        facts: &Facts,
        ruling: &Ruling,
        receipt: &[u8],
    ) -> Result<(), MachineError> {
        let until = facts.payer.credential.validity.until;
        let History { is_late, newest, .. } = *self.history(payment)?;
        let answered = Answered { payment, ruling: *ruling, receipt: receipt.to_vec(), until, is_late, newest };
        let record = self.credentials.get_mut(&payment.token().credential).ok_or(NO_CREDENTIAL)?;
        (record.answered, record.total) = (ruling.sequence, ruling.total);
        if ruling.outcome == Outcome::Cloned {
            record.unfrozen = CredentialState::Cloned;
            let (taken_by, _) = self.history(payment)?.conflict.ok_or(MachineError::Damaged("a clone of nothing"))?;
            self.clones.push((answered, taken_by));
            return Ok(());
        }
        self.tokens.push(answered);
        if ruling.outcome.is_settled() {
            let minor = payment.interval().map(Interval::len).ok_or(MachineError::Damaged("a payment without an amount"))?;
            self.transfer(&facts.payer_account, &facts.receiver.account, minor, ruling)?;
        }
        Ok(())
    }
}

fn sorted<T: Ord>(mut ids: Vec<T>) -> Vec<T> {
    ids.sort_unstable();
    ids.dedup();
    ids
}
