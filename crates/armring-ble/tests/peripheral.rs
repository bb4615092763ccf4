//! What a band's radio makes of what centrals do, in order and out of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

use armring_band::{Event, HANDSHAKE_TIMEOUT, Signal};
use armring_ble::{LINGER, LinkError, Peer, Peripheral, Place, Radio, STALL_TIMEOUT, WINDOW, WindowError};
use armring_wire::{AttPayload, Uptime};
use proptest::prelude::*;

const PHONE: Peer = Peer(1);
const OTHER: Peer = Peer(2);

/// What the band heard, in words.
fn hears(radio: &mut Peripheral<20>) -> Vec<String> {
    let mut heard = Vec::new();
    while let Some(event) = radio.event() {
        heard.push(match event {
            Event::Connected(payload) => format!("connected, {}", payload.bytes()),
            Event::Fragment(fragment) => format!("fragment {}", fragment[0]),
            Event::Disconnected => "disconnected".to_owned(),
            other => panic!("{other:?}"),
        });
    }
    heard
}

fn at(seconds: u64) -> Uptime {
    Uptime::from_millis(seconds * 1_000)
}

/// A band to which the phone is connected and subscribed.
fn linked() -> Peripheral<20> {
    let mut radio = Peripheral::new();
    radio.happens(PHONE, Radio::Connected, at(0)).unwrap();
    radio.happens(PHONE, Radio::Subscribed(23), at(0)).unwrap();
    assert_eq!(hears(&mut radio), ["connected, 20"]);
    radio
}

#[test]
fn the_band_hears_of_a_connection_when_it_is_subscribed_and_of_its_end() {
    let mut radio = Peripheral::<20>::new();
    assert!(radio.advertises());
    radio.happens(PHONE, Radio::Connected, at(0)).unwrap();
    assert_eq!((hears(&mut radio), radio.advertises(), radio.ends(PHONE)), (vec![], false, false));
    radio.happens(PHONE, Radio::Subscribed(185), at(0)).unwrap();
    radio.happens(PHONE, Radio::Written(&[7, 7]), at(0)).unwrap();
    assert_eq!(hears(&mut radio), ["connected, 182", "fragment 7"]);
    radio.happens(PHONE, Radio::Written(&[8, 8]), at(0)).unwrap();
    radio.happens(PHONE, Radio::Disconnected, at(0)).unwrap();
    assert_eq!(hears(&mut radio), ["disconnected"], "what is left of it is of no use");
    assert!(radio.advertises());
}

#[test]
fn a_connection_of_which_the_band_has_not_heard_was_none() {
    let mut radio = Peripheral::<20>::new();
    for _ in 0..100 {
        radio.happens(PHONE, Radio::Connected, at(0)).unwrap();
        radio.happens(PHONE, Radio::Subscribed(23), at(0)).unwrap();
        radio.happens(PHONE, Radio::Disconnected, at(0)).unwrap();
    }
    assert_eq!(hears(&mut radio), Vec::<String>::new());
    let mut radio = linked();
    for _ in 0..100 {
        radio.happens(PHONE, Radio::Disconnected, at(0)).unwrap();
        radio.happens(PHONE, Radio::Connected, at(0)).unwrap();
        radio.happens(PHONE, Radio::Subscribed(23), at(0)).unwrap();
    }
    assert_eq!(hears(&mut radio), ["disconnected", "connected, 20"]);
}

#[test]
fn a_second_central_while_the_band_pairs_ends_both_and_closes_the_window() {
    for (subscribed, heard) in
        [(false, vec!["connected, 20", "connected, 20", "disconnected"]), (true, vec!["connected, 20", "disconnected"])]
    {
        for polled in [false, true] {
            let mut radio = if subscribed { linked() } else { Peripheral::new() };
            radio.signal(&Signal::PairingOpen);
            if !subscribed {
                radio.happens(PHONE, Radio::Connected, at(0)).unwrap();
            }
            assert!(radio.advertises());
            let mut all = Vec::new();
            assert_eq!(radio.happens(OTHER, Radio::Connected, at(0)), Err(LinkError::SecondConnection));
            if polled {
                all.extend(hears(&mut radio));
                radio.signal(&Signal::PairingClosed);
            }
            assert!(radio.ends(PHONE) && radio.ends(OTHER) && !radio.advertises());
            radio.happens(PHONE, Radio::Written(&[1, 1]), at(0)).unwrap();
            for peer in [PHONE, OTHER] {
                assert!(!radio.advertises());
                radio.happens(peer, Radio::Disconnected, at(0)).unwrap();
            }
            all.extend(hears(&mut radio));
            assert_eq!(all, heard, "subscribed: {subscribed}, polled: {polled}");
            assert!(radio.advertises());
        }
    }
}

#[test]
fn a_second_central_at_any_other_time_is_ended_alone() {
    let mut radio = linked();
    assert!(!radio.advertises());
    assert_eq!(radio.happens(OTHER, Radio::Connected, at(0)), Err(LinkError::SecondConnection));
    assert_eq!((radio.ends(PHONE), radio.ends(OTHER)), (false, true));
    radio.happens(OTHER, Radio::Subscribed(23), at(0)).unwrap();
    radio.happens(OTHER, Radio::Written(&[9, 9]), at(0)).unwrap();
    radio.happens(OTHER, Radio::Disconnected, at(0)).unwrap();
    radio.happens(PHONE, Radio::Written(&[1, 1]), at(0)).unwrap();
    assert_eq!(hears(&mut radio), ["fragment 1"]);
}

#[test]
fn a_central_that_holds_the_connection_without_a_word_is_ended_after_ten_seconds() {
    let mut radio = Peripheral::<20>::new();
    radio.happens(PHONE, Radio::Connected, at(5)).unwrap();
    let deadline = at(5).saturating_add(HANDSHAKE_TIMEOUT);
    assert_eq!(radio.deadline(), Some(deadline));
    radio.tick(at(14)).unwrap();
    assert!(!radio.ends(PHONE));
    assert_eq!(radio.tick(deadline), Err(LinkError::TimedOut));
    assert!(radio.ends(PHONE));
    radio.happens(PHONE, Radio::Disconnected, deadline).unwrap();
    assert_eq!(hears(&mut radio), Vec::<String>::new());
    assert!(radio.advertises());
}

#[test]
fn a_central_that_acknowledges_nothing_is_ended_after_ten_seconds() {
    let mut radio = linked();
    for _ in 0..WINDOW {
        assert_eq!(radio.send(at(1)), Place::Free);
    }
    assert_eq!(radio.deadline(), None, "nothing waits yet");
    assert_eq!(radio.send(at(2)), Place::Full);
    assert_eq!(radio.send(at(3)), Place::Full);
    radio.happens(PHONE, Radio::Written(&[0]), at(4)).unwrap();
    let deadline = at(2).saturating_add(STALL_TIMEOUT);
    assert_eq!(radio.deadline(), Some(deadline), "an acknowledgement that says nothing new is none");
    assert_eq!(radio.tick(deadline), Err(LinkError::TimedOut));
    assert_eq!((radio.send(deadline), radio.ends(PHONE)), (Place::Gone, true));
}

#[test]
fn a_central_that_gives_no_credits_over_a_channel_is_ended_after_ten_seconds_without_progress() {
    let mut radio = Peripheral::<20>::new();
    radio.happens(PHONE, Radio::Connected, at(0)).unwrap();
    radio.happens(PHONE, Radio::ChannelOpened(AttPayload::MIN), at(0)).unwrap();
    assert_eq!(hears(&mut radio), ["connected, 20"]);
    radio.waits(at(1));
    radio.waits(at(9));
    assert_eq!(radio.deadline(), Some(at(1).saturating_add(STALL_TIMEOUT)));
    radio.happens(PHONE, Radio::Sent, at(9)).unwrap();
    assert_eq!(radio.deadline(), None, "the stack took something");
    radio.waits(at(10));
    let deadline = at(10).saturating_add(STALL_TIMEOUT);
    assert_eq!(radio.tick(deadline), Err(LinkError::TimedOut));
    assert!(radio.ends(PHONE));
    // What the stack takes does not open a window that the phone keeps shut.
    let mut radio = linked();
    while radio.send(at(0)) == Place::Free {}
    radio.happens(PHONE, Radio::Sent, at(1)).unwrap();
    assert_eq!(radio.deadline(), Some(at(0).saturating_add(STALL_TIMEOUT)));
}

#[test]
fn an_acknowledgement_makes_room() {
    let mut radio = linked();
    while radio.send(at(0)) == Place::Free {}
    radio.happens(PHONE, Radio::Written(&[2]), at(1)).unwrap();
    assert_eq!(radio.deadline(), None);
    assert_eq!([radio.send(at(2)), radio.send(at(2)), radio.send(at(2))], [Place::Free, Place::Free, Place::Full]);
}

#[test]
fn what_breaks_the_link_ends_it_and_the_next_connection_works() {
    let floods = |radio: &mut Peripheral<20>| {
        (0..WINDOW).for_each(|n| radio.happens(PHONE, Radio::Written(&[n, n]), at(0)).unwrap());
        radio.happens(PHONE, Radio::Written(&[9, 9]), at(0))
    };
    type Breaks<'a> = (&'a str, &'a dyn Fn(&mut Peripheral<20>) -> Result<(), LinkError>, LinkError);
    let cases: &[Breaks<'_>] = &[
        ("floods", &floods, LinkError::Window(WindowError::Overrun)),
        ("writes nothing", &|radio| radio.happens(PHONE, Radio::Written(&[]), at(0)), WindowError::Short.into()),
        (
            "acknowledges what was not sent",
            &|radio| radio.happens(PHONE, Radio::Written(&[1]), at(0)),
            WindowError::NeverSent.into(),
        ),
        ("writes too much", &|radio| radio.happens(PHONE, Radio::Written(&[1; 21]), at(0)), LinkError::TooLong(21)),
        ("unsubscribes", &|radio| radio.happens(PHONE, Radio::Unsubscribed, at(0)), LinkError::Unsubscribed),
        ("subscribes twice", &|radio| radio.happens(PHONE, Radio::Subscribed(23), at(0)), LinkError::SecondCarrier),
        (
            "uses a channel that it has not",
            &|radio| radio.happens(PHONE, Radio::Received(&[1, 1]), at(0)),
            LinkError::NotSubscribed,
        ),
    ];
    for (name, breaks, error) in cases {
        let mut radio = linked();
        assert_eq!(breaks(&mut radio), Err(*error), "{name}");
        assert!(radio.ends(PHONE) && !radio.advertises(), "{name}");
        assert_eq!(hears(&mut radio), Vec::<String>::new(), "{name}");
        radio.happens(PHONE, Radio::Disconnected, at(0)).unwrap();
        radio.happens(PHONE, Radio::Connected, at(0)).unwrap();
        radio.happens(PHONE, Radio::Subscribed(23), at(0)).unwrap();
        radio.happens(PHONE, Radio::Written(&[3, 3]), at(0)).unwrap();
        assert_eq!(hears(&mut radio), ["disconnected", "connected, 20", "fragment 3"], "{name}");
        assert_eq!(radio.send(at(0)), Place::Free, "{name}");
    }
}

#[test]
fn writes_before_the_subscription_are_not_the_bands() {
    let mut radio = Peripheral::<20>::new();
    radio.happens(PHONE, Radio::Connected, at(0)).unwrap();
    assert_eq!(radio.happens(PHONE, Radio::Written(&[1, 1]), at(0)), Err(LinkError::NotSubscribed));
    assert!(radio.ends(PHONE));
}

#[test]
fn a_phone_gets_a_moment_for_what_the_band_said_last() {
    let mut radio = linked();
    assert_eq!(radio.send(at(0)), Place::Free);
    radio.end(at(1));
    assert!(!radio.ends(PHONE) && !radio.advertises());
    radio.happens(PHONE, Radio::Written(&[5, 5]), at(1)).unwrap();
    assert_eq!(hears(&mut radio), Vec::<String>::new(), "the band listens no more");
    let deadline = at(1).saturating_add(LINGER);
    assert_eq!(radio.deadline(), Some(deadline));
    radio.tick(deadline).unwrap();
    assert!(radio.ends(PHONE));
    radio.happens(PHONE, Radio::Disconnected, deadline).unwrap();
    assert_eq!(hears(&mut radio), ["disconnected"]);
    // Where nothing is under way, or nothing of it matters, there is nothing to wait for.
    let mut radio = linked();
    radio.end(at(1));
    assert!(radio.ends(PHONE));
    let mut radio = linked();
    assert_eq!(radio.send(at(0)), Place::Free);
    radio.cut();
    assert!(radio.ends(PHONE));
}

#[test]
fn a_fragment_of_an_old_connection_does_not_leave_over_the_next_one() {
    let mut radio = linked();
    for _ in 0..WINDOW {
        assert_eq!(radio.send(at(0)), Place::Free);
    }
    assert_eq!(radio.send(at(0)), Place::Full, "this one waits");
    radio.happens(PHONE, Radio::Disconnected, at(1)).unwrap();
    radio.happens(OTHER, Radio::Connected, at(1)).unwrap();
    radio.happens(OTHER, Radio::Subscribed(23), at(1)).unwrap();
    assert_eq!(radio.send(at(1)), Place::Gone);
    assert_eq!(hears(&mut radio), ["disconnected", "connected, 20"]);
    assert_eq!(radio.send(at(1)), Place::Free);
}

proptest! {
    /// Whatever centrals do, what the band hears makes sense, and when all are gone it advertises again.
    #[test]
    fn the_band_hears_a_sound_story_whatever_centrals_do(
        steps in prop::collection::vec((0u8..12, 1u16..3, any::<bool>()), 0..200),
    ) {
        let mut radio = Peripheral::<20>::new();
        let (mut there, mut known, mut pairing) = ([false; 3], false, false);
        for (step, peer, asks) in steps {
            let peer_is_there = there[usize::from(peer)];
            let happens = match step {
                0 | 1 if !peer_is_there => Some(Radio::Connected),
                2 if peer_is_there => Some(Radio::Disconnected),
                3 | 4 if peer_is_there => Some(Radio::Subscribed(23)),
                5 | 6 if peer_is_there => Some(Radio::Written(&[1, 2])),
                7 if peer_is_there => Some(Radio::Written(&[1])),
                8 if peer_is_there => Some(Radio::Unsubscribed),
                _ => None,
            };
            if let Some(happens) = happens {
                there[usize::from(peer)] = match happens {
                    Radio::Connected => true,
                    Radio::Disconnected => false,
                    _ => peer_is_there,
                };
                let _ = radio.happens(Peer(peer), happens, at(0));
            }
            match step {
                9 => { pairing = true; radio.signal(&Signal::PairingOpen) }
                10 => radio.end(at(0)),
                11 => { let _ = radio.send(at(0)); }
                _ => {}
            }
            while let Some(event) = if asks { radio.event() } else { None } {
                match event {
                    Event::Connected(_) => {
                        prop_assert!(!known || pairing, "a second connection is told of while the band pairs");
                        if known {
                            pairing = false;
                            radio.signal(&Signal::PairingClosed);
                        }
                        known = true;
                    }
                    Event::Disconnected => { prop_assert!(known); known = false }
                    _ => prop_assert!(known),
                }
            }
            if there == [false; 3] {
                prop_assert!(radio.advertises());
            }
        }
        for peer in [1, 2] {
            if there[usize::from(peer)] {
                let _ = radio.happens(Peer(peer), Radio::Disconnected, at(0));
            }
        }
        while let Some(event) = radio.event() {
            known = !matches!(event, Event::Disconnected);
        }
        prop_assert!(!known && radio.advertises());
    }
}
