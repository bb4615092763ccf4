//! Hashes under labels.

use blake2::{Blake2s256, Digest};

/// What every label begins with.
pub(crate) const PREFIX: &str = "armring/1 ";

/// `BLAKE2s(len(label) ‖ "armring/1 " ‖ label ‖ parts)`. The length in front keeps any label from being a prefix of another; the parts have
/// fixed widths, the last one aside.
pub(crate) fn hash(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut state = Blake2s256::new();
    state.update(label_len(label));
    state.update(PREFIX);
    state.update(label);
    for part in parts {
        state.update(part);
    }
    state.finalize().into()
}

/// How many bytes a label has, its beginning included.
pub(crate) fn label_len(label: &str) -> [u8; 1] {
    // Labels are literals of this crate, all of them short.
    [u8::try_from(PREFIX.len() + label.len()).unwrap_or(u8::MAX)]
}
