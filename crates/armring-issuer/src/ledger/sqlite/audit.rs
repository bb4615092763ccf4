//! What only a file of SQLite can have wrong.

use core::ops::ControlFlow;

use armring_wire::{AccountPseudonym, CredentialId, TokenDigest};

use super::super::audit::Faults;
use super::super::model::Fault;
use super::super::sql::audit::{all_faults, faults, read_all};
use super::super::sql::{Row, Sql};
use super::Statements;
use crate::error::MachineError;

/// Accounts of which not all entries are found from the newest one back.
const BROKEN: &str = "
    SELECT after.account FROM entries AS after JOIN entries AS before ON before.id = after.previous
    WHERE before.account <> after.account OR before.number <> after.number - 1
    UNION SELECT accounts.id FROM accounts LEFT JOIN entries AS newest ON newest.id = accounts.last
    WHERE accounts.entries <> coalesce(newest.number + 1, 0) OR newest.account <> accounts.id";

/// Tokens by what was signed for them, and then what was signed: one of each has the same number.
const OBJECTS: &str = "
    SELECT object, 0, credential, counter, NULL FROM tokens UNION ALL SELECT id, 1, NULL, NULL, digest FROM objects ORDER BY 1, 2";

/// Finds out as much as can be known without reading what was signed.
pub(super) fn audit(books: &mut Statements<'_>, tell: &mut dyn FnMut(&str)) -> Result<Vec<Fault>, MachineError> {
    let mut found = Faults::default();
    faults(books, &mut found, tell)?;
    entries_are_found(books, &mut found, tell)?;
    Ok(found.into_vec())
}

/// Finds out everything.
pub(super) fn verify(books: &mut Statements<'_>, tell: &mut dyn FnMut(&str)) -> Result<Vec<Fault>, MachineError> {
    if !is_sound(books, tell)? {
        return Ok(vec![Fault::File]);
    }
    let mut found = Faults::default();
    all_faults(books, &mut found, tell)?;
    entries_are_found(books, &mut found, tell)?;
    tokens_have_objects(books, &mut found, tell)?;
    Ok(found.into_vec())
}

/// Whether SQLite finds its file as it left it: pages, order of keys, indexes, and what its tables say of their columns.
fn is_sound(books: &mut Statements<'_>, tell: &mut dyn FnMut(&str)) -> Result<bool, MachineError> {
    tell("the file is sound");
    let mut is_sound = true;
    books.each("PRAGMA integrity_check(100)", &[], &mut |mut row| {
        let said: Vec<u8> = row.take(0)?;
        if said != b"ok" {
            is_sound = false;
            tell(&String::from_utf8_lossy(&said));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(is_sound)
}

fn entries_are_found(books: &mut Statements<'_>, found: &mut Faults, tell: &mut dyn FnMut(&str)) -> Result<(), MachineError> {
    tell("every entry is found from its account");
    found.next_check();
    books.each(BROKEN, &[], &mut |mut row| Ok(found.push(Fault::Entries(AccountPseudonym(row.take(0)?)))))
}

fn tokens_have_objects(books: &mut Statements<'_>, found: &mut Faults, tell: &mut dyn FnMut(&str)) -> Result<(), MachineError> {
    found.next_check();
    let mut token = None::<(i64, Fault)>;
    read_all(books, (OBJECTS, &[]), "every receipt has its token", tell, &mut |mut row| {
        let id: i64 = row.take(0)?;
        let Some(digest) = row.take::<Option<[u8; 32]>>(4)? else {
            // The one before it has none, or would share this one.
            return Ok(found.extend(token.replace((id, no_receipt(&mut row)?)).map(|(_, fault)| fault)));
        };
        let before = token.take();
        let is_its_own = before.is_some_and(|(object, _)| object == id);
        let faults = [
            (!is_its_own).then_some(Fault::NoToken(TokenDigest(digest))),
            before.filter(|_| !is_its_own).map(|(_, fault)| fault),
        ];
        Ok(found.extend(faults.into_iter().flatten()))
    })?;
    let _ = found.extend(token.map(|(_, fault)| fault));
    Ok(())
}

fn no_receipt(row: &mut Row) -> Result<Fault, MachineError> {
    Ok(Fault::NoReceipt(CredentialId(row.take(2)?), row.take(3)?))
}
