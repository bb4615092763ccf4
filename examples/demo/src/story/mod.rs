//! The story that one command plays.

mod chapters;
mod diagram;
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

pub(crate) fn play(dir: &Path, payload: AttPayload, brief: bool, diagram: Option<&Path>) -> Result<()> {
    prepare(dir)?;
    if let Some(file) = diagram {
        // A story is not told in vain.
        fs::write(file, "").with_context(|| format!("cannot write the diagram {}", file.display()))?;
    }
    let mut telling = Telling::new(!brief);
    telling.title("Armring: a wristband pays");
    telling.prose(&format!(
        "An issuer, a shop, bands and phones, each a process of its own, over loopback TCP in ATT payloads of {} bytes.",
        payload.bytes()
    ));
    let mut stage = Stage::new(dir, payload, telling);
    let told = tell(&mut stage);
    if let Some(file) = diagram {
        // Of a story that went wrong it shows how far it came.
        fs::write(file, stage.telling.record.svg()).with_context(|| format!("cannot write the diagram {}", file.display()))?;
    }
    told?;
    let telling = &mut stage.telling;
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

fn tell(stage: &mut Stage) -> Result<()> {
    let mut cast = Cast::enter(stage)?;
    CHAPTERS.iter().try_for_each(|chapter| chapter(&mut cast, stage))
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
