//! What must hold of the tokens of a band, whatever happened to it.

use std::collections::BTreeMap;

use armring_token::{Gesture as Made, PaymentToken, Unverified};

use super::after::Broken;
use super::disk::Values;
use super::world::World;

pub(crate) fn stored_tokens(values: &Values) -> impl Iterator<Item = Vec<u8>> {
    let body = PaymentToken::LEN - 64;
    values.iter().filter(|(key, _)| **key & 0xF0 == 0x50).map(move |(_, value)| value[..body].to_vec())
}

/// The tokens of one credential: the bytes and what they say, by counter.
type Tokens = BTreeMap<u32, (Vec<u8>, PaymentToken)>;

/// All tokens that have left the band, and those that it has stored.
pub(crate) fn tokens(world: &mut World) -> Result<(), Broken> {
    let mut credentials: BTreeMap<[u8; 8], Tokens> = BTreeMap::new();
    let stored = if world.is_off() { Values::new() } else { world.disk.values().map_err(Broken::Start)? };
    for bytes in world.facts.tokens.iter().cloned().chain(stored_tokens(&stored)) {
        let token = parse(&bytes);
        let known = credentials.entry(token.credential.0).or_default().entry(token.counter.0).or_insert((bytes.clone(), token));
        if known.0 != bytes {
            return Err(Broken::Counter);
        }
    }
    let limits = world.issuer.template.limits;
    for tokens in credentials.values() {
        let (mut total, mut count, mut sum) = (0, 0, 0);
        for (_, token) in tokens.values() {
            let amount = token.amount.minor();
            if token.cumulative.0 < total + amount {
                return Err(Broken::Interval);
            }
            total = token.cumulative.0;
            (count, sum) = if token.presence.gesture == Made::None { (count + 1, sum + amount) } else { (0, 0) };
            if count > limits.free_count.0 || sum > limits.free_total.0 {
                return Err(Broken::Free);
            }
        }
    }
    // What was signed since power is back knows of every receipt that the wearer was told of.
    for bytes in world.facts.tokens.iter().skip(world.known) {
        let token = parse(bytes);
        let ceiling = world.facts.ceilings.get(&token.credential.0).copied().unwrap_or_default();
        if token.presence.online_only && token.cumulative.0 <= ceiling {
            return Err(Broken::Receipt);
        }
    }
    Ok(())
}

fn parse(body: &[u8]) -> PaymentToken {
    *Unverified::<PaymentToken>::parse(&[&[0; 64], body].concat()).unwrap().claims()
}
