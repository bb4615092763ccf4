//! What a band can show its wearer, and so in which ways it pairs.

use armring_pairing::{Methods, PairingSecret, Source};
use rand_core::TryCryptoRng;

use crate::error::Error;

/// What a band can show its wearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Face {
    /// Digits, text and a QR code: it pairs by a compared code or by a secret that it shows, whatever stands on its label, and pays nothing
    /// that it has not verified and shown.
    Display,
    /// Lights or a motor, or digits alone, which can play a code but no text: it pairs by a compared code, or by the secret on its label.
    Lights,
    /// Nothing that could tell one code from another: it pairs by the secret on its label, or, where it has none, by a press, with the least
    /// assurance.
    Button,
}

impl Face {
    /// The ways of pairing that one gesture allows. A display shows another secret each time; a label's is always the same.
    pub(crate) fn methods<R: TryCryptoRng>(self, label: Option<&PairingSecret>, rng: &mut R) -> Result<Methods, Error> {
        let printed = label.map(|secret| PairingSecret::new(*secret.expose()));
        Ok(match (self, printed) {
            (Self::Display, _) => Methods::code().or_secret(PairingSecret::generate(rng)?, Source::Displayed),
            (Self::Lights, Some(secret)) => Methods::code().or_secret(secret, Source::Printed),
            (Self::Lights, None) => Methods::code(),
            (Self::Button, Some(secret)) => Methods::label(secret),
            (Self::Button, None) => Methods::press_only(),
        })
    }
}
