//! A payment service: payments of bands that go on, that are cloned, that lie; refunds; its operator; garbage.

mod books;
mod enrolling;
mod scene;

use armring_token::{Counter, Gesture, Minor, Unlocking};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::{Opaque, Outcome, decode_record};

use self::books::Books;
use self::scene::{AMOUNTS, World};
use crate::input::Input;

const MOST: usize = 40;

/// Asks a service whatever the input says, through its one way in. The same token gets the same receipt; a request settles once; what takes
/// a counter or an interval that is taken is a clone, and nothing else is; what does not verify leaves no trace; the books hold.
pub fn issuer(data: &[u8]) {
    let mut input = Input::new(data);
    let mut world = World::new();
    let mut books = Books::default();
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        match input.below(16) {
            0..8 => pays(&mut world, &mut books, &mut input),
            8 => refunds(&mut world, &books, &mut input),
            9 | 10 => world.operates(&mut input),
            11 => garbage(&mut world, &mut input),
            12 => world.enrols(&mut input),
            13 => lists(&mut world, &mut input),
            14 => world.passes(u32::from(input.any::<u8>()) * 500),
            _ => world.fails_after(input.any::<bool>().then(|| input.any::<u8>() % 4)),
        }
    }
    world.fails_after(None);
    world.check_books();
}

/// A token reaches the service, as it was signed, or altered on the way.
fn pays(world: &mut World, books: &mut Books, input: &mut Input<'_>) {
    let (band, payee, number) = (input.below(4), input.below(6), input.below(AMOUNTS.len()));
    let mut request = world.request(payee, number, input.below(8) == 0);
    let lie = input.below(16);
    let (wild, small): (u64, u32) = (input.any::<u32>().into(), u32::from(input.any::<u8>() % 12));
    let mut token = world.token(band, &request, |token| match lie {
        0 => token.counter = Counter(small),
        1 => token.cumulative = Minor(wild % 2_000),
        2 => (token.counter, token.cumulative) = (Counter(small), Minor(wild)),
        3 => token.cumulative = Minor(u64::MAX - wild),
        4 => token.presence.gesture = Gesture::None,
        5 => token.presence.gesture = Gesture::FreshUnlock,
        6 => token.presence.unlocking = Unlocking::Locked,
        7 => token.presence.online_only = true,
        _ => {}
    });
    if input.below(8) == 0 {
        let object = if input.any() { &mut request } else { &mut token };
        input.alter(object);
        object.truncate(armring_wire::records::OBJECT_MAX);
    }
    let before = world.remembers();
    for _ in 0..=input.below(2) {
        let record = ToIssuer::Redeem { request: Opaque::new(&request).unwrap(), token: Opaque::new(&token).unwrap() };
        match decode_record(&world.asks(&record)).unwrap() {
            FromIssuer::Receipt(receipt) => books.answered(world, &request, &token, receipt.as_bytes()),
            FromIssuer::Refused(_) => assert!(world.is_as(&before), "what is refused leaves no trace"),
            other => panic!("{other:?}"),
        }
    }
}

/// The first shop gives back of a payment that was answered about, or of one that was not.
fn refunds(world: &mut World, books: &Books, input: &mut Input<'_>) {
    let Some(token) = books.one(input) else { return };
    let mut refund = world.refund(token, u64::from(input.any::<u8>()) * 3);
    let changed = input.below(4) == 0 && input.alter(&mut refund);
    refund.truncate(armring_wire::records::OBJECT_MAX);
    let before = world.remembers();
    let first = world.asks(&ToIssuer::Refund(Opaque::new(&refund).unwrap()));
    match decode_record(&first).unwrap() {
        FromIssuer::Refunded(receipt) => {
            assert!(!changed, "a refund that was changed");
            let receipt = world.refund_receipt(receipt.as_bytes());
            let allowed =
                [Outcome::Settled, Outcome::NotAllowed, Outcome::RefundExceeds, Outcome::NotSettled, Outcome::InsufficientFunds];
            assert!(allowed.contains(&receipt), "{receipt:?}");
        }
        FromIssuer::Refused(_) => assert!(world.is_as(&before), "what is refused leaves no trace"),
        other => panic!("{other:?}"),
    }
    if !matches!(decode_record(&first), Ok(FromIssuer::Refused(Refusal::Busy))) {
        assert_eq!(world.asks(&ToIssuer::Refund(Opaque::new(&refund).unwrap())), first, "the same refund, the same answer");
    }
}

fn garbage(world: &mut World, input: &mut Input<'_>) {
    let before = world.remembers();
    let answer = world.handles(input.bytes(400));
    assert!(decode_record::<FromIssuer<'_>>(&answer).is_ok());
    assert!(world.is_as(&before), "garbage leaves no trace");
}

fn lists(world: &mut World, input: &mut Input<'_>) {
    let (since, part) = (u32::from(input.any::<u8>() % 8), u16::from(input.any::<u8>() % 3));
    match decode_record(&world.asks(&ToIssuer::Revocations { since, part })).unwrap() {
        FromIssuer::Revocations(list) => world.reads_revocations(list.as_bytes(), since),
        FromIssuer::Refused(Refusal::NoSuchPart | Refusal::Busy) => {}
        other => panic!("{other:?}"),
    }
    let answer = world.asks(&ToIssuer::KeyList);
    assert!(matches!(decode_record(&answer), Ok(FromIssuer::KeyList(_))));
}
