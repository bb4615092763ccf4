//! Secrets, and where they are drawn from.

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::error::{Error, MachineError};

/// A type for 32 secret bytes that serve one purpose: erased when dropped, compared in constant time, never printed.
macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(zeroize::ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The secret with these bytes.
            #[must_use]
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes themselves: to store them, to send them sealed, to compute with them. Not to print them.
            #[must_use]
            pub const fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl subtle::ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> subtle::Choice {
                self.0.ct_eq(&other.0)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}
pub(crate) use secret;

/// `N` random bytes.
pub(crate) fn draw<const N: usize>(rng: &mut impl TryCryptoRng) -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    rng.try_fill_bytes(bytes.as_mut_slice()).map_err(|_| MachineError::Randomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use subtle::ConstantTimeEq;
    use zeroize::ZeroizeOnDrop;

    use crate::dh::SharedSecret;
    use crate::link::{AdvertisingKey, HintKey, LinkSecret, Psk, Share};
    use crate::noise::ResumeSecret;
    use crate::out_of_band::PairingSecret;

    #[test]
    fn debug_shows_no_secret() {
        extern crate std;
        let shown = [
            std::format!("{:?}", LinkSecret::new([0xa5; 32])),
            std::format!("{:?}", Psk::new([0xa5; 32])),
            std::format!("{:?}", HintKey::new([0xa5; 32])),
            std::format!("{:?}", Share::new([0xa5; 32])),
            std::format!("{:?}", ResumeSecret::new([0xa5; 32])),
            std::format!("{:?}", AdvertisingKey::new([0xa5; 32])),
            std::format!("{:?}", PairingSecret::new([0xa5; 32])),
        ];
        let names = ["LinkSecret", "Psk", "HintKey", "Share", "ResumeSecret", "AdvertisingKey", "PairingSecret"];
        assert_eq!(shown, names.map(|name| std::format!("{name}(..)")));
    }

    #[test]
    fn secrets_are_erased_when_dropped() {
        const fn erased<T: ZeroizeOnDrop>() {}
        erased::<LinkSecret>();
        erased::<Psk>();
        erased::<HintKey>();
        erased::<Share>();
        erased::<ResumeSecret>();
        erased::<AdvertisingKey>();
        erased::<PairingSecret>();
        erased::<SharedSecret>();
        erased::<x25519_dalek::StaticSecret>();
        erased::<blake2::Blake2sMac256>();
    }

    #[test]
    fn secrets_are_compared_whole() {
        let mut other = [7; 32];
        other[31] = 8;
        assert!(bool::from(Share::new([7; 32]).ct_eq(&Share::new([7; 32]))));
        assert!(!bool::from(Share::new([7; 32]).ct_eq(&Share::new(other))));
    }
}
