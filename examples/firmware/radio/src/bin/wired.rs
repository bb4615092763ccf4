//! A band whose fragments come and go as they are: what the other image has beyond this one is the radio's.

#![allow(clippy::unnecessary_mut_passed, clippy::unit_arg, reason = "what is in the box is what the compiler must believe in")]
#![no_std]
#![no_main]

use core::hint::black_box;

use armring_band::{Event, Output};
use armring_ble::trouble::{Clock, Wrist};
use armring_radio::{Board, Draws, SoftwareBand, band, finish};
use armring_wire::{ATT_PAYLOAD_MAX, AttPayload};
use cortex_m_rt::entry;
use embassy_futures::block_on;

#[entry]
fn main() -> ! {
    if black_box(false)
        && let Some(mut band) = band()
    {
        block_on(run(&mut band, &mut Board));
    }
    finish("nothing", 0)
}

/// The loop around the band, as `armring_band::Band` has it.
async fn run(band: &mut SoftwareBand, board: &mut Board) {
    let (mut fragment, mut follows, mut received) = ([0; ATT_PAYLOAD_MAX], None, [0; ATT_PAYLOAD_MAX]);
    loop {
        let now = board.now();
        let event = match follows.take() {
            Some(event) => event,
            None => match black_box(0_u8) {
                0 => Event::Connected(AttPayload::MIN),
                1 => Event::Fragment(black_box(&mut received)),
                2 => Event::Disconnected,
                3 => Event::Tick,
                _ => board.next().await,
            },
        };
        black_box(band.handle(event, now, &mut Draws).is_ok());
        while let Some(output) = band.poll(&mut fragment) {
            let stored = |is_done| Some(if is_done { Event::Stored } else { Event::StoreFailed });
            match output {
                Output::Transmit(bytes) => drop(black_box(bytes)),
                Output::Store { key, value } => follows = stored(board.store(key, value).await),
                Output::Erase { key } => follows = stored(board.erase(key).await),
                Output::EraseAll => follows = stored(board.erase_all().await),
                Output::Signal(signal) => {
                    board.tell(signal, band.offer(), band.label()).await;
                    if matches!(signal, armring_band::Signal::Code(_)) {
                        follows = Some(Event::CodeShown);
                    }
                }
                Output::Disconnect => drop(black_box(())),
            }
        }
        black_box(band.deadline());
    }
}
