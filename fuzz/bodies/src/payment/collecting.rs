//! A collection, from the two presses that ask to the word on the wrist.

use armring_wallet::{Collection, Next};
use armring_wire::Outcome;
use armring_wire::records::band::{Decline, ToBand};

use super::{EXPIRY, MOST, receipt, scene};
use crate::cast;
use crate::input::Input;

pub(super) struct Collecting {
    collection: Collection,
    request: bool,
    paid: bool,
}

impl Collecting {
    pub(super) fn new() -> Self {
        let collection = Collection::new(cast::yuan(1_250), EXPIRY, "tea for two").unwrap();
        Self { collection, request: false, paid: false }
    }

    pub(super) fn run(mut self, input: &mut Input<'_>) {
        for _ in 0..MOST {
            if input.is_empty() {
                break;
            }
            self.goes_on(input);
            assert_eq!(self.collection.is_paid(), self.paid);
            assert_eq!(self.collection.request().is_some(), self.request);
        }
    }

    fn goes_on(&mut self, input: &mut Input<'_>) {
        let before = self.collection.clone();
        match input.below(8) {
            0 | 1 => match self.collection.poll() {
                Next::Band(ToBand::Receive { .. }) => assert!(!self.request),
                Next::Band(ToBand::Received { .. }) => assert!(self.paid),
                Next::Done(outcome) => assert!(self.paid && outcome.is_settled()),
                Next::Ended(_) => assert!(!self.request && !self.paid),
                Next::Wait => {}
                other => panic!("{other:?}"),
            },
            2 => self.collection.again(),
            3 => self.collection.noted(),
            4 => self.collection.declined(Decline::from(input.any::<u8>() % 16)),
            5 => {
                let (right, other) = (&scene().wanted, &scene().asked[1].0);
                let mut request = if input.below(4) == 0 { other } else { right }.clone();
                let changed = input.below(4) == 0 && input.alter(&mut request);
                let result = self.collection.requested(&request);
                if result.is_err() {
                    assert_eq!(self.collection, before, "what was refused has changed something");
                    assert!(self.request || changed || request != *right);
                }
                self.request |= result.is_ok();
            }
            6 => {
                let mut token = if input.below(4) == 0 { &scene().tokens[0] } else { &scene().paid }.clone();
                let changed = input.below(4) == 0 && input.alter(&mut token);
                let (receipt, fits) = receipt(input, &token);
                let result = self.collection.paid(&token, &receipt, &cast::root(), &scene().keys);
                let asked = self.collection.request() == Some(&scene().wanted);
                if asked && !changed {
                    let expected = token == scene().paid && fits.is_some_and(Outcome::is_settled);
                    assert_eq!(result.is_ok(), expected, "paid by a token that settled, and by nothing else");
                }
                if result.is_err() {
                    assert_eq!(self.collection, before, "what was refused has changed something");
                }
                self.paid |= result.is_ok();
            }
            _ => {
                let bytes = self.collection.to_bytes();
                assert!(!bytes.is_empty() && bytes.len() <= Collection::MAX_LEN);
                let restored = Collection::from_bytes(&bytes).expect("what was stored");
                assert_eq!(restored.to_bytes(), bytes);
                self.collection.again();
                assert_eq!(restored.clone().poll(), self.collection.clone().poll(), "it goes on where it was");
                self.collection = restored;
            }
        }
    }
}
