//! The committer: settles what verified, one transaction after the other.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use armring_pairing::DiffieHellman;
use armring_token::Signature;
use armring_wire::{CredentialId, RequestDigest, TokenDigest, UnixTime};
use signature::MultipartSigner;

use super::queue::ClosesAtEnd;
use super::sync::{Caller, Settled};
use super::{Shared, Verified};
use crate::error::MachineError;
use crate::issuer::Issuer;
use crate::ledger::{Answer, Ledger};
use crate::redeem::VerifiedPayment;

/// What is not durable yet goes to `sync`, which makes it so while the next transaction is under way.
pub(super) fn run<L, S, D>(shared: &Shared<L, S, D>, sync: Option<SyncSender<Settled>>)
where
    L: Ledger,
    S: MultipartSigner<Signature>,
    D: DiffieHellman,
{
    // Where this thread panics, nothing more is settled: whoever comes is told so at once.
    let _closes = (ClosesAtEnd(&shared.verified), ClosesAtEnd(&shared.arrived));
    let mut left = Vec::new();
    loop {
        if left.is_empty() {
            let Some(came) = shared.verified.take(shared.options.queue, Duration::ZERO) else { return };
            left = came;
        } else {
            left.extend(shared.verified.take_now(shared.options.queue));
        }
        let group = Group::form(&mut left, shared.options.batch);
        shared.arrived.set_patient(true);
        let answers = settle(&mut shared.issuer(), &group.payments, group.now);
        let settled = Settled { callers: group.callers, answers };
        match &sync {
            None => settled.tell(),
            // It is taken once what came before it is durable. Where the thread that does so panicked, whoever is dropped is told.
            Some(sync) if sync.send(settled).is_err() => return,
            Some(_) => {}
        }
        shared.arrived.set_patient(false);
    }
}

/// What one transaction settles.
struct Group {
    payments: Vec<VerifiedPayment>,
    /// Those who sent the payment of this number.
    callers: Vec<Vec<Caller>>,
    now: UnixTime,
    tokens: HashMap<TokenDigest, usize>,
    credentials: HashSet<CredentialId>,
    requests: HashSet<RequestDigest>,
}

impl Group {
    /// Takes payments that do not depend on each other, the oldest first, and all callers of each. What does not fit stays.
    fn form(left: &mut Vec<Verified>, most: usize) -> Self {
        let mut group = Self {
            payments: Vec::new(),
            callers: Vec::new(),
            now: UnixTime::EPOCH,
            tokens: HashMap::new(),
            credentials: HashSet::new(),
            requests: HashSet::new(),
        };
        let stays = left.drain(..).filter_map(|verified| group.take(verified, most)).collect();
        *left = stays;
        group
    }

    fn take(&mut self, verified: Verified, most: usize) -> Option<Verified> {
        let token = verified.payment.token();
        if let Some(callers) = self.tokens.get(&verified.payment.digest()).and_then(|at| self.callers.get_mut(*at)) {
            callers.push(verified.caller);
            return None;
        }
        let is_full = self.payments.len() >= most;
        if is_full || self.credentials.contains(&token.credential) || self.requests.contains(&token.request) {
            return Some(verified);
        }
        self.credentials.insert(token.credential);
        self.requests.insert(token.request);
        self.tokens.insert(verified.payment.digest(), self.payments.len());
        self.now = self.now.max(verified.now);
        self.payments.push(verified.payment);
        self.callers.push(vec![verified.caller]);
        None
    }
}

/// Settles all together; where that fails, each by itself, so that one which fails fails alone. Where the storage fails twice, it fails for
/// all.
fn settle<L, S, D>(issuer: &mut Issuer<L, S, D>, payments: &[VerifiedPayment], now: UnixTime) -> Vec<Result<Answer, MachineError>>
where
    L: Ledger,
    S: MultipartSigner<Signature>,
    D: DiffieHellman,
{
    const NONE: MachineError = MachineError::Damaged("a payment was not answered");
    let failure = match issuer.settle_early(payments, now) {
        Ok(answers) => return answers.into_iter().map(Ok).collect(),
        Err(failure) if payments.len() == 1 => return vec![Err(failure)],
        Err(failure) => failure,
    };
    let mut failures = usize::from(matches!(failure, MachineError::Storage(_)));
    let mut last = Arc::new(failure);
    let mut alone = |payment: &VerifiedPayment| {
        if failures > 2 {
            return Err(MachineError::Shared(Arc::clone(&last)));
        }
        match issuer.settle_early(core::slice::from_ref(payment), now) {
            Ok(mut answers) => {
                failures = 0;
                answers.pop().ok_or(NONE)
            }
            Err(failure) => {
                failures += usize::from(matches!(failure, MachineError::Storage(_)));
                last = Arc::new(failure);
                Err(MachineError::Shared(Arc::clone(&last)))
            }
        }
    };
    payments.iter().map(&mut alone).collect()
}
