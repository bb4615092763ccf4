//! The program: arguments, a way to reach bands, and somebody at a terminal or a script.

#![forbid(unsafe_code)]

mod arguments;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use anyhow::Result;
use armring_phone::session::{Session, remember};
use armring_phone::transport::Transport;
#[cfg(feature = "bluetooth")]
use armring_phone::transport::adapter;
#[cfg(feature = "hci")]
use armring_phone::transport::hci;
use armring_phone::transport::tcp::Tcp;
use armring_phone::{plain, screen};
use clap::Parser;

use arguments::Arguments;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs until the person ends it. Says whether all went well.
fn run(arguments: &Arguments) -> Result<bool> {
    let memory = remember(&arguments.state()?, arguments.root, arguments.issuer.as_deref())?;
    let transport = transport(arguments)?;
    if !arguments.plain && io::stdin().is_terminal() && io::stdout().is_terminal() {
        screen::run(|inbox| Session::new(memory, transport, inbox, arguments.att_payload))?;
        return Ok(true);
    }
    let (inbox, events) = plain::inbox();
    let mut session = Session::new(memory, transport, inbox, arguments.att_payload);
    Ok(plain::run(&mut session, &events, &mut io::stdout())?)
}

/// How bands are reached.
fn transport(arguments: &Arguments) -> Result<Box<dyn Transport>> {
    #[cfg(feature = "bluetooth")]
    if arguments.bluetooth {
        return Ok(Box::new(adapter::start()?));
    }
    #[cfg(feature = "hci")]
    if let Some(address) = &arguments.hci {
        return Ok(Box::new(hci::start(address.clone())?));
    }
    Ok(Box::new(Tcp::new(arguments.band.clone(), arguments.att_payload)))
}
