//! Unpairing: forgetting one link, or all others, with everything that belongs to it.

use armring_pairing::DiffieHellman;
use armring_wire::Uptime;
use armring_wire::records::band::{Awaited, Decline, ToWallet};

use crate::after::{AfterStore, Refusal};
use crate::band::LINKS;
use crate::error::Error;
use crate::event::Signal;
use crate::keys::PaymentKeys;
use crate::phase::{Phase, Task};
use crate::purse::TOKENS_REMEMBERED;
use crate::state::{Core, Slot};
use crate::store::Place;

/// Which links are to be forgotten, as seen from the one whose wallet asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Own,
    Others,
}

/// How far an unpairing is: one key is erased after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unpairing {
    /// Whose wallet asked.
    pub(crate) slot: usize,
    whose: Whose,
    step: usize,
}

impl Unpairing {
    /// What is erased at this step; `None` once all is.
    ///
    /// The link goes last, so that until then its wallet can ask again, and what power cut short leaves nothing that nobody can get rid of.
    /// The payment key goes before its tokens: without them it would count anew.
    fn place(&self) -> Option<Place> {
        let slots = (0..LINKS).filter(|slot| (*slot == self.slot) == (self.whose == Whose::Own));
        let places = slots.flat_map(|slot| {
            let tokens = (0..TOKENS_REMEMBERED).map(move |token| Place::Token(slot, token));
            let before = [Place::Enrolment(slot), Place::Credential(slot), Place::Answer(slot)];
            before.into_iter().chain(tokens).chain([Place::Link(slot)])
        });
        // What is to take the place of another is a link as well, and so is what is left of one that has.
        [Place::Replacement].into_iter().chain(places).nth(self.step)
    }
}

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    /// A wallet asks to be forgotten, or that all others are. It takes a gesture of its own.
    pub(crate) fn unpair(&mut self, whose: Whose, now: Uptime) -> Result<(), Refusal> {
        match &mut self.linked_mut()?.task {
            task @ Task::None => *task = Task::Unpair(whose, now),
            Task::Unpair(waiting, _) if *waiting == whose => {}
            _ => return Err(Decline::Busy.into()),
        }
        self.wait(Awaited::UnpairGesture, None)
    }

    /// The wearer made the gesture: what waits for it begins to be erased.
    pub(crate) fn unpair_gesture(&mut self) -> Result<(), Error> {
        let Phase::Linked(linked) = &mut self.phase else { return Ok(()) };
        let (slot, Task::Unpair(whose, _)) = (linked.slot, &linked.task) else { return Ok(()) };
        let unpairing = Unpairing { slot, whose: *whose, step: 0 };
        linked.task = Task::None;
        if self.out.is_storing() {
            return self.say(&ToWallet::Declined(Decline::Busy));
        }
        self.erase_next(unpairing)
    }

    fn erase_next(&mut self, unpairing: Unpairing) -> Result<(), Error> {
        if let Some(place) = unpairing.place() {
            self.out.erase(place);
            self.after_store = AfterStore::Erase(unpairing);
            return Ok(());
        }
        self.out.signal(Signal::Unpaired);
        match unpairing.whose {
            Whose::Own => Ok(()),
            Whose::Others => self.say_to(unpairing.slot, &ToWallet::Noted),
        }
    }

    /// One key is erased: the band forgets what it held, and goes on with the next.
    pub(crate) fn erased(&mut self, unpairing: Unpairing) -> Result<(), Error> {
        match unpairing.place() {
            Some(Place::Enrolment(slot)) => self.slot(slot)?.enrolment = None,
            Some(Place::Credential(slot)) => {
                let place = self.slot(slot)?;
                (place.purse, place.asked) = (None, None);
            }
            Some(Place::Replacement) => self.replacement = None,
            Some(Place::Link(slot)) => {
                *self.slot(slot)? = Slot::EMPTY;
                if self.phase.slot() == Some(slot) {
                    let told = self.say(&ToWallet::Unpaired);
                    self.end();
                    told?;
                }
            }
            _ => {}
        }
        self.erase_next(Unpairing { step: unpairing.step.saturating_add(1), ..unpairing })
    }
}
