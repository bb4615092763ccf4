//! What a band has paid with one credential, as its flash and its phones have seen it.

use std::collections::BTreeMap;

use armring_token::{Credential, Gesture as Effort, PaymentToken};

/// Bytes of a token's body, which is the first of what is stored of it.
const TOKEN_LEN: usize = 75;

/// What the band has done with one credential.
pub(super) struct Purse {
    pub(super) credential: Credential,
    /// What was ever durable, by counter.
    pub(super) durable: BTreeMap<u32, PaymentToken>,
    /// What was ever said, by counter.
    pub(super) said: BTreeMap<u32, Vec<u8>>,
}

impl Purse {
    /// Whether one more without a gesture is within what the credential allows since the last one with one.
    pub(super) fn has_free(&self, token: &PaymentToken) -> bool {
        let limits = self.credential.limits;
        let run = self.durable.values().rev().take_while(|token| token.presence.gesture == Effort::None);
        let amounts: Vec<u64> = run.map(|token| token.amount.minor()).collect();
        let total = amounts.iter().sum::<u64>() + token.amount.minor();
        token.amount.minor() <= limits.free.0 && amounts.len() < usize::from(limits.free_count.0) && total <= limits.free_total.0
    }
}

/// The token that is stored so.
pub(super) fn body(value: &[u8]) -> PaymentToken {
    armring_wire::decode(&value[..TOKEN_LEN]).unwrap()
}
