//! A band's wearer: what the band tells them, and what they do.

use armring_band::{Event as BandEvent, Face, Gesture, Signal};
use armring_wire::Uptime;
use armring_wire::records::band::Awaited;

use crate::cast::Seen;
use crate::fault::{Flow, Place};
use crate::happening::{Act, Happening};
use crate::invariant::{Held, Invariant, holds};
use crate::rule::Rule;
use crate::world::World;

impl World {
    pub(crate) fn wearer_is_told(&mut self, wrist: usize, signal: Signal) -> Held {
        let opens_again = self.omits(Rule::OneGestureOneAttempt);
        let wearer = &mut self.wrists[wrist].wearer;
        match signal {
            Signal::PairingOpen => {
                holds(wearer.is_holding, Invariant::AGestureForEachPairing, || format!("the window of {wrist} is open"))?;
            }
            Signal::Paired => wearer.is_comparing = false,
            Signal::PairingClosed if opens_again => self.after(1, Happening::Act { wrist, act: Act::StuckHold }),
            Signal::PairingClosed => wearer.is_comparing = false,
            Signal::Code(code) => {
                wearer.is_comparing = true;
                wearer.code = Some(code.digits().number());
                self.after(100, Happening::Act { wrist, act: Act::CodeShown });
            }
            Signal::EnrolmentDigits(digits) => wearer.digits = Some(digits.number()),
            Signal::UsedElsewhere => wearer.alarms += 1,
            Signal::Dropped | Signal::Paid(..) => wearer.waiting = None,
            Signal::Locked => (wearer.unlocked, wearer.is_fresh) = (0, false),
            Signal::Waiting(awaited, _) => {
                // Asked again for the same payment, they need not unlock again.
                if wearer.waiting.replace(awaited) != Some(awaited) && awaited == Awaited::FreshUnlock {
                    wearer.is_fresh = false;
                }
                self.wearer_makes_up_their_mind(wrist, awaited);
            }
            _ => {}
        }
        Ok(())
    }

    /// The wearer is asked for a gesture, and makes it if that is what they want.
    fn wearer_makes_up_their_mind(&mut self, wrist: usize, awaited: Awaited) {
        let person = self.wrists[wrist].wearer.person;
        let (wants_to_pay, flow) = (self.wants(person).is_some(), self.flow(person));
        let delay = self.luck.between(400, 1_800);
        if let Some((_, mut dice)) = self.fate(person, flow, Place::Wearer) {
            self.after(delay / 2, Happening::Act { wrist, act: Act::TakeOff });
            self.after(delay / 2 + dice.below(6_000), Happening::Act { wrist, act: Act::PutOn });
        }
        if self.omits(Rule::OneGestureOneRequest) && self.wrists[wrist].wearer.has_pressed {
            // The band takes the last press for this one's.
            self.after(1, Happening::Act { wrist, act: Act::Stuck });
        }
        match awaited {
            Awaited::PayGesture if wants_to_pay => self.after(delay, Happening::Act { wrist, act: Act::Press }),
            Awaited::FreshUnlock if wants_to_pay => {
                if self.omits(Rule::FreshUnlock) {
                    // The band takes what it knows for an unlocking.
                    let now = Uptime::from_millis(self.now());
                    let _ = self.wrists[wrist].band.handle(BandEvent::Recognised, now, &mut self.rng);
                } else {
                    self.after(delay / 2, Happening::Act { wrist, act: Act::Unlock });
                }
                self.after(delay, Happening::Act { wrist, act: Act::Press });
            }
            Awaited::ReceiveGesture if flow == Flow::Receive => {
                self.after(delay, Happening::Act { wrist, act: Act::DoublePress });
            }
            _ => {}
        }
    }

    pub(crate) fn wearer_acts(&mut self, wrist: usize, act: Act) -> Held {
        let wearer = &mut self.wrists[wrist].wearer;
        match act {
            Act::PutOn => {
                wearer.is_on = true;
                self.band_hears_of(wrist, BandEvent::PutOn)
            }
            Act::TakeOff => {
                wearer.is_on = false;
                if self.omits(Rule::LocksOffTheWrist) { Ok(()) } else { self.band_hears_of(wrist, BandEvent::TakenOff) }
            }
            Act::Unlock => {
                if wearer.is_on {
                    (wearer.unlocked, wearer.is_fresh) = (2, true);
                }
                self.band_hears_of(wrist, BandEvent::Recognised)
            }
            // Who sees a code does not press for something else.
            Act::Press if self.wrists[wrist].wearer.is_comparing => Ok(()),
            Act::Press | Act::Accept => self.presses(wrist),
            Act::StuckHold => self.band_hears_of(wrist, BandEvent::Gesture(Gesture::Hold)),
            Act::Stuck => self.band_hears_of(wrist, BandEvent::Gesture(Gesture::Press)),
            Act::DoublePress => self.band_hears_of(wrist, BandEvent::Gesture(Gesture::DoublePress)),
            Act::CodeShown => {
                self.band_hears_of(wrist, BandEvent::CodeShown)?;
                let person = self.wrists[wrist].wearer.person;
                self.people_compare(person)
            }
        }
    }

    /// The wearer looks at the display, if there is one, and presses if that is what they want.
    fn presses(&mut self, wrist: usize) -> Held {
        let person = self.wrists[wrist].wearer.person;
        let (wanted, shown) = (self.wants(person), self.shown(wrist));
        let sees = if self.omits(Rule::DisplayVerifies) { shown.and(wanted) } else { shown };
        if let (Some(sees), Some(wanted)) = (sees, wanted)
            && sees != wanted
        {
            return self.band_hears_of(wrist, BandEvent::Gesture(Gesture::Refuse));
        }
        let believed = if self.wrists[wrist].face == Face::Display { sees } else { None };
        let wearer = &mut self.wrists[wrist].wearer;
        (wearer.pressing, wearer.has_pressed) = (Some(Seen { display: believed }), true);
        let held = self.band_hears_of(wrist, BandEvent::Gesture(Gesture::Press));
        self.wrists[wrist].wearer.pressing = None;
        held
    }

    /// What the display shows: who asks, and how much.
    fn shown(&self, wrist: usize) -> Option<([u8; 9], u64)> {
        let offer = self.wrists[wrist].band.offer()?;
        let asker = match offer.asker {
            armring_band::Asker::Certified(name) => self.named(name)?,
            armring_band::Asker::Wearer(id) => crate::till::reference(armring_wire::PayeeRef::Credential(id)),
        };
        Some((asker, offer.amount.minor()))
    }
}
