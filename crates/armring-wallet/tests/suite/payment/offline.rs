//! A payee without network.

use armring_payee::{FloorLimits, Lists, Offline, Revoked};
use armring_token::{Epoch, Form, Issuer as IssuerUse, KeyList, Object, RevocationList, Revocations, Signing, Verified};
use armring_wallet::{Next, Payment};
use armring_wire::records::issuer::Refusal;
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{Currency, KeyId, encode};

use super::{Market, NOW};
use crate::common::issuer::{TestIssuer, at};

/// A revocation list of nobody.
fn nobody_revoked(issuer: &TestIssuer, keys: &Verified<KeyList>) -> Revoked {
    let list = RevocationList {
        form: Form,
        key: KeyId(1),
        epoch: Epoch(1),
        since: Epoch(0),
        part: 0,
        parts: 1,
        issued: NOW,
        next_update: at(50_000),
        entries: Revocations::NONE,
    };
    let signer = Signing::<IssuerUse, _>::new(issuer.signing.clone());
    let mut revoked = Revoked::new(issuer.fingerprint(), 10);
    let mut buffer = [0; 200];
    revoked.take_part(list.sign(&issuer.fingerprint(), &signer, &mut buffer).unwrap(), keys, NOW).unwrap();
    revoked
}

#[test]
fn a_payee_without_network_gets_the_credential_and_the_receipt_comes_later() {
    for restarts in [false, true] {
        let mut market = Market::new(restarts);
        let floor = FloorLimits { each: 5_000, credential: 5_000, total: 5_000, payments: 9 };
        let (mut book, revoked) = (Offline::new(Currency::CNY, floor), nobody_revoked(&market.issuer, &market.keys));
        let root = market.issuer.fingerprint();
        while market.payment.is_pending() || market.payment.refused().is_none() {
            let Market { payment, sale, keys, credential, .. } = &mut market;
            let record = match payment.poll() {
                Next::Payee(record) => record,
                Next::Wait => break,
                Next::Band(_) => {
                    payment.again();
                    market.step();
                    continue;
                }
                next => panic!("{next:?}"),
            };
            if let ToPayee::Offline { credential: said, .. } = record {
                assert_eq!(said.as_bytes(), credential);
            }
            let record = encode(&record, &mut [0; 512]).unwrap().to_vec();
            let lists = Lists { keys, revoked: &revoked };
            let answer = encode(&sale.hear_offline(&record, &mut book, lists, NOW), &mut [0; 200]).unwrap().to_vec();
            payment.payee_says(&answer, &root, keys).unwrap();
        }
        assert!(market.payment.is_pending() && market.sale.pending().is_some());
        assert_eq!((market.payment.poll(), book.total(), market.ledger.settlements()), (Next::Wait, 1_250, 0));
        market.payment.again();
        market.run();
        market.check("when there is network");
        assert!(!market.payment.is_pending());
        book.release(&market.sale);
        assert_eq!(book.total(), 0);
    }
}

#[test]
fn without_a_credential_a_payee_without_network_is_not_paid() {
    let mut market = Market::new(false);
    market.payment = Payment::new(market.payment.offer().clone(), &[]);
    while !matches!(market.payment.poll(), Next::Payee(_)) {
        market.payment.again();
        market.step();
    }
    let refused = encode(&FromPayee::Refused(Refusal::NotOffline), &mut [0; 9]).unwrap().to_vec();
    market.payment.payee_says(&refused, &market.issuer.fingerprint(), &market.keys).unwrap();
    assert_eq!(market.payment.poll(), Next::Wait);
    assert_eq!(market.payment.refused(), Some(Refusal::NotOffline));
    market.payment.again();
    market.run();
    market.check("with network");
}
