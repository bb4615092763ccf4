//! The air between bands and phones: ordered fragments, which may be lost, repeated, swapped, changed, made up, or end there.

use std::collections::BTreeMap;

use armring_band::Event as BandEvent;
use armring_wire::AttPayload;

use crate::dice::Dice;
use crate::fault::{Flow, Kind, Place};
use crate::happening::{End, Happening};
use crate::queue::Time;
use crate::record::{Held, Invariant, holds};
use crate::world::World;

/// How many fragments those who listen remember.
const REMEMBERED: usize = 256;

/// How many whole connections.
const SESSIONS: usize = 24;

/// The connections that there are, and what those who listen have heard.
#[derive(Debug, Default)]
pub(crate) struct Air {
    lines: BTreeMap<u32, Line>,
    number: u32,
    /// What phones said over whole connections: to which band.
    sessions: Vec<(usize, Vec<Vec<u8>>)>,
    heard: Vec<(End, Vec<u8>)>,
    next_heard: usize,
}

/// One connection.
#[derive(Debug)]
struct Line {
    wrist: usize,
    /// Whose phone; `None` for a stranger's.
    person: Option<usize>,
    /// When the latest fragment arrives at band and phone.
    latest: [Time; 2],
    /// The last bytes that went each way: what is looked for may be cut in two.
    tails: [Vec<u8>; 2],
    /// All that the phone has said.
    said: Vec<Vec<u8>>,
    /// Which ends know that it is gone.
    is_gone: [bool; 2],
}

const fn way(to: End) -> usize {
    match to {
        End::Band => 0,
        End::Phone => 1,
    }
}

impl World {
    /// The payload of somebody's phone: some have short ones.
    pub(crate) fn payload(&self, person: usize) -> AttPayload {
        let lengths = [182, 244, 64, 20, 182, 100];
        AttPayload::new(lengths[person % lengths.len()]).unwrap_or(AttPayload::MIN)
    }

    /// A phone connects to its band. Whether it does: a band has one connection at a time.
    pub(crate) fn connects(&mut self, person: usize) -> Result<Option<u32>, crate::record::Broken> {
        let wrist = self.people[person].wrist;
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

    fn new_line(&mut self, wrist: usize, person: Option<usize>) -> u32 {
        self.air.number += 1;
        let now = self.now();
        let line =
            Line { wrist, person, latest: [now; 2], tails: [Vec::new(), Vec::new()], said: Vec::new(), is_gone: [false; 2] };
        self.air.lines.insert(self.air.number, line);
        self.wrists[wrist].line = Some(self.air.number);
        self.air.number
    }

    /// Somebody who has heard everything connects first, says what was said before, and goes.
    fn stranger_connects(&mut self, wrist: usize, dice: &mut Dice) -> Held {
        let pairs = self.wrists[wrist].line.is_some();
        if !pairs {
            self.new_line(wrist, None);
        }
        let payload = self.payload(0);
        self.band_hears_of(wrist, BandEvent::Connected(payload))?;
        let whole: Vec<_> = self.air.sessions.iter().filter(|(to, said)| *to == wrist && !said.is_empty()).collect();
        let said: Vec<Vec<u8>> = if whole.is_empty() || dice.chance(300) {
            let said: Vec<_> = self.air.heard.iter().filter(|(to, _)| *to == End::Band).collect();
            if said.is_empty() {
                Vec::new()
            } else {
                (0..dice.below(4)).map(|_| said[dice.index(said.len())].1.clone()).collect()
            }
        } else {
            whole[dice.index(whole.len())].1.clone()
        };
        for bytes in said {
            if self.wrists[wrist].line.is_none() {
                break;
            }
            self.band_hears_of(wrist, BandEvent::Fragment(&bytes))?;
        }
        if let Some(line) = self.wrists[wrist].line {
            self.cut(line, 20);
            self.band_hears_of(wrist, BandEvent::Disconnected)?;
        }
        Ok(())
    }

    /// Sends a fragment over a connection.
    pub(crate) fn transmits(&mut self, number: u32, to: End, bytes: &[u8]) -> Held {
        let Some(line) = self.air.lines.get_mut(&number) else { return Ok(()) };
        let tail = &mut line.tails[way(to)];
        tail.extend_from_slice(bytes.get(1..).unwrap_or_default());
        let found = self.private.finds(tail) || self.secret.finds(tail);
        tail.drain(..tail.len().saturating_sub(7));
        holds(!found, Invariant::NoPlaintext, || format!("to {to:?}: {bytes:02x?}"))?;
        let (person, latest) = (line.person, line.latest[way(to)]);
        let Some(person) = person else { return Ok(()) };
        if let (End::Band, Some(line)) = (to, self.air.lines.get_mut(&number)) {
            line.said.push(bytes.to_vec());
        }
        self.overhears(to, bytes);
        let at = latest.max(self.now() + self.luck.between(2, 9));
        let flow = self.radio_flow(person);
        match self.fate(person, flow, Place::Radio(bytes.len() as u64)) {
            None => self.arrives(number, to, at, bytes.to_vec()),
            Some((kind, mut dice)) => self.goes_wrong(kind, &mut dice, number, to, at, bytes),
        }
        Ok(())
    }

    fn goes_wrong(&mut self, kind: Kind, dice: &mut Dice, number: u32, to: End, at: Time, bytes: &[u8]) {
        match kind {
            Kind::Duplicate => {
                self.arrives(number, to, at, bytes.to_vec());
                self.arrives(number, to, at, bytes.to_vec());
            }
            // What is sent later overtakes it.
            Kind::Reorder => self.queue.put(at + 40, Happening::Fragment { line: number, to, bytes: bytes.to_vec() }),
            Kind::Corrupt => {
                let mut changed = bytes.to_vec();
                let place = dice.index(changed.len());
                changed[place] ^= 1 << dice.below(8);
                self.arrives(number, to, at, changed);
            }
            Kind::Cut => self.cut(number, 5),
            Kind::Replay => {
                let said: Vec<_> = self.air.heard.iter().filter(|(end, _)| *end == to).collect();
                let old = said[dice.index(said.len())].1.clone();
                self.arrives(number, to, at, old);
                self.arrives(number, to, at, bytes.to_vec());
            }
            _ => {}
        }
    }

    fn arrives(&mut self, number: u32, to: End, at: Time, bytes: Vec<u8>) {
        if let Some(line) = self.air.lines.get_mut(&number) {
            line.latest[way(to)] = at;
        }
        self.queue.put(at, Happening::Fragment { line: number, to, bytes });
    }

    fn overhears(&mut self, to: End, bytes: &[u8]) {
        if self.air.heard.len() < REMEMBERED {
            self.air.heard.push((to, bytes.to_vec()));
            return;
        }
        let place = self.air.next_heard % REMEMBERED;
        self.air.next_heard += 1;
        self.air.heard[place] = (to, bytes.to_vec());
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
            self.air.sessions.push((wrist, line.said));
            if self.air.sessions.len() > SESSIONS {
                self.air.sessions.remove(0);
            }
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
