//! Everything on one machine: an issuer, a shop, bands and phones as separate processes over loopback TCP, cut into fragments as on a BLE link;
//! and one command that plays a story with them.

#![forbid(unsafe_code)]

mod air;
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

use armring_wire::AttPayload;
use clap::{Parser, Subcommand};

use crate::control::unhex_array;

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
    /// Tell the story without the messages on the way.
    #[arg(long)]
    brief: bool,
    /// Also write the story as a sequence diagram to this SVG file.
    #[arg(long, value_name = "FILE")]
    diagram: Option<PathBuf>,
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
}

fn att_payload(text: &str) -> Result<AttPayload, String> {
    text.parse().ok().and_then(AttPayload::new).ok_or_else(|| "a number of bytes from 20 to 514".to_owned())
}

fn key(text: &str) -> Result<[u8; 32], String> {
    unhex_array(text).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let payload = arguments.att_payload;
    let result = match arguments.process {
        None => story::play(&arguments.dir, payload, arguments.brief, arguments.diagram.as_deref()),
        Some(Process::Band { folder, root, display }) => band::run(&folder, root, display, payload),
        Some(Process::Phone { owner, folder, root, issuer, inside }) => {
            phone::run(&phone::Setup { owner: &owner, folder: &folder, root, issuer: &issuer, inside }, payload)
        }
        Some(Process::Shop { name, root, issuer }) => shop::run(&name, root, &issuer, payload),
        Some(Process::Issuer { ledger }) => issuer::run(&ledger, payload),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
