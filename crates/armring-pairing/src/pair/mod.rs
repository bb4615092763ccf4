//! Pairing by a code that two people compare (Noise XX, the wallet initiates).

mod band;
mod compare;
mod wallet;

pub use band::{AtBand, AwaitingOpening, AwaitingWalletShare, PairingWindow, StoreFirst};
pub use compare::{CodeShown, CompareCode};
pub use wallet::{AtWallet, AwaitingBandShare, Pairing};
