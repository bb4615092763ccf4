//! Group commit: payments of many callers at once are verified in batches on all cores, and settled in one durable transaction.
//!
//! ```text
//!  redeem ─▶ bounded queue ─▶ verifiers, one for each core ─▶ committer: settle, one transaction for all that wait
//!     ▲                             │ refused                       ▼
//!     │                             │                             sync: make durable, while the next transaction is under way
//!     └─────────────────────────────┴───────────────────────────────┘ answered
//! ```

mod commit;
mod queue;
mod sync;
mod verify;

use core::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use armring_pairing::DiffieHellman;
use armring_token::Signature;
use armring_wire::records::issuer::{Refusal, ToIssuer};
use armring_wire::{BufferTooSmall, RootFingerprint, UnixTime, decode_record};
use rand_core::TryCryptoRng;
use signature::MultipartSigner;

use self::queue::Queue;
use self::sync::Caller;
use self::verify::KnownKeys;
use crate::error::MachineError;
use crate::issuer::Issuer;
use crate::ledger::{Answer, Ledger};
use crate::provider::{EnrolmentKey, SigningKey};
use crate::redeem::VerifiedPayment;
use crate::service::{self, Reply, Said, Session};

/// How long upkeep rests.
const UPKEEP: Duration = Duration::from_secs(1);

/// How much is done at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupOptions {
    /// How many payments may wait for their answers. One more is answered `Busy`.
    pub queue: usize,
    /// The most payments in one transaction.
    pub batch: usize,
    /// How many threads verify signatures; `None` for one on each core.
    pub verifiers: Option<usize>,
}

impl Default for GroupOptions {
    /// 4,096 waiting, 2,048 in one transaction, a verifier on each core.
    fn default() -> Self {
        Self { queue: 4_096, batch: 2_048, verifiers: None }
    }
}

/// What becomes of a token and the request that it answers.
///
/// The outer error is the machine's: whether the payment was recorded is then not known, and the same token may be sent again until there is
/// an answer. The inner error is what to answer; [`Refusal::Busy`] says that nothing was looked at, and that the same token may be sent again.
pub type Redeemed = Result<Result<Answer, Refusal>, MachineError>;

/// An issuer for many threads, in front of any ledger.
///
/// Each caller is answered once the transaction with its payment is durable. Payments that come in meanwhile go into the next one, so that it
/// costs the same sync of the disk for one or for hundreds. Two tokens of one credential, or for one request, never share a transaction; the
/// same token sent many times is settled once, and all of its callers get that receipt. A payment that fails fails alone.
///
/// Where the disk has failed to make a transaction durable, everybody is told so from then on, until another one is started: what was written is
/// then answered like any token that is sent again.
///
/// It needs no runtime: threads and channels are those of std. A caller that must not block takes [`submit`](Self::submit).
///
/// ```
/// # use armring_issuer::{DepositRef, EnrolmentKey, Issuer, Keys, MemoryLedger, Policy, SigningKey, sign_key_list};
/// # use armring_pairing::DiffieHellman;
/// # use armring_token::{Epoch, KeyEntry, KeyUse, RootKey, Signing};
/// # use armring_wire::{Currency, KeyId, UnixTime, Validity};
/// # use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
/// use armring_issuer::{GroupCommit, GroupOptions};
/// use armring_wire::records::issuer::Refusal;
/// # let mut rng = ChaCha20Rng::seed_from_u64(1);
/// # let now = UnixTime::from_secs(1_800_000_000);
/// # let (root_signer, online) = (SigningKey::from_bytes(&[1; 32])?, SigningKey::from_bytes(&[2; 32])?);
/// # let root = RootKey::from_bytes(root_signer.public_key()).ok_or("a key")?;
/// # let enrolment = EnrolmentKey::from_bytes(&[3; 32])?;
/// # let validity = Validity { from: now, until: UnixTime::from_secs(1_831_536_000) };
/// # let keys = [
/// #     KeyEntry { id: KeyId(1), key_use: KeyUse::Signing, key: online.public_key(), validity },
/// #     KeyEntry { id: KeyId(2), key_use: KeyUse::Enrolment, key: *enrolment.public_key().as_bytes(), validity },
/// # ];
/// # let key_list = sign_key_list(&root, &Signing::new(root_signer), Epoch(1), (now, validity.until), &keys)?;
/// # let keys = Keys { root, signing_id: KeyId(1), signing: Signing::new(online), enrolment, key_list };
/// # let issuer = Issuer::new(keys, Policy::default(), MemoryLedger::new(), now)?;
///
/// // Each verifier draws from a generator of its own: that of the operating system, as a rule.
/// let mut seed = 0;
/// let front = GroupCommit::start(issuer, GroupOptions::default(), || {
///     seed += 1;
///     ChaCha20Rng::seed_from_u64(seed)
/// })?;
/// std::thread::scope(|threads| {
///     threads.spawn(|| front.redeem(b"a request", b"a token", now));
/// });
/// assert!(matches!(front.redeem(b"a request", b"a token", now)?, Err(Refusal::Malformed)));
/// // The operator's calls take the issuer for a moment, between two transactions.
/// let account = front.issuer(|issuer| issuer.open_account(Currency::CNY, &mut rng))?;
/// let issuer = front.stop().ok_or("a thread panicked")?;
/// assert_eq!(issuer.account(account)?.balance, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct GroupCommit<L, S = SigningKey, D = EnrolmentKey> {
    shared: Arc<Shared<L, S, D>>,
    verifiers: Vec<JoinHandle<()>>,
    committer: Option<JoinHandle<()>>,
    sync: Option<JoinHandle<()>>,
    upkeep: Option<JoinHandle<()>>,
}

/// What all threads see.
struct Shared<L, S, D> {
    issuer: Mutex<Issuer<L, S, D>>,
    root: RootFingerprint,
    options: GroupOptions,
    waiting: AtomicUsize,
    arrived: Queue<Arrived>,
    verified: Queue<Verified>,
    /// Nothing is ever put in: it is closed when upkeep is to end.
    upkeep: Queue<()>,
    keys: KnownKeys,
}

impl<L, S, D> Shared<L, S, D> {
    fn issuer(&self) -> MutexGuard<'_, Issuer<L, S, D>> {
        // Whoever panicked changed nothing that is not in a transaction.
        self.issuer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A payment as it came in.
struct Arrived {
    request: Vec<u8>,
    token: Vec<u8>,
    now: UnixTime,
    caller: Caller,
}

/// A payment of which every signature verified.
struct Verified {
    payment: VerifiedPayment,
    now: UnixTime,
    caller: Caller,
}

impl<L, S, D> GroupCommit<L, S, D>
where
    L: Ledger + Send + 'static,
    S: MultipartSigner<Signature> + Send + 'static,
    D: DiffieHellman + Send + 'static,
{
    /// Starts the threads. `rng` is called once for each verifier, which draws from what it returns: what senders cannot know, or they could
    /// make signatures that are valid together and not by themselves.
    ///
    /// # Errors
    /// The machine's alone.
    pub fn start<R: TryCryptoRng + Send + 'static>(
        issuer: Issuer<L, S, D>,
        options: GroupOptions,
        mut rng: impl FnMut() -> R,
    ) -> Result<Self, MachineError> {
        let verifiers = options.verifiers.or_else(|| thread::available_parallelism().ok().map(Into::into)).unwrap_or(1).max(1);
        let (upkeep, syncer) = (issuer.ledger().upkeep()?, issuer.ledger().syncer()?);
        let mut readers = Vec::new();
        for _ in 0..verifiers {
            readers.push(issuer.ledger().another()?);
        }
        let shared = Arc::new(Shared {
            root: *issuer.root(),
            issuer: Mutex::new(issuer),
            options: GroupOptions { batch: options.batch.max(1), ..options },
            waiting: AtomicUsize::new(0),
            arrived: Queue::new(),
            verified: Queue::new(),
            upkeep: Queue::new(),
            keys: KnownKeys::default(),
        });
        let mut front = Self { shared: Arc::clone(&shared), verifiers: Vec::new(), committer: None, sync: None, upkeep: None };
        for reader in readers {
            let (shared, rng) = (Arc::clone(&shared), rng());
            front.verifiers.push(spawn("armring-verify", move || verify::run(&shared, reader, rng))?);
        }
        if let Some(mut work) = upkeep {
            let shared = Arc::clone(&shared);
            // What fails is tried again: a transaction that finds the same fault tells its callers.
            let rest = move || {
                while !shared.upkeep.closed_within(UPKEEP) {
                    let _ = work();
                }
            };
            front.upkeep = Some(spawn("armring-upkeep", rest)?);
        }
        let mut sync = None;
        if let Some(syncer) = syncer {
            // Nothing waits in it: what is settled is handed over once the last is durable.
            let (sender, receiver) = sync_channel(0);
            front.sync = Some(spawn("armring-sync", move || sync::run(&receiver, syncer))?);
            sync = Some(sender);
        }
        front.committer = Some(spawn("armring-commit", move || commit::run(&shared, sync))?);
        Ok(front)
    }

    /// Settles a payment together with others, and waits for the answer.
    ///
    /// # Errors
    /// As [`Redeemed`] says.
    pub fn redeem(&self, request: &[u8], token: &[u8], now: UnixTime) -> Redeemed {
        let (sender, receiver) = sync_channel(1);
        self.submit(request, token, now, move |answer| drop(sender.send(answer)));
        receiver.recv().unwrap_or(Err(MachineError::Stopped))
    }

    /// Settles a payment together with others. `answer` is called once, by one of the threads: it should hand the answer on and be quick. Where
    /// there is no room it is called before this returns, with [`Refusal::Busy`].
    pub fn submit(&self, request: &[u8], token: &[u8], now: UnixTime, answer: impl FnOnce(Redeemed) + Send + 'static) {
        let room = |waiting: usize| (waiting < self.shared.options.queue).then(|| waiting.saturating_add(1));
        if self.shared.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, room).is_err() {
            return answer(Ok(Err(Refusal::Busy)));
        }
        let shared = Arc::downgrade(&self.shared);
        let caller = Caller::new(move |answered| {
            if let Some(shared) = shared.upgrade() {
                shared.waiting.fetch_sub(1, Ordering::AcqRel);
            }
            answer(answered);
        });
        // One that is not taken is dropped, and its caller told.
        drop(self.shared.arrived.push(Arrived { request: request.to_vec(), token: token.to_vec(), now, caller }));
    }

    /// Answers a record as [`Issuer::handle`] does, payments together with others.
    ///
    /// # Errors
    /// [`BufferTooSmall`] where `out` is shorter than [`REPLY_MAX`](crate::REPLY_MAX).
    pub fn handle<'b>(
        &self,
        session: &mut Session,
        record: &[u8],
        now: UnixTime,
        rng: &mut impl TryCryptoRng,
        out: &'b mut [u8],
    ) -> Result<Reply<'b>, BufferTooSmall> {
        let Ok(ToIssuer::Redeem { request, token }) = decode_record(record) else {
            return self.shared.issuer().handle(session, record, now, rng, out);
        };
        if out.len() < crate::REPLY_MAX {
            return Err(BufferTooSmall);
        }
        let said = self.redeem(request.as_bytes(), token.as_bytes(), now);
        let said = said.map(|answer| (answer.map_or_else(Said::Refused, |answer| Said::Receipt(answer.receipt)), None));
        service::reply(said, &[], out)
    }

    /// Does something else with the issuer: what an operator does, say. Payments wait meanwhile.
    pub fn issuer<T>(&self, work: impl FnOnce(&mut Issuer<L, S, D>) -> T) -> T {
        work(&mut self.shared.issuer())
    }

    /// Answers what waits, ends the threads and gives back the issuer; `None` where one of them panicked.
    #[must_use = "to let it go, drop it"]
    pub fn stop(mut self) -> Option<Issuer<L, S, D>> {
        self.end();
        let shared = Arc::clone(&self.shared);
        drop(self);
        Some(Arc::into_inner(shared)?.issuer.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<L, S, D> GroupCommit<L, S, D> {
    /// Each queue is closed once nothing more comes into it.
    fn end(&mut self) {
        self.shared.upkeep.close();
        self.shared.arrived.close();
        self.verifiers.drain(..).for_each(|verifier| drop(verifier.join()));
        self.shared.verified.close();
        let others = [self.committer.take(), self.sync.take(), self.upkeep.take()];
        others.into_iter().flatten().for_each(|thread| drop(thread.join()));
    }
}

impl<L, S, D> Drop for GroupCommit<L, S, D> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<L, S, D> fmt::Debug for GroupCommit<L, S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommit").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, MachineError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(|error| MachineError::Storage(Box::new(error)))
}
