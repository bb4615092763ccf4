//! Keeps in NOR flash what a band has to remember: whole after any power cut, and without the secrets of links that are gone.
//!
//! ```text
//!  Band ──Output::Store, Erase, EraseAll──▶ BandStore ──▶ sequential-storage ──▶ pages with a mark ──▶ your flash driver
//!       ◀──Event::Stored, StoreFailed────── (carry_out)   (one value a key,      (an erasing that      (embedded-storage-async)
//!       ◀──load at the start───────────────  mount, load   worn evenly)           is all or nothing)
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
//!
//! | on 4 pages of 4 KiB with words of 4 bytes | costs |
//! |---|---|
//! | a payment: its token | 100 bytes in 3 writes |
//! | a receipt; a reconnect | 32 bytes; 84 bytes |
//! | a page | is erased once in 71 payments, each with a reconnect and a receipt: 10,000 erasings are 700,000 payments |
//! | a secret that goes | every page that was written is erased once, and about 24 fillers of 480 bytes of `FF` are written; an unpairing has up to four such |
//! | RAM | 600 bytes |
//!
//! **Known fault.** With one seed of several, among 100,000 cuts, a start failed with [`Error::Value`]: a write of which any bits got in was taken for an item. The
//! likely reason: `sequential-storage` checks the header of an item, with its length, by 16 bits, which are right by chance once in 65,536 times. Then only
//! [`format`](BandStore::format) helps: nothing is signed twice, but what was stored is gone.
//!
//! # How
//!
//! `sequential-storage` appends: the newest value of a key counts, and the old ones stay until their page is erased. Two things are added.
//!
//! - **A mark before each page** says that its last erasing came to its end. It is zeroed before the page is erased and written after. What
//!   a power cut leaves of an erasing, which may be any bits, is erased again by `mount`; without the mark it could pass for a full page, and be
//!   copied over what was moved out of it before.
//! - **A purge** where a secret goes: pages are filled up and erased in turn until none is left that was written before. That it has begun is
//!   stored first, so that `mount` completes it. Nothing is purged at a reconnect, since the secret stays.
//!
//! What holds no secret, a token's body or a receipt's time, is gone for the band when it is erased and leaves the flash with the next purge. An
//! unpairing erases the link last, so that by then nothing of it is left.

#![no_std]
#![forbid(unsafe_code)]

mod error;
mod pages;
mod store;
mod wait;

pub use embedded_storage_async::nor_flash::MultiwriteNorFlash;
pub use error::Error;
pub use store::BandStore;
pub use wait::block_on;

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
