//! A band's values in flash: stored, erased for good, and given back at the start.

use core::ops::Range;

use armring_band::{Band, Event, Output, PaymentKeys, StoreKey, VALUE_MAX};
use armring_pairing::DiffieHellman;
use embedded_storage_async::nor_flash::MultiwriteNorFlash;

use crate::error::Error;
use crate::log::Log;
use crate::pages::{Pages, narrow};

/// Stored while old pages are to be erased. No band has a value under this key.
const PURGE: u8 = 0xFE;

/// Stored while everything is to be erased.
const WIPE: u8 = 0xFF;

/// As many pages are managed.
const MOST_PAGES: u32 = 64;

/// How long the values are that a band stores, at most, and under how many keys: see `armring-band`. Last those of the storage itself.
const VALUES: [(usize, usize); 9] = [(424, 1), (50, 1), (104, 1), (72, 4), (203, 4), (48, 4), (20, 4), (89, 16), (1, 2)];

/// The number of keys.
pub(crate) const KEYS: usize = {
    let (mut keys, mut rest) = (0, VALUES.as_slice());
    while let [(_, more), others @ ..] = rest {
        (keys, rest) = (keys + *more, others);
    }
    keys
};

/// A band's storage in a range of NOR flash.
///
/// ```text
/// at the start:   let mut store = BandStore::mount(flash, range).await?;  store.load(&mut band).await?;
/// for an output:  if let Some(event) = store.carry_out(&output).await { band.handle(event, now, &mut rng)? }
/// ```
///
/// Its futures may be dropped at any time, which is like a power cut: what was asked for may have happened or not. Then ask again.
pub struct BandStore<F: MultiwriteNorFlash> {
    log: Log<F>,
}

impl<F: MultiwriteNorFlash> BandStore<F> {
    /// What is stored in `range` of `flash`, a part of it that nothing else uses. Completes what a power cut left undone; a part that was never
    /// used, or that something else was in, is erased first.
    ///
    /// 4 pages of 4 KiB do, or 5 of 2 KiB, or 10 of 1 KiB; 64 at most. More pages wear out later.
    ///
    /// # Errors
    /// [`Error::Range`] for a range that does not do; [`Error::Version`] and [`Error::Corrupted`]; the driver's.
    pub async fn mount(flash: F, range: Range<u32>) -> Result<Self, Error<F::Error>> {
        check::<F>(&flash, &range)?;
        let mut store = Self { log: Log::new(Pages::new(flash, range)) };
        let result = store.finish().await;
        store.log.forget();
        result.map(|()| store)
    }

    /// As [`Self::mount`], after everything in `range` was erased: what to do where that says [`Error::Corrupted`] or [`Error::Version`], with the
    /// wearer's consent.
    ///
    /// # Errors
    /// [`Error::Range`]; the driver's.
    pub async fn format(flash: F, range: Range<u32>) -> Result<Self, Error<F::Error>> {
        check::<F>(&flash, &range)?;
        let mut pages = Pages::new(flash, range.clone());
        for page in 0..pages.count() {
            pages.erase_page(page).await?;
        }
        Self::mount(pages.into_inner(), range).await
    }

    /// The flash, as it is.
    pub fn into_inner(self) -> F {
        self.log.into_inner()
    }

    /// Gives `band` back what it had stored, in the order that it needs.
    ///
    /// # Errors
    /// [`Error::Band`] where it does not take it back; the driver's.
    pub async fn load<D: DiffieHellman, P: PaymentKeys>(&mut self, band: &mut Band<D, P>) -> Result<(), Error<F::Error>> {
        for key in StoreKey::all() {
            if let Some(value) = self.read(key).await? {
                let result = band.load(key, value);
                self.log.forget();
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
    /// [`Error::Corrupted`]; the driver's.
    pub async fn read(&mut self, key: StoreKey) -> Result<Option<&[u8]>, Error<F::Error>> {
        self.finish().await?;
        self.log.read(key.as_u8()).await
    }

    /// Hands over everything that is stored, in the order of [`StoreKey::all`]. For whoever looks at everything; a band is given its values by
    /// [`Self::load`].
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_all(&mut self, mut each: impl FnMut(StoreKey, &[u8])) -> Result<(), Error<F::Error>> {
        for key in StoreKey::all() {
            if let Some(value) = self.read(key).await? {
                each(key, value);
                self.log.forget();
            }
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
        if !self.log.has(key.as_u8()) {
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
        self.log.settle().await?;
        if !self.log.has(WIPE) {
            self.put(WIPE, &[1]).await?;
        }
        self.finish().await
    }

    /// Completes what was begun.
    async fn finish(&mut self) -> Result<(), Error<F::Error>> {
        self.log.settle().await?;
        // Nothing was stored since, so that it stands in the page that is erased last.
        if self.log.has(WIPE) {
            return self.log.wipe().await;
        }
        if self.log.has(PURGE) {
            self.log.purge().await?;
            self.put(PURGE, &[]).await?;
        }
        Ok(())
    }

    /// Stores `value` under `key`, nothing where there is to be none any more.
    async fn put(&mut self, key: u8, value: &[u8]) -> Result<(), Error<F::Error>> {
        let result = self.log.append(key, value).await;
        self.log.forget();
        result
    }
}

impl<F: MultiwriteNorFlash> core::fmt::Debug for BandStore<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BandStore").finish_non_exhaustive()
    }
}

/// Whether a range of a flash does: whole pages, with room for everything that a band stores while one page is free and another one is being filled.
fn check<F: MultiwriteNorFlash>(flash: &F, range: &Range<u32>) -> Result<(), Error<F::Error>> {
    let page = narrow(F::ERASE_SIZE);
    let all: u32 = VALUES.iter().map(|(len, keys)| Log::<F>::room_for(*len) * narrow(*keys)).sum();
    // At the end of a page there may be room for less than one value.
    let in_page = Log::<F>::ROOM.saturating_sub(Log::<F>::room_for(VALUE_MAX));
    let whole = range.start.is_multiple_of(page) && range.end.is_multiple_of(page) && range.end as usize <= flash.capacity();
    let pages = range.end.saturating_sub(range.start) / page;
    let enough = (3..=MOST_PAGES).contains(&pages) && (pages - 2).saturating_mul(in_page) >= all;
    if whole && enough { Ok(()) } else { Err(Error::Range) }
}
