//! A band's values in flash: stored, erased for good, and given back at the start.

use core::ops::Range;

use armring_band::{Band, Event, Output, PaymentKeys, StoreKey, VALUE_MAX};
use armring_pairing::DiffieHellman;
use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};
use zeroize::Zeroize;

use crate::error::Error;
use crate::pages::{Aligned, Pages, narrow};

/// Stored while old pages are to be erased. No band has a value under this key.
const PURGE: u8 = 0xFE;

/// Stored while everything is to be erased.
const WIPE: u8 = 0xFF;

/// With what pages are filled up: as erased flash, so that nothing is programmed.
const FILLER: [u8; VALUE_MAX] = [0xFF; VALUE_MAX];

/// A key, the longest value, and room up to the end of a word.
const BUFFER: usize = 1 + VALUE_MAX + 31;

/// How long the values are that a band stores, at most, and under how many keys: see `armring-band`.
const VALUES: [(u32, u32); 9] =
    [(424, 1), (50, 1), (104, 1), (72, 4), (203, 4), (48, 4), (20, 4), (89, 16), (narrow(VALUE_MAX), 1)];

type Map<F> = MapStorage<u8, Pages<F>, Cache<Uncached, Uncached, Uncached, u8>>;

/// A band's storage in a range of NOR flash.
///
/// ```text
/// at the start:   let mut store = BandStore::mount(flash, range).await?;  store.load(&mut band).await?;
/// for an output:  if let Some(event) = store.carry_out(&output).await { band.handle(event, now, &mut rng)? }
/// ```
///
/// Its futures may be dropped at any time, which is like a power cut: what was asked for may have happened or not. Then ask again.
pub struct BandStore<F: MultiwriteNorFlash> {
    map: Map<F>,
    /// The keys that have a value, one bit each.
    present: [u64; 4],
    /// What is written or read, which may be a secret.
    buffer: Aligned<BUFFER>,
}

impl<F: MultiwriteNorFlash> BandStore<F> {
    /// What is stored in `range` of `flash`, a part of it that nothing else uses. Completes what a power cut left undone; a part that was never
    /// used, or that something else was in, is erased first.
    ///
    /// 4 pages of 4 KiB do, or 5 of 2 KiB, or 11 of 1 KiB; 64 at most. More pages wear out later.
    ///
    /// # Errors
    /// [`Error::Range`] for a range that does not do; [`Error::Corrupted`]; the driver's.
    pub async fn mount(flash: F, range: Range<u32>) -> Result<Self, Error<F::Error>> {
        check::<F>(&flash, &range)?;
        let pages = Pages::mount(flash, range).await?;
        let config = MapConfig::try_new(0..pages.count() * Pages::<F>::USED).map_err(|_| Error::Range)?;
        let map = MapStorage::new(pages, config, Cache::new_uncached());
        let mut store = Self { map, present: [0; 4], buffer: Aligned([0; BUFFER]) };
        let result = store.complete().await;
        store.buffer.0.zeroize();
        result.map(|()| store)
    }

    /// As [`Self::mount`], after everything in `range` was erased: what to do where that says [`Error::Corrupted`], with the wearer's consent.
    ///
    /// # Errors
    /// [`Error::Range`]; the driver's.
    pub async fn format(flash: F, range: Range<u32>) -> Result<Self, Error<F::Error>> {
        check::<F>(&flash, &range)?;
        let mut pages = Pages::mount(flash, range.clone()).await?;
        for page in 0..pages.count() {
            pages.erase_page(page).await?;
        }
        Self::mount(pages.into_inner(), range).await
    }

    /// The flash, as it is.
    pub fn into_inner(self) -> F {
        let Self { map, mut buffer, .. } = self;
        buffer.0.zeroize();
        map.destroy().0.into_inner()
    }

    /// Gives `band` back what it had stored, in the order that it needs.
    ///
    /// # Errors
    /// [`Error::Band`] where it does not take it back; the driver's.
    pub async fn load<D: DiffieHellman, P: PaymentKeys>(&mut self, band: &mut Band<D, P>) -> Result<(), Error<F::Error>> {
        for key in StoreKey::all() {
            if let Some(value) = self.read(key).await? {
                let result = band.load(key, value);
                self.buffer.0.zeroize();
                result.map_err(Error::Band)?;
            }
        }
        Ok(())
    }

    /// Does what `output` asks for, if it is one for the flash, and gives what the band is to be told next. Where the reason of a
    /// [`StoreFailed`](Event::StoreFailed) matters, call [`Self::store`], [`Self::erase`] and [`Self::erase_all`].
    pub async fn carry_out(&mut self, output: &Output<'_>) -> Option<Event<'static>> {
        let result = match output {
            Output::Store { key, value } => self.store(*key, value).await,
            Output::Erase { key } => self.erase(*key).await,
            Output::EraseAll => self.erase_all().await,
            _ => return None,
        };
        Some(if result.is_ok() { Event::Stored } else { Event::StoreFailed })
    }

    /// The value under `key`, as it is in the flash. It may hold a secret, of which a copy is kept here until the next call.
    ///
    /// # Errors
    /// The driver's.
    pub async fn read(&mut self, key: StoreKey) -> Result<Option<&[u8]>, Error<F::Error>> {
        if !self.is_present(key.as_u8()) {
            return Ok(None);
        }
        Ok(self.map.fetch_item::<&[u8]>(&mut self.buffer.0, &key.as_u8()).await?.filter(|value| !value.is_empty()))
    }

    /// Hands over everything that is stored, in one pass over the flash, in the order in which it was stored: of several values under one key
    /// the last one counts, and an empty one is none. For whoever looks at everything; a band is given its values by [`Self::load`].
    ///
    /// # Errors
    /// The driver's.
    pub async fn read_all(&mut self, mut each: impl FnMut(StoreKey, &[u8])) -> Result<(), Error<F::Error>> {
        let result = Self::pass(&mut self.map, &mut self.buffer.0, |key, value| {
            StoreKey::from_u8(key).into_iter().for_each(|key| each(key, value));
        });
        let result = result.await;
        self.buffer.0.zeroize();
        result
    }

    async fn pass(map: &mut Map<F>, buffer: &mut [u8], mut each: impl FnMut(u8, &[u8])) -> Result<(), Error<F::Error>> {
        let mut items = map.fetch_all_items(buffer).await?;
        while let Some((key, value)) = items.next::<&[u8]>(buffer).await? {
            each(key, value);
        }
        Ok(())
    }

    /// Stores `value` under `key`. Where it takes the place of another secret, that one is nowhere in the flash afterwards.
    ///
    /// # Errors
    /// [`Error::Value`]; the driver's. The value before is then still there, or this one is.
    pub async fn store(&mut self, key: StoreKey, value: &[u8]) -> Result<(), Error<F::Error>> {
        if value.is_empty() || value.len() > VALUE_MAX {
            return Err(Error::Value);
        }
        self.finish().await?;
        let secret = ..key.secret_len();
        let another = key.secret_len() > 0 && self.read(key).await?.is_some_and(|before| before.get(secret) != value.get(secret));
        if another {
            self.put(PURGE, &[1]).await?;
        }
        self.put(key.as_u8(), value).await?;
        self.finish().await
    }

    /// Erases what is stored under `key`. Where it holds a secret, it is nowhere in the flash afterwards.
    ///
    /// # Errors
    /// The driver's. The value is then still there, or gone for the band.
    pub async fn erase(&mut self, key: StoreKey) -> Result<(), Error<F::Error>> {
        self.finish().await?;
        if !self.is_present(key.as_u8()) {
            return Ok(());
        }
        if key.secret_len() > 0 {
            self.put(PURGE, &[1]).await?;
        }
        self.put(key.as_u8(), &[]).await?;
        self.finish().await
    }

    /// Erases everything, all or nothing.
    ///
    /// # Errors
    /// The driver's. Everything is then still there, or is erased before anything else is done, after a restart too.
    pub async fn erase_all(&mut self) -> Result<(), Error<F::Error>> {
        if !self.is_wiping().await? {
            self.put(WIPE, &[1]).await?;
        }
        self.wipe().await
    }

    /// What was begun before a power cut.
    async fn complete(&mut self) -> Result<(), Error<F::Error>> {
        let present = &mut self.present;
        Self::pass(&mut self.map, &mut self.buffer.0, |key, value| set(present, key, !value.is_empty())).await?;
        self.finish().await
    }

    /// Whether everything is being erased: once that is stored, nothing else is done before it is.
    async fn is_wiping(&mut self) -> Result<bool, Error<F::Error>> {
        if !self.is_present(WIPE) {
            return Ok(false);
        }
        let is_wiping = self.map.fetch_item::<&[u8]>(&mut self.buffer.0, &WIPE).await?.is_some();
        set(&mut self.present, WIPE, is_wiping);
        Ok(is_wiping)
    }

    /// Completes what was begun. A purge is complete when pages were filled up, and erased in turn, until none is left that was written
    /// before.
    async fn finish(&mut self) -> Result<(), Error<F::Error>> {
        if self.is_wiping().await? {
            return self.wipe().await;
        }
        if !self.is_present(PURGE) {
            return Ok(());
        }
        self.map.flash().note_written().await?;
        let rounds = self.map.flash().count() * Pages::<F>::USED.div_ceil(narrow(VALUE_MAX));
        for _ in 0..=rounds {
            if !self.map.flash().has_written() {
                return self.forget_filler().await;
            }
            self.put(PURGE, &FILLER).await?;
        }
        Err(Error::Corrupted)
    }

    /// Marks what pages were filled up with as erased, so that nobody reads it at each start.
    async fn forget_filler(&mut self) -> Result<(), Error<F::Error>> {
        self.map.remove_item(&mut self.buffer.0, &PURGE).await?;
        set(&mut self.present, PURGE, false);
        Ok(())
    }

    /// Erases every page, last the one that says that everything is to be erased.
    async fn wipe(&mut self) -> Result<(), Error<F::Error>> {
        self.map.fetch_item::<&[u8]>(&mut self.buffer.0, &WIPE).await?;
        let pages = self.map.flash();
        let last = pages.last_read();
        for page in (0..pages.count()).filter(|page| *page != last) {
            if !pages.is_unused(page).await? {
                pages.erase_page(page).await?;
            }
        }
        pages.erase_page(last).await?;
        self.present = [0; 4];
        Ok(())
    }

    /// Stores `value` under `key`, nothing where there is to be none any more.
    async fn put(&mut self, key: u8, value: &[u8]) -> Result<(), Error<F::Error>> {
        // If it fails, it may be there all the same.
        set(&mut self.present, key, true);
        let result = self.map.store_item(&mut self.buffer.0, &key, &value).await;
        self.buffer.0.zeroize();
        result?;
        set(&mut self.present, key, !value.is_empty());
        Ok(())
    }

    fn is_present(&self, key: u8) -> bool {
        self.present.get(usize::from(key >> 6)).is_some_and(|bits| bits >> (key & 63) & 1 == 1)
    }
}

impl<F: MultiwriteNorFlash> core::fmt::Debug for BandStore<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BandStore").finish_non_exhaustive()
    }
}

fn set(present: &mut [u64; 4], key: u8, is_present: bool) {
    if let Some(bits) = present.get_mut(usize::from(key >> 6)) {
        *bits = *bits & !(1 << (key & 63)) | u64::from(is_present) << (key & 63);
    }
}

/// Whether a range of a flash does: whole pages, with room for everything that a band stores while two pages are being emptied and filled.
fn check<F: MultiwriteNorFlash>(flash: &F, range: &Range<u32>) -> Result<(), Error<F::Error>> {
    let page = narrow(F::ERASE_SIZE);
    let word = narrow(if F::WRITE_SIZE > F::READ_SIZE { F::WRITE_SIZE } else { F::READ_SIZE });
    let item = |len: u32| Map::<F>::item_overhead_size() + (1 + len).next_multiple_of(word);
    let all: u32 = VALUES.iter().map(|(len, keys)| keys * item(*len)).sum();
    // Two words say how full a page is; at its end there may be room for less than one value.
    let lost = 2 * word + item(narrow(VALUE_MAX));
    let in_page = Pages::<F>::USED.saturating_sub(lost);
    let whole = range.start.is_multiple_of(page) && range.end.is_multiple_of(page) && range.end as usize <= flash.capacity();
    let pages = range.end.saturating_sub(range.start) / page;
    let enough = pages > 2 && pages <= Pages::<F>::MAX && (pages - 2).saturating_mul(in_page) >= all;
    if whole && enough { Ok(()) } else { Err(Error::Range) }
}
