//! The chip: what a secure element does, simulated. Bytes go in and bytes come out, as through ISO 7816; no private key is among them.
//!
//! | command | | answer |
//! |---|---|---|
//! | `01` | makes an X25519 key | slot (1), public key (32) |
//! | `02` | makes an Ed25519 key | slot (1), public key (32) |
//! | `03` slot, `01` or `02` | gives the public half of a key of that kind | public key (32) |
//! | `04` slot, public key (32) | X25519 | shared secret (32) |
//! | `05` slot, message | Ed25519 | signature (64) |
//! | `06` 32 bytes | a MAC under a key of the chip's | 32 bytes |
//! | `07` slot, challenge (32) | says that the Ed25519 key in this slot lives here | batch (8), signature (64) |
//!
//! In front of an answer stands one byte of status. A real chip would have commands to erase a slot, and no more of them than it needs.

use std::fmt;

use armring_pairing::{DhError, DiffieHellman, PublicKey, SoftwareKey};
use blake2::Blake2sMac256;
use blake2::digest::{FixedOutput, KeyInit, Update};
use ed25519_dalek::{Signer, SigningKey};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng;
use zeroize::Zeroizing;

pub(crate) const MAKE_LINK_KEY: u8 = 1;
pub(crate) const MAKE_PAYMENT_KEY: u8 = 2;
pub(crate) const PUBLIC: u8 = 3;
pub(crate) const AGREE: u8 = 4;
pub(crate) const SIGN: u8 = 5;
pub(crate) const MAC: u8 = 6;
pub(crate) const ATTEST: u8 = 7;

pub(crate) const OK: u8 = 0;
/// No such command, no such slot, no key in it, or a key that is not for this.
pub(crate) const REFUSED: u8 = 1;
/// All slots are taken.
pub(crate) const FULL: u8 = 2;
/// X25519 gave zero.
pub(crate) const ZERO: u8 = 3;

const SLOTS: usize = 8;

/// Which chips share an attestation key, so that it names the make and not the wearer.
pub(crate) const BATCH: [u8; 8] = *b"batch 01";

/// A key in its slot. It never leaves.
enum Slot {
    Empty,
    Link(SoftwareKey),
    Payment(SigningKey),
}

pub(crate) struct Element {
    slots: [Slot; SLOTS],
    mac_key: Zeroizing<[u8; 32]>,
    attestation_key: SigningKey,
    /// The chip's own source of randomness.
    rng: ChaCha20Rng,
}

/// Nothing of what is in it.
impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element").finish_non_exhaustive()
    }
}

impl Element {
    /// As it leaves the factory, with the key that its batch attests with.
    pub(crate) fn new(attestation_key: SigningKey, mut rng: ChaCha20Rng) -> Self {
        let mac_key = random(&mut rng);
        Self { slots: [const { Slot::Empty }; SLOTS], mac_key, attestation_key, rng }
    }

    /// Answers a command: `status (1) ‖ data`.
    pub(crate) fn answer(&mut self, command: &[u8]) -> Zeroizing<Vec<u8>> {
        let (status, data) = match self.obey(command) {
            Ok(data) => (OK, data),
            Err(status) => (status, Zeroizing::default()),
        };
        let mut answer = Zeroizing::new(Vec::with_capacity(1 + data.len()));
        answer.push(status);
        answer.extend_from_slice(&data);
        answer
    }

    fn obey(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, u8> {
        let data = match command {
            [MAKE_LINK_KEY] => {
                let key = SoftwareKey::new(*random(&mut self.rng));
                self.keep(Slot::Link(key))?
            }
            [MAKE_PAYMENT_KEY] => {
                let key = SigningKey::from_bytes(&random(&mut self.rng));
                self.keep(Slot::Payment(key))?
            }
            [PUBLIC, slot, kind] => self.public(*slot, *kind)?.to_vec(),
            [AGREE, slot, peer @ ..] => {
                let peer: [u8; 32] = peer.try_into().map_err(|_| REFUSED)?;
                let Slot::Link(key) = self.slot(*slot)? else { return Err(REFUSED) };
                let shared = key.diffie_hellman(&PublicKey::new(peer));
                shared.map_err(|error| if error == DhError::Zero { ZERO } else { REFUSED })?.as_bytes().to_vec()
            }
            [SIGN, slot, message @ ..] => self.payment_key(*slot)?.sign(message).to_bytes().to_vec(),
            [MAC, data @ ..] if data.len() == 32 => self.mac(data)?,
            [ATTEST, slot, challenge @ ..] if challenge.len() == 32 => self.attest(*slot, challenge)?,
            _ => return Err(REFUSED),
        };
        Ok(data.into())
    }

    /// Puts a key where there is room, and tells where and what its public half is.
    fn keep(&mut self, key: Slot) -> Result<Vec<u8>, u8> {
        let (number, slot) = (0..).zip(&mut self.slots).find(|(_, slot)| matches!(slot, Slot::Empty)).ok_or(FULL)?;
        let kind = if matches!(key, Slot::Link(_)) { MAKE_LINK_KEY } else { MAKE_PAYMENT_KEY };
        *slot = key;
        Ok([&[number][..], &self.public(number, kind)?].concat())
    }

    fn slot(&self, slot: u8) -> Result<&Slot, u8> {
        self.slots.get(usize::from(slot)).ok_or(REFUSED)
    }

    fn payment_key(&self, slot: u8) -> Result<&SigningKey, u8> {
        if let Slot::Payment(key) = self.slot(slot)? { Ok(key) } else { Err(REFUSED) }
    }

    fn public(&self, slot: u8, kind: u8) -> Result<[u8; 32], u8> {
        match (self.slot(slot)?, kind) {
            (Slot::Link(key), MAKE_LINK_KEY) => Ok(*key.public_key().as_bytes()),
            (Slot::Payment(key), MAKE_PAYMENT_KEY) => Ok(key.verifying_key().to_bytes()),
            _ => Err(REFUSED),
        }
    }

    fn mac(&self, data: &[u8]) -> Result<Vec<u8>, u8> {
        let mac = Blake2sMac256::new_from_slice(self.mac_key.as_slice()).map_err(|_| REFUSED)?;
        Ok(mac.chain(data).finalize_fixed().to_vec())
    }

    fn attest(&self, slot: u8, challenge: &[u8]) -> Result<Vec<u8>, u8> {
        let key = self.payment_key(slot)?.verifying_key().to_bytes();
        let signature = self.attestation_key.sign(&attested(challenge, &key)).to_bytes();
        Ok([&BATCH[..], &signature].concat())
    }

    /// What a laboratory finds that opens the chip: each private key, in every form in which it is used.
    #[cfg(test)]
    pub(crate) fn opened(&self) -> Vec<Vec<u8>> {
        let signing =
            |key: &SigningKey| [key.to_bytes(), key.to_scalar_bytes(), key.to_scalar().to_bytes()].map(|form| form.to_vec());
        let mut found = vec![self.mac_key.to_vec()];
        found.extend(signing(&self.attestation_key));
        for slot in &self.slots {
            match slot {
                Slot::Empty => {}
                Slot::Link(key) => found.push(key.expose().to_vec()),
                Slot::Payment(key) => found.extend(signing(key)),
            }
        }
        found
    }
}

/// What the maker's word is over, for the issuer to verify: a label, the challenge (32), the payment key (32).
pub(crate) fn attested(challenge: &[u8], payment_key: &[u8; 32]) -> Vec<u8> {
    [b"this key lives in a chip of ours: ", challenge, payment_key].concat()
}

fn random(rng: &mut ChaCha20Rng) -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill_bytes(bytes.as_mut_slice());
    bytes
}
