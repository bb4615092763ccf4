//! ChaCha20-Poly1305.

use std::fmt;

use armring_channel::{Aead, Key, TAG_LEN, Tag, TagMismatch};
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

/// ChaCha20-Poly1305 (RFC 8439) with the nonce of Noise §12.3. The key is erased by AWS-LC when this is dropped.
pub struct ChaChaPoly(Option<LessSafeKey>);

impl Aead for ChaChaPoly {
    fn new(key: Key) -> Self {
        // 32 bytes are a key: there is none only where there is no memory. Nothing is then sealed or opened.
        Self(UnboundKey::new(&CHACHA20_POLY1305, key.as_bytes()).ok().map(LessSafeKey::new))
    }

    fn seal(&self, nonce: u64, ad: &[u8], in_out: &mut [u8]) -> Tag {
        let sealed = self.0.as_ref().and_then(|key| key.seal_in_place_separate_tag(wide(nonce), Aad::from(ad), in_out).ok());
        sealed.and_then(|tag| tag.as_ref().try_into().ok()).unwrap_or_else(|| {
            in_out.fill(0);
            [0; TAG_LEN]
        })
    }

    fn open(&self, nonce: u64, ad: &[u8], in_out: &mut [u8], tag: &Tag) -> Result<(), TagMismatch> {
        // Where it fails, AWS-LC overwrites the text with zeros.
        let key = self.0.as_ref().ok_or(TagMismatch)?;
        key.open_in_place_separate_tag(wide(nonce), Aad::from(ad), tag, in_out).map(drop).map_err(|_| TagMismatch)
    }
}

impl fmt::Debug for ChaChaPoly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChaChaPoly(..)")
    }
}

fn wide(nonce: u64) -> Nonce {
    let [a, b, c, d, e, f, g, h] = nonce.to_le_bytes();
    Nonce::assume_unique_for_key([0, 0, 0, 0, a, b, c, d, e, f, g, h])
}
