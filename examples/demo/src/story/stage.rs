//! The processes on the stage: started, told what to do, listened to.

use std::collections::VecDeque;
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
use crate::control::{BandReport, PhoneReport, Report};

/// One process on the stage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Actor(usize);

struct Process {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    /// What it reported and nobody has asked for yet.
    reports: VecDeque<Report>,
}

/// All processes of a story. They end when this does.
pub(crate) struct Stage {
    pub(crate) dir: PathBuf,
    pub(crate) telling: Telling,
    payload: AttPayload,
    processes: Vec<Process>,
    reports: Receiver<(usize, Option<Report>)>,
    sender: Sender<(usize, Option<Report>)>,
}

impl Stage {
    pub(crate) fn new(dir: &Path, payload: AttPayload, telling: Telling) -> Self {
        let (sender, reports) = channel();
        Self { dir: dir.to_owned(), telling, payload, processes: Vec::new(), reports, sender }
    }

    /// Starts a process of this same program.
    pub(crate) fn start(&mut self, name: &str, arguments: &[&str]) -> Result<Actor> {
        let program = std::env::current_exe().context("this program's own path")?;
        let mut child = Command::new(program)
            .args(["--att-payload", &self.payload.bytes().to_string()])
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
        self.processes.push(Process { name: name.to_owned(), child, input, reports: VecDeque::new() });
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

    /// Waits until `actor` reports what `wanted` takes. What else a wearer is told on the way is passed over; a failure, a refusal that was
    /// not wanted or silence is an error.
    pub(crate) fn wait<T>(&mut self, actor: Actor, what: &str, wanted: impl Fn(&Report) -> Option<T>) -> Result<T> {
        loop {
            while let Some(report) = self.process(actor)?.reports.pop_front() {
                if let Some(found) = wanted(&report) {
                    return Ok(found);
                }
                let name = self.name(actor);
                match report {
                    Report::Failed(why) => bail!("{name}, asked for {what}: {why}"),
                    Report::Phone(PhoneReport::Declined(why)) => bail!("{name}, asked for {what}, was declined: {why}"),
                    Report::Band(BandReport::PairingClosed) => bail!("{name}: pairing ended before {what}"),
                    _ => {}
                }
            }
            self.listen(actor, what)?;
        }
    }

    /// Waits for one more report of anybody. That somebody else failed is no news to wait any longer for.
    fn listen(&mut self, actor: Actor, what: &str) -> Result<()> {
        let Ok((index, report)) = self.reports.recv_timeout(PATIENCE) else {
            bail!("nothing happened for {} s while waiting for {what}", PATIENCE.as_secs());
        };
        match report {
            None => bail!("{} stopped while waiting for {what}", self.name(Actor(index))),
            Some(Report::Trace(trace)) => self.telling.message(&trace),
            Some(Report::Failed(why)) if Actor(index) != actor => {
                bail!("{} failed while {} was asked for {what}: {why}", self.name(Actor(index)), self.name(actor));
            }
            Some(report) => self.process(Actor(index))?.reports.push_back(report),
        }
        Ok(())
    }

    /// Has somebody do something and waits until it is done.
    pub(crate) fn done(&mut self, actor: Actor, command: &impl Serialize) -> Result<()> {
        self.tell(actor, command)?;
        self.wait(actor, "that", |report| matches!(report, Report::Done).then_some(()))
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
