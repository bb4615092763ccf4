//! The band as its host sees it: events in, outputs out.

use armring_pairing::{AdvertisingTag, DiffieHellman, MESSAGE_MAX, PairingLabel, PairingSecret};
use armring_token::{RootKey, Unlocking};
use armring_wire::{Reassembler, Uptime};
use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::error::Error;
use crate::event::{Event, Output};
use crate::face::Face;
use crate::keys::PaymentKeys;
use crate::show::Offer;
use crate::state::Core;
use crate::store::{StoreKey, StoredSecret};

/// How many wallets a band can be paired with.
pub const LINKS: usize = 4;

/// A payment band: what it knows, what it waits for, and what it wants done.
///
/// It does nothing by itself. Its host reports each [`Event`] with the time, and after each one polls until there are no more outputs:
///
/// ```text
/// at the start:   for key in StoreKey::all() { if let Some(value) = flash.read(key) { band.load(key, value)? } }
///
/// forever:        wait for an interrupt, or until band.deadline()
///                 if let Err(error) = band.handle(event, now, &mut rng) { log(error) }
///                 while let Some(output) = band.poll(&mut fragment) {
///                     match output {
///                         Transmit(bytes)      => notify the phone
///                         Store { key, value } => write, read back; report Stored or StoreFailed as the next event
///                         Erase { key }        => likewise
///                         EraseAll             => likewise
///                         Signal(signal)       => display (with band.offer(), where a payment waits), lights, motor
///                         Disconnect           => end the connection; report Disconnected
///                     }
///                 }
/// ```
///
/// `D` is where the band's X25519 key is kept, `P` where its payment keys are.
pub struct Band<D, P: PaymentKeys> {
    inbox: Reassembler<[u8; MESSAGE_MAX]>,
    core: Core<D, P>,
}

impl<D: DiffieHellman, P: PaymentKeys> Band<D, P> {
    /// A band with this X25519 key, these payment keys, and the root key of its issuer, which nothing that it is told can replace.
    pub fn new(identity: D, keys: P, root: RootKey) -> Self {
        Self { inbox: Reassembler::new([0; MESSAGE_MAX]), core: Core::new(identity, keys, root) }
    }

    /// This band with what it can show, which [`Face::Lights`] is as long as nobody says otherwise. To be said before the first event.
    #[must_use]
    pub fn with_face(mut self, face: Face) -> Self {
        self.core.face = face;
        self
    }

    /// This band with the secret that stands on its label. To be said before the first event. A [`Face::Display`] does not use it.
    #[must_use]
    pub fn with_label(mut self, secret: PairingSecret) -> Self {
        self.core.label = Some(secret);
        self
    }

    /// What a display is to show as a QR code from [`Signal::PairingOpen`](crate::Signal::PairingOpen) on, another one each time; `None`
    /// without a display, and once the window is closed or somebody has begun to pair.
    #[must_use]
    pub fn label(&self) -> Option<PairingLabel> {
        self.core.label_to_show()
    }

    /// A tag to advertise for the wallet of the link in `place`, 0 to [`LINKS`] − 1, or [`LINKS`] for one that is to take the place of
    /// another; `None` where there is none. Drawn anew for each advertising session, together with the radio's address; a band with
    /// several links shows each in turn.
    ///
    /// # Errors
    /// [`MachineError::Randomness`](crate::MachineError::Randomness).
    pub fn advertising_tag<R: TryCryptoRng>(&self, place: usize, rng: &mut R) -> Result<Option<AdvertisingTag>, Error> {
        let link = match self.core.slots.get(place) {
            Some(slot) => slot.link.as_ref(),
            None if place == LINKS => self.core.replacing().map(|(_, link)| link),
            None => None,
        };
        Ok(link.map(|link| AdvertisingTag::draw(link, rng)).transpose()?)
    }

    /// Takes back what was stored before a restart. Keys come in the order of [`StoreKey::all`].
    ///
    /// # Errors
    /// [`CallerError::BadValue`](crate::CallerError::BadValue) where `value` is not what the band stored under `key`: nothing has then changed;
    /// a [`MachineError`](crate::MachineError) where a payment key does not open. A band that has lost a value is to be [reset](crate::Gesture::Reset): without
    /// the tokens that it signed, it would count anew.
    pub fn load(&mut self, key: StoreKey, value: &[u8]) -> Result<(), Error> {
        self.core.load(key, value)
    }

    /// Handles what happened at `now`.
    ///
    /// # Errors
    /// An [`Error`] says who is to blame. [`CallerError::Undrained`](crate::CallerError::Undrained) means that the event was not handled; after any other the band has done
    /// what there was to do, and its outputs say so.
    pub fn handle<R: TryCryptoRng>(&mut self, event: Event<'_>, now: Uptime, rng: &mut R) -> Result<(), Error> {
        match event {
            Event::Fragment(fragment) => self.fragment(fragment, now, rng),
            Event::Connected(payload) => {
                self.inbox.reset();
                self.core.connected(payload, now, rng)
            }
            Event::Disconnected => {
                self.inbox.reset();
                self.core.disconnected()
            }
            other => self.core.handle(other, now, rng),
        }
    }

    fn fragment<R: TryCryptoRng>(&mut self, fragment: &[u8], now: Uptime, rng: &mut R) -> Result<(), Error> {
        self.core.expect_peer()?;
        match self.inbox.push(fragment) {
            Ok(None) => Ok(()),
            Ok(Some(record)) => {
                let result = self.core.record(record, now, rng);
                // It was opened in place: a share of a link secret, an enrolment's code.
                record.zeroize();
                result
            }
            // GATT delivers in order: what does not fit was not sent by a wallet that follows the protocol.
            Err(error) => Err(self.core.fail(error.into())),
        }
    }

    /// The next thing to do. `fragment` is where a fragment is written, as long as the ATT payload.
    pub fn poll<'b>(&'b mut self, fragment: &'b mut [u8]) -> Option<Output<'b>> {
        self.core.out.poll(fragment)
    }

    /// What a band with a display is to show while a payment waits: who asks, what for, how much. `None` without a display, and while none
    /// waits.
    #[must_use]
    pub fn offer(&self) -> Option<Offer<'_>> {
        self.core.offer()
    }

    /// What the wearer unlocks the band with on the band: a PIN, a tap pattern, or `None` while none was chosen.
    #[must_use]
    pub fn unlocking(&self) -> Option<Unlocking> {
        self.core.secret.as_ref().map(StoredSecret::unlocking)
    }

    /// When to report [`Event::Tick`] at the latest; `None` while nothing waits for time to pass.
    #[must_use]
    pub fn deadline(&self) -> Option<Uptime> {
        self.core.deadline()
    }
}

impl<D, P: PaymentKeys> core::fmt::Debug for Band<D, P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Band").finish_non_exhaustive()
    }
}
