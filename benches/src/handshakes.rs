//! Whole handshakes, both sides, with empty payloads and static keys that are at hand.

use std::hint::black_box;

use armring_pairing::noise::{HandshakeState, IK, KKPSK0, Keys, NNPSK0, Pattern, Psk, Side, XX, XXPSK0};
use armring_pairing::{DiffieHellman, RustCrypto, SoftwareKey, Suite};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::floor::{self, Multiplications};
use crate::{Group, Plan};

const PSK: [u8; 32] = [7; 32];
/// Secrets of the two static keys.
pub(crate) const STATIC: [[u8; 32]; 2] = [[1; 32], [2; 32]];

/// A pattern, how many shared secrets both sides compute, and whether the issue sets a target for it.
const PATTERNS: [(&Pattern, usize, bool); 5] =
    [(&XX, 6, true), (&XXPSK0, 6, false), (&KKPSK0, 8, true), (&NNPSK0, 2, false), (&IK, 8, true)];

pub fn plans() -> Vec<Plan> {
    let plan = |(pattern, shared, has_target)| {
        let name = short(pattern);
        Plan::new(format!("handshake {name}"), move |group| contenders(group, pattern, shared, has_target))
    };
    PATTERNS.into_iter().map(plan).collect()
}

/// `XX` of a whole protocol name.
fn short(pattern: &Pattern) -> &'static str {
    pattern.name.split('_').nth(1).expect("a pattern's name")
}

fn contenders(group: Group, pattern: &'static Pattern, shared: usize, has_target: bool) -> Group {
    let count = Multiplications { publics: 2, shared };
    let target = |most| has_target.then_some(most);
    let group = group.with("X25519: dalek", floor::dalek(count)).beside(
        "X25519: dalek",
        target(1.05),
        "Armring",
        ours::<RustCrypto, _>(pattern, STATIC.map(SoftwareKey::new)),
    );
    #[cfg(feature = "peers")]
    let group = {
        use crate::peers::noise::{clatter, snow, snow_with_ring};

        let name = short(pattern);
        let fast = STATIC.map(|secret| armring_aws_lc::SoftwareKey::new(&secret).expect("a key"));
        let group = group
            .with("X25519: AWS-LC", floor::aws_lc(count))
            .beside("X25519: AWS-LC", target(1.07), "Armring, AWS-LC", ours::<armring_aws_lc::AwsLc, _>(pattern, fast))
            .beside("X25519: dalek", None, "snow", snow(pattern.name, PSK))
            .beside("X25519: dalek", None, "snow, ring", snow_with_ring(pattern.name, PSK));
        // clatter has no XXpsk0.
        if name == "XXpsk0" { group } else { group.beside("X25519: dalek", None, "clatter", clatter(name, PSK)) }
    };
    group
}

/// By this project, with the low level that takes any pattern.
fn ours<S: Suite, D: DiffieHellman>(pattern: &'static Pattern, statics: [D; 2]) -> impl FnMut() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    move || {
        let [initiator, responder] = &statics;
        let mut side = |side, own, knows: bool, peer: &D| {
            let mut secret = [0; 32];
            rng.fill_bytes(&mut secret);
            let ephemeral = S::ephemeral(&secret).expect("a key");
            let keys = Keys { own: Some(own), peer: knows.then(|| peer.public_key()), psk: Some(Psk::new(PSK)), ephemeral };
            HandshakeState::<S>::new(pattern, side, b"", keys).expect("all keys")
        };
        let first = side(Side::Initiator, initiator as &dyn DiffieHellman, pattern.responder_known, responder);
        let second = side(Side::Responder, responder as &dyn DiffieHellman, pattern.initiator_known, initiator);
        let mut writer = (first, initiator as &dyn DiffieHellman);
        let mut reader = (second, responder as &dyn DiffieHellman);
        let mut buffer = [0; 128];
        for _ in pattern.messages {
            let message = &mut buffer[..writer.0.overhead()];
            let wrote = (writer.0.write(Some(writer.1), &[], message).expect("its turn"), writer.1);
            let read = (reader.0.read(Some(reader.1), message, &mut []).expect("authentic"), reader.1);
            (writer, reader) = (read, wrote);
        }
        let sessions = [writer, reader].map(|(state, _)| state.finish().expect("the last").into_session::<S>());
        black_box(sessions);
    }
}
