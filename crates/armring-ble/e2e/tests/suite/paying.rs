//! What works: pairing, reconnecting, resuming, paying, at every MTU and over a channel.

use armring_band::{Face, Gesture, Signal};
use armring_ble_e2e::central::Way;
use armring_ble_e2e::play;
use armring_token::{
    Counter, Form, Gesture as Made, Minor, Object, Payment, PaymentRequest, PaymentToken, Presence, Signing, Unlocking,
    Unverified,
};
use armring_wallet::Event;
use armring_wire::records::band::{Awaited, ToBand};
use armring_wire::{CredentialId, Opaque, Outcome, Text};
use ed25519_dalek::SigningKey;

use crate::town::issuer::{TestIssuer, at, yuan};
use crate::town::{Town, linked};

#[test]
fn a_band_is_paired_by_code_enrolled_and_pays_at_an_mtu_of_23() {
    pays_at(23, 20);
}

#[test]
fn a_band_is_paired_by_code_enrolled_and_pays_at_an_mtu_of_185() {
    pays_at(185, 182);
}

#[test]
fn a_band_is_paired_by_code_enrolled_and_pays_at_an_mtu_of_247() {
    pays_at(247, 244);
}

#[test]
fn a_band_is_paired_by_code_enrolled_and_pays_at_an_mtu_of_517() {
    // No attribute is longer than 512 bytes.
    pays_at(517, 512);
}

fn pays_at(att_mtu: u16, payload: usize) {
    play(async {
        let mut town = Town::ready(att_mtu).await;
        let call = town.phone.reconnect().await;
        assert_eq!(call.payload.bytes(), payload);
        call.hang_up().await;
        town.pays_from_scratch().await;
        assert_eq!(town.band.logged(), [""; 0]);
    });
}

#[test]
fn a_phone_on_another_bluetooth_host_pairs_enrols_and_pays() {
    play(async {
        for att_mtu in [23, 247] {
            let mut town = Town::new(att_mtu, Face::Lights);
            town.phone.way = Way::Foreign;
            town.pair().await;
            town.put_on().await;
            town.enrol().await;
            town.pays_from_scratch().await;
            assert_eq!(town.band.logged(), [""; 0]);
        }
    });
}

#[test]
fn a_payment_goes_over_an_l2cap_channel() {
    play(async {
        let mut town = Town::new(247, Face::Lights);
        town.phone.way = Way::Channel;
        town.pair().await;
        town.put_on().await;
        town.enrol().await;
        town.pays_from_scratch().await;
        assert_eq!(town.band.logged(), [""; 0]);
    });
}

#[test]
fn a_band_with_a_display_is_paired_by_the_secret_that_it_shows() {
    play(async {
        let mut town = Town::new(185, Face::Display);
        town.scan().await;
        let mut call = town.phone.reconnect().await;
        linked(&mut call).await;
        call.hang_up().await;
    });
}

#[test]
fn a_lost_connection_is_resumed_and_pays() {
    play(async {
        let mut town = Town::ready(185).await;
        let request = town.shop.asks(1_000);
        let mut call = town.phone.reconnect().await;
        linked(&mut call).await;
        call.lose().await;
        for _ in 0..3 {
            let mut call = town.phone.resume().await;
            linked(&mut call).await;
            let Ok(Event::Status(_)) = call.next().await else { panic!("no status") };
            call.lose().await;
        }
        let mut call = town.phone.resume().await;
        linked(&mut call).await;
        let Ok(Event::Status(_)) = call.next().await else { panic!("no status") };
        Town::pays(&mut call, &mut town.band, &request).await.unwrap();
        call.hang_up().await;
    });
}

#[test]
fn the_wearer_asks_to_be_paid_and_is_told_that_money_came() {
    play(async {
        let mut town = Town::ready(185).await;
        let mut call = town.phone.reconnect().await;
        linked(&mut call).await;
        let memo = Text::new("the taxi").unwrap();
        call.say(&ToBand::Receive { amount: yuan(2_000), expiry: at(9_000), memo });
        let Ok(Event::Waiting(Awaited::ReceiveGesture)) = call.next().await else { panic!("does not wait") };
        town.band.gesture(Gesture::DoublePress);
        let Ok(Event::Request(request)) = call.next().await else { panic!("no request") };
        let token = payment(&request, 2_000, &town.issuer);
        let receipt = town.issuer.receipt(&token, Outcome::Settled, 2_000, 0);
        let (token, receipt) = (Opaque::new(&token).unwrap(), Opaque::new(&receipt).unwrap());
        call.say(&ToBand::Received { token, receipt });
        let Ok(Event::Noted) = call.next().await else { panic!("took no note") };
        town.band.told(Signal::Received(yuan(2_000))).await;
        call.hang_up().await;
    });
}

/// A payer's token for `request`.
fn payment(request: &[u8], amount: u64, issuer: &TestIssuer) -> Vec<u8> {
    let request = Unverified::<PaymentRequest<'_>>::parse(request).unwrap();
    let token = PaymentToken {
        form: Form,
        credential: CredentialId(*b"a friend"),
        payee: request.claims().payee,
        request: request.request_digest(&issuer.fingerprint()),
        amount: yuan(amount),
        counter: Counter(1),
        cumulative: Minor(amount),
        presence: Presence { minutes_worn: 1, unlocking: Unlocking::Pin, gesture: Made::Press, online_only: false },
    };
    let key = Signing::<Payment, _>::new(SigningKey::from_bytes(&[8; 32]));
    token.sign(&issuer.fingerprint(), &key, &mut [0; PaymentToken::LEN]).unwrap().to_vec()
}
