//! The six handshakes, in both roles, with something changed at one step.

mod sides;

use armring_pairing::{BandHello, Kind, WalletHello};
use armring_wire::Uptime;

use self::sides::{World, speak};
use crate::cast::Draws;
use crate::input::Input;

const KINDS: [Kind; 6] = [Kind::PairCode, Kind::PairOutOfBand, Kind::PairPress, Kind::Reconnect, Kind::Resume, Kind::Enrol];

/// What goes wrong on the way.
struct Way<'i, 'd> {
    input: &'i mut Input<'d>,
    /// Which of the messages is changed; that of no number leaves all as they are.
    at: usize,
    number: usize,
    said: Vec<Vec<u8>>,
    harmed: bool,
}

impl Way<'_, '_> {
    /// Carries the next message, which may be changed, or have an earlier one in its place.
    fn carries(&mut self, message: &[u8]) -> Vec<u8> {
        let mut bytes = message.to_vec();
        if self.number == self.at {
            if self.input.any() {
                self.input.alter(&mut bytes);
            } else if !self.said.is_empty() {
                let earlier = self.input.below(self.said.len());
                bytes.clone_from(&self.said[earlier]);
            }
            self.harmed |= bytes != message;
        }
        self.number += 1;
        self.said.push(message.to_vec());
        bytes
    }
}

/// When the band does its steps.
struct Times {
    opened: Uptime,
    first: Uptime,
    last: Uptime,
}

/// Runs one handshake. It ends in a channel that both share if nothing was changed, in time, and with randomness; else in none.
pub fn handshake(data: &[u8]) {
    let mut input = Input::new(data);
    hello(&mut input);
    let kind = input.one_of(&KINDS);
    let at = input.below(8);
    let delay = |input: &mut Input<'_>| input.one_of(&[0, 59_999, 60_000, 60_001, 10_000_000]);
    let (opened, first, last) = (5_000, delay(&mut input), delay(&mut input));
    let late = is_pairing(kind) && (first > 60_000 || last > 60_000);
    let time = Uptime::from_millis;
    let times = Times { opened: time(opened), first: time(opened + first), last: time(opened + first + last) };
    let mut rng = Draws::new(input.any::<bool>().then(|| input.any::<u8>() % 10));
    let mut way = Way { input: &mut input, at, number: 0, said: Vec::new(), harmed: false };
    let result = World::with(|world| world.run(kind, &times, &mut way, &mut rng));
    let expected = !way.harmed && !late && !rng.has_failed;
    match result {
        Ok((mut at_wallet, mut at_band)) => {
            assert!(expected, "{kind:?}: a channel, though message {at} was changed, it was late, or there was no randomness");
            assert!(speak(&mut at_wallet.channel, &mut at_band.channel), "{kind:?}");
            assert_eq!(at_wallet.resume.expose(), at_band.resume.expose());
        }
        Err(error) => assert!(!expected, "{kind:?}: {error}"),
    }
}

/// A hello is what its bytes say, or none.
fn hello(input: &mut Input<'_>) {
    let bytes: [u8; BandHello::LEN] = input.any();
    assert_eq!(BandHello::from_bytes(&bytes).to_bytes(), bytes);
    if let Ok(hello) = WalletHello::from_bytes(&bytes) {
        assert_eq!(hello.encode(&mut [0; WalletHello::MAX_LEN]), bytes);
    }
    let four = &bytes[..4];
    if let Ok(hello) = WalletHello::from_bytes(four) {
        assert_eq!(hello.encode(&mut [0; WalletHello::MAX_LEN]), four);
    }
}

fn is_pairing(kind: Kind) -> bool {
    matches!(kind, Kind::PairCode | Kind::PairOutOfBand | Kind::PairPress)
}
