//! Writes the vectors into the folder of this package.
#![allow(clippy::print_stdout, reason = "it tells what it wrote")]

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in armring_vectors::files() {
        let path = folder.join(file.name);
        let text = file.text();
        let same = fs::read_to_string(&path).is_ok_and(|before| before == text);
        fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("vectors/{:<18} {:>7} bytes{}", file.name, text.len(), if same { "" } else { ", changed" });
    }
    Ok(())
}
