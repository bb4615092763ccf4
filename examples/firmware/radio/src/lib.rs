//! What both images have: a band, and a board that is a few bytes of which the compiler knows nothing. They are built to be measured; on a real
//! board, `armring-firmware` shows what is to be done.

#![no_std]

use core::convert::Infallible;
use core::future::{pending, ready};
use core::hint::black_box;
use core::panic::PanicInfo;

use armring_band::{Band, Event, Gesture, Offer, Signal, SoftwareKeys, StoreKey};
use armring_ble::trouble::{Clock, Wrist};
use armring_pairing::{PairingLabel, SoftwareKey};
use armring_token::RootKey;
use armring_wire::Uptime;
use cortex_m_semihosting::{debug, hprintln};
use rand_core::{TryCryptoRng, TryRng};

/// The band of both.
pub type SoftwareBand = Band<SoftwareKey, SoftwareKeys>;

/// The public key of RFC 8032, §7.1, test 1.
const ROOT: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda,
    0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

/// A band; `None` where what the factory wrote is no root key.
#[must_use]
pub fn band() -> Option<SoftwareBand> {
    Some(Band::new(SoftwareKey::new(black_box([7; 32])), SoftwareKeys, RootKey::from_bytes(black_box(ROOT))?))
}

/// A wrist, a clock and a generator.
pub struct Board;

impl Wrist for Board {
    async fn next(&mut self) -> Event<'_> {
        match black_box(0_u8) {
            0 => Event::PutOn,
            1 => Event::TakenOff,
            2 => Event::Recognised,
            3 => Event::Gesture(Gesture::Press),
            4 => Event::Gesture(Gesture::DoublePress),
            5 => Event::Gesture(Gesture::Hold),
            6 => Event::Gesture(Gesture::Refuse),
            7 => Event::Gesture(Gesture::Unpair),
            8 => Event::Gesture(Gesture::Reset),
            _ => pending().await,
        }
    }

    async fn tell(&mut self, signal: Signal, offer: Option<Offer<'_>>, label: Option<PairingLabel>) {
        black_box((signal, offer, label));
    }

    async fn store(&mut self, key: StoreKey, value: &[u8]) -> bool {
        black_box((key, value));
        black_box(true)
    }

    async fn erase(&mut self, key: StoreKey) -> bool {
        black_box(key);
        black_box(true)
    }

    async fn erase_all(&mut self) -> bool {
        black_box(true)
    }
}

impl Clock for Board {
    fn now(&self) -> Uptime {
        Uptime::from_millis(u64::from(black_box(0_u32)))
    }

    async fn wait(&self, until: Option<Uptime>) {
        match until {
            Some(until) if until <= self.now() => ready(()).await,
            _ => pending().await,
        }
    }
}

/// The generator: apart, since the loop holds the board while it draws.
pub struct Draws;

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(black_box(0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(black_box(0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        black_box(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Draws {}

/// Reports how many bytes `name` takes, and ends the emulator; the tool that ran this reads both lines.
pub fn finish(name: &str, bytes: usize) -> ! {
    hprintln!("measured\t{}\t0\t{}\ndone", name, bytes);
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        core::hint::spin_loop();
    }
}

/// As in the firmware, without a word: what a message takes of the flash is not what is measured.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    debug::exit(debug::EXIT_FAILURE);
    loop {
        core::hint::spin_loop();
    }
}
