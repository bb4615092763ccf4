//! The test vectors of the protocol, made from fixed seeds: what `vectors/*.json` holds, for whoever writes the protocol again in another
//! language. `cargo xtask vectors` writes the files; the tests compare them with what this code makes, and with implementations that
//! nobody here wrote.
//!
//! Everything in the files is public: the private keys in them are of nobody.

#![forbid(unsafe_code)]
// This makes test data out of constants: where it fails, it is to stop.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a generator of test data")]

mod channel;
mod fragments;
mod handshakes;
mod links;
mod objects;
mod objects_bad;
mod records;
mod seed;
mod session;

use serde_json::Value;

/// A file of vectors.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its name in `vectors/`.
    pub name: &'static str,
    make: fn() -> Value,
}

impl File {
    /// What stands in it.
    ///
    /// # Panics
    /// Where the protocol's code does not do what the vectors are to show.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(&(self.make)()).unwrap();
        text.push('\n');
        text
    }
}

/// All files.
#[must_use]
pub const fn files() -> [File; 7] {
    [
        File { name: "handshakes.json", make: handshakes::vectors },
        File { name: "links.json", make: links::vectors },
        File { name: "channel.json", make: channel::vectors },
        File { name: "fragments.json", make: fragments::vectors },
        File { name: "records.json", make: records::vectors },
        File { name: "objects.json", make: objects::vectors },
        File { name: "session.json", make: session::vectors },
    ]
}
