//! A band with a display: what it shows, and what an infected wallet cannot have it pay.

use armring_band::{Asker, Face, Gesture, Offer, Signal};
use armring_token::{Credential, CredentialRights, Gesture as Made, Issuer, Minor, Object, PayeeRights, Signing};
use armring_wire::records::band::{Awaited, Decline, ToBand};
use armring_wire::{CredentialId, Currency, KeyId, Opaque, PayeeId, PayeeRef};
use ed25519_dalek::SigningKey;

use crate::common::Room;
use crate::common::issuer::{Shop, TestIssuer, at, yuan};
use crate::common::steps::claims;

const FRIEND: CredentialId = CredentialId(*b"a friend");

/// A band with a display that is worn and unlocked, enrolled, and linked.
fn ready(issuer: &mut TestIssuer) -> Room {
    let mut room = Room::ready(issuer);
    room.face = Face::Display;
    again(&mut room);
    room
}

/// The band loses power and is put on again.
fn again(room: &mut Room) {
    room.restart_band();
    room.reconnect();
    room.put_on();
    room.forget();
}

fn pay_to(room: &mut Room, request: &[u8], certificate: &[u8]) {
    room.forget();
    room.say(&ToBand::PayTo { request: Opaque::new(request).unwrap(), certificate: Opaque::new(certificate).unwrap() });
}

/// A friend's credential, whose payment key is the shop's, with `twist` applied before it is signed.
fn credential(issuer: &TestIssuer, shop: &Shop, twist: fn(&mut Credential)) -> Vec<u8> {
    let payment_key = shop.key.verifying_key().to_bytes();
    let mut credential = Credential { id: FRIEND, payment_key, ..issuer.template };
    twist(&mut credential);
    let signing = Signing::<Issuer, _>::new(issuer.signing.clone());
    credential.sign(&issuer.fingerprint(), &signing, &mut [0; Credential::MAX_LEN]).unwrap().to_vec()
}

#[test]
fn who_asks_what_for_and_how_much_is_shown_until_it_is_paid() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = ready(&mut issuer);
    let (request, certificate) = (shop.asks(1_250), issuer.certificate(&shop, |_| {}));
    assert_eq!(room.band.offer(), None);
    pay_to(&mut room, &request, &certificate);
    let offer = Offer { asker: Asker::Certified("The teahouse"), memo: "tea for two", amount: yuan(1_250) };
    assert_eq!((room.band.offer(), room.waits_for()), (Some(offer), Some(Awaited::PayGesture)));
    assert_eq!(room.signals, [Signal::Waiting(Awaited::PayGesture, Some(yuan(1_250)))]);
    room.press();
    assert_eq!((claims(&room.token().unwrap()).amount, room.band.offer()), (yuan(1_250), None));
}

#[test]
fn a_friend_who_asks_is_shown_by_credential() {
    let (mut issuer, mut friend) = (TestIssuer::new(), Shop::new());
    let mut room = ready(&mut issuer);
    let request = friend.asks_with(500, |request| request.payee = PayeeRef::Credential(FRIEND));
    pay_to(&mut room, &request, &credential(&issuer, &friend, |_| {}));
    let offer = Offer { asker: Asker::Wearer(FRIEND), memo: "tea for two", amount: yuan(500) };
    assert_eq!(room.band.offer(), Some(offer));
    room.press();
    assert_eq!(claims(&room.token().unwrap()).payee, PayeeRef::Credential(FRIEND));
}

#[test]
fn what_is_given_up_is_shown_no_longer() {
    let ends: [fn(&mut Room); 4] =
        [|room| room.wait(30_000), |room| room.gesture(Gesture::Refuse), |room| room.say(&ToBand::Cancel), Room::disconnect];
    for end in ends {
        let mut issuer = TestIssuer::new();
        let mut room = ready(&mut issuer);
        let mut shop = Shop::new();
        pay_to(&mut room, &shop.asks(1), &issuer.certificate(&shop, |_| {}));
        assert!(room.band.offer().is_some());
        end(&mut room);
        assert_eq!(room.band.offer(), None);
    }
}

#[test]
fn infected_wallet_asks_to_pay_without_saying_whom() {
    let mut room = ready(&mut TestIssuer::new());
    room.asks_to_pay(&Shop::new().asks(1));
    assert_eq!((room.declined(), room.waits_for(), room.signals.len()), (Some(Decline::Unshown), None, 0));
    room.press();
    assert_eq!(room.token(), None);
}

/// A request, and what is said to vouch for it.
type Asked = (Vec<u8>, Vec<u8>);

/// What an infected wallet can bring that is not a payee's own request with its own certificate.
fn forgeries(issuer: &TestIssuer) -> Vec<(&'static str, Asked)> {
    let (mut shop, mut other, mut posing) = (Shop::new(), Shop::new(), Shop::new());
    (other.id, other.key) = (PayeeId(*b"somebody"), SigningKey::from_bytes(&[44; 32]));
    posing.key = other.key.clone();
    let mut renamed = Shop::new();
    renamed.id = other.id;
    let good = issuer.certificate(&shop, |_| {});
    let request = shop.asks(1_000);
    let flipped = |bytes: &[u8], place: usize| {
        let mut bytes = bytes.to_vec();
        bytes[place] ^= 1;
        bytes
    };
    let strangers = TestIssuer { signing: SigningKey::from_bytes(&[66; 32]), ..TestIssuer::new() };
    let theirs = |twist| (request.clone(), issuer.certificate(&shop, twist));
    vec![
        ("another payee's request with the teahouse's certificate", (other.asks(1_000), good.clone())),
        ("the teahouse's request with another payee's certificate", (request.clone(), issuer.certificate(&other, |_| {}))),
        ("the teahouse's key under another name", (renamed.asks(1_000), good.clone())),
        ("a request that another key signed", (posing.asks(1_000), good.clone())),
        ("an amount changed on the way", (flipped(&request, 64 + 10), good.clone())),
        ("a forged signature", (flipped(&request, 40), good.clone())),
        ("a name changed on the way", (request.clone(), flipped(&good, 64 + 46))),
        ("a certificate by nobody", (request.clone(), strangers.certificate(&shop, |_| {}))),
        ("no certificate", (request.clone(), Vec::new())),
        ("a certificate by a key that is not listed", theirs(|c| c.key = KeyId(9))),
        ("a certificate by a key for enrolling", theirs(|c| c.key = KeyId(2))),
        ("a payee who may not ask", theirs(|c| c.rights = PayeeRights::NONE)),
        ("another currency", theirs(|c| c.currency = Currency::EUR)),
        ("a key that is none", theirs(|c| c.payee_key = [0; 32])),
        ("a certificate that is over", theirs(|c| c.validity.until = at(1_000))),
        ("a certificate that ends as it begins", theirs(|c| (c.validity.from, c.validity.until) = (at(2_000), at(2_000)))),
        ("the request itself as certificate", (request.clone(), request.clone())),
    ]
}

/// The same where a wearer's credential stands in for a certificate.
fn forged_credentials(issuer: &TestIssuer) -> Vec<(&'static str, Asked)> {
    let mut friend = Shop::new();
    let request = friend.asks_with(500, |request| request.payee = PayeeRef::Credential(FRIEND));
    let of_shop = friend.asks(500);
    let theirs = |twist| (request.clone(), credential(issuer, &friend, twist));
    let strangers = TestIssuer { signing: SigningKey::from_bytes(&[66; 32]), ..TestIssuer::new() };
    vec![
        ("another credential", theirs(|c| c.id = CredentialId(*b"a thief."))),
        ("another key", theirs(|c| c.payment_key = SigningKey::from_bytes(&[44; 32]).verifying_key().to_bytes())),
        ("one that may only pay", theirs(|c| c.rights = CredentialRights::PAY)),
        ("one of another currency", theirs(|c| c.currency = Currency::USD)),
        ("one that is over", theirs(|c| c.validity.until = at(1_000))),
        ("one by a key that is not listed", theirs(|c| c.key = KeyId(9))),
        ("one by nobody", (request.clone(), credential(&strangers, &friend, |_| {}))),
        ("a certificate for a wearer's request", (request.clone(), issuer.certificate(&friend, |_| {}))),
        ("a credential for a payee's request", (of_shop, credential(issuer, &friend, |_| {}))),
    ]
}

#[test]
fn infected_wallet_swaps_the_request_or_who_vouches_for_it() {
    let mut issuer = TestIssuer::new();
    let mut room = ready(&mut issuer);
    let before = room.storage.clone();
    for (name, (request, certificate)) in forgeries(&issuer).into_iter().chain(forged_credentials(&issuer)) {
        pay_to(&mut room, &request, &certificate);
        assert_eq!((room.declined(), room.waits_for()), (Some(Decline::Invalid), None), "{name}");
        assert_eq!((room.band.offer(), room.signals.len()), (None, 0), "{name}");
        room.press();
        assert!(room.token().is_none() && room.storage == before, "{name}");
    }
    let mut shop = Shop::new();
    pay_to(&mut room, &shop.asks(1), &issuer.certificate(&shop, |_| {}));
    room.press();
    assert!(room.token().is_some());
}

#[test]
fn without_a_key_list_nothing_is_shown() {
    let mut issuer = TestIssuer::new();
    let mut room = ready(&mut issuer);
    room.storage.retain(|key, _| key.as_u8() != 0x01);
    again(&mut room);
    let mut shop = Shop::new();
    pay_to(&mut room, &shop.asks(1), &issuer.certificate(&shop, |_| {}));
    assert_eq!((room.declined(), room.band.offer()), (Some(Decline::Invalid), None));
}

#[test]
fn without_a_display_no_certificate_is_looked_at() {
    for face in [Face::Lights, Face::Button] {
        let mut room = Room::ready(&mut TestIssuer::new());
        room.face = face;
        again(&mut room);
        pay_to(&mut room, &Shop::new().asks(1), b"whatever");
        assert_eq!((room.waits_for(), room.band.offer()), (Some(Awaited::PayGesture), None));
        room.press();
        assert!(room.token().is_some());
    }
}

#[test]
fn what_was_signed_is_given_again_whatever_vouches_for_it() {
    let mut issuer = TestIssuer::new();
    let mut room = ready(&mut issuer);
    let mut shop = Shop::new();
    let request = shop.asks(1);
    pay_to(&mut room, &request, &issuer.certificate(&shop, |_| {}));
    room.press();
    let token = room.token();
    pay_to(&mut room, &request, &[]);
    assert!(token.is_some() && room.token() == token);
}

#[test]
fn within_the_free_limit_only_what_verifies_is_signed() {
    let mut issuer = TestIssuer::new();
    let limits = &mut issuer.template.limits;
    (limits.free, limits.free_count.0, limits.free_total) = (Minor(5_000), 9, Minor(50_000));
    let mut room = ready(&mut issuer);
    for (name, (request, certificate)) in forgeries(&issuer) {
        pay_to(&mut room, &request, &certificate);
        assert_eq!((room.declined(), room.token()), (Some(Decline::Invalid), None), "{name}");
    }
    let mut shop = Shop::new();
    pay_to(&mut room, &shop.asks(1), &issuer.certificate(&shop, |_| {}));
    assert_eq!(claims(&room.token().unwrap()).presence.gesture, Made::None);
}

#[test]
fn a_request_expires_by_the_time_of_a_certificate_that_was_shown_and_after_a_payment_for_good() {
    let mut issuer = TestIssuer::new();
    let mut room = ready(&mut issuer);
    let mut shop = Shop::new();
    let later = issuer.certificate(&shop, |certificate| certificate.validity.from = at(40_000));
    let old = |shop: &mut Shop| shop.asks_with(1, |request| request.expiry = at(40_000));
    pay_to(&mut room, &old(&mut shop), &later);
    assert_eq!((room.declined(), room.band.offer()), (Some(Decline::Expired), None), "by its own payee's certificate");
    pay_to(&mut room, &shop.asks(1), &later);
    room.press();
    assert!(room.token().is_some());
    let certificate = issuer.certificate(&shop, |_| {});
    for _ in 0..2 {
        pay_to(&mut room, &old(&mut shop), &certificate);
        assert_eq!(room.declined(), Some(Decline::Expired));
        again(&mut room);
    }
}
