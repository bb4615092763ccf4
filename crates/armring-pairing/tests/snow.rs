//! Against another implementation of Noise: thousands of random handshakes of each pattern, in both roles, and what is said afterwards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_channel::{Opened, sealed_len};
use armring_pairing::noise::{HandshakeState, IK, KKPSK0, Keys, NNPSK0, Pattern, Psk, Session, Side, XX, XXPSK0};
use armring_pairing::{DiffieHellman, SoftwareKey};
use common::{ChaCha20Rng, bytes};
use rand_chacha::rand_core::Rng;

/// What both sides of one handshake have, all random.
struct Setting {
    prologue: Vec<u8>,
    psk: [u8; 32],
    ours: [u8; 32],
    theirs: [u8; 32],
    ephemerals: [[u8; 32]; 2],
}

fn random_bytes(rng: &mut ChaCha20Rng, below: u32) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(rng.next_u32() % below).unwrap()];
    rng.fill_bytes(&mut bytes);
    bytes
}

impl Setting {
    fn draw(rng: &mut ChaCha20Rng) -> Self {
        let prologue = random_bytes(rng, 200);
        Self { prologue, psk: bytes(rng), ours: bytes(rng), theirs: bytes(rng), ephemerals: [bytes(rng), bytes(rng)] }
    }

    fn our_side(&self, pattern: &'static Pattern, side: Side, own: &SoftwareKey) -> HandshakeState {
        let keys = Keys {
            own: Some(own),
            peer: Some(SoftwareKey::new(self.theirs).public_key()).filter(|_| knows_peer(pattern, side)),
            psk: Some(Psk::new(self.psk)),
            ephemeral: SoftwareKey::new(self.ephemerals[0]),
        };
        HandshakeState::new(pattern, side, &self.prologue, keys).unwrap()
    }

    fn their_side(&self, pattern: &Pattern, side: Side, our_public: &[u8; 32]) -> snow::HandshakeState {
        let mut builder = snow::Builder::new(pattern.name.parse().unwrap())
            .local_private_key(&self.theirs)
            .unwrap()
            .prologue(&self.prologue)
            .unwrap()
            .fixed_ephemeral_key_for_testing_only(&self.ephemerals[1]);
        if pattern.name.contains("psk0") {
            builder = builder.psk(0, &self.psk).unwrap();
        }
        if knows_peer(pattern, side) {
            builder = builder.remote_public_key(our_public).unwrap();
        }
        match side {
            Side::Initiator => builder.build_initiator().unwrap(),
            Side::Responder => builder.build_responder().unwrap(),
        }
    }
}

fn knows_peer(pattern: &Pattern, side: Side) -> bool {
    match side {
        Side::Initiator => pattern.responder_known,
        Side::Responder => pattern.initiator_known,
    }
}

/// One handshake in which we are `side`.
fn handshake(pattern: &'static Pattern, side: Side, rng: &mut ChaCha20Rng) {
    let setting = Setting::draw(rng);
    let own = SoftwareKey::new(setting.ours);
    let mut our_state = setting.our_side(pattern, side, &own);
    let their_role = if side == Side::Initiator { Side::Responder } else { Side::Initiator };
    let mut their_state = setting.their_side(pattern, their_role, own.public_key().as_bytes());

    for number in 0..pattern.messages.len() {
        let payload = random_bytes(rng, 300);
        let mut message = vec![0; payload.len() + our_state.overhead()];
        let mut received = vec![0; payload.len()];
        if (number % 2 == 0) == (side == Side::Initiator) {
            our_state = our_state.write(Some(&own), &payload, &mut message).unwrap();
            assert_eq!(their_state.read_message(&message, &mut received), Ok(payload.len()));
        } else {
            // snow asks for room for a tag even where a message has none.
            let length = message.len();
            message.resize(length + 16, 0);
            assert_eq!(their_state.write_message(&payload, &mut message), Ok(length));
            message.truncate(length);
            our_state = our_state.read(Some(&own), &message, &mut received).unwrap();
        }
        assert_eq!(received, payload);
    }
    assert_eq!(their_state.get_handshake_hash(), our_state.hash().as_bytes());
    transport(our_state.finish().unwrap().into_session(), their_state.into_transport_mode().unwrap(), rng);
}

/// Records of our channel are Noise transport messages whose plaintext is padded.
fn transport(mut ours: Session, mut theirs: snow::TransportState, rng: &mut ChaCha20Rng) {
    for _ in 0..3 {
        let mut record = random_bytes(rng, 400);
        record.push(1);
        let sealed_len = sealed_len(record.len()).unwrap();
        let mut padded = record.clone();
        padded.push(0x80);
        padded.resize(sealed_len - 16, 0);

        let mut text = vec![0; padded.len()];
        assert_eq!(theirs.read_message(&common::seal(&mut ours.channel, &record), &mut text), Ok(text.len()));
        assert_eq!(text, padded);

        let mut sealed = vec![0; sealed_len];
        assert_eq!(theirs.write_message(&padded, &mut sealed), Ok(sealed_len));
        assert_eq!(ours.channel.open(&mut sealed), Ok(Opened::Record(&record)));
    }
}

fn many(pattern: &'static Pattern) {
    let mut rng = common::random();
    for _ in 0..400 {
        handshake(pattern, Side::Initiator, &mut rng);
        handshake(pattern, Side::Responder, &mut rng);
    }
}

#[test]
fn xx_speaks_with_snow() {
    many(&XX);
}

#[test]
fn kkpsk0_speaks_with_snow() {
    many(&KKPSK0);
}

#[test]
fn ik_speaks_with_snow() {
    many(&IK);
}

#[test]
fn nnpsk0_speaks_with_snow() {
    many(&NNPSK0);
}

#[test]
fn xxpsk0_speaks_with_snow() {
    many(&XXPSK0);
}
