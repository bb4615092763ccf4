//! A phone that is its own authenticator: the code that a band runs, inside of the app.
//!
//! ```text
//!  Connection ──▶ Radio::send ────▶ Event::Fragment ──▶ Band     the app's wallet, with a link of its own
//!             ◀── Radio::receive ◀─ Output::Transmit ◀─          to the authenticator beside it
//!  the owner's finger ────────────▶ Recognised, Press            the system's prompt, over Signal::Waiting and Band::offer
//!  the app's own files ◀──────────  Output::Store, Erase         never in a backup
//! ```
//!
//! Nothing of the protocol is different: the same link, the same credential, the same tokens; the issuer sees a band with a display. What an app
//! puts in place of what stands here:
//!
//! - **Keys.** `SoftwareKey` and `SoftwareKeys` in `body.rs` are in memory. The system's key store goes behind the traits
//!   `armring_pairing::DiffieHellman` and `armring_band::PaymentKeys`, or keeps the key that the files are encrypted with.
//! - **Worn.** A phone is on no wrist. What counts as that is the app in the foreground: it reports `PutOn` when it comes there, and `TakenOff`
//!   when it leaves or the screen is locked, after which nothing is signed.
//! - **The gesture.** One prompt is both: the finger unlocks and presses. It is shown *after* the authenticator has verified the request, with
//!   what it verified, and answers that request alone.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::mpsc::Receiver;

use anyhow::{Context, Result, bail};
use armring_band::{Event, Face, Gesture};
use armring_pairing::PairingLabel;
use armring_token::RootKey;
use armring_wire::AttPayload;

use crate::body::{Body, Phone};
use crate::control::PhoneCommand;
use crate::disk::Disk;
use crate::line::Radio;

/// The owner of the phone, as far as the authenticator is concerned: what they do, one thing after the other.
pub(crate) type Owner = Rc<Receiver<Option<PhoneCommand>>>;

/// The authenticator inside of a phone.
pub(crate) struct Authenticator {
    body: Body,
    wallet: Wallet,
    payload: AttPayload,
    owner: Owner,
}

/// The app's wallet, as the authenticator sees it: whether it is connected, and what it has not read yet.
#[derive(Default)]
struct Wallet {
    connected: bool,
    fragments: VecDeque<Vec<u8>>,
}

impl Phone for Wallet {
    fn notify(&mut self, fragment: &[u8]) {
        self.fragments.push_back(fragment.to_vec());
    }

    fn disconnect(&mut self) -> Result<bool> {
        Ok(std::mem::take(&mut self.connected))
    }
}

impl Authenticator {
    pub(crate) fn start(disk: Disk, root: RootKey, payload: AttPayload, owner: Owner) -> Result<Self> {
        let body = Body::start(disk, root, Face::Display)?;
        let mut authenticator = Self { body, wallet: Wallet::default(), payload, owner };
        authenticator.happens(Event::PutOn)?;
        Ok(authenticator)
    }

    /// Opens the pairing window and gives what its display would show. The wallet beside it needs no camera to read it.
    pub(crate) fn label(&mut self) -> Result<PairingLabel> {
        self.happens(Event::Gesture(Gesture::Hold))?;
        self.body.band().label().context("the window did not open")
    }

    /// The system recognised its owner: what waits is paid, and if nothing waits, it is unlocked for what comes.
    pub(crate) fn recognised(&mut self) -> Result<()> {
        self.happens(Event::Recognised)?;
        self.happens(Event::Gesture(Gesture::Press))
    }

    /// Looks at the clock.
    pub(crate) fn tick(&mut self) -> Result<()> {
        self.happens(Event::Tick)
    }

    fn happens(&mut self, event: Event<'_>) -> Result<()> {
        self.body.happens(event, &mut self.wallet)
    }
}

/// The wallet's radio, which is none: it leads to the authenticator beside it. One at a time.
pub(crate) struct Inside(Rc<RefCell<Authenticator>>);

impl Inside {
    pub(crate) fn connect(authenticator: &Rc<RefCell<Authenticator>>) -> Result<Self> {
        let mut inside = authenticator.borrow_mut();
        if inside.wallet.disconnect()? {
            inside.happens(Event::Disconnected)?;
        }
        inside.wallet = Wallet { connected: true, fragments: VecDeque::new() };
        let payload = inside.payload;
        inside.happens(Event::Connected(payload))?;
        Ok(Self(Rc::clone(authenticator)))
    }
}

impl Radio for Inside {
    fn send(&mut self, fragment: &[u8]) -> Result<()> {
        self.0.borrow_mut().happens(Event::Fragment(fragment))
    }

    fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            let mut inside = self.0.borrow_mut();
            if let Some(fragment) = inside.wallet.fragments.pop_front() {
                return Ok(Some(fragment));
            }
            if !inside.wallet.connected {
                return Ok(None);
            }
            // There is no more to come unless its owner does something.
            match inside.owner.recv() {
                Ok(Some(PhoneCommand::Finger)) => inside.recognised()?,
                Ok(Some(other)) => bail!("not now, while the phone asks for its owner's finger: {other:?}"),
                Ok(None) | Err(_) => bail!("the app was closed"),
            }
        }
    }

    fn close(&mut self) {
        // The next connection tells the authenticator that this one is over.
    }
}
