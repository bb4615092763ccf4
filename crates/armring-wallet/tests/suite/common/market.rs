//! Everybody whom a payment passes: the room with wallet and band, a payee, an issuer's ledger, and ways between them that lose things.

use std::collections::BTreeMap;

use armring_band::{Gesture, Signal};
use armring_payee::{Heard, Sale};
use armring_token::{KeyList, PaymentToken, Unverified, Verified};
use armring_wallet::{Connection, Event, Next};
use armring_wire::records::band::{Awaited, ToBand};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::FromPayee;
use armring_wire::{Opaque, Outcome, RequestDigest, TokenDigest, encode};

use super::Room;
use super::issuer::TestIssuer;

/// An issuer's ledger that answers a token once and for all, and settles a request once.
#[derive(Default)]
pub(crate) struct Ledger {
    answered: BTreeMap<TokenDigest, Vec<u8>>,
    settled: BTreeMap<RequestDigest, usize>,
    /// The issuer cannot be reached.
    pub(crate) is_away: bool,
    /// What it decides about a request that was not settled before.
    pub(crate) outcome: Option<Outcome>,
}

impl Ledger {
    pub(crate) fn settlements(&self) -> usize {
        self.settled.values().sum()
    }

    pub(crate) fn redeem(&mut self, asked: ToIssuer<'_>, issuer: &TestIssuer) -> Option<Vec<u8>> {
        let ToIssuer::Redeem { token, .. } = asked else { panic!("no token to redeem") };
        if self.is_away {
            return None;
        }
        let parsed = Unverified::<PaymentToken>::parse(token.as_bytes()).unwrap();
        let (digest, request) = (parsed.token_digest(&issuer.fingerprint()), parsed.claims().request);
        if !self.answered.contains_key(&digest) {
            let free = !self.settled.contains_key(&request);
            let outcome = self.outcome.filter(|_| free).unwrap_or(if free { Outcome::Settled } else { Outcome::AlreadySettled });
            if outcome.is_settled() {
                *self.settled.entry(request).or_default() += 1;
            }
            self.answered.insert(digest, issuer.receipt(token.as_bytes(), outcome, 2_000, 9_000));
        }
        let receipt = FromIssuer::Receipt(Opaque::new(&self.answered[&digest])?);
        Some(encode(&receipt, &mut [0; 512]).unwrap().to_vec())
    }
}

/// A way on which one message is lost: the one after so many.
#[derive(Default)]
pub(crate) struct Way {
    pub(crate) loses: Option<usize>,
}

impl Way {
    pub(crate) fn carries(&mut self) -> bool {
        let lost = self.loses == Some(0);
        self.loses = self.loses.and_then(|left| left.checked_sub(1));
        !lost
    }
}

/// A payee redeems what it is given, and says what that comes to.
pub(crate) fn hear(
    sale: &mut Sale,
    record: &[u8],
    ledger: &mut Ledger,
    issuer: &TestIssuer,
    keys: &Verified<KeyList>,
) -> Vec<u8> {
    let said = |answer: &FromPayee<'_>| encode(answer, &mut [0; 512]).unwrap().to_vec();
    let digest = match sale.hear(record) {
        Heard::Answer(answer) => return said(&answer),
        Heard::Redeem(digest) => digest,
    };
    match ledger.redeem(sale.redeem(&digest).unwrap(), issuer) {
        Some(answer) => said(&sale.issuer_says(&digest, &answer, keys).unwrap()),
        None => said(&FromPayee::Refused(Refusal::Busy)),
    }
}

impl Room {
    /// Says `record` to the band, over a new connection where the last one is gone, and makes the gesture that it asks for. What the band said
    /// to that is given, unless the connection was lost.
    pub(crate) fn carry(&mut self, record: &ToBand<'_>) -> Vec<Event> {
        if !self.is_linked() {
            self.reconnect();
        }
        self.events.clear();
        let Some(connection) = self.connection.as_mut().filter(|connection| connection.is_linked()) else { return Vec::new() };
        connection.say(record).unwrap();
        self.pump();
        let gesture = match self.waits_for() {
            Some(Awaited::PayGesture) => Some(Gesture::Press),
            Some(Awaited::ReceiveGesture) => Some(Gesture::DoublePress),
            _ => None,
        };
        if let Some(gesture) = gesture {
            self.gesture(gesture);
        }
        std::mem::take(&mut self.events)
    }

    pub(crate) fn is_gone(&self) -> bool {
        !self.connection.as_ref().is_some_and(Connection::is_linked)
    }

    /// How often the wearer was told that a payment was settled, or that money came.
    pub(crate) fn told(&self) -> usize {
        let tells = |signal: &&Signal| matches!(signal, Signal::Paid(Outcome::Settled, _) | Signal::Received(_));
        self.signals.iter().filter(tells).count()
    }
}

/// Whether there is nothing more to do.
pub(crate) const fn is_over(next: &Next<'_>) -> bool {
    matches!(next, Next::Done(_) | Next::Ended(_))
}
