//! Pairing: a window, a handshake, two shares, a provisional link.

use armring_channel::Opened;
use armring_pairing::{
    BandHello, DiffieHellman, HintKey, Kind, Link, PairingLabel, PairingWindow, RustCrypto, Share, WalletHello,
};
use armring_wire::records::band::{Awaited, Decline, ToBand, ToWallet};
use armring_wire::{Uptime, decode_record};
use rand_core::TryCryptoRng;

use crate::after::{AfterStore, Refusal};
use crate::connect::exactly;
use crate::error::{Error, MachineError, PeerError};
use crate::event::Signal;
use crate::keys::PaymentKeys;
use crate::phase::{Attempt, Comparing, Comparison, Phase, Task};
use crate::state::{Core, Slot, TOO_LATE};
use crate::store::{Place, Replacement};

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    /// The first message of a pairing. It uses the window up, whatever comes of it.
    pub(crate) fn pair<R: TryCryptoRng>(
        &mut self,
        hellos: (&BandHello, &WalletHello),
        record: &[u8],
        now: Uptime,
        rng: &mut R,
    ) -> Result<(), Error> {
        let window = self.window.take().ok_or(PeerError::NotPairing)?;
        self.begin_pairing(window, hellos, record, now, rng).inspect_err(|_| {
            self.phase = Phase::Ended;
            self.out.signal(Signal::PairingClosed);
        })
    }

    #[inline(never)]
    fn begin_pairing<R: TryCryptoRng>(
        &mut self,
        Window { pairing: window, replaces }: Window,
        hellos: (&BandHello, &WalletHello),
        record: &[u8],
        now: Uptime,
        rng: &mut R,
    ) -> Result<(), Error> {
        let attempt = Attempt { deadline: now.saturating_add(PairingWindow::<RustCrypto>::DURATION), replaces };
        let own = &self.identity;
        let answer = match hellos.1.kind() {
            Kind::PairCode => {
                let (awaiting, answer) = window.receive(exactly(record)?, now, own, hellos, rng)?;
                self.phase = Phase::AwaitingOpening(awaiting, attempt);
                answer
            }
            Kind::PairOutOfBand => {
                let (awaiting, answer) = window.receive_secret(exactly(record)?, now, own, hellos, rng)?;
                self.phase = Phase::AwaitingStatic(awaiting, attempt);
                answer
            }
            _ => {
                let (awaiting, answer) = window.receive_press(exactly(record)?, now, own, hellos, rng)?;
                self.phase = Phase::AwaitingStatic(awaiting, attempt);
                answer
            }
        };
        self.out.send(&answer)
    }

    /// The wallet's last message where no code is compared: the wearer has accepted by opening the window.
    #[inline(never)]
    pub(crate) fn last_message<R: TryCryptoRng>(&mut self, record: &[u8], now: Uptime, rng: &mut R) -> Result<(), Error> {
        let (awaiting, attempt) = { &mut self.phase }
            .take(|phase| if let Phase::AwaitingStatic(awaiting, attempt) = phase { Some((awaiting, attempt)) } else { None })?;
        let (session, accepted) = awaiting.receive(exactly(record)?, now, &self.identity, rng)?;
        self.phase = Phase::Comparing(Comparing { session, step: Comparison::Accepted(accepted), wallet: None, attempt });
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn message_3(&mut self, record: &[u8], now: Uptime) -> Result<(), Error> {
        let (awaiting, attempt) = { &mut self.phase }
            .take(|phase| if let Phase::AwaitingOpening(awaiting, attempt) = phase { Some((awaiting, attempt)) } else { None })?;
        let (session, code) = awaiting.receive(exactly(record)?, now, &self.identity)?;
        self.out.signal(Signal::Code(*code.code()));
        self.phase = Phase::Comparing(Comparing { session, step: Comparison::Showing(code), wallet: None, attempt });
        Ok(())
    }

    /// While people compare, the wallet says `Confirm` or nothing.
    #[inline(never)]
    pub(crate) fn compare(&mut self, record: &mut [u8], now: Uptime) -> Result<(), Error> {
        self.wallet_confirms(record, now).inspect_err(|_| self.phase = Phase::Ended)
    }

    fn wallet_confirms(&mut self, record: &mut [u8], now: Uptime) -> Result<(), Error> {
        let Phase::Comparing(comparing) = &mut self.phase else { return Err(PeerError::Unexpected.into()) };
        if comparing.attempt.deadline <= now {
            return Err(TOO_LATE);
        }
        let Opened::Record(record) = comparing.session.channel.open(record)? else {
            // The wallet's person said no.
            self.phase = Phase::Ended;
            return Ok(());
        };
        match decode_record(record)? {
            ToBand::Confirm { share } if comparing.is_unanswered() => comparing.wallet = Some(Share::new(share)),
            _ => return Err(PeerError::Unexpected.into()),
        }
        self.try_link()
    }

    pub(crate) fn code_shown(&mut self) {
        if let Phase::Comparing(comparing) = &mut self.phase {
            let step = core::mem::replace(&mut comparing.step, Comparison::Storing);
            comparing.step = match step {
                Comparison::Showing(code) => Comparison::Shown(code.shown()),
                other => other,
            };
        }
    }

    /// The wearer says that the code is the same on both. Before the whole code was shown, nobody can.
    #[inline(never)]
    pub(crate) fn accept_code<R: TryCryptoRng>(&mut self, now: Uptime, rng: &mut R) -> Result<(), Error> {
        let Phase::Comparing(comparing) = &mut self.phase else { return Ok(()) };
        let result = match core::mem::replace(&mut comparing.step, Comparison::Storing) {
            Comparison::Shown(code) => match code.accept(now, rng) {
                Ok(accepted) => {
                    comparing.step = Comparison::Accepted(accepted);
                    self.try_link()
                }
                Err(error) => Err(error.into()),
            },
            step => {
                comparing.step = step;
                Ok(())
            }
        };
        result.or_else(|error| self.give_up_pairing(error))
    }

    /// What was being stored is settled: a reset may have been waiting for its turn, or a link.
    pub(crate) fn next_to_store(&mut self) -> Result<(), Error> {
        self.reset();
        self.introduce()?;
        self.try_link().or_else(|error| self.give_up_pairing(error))
    }

    fn give_up_pairing(&mut self, error: Error) -> Result<(), Error> {
        self.phase = Phase::Ended;
        self.tell_abandoned(true, false);
        self.out.disconnect();
        Err(error)
    }

    /// Makes the provisional link once both sides have accepted, and has it stored before the band says so. One thing is stored at a time.
    fn try_link(&mut self) -> Result<(), Error> {
        match &mut self.phase {
            Phase::Comparing(comparing) if !self.out.is_storing() && comparing.is_accepted() => self.link(),
            _ => Ok(()),
        }
    }

    #[inline(never)]
    fn link(&mut self) -> Result<(), Error> {
        let Phase::Comparing(comparing) = &mut self.phase else { return Ok(()) };
        let step = core::mem::replace(&mut comparing.step, Comparison::Storing);
        let (Comparison::Accepted(accepted), Some(share)) = (step, comparing.wallet.take()) else { return Ok(()) };
        let (link, store_first) = accepted.wallet_confirmed(&share);
        let replaces = comparing.attempt.replaces.take();
        let made = self.store_link(link, replaces)?;
        self.after_store = AfterStore::Pair { made, store_first };
        Ok(())
    }

    /// The provisional link is stored: the band says `Confirm`.
    #[inline(never)]
    pub(crate) fn say_confirm(&mut self, share: &Share) -> Result<(), Error> {
        let comparing = match &mut self.phase {
            Phase::Comparing(comparing @ Comparing { step: Comparison::Storing, .. }) => comparing,
            // The wallet is gone. The link stays provisional, and the next one to pair takes its place.
            _ => return Ok(()),
        };
        let confirm = ToWallet::Confirm { share: *share.expose() };
        if let Err(error) = self.out.send_sealed(&mut comparing.session.channel, &confirm) {
            return self.give_up_pairing(error);
        }
        let (session, deadline) = { &mut self.phase }.take(|phase| match phase {
            Phase::Comparing(comparing) => Some((comparing.session, comparing.attempt.deadline)),
            _ => None,
        })?;
        self.phase = Phase::Paired(session, deadline);
        self.out.signal(Signal::Paired);
        Ok(())
    }

    /// The wearer's gesture opens the window for one attempt.
    pub(crate) fn open_window<R: TryCryptoRng>(&mut self, now: Uptime, rng: &mut R) -> Result<(), Error> {
        let replaces = self.phase.replaces().and_then(|slot| Some(self.slots.get(slot)?.link.as_ref()?.hint_key()));
        if replaces.is_none() && !self.slots.iter().any(Slot::is_free) {
            self.out.signal(Signal::LinksFull);
            return Ok(());
        }
        let methods = self.face.methods(self.label.as_ref(), rng).inspect_err(|_| self.out.signal(Signal::Fault))?;
        if replaces.is_some() {
            self.phase.take_waiting();
            self.say(&ToWallet::Noted)?;
        }
        // One unauthenticated handshake at a time, and the one who pairs is the one who connects from now on.
        self.end();
        self.window = Some(Window { pairing: PairingWindow::open(now, methods), replaces });
        self.out.signal(Signal::PairingOpen);
        Ok(())
    }

    /// What a display is to show while the window is open.
    pub(crate) fn label_to_show(&self) -> Option<PairingLabel> {
        self.window.as_ref()?.pairing.label(&self.identity.public_key())
    }

    /// The wallet wants another link in the place of this one: the pairing gesture decides.
    pub(crate) fn replace(&mut self, now: Uptime) -> Result<(), Refusal> {
        match &mut self.linked_mut()?.task {
            task @ Task::None => *task = Task::Replace(now),
            Task::Replace(_) => {}
            _ => return Err(Decline::Busy.into()),
        }
        self.wait(Awaited::ReplaceGesture, None)
    }

    /// Has a new link stored where it belongs, which may not be of less assurance than the one that it is to take the place of: what was
    /// enrolled over that one moves to it.
    fn store_link(&mut self, link: Link, replaces: Option<HintKey>) -> Result<Made, Error> {
        if let Some(replaces) = replaces {
            let replacement = Replacement { replaces, link };
            let links = self.slots.iter().filter_map(|place| place.link.as_ref());
            let old = { links }.find(|link| replacement.replaces(link)).ok_or(PeerError::UnknownLink)?;
            if replacement.link.assurance() < old.assurance() {
                return Err(PeerError::Handshake(armring_pairing::PeerError::NotAllowed).into());
            }
            self.out.store_bytes(Place::Replacement, replacement.to_bytes().as_slice())?;
            return Ok(Made::Replacing(replacement));
        }
        let slot = self.slots.iter().position(Slot::is_free).ok_or(MachineError::Exhausted)?;
        self.out.store_bytes(Place::Link(slot), link.to_bytes().as_slice())?;
        Ok(Made::InSlot(slot, link))
    }
}

/// The time in which one may pair after a gesture, and for what the gesture stood.
pub(crate) struct Window {
    pub(crate) pairing: PairingWindow,
    /// The link that the new one is to take the place of.
    replaces: Option<HintKey>,
}

/// A provisional link that is being stored.
pub(crate) enum Made {
    InSlot(usize, Link),
    Replacing(Replacement),
}
