//! Against another implementation of Noise: thousands of random handshakes of each pattern, in both roles, and what is said afterwards.

use armring_channel::{Aead, ChaChaPoly, Key, Opened, sealed_len};
use armring_pairing::noise::{HandshakeState, IK, KKPSK0, Keys, NNPSK0, Pattern, Psk, Session, Side, XX, XXPSK0};
use armring_pairing::{DiffieHellman, SoftwareKey};
use rand_chacha::rand_core::Rng;
use snow::params::CipherChoice;
use snow::resolvers::{CryptoResolver, DefaultResolver};

use crate::common::{ChaCha20Rng, bytes};

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
fn handshake(pattern: &'static Pattern, side: Side, rng: &mut ChaCha20Rng) -> (Session, snow::TransportState) {
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
    (our_state.finish().unwrap().into_session(), their_state.into_transport_mode().unwrap())
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
        assert_eq!(theirs.read_message(&crate::common::seal(&mut ours.channel, &record), &mut text), Ok(text.len()));
        assert_eq!(text, padded);

        let mut sealed = vec![0; sealed_len];
        assert_eq!(theirs.write_message(&padded, &mut sealed), Ok(sealed_len));
        assert_eq!(ours.channel.open(&mut sealed), Ok(Opened::Record(&record)));
    }
}

/// Both count to 65,536 on their own and change the key there, as Noise §11.3 has it.
fn rekeyed_transport(mut ours: Session, mut theirs: snow::TransportState) {
    let (mut buffer, mut text) = ([0; 48], [0; 48]);
    for number in 0..(1 << 16) + 3_u32 {
        if number == 1 << 16 {
            theirs.rekey_incoming();
        }
        let [byte, ..] = number.to_le_bytes();
        buffer[0] = byte;
        let sealed = ours.channel.seal(&mut buffer, 1).unwrap();
        assert_eq!(theirs.read_message(sealed, &mut text), Ok(32), "record {number}");
        assert_eq!(text[..2], [byte, 0x80]);
    }
    for number in 0..(1 << 16) + 3_u32 {
        if number == 1 << 16 {
            theirs.rekey_outgoing();
        }
        let [byte, ..] = number.to_le_bytes();
        text[..2].copy_from_slice(&[byte, 0x80]);
        text[2..].fill(0);
        assert_eq!(theirs.write_message(&text[..32], &mut buffer), Ok(48));
        assert_eq!(ours.channel.open(&mut buffer), Ok(Opened::Record(&[byte])), "record {number}");
    }
}

#[test]
fn a_long_channel_changes_its_keys_where_snow_does() {
    let (ours, theirs) = handshake(&NNPSK0, Side::Initiator, &mut crate::common::random());
    rekeyed_transport(ours, theirs);
}

#[test]
fn a_changed_key_is_the_one_that_snow_changes_to() {
    let mut rng = crate::common::random();
    for _ in 0..500 {
        let (key, nonce) = (bytes(&mut rng), u64::from(rng.next_u32()));
        let mut cipher = DefaultResolver.resolve_cipher(&CipherChoice::ChaChaPoly).unwrap();
        cipher.set(&key);
        cipher.rekey();
        let mut sealed = [0; 48];
        assert_eq!(cipher.encrypt(nonce, b"ad", &[7; 32], &mut sealed), 48);
        let mut text = [7; 32];
        let tag = ChaChaPoly::new(ChaChaPoly::new(Key::new(key)).rekey()).seal(nonce, b"ad", &mut text);
        assert_eq!((&sealed[..32], &sealed[32..]), (&text[..], &tag[..]));
    }
}

fn many(pattern: &'static Pattern) {
    let mut rng = crate::common::random();
    for _ in 0..400 {
        for side in [Side::Initiator, Side::Responder] {
            let (ours, theirs) = handshake(pattern, side, &mut rng);
            transport(ours, theirs, &mut rng);
        }
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
