//! The band's X25519 key. Real hardware keeps it where it cannot be read: `armring_pairing::DiffieHellman` is that hook, and
//! `armring_band::PaymentKeys` the one for the payment keys. Here it has a page of the flash, which is written once.

use core::ops::Range;

use armring_flash::{MultiwriteNorFlash, block_on};
use armring_pairing::SoftwareKey;
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::board::Fault;

/// Written after the key: a key without it is one that a power cut left unfinished, and that nobody has seen.
const MARK: [u8; 16] = *b"armring identity";
const LEN: usize = 48;

/// Whole words of a flash, on a word's boundary.
#[repr(align(4))]
struct Aligned([u8; LEN]);

/// The key in `page`, made at the first start.
///
/// # Errors
/// [`Fault::Flash`], [`Fault::Randomness`].
pub(crate) fn load_or_make<F, R>(flash: &mut F, page: Range<u32>, rng: &mut R) -> Result<SoftwareKey, Fault>
where
    F: MultiwriteNorFlash,
    R: TryCryptoRng,
{
    if let Some(key) = load(flash, &page)? {
        return Ok(SoftwareKey::new(*key));
    }
    let key = SoftwareKey::generate(rng).map_err(|_| Fault::Randomness)?;
    block_on(make(flash, &page, key.expose())).map_err(|_| Fault::Flash)?;
    // What does not read back is none.
    let stored = load(flash, &page)?.is_some_and(|stored| *stored == *key.expose());
    stored.then_some(key).ok_or(Fault::Flash)
}

fn load<F: MultiwriteNorFlash>(flash: &mut F, page: &Range<u32>) -> Result<Option<Zeroizing<[u8; 32]>>, Fault> {
    let mut bytes = Aligned([0; LEN]);
    block_on(flash.read(page.start, &mut bytes.0)).map_err(|_| Fault::Flash)?;
    let bytes = Zeroizing::new(bytes.0);
    let key = bytes.split_first_chunk().filter(|(_, mark)| **mark == MARK);
    Ok(key.map(|(key, _)| Zeroizing::new(*key)))
}

async fn make<F: MultiwriteNorFlash>(flash: &mut F, page: &Range<u32>, key: &[u8; 32]) -> Result<(), F::Error> {
    flash.erase(page.start, page.end).await?;
    let mut bytes = Aligned([0xFF; LEN]);
    bytes.0.iter_mut().zip(key.iter()).for_each(|(to, from)| *to = *from);
    flash.write(page.start, &bytes.0).await?;
    bytes.0.iter_mut().skip(key.len()).zip(MARK).for_each(|(to, from)| *to = from);
    let written = flash.write(page.start, &bytes.0).await;
    drop(Zeroizing::new(bytes.0));
    written
}
