//! A file of the host's in place of a flash: pages that are erased whole to ones, and words whose bits are only ever cleared. The emulator
//! writes a word to the file before the next instruction runs, so that what was written outlives the emulator's being killed.

use armring_band::VALUE_MAX;
use cortex_m_semihosting::{nr, syscall};

use crate::board::Fault;

/// The file, in the folder where the emulator was started. It has to be there.
const FILE: &[u8] = b"flash.bin\0";
/// ISO C's "r+b" (Semihosting for AArch32 and AArch64 §6.14, SYS_OPEN).
const READ_AND_WRITE: usize = 3;
const PAGE: usize = 4096;
const WORD: usize = 4;

/// A flash.
pub(crate) struct Flash {
    file: usize,
}

impl Flash {
    /// The flash, which fails at each use if there is no file.
    pub(crate) fn open() -> Self {
        let arguments = [FILE.as_ptr() as usize, READ_AND_WRITE, FILE.len() - 1];
        // SAFETY: SYS_OPEN reads the three words, and the name that they lead to, which ends in a zero that is not counted.
        Self { file: unsafe { syscall(nr::OPEN, &arguments) } }
    }

    fn seek(&mut self, at: usize) -> Result<(), Fault> {
        // SAFETY: SYS_SEEK reads the two words and no other memory.
        let failed = unsafe { syscall(nr::SEEK, &[self.file, at]) };
        if failed == 0 { Ok(()) } else { Err(Fault::Flash) }
    }

    fn read_at(&mut self, at: usize, bytes: &mut [u8]) -> Result<(), Fault> {
        self.seek(at)?;
        // SAFETY: SYS_READ reads the three words, and writes at most as many bytes as the third says to where the second does: `bytes`, which
        // nobody else has.
        let missing = unsafe { syscall(nr::READ, &[self.file, bytes.as_mut_ptr() as usize, bytes.len()]) };
        if missing == 0 { Ok(()) } else { Err(Fault::Flash) }
    }

    fn write_at(&mut self, at: usize, bytes: &[u8]) -> Result<(), Fault> {
        self.seek(at)?;
        // SAFETY: SYS_WRITE reads the three words, and as many bytes as the third says from where the second does: `bytes`.
        let missing = unsafe { syscall(nr::WRITE, &[self.file, bytes.as_ptr() as usize, bytes.len()]) };
        if missing == 0 { Ok(()) } else { Err(Fault::Flash) }
    }

    fn program(&mut self, at: usize, bytes: &[u8]) -> Result<(), Fault> {
        for (offset, word) in (at..).step_by(WORD).zip(bytes.chunks(WORD)) {
            let mut stored = [0; WORD];
            self.read_at(offset, &mut stored)?;
            for (stored, bit) in stored.iter_mut().zip(word) {
                *stored &= bit;
            }
            self.write_at(offset, &stored)?;
        }
        Ok(())
    }

    fn erase_page(&mut self, at: usize) -> Result<(), Fault> {
        (at..at.saturating_add(PAGE)).step_by(64).try_for_each(|at| self.write_at(at, &[0xFF; 64]))
    }

    pub(crate) fn read(&mut self, key: u8, value: &mut [u8; VALUE_MAX]) -> Result<Option<usize>, Fault> {
        let at = usize::from(key) * PAGE;
        let mut len = [0; 4];
        self.read_at(at, &mut len)?;
        if len == [0xFF; 4] {
            return Ok(None);
        }
        let len = usize::from(u16::from_le_bytes([len[0], len[1]]));
        self.read_at(at + WORD, value.get_mut(..len).ok_or(Fault::Flash)?)?;
        Ok(Some(len))
    }

    pub(crate) fn write(&mut self, key: u8, value: &[u8]) -> Result<(), Fault> {
        let at = usize::from(key) * PAGE;
        self.erase_page(at)?;
        self.program(at + WORD, value)?;
        let [a, b, ..] = value.len().to_le_bytes();
        self.program(at, &[a, b, 0, 0])
    }

    pub(crate) fn erase(&mut self, key: u8) -> Result<(), Fault> {
        self.erase_page(usize::from(key) * PAGE)
    }
}
