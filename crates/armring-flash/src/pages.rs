//! Pages of flash that are erased as a whole or not at all, wherever power is cut, and that are read back.

use core::ops::Range;

use embedded_storage_async::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

use crate::error::PageError;

/// What is read at a time.
const CHUNK: usize = 64;

/// The largest mark, in bytes: the largest word that `sequential-storage` takes.
const MARK_MAX: usize = 32;

/// What stands before a page whose last erasing came to its end. Ones and zeros are mixed, so that no erasing that was cut short makes it
/// of the zeros that stand there meanwhile.
const MARK: Aligned<MARK_MAX> = Aligned(*b"armring1armring1armring1armring1");

/// So many bits of a mark may be wrong: a mark that was not quite written, or has lost a charge, is one. By chance 64 bits are as near to it
/// in one of 2⁴⁴ cases.
const TOLERANCE: u32 = 4;

/// Some drivers want what they read and write to lie on a word's boundary.
#[repr(align(4))]
pub(crate) struct Aligned<const N: usize>(pub(crate) [u8; N]);

/// A range of flash as pages that each begin with a mark, which whoever uses them does not see: to them a page is shorter by that.
pub(crate) struct Pages<F> {
    flash: F,
    range: Range<u32>,
    /// The page whose erasing has begun and is not known to be over. Until it is, nothing else is done.
    unfinished: Option<u32>,
    /// The pages that hold what was written before [`Self::note_written`], one bit each.
    written: u64,
    /// The page that was read last.
    last_read: u32,
}

/// A number of bytes in a flash, which has less than 4 GiB.
pub(crate) const fn narrow(bytes: usize) -> u32 {
    assert!(bytes <= u32::MAX as usize, "no flash is that large");
    #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
    let narrow = bytes as u32;
    narrow
}

impl<F: NorFlash> Pages<F> {
    /// The length of a mark, in bytes: whole words.
    const MARK_LEN: usize = {
        let word = if F::WRITE_SIZE > F::READ_SIZE { F::WRITE_SIZE } else { F::READ_SIZE };
        assert!(word <= MARK_MAX && MARK_MAX.is_multiple_of(word), "a word has 1, 2, 4, 8, 16 or 32 bytes");
        if word > 8 { word } else { 8 }
    };

    /// The length of a page as the flash has it.
    const WHOLE: u32 = narrow(F::ERASE_SIZE);

    /// The length of a page as it is used.
    pub(crate) const USED: u32 = narrow(F::ERASE_SIZE - Self::MARK_LEN);

    /// At most so many pages are managed.
    pub(crate) const MAX: u32 = u64::BITS;

    pub(crate) const fn count(&self) -> u32 {
        (self.range.end - self.range.start) / Self::WHOLE
    }

    pub(crate) fn into_inner(self) -> F {
        self.flash
    }

    const fn address(&self, page: u32) -> u32 {
        self.range.start + page * Self::WHOLE
    }

    /// Where a byte is in the flash that its user knows by this offset.
    const fn place(&self, offset: u32) -> u32 {
        self.address(offset / Self::USED) + (Self::WHOLE - Self::USED) + offset % Self::USED
    }

    /// The page that was read last.
    pub(crate) const fn last_read(&self) -> u32 {
        self.last_read
    }

    /// Whether a page is left of those that were written before [`Self::note_written`].
    pub(crate) const fn has_written(&self) -> bool {
        self.written != 0
    }

    /// Whether all bytes from `address` on are as [`NorFlash::erase`] leaves them.
    async fn is_blank(&mut self, address: u32, len: u32) -> Result<bool, PageError<F::Error>> {
        let (mut at, end) = (address, address + len);
        let mut chunk = Aligned([0; CHUNK]);
        while at < end {
            let len = CHUNK.min((end - at) as usize);
            let Some(chunk) = chunk.0.get_mut(..len) else { break };
            self.flash.read(at, chunk).await.map_err(PageError::Driver)?;
            if chunk.iter().any(|byte| *byte != 0xFF) {
                return Ok(false);
            }
            at += narrow(len);
        }
        Ok(true)
    }

    /// Whether nothing was written to a page since it was erased.
    pub(crate) async fn is_unused(&mut self, page: u32) -> Result<bool, PageError<F::Error>> {
        self.is_blank(self.address(page) + (Self::WHOLE - Self::USED), Self::USED).await
    }

    /// Writes, and reads back.
    async fn write_back(&mut self, address: u32, bytes: &[u8]) -> Result<(), PageError<F::Error>> {
        self.flash.write(address, bytes).await.map_err(PageError::Driver)?;
        let mut chunk = Aligned([0; CHUNK]);
        let mut at = address;
        for expected in bytes.chunks(CHUNK) {
            let Some(chunk) = chunk.0.get_mut(..expected.len()) else { break };
            self.flash.read(at, chunk).await.map_err(PageError::Driver)?;
            if chunk != expected {
                return Err(PageError::ReadBack);
            }
            at += narrow(expected.len());
        }
        Ok(())
    }

    async fn write_mark(&mut self, page: u32, mark: &Aligned<MARK_MAX>) -> Result<(), PageError<F::Error>> {
        let Some(mark) = mark.0.get(..Self::MARK_LEN) else { return Ok(()) };
        self.write_back(self.address(page), mark).await
    }

    /// Whether the mark of a page was zeroed: some flash takes no more than two writes of a word.
    async fn is_zeroed(&mut self, page: u32) -> Result<bool, PageError<F::Error>> {
        let mut mark = Aligned([0; MARK_MAX]);
        let Some(read) = mark.0.get_mut(..Self::MARK_LEN) else { return Ok(false) };
        self.flash.read(self.address(page), read).await.map_err(PageError::Driver)?;
        Ok(read.iter().all(|byte| *byte == 0))
    }

    /// Whether the last erasing of a page came to its end.
    async fn is_marked(&mut self, page: u32) -> Result<bool, PageError<F::Error>> {
        let mut mark = Aligned([0; MARK_MAX]);
        let Some(read) = mark.0.get_mut(..Self::MARK_LEN) else { return Ok(false) };
        self.flash.read(self.address(page), read).await.map_err(PageError::Driver)?;
        let wrong: u32 = read.iter().zip(&MARK.0).map(|(read, mark)| (read ^ mark).count_ones()).sum();
        Ok(wrong <= TOLERANCE)
    }

    /// The pages in `range`, after every erasing that power had cut short was done again. A page that was never used is one of these.
    pub(crate) async fn mount(flash: F, range: Range<u32>) -> Result<Self, PageError<F::Error>> {
        let mut pages = Self { flash, range, unfinished: None, written: 0, last_read: 0 };
        for page in 0..pages.count() {
            // Asked twice, since the answer decides over a whole page.
            if !pages.is_marked(page).await? && !pages.is_marked(page).await? {
                pages.erase_page(page).await?;
            }
        }
        Ok(pages)
    }

    /// Erases a page: from the first write on it is nobody's, and [`Self::mount`] completes what does not come to its end.
    pub(crate) async fn erase_page(&mut self, page: u32) -> Result<(), PageError<F::Error>> {
        self.unfinished = Some(page);
        if !self.is_zeroed(page).await? {
            self.write_mark(page, &Aligned([0; MARK_MAX])).await?;
        }
        let address = self.address(page);
        self.flash.erase(address, address + Self::WHOLE).await.map_err(PageError::Driver)?;
        if !self.is_blank(address, Self::WHOLE).await? {
            return Err(PageError::ReadBack);
        }
        self.write_mark(page, &MARK).await?;
        self.unfinished = None;
        self.written &= !(1 << page);
        Ok(())
    }

    /// Completes an erasing that failed, or that its caller did not wait for: its page counts as erased, and is not to be read meanwhile.
    async fn settle(&mut self) -> Result<(), PageError<F::Error>> {
        match self.unfinished {
            Some(page) => self.erase_page(page).await,
            None => Ok(()),
        }
    }

    /// Takes note of the pages that are written to now, for [`Self::has_written`].
    pub(crate) async fn note_written(&mut self) -> Result<(), PageError<F::Error>> {
        self.settle().await?;
        self.written = 0;
        for page in 0..self.count() {
            if !self.is_unused(page).await? {
                self.written |= 1 << page;
            }
        }
        Ok(())
    }
}

impl<F: NorFlash> ErrorType for Pages<F> {
    type Error = PageError<F::Error>;
}

impl<F: NorFlash> ReadNorFlash for Pages<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.settle().await?;
        self.last_read = offset / Self::USED;
        self.flash.read(self.place(offset), bytes).await.map_err(PageError::Driver)
    }

    fn capacity(&self) -> usize {
        (self.count() * Self::USED) as usize
    }
}

impl<F: NorFlash> NorFlash for Pages<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE - Self::MARK_LEN;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.settle().await?;
        for page in from / Self::USED..to / Self::USED {
            self.erase_page(page).await?;
        }
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.settle().await?;
        self.write_back(self.place(offset), bytes).await
    }
}

impl<F: MultiwriteNorFlash> MultiwriteNorFlash for Pages<F> {}
