//! Others.

pub mod noise;
pub mod tokens;
