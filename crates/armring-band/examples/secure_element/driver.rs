//! The host's side of the chip: what the band's firmware has of keys, which is numbers of slots and public halves.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use armring_band::{ATTESTATION_MAX, KeyError, KeyHandle, OpenKey, PaymentKeys};
use armring_pairing::{DhError, DiffieHellman, PublicKey, SharedSecret};
use armring_token::{PaymentKey, Signature, Signing};
use rand_core::TryCryptoRng;
use signature::MultipartSigner;
use zeroize::Zeroizing;

use crate::element::{self, Element};

/// The wires to the chip. Whoever has them can ask for all that it does.
#[derive(Clone)]
pub(crate) struct Bus(Rc<Wires>);

struct Wires {
    element: RefCell<Element>,
    broken: Cell<bool>,
    /// What an oscilloscope sees.
    #[cfg(test)]
    seen: RefCell<Vec<Vec<u8>>>,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}

/// Why the chip did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It does not answer, or not what it should.
    NoAnswer,
    /// It answered with this status.
    Status(u8),
}

impl Bus {
    pub(crate) fn new(element: Element) -> Self {
        Self(Rc::new(Wires {
            element: RefCell::new(element),
            broken: Cell::new(false),
            #[cfg(test)]
            seen: RefCell::default(),
        }))
    }

    /// Breaks the wires, or mends them.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.0.broken.set(broken);
    }

    /// Sends the concatenation of `command`; gives the data of the answer. A real driver gives up after some milliseconds.
    fn ask(&self, command: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if self.0.broken.get() {
            return Err(Failure::NoAnswer);
        }
        let command = Zeroizing::new(command.concat());
        let answer = self.0.element.try_borrow_mut().map_err(|_| Failure::NoAnswer)?.answer(&command);
        #[cfg(test)]
        self.0.seen.borrow_mut().extend([command.to_vec(), answer.to_vec()]);
        match answer.split_first() {
            Some((&element::OK, data)) => Ok(Zeroizing::new(data.to_vec())),
            Some((&status, _)) => Err(Failure::Status(status)),
            None => Err(Failure::NoAnswer),
        }
    }

    /// As [`Bus::ask`], for an answer of known length.
    fn ask_for<const N: usize>(&self, command: &[&[u8]]) -> Result<Zeroizing<[u8; N]>, Failure> {
        let data = self.ask(command)?;
        Ok(Zeroizing::new(data.as_slice().try_into().map_err(|_| Failure::NoAnswer)?))
    }

    /// Makes a key and gives the number of its slot.
    fn make(&self, command: u8) -> Result<u8, Failure> {
        let answer = self.ask_for::<33>(&[&[command]])?;
        let [slot, ..] = *answer;
        Ok(slot)
    }

    /// The public half of a key that `made` made.
    fn public(&self, slot: u8, made: u8) -> Result<[u8; 32], Failure> {
        Ok(*self.ask_for(&[&[element::PUBLIC, slot, made]])?)
    }

    #[cfg(test)]
    pub(crate) fn seen(&self) -> Vec<Vec<u8>> {
        self.0.seen.borrow().clone()
    }

    #[cfg(test)]
    pub(crate) fn opened(&self) -> Vec<Vec<u8>> {
        self.0.element.borrow().opened()
    }
}

/// The band's X25519 key. Its public half is at hand, since it is asked for often.
#[derive(Debug)]
pub(crate) struct ElementKey {
    bus: Bus,
    slot: u8,
    public: PublicKey,
}

impl ElementKey {
    /// Makes the key: once, in the factory.
    pub(crate) fn make(bus: &Bus) -> Result<Self, Failure> {
        Self::open(bus, bus.make(element::MAKE_LINK_KEY)?)
    }

    /// Finds the key again, at each start.
    pub(crate) fn open(bus: &Bus, slot: u8) -> Result<Self, Failure> {
        Ok(Self { bus: bus.clone(), slot, public: PublicKey::new(bus.public(slot, element::MAKE_LINK_KEY)?) })
    }

    pub(crate) fn slot(&self) -> u8 {
        self.slot
    }
}

impl DiffieHellman for ElementKey {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn diffie_hellman(&self, peer: &PublicKey) -> Result<SharedSecret, DhError> {
        match self.bus.ask_for(&[&[element::AGREE, self.slot], peer.as_bytes()]) {
            // Zero is looked for here as well: not all chips do.
            Ok(shared) => SharedSecret::new(*shared),
            Err(Failure::Status(element::ZERO)) => Err(DhError::Zero),
            Err(_) => Err(DhError::Unavailable),
        }
    }
}

/// The band's payment keys.
#[derive(Debug)]
pub(crate) struct ElementKeys(pub(crate) Bus);

/// What a handle begins with; the last byte is the slot. It is no secret: who reads it still needs the chip.
const HANDLE: [u8; 31] = *b"secure element payment key slot";

impl ElementKeys {
    fn slot(handle: &KeyHandle) -> Result<u8, KeyError> {
        let (slot, rest) = handle.0.split_last().ok_or(KeyError)?;
        if *rest == HANDLE { Ok(*slot) } else { Err(KeyError) }
    }
}

impl PaymentKeys for ElementKeys {
    type Signer = ElementSigner;

    /// The band's generator is not needed: the chip has its own.
    fn create<R: TryCryptoRng + ?Sized>(&mut self, _: &mut R) -> Result<KeyHandle, KeyError> {
        let mut handle = KeyHandle([0; 32]);
        if let Some((slot, rest)) = handle.0.split_last_mut() {
            *slot = self.0.make(element::MAKE_PAYMENT_KEY).map_err(|_| KeyError)?;
            rest.copy_from_slice(&HANDLE);
        }
        Ok(handle)
    }

    fn open(&self, handle: &KeyHandle) -> Result<OpenKey<ElementSigner>, KeyError> {
        let slot = Self::slot(handle)?;
        let public = self.0.public(slot, element::MAKE_PAYMENT_KEY).map_err(|_| KeyError)?;
        let public = PaymentKey::from_bytes(public).ok_or(KeyError)?;
        Ok(OpenKey { public, signing: Signing::new(ElementSigner { bus: self.0.clone(), slot }) })
    }

    fn bind_secret(&self, hash: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        self.0.ask_for(&[&[element::MAC], hash]).map_err(|_| KeyError)
    }

    fn attest(&self, handle: &KeyHandle, challenge: &[u8; 32], out: &mut [u8]) -> Result<usize, KeyError> {
        let word = self.0.ask(&[&[element::ATTEST, Self::slot(handle)?], challenge]).map_err(|_| KeyError)?;
        if word.len() > ATTESTATION_MAX {
            return Err(KeyError);
        }
        out.get_mut(..word.len()).ok_or(KeyError)?.copy_from_slice(&word);
        Ok(word.len())
    }
}

/// Signs with one payment key.
#[derive(Debug)]
pub(crate) struct ElementSigner {
    bus: Bus,
    slot: u8,
}

impl MultipartSigner<Signature> for ElementSigner {
    fn try_multipart_sign(&self, message: &[&[u8]]) -> Result<Signature, signature::Error> {
        let sign = [element::SIGN, self.slot];
        let signature = self.bus.ask_for(&[&[&sign[..]], message].concat()).map_err(|_| signature::Error::new())?;
        Ok(Signature::from_bytes(&signature))
    }
}
