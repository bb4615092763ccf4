//! A flash in memory that can lose power at any operation, and leave any part of it behind.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::cell::RefCell;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::task::Poll;

use armring_flash::MultiwriteNorFlash;
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What is done to the flash.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Write { at: usize, bytes: Vec<u8> },
    Erase { at: usize, len: usize },
}

/// How much of an operation gets in before the power is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Torn {
    /// Nothing.
    Lost,
    /// All of it; only that nobody was told.
    Whole,
    /// The bytes up to one of them.
    Front,
    /// The bytes from one of them on.
    Back,
    /// Some words.
    Words,
    /// Some bits.
    Bits,
    /// All but very few bits.
    Nearly,
    /// Very few bits.
    Barely,
}

impl Torn {
    pub(crate) const ALL: [Self; 8] =
        [Self::Lost, Self::Whole, Self::Front, Self::Back, Self::Words, Self::Bits, Self::Nearly, Self::Barely];
}

/// What is in a flash.
#[derive(Clone)]
pub(crate) struct Raw {
    pub(crate) bytes: Vec<u8>,
    /// How often each word was written since it was erased.
    writes: Vec<u8>,
    word: usize,
}

impl Raw {
    pub(crate) fn new(len: usize, word: usize) -> Self {
        Self { bytes: vec![0xFF; len], writes: vec![0; len / word], word }
    }

    /// Does `op`, of which so much gets in.
    pub(crate) fn apply(&mut self, op: &Op, torn: Torn, rng: &mut ChaCha20Rng) {
        let (at, len) = match op {
            Op::Write { at, bytes } => (*at, bytes.len()),
            Op::Erase { at, len } => (*at, *len),
        };
        let edge = rng.next_u32() as usize % (len + 1);
        for index in 0..len {
            let target = match op {
                Op::Write { bytes, .. } => self.bytes[at + index] & bytes[index],
                Op::Erase { .. } => 0xFF,
            };
            let few = |rng: &mut ChaCha20Rng| if rng.next_u32().is_multiple_of(64) { 1 << (rng.next_u32() % 8) } else { 0 };
            // The bits that change, if they would.
            let mask: u8 = match torn {
                Torn::Lost => 0,
                Torn::Whole => 0xFF,
                Torn::Front => {
                    if index < edge {
                        0xFF
                    } else {
                        0
                    }
                }
                Torn::Back => {
                    if index >= edge {
                        0xFF
                    } else {
                        0
                    }
                }
                Torn::Words => {
                    // One decision for each word.
                    let word = (at + index) / self.word;
                    if (word.wrapping_mul(0x9E37_79B9) >> 7).wrapping_add(edge).is_multiple_of(2) { 0xFF } else { 0 }
                }
                Torn::Bits => (rng.next_u32() & 0xFF) as u8,
                Torn::Nearly => !few(rng),
                Torn::Barely => few(rng),
            };
            let byte = &mut self.bytes[at + index];
            *byte = (*byte & !mask) | (target & mask);
        }
        let words = &mut self.writes[at / self.word..(at + len) / self.word];
        match op {
            // One that was cut short is made good by another.
            Op::Write { .. } if torn != Torn::Whole => {}
            Op::Write { .. } => words.iter_mut().for_each(|writes| *writes = writes.saturating_add(1)),
            Op::Erase { .. } => words.fill(0),
        }
    }

    /// Whether any eight bytes of `secret` in a row are somewhere in the flash.
    pub(crate) fn shows(&self, secret: &[u8]) -> bool {
        let parts: Vec<&[u8]> = secret.chunks_exact(8).collect();
        self.bytes.windows(8).any(|window| parts.contains(&window))
    }
}

/// What a flash does, and how long it goes on.
pub(crate) struct Machine {
    pub(crate) raw: Raw,
    /// After how many writes and erasings the power is gone, and how much of that one gets in.
    pub(crate) cut: Option<(usize, Torn)>,
    pub(crate) is_off: bool,
    /// After how many writes and erasings one fails, in the same way; then the flash works again.
    pub(crate) fails: Option<(usize, Torn)>,
    /// Everything that was done, where somebody wants to know.
    pub(crate) journal: Option<Vec<Op>>,
    /// How often each page was erased.
    pub(crate) erasings: [usize; 64],
    /// Whether each operation waits once.
    pub(crate) is_slow: bool,
    pub(crate) rng: ChaCha20Rng,
}

/// A flash with words and pages of these sizes. All copies are the same one.
#[derive(Clone)]
pub(crate) struct Flash<const WORD: usize, const PAGE: usize>(pub(crate) Rc<RefCell<Machine>>);

impl<const WORD: usize, const PAGE: usize> Flash<WORD, PAGE> {
    pub(crate) fn new(pages: usize, seed: u64) -> Self {
        Self::of(Raw::new(pages * PAGE, WORD), seed)
    }

    pub(crate) fn of(raw: Raw, seed: u64) -> Self {
        Self(Rc::new(RefCell::new(Machine {
            raw,
            cut: None,
            is_off: false,
            fails: None,
            journal: None,
            erasings: [0; 64],
            is_slow: false,
            rng: ChaCha20Rng::seed_from_u64(seed),
        })))
    }

    pub(crate) fn raw(&self) -> Raw {
        self.0.borrow().raw.clone()
    }

    pub(crate) fn set_cut(&self, cut: Option<(usize, Torn)>) {
        self.0.borrow_mut().cut = cut;
    }

    /// Power is back. Says whether it was gone.
    pub(crate) fn switch_on(&self) -> bool {
        let mut machine = self.0.borrow_mut();
        machine.cut = None;
        std::mem::take(&mut machine.is_off)
    }

    pub(crate) fn shows(&self, secret: &[u8]) -> bool {
        self.0.borrow().raw.shows(secret)
    }

    async fn wait(&self) {
        let mut waits = self.0.borrow().is_slow;
        poll_fn(|_| if std::mem::take(&mut waits) { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    fn operate(&self, op: Op) -> Result<(), Failure> {
        let Machine { raw, cut, is_off, fails, journal, rng, erasings, .. } = &mut *self.0.borrow_mut();
        if *is_off {
            return Err(Failure);
        }
        if let Op::Erase { at, .. } = &op {
            erasings[at / PAGE] += 1;
        }
        if let Some(journal) = journal {
            journal.push(op.clone());
        }
        if let Some((0, torn)) = cut {
            *is_off = true;
            raw.apply(&op, *torn, rng);
            return Err(Failure);
        }
        if let Some((0, torn)) = fails.take_if(|(left, _)| *left == 0) {
            raw.apply(&op, torn, rng);
            return Err(Failure);
        }
        for left in [cut, fails].into_iter().flatten() {
            left.0 -= 1;
        }
        raw.apply(&op, Torn::Whole, rng);
        if let Op::Write { at, bytes } = &op {
            // What a microcontroller's own flash allows.
            let words = &raw.writes[at / WORD..(at + bytes.len()) / WORD];
            assert!(words.iter().all(|writes| *writes <= 2), "a word was written more than twice: {op:?}");
        }
        Ok(())
    }
}

/// The power is gone, or an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure;

impl NorFlashError for Failure {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<const WORD: usize, const PAGE: usize> ErrorType for Flash<WORD, PAGE> {
    type Error = Failure;
}

impl<const WORD: usize, const PAGE: usize> ReadNorFlash for Flash<WORD, PAGE> {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Failure> {
        let machine = self.0.borrow();
        if machine.is_off {
            return Err(Failure);
        }
        bytes.copy_from_slice(&machine.raw.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.borrow().raw.bytes.len()
    }
}

impl<const WORD: usize, const PAGE: usize> NorFlash for Flash<WORD, PAGE> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Failure> {
        let (from, to) = (from as usize, to as usize);
        assert!(from.is_multiple_of(PAGE) && to.is_multiple_of(PAGE) && from < to, "{from}..{to}");
        self.wait().await;
        self.operate(Op::Erase { at: from, len: to - from })
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Failure> {
        assert!(
            (offset as usize).is_multiple_of(WORD) && bytes.len().is_multiple_of(WORD) && !bytes.is_empty(),
            "{offset} {}",
            bytes.len()
        );
        self.wait().await;
        self.operate(Op::Write { at: offset as usize, bytes: bytes.to_vec() })
    }
}

impl<const WORD: usize, const PAGE: usize> MultiwriteNorFlash for Flash<WORD, PAGE> {}

/// From the environment, else another one in each run; printed.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("POWER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("power"));
    println!("POWER_SEED={seed}");
    seed
}
