//! What band, wallet and payee load of what they stored: damaged, cut, mixed up, or made up.

use std::sync::OnceLock;

use armring_band::{Band, Event, Gesture, SoftwareKeys, StoreKey};
use armring_pairing::Link;
use armring_payee::Sale;
use armring_token::{Counter, Form, Minor, PaymentRequest, PaymentToken, Presence, Unlocking, Unverified};
use armring_wallet::{Collection, Next, Offer, Payment};
use armring_wire::records::band::Decline;
use armring_wire::records::payee::FromPayee;
use armring_wire::{ATT_PAYLOAD_MAX, AttPayload, Opaque, Outcome, PayeeRef, Text, UnixTime, Uptime, encode};
use sha2::{Digest, Sha256};

use crate::cast::{self, BAND, CREDENTIAL, Draws, SHOP, Shared, TEAHOUSE};
use crate::flash;
use crate::input::Input;

/// Loads what may have been stored, in whichever state. What loads is stored as the same bytes, and can be gone on with.
pub fn stored(data: &[u8]) {
    let mut input = Input::new(data);
    match input.below(5) {
        0 => link(&input.any()),
        1 => band(&mut input),
        2 => {
            let bytes = one(&mut input, &examples().payments);
            if let Some(mut payment) = Payment::from_bytes(&bytes, &cast::root()) {
                assert_eq!(payment.to_bytes(), bytes);
                let is_first = matches!(payment.poll(), Next::Band(_) | Next::Payee(_));
                assert!(!is_first || payment.poll() == Next::Wait, "each thing is given out once");
                assert_eq!(payment.to_bytes(), bytes, "asking what is next changes nothing");
            }
        }
        3 => {
            let bytes = one(&mut input, &examples().collections);
            if let Some(mut collection) = Collection::from_bytes(&bytes) {
                assert_eq!(collection.to_bytes(), bytes);
                let _ = collection.poll();
                assert_eq!(collection.to_bytes(), bytes, "asking what is next changes nothing");
            }
        }
        _ => sale(&mut input),
    }
}

/// An example, altered, or anything.
fn one(input: &mut Input<'_>, examples: &[Vec<u8>]) -> Vec<u8> {
    if input.any() {
        return input.rest().to_vec();
    }
    let mut bytes = examples[input.below(examples.len())].clone();
    while !input.is_empty() {
        input.alter(&mut bytes);
    }
    bytes
}

fn link(bytes: &[u8; Link::LEN]) {
    let Some(mut link) = Link::from_bytes(bytes) else { return };
    assert_eq!(*link.to_bytes(), *bytes);
    let before = link.generation();
    let (_, lost) = link.introduce();
    let _ = link.answered(before.saturating_add(lost.into()));
    assert!(link.generation() > before || before == u32::MAX, "a generation never goes back");
}

/// A sale; with a hash that is right, as whoever writes to the disk can make it.
fn sale(input: &mut Input<'_>) {
    let hashed = input.any();
    let mut bytes = one(input, &examples().sales);
    if hashed {
        let hash = Sha256::new().chain_update(cast::root().0).chain_update(&bytes).finalize();
        bytes.extend_from_slice(&hash);
    }
    let Some(sale) = Sale::from_bytes(&bytes, &cast::root()) else { return };
    assert_eq!(sale.to_bytes(), bytes);
    assert!(sale.left().is_none_or(|left| left.minor() <= sale.amount().minor()));
    assert!(sale.settled().is_none() || sale.left().is_some());
}

/// A band, of which one value is another.
fn band(input: &mut Input<'_>) {
    let mut values = flash::ready(cast::LIMITS);
    if let Some(key) = StoreKey::from_u8(input.any()) {
        let mut value = values.remove(&key).unwrap_or_default();
        input.alter(&mut value);
        values.insert(key, value);
    }
    let mut band = Band::new(Shared::band(), SoftwareKeys, cast::root_key());
    for key in StoreKey::all() {
        // A value that is refused leaves the band as it was, without it.
        let _ = values.get(&key).map(|value| band.load(key, value));
    }
    let rng = &mut Draws::new(None);
    let connected = Event::Connected(AttPayload::MIN);
    for event in [Event::PutOn, Event::Recognised, Event::Gesture(Gesture::Hold), connected, Event::Disconnected, Event::Tick] {
        let _ = band.handle(event, Uptime::from_millis(1_000), rng);
        while band.poll(&mut [0; ATT_PAYLOAD_MAX]).is_some() {}
    }
    for place in 0..=armring_band::LINKS {
        assert!(band.advertising_tag(place, rng).is_ok());
    }
}

struct Examples {
    payments: Vec<Vec<u8>>,
    collections: Vec<Vec<u8>>,
    /// Without their hashes.
    sales: Vec<Vec<u8>>,
}

/// Of each, one in every state that it goes through.
fn examples() -> &'static Examples {
    static EXAMPLES: OnceLock<Examples> = OnceLock::new();
    EXAMPLES.get_or_init(|| {
        let keys = cast::verified(&cast::key_list(1, [9; 32]));
        let root = cast::root();
        let (asked, credential) = (request(PayeeRef::Certificate(TEAHOUSE), SHOP), flash::credential(cast::LIMITS));
        let token = token(&asked);
        let receipt =
            cast::receipt(Unverified::<PaymentToken>::parse(&token).unwrap().token_digest(&root), Outcome::Settled, 9_000);
        let said = encode(&FromPayee::Receipt(Opaque::new(&receipt).unwrap()), &mut [0; 512]).unwrap().to_vec();

        let offer = Offer::verify(&asked, &cast::certificate(), &root, &keys, cast::NOW).unwrap();
        let mut payment = Payment::new(offer, &credential);
        let mut payments = vec![payment.to_bytes()];
        payment.token(&token).unwrap();
        payments.push(payment.to_bytes());
        payment.payee_says(&said, &root, &keys).unwrap();
        let _ = payment.poll();
        payment.noted();
        payments.push(payment.to_bytes());

        let wanted = request(PayeeRef::Credential(CREDENTIAL), BAND);
        let paid = self::token(&wanted);
        let word = cast::receipt(Unverified::<PaymentToken>::parse(&paid).unwrap().token_digest(&root), Outcome::Settled, 1);
        let mut collection = Collection::new(cast::yuan(1_250), UnixTime::from_secs(50_000), "tea for two").unwrap();
        let mut collections = vec![collection.to_bytes()];
        collection.requested(&wanted).unwrap();
        collections.push(collection.to_bytes());
        collection.paid(&paid, &word, &root, &keys).unwrap();
        collections.push(collection.to_bytes());
        let mut declined = Collection::new(cast::yuan(1_250), UnixTime::from_secs(50_000), "").unwrap();
        declined.declined(Decline::NoGesture);
        collections.push(declined.to_bytes());

        Examples { payments, collections, sales: sales(&wanted, &credential, &token, &paid, &word, &keys) }
    })
}

fn sales(
    wanted: &[u8],
    credential: &[u8],
    other: &[u8],
    token: &[u8],
    receipt: &[u8],
    keys: &armring_token::Verified<armring_token::KeyList>,
) -> Vec<Vec<u8>> {
    use armring_wire::records::issuer::FromIssuer;
    let unhashed = |sale: &Sale| sale.to_bytes().split_last_chunk::<32>().unwrap().0.to_vec();
    let mut sale = Sale::from_signed_request(wanted, credential, &cast::root(), keys).unwrap();
    let mut sales = vec![unhashed(&sale)];
    assert!(sale.take(other).is_err());
    let digest = sale.take(token).unwrap();
    sales.push(unhashed(&sale));
    let answer = encode(&FromIssuer::Receipt(Opaque::new(receipt).unwrap()), &mut [0; 512]).unwrap().to_vec();
    sale.issuer_says(&digest, &answer, keys).unwrap();
    sales.push(unhashed(&sale));
    sales
}

fn request(payee: PayeeRef, seed: u8) -> Vec<u8> {
    let (amount, expiry) = (cast::yuan(1_250), UnixTime::from_secs(50_000));
    let memo = Text::new("tea for two").unwrap();
    cast::sign(&PaymentRequest { form: Form, payee, amount, nonce: [7; 16], expiry, memo }, seed)
}

fn token(request: &[u8]) -> Vec<u8> {
    let request = Unverified::<PaymentRequest<'_>>::parse(request).unwrap();
    let presence =
        Presence { minutes_worn: 9, unlocking: Unlocking::Pin, gesture: armring_token::Gesture::Press, online_only: false };
    let token = PaymentToken {
        form: Form,
        credential: CREDENTIAL,
        payee: request.claims().payee,
        request: request.request_digest(&cast::root()),
        amount: request.claims().amount,
        counter: Counter(1),
        cumulative: Minor(request.claims().amount.minor()),
        presence,
    };
    cast::sign(&token, BAND)
}
