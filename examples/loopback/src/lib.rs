//! What the examples on one machine have in common: loopback TCP in place of the radio, and amounts as people read them.

#![forbid(unsafe_code)]

pub mod air;
pub mod money;
pub mod step;
