//! Enrolling credentials, and what their users and the operator make of them.

use std::collections::BTreeMap;

use armring_wire::{AccountPseudonym, CredentialId, PayeeRef, UnixTime};

use super::super::Ledger;
use super::super::credential::{CodeHash, CredentialState, Enrolled, NewCredential, Pending, TRIES};
use super::{Holding, MemoryLedger};
use crate::error::{CallerError, Error, MachineError};

impl MemoryLedger {
    pub(super) fn enrol_candidate(&mut self, code: &CodeHash, candidate: &NewCredential, now: UnixTime) -> Enrolled {
        let new = &candidate.record.credential;
        let Some((used, account)) = self.code(code, now).map(|code| (code.used, code.account)) else { return Enrolled::Refused };
        if let Some(holding) = used.and_then(|id| self.credentials.get_mut(&id)) {
            return holding.again(candidate);
        }
        let key_in_use = self.credentials.values().any(|holding| holding.record.credential.payment_key == new.payment_key);
        if account != new.account || key_in_use || self.credentials.contains_key(&new.id) {
            return Enrolled::Refused;
        }
        let (record, digits) = (candidate.record.clone(), candidate.digits);
        self.credentials.insert(new.id, Holding { record, digits, wrong: 0, tokens: BTreeMap::new(), clones: BTreeMap::new() });
        if let Some(code) = self.codes.get_mut(code) {
            code.used = Some(new.id);
        }
        Enrolled::Stored
    }

    pub(super) fn pending_of(&self, account: AccountPseudonym) -> Vec<Pending> {
        let waits = |holding: &&Holding| {
            holding.record.credential.account == account && holding.record.state() == CredentialState::Inactive
        };
        let pending = |holding: &Holding| Pending {
            credential: holding.record.credential.id,
            digits: holding.digits,
            enrolled: holding.record.credential.validity.from,
        };
        self.credentials.values().filter(waits).map(pending).collect()
    }

    pub(super) fn confirm_digits(&mut self, credential: CredentialId, digits: u32, now: UnixTime) -> Result<(), Error> {
        let holding = self.holding(credential)?;
        match holding.record.state() {
            CredentialState::Inactive => {}
            CredentialState::Cancelled => return Err(CallerError::Cancelled.into()),
            _ => return Err(CallerError::NotPending.into()),
        }
        if holding.digits.number() == digits {
            holding.record.unfrozen = CredentialState::Active;
            return Ok(());
        }
        let wrong = holding.wrong.saturating_add(1);
        let left = TRIES.saturating_sub(wrong);
        if left == 0 {
            self.refuse_for_good(credential, CredentialState::Cancelled, now)?;
        }
        self.holding(credential)?.wrong = wrong;
        Err(if left > 0 { CallerError::WrongDigits { left } } else { CallerError::Cancelled }.into())
    }

    pub(super) fn freeze(&mut self, credential: CredentialId, frozen: bool, now: UnixTime) -> Result<(), Error> {
        let record = &self.holding(credential)?.record;
        if record.unfrozen.is_final() {
            return if frozen { Ok(()) } else { Err(CallerError::Final.into()) };
        }
        let until = record.credential.validity.until;
        self.revoked.mark(PayeeRef::Credential(credential), frozen, until, now)?;
        self.holding(credential)?.record.frozen = frozen;
        Ok(())
    }

    pub(super) fn revoke_credential(
        &mut self,
        credential: CredentialId,
        code: Option<(&CodeHash, UnixTime)>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let record = &self.holding(credential)?.record;
        let (account, is_final) = (record.credential.account, record.state().is_final());
        if let Some((code, expires)) = code {
            self.store_code(code, account, expires, now)?;
        }
        if !is_final {
            self.refuse_for_good(credential, CredentialState::Revoked, now)?;
        }
        Ok(())
    }

    /// Makes the state a final one, and lists it.
    pub(super) fn refuse_for_good(
        &mut self,
        credential: CredentialId,
        state: CredentialState,
        now: UnixTime,
    ) -> Result<(), MachineError> {
        const NO_CREDENTIAL: MachineError = MachineError::Damaged("a credential is gone");
        let record = &mut self.credentials.get_mut(&credential).ok_or(NO_CREDENTIAL)?.record;
        self.revoked.mark(PayeeRef::Credential(credential), true, record.credential.validity.until, now)?;
        record.unfrozen = state;
        Ok(())
    }
}

impl Holding {
    /// A code that was used before.
    fn again(&mut self, candidate: &NewCredential) -> Enrolled {
        let (record, new) = (&mut self.record, &candidate.record);
        if record.credential.payment_key != new.credential.payment_key || record.unfrozen.is_final() {
            return Enrolled::Refused;
        }
        if new.unfrozen == CredentialState::Active {
            record.unfrozen = CredentialState::Active;
        }
        record.maker = new.maker.or(record.maker);
        self.digits = candidate.digits;
        Enrolled::Already(record.object.clone())
    }
}
