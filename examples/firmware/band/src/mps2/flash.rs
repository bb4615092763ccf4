//! A file of the host's in place of a flash: pages that are erased whole to ones, and words whose bits are only ever cleared. The emulator
//! writes a word to the file before the next instruction runs, so that what was written outlives the emulator's being killed, and what was
//! not is not there.

use cortex_m_semihosting::{nr, syscall};
use embedded_storage_async::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

use crate::board::Fault;

/// How large it is, and how large a page of it: as on an nRF52840, of which it would be a part.
pub(crate) const FLASH: u32 = 17 * PAGE;
pub(crate) const PAGE: u32 = 4096;

/// The file, in the folder where the emulator was started. It has to be there.
const FILE: &[u8] = b"flash.bin\0";
/// ISO C's "r+b" (Semihosting for AArch32 and AArch64 §6.14, SYS_OPEN).
const READ_AND_WRITE: usize = 3;
const WORD: usize = 4;
/// So much of a page is erased at a time: a kill may come in between.
const ERASED_AT_ONCE: usize = 64;

/// A flash.
pub(crate) struct Flash {
    file: usize,
}

/// The host's file cannot be read or written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileError;

impl Flash {
    /// The flash.
    ///
    /// # Errors
    /// [`Fault::Flash`] if there is no file.
    pub(crate) fn open() -> Result<Self, Fault> {
        let arguments = [FILE.as_ptr() as usize, READ_AND_WRITE, FILE.len() - 1];
        // SAFETY: SYS_OPEN reads the three words, and the name that they lead to, which ends in a zero that is not counted.
        let file = unsafe { syscall(nr::OPEN, &arguments) };
        if file == usize::MAX { Err(Fault::Flash) } else { Ok(Self { file }) }
    }

    fn seek(&mut self, at: u32) -> Result<(), FileError> {
        let at = usize::try_from(at).map_err(|_| FileError)?;
        // SAFETY: SYS_SEEK reads the two words and no other memory.
        let failed = unsafe { syscall(nr::SEEK, &[self.file, at]) };
        if failed == 0 { Ok(()) } else { Err(FileError) }
    }

    fn read_file(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), FileError> {
        self.seek(at)?;
        // SAFETY: SYS_READ reads the three words, and writes at most as many bytes as the third says to where the second does: `bytes`, which
        // nobody else has.
        let missing = unsafe { syscall(nr::READ, &[self.file, bytes.as_mut_ptr() as usize, bytes.len()]) };
        if missing == 0 { Ok(()) } else { Err(FileError) }
    }

    fn write_file(&mut self, at: u32, bytes: &[u8]) -> Result<(), FileError> {
        self.seek(at)?;
        // SAFETY: SYS_WRITE reads the three words, and as many bytes as the third says from where the second does: `bytes`.
        let missing = unsafe { syscall(nr::WRITE, &[self.file, bytes.as_ptr() as usize, bytes.len()]) };
        if missing == 0 { Ok(()) } else { Err(FileError) }
    }
}

impl NorFlashError for FileError {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl ErrorType for Flash {
    type Error = FileError;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FileError> {
        self.read_file(offset, bytes)
    }

    fn capacity(&self) -> usize {
        FLASH as usize
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE as usize;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), FileError> {
        (from..to).step_by(ERASED_AT_ONCE).try_for_each(|at| self.write_file(at, &[0xFF; ERASED_AT_ONCE]))
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FileError> {
        for (at, word) in (offset..).step_by(WORD).zip(bytes.chunks(WORD)) {
            let mut stored = [0; WORD];
            self.read_file(at, &mut stored)?;
            stored.iter_mut().zip(word).for_each(|(stored, bits)| *stored &= bits);
            self.write_file(at, &stored)?;
        }
        Ok(())
    }
}

// An nRF52840's words can be written twice before they are erased, one bit after the other.
impl MultiwriteNorFlash for Flash {}
