//! The processes on the stage: started, told what to do, listened to.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context, Result, bail};
use armring_wire::AttPayload;
use serde::Serialize;

use super::telling::Telling;
use crate::air::PATIENCE;
use crate::control::{Clock, PhoneReport, Report};

/// One process on the stage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Actor(usize);

struct Process {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    /// What it reported and nobody has asked for yet.
    reports: VecDeque<Report>,
    /// It has ended, by itself or not.
    gone: bool,
}

/// Somebody said no, or could not do what they were asked. A story may expect that.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) by: String,
    what: String,
    pub(crate) why: String,
    /// Who was asked failed at it, and has dropped its connection.
    pub(crate) failed: bool,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, asked for {}: {}", self.by, self.what, self.why)
    }
}

impl std::error::Error for Refused {}

/// All processes of a story. They end when this does.
pub(crate) struct Stage {
    pub(crate) dir: PathBuf,
    pub(crate) telling: Telling,
    payload: AttPayload,
    processes: Vec<Process>,
    /// How much time has passed in the story alone, in seconds.
    ahead: u64,
    reports: Receiver<(usize, Option<Report>)>,
    sender: Sender<(usize, Option<Report>)>,
}

impl Stage {
    pub(crate) fn new(dir: &Path, payload: AttPayload, telling: Telling) -> Self {
        let (sender, reports) = channel();
        Self { dir: dir.to_owned(), telling, payload, processes: Vec::new(), ahead: 0, reports, sender }
    }

    pub(crate) const fn payload(&self) -> AttPayload {
        self.payload
    }

    /// Tells what the story is called, and how it is played.
    pub(crate) fn title(&mut self, text: &str) {
        self.telling.title(text);
        self.telling.prose(&format!(
            "Everybody is a process of their own, over loopback TCP in ATT payloads of {} bytes as on a Bluetooth LE link.",
            self.payload.bytes()
        ));
    }

    /// Starts a process of this same program.
    pub(crate) fn start(&mut self, name: &str, arguments: &[&str]) -> Result<Actor> {
        let program = std::env::current_exe().context("this program's own path")?;
        let mut child = Command::new(program)
            .args(["--att-payload", &self.payload.bytes().to_string(), "--ahead", &self.ahead.to_string()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let output = child.stdout.take().context("a process without output")?;
        let index = self.processes.len();
        let sender = self.sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let report = serde_json::from_str(&line).unwrap_or(Report::Complaint(line));
                if sender.send((index, Some(report))).is_err() {
                    return;
                }
            }
            let _ = sender.send((index, None));
        });
        let input = child.stdin.take();
        self.processes.push(Process { name: name.to_owned(), child, input, reports: VecDeque::new(), gone: false });
        Ok(Actor(index))
    }

    fn process(&mut self, actor: Actor) -> Result<&mut Process> {
        self.processes.get_mut(actor.0).context("nobody of that name")
    }

    pub(crate) fn name(&self, actor: Actor) -> &str {
        self.processes.get(actor.0).map_or("?", |process| &process.name)
    }

    /// Has somebody do something.
    pub(crate) fn tell(&mut self, actor: Actor, command: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        let process = self.process(actor)?;
        let input = process.input.as_mut().context("has left")?;
        input.write_all(&line).and_then(|()| input.flush()).with_context(|| format!("{} is gone", process.name))
    }

    /// Waits until `actor` reports what `wanted` takes. What else a wearer is told on the way is passed over; a failure or a refusal that was
    /// not wanted is [`Refused`], and silence an error.
    pub(crate) fn wait<T>(&mut self, actor: Actor, what: &str, mut wanted: impl FnMut(&Report) -> Option<T>) -> Result<T> {
        loop {
            while let Some(report) = self.process(actor)?.reports.pop_front() {
                if let Some(found) = wanted(&report) {
                    return Ok(found);
                }
                let (why, failed) = match report {
                    Report::Failed(why) => (why, true),
                    Report::Phone(PhoneReport::Declined(why) | PhoneReport::NotTaken(why)) => (why, false),
                    _ => continue,
                };
                bail!(Refused { by: self.name(actor).to_owned(), what: what.to_owned(), why, failed });
            }
            self.listen(actor, what)?;
        }
    }

    /// Waits for one more report of anybody. That somebody else failed is no news to wait any longer for.
    fn listen(&mut self, actor: Actor, what: &str) -> Result<()> {
        let Ok((index, report)) = self.reports.recv_timeout(PATIENCE) else {
            bail!("nothing happened for {} s while waiting for {what}", PATIENCE.as_secs());
        };
        if report.is_none() {
            self.process(Actor(index))?.gone = true;
        }
        match report {
            None if self.process(Actor(index))?.input.is_none() => {}
            None => bail!("{} stopped while waiting for {what}", self.name(Actor(index))),
            Some(Report::Trace(trace)) => self.telling.message(&trace),
            Some(Report::Failed(why)) if Actor(index) != actor => {
                bail!("{} failed while {} was asked for {what}: {why}", self.name(Actor(index)), self.name(actor));
            }
            Some(report) => self.process(Actor(index))?.reports.push_back(report),
        }
        Ok(())
    }

    /// Has somebody do something and waits until they report what `wanted` takes, whatever else anybody reports on the way; `None` if they are
    /// gone, or go.
    pub(crate) fn ask<T>(
        &mut self,
        actor: Actor,
        command: &impl Serialize,
        wanted: impl FnMut(&Report) -> Option<T>,
    ) -> Result<Option<T>> {
        if self.tell(actor, command).is_err() {
            return Ok(None);
        }
        self.hear(actor, wanted)
    }

    /// The same for what they were told already.
    pub(crate) fn hear<T>(&mut self, actor: Actor, mut wanted: impl FnMut(&Report) -> Option<T>) -> Result<Option<T>> {
        loop {
            while let Some(report) = self.process(actor)?.reports.pop_front() {
                if let Some(found) = wanted(&report) {
                    return Ok(Some(found));
                }
            }
            if self.process(actor)?.gone {
                return Ok(None);
            }
            let Ok((index, report)) = self.reports.recv_timeout(PATIENCE) else {
                bail!("{} was silent for {} s", self.name(actor), PATIENCE.as_secs());
            };
            match report {
                None => self.process(Actor(index))?.gone = true,
                Some(Report::Trace(_)) => {}
                Some(report) => self.process(Actor(index))?.reports.push_back(report),
            }
        }
    }

    /// Ends a process as a power cut would.
    pub(crate) fn kill(&mut self, actor: Actor) -> Result<()> {
        let process = self.process(actor)?;
        process.input = None;
        process.child.kill().and_then(|()| process.child.wait()).with_context(|| format!("cannot end {}", process.name))?;
        Ok(())
    }

    /// Time passes for everybody.
    pub(crate) fn pass(&mut self, seconds: u64) -> Result<()> {
        self.ahead += seconds;
        let everybody: Vec<Actor> = (0..self.processes.len()).map(Actor).filter(|actor| self.is_there(*actor)).collect();
        everybody.into_iter().try_for_each(|actor| self.done(actor, &Clock::Pass { seconds }))
    }

    /// Whether somebody's process runs: it was not ended.
    pub(crate) fn is_there(&self, actor: Actor) -> bool {
        self.processes.get(actor.0).is_some_and(|process| process.input.is_some())
    }

    /// Has somebody do something and waits until it is done.
    pub(crate) fn done(&mut self, actor: Actor, command: &impl Serialize) -> Result<()> {
        self.tell(actor, command)?;
        self.wait(actor, "that", |report| matches!(report, Report::Done).then_some(()))
    }

    /// Has somebody do something and gives all that they report until it is done. What a band is told to do is always done like this, or with
    /// [`Self::done`]: the end of one thing must not be taken for that of the next.
    pub(crate) fn watch(&mut self, actor: Actor, command: &impl Serialize) -> Result<Vec<Report>> {
        self.forget(actor)?;
        self.tell(actor, command)?;
        let mut seen = Vec::new();
        self.wait(actor, "that", |report| match report {
            Report::Done => Some(()),
            other => {
                seen.push(other.clone());
                None
            }
        })?;
        Ok(seen)
    }

    /// Where a process listens.
    pub(crate) fn address(&mut self, actor: Actor) -> Result<String> {
        self.wait(actor, "an address", |report| match report {
            Report::Ready { address, .. } => address.clone(),
            _ => None,
        })
    }

    /// What is left over from before is of no interest any more.
    pub(crate) fn forget(&mut self, actor: Actor) -> Result<()> {
        self.process(actor)?.reports.clear();
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // A process leaves when its input ends. One that is busy with something else is made to.
            process.input = None;
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}
