//! What the program can be asked for.

use std::ffi::OsString;
use std::path::PathBuf;

use armring_wire::AttPayload;
use clap::{Parser, Subcommand};

use crate::control::unhex_array;
use crate::story::EXAMPLE;

/// Watch a wristband pay: pair, enrol, pay, receive, lose the link, the network or the band, and be refused.
///
/// Starts an issuer, a shop, bands and phones as separate processes, plays a story with them over loopback TCP in fragments as on a Bluetooth LE
/// link, and tells it. Ends with an error if anything is not as it must be.
#[derive(Parser)]
#[command(
    name = "cargo demo",
    bin_name = "cargo demo",
    version,
    after_help = after_help()
)]
pub(crate) struct Arguments {
    /// Where bands, phones and the issuer's ledger keep their files. Emptied at the start if an earlier run made it.
    #[arg(long, default_value = "target/demo", global = true)]
    pub(crate) dir: PathBuf,
    /// How many bytes one write or notification carries: 20 to 514. 182 is what an iPhone does.
    #[arg(long, default_value = "182", value_parser = att_payload, global = true)]
    pub(crate) att_payload: AttPayload,
    /// How far the process's clock is ahead of the machine's, in seconds.
    #[arg(long, default_value = "0", global = true, hide = true)]
    pub(crate) ahead: u64,
    /// The process dies at this step.
    #[arg(long, default_value = "0", global = true, hide = true)]
    pub(crate) die_at: u64,
    /// The process's connection is cut behind this fragment.
    #[arg(long, default_value = "0", global = true, hide = true)]
    pub(crate) cut_at: u64,
    /// Tell the story without the messages on the way.
    #[arg(long)]
    pub(crate) brief: bool,
    /// Also write the story as a sequence diagram to this SVG file.
    #[arg(long, value_name = "FILE")]
    pub(crate) diagram: Option<PathBuf>,
    /// Play your own story: a text file, or `-` for the standard input. An example is at the end of this page.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["interactive", "script_help"])]
    pub(crate) script: Option<PathBuf>,
    /// Play what you type, line by line, with completion; or what comes over a pipe.
    #[arg(long, conflicts_with = "script_help")]
    pub(crate) interactive: bool,
    /// Print all that stories can say (examples/demo/STORIES.md).
    #[arg(long)]
    pub(crate) script_help: bool,
    #[command(subcommand)]
    pub(crate) process: Option<Process>,
}

#[derive(Subcommand)]
pub(crate) enum Process {
    /// A band: its flash is a folder.
    Band {
        #[arg(long)]
        folder: PathBuf,
        /// The issuer's root key, 32 bytes in hexadecimal, as the firmware pins it.
        #[arg(long, value_parser = key)]
        root: [u8; 32],
        /// It has a display, which shows a code to scan and who asks to be paid; else lights and digits.
        #[arg(long)]
        display: bool,
        /// It has a button and nothing else.
        #[arg(long, conflicts_with = "display")]
        button: bool,
        /// It has a label with a secret that never changes.
        #[arg(long, conflicts_with = "display")]
        label: bool,
    },
    /// A phone.
    Phone {
        #[arg(long)]
        owner: String,
        #[arg(long)]
        folder: PathBuf,
        /// The issuer's root key, 32 bytes in hexadecimal, as the app pins it.
        #[arg(long, value_parser = key)]
        root: [u8; 32],
        /// Where the issuer listens.
        #[arg(long)]
        issuer: String,
        /// Its owner has no band: the phone is its own authenticator.
        #[arg(long)]
        inside: bool,
        /// Malware has it: it does what its owner did not mean.
        #[arg(long)]
        infected: bool,
    },
    /// A shop.
    Shop {
        #[arg(long)]
        name: String,
        #[arg(long)]
        folder: PathBuf,
        /// The issuer's root key, 32 bytes in hexadecimal.
        #[arg(long, value_parser = key)]
        root: [u8; 32],
        /// Where the issuer listens.
        #[arg(long)]
        issuer: String,
    },
    /// Play a small story again and again: each time, one process is killed at one of its steps, or one connection is cut behind one of its
    /// fragments, until all have been. Ends with an error if anything is lost, or paid twice.
    Ordeal {
        /// Try only what is told with these words: "Mei's phone killed at step 3 of 'pay'".
        #[arg(long, value_name = "WORDS")]
        only: Option<String>,
    },
    /// An issuer with a SQLite ledger.
    Issuer {
        #[arg(long)]
        ledger: PathBuf,
    },
    /// A man in the middle, who listens where others connect and connects to whom they mean.
    Attacker {
        #[arg(long)]
        folder: PathBuf,
        /// The issuer's root key, 32 bytes in hexadecimal, as everybody has it.
        #[arg(long, value_parser = key)]
        root: [u8; 32],
    },
}

fn att_payload(text: &str) -> Result<AttPayload, String> {
    text.parse().ok().and_then(AttPayload::new).ok_or_else(|| "a number of bytes from 20 to 514".to_owned())
}

fn key(text: &str) -> Result<[u8; 32], String> {
    unhex_array(text).map_err(|error| error.to_string())
}

impl Arguments {
    /// Those that this program was started with. `cargo demo -- --brief` is `cargo demo --brief`.
    pub(crate) fn given() -> Self {
        let dashes = |(place, argument): &(usize, OsString)| *place == 1 && argument == "--";
        let given = std::env::args_os().enumerate().filter(|argument| !dashes(argument));
        Self::parse_from(given.map(|(_, argument)| argument))
    }
}

fn after_help() -> String {
    let example: String = EXAMPLE.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "A story is a text file. Say this one is tea.story; `cargo demo --script tea.story` plays it:\n\n{example}\n\
         More of them are in examples/demo/stories, the one that is told where no other is named among them.\n\n\
         Exit codes: 0 the story went as it must; 1 it did not, and the last lines say where, or a file cannot be used, and they say which and \
         what to do; 2 the arguments, or a line of the story, cannot be read.\n\n\
         The commands above start one of the processes by hand; each takes lines of JSON on its standard input (examples/demo/src/control)."
    )
}
