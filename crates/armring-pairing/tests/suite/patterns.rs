//! What each pattern withstands, at each place where a key travels: keys sent back, keys of small order, wrong lengths, swapped roles, and
//! who has stolen a key.

use armring_channel::ChaChaPoly;
use armring_pairing::noise::{HandshakeState, IK, KKPSK0, Keys, NNPSK0, Pattern, Psk, Side, Split, Token, XX, XXPSK0};
use armring_pairing::*;

use crate::common::*;

const PATTERNS: [&Pattern; 5] = [&XX, &XXPSK0, &KKPSK0, &NNPSK0, &IK];
const SIDES: [Side; 2] = [Side::Initiator, Side::Responder];

/// A suite whose ephemeral keys may claim to be others.
struct Evil;

impl Suite for Evil {
    type Aead = ChaChaPoly;
    type Ephemeral = ClaimedKey;

    fn ephemeral(_: &[u8; 32]) -> Result<ClaimedKey, DhError> {
        Err(DhError::Unavailable)
    }
}

fn public(secret: u8) -> PublicKey {
    SoftwareKey::new([secret; 32]).public_key()
}

fn honest(secret: u8) -> ClaimedKey {
    ClaimedKey(public(secret), Some(SoftwareKey::new([secret; 32])))
}

/// Whether the peer of `side` is known to it beforehand.
const fn knows_peer(pattern: &Pattern, side: Side) -> bool {
    match side {
        Side::Initiator => pattern.responder_known,
        Side::Responder => pattern.initiator_known,
    }
}

const fn other(side: Side) -> Side {
    match side {
        Side::Initiator => Side::Responder,
        Side::Responder => Side::Initiator,
    }
}

fn state(
    pattern: &'static Pattern,
    side: Side,
    prologue: &[u8],
    (own, ephemeral, peer): (&dyn DiffieHellman, ClaimedKey, PublicKey),
) -> Result<HandshakeState<Evil>, Error> {
    let peer = Some(peer).filter(|_| knows_peer(pattern, side));
    HandshakeState::new(pattern, side, prologue, Keys { own: Some(own), peer, psk: Some(Psk::new([7; 32])), ephemeral })
}

/// The secrets of the honest side's static and ephemeral keys, and of the other side's.
const OWN: (u8, u8) = (1, 2);
const PEER: (u8, u8) = (3, 4);

/// What an honest `side` says to somebody who comes with these keys, and, if it has nothing to object to, whether they share a channel.
fn honest_against(
    pattern: &'static Pattern,
    side: Side,
    their_static: &dyn DiffieHellman,
    their_ephemeral: ClaimedKey,
) -> Result<bool, Error> {
    let own = honest(OWN.0);
    let their_public = *their_ephemeral.0.as_bytes();
    let mut ours = state(pattern, side, b"", (&own, honest(OWN.1), their_static.public_key()))?;
    let keys = Keys {
        // Else it would refuse a key that it claims and the honest side has.
        own: Some(their_static).filter(|_| knows_peer(pattern, side)),
        peer: Some(public(OWN.0)).filter(|_| knows_peer(pattern, other(side))),
        psk: Some(Psk::new([7; 32])),
        ephemeral: their_ephemeral,
    };
    let mut theirs = HandshakeState::<Evil>::new(pattern, other(side), b"", keys).ok();
    for (number, tokens) in pattern.messages.iter().enumerate() {
        let mut message = vec![0; ours.overhead()];
        if (number % 2 == 0) == (side == Side::Initiator) {
            ours = ours.write(Some(&own), &[], &mut message)?;
            // Who lies about a key may not be able to read this, and does not refuse its own key.
            let uses_static = if side == Side::Initiator { Token::Es } else { Token::Se };
            let key = Some(their_static).filter(|_| tokens.contains(&uses_static) || tokens.contains(&Token::Ss));
            theirs = theirs.and_then(|theirs| theirs.read(key, &message, &mut []).ok());
        } else {
            theirs = theirs.and_then(|theirs| theirs.write(Some(their_static), &[], &mut message).ok());
            if theirs.is_none() && tokens.contains(&Token::E) {
                message[..32].copy_from_slice(&their_public);
            }
            ours = ours.read(Some(&own), &message, &mut [])?;
        }
    }
    let theirs = theirs.and_then(|theirs| theirs.finish().ok());
    let (mut ours, theirs) = (ours.finish()?.into_session::<RustCrypto>(), theirs.map(Split::into_session::<RustCrypto>));
    Ok(theirs.is_some_and(|mut theirs| speak(&mut ours.channel, &mut theirs.channel)))
}

/// Whether the side that is not `side` sends its static key.
fn peer_sends_static(pattern: &Pattern, side: Side) -> bool {
    let first = usize::from(side == Side::Initiator);
    pattern.messages.iter().skip(first).step_by(2).any(|tokens| tokens.contains(&Token::S))
}

/// Tries `bad` wherever the peer sends a key, and as its static key where that is known and `beforehand` says that it could be this.
fn refused_everywhere(bad: PublicKey, beforehand: bool, expected: PeerError) {
    // With a key to compute with, so that whatever is sealed before is sealed rightly.
    let claimed = |secret: u8| ClaimedKey(bad, Some(SoftwareKey::new([secret; 32])));
    for pattern in PATTERNS {
        for side in SIDES {
            let error = honest_against(pattern, side, &honest(PEER.0), claimed(PEER.1)).err();
            assert_eq!(error, Some(expected.into()), "{}, {side:?} is sent {bad:?} as ephemeral", pattern.name);
            if (beforehand && knows_peer(pattern, side)) || peer_sends_static(pattern, side) {
                let error = honest_against(pattern, side, &claimed(PEER.0), honest(PEER.1)).err();
                assert_eq!(error, Some(expected.into()), "{}, {side:?} is sent {bad:?} as static", pattern.name);
            }
        }
    }
}

#[test]
fn honest_sides_share_a_channel() {
    for pattern in PATTERNS {
        for side in SIDES {
            assert_eq!(honest_against(pattern, side, &honest(PEER.0), honest(PEER.1)), Ok(true), "{}", pattern.name);
        }
    }
}

#[test]
fn own_keys_echoed_back_are_refused_wherever_a_key_is_sent() {
    // What is known beforehand cannot be a key that is drawn for this handshake.
    for (secret, beforehand) in [(OWN.0, true), (OWN.1, false)] {
        let key = *public(secret).as_bytes();
        for key in [key, with_high_bit(key)] {
            refused_everywhere(PublicKey::new(key), beforehand, PeerError::EchoedKey);
        }
    }
}

#[test]
fn points_of_small_order_are_refused_wherever_a_key_is_sent() {
    let mut one = [0; 32];
    one[0] = 1;
    // p − 1, p and p + 1, where p = 2^255 − 19, and two points of order 8.
    let near_p = [0xec, 0xed, 0xee].map(|first| {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (first, 0x7f);
        bytes
    });
    let order_8 = [
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d,
            0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c,
            0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
        ],
    ];
    for point in [[0; 32], one].into_iter().chain(near_p).chain(order_8) {
        for point in [point, with_high_bit(point)] {
            refused_everywhere(PublicKey::new(point), true, PeerError::ZeroSharedSecret);
        }
    }
}

#[test]
fn a_message_of_another_length_is_none() {
    for pattern in PATTERNS {
        for number in 0..pattern.messages.len() {
            for length in 0..=200 {
                let keys = [honest(PEER.0), honest(OWN.0)];
                let mut sides = [
                    state(pattern, Side::Initiator, b"", (&keys[0], honest(PEER.1), public(OWN.0))).unwrap(),
                    state(pattern, Side::Responder, b"", (&keys[1], honest(OWN.1), public(PEER.0))).unwrap(),
                ];
                for before in 0..number {
                    let [initiator, responder] = sides;
                    let mut message = vec![0; initiator.overhead()];
                    sides = if before % 2 == 0 {
                        let initiator = initiator.write(Some(&keys[0]), &[], &mut message).unwrap();
                        [initiator, responder.read(Some(&keys[1]), &message, &mut []).unwrap()]
                    } else {
                        let responder = responder.write(Some(&keys[1]), &[], &mut message).unwrap();
                        [initiator.read(Some(&keys[0]), &message, &mut []).unwrap(), responder]
                    };
                }
                let [initiator, responder] = sides;
                let (reader, key) = if number % 2 == 0 { (responder, &keys[1]) } else { (initiator, &keys[0]) };
                let right = reader.overhead();
                let error = reader.read(Some(key), &vec![0x55; length], &mut []).err();
                assert_eq!(
                    error == Some(PeerError::Length.into()),
                    length != right,
                    "{}, message {number}: {length}",
                    pattern.name
                );
            }
        }
    }
}

#[test]
fn who_plays_the_other_role_is_refused() {
    // Selfie: with a pre-shared secret a party could be made to speak with itself. The roles in the prologue are fixed.
    for (pattern, kind) in [(&XXPSK0, 2), (&KKPSK0, 4), (&NNPSK0, 5)] {
        let prologue = |roles: [u8; 2]| [b"armring/1", [kind].as_slice(), &roles, &[0; 39]].concat();
        let own = honest(OWN.0);
        let peer = honest(PEER.0);
        for (roles, verifies) in [([2, 1], true), ([1, 2], false), ([2, 2], false), ([1, 1], false)] {
            let wallet = state(pattern, Side::Initiator, &prologue([2, 1]), (&own, honest(OWN.1), public(PEER.0))).unwrap();
            let band = state(pattern, Side::Responder, &prologue(roles), (&peer, honest(PEER.1), public(OWN.0))).unwrap();
            let mut message = vec![0; wallet.overhead()];
            wallet.write(Some(&own), &[], &mut message).unwrap();
            let error = band.read(Some(&peer), &message, &mut []).err();
            assert_eq!(error, (!verifies).then(|| PeerError::NotAuthentic.into()), "{}, {roles:?}", pattern.name);
        }
    }
}

/// What an attacker who has stolen `victim`'s static key can do of what a peer's key does: compute what both have in common, which takes one of
/// the two keys.
struct Stolen {
    claims: PublicKey,
    victim: SoftwareKey,
}

impl DiffieHellman for Stolen {
    fn public_key(&self) -> PublicKey {
        self.claims
    }

    fn diffie_hellman(&self, peer: &PublicKey) -> Result<SharedSecret, DhError> {
        // With an ephemeral key of the victim's there is nothing to compute with but some key or other.
        let stranger = SoftwareKey::new([99; 32]);
        if *peer == self.victim.public_key() { self.victim.diffie_hellman(&self.claims) } else { stranger.diffie_hellman(peer) }
    }
}

#[test]
fn a_stolen_static_key_impersonates_nobody_to_its_owner_in_any_pattern() {
    // Key-compromise impersonation: the attacker has the victim's static key and the shared secret, and claims the key of its peer.
    let impersonate = |pattern: &'static Pattern, victim| {
        let attacker = Stolen { claims: public(PEER.0), victim: SoftwareKey::new([OWN.0; 32]) };
        honest_against(pattern, victim, &attacker, honest(PEER.1))
    };
    let refused = Err(PeerError::NotAuthentic.into());
    for pattern in [&XX, &XXPSK0, &KKPSK0, &IK] {
        assert_eq!(impersonate(pattern, Side::Initiator), refused, "{}", pattern.name);
    }
    for pattern in [&XX, &XXPSK0] {
        assert_eq!(impersonate(pattern, Side::Responder), refused, "{}", pattern.name);
    }
    // Here message 1 verifies, which is why it proves nothing: the attacker can neither read message 2 nor seal a record.
    for pattern in [&KKPSK0, &IK] {
        assert_eq!(impersonate(pattern, Side::Responder), Ok(false), "{}", pattern.name);
    }
}
