//! Attackers: processes like all others, which do not keep to the protocol.
//!
//! ```text
//!  phone ◀──▶ man in the middle ◀──▶ band        reads, changes, drops, repeats, swaps, reflects, replays; pairs with both
//!  wallet ◀─▶ man in the middle ◀──▶ shop        likewise, where nothing is sealed
//!  shop ◀───▶ man in the middle ◀──▶ issuer
//!  person ──▶ infected phone ──────▶ band        shows one thing and asks for another
//! ```
//!
//! What each must not achieve, and which line of SPEC.md stops it, is said by the stories that they play in.

mod connection;
mod deed;
mod infected;
mod middle;
mod objects;
mod recording;
mod twin;

pub(crate) use middle::run;
