//! Fragments of any form, against a model.

use armring_wire::{ATT_PAYLOAD_MAX, FragmentError, Reassembler};

use crate::input::Input;

/// SPEC.md, section 3, as plainly as it can be said: with a record of its own for what is in progress.
struct Model {
    memory: usize,
    /// The record in progress.
    record: Option<Vec<u8>>,
    /// The count of the last fragment, unless something was wrong since.
    last: Option<u8>,
}

impl Model {
    fn push(&mut self, fragment: &[u8]) -> Result<Option<Vec<u8>>, FragmentError> {
        let len = fragment.len();
        if !(2..=ATT_PAYLOAD_MAX).contains(&len) {
            return Err(FragmentError::Length(len));
        }
        let (is_first, is_last, count) = (fragment[0] & 0x80 != 0, fragment[0] & 0x40 != 0, fragment[0] % 64);
        if self.last == Some(count) {
            return Err(FragmentError::Repeated);
        }
        let result = if self.last.is_some_and(|last| (last + 1) % 64 != count) {
            Err(FragmentError::Gap)
        } else if is_first && self.record.is_some() {
            Err(FragmentError::Interrupted)
        } else if !is_first && self.record.is_none() {
            Err(FragmentError::NotBegun)
        } else {
            let record = [self.record.take().unwrap_or_default().as_slice(), &fragment[1..]].concat();
            if record.len() > self.memory { Err(FragmentError::TooLong(self.memory)) } else { Ok(record) }
        };
        match result {
            Err(error) => {
                (self.record, self.last) = (None, None);
                Err(error)
            }
            Ok(record) => {
                self.last = Some(count);
                if is_last {
                    return Ok(Some(record));
                }
                self.record = Some(record);
                Ok(None)
            }
        }
    }
}

/// Pushes fragments of any form, and those that go on where the last one ended.
pub fn reassembler(data: &[u8]) {
    let mut input = Input::new(data);
    let memory = input.one_of(&[4, 40, 656]);
    let mut reassembler = Reassembler::new(vec![0; memory]);
    let mut model = Model { memory, record: None, last: None };
    let mut fragment = Vec::new();
    while !input.is_empty() {
        match input.below(8) {
            // The same once more.
            0 => {}
            1 => {
                reassembler.reset();
                (model.record, model.last) = (None, None);
            }
            2 => fragment = input.bytes(600).to_vec(),
            flags => {
                // One that goes on, as long as any may be.
                let first = if model.record.is_none() || flags == 3 { 0x80 } else { 0 };
                let last = if flags > 5 { 0x40 } else { 0 };
                let count = model.last.map_or(0, |last| (last + 1) % 64);
                fragment = [&[first | last | count], input.bytes(64)].concat();
                if flags == 4 {
                    fragment.resize(ATT_PAYLOAD_MAX, 7);
                }
            }
        }
        let expected = model.push(&fragment);
        let got = reassembler.push(&fragment).map(|record| record.map(|record| record.to_vec()));
        assert_eq!(got, expected, "{fragment:02x?}");
        assert_eq!(reassembler.is_in_progress(), model.record.is_some());
    }
}
