//! Keeps in NOR flash what a band has to remember: whole after any power cut, and without the secrets of links that are gone.
//!
//! ```text
//!  Band ──Output::Store, Erase, EraseAll──▶ BandStore ──▶ a log of records ──▶ pages with a mark ──▶ your flash driver
//!       ◀──Event::Stored, StoreFailed────── (carry_out)   (believed whole     (an erasing that      (embedded-storage-async)
//!       ◀──load at the start───────────────  mount, load   or not at all)      is all or nothing)
//! ```
//!
//! [`BandStore`] is `no_std`, allocates nothing and takes any driver with [`MultiwriteNorFlash`]: a flash whose words can be written a second time, with
//! zeros, which one that keeps a checksum of each word may not allow. It is asynchronous as such drivers are; a firmware without an
//! executor waits with [`block_on`].
//!
//! | what | is true |
//! |---|---|
//! | [`Event::Stored`](armring_band::Event::Stored) | the value was read back from the flash, and no power cut takes it away |
//! | a power cut at any moment | leaves the value before or the one after, never a third, whatever bits of the last write or erasing got in |
//! | a secret that was erased or that another took the place of | is nowhere in the flash once that is reported; after a power cut on the way, once the flash is [mounted](BandStore::mount) again |
//! | a reset | is all or nothing |
//! | a value that is lost to a bit that changes by itself | is noticed at the start, unless it is the last one: [`Error::Corrupted`], since an older one might be a counter that was used |
//!
//! | on 4 pages of 4 KiB with words of 4 bytes | costs |
//! |---|---|
//! | a payment: its token | 100 bytes in one write |
//! | a receipt; a reconnect | 32 bytes; 84 bytes |
//! | a page | is erased once in 70 payments, each with a reconnect and a receipt: 10,000 erasings are 700,000 payments |
//! | a secret that goes | every page that was written is erased once, what counts in it is written once more; an unpairing has up to four such |
//! | a write that a power cut tears | the rest of its page |
//! | RAM | 750 bytes |
//!
//! # How
//!
//! A value is a record, behind those that were written before: 8 bytes of BLAKE2s over its key, its length, its bytes and the place where it
//! stands, then all that. The newest record of a key counts. Nothing is written after what is not a record, so that what is left of a write never
//! meets another one. When a page is full the next one is opened; where no other one is free then, what counts in the oldest page is moved into it,
//! and that one is erased.
//!
//! - **A mark before each page** says that its last erasing came to its end. It is zeroed before the page is erased and written after. What
//!   a power cut leaves of an erasing, which may be any bits, is erased again by `mount`.
//! - **A purge** where a secret goes: pages take turns until none is left that was written before. That it has begun is stored first, so
//!   that `mount` completes it. Nothing is purged at a reconnect, since the secret stays.
//!
//! What holds no secret, a token's body or a receipt's time, is gone for the band when it is erased and leaves the flash with the next purge. An
//! unpairing erases the link last, so that by then nothing of it is left.
//!
//! By chance a torn write passes for a record in one of 2⁶⁴ cases, and a torn erasing for a mark in one of 2⁴⁸. The crate `sequential-storage`, which
//! was here before, checks the length of an item by 16 bits: a torn write with another length passed for an item, and the band did not start.
//!
//! # What is not defended
//!
//! - Bits that a power cut leaves in between, and that read now so, now so. What decides is read twice, and no more.
//! - The last record, where a bit of it changes by itself: it passes for a torn write, and the value before counts.
//! - A mark whose zeroing was torn is zeroed once more: its words are then written three times between erasings, all others once, marks twice.
//! - Whoever can write the flash: the check has no key.

#![no_std]
#![forbid(unsafe_code)]

mod error;
mod index;
mod log;
mod pages;
mod record;
mod store;
mod wait;

pub use embedded_storage_async::nor_flash::MultiwriteNorFlash;
pub use error::Error;
pub use store::BandStore;
pub use wait::block_on;

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
