//! A band's host: its flash, its radio, its wearer; and the record of what the band does with them.

use armring_band::{Band, Event as BandEvent, Face, Output, Signal, SoftwareKeys, StoreKey};
use armring_wire::{ATT_PAYLOAD_MAX, Uptime};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::cast::{Change, Seen, Shared, Wearer, Wrist};
use crate::fault::{Kind, Place};
use crate::happening::{End, Happening};
use crate::invariant::{Held, Invariant, holds};
use crate::objects::Token;
use crate::rule::Rule;
use crate::world::World;

/// What a band wants done, out of its hands.
enum Done {
    Transmit(Vec<u8>),
    Flash(Change),
    Signal(Signal),
    Disconnect,
}

/// Where the bodies of tokens are stored.
const fn is_token(key: u8) -> bool {
    key & 0xf0 == 0x50
}

/// Where links are stored.
const fn is_link(key: u8) -> bool {
    key & 0xf0 == 0x10
}

/// Where what is free begins in what is stored with a token: count and total.
const FREE: std::ops::Range<usize> = Token::LEN..Token::LEN + 10;
/// Where the total is in a token's body.
const TOTAL: std::ops::Range<usize> = 64..72;
/// Where the ceiling is in what is stored of a receipt.
const CEILING: std::ops::Range<usize> = 8..16;

impl World {
    pub(crate) fn new_wrist(&mut self, key: Shared, face: Face, person: usize) -> usize {
        let band = self.new_band(&key, face);
        let wearer = Wearer { person, ..Wearer::default() };
        let (flash, before) = Default::default();
        self.wrists.push(Wrist { band, key, face, flash, before, writing: None, boot: 0, line: None, tick: None, wearer });
        self.wrists.len() - 1
    }

    fn new_band(&self, key: &Shared, face: Face) -> Band<Shared, SoftwareKeys> {
        Band::new(key.clone(), SoftwareKeys, self.bank.root_key).with_face(face)
    }

    /// Something happens to a band; and it does what it does.
    pub(crate) fn band_hears_of(&mut self, wrist: usize, event: BandEvent<'_>) -> Held {
        let hangs_up = matches!(event, BandEvent::Disconnected);
        let now = Uptime::from_millis(self.now());
        // What a connection is opened with is drawn anew each time.
        let fixed = self.omits(Rule::FreshChallenge) && matches!(event, BandEvent::Connected(_) | BandEvent::Fragment(_));
        let greets = matches!(event, BandEvent::Connected(_));
        let host = &mut self.wrists[wrist];
        if hangs_up {
            host.line = None;
            host.wearer.waiting = None;
        }
        if fixed {
            let mut rng = ChaCha20Rng::seed_from_u64(wrist as u64 * 2 + u64::from(greets));
            let _ = host.band.handle(event, now, &mut rng);
        } else {
            let _ = host.band.handle(event, now, &mut self.rng);
        }
        loop {
            let mut fragment = [0; ATT_PAYLOAD_MAX];
            let done = match self.wrists[wrist].band.poll(&mut fragment) {
                None => break,
                Some(Output::Transmit(bytes)) => Done::Transmit(bytes.to_vec()),
                Some(Output::Store { key, value }) => Done::Flash(Change::Store(key.as_u8(), value.to_vec())),
                Some(Output::Erase { key }) => Done::Flash(Change::Erase(key.as_u8())),
                Some(Output::EraseAll) => Done::Flash(Change::EraseAll),
                Some(Output::Signal(signal)) => Done::Signal(signal),
                Some(Output::Disconnect) => Done::Disconnect,
            };
            self.does(wrist, done)?;
        }
        self.wait_for_deadline(wrist);
        Ok(())
    }

    fn does(&mut self, wrist: usize, done: Done) -> Held {
        match done {
            Done::Transmit(bytes) => match self.wrists[wrist].line {
                Some(line) => self.transmits(line, End::Phone, &bytes),
                None => Ok(()),
            },
            Done::Flash(change) => self.writes(wrist, change),
            Done::Signal(signal) => self.wearer_is_told(wrist, signal),
            Done::Disconnect => {
                if let Some(line) = self.wrists[wrist].line {
                    self.cut(line, 3);
                }
                self.band_hears_of(wrist, BandEvent::Disconnected)
            }
        }
    }

    fn wait_for_deadline(&mut self, wrist: usize) {
        let now = self.now();
        let host = &mut self.wrists[wrist];
        let Some(deadline) = host.band.deadline().map(Uptime::as_millis) else { return };
        if host.tick.is_none_or(|tick| tick > deadline || tick < now) {
            host.tick = Some(deadline);
            let boot = host.boot;
            self.queue.put(deadline, Happening::Tick { wrist, boot });
        }
    }

    pub(crate) fn band_ticks(&mut self, wrist: usize, boot: u32) -> Held {
        if self.wrists[wrist].boot != boot {
            return Ok(());
        }
        self.wrists[wrist].tick = None;
        self.band_hears_of(wrist, BandEvent::Tick)
    }

    /// The band wants something to last.
    fn writes(&mut self, wrist: usize, change: Change) -> Held {
        if let Change::Store(key, value) = &change
            && is_token(*key)
        {
            self.may_sign(wrist, value)?;
        }
        let person = self.wrists[wrist].wearer.person;
        let (flow, boot) = (self.radio_flow(person), self.wrists[wrist].boot);
        let fate = self.fate(person, flow, Place::Flash);
        if self.omits(Rule::StoreBeforeSigning) && matches!(&change, Change::Store(key, _) if is_token(*key)) {
            // It is told that it is there.
            self.after(1, Happening::Flash { wrist, boot, ok: true });
            return Ok(());
        }
        match fate {
            Some((Kind::Power, mut dice)) => {
                if dice.chance(500) {
                    self.commits(wrist, &change)?;
                }
                return self.band_restarts(wrist);
            }
            Some(_) => self.after(4, Happening::Flash { wrist, boot, ok: false }),
            None => {
                self.wrists[wrist].writing = Some(change);
                self.after(3, Happening::Flash { wrist, boot, ok: true });
            }
        }
        Ok(())
    }

    pub(crate) fn flash_is_done(&mut self, wrist: usize, boot: u32, ok: bool) -> Held {
        if self.wrists[wrist].boot != boot {
            return Ok(());
        }
        if !ok {
            return self.band_hears_of(wrist, BandEvent::StoreFailed);
        }
        if let Some(change) = self.wrists[wrist].writing.take() {
            self.commits(wrist, &change)?;
        }
        self.band_hears_of(wrist, BandEvent::Stored)
    }

    /// It is durable.
    fn commits(&mut self, wrist: usize, change: &Change) -> Held {
        if let Change::Store(key, link) = change
            && is_link(*key)
        {
            let is_own = self.is_own_phone(wrist, link);
            holds(is_own, Invariant::NobodyInTheMiddle, || format!("band {wrist} is paired with a stranger"))?;
        }
        let (keeps_links, keeps_ceiling) = (!self.omits(Rule::LinkOutlivesPower), !self.omits(Rule::BandKeepsCeiling));
        let host = &mut self.wrists[wrist];
        match change {
            Change::Store(key, _) if is_link(*key) && !keeps_links => {}
            Change::Store(key, value) if key & 0xf0 == 0x40 && !keeps_ceiling => {
                let mut value = value.clone();
                value[CEILING].copy_from_slice(&(1_u64 << 62).to_le_bytes());
                host.flash.insert(*key, value);
            }
            Change::Store(key, value) => {
                if let Some(old) = host.flash.insert(*key, value.clone()) {
                    host.before.insert(*key, old);
                }
                if let Some(length) = StoreKey::from_u8(*key).map(StoreKey::secret_len) {
                    self.secret.looks_for(value.get(..length).unwrap_or_default());
                }
                match value.first_chunk() {
                    Some(body) if is_token(*key) => {
                        host.wearer.waiting = None;
                        self.record.signs(body)?;
                    }
                    _ => {}
                }
            }
            Change::Erase(key) => drop(host.flash.remove(key)),
            Change::EraseAll => host.flash.clear(),
        }
        Ok(())
    }

    /// What the wearer has done allows what the band is about to sign.
    fn may_sign(&self, wrist: usize, value: &[u8]) -> Held {
        let Some(token) = Token::read(value) else { return Ok(()) };
        let Wearer { person, is_on, unlocked, is_fresh, pressing, .. } = &self.wrists[wrist].wearer;
        let seen = || format!("{:?}, {token:?}", self.wrists[wrist].wearer);
        let (needs, says) = (u8::from(token.presence.unlocking > 1), token.presence);
        holds(*is_on && *unlocked > needs, Invariant::WornAndUnlocked, seen)?;
        holds(says.gesture != 2 || *is_fresh, Invariant::FreshUnlock, seen)?;
        holds(says.gesture == 0 || pressing.is_some(), Invariant::AGestureForEachPayment, seen)?;
        if let Some(Seen { display: Some(display) }) = pressing {
            holds(*display == (token.payee, token.amount), Invariant::WhatWasShown, || format!("saw {display:?}: {token:?}"))?;
        }
        let honest = !self.people[*person].is_infected;
        let wanted = self.wants(*person);
        let is_wanted = wanted.is_none_or(|wanted| wanted == (token.payee, token.amount));
        holds(is_wanted || !honest, Invariant::WhatWasShown, || format!("wanted {wanted:?}: {token:?}"))
    }

    /// Power comes back: all that is left is what was stored.
    pub(crate) fn band_restarts(&mut self, wrist: usize) -> Held {
        if let Some(line) = self.wrists[wrist].line.take() {
            self.cut(line, 30);
        }
        let band = self.new_band(&self.wrists[wrist].key, self.wrists[wrist].face);
        let (old_counters, no_free) = (self.omits(Rule::CounterOutlivesPower), self.omits(Rule::FreeCountOutlivesPower));
        let no_total = self.omits(Rule::TotalOutlivesPower);
        let host = &mut self.wrists[wrist];
        if old_counters {
            let before = host.before.iter().filter(|(key, _)| is_token(**key));
            host.flash.extend(before.map(|(key, value)| (*key, value.clone())).collect::<Vec<_>>());
        }
        for (_, value) in host.flash.iter_mut().filter(|(key, _)| is_token(**key)) {
            if no_free {
                value[FREE].fill(0);
            }
            if no_total {
                value[TOTAL].fill(0);
            }
        }
        (host.band, host.writing, host.tick, host.boot) = (band, None, None, host.boot + 1);
        let Wearer { person, alarms, digits, .. } = host.wearer;
        host.wearer = Wearer { person, alarms, digits, ..Wearer::default() };
        for key in StoreKey::all() {
            let Some(value) = host.flash.get(&key.as_u8()) else { continue };
            let loaded = host.band.load(key, value);
            holds(loaded.is_ok(), Invariant::Progress, || format!("{key:?} does not load: {loaded:?}"))?;
        }
        self.wait_for_deadline(wrist);
        Ok(())
    }
}
