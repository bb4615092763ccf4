//! Fields that several objects share.

use armring_wire::{Amount, Currency};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The first byte of a body: which object it is, and in which form. A form that grows gets another number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form<const N: u8>;

impl<const N: u8> Serialize for Form<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(N)
    }
}

impl<'de, const N: u8> Deserialize<'de> for Form<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if u8::deserialize(deserializer)? == N { Ok(Self) } else { Err(serde::de::Error::custom("another kind of object")) }
    }
}

impl<const N: u8> MaxSize for Form<N> {
    const POSTCARD_MAX_SIZE: usize = 1;
}

/// Defines a number of fixed width, little-endian, that is not mistaken for another.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(#[serde(with = "postcard::fixint::le")] pub $int);

        impl MaxSize for $name {
            const POSTCARD_MAX_SIZE: usize = size_of::<$int>();
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// A number of minor units of a currency that stands elsewhere in the same object. 8 bytes, little-endian.
    Minor, u64
);
number!(
    /// How many tokens were signed under a credential. 4 bytes, little-endian.
    Counter, u32
);
number!(
    /// How many tokens of a credential were answered. 8 bytes, little-endian.
    Sequence, u64
);
number!(
    /// How many payments without a gesture. 2 bytes, little-endian.
    FreeCount, u16
);
number!(
    /// Which key list, or which revocation list, of an issuer: a lower one is never taken after a higher one. 4 bytes, little-endian.
    Epoch, u32
);

impl Minor {
    /// The amount in `currency`.
    #[must_use]
    pub const fn of(self, currency: Currency) -> Amount {
        Amount::new(self.0, currency)
    }
}

/// What a set of bits allows. A bit that this version does not know makes the object malformed, so that nothing is granted by mistake.
macro_rules! rights {
    ($(#[$doc:meta])* $name:ident { $($(#[$bit_doc:meta])* $bit:ident = $value:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u8", into = "u8")]
        pub struct $name(u8);

        impl $name {
            /// Nothing at all.
            pub const NONE: Self = Self(0);
            $($(#[$bit_doc])* pub const $bit: Self = Self($value);)+

            /// Both what this and what `other` allows.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Whether all of `wanted` is allowed.
            #[must_use]
            pub const fn allows(self, wanted: Self) -> bool {
                self.0 & wanted.0 == wanted.0
            }
        }

        impl TryFrom<u8> for $name {
            type Error = &'static str;

            fn try_from(bits: u8) -> Result<Self, &'static str> {
                if bits & !(0 $(| $value)+) == 0 { Ok(Self(bits)) } else { Err("a bit that has no meaning") }
            }
        }

        impl From<$name> for u8 {
            fn from(rights: $name) -> Self {
                rights.0
            }
        }

        impl MaxSize for $name {
            const POSTCARD_MAX_SIZE: usize = 1;
        }
    };
}

rights!(
    /// What the holder of a credential may do. 1 byte of bits.
    CredentialRights {
        /// Sign payment tokens.
        PAY = 1;
        /// Sign payment requests, in place of a payee certificate.
        RECEIVE = 2;
    }
);

rights!(
    /// What a certified payee may ask for. 1 byte of bits.
    PayeeRights {
        /// Payments.
        PAYMENT = 1;
    }
);

/// How the wearer unlocked the band since it was put on, from the weakest way to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unlocking {
    /// Not at all.
    Locked = 0,
    /// The wallet said that the phone had recognised its owner.
    Wallet = 1,
    /// A pattern of taps on the band.
    TapPattern = 2,
    /// A number entered on the band.
    Pin = 3,
    /// A fingerprint or the like, read by the band.
    Biometric = 4,
}

/// What the wearer did for this payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gesture {
    /// Nothing: within the free limit.
    None = 0,
    /// A press.
    Press = 1,
    /// Unlocked the band anew, then pressed.
    FreshUnlock = 2,
}

/// How the wearer was present when the token was signed. 3 bytes: 2 of minutes, little-endian, 1 of bits (0–2 unlocking, 3–4 gesture, 5
/// online only).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawPresence", into = "RawPresence")]
pub struct Presence {
    /// For how many minutes the band has been worn, 65,535 at most.
    pub minutes_worn: u16,
    /// How it was unlocked.
    pub unlocking: Unlocking,
    /// What the wearer did.
    pub gesture: Gesture,
    /// Not to be accepted without asking the issuer first.
    pub online_only: bool,
}

impl MaxSize for Presence {
    const POSTCARD_MAX_SIZE: usize = 3;
}

#[derive(Serialize, Deserialize)]
struct RawPresence {
    #[serde(with = "postcard::fixint::le")]
    minutes_worn: u16,
    bits: u8,
}

impl From<Presence> for RawPresence {
    fn from(presence: Presence) -> Self {
        let bits = presence.unlocking as u8 | (presence.gesture as u8) << 3 | u8::from(presence.online_only) << 5;
        Self { minutes_worn: presence.minutes_worn, bits }
    }
}

impl TryFrom<RawPresence> for Presence {
    type Error = &'static str;

    fn try_from(raw: RawPresence) -> Result<Self, &'static str> {
        if raw.bits >> 6 != 0 {
            return Err("a bit that has no meaning");
        }
        Ok(Self {
            minutes_worn: raw.minutes_worn,
            unlocking: match raw.bits & 0b111 {
                0 => Unlocking::Locked,
                1 => Unlocking::Wallet,
                2 => Unlocking::TapPattern,
                3 => Unlocking::Pin,
                4 => Unlocking::Biometric,
                _ => return Err("no such way of unlocking"),
            },
            gesture: match raw.bits >> 3 & 0b11 {
                0 => Gesture::None,
                1 => Gesture::Press,
                2 => Gesture::FreshUnlock,
                _ => return Err("no such gesture"),
            },
            online_only: raw.bits & 1 << 5 != 0,
        })
    }
}
