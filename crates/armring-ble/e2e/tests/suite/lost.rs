//! The phone is killed and the link is lost in every step: band and phone always come back.

use armring_band::{Face, Gesture, Signal};
use armring_ble_e2e::bracelet::Bracelet;
use armring_ble_e2e::phone::{Call, Over};
use armring_ble_e2e::play;
use armring_wallet::Event;
use armring_wire::records::band::ToBand;
use armring_wire::{Opaque, Outcome};

use crate::town::issuer::TestIssuer;
use crate::town::{Town, enrol, is_paid, linked, resumes};

/// A payment from the reconnect to the note, as far as the phone is there for it.
async fn payment(call: &mut Call<'_>, band: &mut Bracelet, issuer: &TestIssuer, request: &[u8]) -> Result<(), Over> {
    let Event::Linked { used_elsewhere: false } = call.next().await? else { panic!("not linked") };
    let token = Town::pays(call, band, request).await?;
    let receipt = issuer.receipt(&token, Outcome::Settled, 2_000, 9_000);
    call.say(&ToBand::Paid { receipt: Opaque::new(&receipt).unwrap() });
    let Event::Noted = call.next().await? else { panic!("took no note") };
    Ok(())
}

/// Whether the phone saw it through, or was gone before.
fn is_done(result: Result<(), Over>) -> bool {
    match result {
        Ok(()) => true,
        Err(Over::Gone) => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// One payment whose phone is gone after so many fragments, and the same one again. Says whether the first came to its end.
pub(crate) async fn payment_cut_after(town: &mut Town, fragments: usize, killed: bool) -> bool {
    let Town { phone, band, issuer, shop, .. } = town;
    let request = shop.asks(100);
    let mut call = phone.reconnect().await;
    call.fragments = Some(fragments);
    let is_done = is_done(payment(&mut call, band, issuer, &request).await);
    if killed {
        call.kill().await
    } else {
        call.lose().await
    }
    let mut call = phone.reconnect().await;
    let again = payment(&mut call, band, issuer, &request).await;
    again.unwrap_or_else(|error| panic!("after {fragments} fragments: {error:?}"));
    call.hang_up().await;
    is_done
}

/// Likewise an enrolment.
async fn enrolment_cut_after(town: &mut Town, fragments: usize) -> bool {
    let Town { phone, issuer, rng, .. } = town;
    let mut call = phone.reconnect().await;
    call.fragments = Some(fragments);
    let is_done = is_done(enrol(&mut call, issuer, rng).await);
    call.kill().await;
    let mut call = phone.reconnect().await;
    let again = enrol(&mut call, issuer, rng).await;
    again.unwrap_or_else(|error| panic!("after {fragments} fragments: {error:?}"));
    call.hang_up().await;
    is_done
}

/// Likewise money that comes.
async fn receiving_cut_after(town: &mut Town, fragments: usize) -> bool {
    let Town { phone, band, issuer, .. } = town;
    let mut call = phone.reconnect().await;
    call.fragments = Some(fragments);
    let is_done = is_done(is_paid(&mut call, band, issuer).await);
    call.kill().await;
    let mut call = phone.reconnect().await;
    let again = is_paid(&mut call, band, issuer).await;
    again.unwrap_or_else(|error| panic!("after {fragments} fragments: {error:?}"));
    call.hang_up().await;
    is_done
}

#[test]
fn a_phone_that_is_killed_in_any_step_of_a_payment_comes_back_and_pays_it() {
    play(async {
        let mut town = Town::ready(185).await;
        let mut fragments = 0;
        while !payment_cut_after(&mut town, fragments, true).await {
            fragments += 1;
        }
        assert!(fragments > 8, "there are more steps than {fragments}");
    });
}

#[test]
fn a_link_that_is_lost_in_the_middle_of_a_record_comes_back_and_the_payment_goes_through() {
    play(async {
        let mut town = Town::ready(23).await;
        // A sealed record of 176 bytes has ten fragments here, so that most of these cut one in two.
        for fragments in (0..60).step_by(3) {
            payment_cut_after(&mut town, fragments, false).await;
        }
    });
}

#[test]
fn a_phone_that_is_killed_in_any_step_of_an_enrolment_comes_back_and_enrols() {
    play(async {
        let mut town = Town::paired(185).await;
        town.put_on().await;
        let mut fragments = 0;
        while !enrolment_cut_after(&mut town, fragments).await {
            fragments += 1;
        }
        assert!(fragments > 8, "there are more steps than {fragments}");
        town.pays_from_scratch().await;
    });
}

#[test]
fn a_phone_that_is_killed_in_any_step_of_being_paid_comes_back_and_its_wearer_is_paid() {
    play(async {
        let mut town = Town::ready(185).await;
        let mut fragments = 0;
        while !receiving_cut_after(&mut town, fragments).await {
            fragments += 1;
        }
        assert!(fragments > 8, "there are more steps than {fragments}");
    });
}

#[test]
fn a_link_that_is_lost_in_any_step_of_a_resume_is_resumed() {
    play(async {
        let mut town = Town::ready(23).await;
        let mut call = town.phone.reconnect().await;
        linked(&mut call).await;
        call.lose().await;
        // The hellos, both messages and the first record are twelve fragments here.
        for fragments in 0..13 {
            let mut call = town.phone.resume().await;
            call.fragments = Some(fragments);
            let _ = call.next().await;
            call.lose().await;
            resumes(&mut town.phone).await.lose().await;
        }
        town.pays_from_scratch().await;
    });
}

#[test]
fn a_phone_that_is_killed_in_any_step_of_a_pairing_by_code_pairs_with_the_next_gesture() {
    play(async {
        let mut town = Town::new(185, Face::Lights);
        // Before the first fragment, nobody has tried to pair.
        for fragments in 1..9 {
            town.open_window().await;
            let mut call = town.phone.pair().await;
            call.fragments = Some(fragments);
            if let Ok(Event::Code(code)) = call.next().await {
                // Message 3 is the fifth fragment: without it the band has no code to show.
                if fragments >= 5 {
                    town.band.told(Signal::Code(code)).await;
                }
                call.accept_code();
                town.band.gesture(Gesture::Press);
                let _ = call.next().await;
            }
            call.kill().await;
            while !matches!(town.band.tells().await.signal, Signal::PairingClosed | Signal::Paired) {}
        }
        town.works_from_scratch().await;
    });
}

#[test]
fn a_phone_that_is_killed_in_any_step_of_a_pairing_by_secret_pairs_with_the_next_gesture() {
    play(async {
        let mut town = Town::new(185, Face::Display);
        for fragments in 1..9 {
            let label = town.open_window_with_label().await;
            let mut call = town.phone.scan(label).await;
            call.fragments = Some(fragments);
            let _ = call.next().await;
            call.kill().await;
            while !matches!(town.band.tells().await.signal, Signal::PairingClosed | Signal::Paired) {}
        }
        town.works_from_scratch().await;
    });
}

#[test]
fn a_band_that_loses_power_is_found_again_and_pays() {
    play(async {
        let mut town = Town::ready(185).await;
        let mut call = town.phone.reconnect().await;
        let Ok(Event::Linked { .. }) = call.next().await else { panic!("not linked") };
        town.band.stop().await;
        assert!(matches!(call.next().await, Err(Over::Ended)), "out of reach");
        call.lose().await;
        town.band.start();
        town.put_on().await;
        town.pays_from_scratch().await;
    });
}
