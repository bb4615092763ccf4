//! The story that one command plays.

mod chapters;
mod noise;
mod payer;
mod person;
mod stage;
mod telling;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use armring_wire::AttPayload;

use self::chapters::{CHAPTERS, Cast};
use self::stage::Stage;
use self::telling::Telling;

/// Marks a folder as one that a story made and the next may empty.
const MARKER: &str = "made-by-armring-demo";

pub(crate) fn play(dir: &Path, payload: AttPayload, brief: bool) -> Result<()> {
    prepare(dir)?;
    let telling = Telling::new(!brief);
    telling.title("Armring: a wristband pays");
    telling.prose(&format!(
        "An issuer, a shop, bands and phones, each a process of its own, over loopback TCP in ATT payloads of {} bytes.",
        payload.bytes()
    ));
    let mut stage = Stage::new(dir, payload, telling);
    let mut cast = Cast::enter(&mut stage)?;
    for chapter in CHAPTERS {
        chapter(&mut cast, &mut stage)?;
    }
    let telling = &stage.telling;
    telling.prose("");
    telling.title(&format!(
        "All {} checks held: {} messages, {} bytes on air, {} ms.",
        telling.checks,
        telling.count,
        telling.on_air,
        telling.elapsed()
    ));
    let ledger = fs::canonicalize(dir.join("ledger.sqlite")).unwrap_or_else(|_| dir.join("ledger.sqlite"));
    println!("The issuer's ledger stays for looking at: {}", ledger.display());
    println!("For example: sqlite3 {} .tables", dir.join("ledger.sqlite").display());
    Ok(())
}

/// Makes `dir`, or empties it if an earlier story made it. Anything else is left alone.
fn prepare(dir: &Path) -> Result<()> {
    if dir.exists() {
        let foreign =
            !dir.join(MARKER).exists() && fs::read_dir(dir).with_context(|| dir.display().to_string())?.next().is_some();
        if foreign {
            bail!("{} has files in it that no demo made: name another folder with --dir", dir.display());
        }
        fs::remove_dir_all(dir).with_context(|| format!("cannot empty {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    fs::write(dir.join(MARKER), "The next run of the demo empties this folder.\n").with_context(|| dir.display().to_string())
}
