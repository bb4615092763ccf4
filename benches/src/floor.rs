//! The bare primitives.

use std::hint::black_box;

#[cfg(feature = "peers")]
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use x25519_dalek::{PublicKey, StaticSecret};

/// Scalar multiplications of a handshake, both sides together.
#[derive(Clone, Copy)]
pub struct Multiplications {
    /// Public keys that are made.
    pub publics: usize,
    /// Shared secrets that are computed.
    pub shared: usize,
}

/// By curve25519-dalek.
pub fn dalek(count: Multiplications) -> impl FnMut() {
    let secret = StaticSecret::from([7; 32]);
    let peer = PublicKey::from(&StaticSecret::from([8; 32]));
    move || {
        for _ in 0..count.publics {
            black_box(PublicKey::from(black_box(&secret)));
        }
        for _ in 0..count.shared {
            black_box(black_box(&secret).diffie_hellman(black_box(&peer)));
        }
    }
}

#[cfg(feature = "peers")]
/// By AWS-LC. A key that is made is one that can be used, as in a handshake.
pub fn aws_lc(count: Multiplications) -> impl FnMut() {
    let key = |seed| PrivateKey::from_private_key(&X25519, black_box(&[seed; 32])).expect("32 bytes");
    let (secret, peer) = (key(7), key(8).compute_public_key().expect("a key"));
    move || {
        for _ in 0..count.publics {
            black_box(key(9).compute_public_key().expect("a key"));
        }
        for _ in 0..count.shared {
            let peer = UnparsedPublicKey::new(&X25519, black_box(peer.as_ref()));
            let shared = agree(&secret, peer, (), |shared| <[u8; 32]>::try_from(shared).map_err(|_| ()));
            black_box(shared).expect("not zero");
        }
    }
}
