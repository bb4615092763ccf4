//! What a band's label or display carries, so that a wallet pairs with this band and no other.

use core::fmt;

use armring_wire::BufferTooSmall;
use armring_wire::records::Assurance;
use armring_wire::uri::{UriError, UriKind, decode_uri, encode_uri, uri_len};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::dh::PublicKey;
use crate::error::Error;
use crate::hello::fill;
use crate::label::{OOB_KEY, OOB_PSK, labelled_hash};
use crate::noise::Psk;
use crate::secret::{draw, secret};

secret! {
    /// What a label or a display carries from the band to the wallet, past the radio.
    PairingSecret
}

impl PairingSecret {
    /// A new secret, for a display to show during one pairing window.
    ///
    /// # Errors
    ///
    /// [`MachineError::Randomness`](crate::MachineError::Randomness) if `rng` fails.
    pub fn generate(rng: &mut impl TryCryptoRng) -> Result<Self, Error> {
        Ok(Self::new(*draw(rng)?))
    }

    pub(crate) fn psk(&self) -> Psk {
        Psk::new(labelled_hash(OOB_PSK, &[self.expose()]))
    }
}

/// Where a pairing secret was read. On the wire 1 byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// 0, on a label: whoever saw it before has it too.
    Printed,
    /// 1, on the band's display, which shows another one each time.
    Displayed,
}

impl Source {
    /// How much a link that was made with such a secret is worth.
    #[must_use]
    pub const fn assurance(self) -> Assurance {
        match self {
            Self::Printed => Assurance::PrintedSecret,
            Self::Displayed => Assurance::DisplayedSecret,
        }
    }
}

/// The hash by which a label names its band's static key.
pub(crate) fn key_hash(band: &PublicKey) -> [u8; 32] {
    labelled_hash(OOB_KEY, &[band.as_bytes()])
}

/// A secret for pairing, and whose it is.
///
/// As a URI it is `armring:pair/1/` and, in base64url, `source (1) ‖ secret (32) ‖ H("oob key", band's static key) (32)`.
pub struct PairingLabel {
    source: Source,
    secret: PairingSecret,
    key_hash: [u8; 32],
}

impl PairingLabel {
    /// Bytes of its payload.
    const LEN: usize = 65;
    /// Characters of its URI.
    pub const URI_LEN: usize = uri_len(UriKind::Pair, Self::LEN);

    /// The label of the band with this static key.
    #[must_use]
    pub fn new(source: Source, secret: PairingSecret, band: &PublicKey) -> Self {
        Self { source, secret, key_hash: key_hash(band) }
    }

    /// Writes its URI into `buffer`, which is as secret as the label: wipe it when it was shown.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] if `buffer` is shorter than [`Self::URI_LEN`].
    pub fn to_uri<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b str, BufferTooSmall> {
        let mut payload = Zeroizing::new([0; Self::LEN]);
        fill(payload.as_mut_slice(), &[&[self.source as u8], self.secret.expose(), &self.key_hash]);
        encode_uri(UriKind::Pair, payload.as_slice(), buffer)
    }

    /// The label in this URI.
    ///
    /// # Errors
    ///
    /// A [`UriError`] says why it is none.
    pub fn from_uri(uri: &str) -> Result<Self, UriError> {
        let mut buffer = Zeroizing::new([0; Self::LEN]);
        let payload = decode_uri(UriKind::Pair, uri, buffer.as_mut_slice())?;
        let (source, rest) = payload.split_first().ok_or(UriError::Malformed)?;
        let (secret, key_hash) = rest.split_first_chunk().ok_or(UriError::Malformed)?;
        let source = match source {
            0 => Source::Printed,
            1 => Source::Displayed,
            _ => return Err(UriError::Malformed),
        };
        let key_hash = key_hash.try_into().map_err(|_| UriError::Malformed)?;
        Ok(Self { source, secret: PairingSecret::new(*secret), key_hash })
    }

    /// Where it was read, as it says itself.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// The secret.
    #[must_use]
    pub const fn secret(&self) -> &PairingSecret {
        &self.secret
    }

    pub(crate) const fn key_hash(&self) -> &[u8; 32] {
        &self.key_hash
    }
}

impl fmt::Debug for PairingLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairingLabel").field("source", &self.source).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::{String, ToString};

    use proptest::prelude::*;

    use super::*;

    fn written(label: &PairingLabel) -> String {
        label.to_uri(&mut [0; PairingLabel::URI_LEN]).unwrap().to_string()
    }

    fn uri(source: Source, secret: [u8; 32], band: [u8; 32]) -> String {
        written(&PairingLabel::new(source, PairingSecret::new(secret), &PublicKey::new(band)))
    }

    #[test]
    fn a_label_s_uri_has_one_form() {
        let uri = uri(Source::Displayed, [7; 32], [9; 32]);
        assert_eq!(uri.len(), PairingLabel::URI_LEN);
        assert_eq!(PairingLabel::URI_LEN, 102);
        assert!(PairingLabel::from_uri(&uri.replace("armring:", "ARMRING:")).is_ok(), "scanners hand on capitals");
        for (wrong, error) in [
            (uri.replace("armring", "bandring"), UriError::Foreign),
            (uri.replace("pair", "pay"), UriError::OtherKind),
            (uri.replace("/1/", "/2/"), UriError::Newer),
            (uri.replace("/1/", "/01/"), UriError::Malformed),
            (uri.replace("/1/", "/x/"), UriError::Malformed),
            (uri.clone() + "=", UriError::Malformed),
            (uri.clone() + "A", UriError::Malformed),
            (uri.clone() + " ", UriError::Malformed),
            (uri[..uri.len() - 1].to_string(), UriError::Malformed),
            (uri.replace("/1/A", "/1/C"), UriError::Malformed),
            (String::new(), UriError::Foreign),
            ("armring:".to_string(), UriError::Malformed),
        ] {
            assert_eq!(PairingLabel::from_uri(&wrong).err(), Some(error), "{wrong}");
        }
    }

    #[test]
    fn debug_of_a_label_shows_no_secret() {
        let label = PairingLabel::new(Source::Printed, PairingSecret::new([7; 32]), &PublicKey::new([9; 32]));
        assert_eq!(std::format!("{label:?}"), "PairingLabel { source: Printed, .. }");
    }

    proptest! {
        #[test]
        fn a_label_s_uri_comes_back(displayed: bool, secret: [u8; 32], band: [u8; 32]) {
            let source = if displayed { Source::Displayed } else { Source::Printed };
            let uri = uri(source, secret, band);
            let label = PairingLabel::from_uri(&uri).unwrap();
            prop_assert_eq!((label.source(), label.secret().expose()), (source, &secret));
            prop_assert_eq!(label.key_hash(), &key_hash(&PublicKey::new(band)));
            prop_assert_eq!(written(&label), uri);
        }

        #[test]
        fn what_parses_as_a_label_is_written_the_same(text in "(armring:)?(pair/)?(1/)?[A-Za-z0-9_/=+-]{0,90}") {
            if let Ok(label) = PairingLabel::from_uri(&text) {
                prop_assert_eq!(written(&label), text);
            }
        }

        #[test]
        fn a_changed_character_is_another_label_or_none(secret: [u8; 32], at in 15..102usize, to in "[A-Za-z0-9_-]") {
            let good = uri(Source::Printed, secret, [9; 32]);
            let mut changed = good.clone();
            changed.replace_range(at..=at, &to);
            if let Ok(label) = PairingLabel::from_uri(&changed) {
                prop_assert_eq!(written(&label), changed);
            }
        }
    }
}
