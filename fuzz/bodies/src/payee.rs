//! Sales of a payee, with and without network, and what it gives back.

mod stall;

use armring_payee::Sale;
use armring_token::{Counter, Gesture, PaymentToken};
use armring_wire::records::issuer::{FromIssuer, Refusal};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{CredentialId, Opaque, Outcome, UnixTime, encode};

use self::stall::Stall;
use crate::cast;
use crate::input::Input;

const MOST: usize = 40;

/// Takes payments, redeems them, gives back, starts again, with bands that go on, that are cloned, and that lie. What is pending stays
/// within the floor limits and is of no counter twice; what settled stays settled; what was refused has changed nothing.
pub fn payee(data: &[u8]) {
    let mut input = Input::new(data);
    let mut stall = Stall::new(&mut input);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        match input.below(12) {
            0 if stall.sales.len() < 8 => stall.asks(1 + u64::from(input.any::<u16>()) % 3_000),
            0..4 => offline(&mut stall, &mut input),
            4 | 5 => online(&mut stall, &mut input),
            6 | 7 => redeems(&mut stall, &mut input),
            8 => gives_back(&mut stall, &mut input),
            9 => stall.restarts(),
            10 => stall.hears_of_revoked(&mut input),
            _ => stall.now = UnixTime::from_secs(stall.now.as_secs() + u32::from(input.any::<u8>()) * 100),
        }
        stall.check();
    }
}

/// A band signs for a sale: as it goes on, or as a clone that is some payments behind, or something else.
fn signs(stall: &mut Stall, input: &mut Input<'_>, sale: usize) -> (usize, Vec<u8>, bool) {
    let (who, behind, lie) = (input.below(3), input.below(3), input.below(16));
    let minor = stall.sales[sale].sale.amount().minor();
    let (counter, total) = stall.bands[who].goes_on(behind, minor);
    let mut honest = true;
    let token = stall.token(sale, who, |token: &mut PaymentToken| {
        (token.counter, token.cumulative.0) = (Counter(counter), total);
        match lie {
            0 => token.presence.online_only = true,
            1 => token.presence.gesture = Gesture::None,
            2 => token.credential = CredentialId([9; 8]),
            3 => token.amount = cast::yuan(minor + 1),
            4 => token.cumulative.0 = minor - 1,
            _ => return,
        }
        honest = false;
    });
    let mut token = token;
    if lie == 5 {
        honest &= !input.alter(&mut token);
        token.truncate(armring_wire::records::OBJECT_MAX);
    }
    (who, token, honest)
}

fn offline(stall: &mut Stall, input: &mut Input<'_>) {
    if stall.sales.is_empty() {
        return;
    }
    let at = input.below(stall.sales.len());
    let (who, token, honest) = signs(stall, input, at);
    let mut credential = stall.bands[who].credential.clone();
    let vouched = input.below(8) != 0 || !input.alter(&mut credential);
    credential.truncate(armring_wire::records::CREDENTIAL_MAX);
    let record = ToPayee::Offline { token: Opaque::new(&token).unwrap(), credential: Opaque::new(&credential).unwrap() };
    let said = stall.hears_offline(at, &encoded(&record));
    let pending = stall.sales[at].sale.pending().map(|pending| pending.token.to_vec());
    // A body that is pending is answered as before, whatever is signed over it or comes with it.
    let known = stall.sales[at].tokens.iter().any(|other| token.get(64..).is_some_and(|body| other.ends_with(body)));
    if said == Said::Pending && !known {
        assert!(honest && vouched, "a token was accepted that is none");
        assert!(!stall.revoked.contains(&who) && stall.lists_are_fresh() && stall.now < stall::EXPIRY);
        assert_eq!(pending.as_deref(), Some(token.as_slice()));
    }
    if said == Said::Pending && pending.as_deref() == Some(token.as_slice()) {
        stall.sales[at].tokens.push(token);
    }
}

/// What a payee answered, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Pending,
    Receipt,
    Other,
}

impl From<&FromPayee<'_>> for Said {
    fn from(said: &FromPayee<'_>) -> Self {
        match said {
            FromPayee::Pending => Self::Pending,
            FromPayee::Receipt(_) => Self::Receipt,
            _ => Self::Other,
        }
    }
}

/// A token is brought to a payee that can ask the issuer; or anything is.
fn online(stall: &mut Stall, input: &mut Input<'_>) {
    if stall.sales.is_empty() {
        return;
    }
    let at = input.below(stall.sales.len());
    if input.below(4) == 0 {
        let record = input.bytes(200).to_vec();
        return stall.hears(at, &record);
    }
    let (_, token, _) = signs(stall, input, at);
    stall.hears(at, &encoded(&ToPayee::Token(Opaque::new(&token).unwrap())));
    if !stall.sales[at].tokens.contains(&token) {
        stall.sales[at].tokens.push(token);
    }
}

/// The issuer answers about a token that was brought, rightly or not.
fn redeems(stall: &mut Stall, input: &mut Input<'_>) {
    let Some((at, token)) = stall.one_of_the_tokens(input) else { return };
    let Some(digest) = stall::digest(&token) else { return };
    let outcome = if input.any() { Outcome::Settled } else { Outcome::from(input.any::<u8>() % 14) };
    // A request settles once.
    let outcome = if outcome.is_settled() && stall.has_settled(at) { Outcome::AlreadySettled } else { outcome };
    let mut receipt =
        cast::receipt(if input.below(8) == 0 { armring_wire::TokenDigest([1; 32]) } else { digest }, outcome, 9_999);
    let changed = input.below(8) == 0 && input.alter(&mut receipt);
    receipt.truncate(armring_wire::records::OBJECT_MAX);
    let answer = match input.below(4) {
        0 => FromIssuer::Refused(Refusal::from(input.any::<u8>() % 12)),
        _ => FromIssuer::Receipt(Opaque::new(&receipt).unwrap()),
    };
    stall.issuer_says(at, &digest, &encoded(&answer), changed);
}

fn gives_back(stall: &mut Stall, input: &mut Input<'_>) {
    if stall.sales.is_empty() {
        return;
    }
    let at = input.below(stall.sales.len());
    if input.any() {
        stall.refunds(at, u64::from(input.any::<u16>()) % 1_500);
    } else {
        stall.refund_answered(at, input);
    }
}

fn encoded<T: serde::Serialize>(record: &T) -> Vec<u8> {
    encode(record, &mut [0; 600]).unwrap().to_vec()
}

/// What must not change where something was refused.
fn unchanged(before: &[u8], sale: &Sale) {
    assert_eq!(before, sale.to_bytes(), "what was refused has changed something");
}
