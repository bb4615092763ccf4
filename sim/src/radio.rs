//! The air between bands and phones: connections, and the fragments that go over them in order.

use std::collections::BTreeMap;

use armring_band::Event as BandEvent;
use armring_wire::AttPayload;

use crate::fault::{Flow, Place};
use crate::happening::{End, Happening};
use crate::invariant::{Held, Invariant, holds};
use crate::overheard::Overheard;
use crate::queue::Time;
use crate::rule::Rule;
use crate::world::World;

/// The connections that there are, and what those who listen have heard.
#[derive(Debug, Default)]
pub(crate) struct Air {
    pub(crate) lines: BTreeMap<u32, Line>,
    number: u32,
    pub(crate) heard: Overheard,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Line {
    wrist: usize,
    /// Whose phone; `None` for a stranger's.
    pub(crate) person: Option<usize>,
    /// When the latest fragment arrives at band and phone.
    latest: [Time; 2],
    /// The last bytes that went each way: what is looked for may be cut in two.
    tails: [Vec<u8>; 2],
    /// All that the phone has said.
    said: Vec<Vec<u8>>,
    /// The fragments of what is being said each way.
    unfinished: [Vec<Vec<u8>>; 2],
    /// How many messages were said each way.
    pub(crate) messages: [usize; 2],
    /// How many fragments somebody has put in each way, less those that they took out: by so much the count in each later one is moved.
    pub(crate) moved: [u8; 2],
    /// A message that was held back, to come after the next one.
    pub(crate) held: [Option<Vec<u8>>; 2],
    /// Somebody has changed something before the phone was linked.
    pub(crate) is_changed: bool,
    /// Which ends know that it is gone.
    is_gone: [bool; 2],
}

impl Line {
    const fn new(wrist: usize, person: Option<usize>, now: Time) -> Self {
        Self {
            wrist,
            person,
            latest: [now; 2],
            tails: [const { Vec::new() }; 2],
            said: Vec::new(),
            unfinished: [const { Vec::new() }; 2],
            messages: [0; 2],
            moved: [0; 2],
            held: [None, None],
            is_changed: false,
            is_gone: [false; 2],
        }
    }

    /// Takes note of a fragment; gives the message whose last one it is.
    fn says(&mut self, to: End, fragment: &[u8]) -> Option<Vec<Vec<u8>>> {
        if to == End::Band {
            self.said.push(fragment.to_vec());
        }
        self.unfinished[way(to)].push(fragment.to_vec());
        if !is_last(fragment) {
            return None;
        }
        self.messages[way(to)] += 1;
        Some(std::mem::take(&mut self.unfinished[way(to)]))
    }
}

pub(crate) const fn way(to: End) -> usize {
    match to {
        End::Band => 0,
        End::Phone => 1,
    }
}

/// A hello of a band's has so many bytes.
const SHORTEST: usize = 18;

/// Whether a message ends with this fragment (SPEC.md, section 3).
pub(crate) fn is_last(fragment: &[u8]) -> bool {
    fragment.first().is_some_and(|header| header & 0x40 != 0)
}

/// Whether a message begins with this fragment.
pub(crate) fn is_first(fragment: &[u8]) -> bool {
    fragment.first().is_some_and(|header| header & 0x80 != 0)
}

/// The fragment with its count moved on.
pub(crate) fn counted_on(fragment: &[u8], by: u8) -> Vec<u8> {
    let mut fragment = fragment.to_vec();
    if let Some(header) = fragment.first_mut() {
        *header = *header & 0xc0 | header.wrapping_add(by) & 0x3f;
    }
    fragment
}

impl World {
    /// The payload of somebody's phone: some have short ones.
    pub(crate) fn payload(&self, person: usize) -> AttPayload {
        let lengths = [182, 244, 64, 20, 182, 100];
        AttPayload::new(lengths[person % lengths.len()]).unwrap_or(AttPayload::MIN)
    }

    /// A phone connects to its band. Whether it does: a band has one connection at a time.
    pub(crate) fn connects(&mut self, person: usize) -> Result<Option<u32>, crate::invariant::Broken> {
        let wrist = self.people[person].lured.unwrap_or(self.people[person].wrist);
        let flow = self.radio_flow(person);
        if let Some((_, mut dice)) = self.fate(person, flow, Place::Connect) {
            self.stranger_connects(wrist, &mut dice)?;
        }
        if let Some(line) = self.wrists[wrist].line {
            let whose = self.air.lines.get(&line).and_then(|line| line.person);
            if whose != Some(person) {
                return Ok(None);
            }
            self.cut(line, 1);
            self.band_hears_of(wrist, BandEvent::Disconnected)?;
        }
        let line = self.new_line(wrist, Some(person));
        let payload = self.payload(person);
        self.band_hears_of(wrist, BandEvent::Connected(payload))?;
        Ok(Some(line))
    }

    pub(crate) fn new_line(&mut self, wrist: usize, person: Option<usize>) -> u32 {
        self.air.number += 1;
        self.air.lines.insert(self.air.number, Line::new(wrist, person, self.queue.now()));
        self.wrists[wrist].line = Some(self.air.number);
        self.air.number
    }

    /// Sends a fragment over a connection.
    pub(crate) fn transmits(&mut self, number: u32, to: End, bytes: &[u8]) -> Held {
        let Some(line) = self.air.lines.get_mut(&number) else { return Ok(()) };
        let tail = &mut line.tails[way(to)];
        tail.extend_from_slice(bytes.get(1..).unwrap_or_default());
        let found = self.private.finds(tail) || self.secret.finds(tail);
        tail.drain(..tail.len().saturating_sub(7));
        holds(!found, Invariant::NoPlaintext, || format!("to {to:?}: {bytes:02x?}"))?;
        let (person, latest, whole) = (line.person, line.latest[way(to)], line.says(to, bytes));
        let Some(person) = person else { return Ok(()) };
        self.air.heard.fragment(to, bytes);
        if let Some(message) = whole {
            self.is_new(to, &message)?;
            self.air.heard.message(to, message);
        }
        let at = latest.max(self.now() + self.luck.between(2, 9));
        let flow = self.radio_flow(person);
        match self.fate(person, flow, Place::Radio(bytes.len() as u64)) {
            None => self.arrives(number, to, at, bytes),
            Some((kind, mut dice)) => self.goes_wrong(kind, &mut dice, number, to, at, bytes),
        }
        Ok(())
    }

    /// Nothing is said twice over the radio: whoever repeats a challenge, an ephemeral key or a nonce does so sooner or later.
    fn is_new(&mut self, to: End, message: &[Vec<u8>]) -> Held {
        let bytes: Vec<u8> = message.iter().flat_map(|fragment| fragment.get(1..).unwrap_or_default()).copied().collect();
        // A hello without a hint has nothing in it that could differ, and a band whose randomness is not is to show what comes of that.
        if bytes.len() < SHORTEST || self.omits(Rule::FreshChallenge) {
            return Ok(());
        }
        let is_new = self.air.heard.is_new(&bytes);
        holds(is_new, Invariant::NothingTwice, || format!("to {to:?} again: {bytes:02x?}"))
    }

    /// A fragment is on its way, and what was held back for it after it.
    pub(crate) fn arrives(&mut self, number: u32, to: End, at: Time, bytes: &[u8]) {
        let Some(line) = self.air.lines.get_mut(&number) else { return };
        line.latest[way(to)] = at;
        let fragment = counted_on(bytes, line.moved[way(to)]);
        let held = if is_last(bytes) { line.held[way(to)].take() } else { None };
        self.queue.put(at, Happening::Fragment { line: number, to, bytes: fragment });
        if let Some(held) = held {
            self.puts_in(number, to, at, bytes, &[held]);
        }
    }

    /// Ends a connection: both ends learn of it, after what is on its way.
    pub(crate) fn cut(&mut self, number: u32, after: Time) {
        let Some(line) = self.air.lines.get(&number) else { return };
        let at = self.queue.now() + after;
        let [band, phone] = line.latest.map(|latest| latest.max(at));
        self.queue.put(band, Happening::Gone { line: number, to: End::Band });
        self.queue.put(phone, Happening::Gone { line: number, to: End::Phone });
    }

    pub(crate) fn fragment_comes(&mut self, number: u32, to: End, bytes: &[u8]) -> Held {
        let Some(line) = self.air.lines.get(&number) else { return Ok(()) };
        let (wrist, person) = (line.wrist, line.person);
        match to {
            End::Band if self.wrists[wrist].line == Some(number) => self.band_hears_of(wrist, BandEvent::Fragment(bytes)),
            End::Phone => person.map_or(Ok(()), |person| self.phone_hears(person, number, bytes)),
            End::Band => Ok(()),
        }
    }

    pub(crate) fn line_is_gone(&mut self, number: u32, to: End) -> Held {
        let Some(line) = self.air.lines.get_mut(&number) else { return Ok(()) };
        let (wrist, person) = (line.wrist, line.person);
        line.is_gone[way(to)] = true;
        if line.is_gone == [true; 2]
            && let Some(line) = self.air.lines.remove(&number)
        {
            self.air.heard.connection(wrist, line.said);
        }
        match (to, person) {
            (End::Band, _) if self.wrists[wrist].line == Some(number) => self.band_hears_of(wrist, BandEvent::Disconnected),
            (End::Phone, Some(person)) => self.phone_is_alone(person, number),
            _ => Ok(()),
        }
    }

    /// What goes on over somebody's radio.
    pub(crate) fn radio_flow(&self, person: usize) -> Flow {
        let phone = &self.people[person].phone;
        match &self.people[person].errand {
            crate::cast::Errand::Pair => Flow::Pair,
            _ if !phone.is_linked() => {
                if phone.is_resuming {
                    Flow::Resume
                } else {
                    Flow::Reconnect
                }
            }
            _ => self.flow(person),
        }
    }
}
