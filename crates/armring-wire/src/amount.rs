//! Money: minor units of one currency.

use core::fmt;

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A currency by its ISO 4217 numeric code, 1 to 999: 156 is the Chinese yuan, 978 the euro.
///
/// On the wire 2 bytes, little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(u16);

impl Currency {
    /// Chinese yuan, two decimals.
    pub const CNY: Self = Self(156);
    /// Euro, two decimals.
    pub const EUR: Self = Self(978);
    /// Japanese yen, no decimals.
    pub const JPY: Self = Self(392);
    /// United States dollar, two decimals.
    pub const USD: Self = Self(840);

    /// The currency with this ISO 4217 numeric code; `None` unless it has one to three digits and is not zero. Whether the code is
    /// assigned is for the issuer to know: the list changes more often than firmware does.
    #[must_use]
    pub const fn from_numeric(code: u16) -> Option<Self> {
        if code >= 1 && code <= 999 { Some(Self(code)) } else { None }
    }

    /// Its ISO 4217 numeric code.
    #[must_use]
    pub const fn numeric(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({:03})", self.0)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "currency {:03}", self.0)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        postcard::fixint::le::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = postcard::fixint::le::deserialize(deserializer)?;
        Self::from_numeric(code).ok_or_else(|| serde::de::Error::custom("a currency code is 1 to 999"))
    }
}

impl MaxSize for Currency {
    const POSTCARD_MAX_SIZE: usize = 2;
}

/// An amount of money: minor units (cents, fen) of one currency. It cannot overflow and cannot be added to another currency.
///
/// On the wire 10 bytes: 8 of minor units, little-endian, and 2 of currency.
///
/// ```
/// use armring_wire::{Amount, Currency};
///
/// let tea = Amount::new(12_50, Currency::CNY);
/// let cake = Amount::new(30_00, Currency::CNY);
/// assert_eq!(tea.checked_add(cake)?, Amount::new(42_50, Currency::CNY));
/// assert!(tea.checked_add(Amount::new(1, Currency::EUR)).is_err());
/// # Ok::<(), armring_wire::AmountError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amount {
    #[serde(with = "postcard::fixint::le")]
    minor: u64,
    currency: Currency,
}

impl Amount {
    /// `minor` units of `currency`.
    #[must_use]
    pub const fn new(minor: u64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// How many minor units.
    #[must_use]
    pub const fn minor(self) -> u64 {
        self.minor
    }

    /// Of which currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether it is nothing at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`AmountError::CurrencyMismatch`], [`AmountError::Overflow`] past 2⁶⁴ − 1 minor units.
    pub fn checked_add(self, other: Self) -> Result<Self, AmountError> {
        self.combine(other, u64::checked_add)
    }

    /// What is left after `other` is taken away.
    ///
    /// # Errors
    /// [`AmountError::CurrencyMismatch`], [`AmountError::Overflow`] below zero.
    pub fn checked_sub(self, other: Self) -> Result<Self, AmountError> {
        self.combine(other, u64::checked_sub)
    }

    fn combine(self, other: Self, operation: fn(u64, u64) -> Option<u64>) -> Result<Self, AmountError> {
        if self.currency != other.currency {
            return Err(AmountError::CurrencyMismatch { left: self.currency, right: other.currency });
        }
        let minor = operation(self.minor, other.minor).ok_or(AmountError::Overflow)?;
        Ok(Self { minor, currency: self.currency })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} minor units of {}", self.minor, self.currency)
    }
}

impl MaxSize for Amount {
    const POSTCARD_MAX_SIZE: usize = 10;
}

/// Why two amounts could not be combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AmountError {
    /// They are of different currencies.
    CurrencyMismatch {
        /// The currency of the amount that was asked.
        left: Currency,
        /// The currency of the amount that it was given.
        right: Currency,
    },
    /// The result would be below zero or above 2⁶⁴ − 1 minor units.
    Overflow,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CurrencyMismatch { left, right } => write!(f, "{left} and {right} cannot be combined"),
            Self::Overflow => f.write_str("the amount is below zero or above 2^64 - 1 minor units"),
        }
    }
}

impl core::error::Error for AmountError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn currencies_have_one_to_three_digits() {
        let known = [0, 1, 999, 1000].map(|code| Currency::from_numeric(code).is_some());
        assert_eq!(known, [false, true, true, false]);
    }

    proptest! {
        #[test]
        fn addition_is_exact_or_an_error(a: u64, b: u64) {
            let sum = Amount::new(a, Currency::CNY).checked_add(Amount::new(b, Currency::CNY));
            match a.checked_add(b) {
                Some(exact) => prop_assert_eq!(sum, Ok(Amount::new(exact, Currency::CNY))),
                None => prop_assert_eq!(sum, Err(AmountError::Overflow)),
            }
        }

        #[test]
        fn subtraction_undoes_addition(a in 0..u64::MAX / 2, b in 0..u64::MAX / 2) {
            let (a, b) = (Amount::new(a, Currency::EUR), Amount::new(b, Currency::EUR));
            prop_assert_eq!(a.checked_add(b).and_then(|sum| sum.checked_sub(b)), Ok(a));
        }

        #[test]
        fn currencies_never_mix(a: u64, b: u64) {
            let (a, b) = (Amount::new(a, Currency::EUR), Amount::new(b, Currency::USD));
            let mismatch = AmountError::CurrencyMismatch { left: Currency::EUR, right: Currency::USD };
            prop_assert_eq!(a.checked_add(b), Err(mismatch));
            prop_assert_eq!(a.checked_sub(b), Err(mismatch));
        }
    }
}
