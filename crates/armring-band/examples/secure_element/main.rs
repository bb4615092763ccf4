//! A band whose keys live in a secure element.
//!
//! The band's firmware has the number of a slot and a public key where it otherwise would have a private one: a [`DiffieHellman`] for the
//! links, [`PaymentKeys`] with a signer for the payments. It pairs, enrols, loses power, pays, and is left alone by its chip.
//!
//! ```text
//!  band ── PaymentKeys, DiffieHellman ── driver ──── bytes ────▶ element
//! ```
//!
//! `cargo run -p armring-band --example secure_element` tells the story; `cargo test` runs it as well and looks for keys where none must be.
//! The chip is a simulation in memory, with seeds that everybody knows.

mod driver;
mod element;
#[path = "../../../armring-wallet/tests/suite/common/issuer.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, reason = "an issuer for tests, of which this needs a part")]
mod issuer;
mod room;
#[cfg(test)]
mod tests;

use std::error::Error;

use armring_band::{Event, MachineError, Secret, Signal};
use armring_token::{Counter, PaymentKey, PaymentToken, Unverified};
use ed25519_dalek::{Signature, SigningKey, Verifier, VerifyingKey};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use driver::Bus;
use element::Element;
use issuer::{Shop, TestIssuer};
use room::Room;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    story().map(drop)
}

/// The example's way to say what it expects.
fn check(holds: bool, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(format!("it is not so that {what}").into()) }
}

/// From the factory to a payment. Gives back the room as it is then.
fn story() -> Result<Room> {
    let maker = SigningKey::from_bytes(&[0x4D; 32]);
    let bus = Bus::new(Element::new(maker.clone(), ChaCha20Rng::seed_from_u64(1)));
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::new(bus, issuer.root_key(), ChaCha20Rng::seed_from_u64(2))?;
    println!("A chip made the band's link key.");

    room.happens(Event::Chosen(Secret::pin(b"2580").ok_or("no PIN")?));
    println!("The wearer chose a PIN. What is stored of it is a MAC of the chip's: the flash alone does not tell which it is.");

    room.pair()?;
    println!("Paired: band and phone both showed {}.", room.code_in_wallet().ok_or("no code")?.digits());
    check(room.reconnect()?, "they know each other again")?;
    room.enrol(&mut issuer)?;
    let key = *issuer.payment_keys.last().ok_or("no key was enrolled")?;
    println!("Enrolled a payment key that the chip made: {}.", hex(&key));

    attested(&issuer, &key, &maker.verifying_key())?;
    room.restart_band()?;
    check(room.reconnect()?, "they know each other again")?;
    println!("The band lost power. Its flash and the number of a slot were enough to find its keys again.");

    room.happens(Event::PutOn);
    room.happens(Event::Entered(Secret::pin(b"2580").ok_or("no PIN")?));
    check(room.ask_to_pay(&shop.asks(12_50))?.is_none(), "nothing is paid without a gesture")?;
    let token = room.press().ok_or("no token")?;
    let token = verified(&token, &key, &issuer)?;
    println!("Paid {}: token number {}, signed in the chip.", token.amount, token.counter);

    left_alone(&mut room, &mut shop, &key, &issuer)?;
    Ok(room)
}

/// What the band sent to the issuer of the chip's, and what the issuer's hook makes of it.
fn attested(issuer: &TestIssuer, key: &[u8; 32], maker: &VerifyingKey) -> Result<()> {
    let (handshake, word) = issuer.attested.last().ok_or("nothing was said")?;
    let (batch, signature) = word.split_at_checked(8).ok_or("too short")?;
    check(batch == element::BATCH, "the issuer knows the batch")?;
    maker.verify(&element::attested(handshake, key), &Signature::from_slice(signature)?)?;
    println!("The chip's maker told the issuer, in {} bytes, that the key lives in a chip.", word.len());
    Ok(())
}

/// The chip does not answer: nothing is signed and nobody is let in, and once it answers again nothing is lost.
fn left_alone(room: &mut Room, shop: &mut Shop, key: &[u8; 32], issuer: &TestIssuer) -> Result<()> {
    let request = shop.asks(3_00);
    room.ask_to_pay(&request)?;
    room.log.clear();
    room.signals.clear();
    room.bus.set_broken(true);
    check(room.press().is_none(), "there is no token")?;
    check(room.log == [armring_band::Error::Machine(MachineError::Key)], "the band says whose fault it is")?;
    check(room.signals == [Signal::Fault], "the wearer hears of it")?;
    check(!room.reconnect()?, "there is no link without the chip")?;
    println!("The chip did not answer: no token, no link. The log says: {}.", MachineError::Key);

    room.bus.set_broken(false);
    room.signals.clear();
    check(room.reconnect()?, "they know each other again")?;
    let token = room.ask_to_pay(&request)?.ok_or("no token")?;
    let token = verified(&token, key, issuer)?;
    check(token.counter == Counter(2), "the counter that was stored was the one that was signed")?;
    check(room.signals.is_empty(), "the wearer need do nothing")?;
    println!("It answers again: asked again, the band signed {}, for which the wearer had pressed.", token.amount);
    Ok(())
}

fn verified(token: &[u8], key: &[u8; 32], issuer: &TestIssuer) -> Result<PaymentToken> {
    let key = PaymentKey::from_bytes(*key).ok_or("not a key")?;
    Ok(*Unverified::<PaymentToken>::parse(token)?.verify(&issuer.fingerprint(), &key)?.body())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
