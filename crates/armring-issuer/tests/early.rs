//! A ledger whose transactions are made durable apart from writing them: nobody is told before, and the next transaction does not wait.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use armring_issuer::*;
use armring_token::Epoch;
use armring_wire::*;
use common::*;
use rand_chacha::rand_core::SeedableRng;

/// Books in memory whose disk does what a test says.
struct Early {
    books: MemoryLedger,
    settled: Arc<AtomicUsize>,
    /// Whether the disk takes it, once for each sync.
    disk: Mutex<Option<Receiver<bool>>>,
}

impl Ledger for Early {
    fn settle(&mut self, payments: &[VerifiedPayment], terms: &Terms<'_>) -> Result<Vec<Answer>, MachineError> {
        self.books.settle(payments, terms)
    }

    fn settle_early(&mut self, payments: &[VerifiedPayment], terms: &Terms<'_>) -> Result<Vec<Answer>, MachineError> {
        let answers = self.books.settle(payments, terms);
        self.settled.fetch_add(1, Ordering::AcqRel);
        answers
    }

    fn syncer(&self) -> Result<Option<Syncer>, MachineError> {
        let disk = self.disk.lock().unwrap().take().unwrap();
        let sync = move || disk.recv().unwrap().then_some(()).ok_or(MachineError::Damaged("the disk"));
        Ok(Some(Box::new(sync)))
    }

    fn open_account(&mut self, account: AccountPseudonym, currency: Currency) -> Result<(), Error> {
        self.books.open_account(account, currency)
    }

    fn account(&self, account: AccountPseudonym) -> Result<Option<Account>, MachineError> {
        self.books.account(account)
    }

    fn accounts(&self, after: Option<AccountPseudonym>) -> Result<Vec<Account>, MachineError> {
        self.books.accounts(after)
    }

    fn set_account_state(&mut self, account: AccountPseudonym, state: AccountState) -> Result<(), Error> {
        self.books.set_account_state(account, state)
    }

    fn deposit(&mut self, account: AccountPseudonym, amount: Amount, reference: DepositRef, now: UnixTime) -> Result<(), Error> {
        self.books.deposit(account, amount, reference, now)
    }

    fn statement(&self, account: AccountPseudonym, tell: &mut TellEntry<'_>) -> Result<(), MachineError> {
        self.books.statement(account, tell)
    }

    fn add_payee(&mut self, payee: &PayeeRecord) -> Result<(), Error> {
        self.books.add_payee(payee)
    }

    fn payee(&self, payee: PayeeId) -> Result<Option<PayeeRecord>, MachineError> {
        self.books.payee(payee)
    }

    fn set_payee_revoked(&mut self, payee: PayeeId, revoked: bool, now: UnixTime) -> Result<(), Error> {
        self.books.set_payee_revoked(payee, revoked, now)
    }

    fn store_code(&mut self, code: &CodeHash, account: AccountPseudonym, expires: UnixTime, now: UnixTime) -> Result<(), Error> {
        self.books.store_code(code, account, expires, now)
    }

    fn code_account(&self, code: &CodeHash, now: UnixTime) -> Result<Option<Account>, MachineError> {
        self.books.code_account(code, now)
    }

    fn enrol(&mut self, code: &CodeHash, candidate: &NewCredential, now: UnixTime) -> Result<Enrolled, MachineError> {
        self.books.enrol(code, candidate, now)
    }

    fn pending(&self, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError> {
        self.books.pending(account)
    }

    fn confirm(&mut self, credential: CredentialId, digits: u32, now: UnixTime) -> Result<(), Error> {
        self.books.confirm(credential, digits, now)
    }

    fn set_frozen(&mut self, credential: CredentialId, frozen: bool, now: UnixTime) -> Result<(), Error> {
        self.books.set_frozen(credential, frozen, now)
    }

    fn revoke(&mut self, credential: CredentialId, code: Option<(&CodeHash, UnixTime)>, now: UnixTime) -> Result<(), Error> {
        self.books.revoke(credential, code, now)
    }

    fn revoked(&self, since: Epoch, part: u16) -> Result<Option<RevokedPart>, MachineError> {
        self.books.revoked(since, part)
    }

    fn credential(&self, credential: CredentialId) -> Result<Option<CredentialRecord>, MachineError> {
        self.books.credential(credential)
    }

    fn refund(&mut self, refund: &VerifiedRefund, terms: &RefundTerms<'_>) -> Result<Option<RefundAnswer>, MachineError> {
        self.books.refund(refund, terms)
    }

    fn evidence(&self, credential: CredentialId) -> Result<Vec<Evidence>, MachineError> {
        self.books.evidence(credential)
    }

    fn audit(&self) -> Result<Vec<Fault>, MachineError> {
        self.books.audit()
    }

    fn verify(&self, tell: &mut dyn FnMut(&str)) -> Result<Vec<Fault>, MachineError> {
        self.books.verify(tell)
    }
}

/// A front before such a ledger, and payments for it that do not depend on each other.
struct Scene {
    front: GroupCommit<Early, Signer>,
    sent: Vec<(Vec<u8>, Vec<u8>)>,
    settled: Arc<AtomicUsize>,
    /// Takes what it is sent once the front waits for the disk.
    disk: Option<SyncSender<bool>>,
}

impl Scene {
    fn new(payments: usize) -> Self {
        let (disk, waits) = sync_channel(0);
        let settled = Arc::new(AtomicUsize::new(0));
        let early = Early { books: MemoryLedger::new(), settled: Arc::clone(&settled), disk: Mutex::new(Some(waits)) };
        let mut w = World::new(early);
        let shop = w.shop();
        let mut sent = Vec::new();
        for _ in 0..payments {
            let mut band = w.band(1_000);
            let request = shop.request(&mut w, 100);
            let token = band.token(&w, &request);
            sent.push((request, token));
        }
        let rng = || ChaCha20Rng::seed_from_u64(1);
        let front = GroupCommit::start(w.issuer, GroupOptions { verifiers: Some(1), ..GroupOptions::default() }, rng).unwrap();
        Self { front, sent, settled, disk: Some(disk) }
    }

    fn disk_takes(&self, it: bool) {
        self.disk.as_ref().unwrap().send(it).unwrap();
    }

    /// Hands in a payment, and waits until the transaction with it is written.
    fn settle(&self, number: usize) -> Receiver<Redeemed> {
        let before = self.settled.load(Ordering::Acquire);
        let (sender, receiver) = channel();
        let (request, token) = &self.sent[number];
        self.front.submit(request, token, NOW, move |answer| sender.send(answer).unwrap());
        while self.settled.load(Ordering::Acquire) == before {
            thread::yield_now();
        }
        receiver
    }
}

fn is_not_told(answer: &Receiver<Redeemed>) -> bool {
    matches!(answer.try_recv(), Err(TryRecvError::Empty))
}

#[test]
fn the_next_transaction_does_not_wait_for_the_disk_but_whoever_is_in_it_does() {
    let scene = Scene::new(2);
    let first = scene.settle(0);
    let second = scene.settle(1);
    assert!(is_not_told(&first) && is_not_told(&second), "both are written, none is durable");
    scene.disk_takes(true);
    assert_eq!(first.recv().unwrap().unwrap().unwrap().outcome, Outcome::Settled);
    assert!(is_not_told(&second), "the disk has taken the first alone");
    scene.disk_takes(true);
    assert_eq!(second.recv().unwrap().unwrap().unwrap().outcome, Outcome::Settled);
}

#[test]
fn once_the_disk_has_failed_the_front_tells_no_receipt_any_more() {
    let mut scene = Scene::new(2);
    let first = scene.settle(0);
    scene.disk_takes(false);
    assert!(matches!(first.recv().unwrap(), Err(MachineError::Shared(_))));
    // The disk is not asked again, not for a repetition either, which nothing was written for: whoever asks it panics.
    scene.disk = None;
    for again in [0, 1] {
        assert!(matches!(scene.settle(again).recv().unwrap(), Err(MachineError::Shared(_))));
    }
    let issuer = scene.front.stop().unwrap();
    assert_eq!(issuer.ledger().audit().unwrap(), [], "what was written is there, whether or not it lasts");
}
