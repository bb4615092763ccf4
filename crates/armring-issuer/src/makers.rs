//! The word of a band's maker for its keys.

use core::fmt;

use armring_channel::HandshakeHash;
use armring_token::PaymentKey;

/// What an operator calls a maker of bands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MakerId(pub u32);

impl fmt::Display for MakerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "maker {}", self.0)
    }
}

/// Knows the makers of bands, and what their word for a key looks like. The form is each maker's own: a signature, a chain of certificates.
///
/// The word must be over both arguments: over the key, so that it stands for no other, and over the handshake, so that it is of now and
/// of this issuer. It says that the key is in a genuine band, and not whose band that is: see
/// [`Policy::active_when_attested`](crate::Policy::active_when_attested).
pub trait Makers {
    /// Who attests that `payment_key` was made in one of their bands, during the enrolment with this handshake hash; `None` where nobody
    /// does. `attestation` has at most [`ATTESTATION_MAX`](armring_wire::records::ATTESTATION_MAX) bytes, of whatever kind.
    fn attests(&self, handshake: &HandshakeHash, payment_key: &PaymentKey, attestation: &[u8]) -> Option<MakerId>;
}

/// Nobody's word counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMakers;

impl Makers for NoMakers {
    fn attests(&self, _: &HandshakeHash, _: &PaymentKey, _: &[u8]) -> Option<MakerId> {
        None
    }
}
