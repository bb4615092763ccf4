//! From rows to values.

use armring_token::Sequence;
use armring_wire::{AccountPseudonym, CredentialId, PayeeId, PayeeRef, UnixTime};

use super::super::credential::CredentialRecord;
use super::super::model::{Account, AccountState, Entry, PayeeRecord};
use super::batch::Book;
use super::{Row, Sql, codes, first};
use crate::error::MachineError;
use crate::judge::Receiver;
use crate::makers::MakerId;

/// `id, currency, is_open, balance, entries`.
pub(in super::super) fn book(row: &mut Row) -> Result<Book, MachineError> {
    let state = if row.take(2)? { AccountState::Open } else { AccountState::Blocked };
    let (id, currency) = (AccountPseudonym(row.take(0)?), codes::currency(row.take(1)?)?);
    Ok(Book { account: Account { id, currency, state, balance: row.take(3)? }, entries: row.take(4)?, last: None })
}

pub(in super::super) fn find_book(books: &mut impl Sql, id: AccountPseudonym) -> Result<Option<Book>, MachineError> {
    const SQL: &str = "SELECT id, currency, is_open, balance, entries FROM accounts WHERE id = $1";
    first(books.locked(SQL, &[(&id.0).into()])?).as_mut().map(book).transpose()
}

pub(in super::super) fn account(books: &mut impl Sql, id: AccountPseudonym) -> Result<Option<Account>, MachineError> {
    Ok(find_book(books, id)?.map(|book| book.account))
}

pub(in super::super) fn find_account(books: &mut impl Sql, id: AccountPseudonym) -> Result<Account, MachineError> {
    account(books, id)?.ok_or(MachineError::Damaged("an account is gone"))
}

/// `time, kind, reference, change, currency`.
pub(super) fn entry(row: &mut Row) -> Result<Entry, MachineError> {
    let reference = codes::reference(row.take(1)?, &row.take::<Vec<u8>>(2)?)?;
    let (time, currency) = (UnixTime::from_secs(row.take(0)?), codes::currency(row.take(4)?)?);
    Ok(Entry { time, reference, change: row.take(3)?, currency })
}

/// `account, certificate, revoked`.
pub(in super::super) fn payee_record(row: &mut Row) -> Result<PayeeRecord, MachineError> {
    let record = PayeeRecord::new(AccountPseudonym(row.take(0)?), row.take(1)?);
    Ok(PayeeRecord { revoked: row.take(2)?, ..record.ok_or(MachineError::Damaged("a payee certificate is none"))? })
}

pub(in super::super) fn payee(books: &mut impl Sql, id: PayeeId) -> Result<Option<PayeeRecord>, MachineError> {
    let found = books.locked("SELECT account, certificate, revoked FROM payees WHERE id = $1", &[(&id.0).into()])?;
    first(found).as_mut().map(payee_record).transpose()
}

/// `object, state, frozen, maker, answered, total`.
pub(in super::super) fn credential_record(row: &mut Row) -> Result<CredentialRecord, MachineError> {
    let record = CredentialRecord::new(row.take(0)?).ok_or(MachineError::Damaged("a credential is none"))?;
    let answered = u64::try_from(row.take::<i64>(4)?).map_err(|_| MachineError::Damaged("a count is below zero"))?;
    let (unfrozen, frozen) = (codes::state(row.take(1)?)?, row.take(2)?);
    let maker = row.take::<Option<u32>>(3)?.map(MakerId);
    Ok(CredentialRecord { unfrozen, frozen, maker, answered: Sequence(answered), total: row.take(5)?, ..record })
}

pub(in super::super) fn credential<S: Sql>(books: &mut S, id: CredentialId) -> Result<Option<CredentialRecord>, MachineError> {
    first(books.locked(S::CREDENTIAL, &[(&id.0).into()])?).as_mut().map(credential_record).transpose()
}

pub(super) fn receiver(books: &mut impl Sql, payee: PayeeRef) -> Result<Receiver, MachineError> {
    const NO_PAYEE: MachineError = MachineError::Damaged("a payment's payee is gone");
    match payee {
        PayeeRef::Certificate(id) => {
            let payee = self::payee(books, id)?.ok_or(NO_PAYEE)?;
            Ok(payee.receiver(find_account(books, payee.account)?))
        }
        PayeeRef::Credential(id) => {
            let record = credential(books, id)?.ok_or(NO_PAYEE)?;
            Ok(record.receiver(find_account(books, record.credential.account)?))
        }
    }
}
