//! Looks at every byte that leaves for what must not.

use std::collections::HashSet;

/// What is looked for: the first eight bytes of a value, or each eight bytes of a secret.
#[derive(Debug)]
pub(crate) struct Sniffer {
    patterns: HashSet<u64>,
    /// By the first two bytes: most places differ there already.
    begins: Vec<bool>,
}

impl Sniffer {
    pub(crate) fn new() -> Self {
        Self { patterns: HashSet::new(), begins: vec![false; 1 << 16] }
    }

    /// From now on these bytes are looked for, eight by eight.
    pub(crate) fn looks_for(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks_exact(8) {
            if let Ok(chunk) = <[u8; 8]>::try_from(chunk) {
                self.begins[usize::from(u16::from_le_bytes([chunk[0], chunk[1]]))] = true;
                self.patterns.insert(u64::from_le_bytes(chunk));
            }
        }
    }

    /// Whether any of it is in these bytes.
    pub(crate) fn finds(&self, bytes: &[u8]) -> bool {
        bytes.windows(8).any(|window| {
            self.begins[usize::from(u16::from_le_bytes([window[0], window[1]]))]
                && <[u8; 8]>::try_from(window).is_ok_and(|window| self.patterns.contains(&u64::from_le_bytes(window)))
        })
    }
}
