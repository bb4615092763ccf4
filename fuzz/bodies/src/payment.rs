//! A payment and a collection, from the offer to the word on the wrist, with everything that band, payee and whoever else may say.

mod collecting;

use std::sync::OnceLock;

use armring_token::{
    Counter, Form, Gesture, KeyList, Minor, PaymentRequest, PaymentToken, Presence, Unlocking, Unverified, Verified,
};
use armring_wallet::{Next, Offer, Payment};
use armring_wire::records::band::{Decline, ToBand};
use armring_wire::records::issuer::Refusal;
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::uri::PaymentUri;
use armring_wire::{CredentialId, Opaque, Outcome, PayeeRef, Text, UnixTime, encode};

use self::collecting::Collecting;
use crate::cast::{self, BAND, CREDENTIAL, SHOP, TEAHOUSE};
use crate::flash;
use crate::input::Input;

const MOST: usize = 60;
const EXPIRY: UnixTime = UnixTime::from_secs(50_000);
const NEIGHBOUR: CredentialId = CredentialId(*b"neighbor");

/// Takes a payment and a collection through any answers. Whatever is refused has changed nothing; there is one token and one outcome, and
/// what was stored goes on where it was.
pub fn payment(data: &[u8]) {
    let mut input = Input::new(data);
    offers(&mut input);
    if input.any() { Paying::new(&mut input).run(&mut input) } else { Collecting::new().run(&mut input) }
}

/// What is asked for, in every state of truth.
struct Scene {
    keys: Verified<KeyList>,
    /// A request and who vouches for it: a shop's, a wearer's.
    asked: [(Vec<u8>, Vec<u8>); 2],
    /// Tokens: two that answer the first request, one for the second, one for another amount.
    tokens: Vec<Vec<u8>>,
    /// What this wearer asks to be paid, and what pays that.
    wanted: Vec<u8>,
    paid: Vec<u8>,
    /// Receipts for all of these tokens, settled and refused.
    receipts: Vec<Vec<u8>>,
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let request = |payee, seed, minor: u64| {
            let (amount, memo) = (cast::yuan(minor), Text::new("tea for two").unwrap());
            cast::sign(&PaymentRequest { form: Form, payee, amount, nonce: [7; 16], expiry: EXPIRY, memo }, seed)
        };
        let credential = |id, seed: u8| {
            let body = cast::credential_body(cast::signer(seed).verifying_key().to_bytes());
            cast::sign(&armring_token::Credential { id, ..body }, cast::ISSUER)
        };
        let shop = request(PayeeRef::Certificate(TEAHOUSE), SHOP, 1_250);
        let person = request(PayeeRef::Credential(NEIGHBOUR), 5, 1_250);
        let wanted = request(PayeeRef::Credential(CREDENTIAL), BAND, 1_250);
        let tokens = vec![
            token(&shop, 1),
            token(&shop, 2),
            token(&person, 3),
            token(&request(PayeeRef::Certificate(TEAHOUSE), SHOP, 1), 4),
        ];
        let paid = token(&wanted, 5);
        let digest = |token: &[u8]| Unverified::<PaymentToken>::parse(token).unwrap().token_digest(&cast::root());
        let receipts = tokens
            .iter()
            .chain([&paid])
            .flat_map(|token| [Outcome::Settled, Outcome::Frozen].map(|outcome| cast::receipt(digest(token), outcome, 9_000)));
        Scene {
            keys: cast::verified(&cast::key_list(1, [9; 32])),
            receipts: receipts.collect(),
            asked: [(shop, cast::certificate()), (person, credential(NEIGHBOUR, 5))],
            tokens,
            wanted,
            paid,
        }
    })
}

fn token(request: &[u8], counter: u32) -> Vec<u8> {
    let request = Unverified::<PaymentRequest<'_>>::parse(request).unwrap();
    let PaymentRequest { payee, amount, .. } = *request.claims();
    let presence = Presence { minutes_worn: 9, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false };
    let token = PaymentToken {
        form: Form,
        credential: CREDENTIAL,
        payee,
        request: request.request_digest(&cast::root()),
        amount,
        counter: Counter(counter),
        cumulative: Minor(amount.minor()),
        presence,
    };
    cast::sign(&token, BAND)
}

/// An offer is shown if nothing of it was changed and the time is right, whichever way it came.
fn offers(input: &mut Input<'_>) {
    let (which, change, late) = (input.below(2), input.below(8), input.below(8));
    let (mut request, mut certificate) = scene().asked[which].clone();
    let changed = match change {
        0 => input.alter(&mut request),
        1 => input.alter(&mut certificate),
        2 => {
            certificate.clone_from(&scene().asked[1 - which].1);
            true
        }
        _ => false,
    };
    let now = match late {
        0 => EXPIRY,
        1 => UnixTime::from_secs(999),
        2 => cast::UNTIL,
        _ => cast::NOW,
    };
    let (root, keys) = (cast::root(), &scene().keys);
    let verify = if which == 0 { Offer::verify } else { Offer::verify_person };
    let offer = verify(&request, &certificate, &root, keys, now);
    assert_eq!(offer.is_ok(), !changed && late > 2);
    let (Some(request), Some(certificate)) = (Opaque::new(&request), Opaque::new(&certificate)) else { return };
    let mut buffer = [0; PaymentUri::MAX_LEN];
    let uri = PaymentUri { request, certificate }.encode(&mut buffer).unwrap();
    assert_eq!(Offer::from_uri(uri, &root, keys, now).ok(), offer.ok(), "a link says the same");
}

/// A receipt, the token's own or any; whether it is one that verifies and for `token`, and its outcome.
fn receipt(input: &mut Input<'_>, token: &[u8]) -> (Vec<u8>, Option<Outcome>) {
    let which = input.below(scene().receipts.len());
    let mut receipt = scene().receipts[which].clone();
    let outcome = if which.is_multiple_of(2) { Outcome::Settled } else { Outcome::Frozen };
    let changed = input.below(4) == 0 && input.alter(&mut receipt);
    receipt.truncate(armring_wire::records::OBJECT_MAX);
    let of = scene().tokens.iter().chain([&scene().paid]).nth(which / 2).unwrap();
    let fits = !changed && of[64..] == token[64.min(token.len())..];
    (receipt, fits.then_some(outcome))
}

struct Paying {
    payment: Payment,
    /// The token that was taken first, and what became of it.
    token: Option<Vec<u8>>,
    outcome: Option<Outcome>,
    /// Why the band did not do what it was asked.
    declined: Vec<Decline>,
}

impl Paying {
    fn new(input: &mut Input<'_>) -> Self {
        let (request, certificate) = &scene().asked[0];
        let offer = Offer::verify(request, certificate, &cast::root(), &scene().keys, cast::NOW).unwrap();
        let credential = if input.any() { flash::credential(cast::LIMITS) } else { Vec::new() };
        Self { payment: Payment::new(offer, &credential), token: None, outcome: None, declined: Vec::new() }
    }

    fn run(mut self, input: &mut Input<'_>) {
        for _ in 0..MOST {
            if input.is_empty() {
                break;
            }
            self.goes_on(input);
            assert_eq!(self.payment.receipt().is_some(), self.outcome.is_some());
        }
    }

    fn goes_on(&mut self, input: &mut Input<'_>) {
        match input.below(10) {
            0 | 1 => self.polls(),
            2 => self.payment.again(),
            3 => self.payment.noted(),
            4 => {
                let why = Decline::from(input.any::<u8>() % 16);
                self.payment.declined(why);
                self.declined.push(why);
            }
            5 | 6 => self.gets_token(input),
            7 => self.is_stored(),
            _ => self.payee_says(input),
        }
    }

    fn gets_token(&mut self, input: &mut Input<'_>) {
        let (before, which) = (self.payment.clone(), input.below(scene().tokens.len()));
        let mut token = scene().tokens[which].clone();
        let changed = input.below(4) == 0 && input.alter(&mut token);
        let result = self.payment.token(&token);
        match &self.token {
            Some(known) => assert_eq!(result.is_ok(), *known == token, "one token"),
            None if !changed => assert_eq!(result.is_ok(), which < 2, "one that answers"),
            // A changed one may still say that it answers: its signature is for the issuer.
            None => {}
        }
        if result.is_err() {
            assert_eq!(self.payment, before, "what was refused has changed something");
        } else {
            self.token.get_or_insert(token);
        }
    }

    fn payee_says(&mut self, input: &mut Input<'_>) {
        let before = self.payment.clone();
        let token = self.token.clone().unwrap_or_default();
        let (receipt, fits) = receipt(input, &token);
        let (shop, certificate) = &scene().asked[0];
        let object = |bytes| Opaque::new(bytes).unwrap();
        let record = match input.below(8) {
            0..4 => FromPayee::Receipt(object(&receipt)),
            4 => FromPayee::Refused(Refusal::from(input.any::<u8>() % 12)),
            5 => FromPayee::Pending,
            6 => input.one_of(&[FromPayee::Nothing, FromPayee::Unknown(3)]),
            _ => FromPayee::Request { request: object(shop), certificate: object(certificate) },
        };
        let mut buffer = [0; 600];
        let mut bytes = encode(&record, &mut buffer).unwrap().to_vec();
        let changed = input.below(8) == 0 && input.alter(&mut bytes);
        let result = self.payment.payee_says(&bytes, &cast::root(), &scene().keys);
        assert!(result.is_err() || (self.token.is_some() && self.outcome.is_none()), "out of turn");
        if let (FromPayee::Receipt(_), false) = (record, changed) {
            let expected = fits.filter(|_| self.token.is_some() && self.outcome.is_none());
            assert_eq!(result.is_ok(), expected.is_some(), "the receipt for this token, and no other");
            self.outcome = self.outcome.or(expected);
        }
        if result.is_err() {
            assert_eq!(self.payment, before, "what was refused has changed something");
        }
    }

    fn polls(&mut self) {
        let (token, outcome) = (self.token.clone(), self.outcome);
        match self.payment.poll() {
            Next::Band(ToBand::Pay { .. } | ToBand::PayTo { .. }) => assert!(token.is_none(), "a second payment"),
            Next::Band(ToBand::Paid { .. }) => assert!(outcome.is_some()),
            Next::Payee(ToPayee::Token(said) | ToPayee::Offline { token: said, .. }) => {
                assert_eq!(Some(said.as_bytes()), token.as_deref());
            }
            Next::Done(what) => assert_eq!(Some(what), outcome),
            Next::Ended(why) => assert!(token.is_none() && self.declined.contains(&why)),
            Next::Wait => {}
            other => panic!("{other:?}"),
        }
    }

    fn is_stored(&mut self) {
        let bytes = self.payment.to_bytes();
        assert!(!bytes.is_empty() && bytes.len() <= Payment::MAX_LEN);
        let mut restored = Payment::from_bytes(&bytes, &cast::root()).expect("what was stored");
        assert_eq!(restored.to_bytes(), bytes);
        self.payment.again();
        assert_eq!(restored.poll(), self.payment.clone().poll(), "it goes on where it was");
        restored.again();
        self.payment = restored;
    }
}
