//! Plays a band's whole day (`vectors/session.json`) on the microcontroller and counts. What the band says has to be what it said on the machine
//! where the day was written: the figures are those of a band that works.

#![no_std]
#![no_main]
#![allow(clippy::expect_used, clippy::panic, reason = "a measuring program stops where it cannot measure")]

mod floor;
mod session;

use core::convert::Infallible;

use armring_band::{Band, Event, Gesture, Output, SoftwareKeys};
use armring_meter::{Meter, finish};
use armring_pairing::SoftwareKey;
use armring_token::RootKey;
use armring_wire::{ATT_PAYLOAD_MAX, AttPayload, Uptime};
use cortex_m_rt::entry;
use rand_core::{TryCryptoRng, TryRng};

use session::{Chapter, Session};

type SoftwareBand = Band<SoftwareKey, SoftwareKeys>;

#[entry]
fn main() -> ! {
    let meter = Meter::start();
    floor::measure(&meter);
    let mut session = Session::open();
    let mut band = new_band(session.array(), session.array());
    let mut fragment = [0; ATT_PAYLOAD_MAX];
    let (mut together, mut deepest) = (0, 0);
    for _ in 0..session.byte() {
        let mut chapter = session.chapter();
        let (instructions, stack) = meter.stack(&mut || play(&mut band, &mut chapter, &meter, &mut fragment));
        meter.report(chapter.name, instructions, stack);
        (together, deepest) = (together + instructions, stack.max(deepest));
    }
    // The band itself lies on the stack as well.
    meter.report("the whole day, the band itself included", together, meter.depth() + deepest);
    finish()
}

#[inline(never)]
fn new_band(key: [u8; 32], root: [u8; 32]) -> SoftwareBand {
    Band::new(SoftwareKey::new(key), SoftwareKeys, RootKey::from_bytes(root).expect("a root key"))
}

/// Plays a chapter. Gives the instructions that the band took; what it takes to play it is not counted.
fn play(band: &mut SoftwareBand, chapter: &mut Chapter, meter: &Meter, fragment: &mut [u8]) -> u32 {
    let mut instructions = 0;
    while let Some((what, at, bytes)) = chapter.happens.next() {
        let event = event(what, bytes);
        let now = Uptime::from_millis(u64::from(at));
        let (handled, taken) = meter.count(|| band.handle(event, now, &mut chapter.draws));
        handled.expect("nothing goes wrong on this day");
        instructions += taken;
        loop {
            let (output, taken) = meter.count(|| band.poll(fragment));
            instructions += taken;
            match output {
                Some(Output::Transmit(said)) => {
                    assert!(Some(said) == chapter.says.next(), "it says something else than it said before")
                }
                Some(_) => {}
                None => break,
            }
        }
    }
    assert!(chapter.says.next().is_none(), "it says less than it said before");
    instructions
}

/// The events of the day, in the order in which `cargo xtask budget` numbers them.
fn event(what: u8, bytes: &[u8]) -> Event<'_> {
    match what {
        0 => Event::Gesture(Gesture::Hold),
        1 => Event::Connected(AttPayload::new(182).expect("20 to 514")),
        2 => Event::Fragment(bytes),
        3 => Event::CodeShown,
        4 => Event::Gesture(Gesture::Press),
        5 => Event::Disconnected,
        6 => Event::PutOn,
        7 => Event::Recognised,
        8 => Event::Gesture(Gesture::DoublePress),
        9 => Event::Stored,
        _ => panic!("an event that nobody numbered"),
    }
}

/// The random bytes that were drawn when the day was written.
struct Draws {
    left: &'static [u8],
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let (drawn, left) = self.left.split_at_checked(bytes.len()).expect("it draws more than it drew before");
        bytes.copy_from_slice(drawn);
        self.left = left;
        Ok(())
    }
}

impl TryCryptoRng for Draws {}
