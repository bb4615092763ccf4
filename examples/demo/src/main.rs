//! Everything on one machine: an issuer, a shop, bands and phones as separate processes over loopback TCP, cut into fragments as on a BLE link;
//! and one command that plays a story with them.

#![forbid(unsafe_code)]

mod arguments;
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
mod linking;
mod paying;
mod phone;
mod receipts;
mod receiving;
mod server;
mod shop;
mod story;
mod trace;

use std::process::ExitCode;

use armring_band::Face;
use armring_loopback::{air, money, step};

use crate::arguments::{Arguments, Process};
use crate::story::{Held, Script, Setting};

fn main() -> ExitCode {
    let arguments = Arguments::given();
    let payload = arguments.att_payload;
    control::pass(arguments.ahead);
    step::doom(arguments.die_at, arguments.cut_at);
    let result = match arguments.process {
        None => return play(&arguments),
        Some(Process::Band { folder, root, display, button, label }) => {
            let face = match (display, button) {
                (true, _) => Face::Display,
                (_, true) => Face::Button,
                _ => Face::Lights,
            };
            band::run(&folder, root, (face, label), payload)
        }
        Some(Process::Phone { owner, folder, root, issuer, inside, infected }) => {
            phone::run(&phone::Setup { owner: &owner, folder: &folder, root, issuer: &issuer, inside, infected }, payload)
        }
        Some(Process::Shop { name, folder, root, issuer }) => shop::run(&name, &folder, root, &issuer, payload),
        Some(Process::Ordeal { only }) => story::ordeal::run(&arguments.dir, payload, only.as_deref()),
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
    let diagram = arguments.diagram.as_deref();
    let setting = Setting { dir: &arguments.dir, payload: arguments.att_payload, brief: arguments.brief, diagram };
    if arguments.interactive {
        return match story::converse(&setting) {
            Ok(Held::Well) => ExitCode::SUCCESS,
            Ok(Held::Failed) => ExitCode::FAILURE,
            Ok(Held::Unread) => ExitCode::from(2),
            Err(error) => ended(Err(error)),
        };
    }
    let script = match arguments.script.as_deref().map_or_else(|| Ok(Script::standard()), Script::from_file) {
        Ok(script) => script,
        Err(error) => return wrong(&format!("{error:#}")),
    };
    let lines = match script.read() {
        Ok(lines) => lines,
        Err(problem) => return wrong(&problem),
    };
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
