//! Hashes for different purposes that can never be the same.

use blake2::{Blake2s256, Digest};

/// The purposes. No label is the beginning of another, since the length of each is hashed first.
pub(crate) const SAS_COMMIT: &str = "armring/1 sas commit";
pub(crate) const SAS: &str = "armring/1 sas";
pub(crate) const LINK: &str = "armring/1 link";
pub(crate) const OOB_KEY: &str = "armring/1 oob key";
pub(crate) const OOB_PSK: &str = "armring/1 oob psk";
pub(crate) const RESUME_PSK: &str = "armring/1 resume psk";
pub(crate) const ADVERTISE: &str = "armring/1 advertise";
pub(crate) const PSK: &str = "armring/1 psk";
pub(crate) const HINT: &str = "armring/1 hint";

/// BLAKE2s-256 over the length of `label` in one byte, `label` (shorter than 255 bytes), and `parts` one after the other.
///
/// The parts are not told apart in the hash: a purpose must give each of them one length, always.
#[must_use]
pub fn labelled_hash(label: &'static str, parts: &[&[u8]]) -> [u8; 32] {
    let length = u8::try_from(label.len()).unwrap_or(u8::MAX);
    let mut hash = Blake2s256::new().chain_update([length]).chain_update(label);
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_and_its_continuation_never_meet() {
        assert_ne!(labelled_hash("armring/1 sas", &[b" commit"]), labelled_hash(SAS_COMMIT, &[]));
        assert_ne!(labelled_hash(PSK, &[&[7; 32]]), labelled_hash(HINT, &[&[7; 32]]));
        assert_eq!(labelled_hash("x", &[b"yz"]), <[u8; 32]>::from(Blake2s256::digest(b"\x01xyz")));
    }
}
