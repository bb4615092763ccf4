//! The phone in a hand: the program with a script at its keyboard.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::actor::PATIENCE;

/// A folder of a test's own, which is gone after it.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("armring-phone-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let places = ["/dev/shm", env!("CARGO_TARGET_TMPDIR")].into_iter().map(|place| Path::new(place).join(&name));
        Self(places.into_iter().find(|place| fs::create_dir_all(place).is_ok()).expect("a place for files"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program, in plain mode.
pub(crate) fn program(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_armring-phone"));
    command.arg("--plain").arg("--state").arg(state);
    command
}

/// Runs the program to its end, with this typed.
pub(crate) fn run(command: &mut Command, typed: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that ended early does not read.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

/// A phone that runs.
pub(crate) struct Phone {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    told: Vec<String>,
}

impl Phone {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        Self { child, input, lines, told: Vec::new() }
    }

    pub(crate) fn types(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits for a line with this in it.
    pub(crate) fn tells(&mut self, what: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else { panic!("no '{what}' in\n{}", self.told.join("\n")) };
            self.told.push(line.clone());
            if line.contains(what) {
                return line;
            }
        }
    }

    /// Is killed, as by the system.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Is ended by its user. Gives all that it told, and whether all went well.
    pub(crate) fn quit(mut self) -> (String, bool) {
        self.types("quit");
        drop(self.input.take());
        self.told.extend(self.lines.iter());
        (self.told.join("\n"), self.child.wait().unwrap().success())
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
