//! Pairing (Noise XX and XXpsk0, the wallet initiates): by a code that two people compare, out of band, or by a press.

mod band;
mod compare;
mod uncompared;
mod wallet;
mod window;

pub use band::{AtBand, AwaitingOpening, AwaitingWalletShare, StoreFirst};
pub use compare::{CodeShown, CompareCode};
pub use uncompared::{AwaitingStatic, PairingUncompared};
pub use wallet::{AtWallet, AwaitingBandShare, Pairing};
pub use window::{Methods, PairingWindow};
