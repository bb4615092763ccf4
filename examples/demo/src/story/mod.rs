//! Stories: read whole, then played with processes that are started for them.

mod attack;
mod diagram;
mod expecting;
mod hearing;
mod interactive;
mod issuing;
mod language;
mod noise;
pub(crate) mod ordeal;
mod outcome;
mod pairing;
mod paying;
mod person;
mod player;
mod selling;
mod spec;
mod stage;
mod telling;
mod window;

use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use armring_wire::AttPayload;

pub(crate) use self::interactive::{Held, converse};
pub(crate) use self::language::{EXAMPLE, reference};
use self::player::Player;
use self::stage::Stage;
use self::telling::Telling;

/// Marks a folder as one that a story made and the next may empty.
const MARKER: &str = "made-by-armring-demo";

/// Where and how a story is played.
pub(crate) struct Setting<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) payload: AttPayload,
    /// Without the messages on the way.
    pub(crate) brief: bool,
    /// Where the diagram goes, if one is drawn.
    pub(crate) diagram: Option<&'a Path>,
}

/// A story's text with the name that it goes by in messages.
pub(crate) struct Script {
    name: String,
    text: String,
}

impl Script {
    /// The story that is told where no other is named.
    pub(crate) fn standard() -> Self {
        Self { name: "stories/standard.story".to_owned(), text: include_str!("../../stories/standard.story").to_owned() }
    }

    /// What is in a file; `-` is the standard input.
    pub(crate) fn from_file(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("the standard input")?;
            return Ok(Self { name: "standard input".to_owned(), text });
        }
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { name: path.display().to_string(), text })
    }

    /// Reads it, before anything is played.
    ///
    /// # Errors
    /// What is wrong with the first line that does not fit.
    pub(crate) fn read(&self) -> Result<Vec<language::Line>, String> {
        language::read(&self.text).map_err(|problem| problem.of(&self.name))
    }

    fn line(&self, number: usize) -> &str {
        self.text.lines().nth(number.saturating_sub(1)).unwrap_or_default().trim()
    }
}

/// Plays a story that was read.
///
/// # Errors
/// Where it did not go as it must, and how it went instead.
pub(crate) fn play(setting: &Setting<'_>, script: &Script, lines: &[language::Line]) -> Result<()> {
    if let Some(file) = setting.diagram {
        // A story is not told in vain.
        draw(file, "")?;
    }
    let mut player = begin(setting)?;
    let played = play_all(&mut player, script, lines);
    if let Some(file) = setting.diagram {
        // Of a story that went wrong it shows how far it came.
        draw(file, &player.stage.telling.record.svg())?;
    }
    played?;
    player.stage.telling.end();
    let ledger = setting.dir.join("ledger.sqlite");
    println!(
        "The issuer's ledger stays for looking at: {}",
        fs::canonicalize(&ledger).unwrap_or_else(|_| ledger.clone()).display()
    );
    println!("For example: sqlite3 {} .tables", ledger.display());
    Ok(())
}

fn draw(file: &Path, diagram: &str) -> Result<()> {
    fs::write(file, diagram).with_context(|| format!("cannot write the diagram {}", file.display()))
}

fn play_all(player: &mut Player, script: &Script, lines: &[language::Line]) -> Result<()> {
    for line in lines {
        let place = |number: usize| format!("{}:{number}: {}", script.name, script.line(number));
        player.pass_over(Some(&line.action)).with_context(|| place(player.last_line))?;
        player.play(line).with_context(|| place(line.number))?;
    }
    player.pass_over(None).with_context(|| format!("{}:{}: {}", script.name, player.last_line, script.line(player.last_line)))
}

fn begin(setting: &Setting<'_>) -> Result<Player> {
    prepare(setting.dir)?;
    Player::begin(Stage::new(setting.dir, setting.payload, Telling::new(!setting.brief)))
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
