//! Whose code computes handshakes and channels: portable Rust or, with the feature `aws-lc`, AWS-LC. All bytes are the same.

#[cfg(feature = "aws-lc")]
use armring_aws_lc::AwsLc as Provider;
#[cfg(not(feature = "aws-lc"))]
use armring_pairing::RustCrypto as Provider;

pub(crate) type Pairing = armring_pairing::Pairing<Provider>;
pub(crate) type PairingUncompared = armring_pairing::PairingUncompared<Provider>;
pub(crate) type Reconnect = armring_pairing::Reconnect<Provider>;
pub(crate) type Resume = armring_pairing::Resume<Provider>;
pub(crate) type Session = armring_pairing::Session<Provider>;
