//! The verifiers: parse what came in, find the keys, and verify all signatures together.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use armring_token::{PayeeKey, PaymentKey};
use armring_wire::records::issuer::Refusal;
use armring_wire::{CredentialId, PayeeId, PayeeRef};
use rand_core::TryCryptoRng;

use super::{Arrived, Shared, Verified};
use crate::error::MachineError;
use crate::ledger::Ledger;
use crate::redeem::{Candidate, VerifiedPayment, verify_batch};

/// How many payments are verified together: where a batch gains little from being longer.
const BATCH: usize = 128;

/// How long a batch that is not full waits for more while a transaction is under way, which it misses anyway.
const PATIENCE: Duration = Duration::from_millis(4);

/// How many keys are remembered: of each some 40 bytes.
const KEYS: usize = 1 << 20;

/// Keys that were looked up before. A credential or payee never gets another one; whether it may still pay or be paid is not asked here.
#[derive(Default)]
pub(super) struct KnownKeys(RwLock<Keys>);

#[derive(Default)]
struct Keys {
    credentials: HashMap<CredentialId, PaymentKey>,
    payees: HashMap<PayeeId, PayeeKey>,
}

impl Keys {
    fn payment_key(&self, candidate: &Candidate<'_>) -> Result<PaymentKey, Refusal> {
        self.credentials.get(&candidate.credential()).copied().ok_or(Refusal::UnknownCredential)
    }

    fn payee_key(&self, candidate: &Candidate<'_>) -> Result<PayeeKey, Refusal> {
        let key = match candidate.payee() {
            PayeeRef::Certificate(id) => self.payees.get(&id).copied(),
            PayeeRef::Credential(id) => self.credentials.get(&id).map(|key| key.as_payee()),
        };
        key.ok_or(Refusal::UnknownPayee)
    }

    /// Takes the keys of these out of `known`, and says which it does not have.
    fn take(&mut self, known: &Self, candidates: &[Candidate<'_>]) -> (Vec<CredentialId>, Vec<PayeeId>) {
        let (mut credentials, mut payees) = (HashSet::new(), HashSet::new());
        let mut credential = |id| match known.credentials.get(&id) {
            Some(key) => drop(self.credentials.insert(id, *key)),
            None => drop(credentials.insert(id)),
        };
        for candidate in candidates {
            credential(candidate.credential());
            match candidate.payee() {
                PayeeRef::Credential(id) => credential(id),
                PayeeRef::Certificate(id) => match known.payees.get(&id) {
                    Some(key) => drop(self.payees.insert(id, *key)),
                    None => drop(payees.insert(id)),
                },
            }
        }
        (credentials.into_iter().collect(), payees.into_iter().collect())
    }
}

impl KnownKeys {
    /// The keys that these name.
    fn of(&self, candidates: &[Candidate<'_>], ledger: &dyn Ledger) -> Result<Keys, MachineError> {
        let mut keys = Keys::default();
        let (credentials, payees) = keys.take(&self.0.read().unwrap_or_else(PoisonError::into_inner), candidates);
        if credentials.is_empty() && payees.is_empty() {
            return Ok(keys);
        }
        let records = if credentials.is_empty() { Vec::new() } else { ledger.credentials(&credentials)? };
        for record in records {
            let key = record.credential.payment_key().ok_or(MachineError::Damaged("a credential has no key"))?;
            keys.credentials.insert(record.credential.id, key);
        }
        let records = if payees.is_empty() { Vec::new() } else { ledger.payees(&payees)? };
        for payee in records {
            keys.payees.insert(payee.id, payee.key().ok_or(MachineError::Damaged("a payee has no key"))?);
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.credentials.len().saturating_add(known.payees.len()) >= KEYS {
            *known = Keys::default();
        }
        known.credentials.extend(&keys.credentials);
        known.payees.extend(&keys.payees);
        Ok(keys)
    }
}

pub(super) fn run<L: Ledger, S, D>(shared: &Shared<L, S, D>, reader: Option<L>, mut rng: impl TryCryptoRng) {
    while let Some(arrived) = shared.arrived.take(BATCH, PATIENCE) {
        let verdicts = match &reader {
            Some(reader) => verdicts(shared, reader, &arrived, &mut rng),
            None => verdicts(shared, shared.issuer().ledger(), &arrived, &mut rng),
        };
        let mut verified = Vec::new();
        for (Arrived { now, caller, .. }, verdict) in arrived.into_iter().zip(verdicts) {
            match verdict {
                Ok(Ok(payment)) => verified.push(Verified { payment, now, caller }),
                Ok(Err(refusal)) => caller.answer(Ok(Err(refusal))),
                Err(error) => caller.answer(Err(MachineError::Shared(error))),
            }
        }
        drop(shared.verified.push_all(verified));
    }
}

type Verdict = Result<Result<VerifiedPayment, Refusal>, Arc<MachineError>>;

fn verdicts<L, S, D>(
    shared: &Shared<L, S, D>,
    ledger: &dyn Ledger,
    arrived: &[Arrived],
    rng: &mut impl TryCryptoRng,
) -> Vec<Verdict> {
    let root = &shared.root;
    let parsed: Vec<_> = arrived.iter().map(|arrived| Candidate::parse(root, &arrived.request, &arrived.token)).collect();
    let candidates: Vec<_> = parsed.iter().filter_map(|parsed| parsed.ok()).collect();
    let keys = match shared.keys.of(&candidates, ledger) {
        Ok(keys) => keys,
        Err(error) => {
            let error = Arc::new(error);
            return parsed.iter().map(|parsed| parsed.map_or_else(|no| Ok(Err(no)), |_| Err(Arc::clone(&error)))).collect();
        }
    };
    let keyed = |parsed: &Result<Candidate<'_>, Refusal>| {
        parsed.and_then(|candidate| Ok((keys.payment_key(&candidate)?, keys.payee_key(&candidate)?)))
    };
    let keyed: Vec<_> = parsed.iter().map(keyed).collect();
    let signed = parsed.iter().zip(&keyed).filter_map(|(parsed, keys)| Some((parsed.ok()?, keys.ok()?)));
    let mut verified = verify_batch(root, signed, rng).into_iter();
    keyed.into_iter().map(|keys| Ok(keys.and_then(|_| verified.next().unwrap_or(Err(Refusal::Busy))))).collect()
}
