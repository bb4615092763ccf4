//! Processes of the demo: a line of JSON for what a person does, a line of JSON for what happened (`examples/demo/src/control`).

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::air::ATT_PAYLOAD;
use super::machine::PATIENCE;

/// One process. It ends when this does.
pub(super) struct Actor {
    name: String,
    child: Child,
    input: ChildStdin,
    reports: Receiver<Value>,
}

impl Actor {
    pub(super) fn start(demo: &Path, name: &str, arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(demo)
            .args(["--att-payload", &ATT_PAYLOAD.to_string()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let (input, output) = (child.stdin.take().context("no input")?, child.stdout.take().context("no output")?);
        let (sender, reports) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let report = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(report).is_err() {
                    return;
                }
            }
        });
        Ok(Self { name: name.to_owned(), child, input, reports })
    }

    /// Has somebody do something.
    pub(super) fn tell(&mut self, command: &Value) -> Result<()> {
        let told = writeln!(self.input, "{command}").and_then(|()| self.input.flush());
        told.with_context(|| format!("{} is gone", self.name))
    }

    /// Waits for a report that has something at `path`. Messages on the way are printed; what failed or was declined is an error.
    pub(super) fn wait(&self, path: &str) -> Result<Value> {
        self.wait_for(path, |report| report.pointer(path).cloned())
    }

    /// Waits for a report that is just this word, or just this phone's or band's word.
    pub(super) fn wait_word(&self, word: &Value) -> Result<()> {
        self.wait_for(&word.to_string(), |report| (report == word).then_some(()))
    }

    fn wait_for<T>(&self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> Result<T> {
        loop {
            let Ok(report) = self.reports.recv_timeout(PATIENCE) else { bail!("{} did not report {what}", self.name) };
            if let Some(found) = wanted(&report) {
                return Ok(found);
            }
            if let Some(trace) = report.get("Trace") {
                show(trace);
            }
            for wrong in ["/Failed", "/Phone/Declined"] {
                if let Some(why) = report.pointer(wrong) {
                    bail!("{}, asked for {what}: {why}", self.name);
                }
            }
        }
    }

    /// Has somebody do something and waits until it is done.
    pub(super) fn done(&mut self, command: &Value) -> Result<()> {
        self.tell(command)?;
        self.wait_word(&json!("Done"))
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One message on its way.
fn show(trace: &Value) {
    let word = |key: &str| trace.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
    let number = |key: &str| trace.get(key).and_then(Value::as_u64).unwrap_or_default();
    let route = format!("{} → {}", word("from"), word("to"));
    println!(
        "   {route:<28} {:<26} {:>4} B in {} fragments, {} B on air",
        word("name"),
        number("message"),
        number("fragments"),
        number("on_air"),
    );
}

/// The text of a report.
pub(super) fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("not a text: {value}"))
}
