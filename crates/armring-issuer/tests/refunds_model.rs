//! Random payments and refunds: both ledgers answer as a model does that is written in the plainest way.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::collections::BTreeMap;

use armring_issuer::*;
use armring_token::{Minor, RefundReceipt, Unverified};
use armring_wire::*;
use common::*;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What the books must say, kept in the plainest way.
#[derive(Default)]
struct Model {
    /// Paid, and given back.
    payments: BTreeMap<TokenDigest, (u64, u64)>,
    /// What the shop and the two payers have.
    shop: u64,
    payers: [u64; 2],
    answers: BTreeMap<Vec<u8>, (Outcome, u64, Vec<u8>)>,
}

impl Model {
    /// The outcome of a refund that is new, and what is left.
    fn refund(&mut self, token: TokenDigest, payer: usize, minor: u64, revoked: bool) -> (Outcome, u64) {
        let (paid, given) = self.payments.get_mut(&token).unwrap();
        let left = *paid - *given;
        if minor == 0 || revoked {
            (Outcome::NotAllowed, left)
        } else if minor > left {
            (Outcome::RefundExceeds, left)
        } else if minor > self.shop {
            (Outcome::InsufficientFunds, left)
        } else {
            *given += minor;
            self.shop -= minor;
            self.payers[payer] += minor;
            (Outcome::Settled, left - minor)
        }
    }
}

fn settle_in<L: Ledger>(w: &mut World<L>, request: &[u8], token: &[u8]) -> Answer {
    let payment = w.payment(request, token);
    w.issuer.settle(&[payment], NOW).unwrap().pop().unwrap()
}

fn refund_in<L: Ledger>(w: &mut World<L>, refund: &[u8]) -> RefundAnswer {
    let refund = w.issuer.verify_refund(refund).unwrap().unwrap();
    w.issuer.refund(&refund, NOW).unwrap().unwrap()
}

/// Two issuers who know the same shop and payers.
struct Pair {
    memory: World<MemoryLedger>,
    sqlite: World<SqliteLedger>,
    shop: Shop,
    /// Where the shop spends what it has, and with what.
    sink: Shop,
    spends: Band,
    bands: [Band; 2],
}

impl Pair {
    fn new() -> Self {
        let policy = || Policy { daily: Minor(u64::MAX), ..generous() };
        let mut memory = World::with_policy(MemoryLedger::new(), policy());
        let mut sqlite = World::with_policy(SqliteLedger::open_in_memory().unwrap(), policy());
        let (shop, sink, spends, bands) = cast(&mut memory);
        let _same = cast(&mut sqlite);
        Self { memory, sqlite, shop, sink, spends, bands }
    }
}

fn cast<L: Ledger>(w: &mut World<L>) -> (Shop, Shop, Band, [Band; 2]) {
    let (shop, sink) = (w.shop(), w.shop());
    let spends = w.band_of(shop.account);
    (shop, sink, spends, [w.band(1_000_000), w.band(1_000_000)])
}

/// Payments, refunds, repeats, a shop that spends what it has and is revoked at times: 24 steps from this seed.
fn random_sequence(pair: &mut Pair, seed: u64) -> Vec<Outcome> {
    let Pair { memory, sqlite, shop, sink, spends, bands } = pair;
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let has = |memory: &World<MemoryLedger>, account| u64::try_from(memory.balance(account)).unwrap();
    let payers = [bands[0].account, bands[1].account];
    let mut model = Model { shop: has(memory, shop.account), payers: payers.map(|payer| has(memory, payer)), ..Model::default() };
    memory.issuer.restore_payee(shop.id, NOW).unwrap();
    sqlite.issuer.restore_payee(shop.id, NOW).unwrap();
    let (mut payments, mut refunds, mut outcomes, mut revoked) = (Vec::new(), Vec::new(), Vec::new(), false);
    for _ in 0..24 {
        let (kind, which, minor) = (rng.next_u32() % 12, rng.next_u32() as usize, u64::from(rng.next_u32() % 120));
        match kind {
            0..=2 => {
                let payer = which % 2;
                let request = shop.request(memory, minor + 1);
                let token = bands[payer].token(memory, &request);
                let answer = settle_in(memory, &request, &token);
                assert_eq!(answer, settle_in(sqlite, &request, &token));
                if answer.outcome.is_settled() {
                    model.payments.insert(answer.token, (minor + 1, 0));
                    (model.shop, model.payers[payer]) = (model.shop + minor + 1, model.payers[payer] - minor - 1);
                    payments.push((answer.token, payer));
                }
            }
            3 => {
                let most = model.shop.clamp(1, 500);
                let request = sink.request(memory, most);
                let token = spends.token(memory, &request);
                let answer = settle_in(memory, &request, &token);
                assert_eq!(answer, settle_in(sqlite, &request, &token));
                model.shop -= if answer.outcome.is_settled() { most } else { 0 };
            }
            4 => {
                revoked = !revoked && which % 3 == 0;
                for result in [
                    if revoked { memory.issuer.revoke_payee(shop.id, NOW) } else { memory.issuer.restore_payee(shop.id, NOW) },
                    if revoked { sqlite.issuer.revoke_payee(shop.id, NOW) } else { sqlite.issuer.restore_payee(shop.id, NOW) },
                ] {
                    result.unwrap();
                }
            }
            _ if payments.is_empty() => {}
            _ => {
                let (token, payer) = payments[which % payments.len()];
                let again = kind == 5 && !refunds.is_empty();
                let refund: (Vec<u8>, TokenDigest, usize, u64) = match refunds.get(which % refunds.len().max(1)) {
                    Some(before) if again => Clone::clone(before),
                    _ => (shop.refund(memory, token, minor), token, payer, minor),
                };
                let answer = refund_in(memory, &refund.0);
                assert_eq!(answer, refund_in(sqlite, &refund.0));
                let left = Unverified::<RefundReceipt>::parse(&answer.receipt).unwrap().claims().left;
                assert_eq!(answer.repeated, again);
                let expected = model.answers.get(&refund.0).map(|(outcome, left, _)| (*outcome, *left));
                let expected = expected.unwrap_or_else(|| model.refund(refund.1, refund.2, refund.3, revoked));
                assert_eq!((answer.outcome, left.minor()), expected, "seed {seed}");
                let receipt =
                    &model.answers.entry(refund.0.clone()).or_insert((expected.0, expected.1, answer.receipt.clone())).2;
                assert_eq!(receipt, &answer.receipt, "seed {seed}");
                outcomes.push(answer.outcome);
                refunds.push(refund);
            }
        }
        let balances = (has(memory, shop.account), payers.map(|payer| has(memory, payer)));
        assert_eq!(balances, (model.shop, model.payers), "seed {seed}");
        assert_eq!(sqlite.balance(shop.account), memory.balance(shop.account), "seed {seed}");
    }
    outcomes
}

#[test]
fn a_thousand_random_sequences_go_as_the_model_says() {
    let mut seen = BTreeMap::<u8, usize>::new();
    for group in 0..20 {
        let mut pair = Pair::new();
        for outcome in (group * 50..group * 50 + 50).flat_map(|seed| random_sequence(&mut pair, seed)) {
            *seen.entry(outcome.into()).or_default() += 1;
        }
        let Pair { memory, sqlite, shop, bands, .. } = pair;
        assert_eq!((verified(memory.issuer.ledger()), verified(sqlite.issuer.ledger())), (vec![], vec![]));
        for account in [shop.account, bands[0].account, bands[1].account] {
            assert_eq!(memory.statement(account), sqlite.statement(account));
        }
    }
    let all = [Outcome::Settled, Outcome::InsufficientFunds, Outcome::NotAllowed, Outcome::RefundExceeds].map(u8::from);
    assert!(all.iter().all(|outcome| seen.get(outcome).is_some_and(|times| *times > 50)), "{seen:?}");
}
