//! What the program is started with.

use std::path::PathBuf;

use anyhow::{Context, Result};
use armring_wire::AttPayload;
use clap::Parser;

use armring_phone::book::array;

/// A wallet for the terminal: it finds a band, pairs, enrols it with the issuer, pays, and keeps the receipts.
#[derive(Debug, Parser)]
#[command(name = "armring-phone", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where this phone keeps its key, links and receipts. One phone a file. Default: armring/phone.state where this user's programs keep state.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// The issuer's root key, 64 hexadecimal digits, as the issuer publishes it. Needed once.
    #[arg(long, value_name = "KEY", value_parser = root)]
    pub(crate) root: Option<[u8; 32]>,
    /// Where the issuer is. Needed once, and when it has moved.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) issuer: Option<String>,
    /// Where a band listens on TCP, as those of the demo do. May be given several times.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) band: Vec<String>,
    /// Bands in reach of this machine's Bluetooth adapter, in place of those on TCP.
    #[cfg(feature = "bluetooth")]
    #[arg(long, group = "radio")]
    pub(crate) bluetooth: bool,
    /// Bands in reach of a Bluetooth controller whose HCI is on TCP there, such as a virtual one.
    #[cfg(feature = "hci")]
    #[arg(long, value_name = "ADDRESS", group = "radio")]
    pub(crate) hci: Option<String>,
    /// How many bytes one write or notification on TCP carries: 20 to 514, the same as the band's.
    #[arg(long, value_name = "BYTES", default_value = "182", value_parser = att_payload)]
    pub(crate) att_payload: AttPayload,
    /// Lines in, lines out: for scripts and screen readers. A line waits until what the lines before began is done.
    #[arg(long)]
    pub(crate) plain: bool,
}

const EXAMPLES: &str = "\
Examples:
  The first start, with an issuer and a band of the demo (README.md says how to start those):
    armring-phone --root 3b6a… --issuer 127.0.0.1:4001 --band 127.0.0.1:4002

  Later:
    armring-phone --band 127.0.0.1:4002

  In a script; it waits for the press on the band, and ends with the receipt:
    printf 'connect\\npay at 127.0.0.1:4003\\n' | armring-phone --plain --band 127.0.0.1:4002

Then type 'help'. To pair, hold the band's button and type 'pair'; compare the six digits on both, and answer 'yes' or 'no'.

Exit codes: 0 all went well; 1 something did not, and a line says what and what to do; 2 the arguments cannot be read.";

impl Arguments {
    /// The state file.
    pub(crate) fn state(&self) -> Result<PathBuf> {
        if let Some(path) = &self.state {
            return Ok(path.clone());
        }
        let named = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || Some(std::env::home_dir()?.join(".local").join("state"));
        let folder = named.or_else(home).context("this user has no home: name a file with --state")?;
        Ok(folder.join("armring").join("phone.state"))
    }
}

fn root(text: &str) -> Result<[u8; 32], String> {
    array(text).map_err(|error| error.to_string())
}

fn att_payload(text: &str) -> Result<AttPayload, String> {
    text.parse().ok().and_then(AttPayload::new).ok_or_else(|| "a number of bytes from 20 to 514".to_owned())
}
