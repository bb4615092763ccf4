//! A band chooses a PIN, and another one; power is cut at each operation of the flash on the way, and each time the band starts again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "an example says what it expects by panicking")]

#[path = "../tests/suite/common/mod.rs"]
mod common;

use armring_band::{Band, Event, Secret, Signal, SoftwareKeys};
use armring_flash::{BandStore, block_on};
use armring_pairing::SoftwareKey;
use armring_token::RootKey;
use armring_wire::{ATT_PAYLOAD_MAX, Uptime};
use common::{Flash, Torn};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// Four pages of 4 KiB, as a microcontroller has them.
type Chip = Flash<4, 4096>;

/// A band with its storage, as it starts.
struct Device {
    band: Band<SoftwareKey, SoftwareKeys>,
    store: BandStore<Chip>,
    rng: ChaCha20Rng,
    now: u64,
}

impl Device {
    fn start(chip: &Chip) -> Self {
        let root = RootKey::from_bytes(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()).unwrap();
        let mut band = Band::new(SoftwareKey::new([7; 32]), SoftwareKeys, root);
        let mut store = block_on(BandStore::mount(chip.clone(), 0..0x4000)).unwrap();
        block_on(store.load(&mut band)).unwrap();
        Self { band, store, rng: ChaCha20Rng::seed_from_u64(2), now: 0 }
    }

    /// Reports an event, and does what the band wants done until there is nothing more. Gives what the wearer was told.
    fn happens(&mut self, event: Event<'_>) -> Vec<Signal> {
        let (mut signals, mut next) = (Vec::new(), Some(event));
        while let Some(event) = next.take() {
            self.now += 10;
            // Where storing failed, it says so.
            let _ = self.band.handle(event, Uptime::from_millis(self.now), &mut self.rng);
            let mut fragment = [0; ATT_PAYLOAD_MAX];
            while let Some(output) = self.band.poll(&mut fragment) {
                if let armring_band::Output::Signal(signal) = output {
                    signals.push(signal);
                } else if let Some(event) = block_on(self.store.carry_out(&output)) {
                    next = Some(event);
                }
            }
        }
        signals
    }

    fn enters(&mut self, digits: &[u8]) -> bool {
        self.happens(Event::PutOn);
        self.happens(Event::Entered(Secret::pin(digits).unwrap())).contains(&Signal::Unlocked)
    }
}

fn main() {
    let chip = Chip::new(4, 1);
    let mut device = Device::start(&chip);
    assert_eq!(device.happens(Event::Chosen(Secret::pin(b"2580").unwrap())), [Signal::SecretChosen]);
    assert!(device.enters(b"2580"));
    println!("The band has a PIN, and is unlocked. Its wearer chooses another one, and power is cut at:");

    let (before, mut last) = (chip.raw(), [0; 2]);
    for operation in 0.. {
        let mut opened = [0; 2];
        for torn in Torn::ALL {
            let chip = Chip::of(before.clone(), 3);
            let mut device = Device::start(&chip);
            assert!(device.enters(b"2580"));
            chip.set_cut(Some((operation, torn)));
            let told = device.happens(Event::Chosen(Secret::pin(b"1379").unwrap())).contains(&Signal::SecretChosen);
            if !chip.switch_on() {
                assert!(told);
                println!("There are {operation} operations: one value, then pages take turns until the old PIN is nowhere.");
                return;
            }
            let opens = [&b"2580"[..], b"1379"].map(|pin| Device::start(&chip).enters(pin));
            assert!(!told && opens[0] != opens[1], "exactly one of both");
            opened[usize::from(opens[1])] += 1;
        }
        if opened != last {
            let (old, new) = (opened[0], opened[1]);
            println!(
                "from operation {operation} on: in {old} of {} ways the old PIN opens, in {new} the new one",
                Torn::ALL.len()
            );
        }
        last = opened;
    }
}
