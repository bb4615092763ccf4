//! The phone is killed and the link is lost in every step: band and phone always come back.

use armring_band::{Face, Gesture, Signal};
use armring_ble_e2e::bracelet::Bracelet;
use armring_ble_e2e::phone::{Call, Over};
use armring_ble_e2e::play;
use armring_wallet::Event;
use armring_wire::records::band::ToBand;
use armring_wire::{Opaque, Outcome};

use crate::town::Town;
use crate::town::issuer::TestIssuer;

/// A payment from the reconnect to the note, as far as the phone is there for it.
async fn payment(call: &mut Call<'_>, band: &mut Bracelet, issuer: &TestIssuer, request: &[u8]) -> Result<(), Over> {
    let Event::Linked { used_elsewhere: false } = call.next().await? else { panic!("not linked") };
    let token = Town::pays(call, band, request).await?;
    let receipt = issuer.receipt(&token, Outcome::Settled, 2_000, 9_000);
    call.say(&ToBand::Paid { receipt: Opaque::new(&receipt).unwrap() });
    let Event::Noted = call.next().await? else { panic!("took no note") };
    Ok(())
}

/// One payment whose phone is gone after so many fragments, and the same one again. Says whether the first came to its end.
async fn payment_cut_after(town: &mut Town, fragments: usize, killed: bool) -> bool {
    let Town { phone, band, issuer, shop, .. } = town;
    let request = shop.asks(100);
    let mut call = phone.reconnect().await;
    call.fragments = Some(fragments);
    let ended = match payment(&mut call, band, issuer, &request).await {
        Ok(()) => true,
        Err(Over::Gone) => false,
        Err(other) => panic!("{other:?}"),
    };
    if killed {
        call.kill().await
    } else {
        call.lose().await
    }
    let mut call = phone.reconnect().await;
    let again = payment(&mut call, band, issuer, &request).await;
    again.unwrap_or_else(|error| panic!("after {fragments} fragments: {error:?}"));
    call.hang_up().await;
    ended
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
fn a_phone_that_is_killed_in_any_step_of_a_pairing_pairs_with_the_next_gesture() {
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
        town.pair().await;
        town.put_on().await;
        town.enrol().await;
        town.pays_from_scratch().await;
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
