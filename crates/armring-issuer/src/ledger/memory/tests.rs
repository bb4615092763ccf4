//! What is wrong in memory is found, and called what it is. Nobody can change it from outside.

use armring_token::Counter;
use armring_wire::Outcome;

use super::super::credential::CredentialState;
use super::*;
use crate::common::{Band, NOW, Shop, World, later};

/// Two equal payments of two bands to two shops, a refund of the first, a token refused, and another one as cloned.
struct Books {
    ledger: MemoryLedger,
    shops: [Shop; 2],
    bands: [Band; 2],
    settled: [TokenDigest; 2],
    requests: [RequestDigest; 2],
    refund: RefundDigest,
    clone: TokenDigest,
}

fn books() -> Books {
    let mut w = World::new(MemoryLedger::new());
    let (shops, mut bands) = ([w.shop(), w.shop()], [w.band(1_000), w.band(1_000)]);
    let mut pay = |w: &mut World<_>, number: usize, minor| {
        let request = shops[number].request(w, minor);
        let token = bands[number].token(w, &request);
        (w.settle(&request, &token, NOW).token, w.payment(&request, &token).token().request)
    };
    let [(first, asked), (second, asked_too)] = [pay(&mut w, 0, 300), pay(&mut w, 1, 300)];
    let _refused = pay(&mut w, 0, 1_001);
    let request = shops[1].request(&mut w, 20);
    let clone = bands[1].token_with(&w, &request, |body| body.counter = Counter(1));
    let clone = w.settle(&request, &clone, NOW);
    assert_eq!(clone.outcome, Outcome::Cloned);
    let refund = shops[0].refund(&mut w, first, 100);
    let refund = w.refund(&refund, NOW).0.refund;
    let ledger = w.issuer.into_ledger();
    assert_eq!(ledger.verify(&mut |_| {}).unwrap(), []);
    Books { ledger, shops, bands, settled: [first, second], requests: [asked, asked_too], refund, clone: clone.token }
}

/// Changes the books, and sees these very faults.
#[track_caller]
fn finds(change: impl FnOnce(&mut MemoryLedger, &Books), expected: impl FnOnce(&Books) -> Vec<Fault>) {
    let books = books();
    let mut ledger = books.ledger.clone();
    change(&mut ledger, &books);
    let sorted = |mut faults: Vec<Fault>| {
        faults.sort_by_key(|fault| format!("{fault:?}"));
        faults
    };
    assert_eq!(sorted(ledger.verify(&mut |_| {}).unwrap()), sorted(expected(&books)));
}

fn entry(ledger: &mut MemoryLedger, token: TokenDigest, is_in: bool) -> &mut (AccountPseudonym, Entry) {
    let wanted = |(_, entry): &&mut (_, Entry)| entry.reference == Reference::Payment(token) && (entry.change > 0) == is_in;
    ledger.entries.iter_mut().find(wanted).unwrap()
}

fn token<'l>(ledger: &'l mut MemoryLedger, band: &Band, counter: u32) -> &'l mut Token {
    ledger.credentials.get_mut(&band.credential.id).unwrap().tokens.get_mut(&counter).unwrap()
}

#[test]
fn entries_that_are_not_those_of_their_tokens() {
    let swap = |ledger: &mut MemoryLedger, books: &Books| {
        for (token, other) in [(books.settled[0], NOBODY), (books.settled[1], books.settled[0]), (NOBODY, books.settled[1])] {
            entry(ledger, token, true).1.reference = Reference::Payment(other);
        }
    };
    finds(swap, |books| books.settled.map(|token| Fault::Moved(Reference::Payment(token))).to_vec());
    let rename = |ledger: &mut MemoryLedger, books: &Books| {
        for is_in in [true, false] {
            entry(ledger, books.settled[0], is_in).1.reference = Reference::Payment(NOBODY);
        }
    };
    let moved = |books: &Books| Fault::Moved(Reference::Payment(books.settled[0]));
    finds(rename, |books| vec![moved(books), Fault::Unexplained(Reference::Payment(NOBODY))]);
    finds(|ledger, books| entry(ledger, books.settled[0], true).1.time = later(1), |books| vec![moved(books)]);
    finds(
        |ledger, books| {
            let shops = books.shops.each_ref().map(|shop| shop.account);
            entry(ledger, books.settled[0], true).0 = shops[1];
        },
        |books| vec![moved(books), Fault::Balance(books.shops[0].account), Fault::Balance(books.shops[1].account)],
    );
    finds(
        |ledger, books| entry(ledger, books.settled[0], true).1.change += 1,
        |books| vec![moved(books), Fault::Balance(books.shops[0].account), Fault::Unbalanced(Currency::CNY)],
    );
}

const NOBODY: TokenDigest = TokenDigest([9; 32]);

#[test]
fn deposits_and_refunds_that_are_not_what_moved() {
    let deposit = |ledger: &MemoryLedger| *ledger.deposits.keys().next().unwrap();
    let first = deposit(&books().ledger);
    finds(
        |ledger, _| {
            let kept = ledger.deposits.remove(&first).unwrap();
            ledger.deposits.insert(DepositRef([9; 16]), kept);
        },
        |_| vec![Fault::Unexplained(Reference::Deposit(first)), Fault::Moved(Reference::Deposit(DepositRef([9; 16])))],
    );
    let wrong = |books: &Books| vec![Fault::Moved(Reference::Refund(books.refund)), Fault::RefundReceipt(books.refund)];
    finds(|ledger, books| ledger.refunds.get_mut(&books.refund).unwrap().given = 99, wrong);
    finds(
        |ledger, books| ledger.refunds.get_mut(&books.refund).unwrap().given = 301,
        |books| [wrong(books), vec![Fault::Refunds(books.settled[0])]].concat(),
    );
    finds(
        |ledger, books| ledger.refunds.get_mut(&books.refund).unwrap().token = NOBODY,
        |books| [wrong(books), vec![Fault::Refunds(NOBODY)]].concat(),
    );
}

#[test]
fn requests_and_counters_that_are_not_those_of_their_tokens() {
    finds(
        |ledger, books| assert!(ledger.settled_requests.remove(&books.requests[0]).is_some()),
        |books| vec![Fault::NotListed(books.requests[0])],
    );
    let other = RequestDigest([9; 32]);
    finds(
        |ledger, books| assert!(ledger.settled_requests.insert(other, books.settled[0]).is_none()),
        |_| vec![Fault::NotSettled(other)],
    );
    finds(
        |ledger, books| token(ledger, &books.bands[0], 1).answer.outcome = Outcome::Velocity,
        |books| {
            let (token, request) = (books.settled[0], books.requests[0]);
            let moved = Fault::Moved(Reference::Payment(token));
            vec![moved, Fault::Refunds(token), Fault::NotSettled(request), Fault::Receipt(token)]
        },
    );
    finds(
        |ledger, books| {
            let token = token(ledger, &books.bands[0], 1).clone();
            token_of_other(ledger, &books.bands[0], token);
        },
        |books| {
            let (token, credential) = (books.settled[0], books.bands[0].credential.id);
            let moved = Fault::Moved(Reference::Payment(token));
            vec![moved, Fault::SettledTwice(books.requests[0]), Fault::Totals(credential), Fault::Receipt(token)]
        },
    );
}

/// The same token, with another counter.
fn token_of_other(ledger: &mut MemoryLedger, band: &Band, token: Token) {
    ledger.credentials.get_mut(&band.credential.id).unwrap().tokens.insert(7, token);
}

#[test]
fn receipts_clones_and_revocations_that_say_something_else() {
    finds(
        |ledger, books| {
            let other = token(ledger, &books.bands[1], 1).answer.receipt.clone();
            token(ledger, &books.bands[0], 1).answer.receipt = other;
        },
        |books| vec![Fault::Receipt(books.settled[0])],
    );
    finds(
        |ledger, books| {
            let holding = ledger.credentials.get_mut(&books.bands[1].credential.id).unwrap();
            holding.clones.get_mut(&books.clone).unwrap().evidence.time = later(1);
        },
        |books| vec![Fault::Receipt(books.clone)],
    );
    finds(
        |ledger, books| {
            let holding = ledger.credentials.get_mut(&books.bands[1].credential.id).unwrap();
            holding.record.unfrozen = CredentialState::Active;
        },
        |books| vec![Fault::Clone(books.clone), Fault::Revocation(books.bands[1].payee())],
    );
    finds(
        |ledger, books| ledger.payees.get_mut(&books.shops[0].id).unwrap().revoked = true,
        |books| vec![Fault::Revocation(books.shops[0].payee())],
    );
}
