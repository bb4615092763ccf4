//! What those who listen to the radio remember.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use crate::happening::End;

/// How many fragments, messages and whole connections they remember.
const FRAGMENTS: usize = 256;
const MESSAGES: usize = 96;
const CONNECTIONS: usize = 24;

/// What was said over the radio, and to whom.
#[derive(Debug, Default)]
pub(crate) struct Overheard {
    pub(crate) fragments: VecDeque<(End, Vec<u8>)>,
    /// Whole messages, in fragments.
    pub(crate) messages: VecDeque<(End, Vec<Vec<u8>>)>,
    /// What phones said over whole connections: to which band.
    pub(crate) connections: VecDeque<(usize, Vec<Vec<u8>>)>,
    /// Hashes of everything that was ever said.
    all: HashSet<u64>,
}

impl Overheard {
    pub(crate) fn fragment(&mut self, to: End, bytes: &[u8]) {
        remember(&mut self.fragments, FRAGMENTS, (to, bytes.to_vec()));
    }

    pub(crate) fn message(&mut self, to: End, fragments: Vec<Vec<u8>>) {
        remember(&mut self.messages, MESSAGES, (to, fragments));
    }

    pub(crate) fn connection(&mut self, wrist: usize, said: Vec<Vec<u8>>) {
        remember(&mut self.connections, CONNECTIONS, (wrist, said));
    }

    /// Whether this message was never said before.
    pub(crate) fn is_new(&mut self, message: &[u8]) -> bool {
        self.all.insert(BuildHasherDefault::<DefaultHasher>::default().hash_one(message))
    }
}

fn remember<T>(all: &mut VecDeque<T>, most: usize, one: T) {
    if all.len() == most {
        all.pop_front();
    }
    all.push_back(one);
}
