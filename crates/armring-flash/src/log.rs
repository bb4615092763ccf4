//! Values appended to pages that take turns: the newest one of a key counts.
//!
//! The pages that are used follow each other, the last one behind the first, with numbers that count up; at least one is free. Each begins with an
//! opening, a record that has its number and says where the records of the page before it end. When a page is full the next one is opened. If
//! none is free after that, what still counts in the oldest one is moved into the new one, and the oldest one is erased.
//!
//! A power cut leaves a record that is not whole. Nothing is written after it in its page.

use core::num::NonZeroU32;

use embedded_storage_async::nor_flash::NorFlash;
use zeroize::Zeroize;

use crate::error::Error;
use crate::index::Index;
use crate::pages::{Aligned, Pages, narrow};
use crate::record::{HEAD_LEN, Place, RECORD_MAX, Record, size};

/// The key of an opening. No value has it.
const OPENING: u8 = 0;

/// An opening's value: the page's number (4), where the records of the page before it end (4), both little-endian.
const OPENING_VALUE: usize = 8;

/// What an opening says.
struct Opening {
    /// A flash does not live to see the last one.
    number: u32,
    end_before: u32,
}

/// Values under keys of one byte, in pages.
///
/// Where something fails, or is not waited for, what is known here may no longer be what is in the flash: it is read again before anything else,
/// as after a power cut.
pub(crate) struct Log<F> {
    pages: Pages<F>,
    index: Index,
    /// The page that is being filled.
    head: u32,
    /// Its number.
    number: u32,
    /// How many pages are used: this one and those before it.
    used: u32,
    /// Where its records end.
    end: u32,
    /// Whether nothing stands after that.
    has_room: bool,
    /// Whether all this is so.
    is_settled: bool,
    /// What is written or read, which may be a secret.
    buffer: Aligned<RECORD_MAX>,
}

impl<F: NorFlash> Log<F> {
    /// Where the first record of a page begins.
    const FIRST: u32 = narrow(size(OPENING_VALUE, Pages::<F>::WORD));

    /// The room that a page has for records.
    pub(crate) const ROOM: u32 = Pages::<F>::USED.saturating_sub(Self::FIRST);

    /// The room that a record with a value of `len` bytes takes.
    pub(crate) const fn room_for(len: usize) -> u32 {
        narrow(size(len, Pages::<F>::WORD))
    }

    /// Nothing is read yet.
    pub(crate) const fn new(pages: Pages<F>) -> Self {
        let (index, buffer) = (Index::new(), Aligned([0; RECORD_MAX]));
        Self { pages, index, head: 0, number: 0, used: 0, end: 0, has_room: false, is_settled: false, buffer }
    }

    pub(crate) fn into_inner(mut self) -> F {
        self.forget();
        self.pages.into_inner()
    }

    /// Erases what was read or written last here in memory.
    pub(crate) fn forget(&mut self) {
        self.buffer.0.zeroize();
    }

    /// Whether there is a value under `key`.
    pub(crate) fn has(&self, key: u8) -> bool {
        self.index.get(key).is_some()
    }

    /// The value under `key`.
    pub(crate) async fn read(&mut self, key: u8) -> Result<Option<&[u8]>, Error<F::Error>> {
        self.settle().await?;
        let Some(place) = self.index.get(key) else { return Ok(None) };
        let (_, len) = self.read_at(place).await?.filter(|(found, _)| *found == key).ok_or(Error::Corrupted)?;
        Ok(self.buffer.0.get(HEAD_LEN..HEAD_LEN + len))
    }

    /// Appends a value; an empty one says that there is none any more.
    pub(crate) async fn append(&mut self, key: u8, value: &[u8]) -> Result<(), Error<F::Error>> {
        self.settle().await?;
        self.is_settled = false;
        let mut turns = 0;
        while !self.has_room || self.end + Self::room_for(value.len()) > Pages::<F>::USED {
            if turns > self.pages.count() {
                // The range has room for everything, else it was refused.
                return Err(Error::Corrupted);
            }
            self.turn().await?;
            turns += 1;
        }
        Record(&mut self.buffer.0).value(value.len()).ok_or(Error::Value)?.copy_from_slice(value);
        self.write(key, value.len()).await?;
        self.is_settled = true;
        Ok(())
    }

    /// Moves what counts out of each page, and erases it: what does not count is nowhere any more.
    pub(crate) async fn purge(&mut self) -> Result<(), Error<F::Error>> {
        self.settle().await?;
        self.is_settled = false;
        let last = self.number;
        while self.number_of(self.oldest()) <= last {
            self.turn().await?;
        }
        self.is_settled = true;
        Ok(())
    }

    /// Erases every page, the one that was written last at the end.
    pub(crate) async fn wipe(&mut self) -> Result<(), Error<F::Error>> {
        self.settle().await?;
        self.is_settled = false;
        while self.used > 0 {
            self.pages.erase_page(self.oldest()).await?;
            self.used -= 1;
        }
        self.settle().await
    }

    /// Reads what is in the flash, where that is not known, and completes what was begun.
    pub(crate) async fn settle(&mut self) -> Result<(), Error<F::Error>> {
        if self.is_settled {
            return Ok(());
        }
        self.index = Index::new();
        self.pages.complete_erasings().await?;
        match self.find_pages().await? {
            Some((head, number)) => {
                (self.head, self.number) = (head, number);
                if self.used == self.pages.count() {
                    // The oldest page was being moved into this one, which has nothing else.
                    self.pages.erase_page(head).await?;
                    (self.head, self.number) = (self.page_before(head), number.saturating_sub(1));
                    self.used -= 1;
                }
                self.read_pages().await?;
            }
            None => self.open(0, 1, 0).await?,
        }
        self.is_settled = true;
        Ok(())
    }

    /// Counts the pages that are used, and gives the newest one with its number.
    async fn find_pages(&mut self) -> Result<Option<(u32, u32)>, Error<F::Error>> {
        let mut newest = None;
        self.used = 0;
        for page in 0..self.pages.count() {
            if let Some(Opening { number, .. }) = self.opening(page).await? {
                self.used += 1;
                if newest.is_none_or(|(_, newest)| number > newest) {
                    newest = Some((page, number));
                }
            } else if !self.pages.is_blank(page, Self::FIRST).await? {
                return Err(Error::Corrupted);
            } else if !self.pages.is_blank(page, 0).await? {
                // It was being opened.
                self.pages.erase_page(page).await?;
            }
        }
        Ok(newest)
    }

    /// Reads the pages from the oldest one on. Each has to end where the next one says, so that no record that was lost is overlooked.
    async fn read_pages(&mut self) -> Result<(), Error<F::Error>> {
        let mut end = None;
        for back in (0..self.used).rev() {
            let number = self.number.checked_sub(back).ok_or(Error::Corrupted)?;
            let page = (self.head + self.pages.count() - back) % self.pages.count();
            let opening = self.opening(page).await?.filter(|opening| opening.number == number).ok_or(Error::Corrupted)?;
            if end.is_some_and(|end| end != opening.end_before) {
                return Err(Error::Corrupted);
            }
            end = Some(self.read_page(page, number).await?);
        }
        self.end = end.unwrap_or(Self::FIRST);
        self.has_room = self.pages.is_blank(self.head, self.end).await?;
        if self.has_room || !self.has_more().await? { Ok(()) } else { Err(Error::Corrupted) }
    }

    /// Takes note of the records of a page, and says where they end.
    async fn read_page(&mut self, page: u32, number: u32) -> Result<u32, Error<F::Error>> {
        let mut at = Self::FIRST;
        while let Some((key, len)) = self.record(page, Place { number, at }).await? {
            let place = if len > 0 { Self::join(page, at) } else { None };
            if !self.index.set(key, place) {
                return Err(Error::Corrupted);
            }
            at += Self::room_for(len);
        }
        Ok(at)
    }

    /// Whether a record stands somewhere after what is none. No power cut leaves that.
    async fn has_more(&mut self) -> Result<bool, Error<F::Error>> {
        let (page, number) = (self.head, self.number);
        for at in (self.end..Pages::<F>::USED).step_by(Pages::<F>::WORD) {
            if self.record(page, Place { number, at }).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Opens the next page. If none is free after it, the oldest one is moved into it.
    async fn turn(&mut self) -> Result<(), Error<F::Error>> {
        let (next, number) = ((self.head + 1) % self.pages.count(), self.number.checked_add(1).ok_or(Error::Corrupted)?);
        self.open(next, number, self.end).await?;
        if self.used < self.pages.count() {
            return Ok(());
        }
        let oldest = self.oldest();
        let places = oldest * Pages::<F>::USED..(oldest + 1) * Pages::<F>::USED;
        while let Some((_, place)) = self.index.any_in(places.clone()) {
            let (key, len) = self.read_at(place).await?.ok_or(Error::Corrupted)?;
            self.write(key, len).await?;
        }
        self.pages.erase_page(oldest).await?;
        self.used -= 1;
        Ok(())
    }

    async fn open(&mut self, page: u32, number: u32, end_before: u32) -> Result<(), Error<F::Error>> {
        (self.head, self.number, self.end, self.has_room) = (page, number, 0, true);
        self.used += 1;
        if let Some([first, second]) = Record(&mut self.buffer.0).value(OPENING_VALUE).map(|value| value.as_chunks_mut().0) {
            (*first, *second) = (number.to_le_bytes(), end_before.to_le_bytes());
        }
        self.write(OPENING, OPENING_VALUE).await
    }

    /// Writes the record whose value is in the buffer after the others. There is room for it.
    async fn write(&mut self, key: u8, len: usize) -> Result<(), Error<F::Error>> {
        let at = self.end;
        let mut record = Record(&mut self.buffer.0);
        let bytes = record.seal(Place { number: self.number, at }, key, len, Pages::<F>::WORD).ok_or(Error::Value)?;
        self.pages.write(self.head, at, bytes).await?;
        self.end += Self::room_for(len);
        let place = if len > 0 { Self::join(self.head, at) } else { None };
        if key == OPENING || self.index.set(key, place) { Ok(()) } else { Err(Error::Corrupted) }
    }

    /// What a page begins with; nothing where it is free.
    async fn opening(&mut self, page: u32) -> Result<Option<Opening>, Error<F::Error>> {
        if self.fetch(page, 0).await? != Some((OPENING, OPENING_VALUE)) {
            return Ok(None);
        }
        let mut record = Record(&mut self.buffer.0);
        let Some([number, end_before]) = record.value(OPENING_VALUE).map(|value| value.as_chunks().0) else { return Ok(None) };
        let opening = Opening { number: u32::from_le_bytes(*number), end_before: u32::from_le_bytes(*end_before) };
        Ok(record.is_whole(Place { number: opening.number, at: 0 }).then_some(opening))
    }

    async fn read_at(&mut self, place: NonZeroU32) -> Result<Option<(u8, usize)>, Error<F::Error>> {
        let (page, at) = (place.get() / Pages::<F>::USED, place.get() % Pages::<F>::USED);
        self.record(page, Place { number: self.number_of(page), at }).await
    }

    /// Reads a record into the buffer, and gives its key and how long the value is.
    async fn record(&mut self, page: u32, place: Place) -> Result<Option<(u8, usize)>, Error<F::Error>> {
        // Asked twice, since the answer decides over what follows.
        for _ in 0..2 {
            let claims = self.fetch(page, place.at).await?;
            if claims.is_some() && Record(&mut self.buffer.0).is_whole(place) {
                return Ok(claims);
            }
        }
        Ok(None)
    }

    /// Reads what may be a record.
    async fn fetch(&mut self, page: u32, at: u32) -> Result<Option<(u8, usize)>, Error<F::Error>> {
        let room = (Pages::<F>::USED - at) as usize;
        let head = size(0, Pages::<F>::WORD);
        let Some(bytes) = self.buffer.0.get_mut(..head).filter(|_| head <= room) else { return Ok(None) };
        self.pages.read(page, at, bytes).await?;
        let Some((key, len)) = Record(&mut self.buffer.0).claims() else { return Ok(None) };
        let size = size(len, Pages::<F>::WORD);
        let Some(bytes) = self.buffer.0.get_mut(head..size).filter(|_| size <= room) else { return Ok(None) };
        if !bytes.is_empty() {
            self.pages.read(page, at + narrow(head), bytes).await?;
        }
        Ok(Some((key, len)))
    }

    fn join(page: u32, at: u32) -> Option<NonZeroU32> {
        NonZeroU32::new(page * Pages::<F>::USED + at)
    }

    const fn page_before(&self, page: u32) -> u32 {
        (page + self.pages.count() - 1) % self.pages.count()
    }

    /// The oldest page that is used.
    const fn oldest(&self) -> u32 {
        (self.head + self.pages.count() + 1 - self.used) % self.pages.count()
    }

    const fn number_of(&self, page: u32) -> u32 {
        self.number.saturating_sub((self.head + self.pages.count() - page) % self.pages.count())
    }
}
