//! Everything on one machine: an issuer, a shop, bands and phones as separate processes over loopback TCP, cut into fragments as on a BLE link;
//! and one command that plays a story with them.

#![forbid(unsafe_code)]

mod air;
mod attack;
mod authenticator;
mod band;
mod body;
mod client;
mod control;
mod disk;
mod enrolling;
mod issuer;
mod keyring;
mod line;
mod money;
mod paying;
mod phone;
mod receiving;
mod server;
mod shop;
mod story;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;

use armring_band::Face;
use armring_wire::AttPayload;
use clap::{Parser, Subcommand};

use crate::control::unhex_array;
use crate::story::{Script, Setting};

/// Watch a wristband pay: pair, enrol, pay, receive, lose the link, the network or the band, and be refused.
///
/// Starts an issuer, a shop, bands and phones as separate processes, plays a story with them over loopback TCP in fragments as on a Bluetooth LE
/// link, and tells it. Ends with an error if anything is not as it must be.
#[derive(Parser)]
#[command(
    name = "cargo demo",
    version,
    after_help = "\
Exit codes: 0 the story went as it must; 1 it did not, and the last lines say where; 2 the arguments are wrong.

The processes below can also be started by hand; each takes commands as lines of JSON on its standard input (examples/demo/src/control.rs)."
)]
struct Arguments {
    /// Where bands, phones and the issuer's ledger keep their files. Emptied at the start if an earlier run made it.
    #[arg(long, default_value = "target/demo")]
    dir: PathBuf,
    /// How many bytes one write or notification carries: 20 to 514. 182 is what an iPhone does.
    #[arg(long, default_value = "182", value_parser = att_payload, global = true)]
    att_payload: AttPayload,
    /// How far the process's clock is ahead of the machine's, in seconds.
    #[arg(long, default_value = "0", global = true, hide = true)]
    ahead: u64,
    /// Tell the story without the messages on the way.
    #[arg(long)]
    brief: bool,
    /// Play the story in this file; `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Print how stories are written.
    #[arg(long)]
    script_help: bool,
    #[command(subcommand)]
    process: Option<Process>,
}

#[derive(Subcommand)]
enum Process {
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
        /// The issuer's root key, 32 bytes in hexadecimal.
        #[arg(long, value_parser = key)]
        root: [u8; 32],
        /// Where the issuer listens.
        #[arg(long)]
        issuer: String,
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

fn main() -> ExitCode {
    let arguments = Arguments::parse_from(
        std::env::args_os().enumerate().filter(|(place, argument)| *place != 1 || argument != "--").map(|(_, argument)| argument),
    );
    let payload = arguments.att_payload;
    control::pass(arguments.ahead);
    let result = match arguments.process {
        None => return play(&arguments),
        Some(Process::Band { folder, root, display, button }) => {
            let face = match (display, button) {
                (true, _) => Face::Display,
                (_, true) => Face::Button,
                _ => Face::Lights,
            };
            band::run(&folder, root, face, payload)
        }
        Some(Process::Phone { owner, folder, root, issuer, inside, infected }) => {
            phone::run(&phone::Setup { owner: &owner, folder: &folder, root, issuer: &issuer, inside, infected }, payload)
        }
        Some(Process::Shop { name, root, issuer }) => shop::run(&name, root, &issuer, payload),
        Some(Process::Attacker { folder, root }) => attack::run(&folder, root, payload),
        Some(Process::Issuer { ledger }) => issuer::run(&ledger, payload),
    };
    ended(result)
}

/// Plays a story, or says how to write one.
fn play(arguments: &Arguments) -> ExitCode {
    if arguments.script_help {
        print!("{}", story::reference());
        return ExitCode::SUCCESS;
    }
    let script = match arguments.script.as_deref().map_or_else(|| Ok(Script::standard()), Script::from_file) {
        Ok(script) => script,
        Err(error) => return wrong(&format!("{error:#}")),
    };
    let lines = match script.read() {
        Ok(lines) => lines,
        Err(problem) => return wrong(&problem),
    };
    let setting = Setting { dir: &arguments.dir, payload: arguments.att_payload, brief: arguments.brief };
    ended(story::play(&setting, &script, &lines))
}

fn wrong(what: &str) -> ExitCode {
    eprintln!("error: {what}");
    ExitCode::from(2)
}

fn ended(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
