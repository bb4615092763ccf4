//! Where this phone's randomness and its key come from. This is the one place to choose another: a key store, or another library's cryptography.

use anyhow::Result;

/// What draws random bytes.
pub type Random = getrandom::SysRng;

/// The key by which bands know this phone.
pub type OwnKey = armring_pairing::SoftwareKey;

/// The generator.
#[must_use]
pub const fn random() -> Random {
    getrandom::SysRng
}

/// A new key for a phone.
///
/// # Errors
/// The generator fails.
pub fn new_key() -> Result<OwnKey> {
    Ok(OwnKey::generate(&mut random())?)
}
