//! Pages of flash that are erased as a whole or not at all, wherever power is cut, and that are read back.

use core::ops::Range;

use embedded_storage_async::nor_flash::NorFlash;

use crate::error::Error;

/// What is read at a time.
const CHUNK: usize = 64;

/// The largest mark, in bytes: the largest word that a flash may have.
const MARK_MAX: usize = 32;

/// What stands before a page whose last erasing came to its end. Ones and zeros are mixed, so that no erasing that was cut short makes it
/// of the zeros that stand there meanwhile.
const MARK: Aligned<MARK_MAX> = Aligned(*b"wristlogwristlogwristlogwristlog");

/// What stood there while pages were filled by `sequential-storage`. None of what is left of a [`MARK`] on the way is as near to it as
/// [`TOLERANCE`].
const OLD_MARK: [u8; MARK_MAX] = *b"armring1armring1armring1armring1";

/// So many bits of a mark may be wrong: a mark that was not quite written, or has lost a charge, is one. By chance 64 bits are as near to it
/// in one of 2⁴⁸ cases.
const TOLERANCE: u32 = 3;

/// Some drivers want what they read and write to lie on a word's boundary.
#[repr(align(4))]
pub(crate) struct Aligned<const N: usize>(pub(crate) [u8; N]);

/// A range of flash as pages that each begin with a mark, which whoever uses them does not see: to them a page is shorter by that, and places
/// in it are counted from there.
pub(crate) struct Pages<F> {
    flash: F,
    range: Range<u32>,
}

/// A number of bytes in a flash, which has less than 4 GiB.
pub(crate) const fn narrow(bytes: usize) -> u32 {
    assert!(bytes <= u32::MAX as usize, "no flash is that large");
    #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
    let narrow = bytes as u32;
    narrow
}

impl<F: NorFlash> Pages<F> {
    /// The length of a word, in bytes: the larger of those that are read and written.
    pub(crate) const WORD: usize = {
        let word = if F::WRITE_SIZE > F::READ_SIZE { F::WRITE_SIZE } else { F::READ_SIZE };
        assert!(word <= MARK_MAX && MARK_MAX.is_multiple_of(word), "a word has 1, 2, 4, 8, 16 or 32 bytes");
        word
    };

    /// The length of a mark, in bytes: whole words.
    const MARK_LEN: usize = if Self::WORD > 8 { Self::WORD } else { 8 };

    /// The length of a page as the flash has it.
    const WHOLE: u32 = narrow(F::ERASE_SIZE);

    /// The length of a page as it is used.
    pub(crate) const USED: u32 = narrow(F::ERASE_SIZE - Self::MARK_LEN);

    pub(crate) const fn new(flash: F, range: Range<u32>) -> Self {
        Self { flash, range }
    }

    pub(crate) const fn count(&self) -> u32 {
        (self.range.end - self.range.start) / Self::WHOLE
    }

    pub(crate) fn into_inner(self) -> F {
        self.flash
    }

    /// Where a page begins, with its mark.
    const fn address(&self, page: u32) -> u32 {
        self.range.start + page * Self::WHOLE
    }

    /// Where a place in a page is in the flash.
    const fn place(&self, page: u32, at: u32) -> u32 {
        self.address(page) + (Self::WHOLE - Self::USED) + at
    }

    async fn read_flash(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), Error<F::Error>> {
        self.flash.read(address, bytes).await.map_err(Error::Driver)
    }

    /// Reads whole words.
    pub(crate) async fn read(&mut self, page: u32, at: u32, bytes: &mut [u8]) -> Result<(), Error<F::Error>> {
        self.read_flash(self.place(page, at), bytes).await
    }

    /// Whether all bytes from `address` up to `end` are as [`NorFlash::erase`] leaves them.
    async fn is_erased(&mut self, address: u32, end: u32) -> Result<bool, Error<F::Error>> {
        let mut at = address;
        let mut chunk = Aligned([0; CHUNK]);
        while at < end {
            let len = CHUNK.min((end - at) as usize);
            let Some(chunk) = chunk.0.get_mut(..len) else { break };
            self.read_flash(at, chunk).await?;
            if chunk.iter().any(|byte| *byte != 0xFF) {
                return Ok(false);
            }
            at += narrow(len);
        }
        Ok(true)
    }

    /// Whether nothing was written to a page from this place on since it was erased.
    pub(crate) async fn is_blank(&mut self, page: u32, at: u32) -> Result<bool, Error<F::Error>> {
        self.is_erased(self.place(page, at), self.address(page) + Self::WHOLE).await
    }

    /// Writes whole words, and reads them back.
    pub(crate) async fn write(&mut self, page: u32, at: u32, bytes: &[u8]) -> Result<(), Error<F::Error>> {
        self.write_flash(self.place(page, at), bytes).await
    }

    async fn write_flash(&mut self, address: u32, bytes: &[u8]) -> Result<(), Error<F::Error>> {
        self.flash.write(address, bytes).await.map_err(Error::Driver)?;
        let mut chunk = Aligned([0; CHUNK]);
        let mut at = address;
        for expected in bytes.chunks(CHUNK) {
            let Some(chunk) = chunk.0.get_mut(..expected.len()) else { break };
            self.read_flash(at, chunk).await?;
            if chunk != expected {
                return Err(Error::ReadBack);
            }
            at += narrow(expected.len());
        }
        Ok(())
    }

    async fn write_mark(&mut self, page: u32, mark: &Aligned<MARK_MAX>) -> Result<(), Error<F::Error>> {
        let Some(mark) = mark.0.get(..Self::MARK_LEN) else { return Ok(()) };
        self.write_flash(self.address(page), mark).await
    }

    /// Whether a mark was zeroed: some flash takes no more than two writes of a word.
    async fn is_zeroed(&mut self, page: u32) -> Result<bool, Error<F::Error>> {
        let mut mark = Aligned([0; MARK_MAX]);
        let Some(read) = mark.0.get_mut(..Self::MARK_LEN) else { return Ok(false) };
        self.read_flash(self.address(page), read).await?;
        Ok(read.iter().all(|byte| *byte == 0))
    }

    /// Whether this mark stands before a page.
    async fn has(&mut self, page: u32, mark: &[u8; MARK_MAX]) -> Result<bool, Error<F::Error>> {
        let mut read = Aligned([0; MARK_MAX]);
        let Some(read) = read.0.get_mut(..Self::MARK_LEN) else { return Ok(false) };
        self.read_flash(self.address(page), read).await?;
        Ok(wrong_bits(read, mark) <= TOLERANCE)
    }

    /// Does every erasing again that power had cut short, or that failed. A page that was never used is one of these.
    ///
    /// # Errors
    /// [`Error::Version`], and then nothing was changed.
    pub(crate) async fn complete_erasings(&mut self) -> Result<(), Error<F::Error>> {
        for page in 0..self.count() {
            if self.has(page, &OLD_MARK).await? {
                return Err(Error::Version);
            }
        }
        for page in 0..self.count() {
            // Asked twice, since the answer decides over a whole page.
            if !self.has(page, &MARK.0).await? && !self.has(page, &MARK.0).await? {
                self.erase_page(page).await?;
            }
        }
        Ok(())
    }

    /// Erases a page: from the first write on it is nobody's, and [`Self::complete_erasings`] completes what does not come to its end.
    pub(crate) async fn erase_page(&mut self, page: u32) -> Result<(), Error<F::Error>> {
        if !self.is_zeroed(page).await? {
            self.write_mark(page, &Aligned([0; MARK_MAX])).await?;
        }
        let address = self.address(page);
        self.flash.erase(address, address + Self::WHOLE).await.map_err(Error::Driver)?;
        if !self.is_erased(address, address + Self::WHOLE).await? {
            return Err(Error::ReadBack);
        }
        self.write_mark(page, &MARK).await
    }
}

fn wrong_bits(read: &[u8], mark: &[u8]) -> u32 {
    read.iter().zip(mark).map(|(read, mark)| (read ^ mark).count_ones()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_on_the_way_to_or_from_a_mark_is_the_old_one() {
        // Bits are only taken away, from erased flash to the mark and from there to zeros.
        for (new, old) in MARK.0.chunks(8).zip(OLD_MARK.chunks(8)) {
            let (lacking, superfluous): (u32, u32) = new.iter().zip(old).fold((0, 0), |(lacking, superfluous), (new, old)| {
                (lacking + (old & !new).count_ones(), superfluous + (new & !old).count_ones())
            });
            assert!(lacking > TOLERANCE && superfluous > TOLERANCE, "{lacking} {superfluous}");
        }
    }
}
