//! Random payments, honest and not: both ledgers give the same answers, and the books hold whatever comes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use armring_issuer::*;
use armring_token::{Counter, Epoch, FreeCount, Gesture, Limits, Minor, Presence, Unlocking};
use armring_wire::*;
use common::*;
use proptest::bool::weighted;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    Pay(Sent),
    /// What the operator does to the band of this number.
    Freeze(usize),
    Unfreeze(usize),
    Replace(usize),
    /// To the first shop.
    RevokePayee(bool),
    /// The first shop gives back of a payment that it was answered about.
    Refund {
        which: usize,
        minor: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => sent().prop_map(Step::Pay),
        1 => (0usize..4).prop_map(Step::Freeze),
        3 => (0usize..4).prop_map(Step::Unfreeze),
        1 => (2usize..4).prop_map(Step::Replace),
        1 => weighted(0.3).prop_map(Step::RevokePayee),
        3 => (any::<usize>(), 0u64..200).prop_map(|(which, minor)| Step::Refund { which, minor }),
    ]
}

/// One token that reaches the issuer.
#[derive(Clone, Debug)]
struct Sent {
    band: usize,
    payee: usize,
    /// Of few requests, so that the same comes again.
    request: u8,
    /// Another amount than the request with this number has as a rule.
    minor: Option<u64>,
    /// What the band would not do: its own counter and cumulative total.
    wild: Option<(u32, u64)>,
    presence: Presence,
    euros: bool,
    /// Its request has expired.
    late: bool,
    /// Sent again this many times.
    again: usize,
    seconds: u64,
}

fn presence() -> impl Strategy<Value = Presence> {
    let unlocking = prop_oneof![1 => Just(Unlocking::Locked), 9 => Just(Unlocking::Pin)];
    let gesture = prop_oneof![3 => Just(Gesture::None), 8 => Just(Gesture::Press), 3 => Just(Gesture::FreshUnlock)];
    (unlocking, gesture).prop_map(|(unlocking, gesture)| Presence { unlocking, gesture, ..PRESSED })
}

fn sent() -> impl Strategy<Value = Sent> {
    let band = prop_oneof![5 => Just(0usize), 5 => Just(1), 3 => Just(2), 1 => Just(3)];
    let payee = prop_oneof![6 => Just(0usize), 1 => Just(1), 1 => 2usize..6];
    let wild = prop_oneof![
        24 => Just(None),
        2 => (0u32..12, 0u64..1_500).prop_map(Some),
        1 => (any::<u32>(), any::<u64>()).prop_map(Some),
    ];
    let minor = prop_oneof![20 => Just(None), 2 => (1u64..1_200).prop_map(Some), 1 => any::<u64>().prop_map(Some)];
    let again = prop_oneof![4 => Just(0usize), 1 => Just(1), 1 => Just(2)];
    let seconds = prop_oneof![6 => 0u64..60, 1 => 0u64..90_000];
    (band, payee, 0u8..6, minor, wild, presence(), weighted(0.03), weighted(0.04), again, seconds).prop_map(
        |(band, payee, request, minor, wild, presence, euros, late, again, seconds)| Sent {
            band,
            payee,
            request,
            minor,
            wild,
            presence,
            euros,
            late,
            again,
            seconds,
        },
    )
}

/// Strict enough that a few payments meet every rule.
fn strict() -> Policy {
    let limits =
        Limits { free: Minor(100), free_count: FreeCount(2), free_total: Minor(150), ..generous().compared_code.unwrap() };
    let (credential_validity, redeem_period) = (Duration::from_secs(100_000), Duration::from_secs(600));
    Policy { compared_code: Some(limits), daily: Minor(700), credential_validity, redeem_period, ..generous() }
}

/// What both issuers have: they were made from the same randomness, so that everything in them has the same names and keys.
struct Cast {
    bands: Vec<Band>,
    shops: Vec<Shop>,
}

fn cast<L: Ledger>(w: &mut World<L>) -> Cast {
    let mut bands = vec![w.band(3_000), w.band(500)];
    bands.push(w.band_of(bands[0].account));
    let account = w.account(1_000);
    bands.push(w.inactive_band_of(account));
    let shops = vec![w.shop(), w.shop_of(bands[1].account)];
    Cast { bands, shops }
}

/// The signed request and token.
fn sign_for<L>(w: &World<L>, cast: &mut Cast, sent: &Sent, now: UnixTime) -> (Vec<u8>, Vec<u8>) {
    const AMOUNTS: [u64; 6] = [40, 90, 120, 300, 450, 1_001];
    let Cast { bands, shops } = cast;
    let minor = sent.minor.unwrap_or(AMOUNTS[usize::from(sent.request)]);
    let payee = if sent.payee < 2 { shops[sent.payee].payee() } else { bands[sent.payee - 2].payee() };
    let mut body = request_body(payee, minor, [sent.request; 16]);
    // A request with the same number is the same request, until it has expired.
    body.expiry = UnixTime::from_secs(now.as_secs() / 3_600 * 3_600 + if sent.late { 0 } else { 3_600 });
    if sent.euros {
        body.amount = Amount::new(minor, Currency::EUR);
    }
    let request = match sent.payee {
        0 | 1 => sign(&body, &w.root, &shops[sent.payee].signing),
        _ => sign(&body, &w.root, &bands[sent.payee - 2].signing.as_payee()),
    };
    let band = &mut bands[sent.band];
    let cumulative = band.cumulative.saturating_add(minor);
    let honest = (band.counter + 1, cumulative);
    let (counter, cumulative) = sent.wild.unwrap_or(honest);
    let mut token = armring_token::PaymentToken {
        counter: Counter(counter),
        cumulative: Minor(cumulative),
        presence: sent.presence,
        ..Band { cumulative: 0, ..clone(band) }.body(&w.root, &request)
    };
    token.amount = body.amount;
    if sent.wild.is_none() && cumulative < 1 << 62 {
        (band.counter, band.cumulative) = honest;
    }
    (request, band.sign(w, &token))
}

fn clone(band: &Band) -> Band {
    let signing = armring_token::Signing::new(band.signing.signer().clone());
    Band { signing, ..*band }
}

#[derive(Default)]
struct Seen {
    receipts: BTreeMap<TokenDigest, Vec<u8>>,
    counters: BTreeMap<CredentialId, BTreeMap<u32, Option<Interval>>>,
    settled: BTreeSet<RequestDigest>,
    outcomes: BTreeSet<u8>,
    refunds: BTreeSet<u8>,
}

impl Seen {
    /// What must hold of every answer, whatever came before.
    fn check(&mut self, payment: &VerifiedPayment, answer: &Answer) {
        let token = payment.token();
        if let Some(receipt) = self.receipts.get(&answer.token) {
            assert_eq!((receipt, answer.repeated), (&answer.receipt, true), "same token, same receipt");
            return;
        }
        assert!(!answer.repeated);
        self.outcomes.insert(answer.outcome.into());
        self.receipts.insert(answer.token, answer.receipt.clone());
        let counters = self.counters.entry(token.credential).or_default();
        // Of a token before another one, counter and total are both lower.
        let is_disorderly = |new: Interval| {
            let out_of_order = |(counter, old): (&u32, &Option<Interval>)| match old {
                Some(old) if *counter < token.counter.0 => old.end() > new.start(),
                Some(old) => new.end() > old.start(),
                None => false,
            };
            counters.iter().any(out_of_order)
        };
        let taken = counters.contains_key(&token.counter.0) || payment.interval().is_some_and(is_disorderly);
        assert_eq!(taken, answer.outcome == Outcome::Cloned, "a clone is what takes what is taken, and nothing else is");
        if taken {
            return;
        }
        counters.insert(token.counter.0, payment.interval());
        if answer.outcome.is_settled() {
            assert!(self.settled.insert(token.request), "a request settles once");
        }
    }
}

/// Both issuers, and what they were asked and answered.
struct Both<L> {
    memory: World<MemoryLedger>,
    database: World<L>,
    cast: Cast,
    seen: Seen,
    now: UnixTime,
    /// Tokens that were signed and not sent yet.
    signed: Vec<(Vec<u8>, Vec<u8>)>,
}

impl<L: Ledger> Both<L> {
    fn new(ledger: L) -> Self {
        let mut memory = World::with_policy(MemoryLedger::new(), strict());
        let mut database = World::with_policy(ledger, strict());
        let (cast, _) = (cast(&mut memory), cast(&mut database));
        Self { memory, database, cast, seen: Seen::default(), now: NOW, signed: Vec::new() }
    }

    fn pay(&mut self, sent: &Sent, slice: usize) {
        self.now = self.now.checked_add(Duration::from_secs(sent.seconds)).unwrap();
        let pair = sign_for(&self.memory, &mut self.cast, sent, self.now);
        for _ in 0..=sent.again {
            self.signed.push(Clone::clone(&pair));
            if self.signed.len() >= slice {
                self.send();
            }
        }
    }

    fn send(&mut self) {
        let (memory, database) = (&mut self.memory, &mut self.database);
        let verified =
            |(request, token): (Vec<u8>, Vec<u8>)| (memory.payment(&request, &token), database.payment(&request, &token));
        let (for_memory, for_database): (Vec<_>, Vec<_>) = self.signed.drain(..).map(verified).unzip();
        let answers = memory.issuer.settle(&for_memory, self.now).unwrap();
        assert_eq!(answers, database.issuer.settle(&for_database, self.now).unwrap());
        for (payment, answer) in for_memory.iter().zip(&answers) {
            self.seen.check(payment, answer);
        }
    }

    fn refund(&mut self, which: usize, minor: u64) {
        let tokens: Vec<_> = self.seen.receipts.keys().copied().collect();
        let Some(token) = tokens.get(which % tokens.len().max(1)) else { return };
        let refund = self.cast.shops[0].refund(&mut self.memory, *token, minor);
        let _same = self.cast.shops[0].refund(&mut self.database, *token, minor);
        let verified = [self.memory.issuer.verify_refund(&refund), self.database.issuer.verify_refund(&refund)];
        let [for_memory, for_database] = verified.map(|verified| verified.unwrap().unwrap());
        let answer = self.memory.issuer.refund(&for_memory, self.now).unwrap();
        assert_eq!(answer, self.database.issuer.refund(&for_database, self.now).unwrap());
        self.seen.refunds.extend(answer.ok().map(|answer| u8::from(answer.outcome)));
    }

    /// What the operator does to both, with the same result.
    fn operate(&mut self, step: &Step) {
        fn on<L: Ledger>(w: &mut World<L>, cast: &Cast, step: &Step, now: UnixTime) -> String {
            let band = |number: usize| cast.bands[number].credential.id;
            let result = match *step {
                Step::Freeze(number) => w.issuer.freeze(band(number), now),
                Step::Unfreeze(number) => w.issuer.unfreeze(band(number), now),
                Step::Replace(number) => w.issuer.replace_band(band(number), now, &mut w.rng).map(|_| ()),
                Step::RevokePayee(true) => w.issuer.revoke_payee(cast.shops[0].id, now),
                _ => w.issuer.restore_payee(cast.shops[0].id, now),
            };
            format!("{result:?}")
        }
        let results = (on(&mut self.memory, &self.cast, step, self.now), on(&mut self.database, &self.cast, step, self.now));
        assert_eq!(results.0, results.1, "{step:?}");
    }
}

/// Does all of it to both: which outcomes there were.
fn run<L: Ledger>(ledger: L, sequence: &[Step], slice: usize) -> Seen {
    let mut both = Both::new(ledger);
    for step in sequence {
        match step {
            Step::Pay(sent) => both.pay(sent, slice),
            Step::Refund { which, minor } => {
                both.send();
                both.refund(*which, *minor);
            }
            _ => {
                both.send();
                both.operate(step);
            }
        }
    }
    both.send();
    let Both { memory, database, cast, seen, .. } = both;
    assert_eq!((verified(memory.issuer.ledger()), verified(database.issuer.ledger())), (vec![], vec![]));
    same_books(&memory, &database, &cast);
    seen
}

fn same_books<L: Ledger>(memory: &World<MemoryLedger>, database: &World<L>, cast: &Cast) {
    let (memory, database) = (&memory.issuer, &database.issuer);
    let mut sum = 0;
    let [first, second, _, inactive] = [0, 1, 2, 3].map(|band: usize| cast.bands[band].account);
    let accounts = [first, second, inactive, cast.shops[0].account, float_account(Currency::CNY)];
    for account in accounts {
        assert_eq!(memory.account(account).unwrap(), database.account(account).unwrap());
        assert_eq!(statement(memory.ledger(), account), statement(database.ledger(), account));
        sum += memory.account(account).unwrap().balance;
    }
    assert_eq!(sum, 0, "money is moved, never made");
    for since in 0..20 {
        let list = memory.ledger().revoked(Epoch(since), 0).unwrap();
        assert_eq!(list, database.ledger().revoked(Epoch(since), 0).unwrap());
    }
    for band in &cast.bands {
        let id = band.credential.id;
        assert_eq!(memory.ledger().credential(id).unwrap(), database.ledger().credential(id).unwrap());
        assert_eq!(memory.evidence(id).unwrap(), database.evidence(id).unwrap());
    }
}

fn sqlite() -> SqliteLedger {
    SqliteLedger::open_in_memory().unwrap()
}

/// What is drawn must meet every rule, or the property says less than it seems to.
#[test]
fn the_random_payments_and_refunds_meet_every_outcome() {
    let mut runner = TestRunner::deterministic();
    let sequences = prop::collection::vec(step(), 40);
    let (mut outcomes, mut refunds) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..48 {
        let seen = run(sqlite(), &sequences.new_tree(&mut runner).unwrap().current(), 1);
        outcomes.extend(seen.outcomes);
        refunds.extend(seen.refunds);
    }
    assert_eq!(outcomes, (1..=13).collect(), "from settled to too little presence");
    let expected = [Outcome::Settled, Outcome::NotAllowed, Outcome::RefundExceeds, Outcome::NotSettled];
    assert_eq!(refunds, expected.map(u8::from).into(), "all but those of a shop that has spent its money: see refunds.rs");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn both_ledgers_answer_alike_and_the_books_hold(sequence in prop::collection::vec(step(), 1..40), slice in 1usize..4) {
        let _ = run(sqlite(), &sequence, slice);
    }
}

#[cfg(feature = "postgres")]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn postgresql_answers_alike(sequence in prop::collection::vec(step(), 1..40), slice in 1usize..4) {
        let _ = run(postgres::fresh(), &sequence, slice);
    }
}
