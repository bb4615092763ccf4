//! What somebody does to fragments who has the air to themselves: they are lost, repeated, swapped, changed, made up, or end there.
//!
//! The count in a fragment's header is not authenticated. Whoever takes a whole message out, or puts one in, counts the later ones on, so that the
//! receiver's reassembly sees nothing of it, and the channel has to.

use armring_band::Event as BandEvent;

use crate::dice::Dice;
use crate::fault::Kind;
use crate::happening::{End, Happening};
use crate::invariant::Held;
use crate::queue::Time;
use crate::radio::{counted_on, is_first, is_last, way};
use crate::world::World;

/// With which message of a direction its records begin: before, each one is of a handshake.
const RECORDS: usize = 2;

impl World {
    /// Somebody who has heard everything connects first, says what was said before, and goes.
    pub(crate) fn stranger_connects(&mut self, wrist: usize, dice: &mut Dice) -> Held {
        let pairs = self.wrists[wrist].line.is_some();
        if !pairs {
            self.new_line(wrist, None);
        }
        let payload = self.payload(0);
        self.band_hears_of(wrist, BandEvent::Connected(payload))?;
        let whole: Vec<_> = self.air.heard.connections.iter().filter(|(to, said)| *to == wrist && !said.is_empty()).collect();
        let said: Vec<Vec<u8>> = if whole.is_empty() || dice.chance(300) {
            let said: Vec<_> = self.air.heard.fragments.iter().filter(|(to, _)| *to == End::Band).collect();
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

    pub(crate) fn goes_wrong(&mut self, kind: Kind, dice: &mut Dice, number: u32, to: End, at: Time, bytes: &[u8]) {
        let is_whole = is_first(bytes) && is_last(bytes) && dice.chance(600);
        match kind {
            Kind::Loss if is_whole => self.takes_out(number, to),
            Kind::Duplicate if is_whole => {
                self.arrives(number, to, at, bytes);
                self.puts_in(number, to, at, bytes, &[bytes.to_vec()]);
            }
            Kind::Duplicate => {
                self.arrives(number, to, at, bytes);
                self.arrives(number, to, at, bytes);
            }
            Kind::Reorder if is_whole => {
                self.takes_out(number, to);
                if let Some(line) = self.air.lines.get_mut(&number) {
                    line.held[way(to)] = Some(bytes.to_vec());
                }
            }
            // What is sent later overtakes it.
            Kind::Reorder => {
                self.queue.put(at + 40, Happening::Fragment { line: number, to, bytes: self.counted(number, to, bytes) })
            }
            Kind::Corrupt => {
                self.is_changed(number);
                let mut changed = bytes.to_vec();
                let place = dice.index(changed.len());
                changed[place] ^= 1 << dice.below(8);
                self.arrives(number, to, at, &changed);
            }
            Kind::Cut => self.cut(number, 5),
            Kind::Replay if is_first(bytes) && dice.chance(800) => {
                let is_another = |(end, message): &&(End, Vec<Vec<u8>>)| *end == to && message[..] != [bytes];
                let said: Vec<_> = self.air.heard.messages.iter().filter(is_another).collect();
                let old = if said.is_empty() { Vec::new() } else { said[dice.index(said.len())].1.clone() };
                // Before the one that is being sent, which is counted on like all that come later.
                self.puts_before(number, to, at, bytes, &old);
                self.arrives(number, to, at, bytes);
            }
            Kind::Replay => {
                let said: Vec<_> = self.air.heard.fragments.iter().filter(|(end, _)| *end == to).collect();
                let old = said[dice.index(said.len())].1.clone();
                self.arrives(number, to, at, &old);
                self.arrives(number, to, at, bytes);
            }
            _ => {}
        }
    }

    /// The fragment as it is counted on this connection now.
    fn counted(&self, number: u32, to: End, bytes: &[u8]) -> Vec<u8> {
        counted_on(bytes, self.air.lines.get(&number).map_or(0, |line| line.moved[way(to)]))
    }

    /// A message in one fragment is taken out.
    fn takes_out(&mut self, number: u32, to: End) {
        self.is_changed(number);
        if let Some(line) = self.air.lines.get_mut(&number) {
            line.moved[way(to)] = line.moved[way(to)].wrapping_sub(1);
        }
    }

    /// These fragments are put in behind this one, which was sent.
    pub(crate) fn puts_in(&mut self, number: u32, to: End, at: Time, behind: &[u8], fragments: &[Vec<u8>]) {
        self.is_put_in(number, to, 0);
        let Some(line) = self.air.lines.get_mut(&number) else { return };
        let moved = &mut line.moved[way(to)];
        for fragment in fragments {
            *moved = moved.wrapping_add(1);
            let count = behind[0].wrapping_add(*moved);
            let bytes = counted_on(&with_count(fragment, 0), count);
            self.queue.put(at, Happening::Fragment { line: number, to, bytes });
        }
    }

    /// These fragments are put in before this one, which is yet to be sent.
    fn puts_before(&mut self, number: u32, to: End, at: Time, before: &[u8], fragments: &[Vec<u8>]) {
        self.is_put_in(number, to, usize::from(is_last(before)));
        let Some(line) = self.air.lines.get_mut(&number) else { return };
        let moved = &mut line.moved[way(to)];
        for fragment in fragments {
            let count = before[0].wrapping_add(*moved);
            *moved = moved.wrapping_add(1);
            let bytes = counted_on(&with_count(fragment, 0), count);
            self.queue.put(at, Happening::Fragment { line: number, to, bytes });
        }
    }

    /// A message is put in, so many before the one that was said last. Where a record is expected it does not verify, and nothing has changed.
    fn is_put_in(&mut self, number: u32, to: End, before: usize) {
        if self.air.lines.get(&number).is_some_and(|line| line.messages[way(to)] < RECORDS + before) {
            self.is_changed(number);
        }
    }

    /// Over this connection nothing comes about any more, unless it has already.
    fn is_changed(&mut self, number: u32) {
        let Some(person) = self.air.lines.get(&number).and_then(|line| line.person) else { return };
        let phone = &self.people[person].phone;
        let is_linked = phone.is_linked() && phone.line.as_ref().is_some_and(|(own, _)| *own == number);
        if let (Some(line), false) = (self.air.lines.get_mut(&number), is_linked) {
            line.is_changed = true;
        }
    }
}

/// The fragment with this count.
fn with_count(fragment: &[u8], count: u8) -> Vec<u8> {
    let mut fragment = fragment.to_vec();
    if let Some(header) = fragment.first_mut() {
        *header = *header & 0xc0 | count & 0x3f;
    }
    fragment
}
