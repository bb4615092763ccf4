//! Payments of many callers at once: nothing settles twice, nobody waits for ever, and what fails fails alone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::sync::mpsc::{Receiver, channel};
use std::thread;

use armring_issuer::*;
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::*;
use common::*;
use rand_chacha::rand_core::SeedableRng;

type Front<L> = GroupCommit<L, Signer>;

fn front<L: Ledger + Send + 'static>(w: World<L>, options: GroupOptions) -> Front<L> {
    let mut seed = 0;
    let rng = || {
        seed += 1;
        ChaCha20Rng::seed_from_u64(seed)
    };
    GroupCommit::start(w.issuer, options, rng).unwrap()
}

/// Against a file, which verifiers read while the committer writes; and where there is one handle for all.
macro_rules! in_front_of_every_ledger {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            use armring_issuer::MemoryLedger;
            $(#[test] fn $test() { super::$test(super::World::new(MemoryLedger::new())); })+
        }
        mod sqlite {
            use armring_issuer::SqliteLedger;
            $(#[test] fn $test() {
                let file = super::File::new(concat!("group-", stringify!($test)));
                super::$test(super::World::new(SqliteLedger::open(&file.0).unwrap()));
            })+
        }
        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[test] fn $test() { super::$test(super::World::new(super::common::postgres::fresh())); })+
        }
    };
}

in_front_of_every_ledger!(
    a_thousand_callers_with_one_token_get_one_settlement_and_the_same_receipt,
    of_two_tokens_with_one_counter_one_settles_and_the_credential_is_frozen,
    of_many_tokens_for_one_request_one_settles,
    many_wearers_of_one_account_cannot_spend_more_than_it_has,
    whoever_does_not_fit_is_told_that_it_is_busy_and_may_try_again,
    what_does_not_verify_is_refused_beside_what_does,
    a_signer_that_fails_fails_for_all_and_nothing_is_recorded,
    what_waits_is_answered_before_the_front_stops,
    a_record_is_answered_as_the_issuer_itself_would,
);

/// All at once, each from a thread of its own.
fn race<L: Ledger + Send + 'static>(front: &Front<L>, sent: &[(Vec<u8>, Vec<u8>)]) -> Vec<Answer> {
    let barrier = std::sync::Barrier::new(sent.len());
    thread::scope(|threads| {
        let redeem = |(request, token): &'_ (Vec<u8>, Vec<u8>)| {
            barrier.wait();
            front.redeem(request, token, NOW).unwrap().unwrap()
        };
        let spawn = |sent| thread::Builder::new().stack_size(64 << 10).spawn_scoped(threads, move || redeem(sent)).unwrap();
        let callers: Vec<_> = sent.iter().map(spawn).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    })
}

/// Hands in without waiting.
fn submit<L: Ledger + Send + 'static>(front: &Front<L>, (request, token): &(Vec<u8>, Vec<u8>)) -> Receiver<Redeemed> {
    let (sender, receiver) = channel();
    front.submit(request, token, NOW, move |answer| sender.send(answer).unwrap());
    receiver
}

fn sound<L: Ledger + Send + 'static>(front: &Front<L>) {
    assert_eq!(front.issuer(|issuer| issuer.ledger().audit().unwrap()), []);
}

fn balance<L: Ledger + Send + 'static>(front: &Front<L>, account: AccountPseudonym) -> i64 {
    front.issuer(|issuer| issuer.account(account).unwrap().balance)
}

fn a_thousand_callers_with_one_token_get_one_settlement_and_the_same_receipt<L: Ledger + Send + 'static>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 300);
    let token = band.token(&w, &request);
    let front = front(w, GroupOptions::default());
    let answers = race(&front, &vec![(request, token); 1_000]);
    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert!(answers.iter().all(|answer| answer.outcome == Outcome::Settled && answer.receipt == answers[0].receipt));
    assert_eq!((balance(&front, band.account), balance(&front, shop.account)), (700, 300));
    sound(&front);
}

fn of_two_tokens_with_one_counter_one_settles_and_the_credential_is_frozen<L: Ledger + Send + 'static>(mut w: World<L>) {
    let (shop, band) = (w.shop(), w.band(1_000));
    let mut sent = Vec::new();
    for minor in [100, 200] {
        let request = shop.request(&mut w, minor);
        let token = band.token_with(&w, &request, |_| {});
        sent.extend(vec![(request, token); 100]);
    }
    let front = front(w, GroupOptions::default());
    let answers = race(&front, &sent);
    let (first, second) = answers.split_at(100);
    for of_one_token in [first, second] {
        assert!(of_one_token.iter().all(|answer| answer.receipt == of_one_token[0].receipt), "one token, one receipt");
    }
    let outcomes = [first[0].outcome, second[0].outcome];
    assert!(outcomes.contains(&Outcome::Settled) && outcomes.contains(&Outcome::Cloned), "{outcomes:?}");
    assert_eq!(front.issuer(|issuer| issuer.state(band.credential.id).unwrap()), CredentialState::Cloned);
    assert!([100, 200].contains(&balance(&front, shop.account)));
    sound(&front);
}

fn of_many_tokens_for_one_request_one_settles<L: Ledger + Send + 'static>(mut w: World<L>) {
    let shop = w.shop();
    let mut bands: Vec<_> = (0..20).map(|_| w.band(1_000)).collect();
    let request = shop.request(&mut w, 300);
    let sent: Vec<_> = bands.iter_mut().map(|band| (request.clone(), band.token(&w, &request))).collect();
    let front = front(w, GroupOptions::default());
    let answers = race(&front, &sent);
    let count = |outcome| answers.iter().filter(|answer| answer.outcome == outcome).count();
    assert_eq!((count(Outcome::Settled), count(Outcome::AlreadySettled)), (1, 19));
    assert_eq!(balance(&front, shop.account), 300);
    sound(&front);
}

fn many_wearers_of_one_account_cannot_spend_more_than_it_has<L: Ledger + Send + 'static>(mut w: World<L>) {
    let (shop, account) = (w.shop(), w.account(1_050));
    let mut sent = Vec::new();
    for _ in 0..16 {
        let mut band = w.band_of(account);
        let request = shop.request(&mut w, 100);
        let token = band.token(&w, &request);
        sent.push((request, token));
    }
    let front = front(w, GroupOptions::default());
    let settled = race(&front, &sent).iter().filter(|answer| answer.outcome == Outcome::Settled).count();
    assert_eq!((settled, balance(&front, account), balance(&front, shop.account)), (10, 50, 1_000));
    sound(&front);
}

fn whoever_does_not_fit_is_told_that_it_is_busy_and_may_try_again<L: Ledger + Send + 'static>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let mut sent = Vec::new();
    for _ in 0..5 {
        let request = shop.request(&mut w, 100);
        let token = band.token(&w, &request);
        sent.push((request, token));
    }
    let front = front(w, GroupOptions { queue: 4, ..GroupOptions::default() });
    // Nothing settles while the operator has the issuer.
    let waiting: Vec<_> = front.issuer(|_| {
        let waiting = sent[..4].iter().map(|sent| submit(&front, sent)).collect();
        assert!(matches!(submit(&front, &sent[4]).try_recv(), Ok(Ok(Err(Refusal::Busy)))), "without waiting");
        waiting
    });
    for answer in waiting {
        assert_eq!(answer.recv().unwrap().unwrap().unwrap().outcome, Outcome::Settled);
    }
    assert_eq!(front.redeem(&sent[4].0, &sent[4].1, NOW).unwrap().unwrap().outcome, Outcome::Settled);
    assert_eq!(balance(&front, shop.account), 500);
}

fn what_does_not_verify_is_refused_beside_what_does<L: Ledger + Send + 'static>(mut w: World<L>) {
    let (shop, mut band, mut other) = (w.shop(), w.band(1_000), w.band(1_000));
    let request = shop.request(&mut w, 100);
    let token = band.token(&w, &request);
    let mut forged = other.token(&w, &request);
    forged[5] ^= 1;
    let stranger = other.token_with(&w, &request, |body| body.credential = CredentialId([9; 8]));
    let dearer = other.token_with(&w, &request, |body| body.amount = cny(99));
    let sent = [
        (request.clone(), forged),
        (request.clone(), token),
        (request.clone(), stranger),
        (b"garbage".to_vec(), b"garbage".to_vec()),
        (request, dearer),
    ];
    let front = front(w, GroupOptions { verifiers: Some(1), ..GroupOptions::default() });
    let waiting: Vec<_> = front.issuer(|_| sent.iter().map(|sent| submit(&front, sent)).collect());
    let answers: Vec<_> = waiting.iter().map(|answer| answer.recv().unwrap().unwrap().map(|answer| answer.outcome)).collect();
    let expected = [
        Err(Refusal::Signature),
        Ok(Outcome::Settled),
        Err(Refusal::UnknownCredential),
        Err(Refusal::Malformed),
        Err(Refusal::Mismatch),
    ];
    assert_eq!(answers, expected);
}

fn a_signer_that_fails_fails_for_all_and_nothing_is_recorded<L: Ledger + Send + 'static>(mut w: World<L>) {
    let (shop, mut first, mut second) = (w.shop(), w.band(1_000), w.band(1_000));
    let requests = [shop.request(&mut w, 100), shop.request(&mut w, 100)];
    let tokens = [first.token(&w, &requests[0]), second.token(&w, &requests[1])];
    let sent: Vec<_> = requests.into_iter().zip(tokens).collect();
    let left = std::sync::Arc::clone(&w.signatures_left);
    left.set(Some(0));
    let front = front(w, GroupOptions::default());
    let waiting: Vec<_> = front.issuer(|_| sent.iter().map(|sent| submit(&front, sent)).collect());
    for answer in waiting {
        assert!(matches!(answer.recv().unwrap(), Err(MachineError::Shared(_))));
    }
    assert_eq!(balance(&front, shop.account), 0);
    left.set(None);
    assert!(race(&front, &sent).iter().all(|answer| answer.outcome == Outcome::Settled && !answer.repeated));
    sound(&front);
}

fn what_waits_is_answered_before_the_front_stops<L: Ledger + Send + 'static>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let mut sent = Vec::new();
    for _ in 0..10 {
        let request = shop.request(&mut w, 10);
        let token = band.token_with(&w, &request, |_| {});
        (band.counter, band.cumulative) = (band.counter + 1, band.cumulative + 10);
        sent.push((request, token));
    }
    let front = front(w, GroupOptions::default());
    let waiting: Vec<_> = sent.iter().map(|sent| submit(&front, sent)).collect();
    let issuer = front.stop().unwrap();
    for answer in waiting {
        assert_eq!(answer.recv().unwrap().unwrap().unwrap().outcome, Outcome::Settled);
    }
    assert_eq!(issuer.account(shop.account).unwrap().balance, 100);
}

fn a_record_is_answered_as_the_issuer_itself_would<L: Ledger + Send + 'static>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 100);
    let token = band.token(&w, &request);
    let receipt = w.redeem(&request, &token).unwrap();
    let front = front(w, GroupOptions::default());
    let (mut rng, mut buffer, mut out) = (ChaCha20Rng::seed_from_u64(5), [0; ToIssuer::MAX_LEN], [0; REPLY_MAX]);
    let record = ToIssuer::Redeem { request: Opaque::new(&request).unwrap(), token: Opaque::new(&token).unwrap() };
    let record = encode(&record, &mut buffer).unwrap();
    let reply = front.handle(&mut Session::new(), record, NOW, &mut rng, &mut out).unwrap();
    let FromIssuer::Receipt(again) = decode_record(reply.record).unwrap() else { panic!() };
    assert_eq!(again.as_bytes(), receipt);
    assert!(front.handle(&mut Session::new(), record, NOW, &mut rng, &mut [0; 8]).is_err());
    let asked = encode(&ToIssuer::KeyList, &mut buffer).unwrap();
    let reply = front.handle(&mut Session::new(), asked, NOW, &mut rng, &mut out).unwrap();
    assert!(matches!(decode_record(reply.record).unwrap(), FromIssuer::KeyList(_)));
}

#[test]
fn a_front_that_has_stopped_says_so() {
    let mut w = World::new(MemoryLedger::new());
    let (shop, mut band) = (w.shop(), w.band(1_000));
    w.issuer.set_policy(Policy { own_rule: Some(OwnRule::new(|_| panic!("a rule of the operator's"))), ..generous() });
    let request = shop.request(&mut w, 100);
    let token = band.token(&w, &request);
    let front = front(w, GroupOptions::default());
    assert!(matches!(front.redeem(&request, &token, NOW), Err(MachineError::Stopped)), "whoever waits is told");
    assert!(matches!(front.redeem(&request, &token, NOW), Err(MachineError::Stopped)), "and whoever comes");
    assert!(front.stop().is_some_and(|issuer| issuer.account(shop.account).unwrap().balance == 0));
}

#[test]
fn a_payment_that_fails_fails_alone() {
    let file = File::new("group-alone");
    let mut w = World::new(SqliteLedger::open(&file.0).unwrap());
    let shop = w.shop();
    let mut sent = Vec::new();
    for minor in [100, 400, 100] {
        let mut band = w.band(1_000);
        let request = shop.request(&mut w, minor);
        let token = band.token(&w, &request);
        sent.push((request, token));
    }
    file.sql("CREATE TRIGGER full BEFORE INSERT ON entries WHEN new.change = 400 BEGIN SELECT raise(ABORT, 'disk full'); END");
    let front = front(w, GroupOptions::default());
    let waiting: Vec<_> = front.issuer(|_| sent.iter().map(|sent| submit(&front, sent)).collect());
    let answers: Vec<_> = waiting.iter().map(|answer| answer.recv().unwrap().is_ok()).collect();
    assert_eq!((answers, balance(&front, shop.account)), (vec![true, false, true], 200));
    sound(&front);
    file.sql("DROP TRIGGER full");
    assert_eq!(front.redeem(&sent[1].0, &sent[1].1, NOW).unwrap().unwrap().outcome, Outcome::Settled);
}

/// All that is in memory is each issuer's own: what holds between them holds in the database.
#[cfg(feature = "postgres")]
#[test]
fn two_issuers_on_one_postgres_settle_a_token_once_and_give_the_same_receipt() {
    use common::load::{BANDS, Crowd, pay};

    let schema = common::postgres::schema();
    let [mut first, second] = [(); 2].map(|()| Crowd::new(common::postgres::open(&schema)));
    let sent = first.sign(20);
    let fronts = [first.front(), second.front()];
    let answered = std::sync::Mutex::new(std::collections::BTreeMap::<_, Vec<Vec<u8>>>::new());
    let tell = |sent: &(Vec<u8>, Vec<u8>), receipt: &[u8]| {
        answered.lock().unwrap().entry(sent.clone()).or_default().push(receipt.to_vec());
    };
    let failures: usize = thread::scope(|threads| {
        let paying = fronts.each_ref().map(|front| {
            let sent = sent.clone();
            threads.spawn(|| pay(front, sent, 1, tell))
        });
        paying.map(|paying| paying.join().unwrap()).iter().sum()
    });
    let answered = answered.into_inner().unwrap();
    assert_eq!((failures, answered.len()), (0, 20 * BANDS));
    assert!(answered.values().all(|receipts| receipts.len() == 2 && receipts[0] == receipts[1]));
    drop(fronts);
    let answered: Vec<_> = answered.into_iter().map(|(sent, mut receipts)| (sent, receipts.remove(0))).collect();
    Crowd::new(common::postgres::open(&schema)).holds(&answered, 0);
}

/// A copied band pays one shop at each of two issuers at the same moment, again and again.
#[cfg(feature = "postgres")]
#[test]
fn of_two_tokens_with_one_counter_at_two_issuers_on_one_postgres_one_settles() {
    use common::load::Crowd;

    let schema = common::postgres::schema();
    let [mut first, second] = [(); 2].map(|()| Crowd::new(common::postgres::open(&schema)));
    let tokens = |crowd: &mut Crowd<PostgresLedger>, minor| {
        let Crowd { world, shop, bands } = crowd;
        let sign = |band: &mut Band| {
            let request = shop.request(world, minor);
            let token = band.token_with(world, &request, |_| {});
            (request, token)
        };
        bands.iter_mut().map(sign).collect::<Vec<_>>()
    };
    let (one, other) = (tokens(&mut first, 1), tokens(&mut first, 2));
    let (shop, copied) = (first.shop.account, first.bands.iter().map(|band| band.credential.id).collect::<Vec<_>>());
    let fronts = [first.front(), second.front()];
    let [at_one, at_other] = thread::scope(|threads| {
        let racing = [(&fronts[0], &one), (&fronts[1], &other)].map(|(front, sent)| threads.spawn(|| race(front, sent)));
        racing.map(|racing| racing.join().unwrap())
    });
    let mut settled = 0;
    for ((one, other), credential) in at_one.iter().zip(&at_other).zip(copied) {
        assert!(
            [(Outcome::Settled, Outcome::Cloned), (Outcome::Cloned, Outcome::Settled)].contains(&(one.outcome, other.outcome)),
            "{:?} and {:?}",
            one.outcome,
            other.outcome
        );
        settled += if one.outcome.is_settled() { 1 } else { 2 };
        for front in &fronts {
            assert_eq!(front.issuer(|issuer| issuer.state(credential).unwrap()), CredentialState::Cloned);
        }
    }
    assert_eq!(balance(&fronts[0], shop), settled);
    fronts.iter().for_each(sound);
}
