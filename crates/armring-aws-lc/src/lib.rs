//! The protocol's cryptography by [AWS-LC](https://github.com/aws/aws-lc), for machines that have an operating system: the same bytes, made
//! faster than by portable Rust.
//!
//! ```text
//!  armring-channel    Aead                 ◀── ChaChaPoly
//!  armring-pairing    DiffieHellman        ◀── SoftwareKey
//!                     Suite                ◀── AwsLc: both of them
//!  armring-token      MultipartSigner      ◀── SigningKey
//! ```
//!
//! Signatures are verified by `armring-token`'s own criterion whoever made them: AWS-LC's is another one.
//!
//! ```
//! use armring_aws_lc::{AwsLc, SoftwareKey};
//! use armring_pairing::{DiffieHellman, Enrol, EnrolVersions};
//! use armring_wire::VersionRange;
//! # let mut rng = <rand_chacha::ChaCha20Rng as rand_chacha::rand_core::SeedableRng>::from_seed([1; 32]);
//!
//! // An issuer with AWS-LC answers a band without it.
//! let issuer = SoftwareKey::new(&[1; 32])?;
//! let band = armring_pairing::SoftwareKey::new([2; 32]);
//! let versions = EnrolVersions { band: VersionRange::SUPPORTED, issuer: VersionRange::SUPPORTED };
//! let (enrol, first) = <Enrol>::start(&band, &issuer.public_key(), versions, &mut rng)?;
//! let (session, _, second) = Enrol::<AwsLc>::answer(&issuer, versions, &first, &mut rng)?;
//! let at_band = enrol.receive(&second, &band)?;
//! assert_eq!(at_band.channel.binding(), session.channel.binding());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod aead;
mod agreement;
mod signing;

pub use aead::ChaChaPoly;
pub use agreement::{AwsLc, SoftwareKey};
pub use signing::{KeyRefused, SigningKey};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
