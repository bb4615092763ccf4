//! The day as `cargo xtask budget` writes it for this program: numbers, and bytes with their length in front.

use crate::Draws;

/// What is left of it to read.
pub(crate) struct Session {
    left: &'static [u8],
}

/// A chapter of the day.
pub(crate) struct Chapter {
    pub(crate) name: &'static str,
    pub(crate) draws: Draws,
    pub(crate) happens: Happens,
    pub(crate) says: Says,
}

/// What happens: which event, when in milliseconds, and its bytes.
pub(crate) struct Happens {
    count: u16,
    session: Session,
}

/// What the band says.
pub(crate) struct Says {
    count: u16,
    session: Session,
}

impl Session {
    pub(crate) const fn open() -> Self {
        Self { left: include_bytes!(env!("ARMRING_SESSION")) }
    }

    pub(crate) fn chapter(&mut self) -> Chapter {
        let name = str::from_utf8(self.bytes()).expect("a name");
        let draws = Draws { left: self.bytes() };
        let count = self.half();
        let happens = Happens { count, session: Self { left: self.bytes() } };
        let count = self.half();
        Chapter { name, draws, happens, says: Says { count, session: Self { left: self.bytes() } } }
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let (array, left) = self.left.split_first_chunk().expect("the day is longer");
        self.left = left;
        *array
    }

    fn half(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    fn bytes(&mut self) -> &'static [u8] {
        let len = usize::from(self.half());
        let (bytes, left) = self.left.split_at_checked(len).expect("the day is longer");
        self.left = left;
        bytes
    }
}

impl Iterator for Happens {
    type Item = (u8, u32, &'static [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.count = self.count.checked_sub(1)?;
        Some((self.session.byte(), u32::from_le_bytes(self.session.array()), self.session.bytes()))
    }
}

impl Iterator for Says {
    type Item = &'static [u8];

    fn next(&mut self) -> Option<Self::Item> {
        self.count = self.count.checked_sub(1)?;
        Some(self.session.bytes())
    }
}
