//! Records over a radio that loses fragments, repeats them, and swaps them with the next.

use armring_wire::{ATT_PAYLOAD_MAX, ATT_PAYLOAD_MIN, AttPayload, Fragmenter, Outbox, Reassembler};

use crate::input::Input;

/// So many fragments may be lost in a row: 63 and 64 cannot be noticed here, and the channel's tag answers for that.
const LOST_MOST: usize = 60;

/// How a radio treats what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Radio {
    /// Repeats, at most.
    Carries,
    Loses,
    /// And swaps. A receiver that goes on after an error then has whole records out of their order, which the channel above refuses.
    Swaps,
}

/// Cuts records, loses and repeats fragments, puts together what is left: whatever arrives was sent, and is whole.
pub fn fragments(data: &[u8]) {
    let mut input = Input::new(data);
    let payload = ATT_PAYLOAD_MIN + usize::from(input.any::<u16>()) % (ATT_PAYLOAD_MAX - ATT_PAYLOAD_MIN + 1);
    let payload = AttPayload::new(payload).unwrap();
    let through_outbox = input.any();
    let (mut sent, mut cut) = (Vec::new(), Vec::new());
    let (mut fragmenter, mut outbox) = (Fragmenter::new(payload), Outbox::new(vec![0; 656]));
    outbox.reset(payload);
    for n in 0..=input.below(8) {
        // A number in front, so that no two are the same.
        let mut record = vec![u8::try_from(n).unwrap()];
        record.resize(1 + usize::from(input.any::<u16>()) % 656, input.any());
        let before = cut.len();
        if through_outbox {
            through(&mut outbox, &record, &mut cut);
        } else {
            let (mut at, mut fragment) = (0, vec![0; payload.bytes()]);
            while let Some((len, next)) = fragmenter.cut(&record, at, &mut fragment) {
                at = next;
                cut.push(fragment[..len].to_vec());
            }
        }
        assert_eq!(cut.len() - before, payload.fragments(record.len()));
        sent.push(record);
    }
    let (arriving, radio) = over_the_radio(&mut input, &cut);
    let mut reassembler = Reassembler::new(vec![0; 656]);
    let mut arrived = Vec::new();
    for fragment in &arriving {
        match reassembler.push(fragment) {
            Ok(record) => arrived.extend(record.map(|record| record.to_vec())),
            Err(error) if error.is_unread() => {
                let again = reassembler.push(fragment);
                arrived.extend(again.ok().flatten().map(|record| record.to_vec()));
            }
            Err(_) => {}
        }
    }
    assert!(arrived.iter().all(|record| sent.contains(record)), "a record that was not sent");
    let mut rest = sent.iter();
    let in_order = arrived.iter().all(|record| rest.any(|other| other == record));
    assert!(in_order || radio == Radio::Swaps, "nothing was swapped");
    assert!(arrived == sent || radio != Radio::Carries, "nothing was lost");
}

fn through(outbox: &mut Outbox<Vec<u8>>, record: &[u8], cut: &mut Vec<Vec<u8>>) {
    let put = outbox.put((), |buffer| {
        buffer[..record.len()].copy_from_slice(record);
        Ok(record.len())
    });
    assert_eq!(put, Ok(()));
    let mut fragment = [0; ATT_PAYLOAD_MAX];
    while let Some(len) = outbox.next_fragment(&mut fragment) {
        cut.push(fragment[..len].to_vec());
        assert!(outbox.is_empty() || outbox.put((), |_| Ok(1)).is_err(), "one record at a time");
    }
    assert!(outbox.is_empty());
}

/// What is left, and what was done to it.
fn over_the_radio<'c>(input: &mut Input<'_>, cut: &'c [Vec<u8>]) -> (Vec<&'c [u8]>, Radio) {
    let (mut arriving, mut radio, mut lost) = (Vec::new(), Radio::Carries, 0);
    let mut waiting: Option<&[u8]> = None;
    for fragment in cut {
        match input.below(10) {
            9 if lost < LOST_MOST => {
                lost += 1;
                if radio == Radio::Carries {
                    radio = Radio::Loses;
                }
                continue;
            }
            1 if waiting.is_none() => {
                radio = Radio::Swaps;
                waiting = Some(fragment);
                continue;
            }
            2 => arriving.push(fragment.as_slice()),
            _ => {}
        }
        arriving.push(fragment);
        match waiting.take() {
            // It comes last and stood first: what was lost since is missing behind it.
            Some(late) => arriving.push(late),
            // Until one has arrived in its place, all that is missing counts.
            None => lost = 0,
        }
    }
    (arriving, radio)
}
