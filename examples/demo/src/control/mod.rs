//! How the one command steers the processes: a line of JSON on their standard input for what a person does, a line on their standard output
//! for what happened. None of it is part of the protocol.

mod attack;
mod commands;
mod reports;

use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use armring_wire::UnixTime;
use serde::de::DeserializeOwned;

use crate::step;

pub(crate) use attack::{AttackCommand, AttackReport, Counter, Deed, End, Fragments, Misdeed, Place, Which};
pub(crate) use commands::{BandCommand, Clock, IssuerCommand, PhoneCommand, ShopCommand};
pub(crate) use reports::{BandReport, Books, PhoneReport, Report, ShopReport, Trace};

/// How far this process's clock is ahead of the machine's, in seconds: time passes in a story, and nobody sits it out.
static AHEAD: AtomicU64 = AtomicU64::new(0);

/// Tells the one command. If it is gone, so is the reason to run.
pub(crate) fn report(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, report)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Hands each command on standard input to `sender`, and [`None`] when there will be no more.
pub(crate) fn commands<C: DeserializeOwned + Send + 'static, T: From<Option<C>> + Send + 'static>(sender: Sender<T>) {
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            // The clock goes on even while a process is busy.
            match serde_json::from_str(&line) {
                Ok(Clock::Pass { seconds }) => {
                    pass(seconds);
                    let _ = report(&Report::Done);
                    continue;
                }
                Ok(Clock::Count) => {
                    let (steps, fragments) = step::counted();
                    let _ = report(&Report::Counted { steps, fragments });
                    continue;
                }
                Err(_) => {}
            }
            match serde_json::from_str(&line) {
                Ok(command) => {
                    if sender.send(Some(command).into()).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    let _ = report(&Report::Failed(format!("not a command: {error}")));
                }
            }
        }
        let _ = sender.send(None.into());
    });
}

/// Time passes.
pub(crate) fn pass(seconds: u64) {
    AHEAD.fetch_add(seconds, Ordering::Relaxed);
}

/// How much time has passed in the story alone.
pub(crate) fn ahead() -> Duration {
    Duration::from_secs(AHEAD.load(Ordering::Relaxed))
}

/// Microseconds since 1970, by this machine's clock.
pub(crate) fn micros() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}

/// The calendar, as the story has it.
pub(crate) fn calendar() -> UnixTime {
    let seconds = (micros() / 1_000_000).saturating_add(ahead().as_secs());
    UnixTime::from_secs(u32::try_from(seconds).unwrap_or(u32::MAX))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> anyhow::Result<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()
        .ok_or_else(|| anyhow::anyhow!("'{text}' is not hexadecimal"))?;
    anyhow::ensure!(digits.len().is_multiple_of(2), "an odd number of hexadecimal digits");
    Ok(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// Exactly `N` bytes in hexadecimal.
pub(crate) fn unhex_array<const N: usize>(text: &str) -> anyhow::Result<[u8; N]> {
    <[u8; N]>::try_from(unhex(text)?).map_err(|bytes| anyhow::anyhow!("{} bytes where {N} belong", bytes.len()))
}
