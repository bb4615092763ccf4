//! Resuming after a connection was lost: what it takes, what it gives, and what does not resume.

use armring_band::{Event as BandEvent, Gesture};
use armring_pairing::{BandHello, RESUMES_MAX, Reconnect, Resume, ResumeSecret, ResumeTicket, SoftwareKey, WalletHello};
use armring_token::Counter;
use armring_wallet::{Connection, Event};
use armring_wire::VersionRange;
use armring_wire::records::band::ToBand;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::common::issuer::{Shop, TestIssuer};
use crate::common::steps::{claims, config};
use crate::common::{Flash, Room};

/// A link with small fragments, so that there are many places to lose one, that was reconnected once.
fn room() -> Room {
    let mut room = Room::new(1, 20);
    room.pair();
    room.reconnect();
    assert!(room.is_linked());
    room
}

#[test]
fn after_a_lost_connection_the_wallet_resumes_and_pays() {
    let mut shop = Shop::new();
    let mut room = Room::ready(&mut TestIssuer::new());
    room.disconnect();
    let stored = room.storage.clone();
    room.resume_or_reconnect();
    assert!(room.is_linked());
    assert!(matches!(room.events[..], [Event::Linked { used_elsewhere: false }, Event::Status(_)]), "{:?}", room.events);
    assert!(room.storage == stored, "a resume stores nothing, and leaves generations alone");
    let token = room.pays(&shop.asks(100)).unwrap();
    assert_eq!(claims(&token).counter, Counter(1));
    room.disconnect();
    room.resume_or_reconnect();
    assert_eq!(claims(&room.pays(&shop.asks(100)).unwrap()).counter, Counter(2), "and once more");
}

#[test]
fn a_request_that_waited_when_the_connection_was_lost_is_asked_for_anew() {
    let request = Shop::new().asks(100);
    let mut room = Room::ready(&mut TestIssuer::new());
    room.asks_to_pay(&request);
    room.disconnect();
    room.resume_or_reconnect();
    room.press();
    assert_eq!(room.token(), None, "the gesture came for nothing");
    assert!(room.pays(&request).is_some());
}

#[test]
fn thirty_two_resumes_in_a_row_then_only_a_reconnect() {
    let mut room = room();
    for round in 0..2 {
        for number in 0..RESUMES_MAX {
            let ticket = room.take_ticket();
            assert_eq!(ticket.left(), RESUMES_MAX - number);
            room.resume(ticket);
            assert!(room.is_linked(), "{round} {number}");
        }
        assert!(room.connection.as_mut().unwrap().take_ticket().is_none());
        room.reconnect();
        assert!(room.is_linked());
    }
}

/// A ticket is of the handshake before: whoever has copied the phone's storage, and can do all that the phone can, still has none.
#[test]
fn stolen_link_record_does_not_resume() {
    let mut room = room();
    let last = room.take_ticket();
    let key = SoftwareKey::new(*room.phone.key.expose());
    // The thief makes a ticket of a reconnect of its own, with both sides' links, which it cannot even have.
    let (link, mut rng) = (room.stored_link(), ChaCha20Rng::seed_from_u64(9));
    let hello = BandHello::new(VersionRange::SUPPORTED, &mut rng).unwrap();
    let (reconnect, answer, message) = <Reconnect>::start(&link, &key, VersionRange::SUPPORTED, &hello, &mut rng).unwrap();
    let (band, band_key) = (&room.links_of_band()[0], SoftwareKey::new(room.band_key));
    let (_, answer) = <Reconnect>::answer(band, &band_key, (&hello, &answer), &message, &mut rng).unwrap();
    let (session, proof) = reconnect.receive(&answer, &key).unwrap();
    for secret in [*session.resume.expose(), [0; 32], *link.secret().expose(), *link.psk().expose()] {
        room.forget();
        room.resume(ResumeTicket::after_reconnect(ResumeSecret::new(secret), &proof));
        assert!(!room.is_linked());
        assert_eq!(room.errors, ["band: the handshake failed: the message is not authentic"]);
    }
    room.resume(last);
    assert!(room.is_linked(), "the wallet does, and the thief has changed nothing");
}

#[test]
fn tickets_of_before_are_void_after_a_reconnect_and_after_a_resume() {
    let mut room = room();
    let first = room.take_ticket();
    room.reconnect();
    let second = room.take_ticket();
    room.resume(first);
    assert!(!room.is_linked());
    let copy = copy_of(&mut room, &second);
    room.resume(second);
    assert!(room.is_linked());
    room.disconnect();
    room.resume(copy);
    assert!(!room.is_linked(), "used");
}

/// Nobody can copy a ticket, so a test has to: the same wallet twice, as if its memory had been copied.
fn copy_of(room: &mut Room, ticket: &ResumeTicket) -> ResumeTicket {
    assert_eq!(ticket.left(), RESUMES_MAX);
    // Both sides of the reconnect draw the same: a second room that lived the same life has the same ticket.
    let mut twin = self::room();
    twin.reconnect();
    let copy = twin.take_ticket();
    assert_eq!(twin.stored_link().to_bytes(), room.stored_link().to_bytes());
    copy
}

#[test]
fn a_ticket_of_one_link_does_not_resume_another() {
    let mut room = room();
    let ticket = room.take_ticket();
    let first = room.take_new_phone();
    room.pair();
    room.reconnect();
    assert!(room.is_linked());
    room.resume(ticket);
    assert!(!room.is_linked());
    room.take_phone(first);
    room.reconnect();
    assert!(room.is_linked());
}

#[test]
fn wallets_resume_in_turn() {
    let mut room = room();
    let mut other = room.take_new_phone();
    room.pair();
    room.reconnect();
    for _ in 0..6 {
        room.disconnect();
        std::mem::swap(&mut room.phone, &mut other);
        assert!(room.phone.ticket.is_some());
        room.resume_or_reconnect();
        assert!(room.is_linked());
    }
}

#[test]
fn nothing_resumes_before_the_first_reconnect() {
    let mut room = room();
    let ticket = room.take_ticket();
    // A pairing leaves no ticket; and the ticket of another link is none.
    room.take_new_phone();
    room.pair();
    assert!(room.phone.ticket.is_none());
    room.resume(ticket);
    assert!(!room.is_linked());
    room.reconnect();
    assert!(room.is_linked());
}

/// Both lose a connection at each of its fragments: the next one resumes, whichever message or record it was.
#[test]
fn a_resume_that_is_cut_at_any_fragment_resumes_the_next_time() {
    for at in 0.. {
        let mut room = room();
        room.disconnect();
        room.radio = Some(at);
        room.resume_or_reconnect();
        if room.radio.take().is_some() {
            assert!(at > 10, "{at}: two hellos, two messages, a record and its answer");
            break;
        }
        assert!(room.connection.is_none() && room.phone.ticket.is_some(), "{at}");
        room.resume_or_reconnect();
        assert!(room.is_linked() && room.status().is_some(), "{at}");
        assert_eq!(room.told_of_use_elsewhere(), (false, false));
    }
}

#[test]
fn lost_message_2_leaves_the_ticket_of_before_and_a_lost_first_record_the_next_one() {
    // By messages, each of which is one fragment here: hello, hello, 1, 2, the first record.
    for (lost, left) in [(3, RESUMES_MAX), (4, RESUMES_MAX - 1)] {
        let mut room = Room::new(1, 182);
        room.pair();
        room.reconnect();
        room.disconnect();
        room.radio = Some(lost);
        room.resume_or_reconnect();
        assert_eq!(room.phone.ticket.as_ref().unwrap().left(), left);
        room.resume_or_reconnect();
        assert!(room.is_linked(), "{lost}");
    }
}

/// What the wallet wrote when it resumed, up to where the connection was lost, is written again by somebody else.
#[test]
fn replayed_resume_message_desynchronises_nothing() {
    for lost in [2, 3, 4, 5, 99] {
        let mut room = Room::new(1, 182);
        room.pair();
        room.reconnect();
        room.disconnect();
        room.radio = Some(lost);
        room.resume_or_reconnect();
        room.radio = None;
        let replay = std::mem::take(&mut room.written);
        if room.connection.is_some() {
            room.disconnect();
        }
        room.forget();
        for _ in 0..3 {
            room.connect_stranger();
            room.replay(&replay);
            assert_eq!(room.heard.len(), 1, "the hello and nothing else");
            room.disconnect();
        }
        room.resume_or_reconnect();
        assert!(room.is_linked(), "{lost}: {:?}", room.errors);
        assert!(matches!(room.events[0], Event::Linked { .. }), "it was resumed, not reconnected: {:?}", room.events);
    }
}

/// As if the band had drawn the same challenge again: then message 1 verifies where it did before, but no record follows.
#[test]
fn replayed_resume_message_proves_nothing_even_for_the_same_challenge() {
    let mut room = Room::new(1, 182);
    room.pair();
    room.reconnect();
    room.disconnect();
    let rng = room.rng.clone();
    room.radio = Some(3);
    room.resume_or_reconnect();
    let replay = std::mem::take(&mut room.written);
    room.forget();
    room.rng = rng;
    room.connect_stranger();
    room.rng = ChaCha20Rng::seed_from_u64(99);
    room.replay(&replay);
    assert_eq!((room.heard.len(), room.errors.len()), (2, 0), "the hello and message 2");
    for _ in 0..8 {
        room.utter(&[7; 48]);
    }
    assert_eq!(room.errors.last().unwrap(), "band: the record does not open: the channel is cut");
    room.disconnect();
    room.resume_or_reconnect();
    assert!(room.is_linked(), "the ticket of before serves still");
}

#[test]
fn after_a_restart_of_the_band_nothing_resumes_and_a_reconnect_does() {
    let mut room = room();
    room.disconnect();
    room.restart_band();
    room.forget();
    room.resume_or_reconnect();
    assert!(!room.is_linked());
    assert_eq!(room.errors, ["band: the handshake failed: the message is not authentic"]);
    room.reconnect();
    assert!(room.is_linked());
}

#[test]
fn after_an_unpairing_nothing_resumes_not_even_over_the_next_link_in_its_place() {
    let mut room = room();
    let ticket = room.take_ticket();
    room.say(&ToBand::Unpair);
    room.gesture(Gesture::Unpair);
    assert!(room.events.iter().any(|event| matches!(event, Event::Unpaired)));
    room.forget();
    room.resume(ticket);
    assert_eq!(room.errors, ["band: no link answers to this hint"]);

    let mut room = self::room();
    let ticket = room.take_ticket();
    room.say(&ToBand::Unpair);
    room.gesture(Gesture::Unpair);
    room.pair();
    room.forget();
    room.resume(ticket);
    assert_eq!(room.errors, ["wallet: nothing to resume with: reconnect"], "there is a link, and the ticket is of another");
    room.reconnect();
    assert!(room.is_linked());
}

#[test]
fn a_lost_phone_that_was_forgotten_does_not_resume() {
    let mut room = room();
    let lost = room.take_new_phone();
    room.pair();
    room.reconnect();
    room.say(&ToBand::UnpairOthers);
    room.gesture(Gesture::Unpair);
    room.take_phone(lost);
    room.resume_or_reconnect();
    assert!(!room.is_linked());
}

#[test]
fn a_second_connection_while_one_resumes_ends_both_and_the_wallet_resumes_again() {
    let mut room = room();
    room.disconnect();
    for lost in [1, 3, 6, 9] {
        let mut seen = 0;
        // Nothing more arrives, and then somebody else connects.
        room.meddler = Some(Box::new(move |_, _| {
            seen += 1;
            seen <= lost
        }));
        room.resume_or_reconnect();
        room.meddler = None;
        room.happens(BandEvent::Connected(room.payload));
        assert!(room.connection.is_none());
        room.resume_or_reconnect();
        assert!(room.is_linked(), "{lost}");
        room.disconnect();
    }
}

#[test]
fn whoever_resumes_and_says_no_more_is_cut_off_in_time() {
    let mut room = Room::new(1, 182);
    room.pair();
    room.reconnect();
    let ticket = room.take_ticket();
    room.connect_stranger();
    let hello = BandHello::from_bytes(room.heard[0].as_slice().try_into().unwrap());
    let link = room.stored_link();
    let (_, answer, message) = <Resume>::start(&link, &ticket, VersionRange::SUPPORTED, &hello, &mut room.rng).unwrap();
    room.utter(answer.encode(&mut [0; WalletHello::MAX_LEN]));
    room.utter(&message);
    assert_eq!(room.heard.len(), 2);
    room.wait(9_999);
    assert!(room.band.deadline().is_some());
    room.wait(1);
    assert_eq!(room.band.deadline(), None);
    room.resume(ticket);
    assert!(room.is_linked());
}

#[test]
fn a_wallet_without_a_ticket_says_so_itself() {
    let mut room = room();
    let ticket = room.take_ticket();
    let mut connection = Connection::resume(room.stored_link(), ticket, room.payload);
    assert!(connection.take_ticket().is_some());
    room.disconnect();
    room.forget();
    room.connect(connection);
    assert_eq!(room.errors, ["wallet: nothing to resume with: reconnect"]);
    assert!(room.written.is_empty());
}

#[derive(Clone, Copy, Debug)]
enum Try {
    Resume,
    Reconnect,
}

#[test]
fn resumes_and_reconnects_in_any_order_cut_anywhere_end_with_one_that_works() {
    let attempt = prop_oneof![3 => Just(Try::Resume), 1 => Just(Try::Reconnect)];
    let history = prop::collection::vec((attempt, prop::option::of(0usize..24), 0u8..16), 0..24);
    proptest!(config(192), |(history in history)| {
        let mut room = room();
        for (attempt, cut, rare) in history {
            room.radio = cut;
            room.flash = if rare == 1 { Flash::CutAfter(0, true) } else { Flash::Works };
            match attempt {
                Try::Resume => room.resume_or_reconnect(),
                Try::Reconnect => room.reconnect(),
            }
            if cut.is_none() && rare > 1 && matches!(attempt, Try::Reconnect) {
                prop_assert!(room.is_linked());
            }
            room.radio = None;
            room.flash = Flash::Works;
            if rare == 0 {
                room.restart_band();
            }
        }
        room.reconnect();
        prop_assert!(room.is_linked());
        room.disconnect();
        room.resume_or_reconnect();
        prop_assert!(room.is_linked());
        prop_assert_eq!(room.told_of_use_elsewhere(), (false, false));
    });
}
