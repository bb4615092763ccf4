//! The emulated band: an emulator with two lines to it, the radio and the face.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::toolchain::Toolchain;

/// How long one waits for another that owes it an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// For how long a band that refuses is watched for whether it does something after all.
const SILENCE: Duration = Duration::from_millis(400);
/// Where the firmware finds what the factory wrote.
const FACTORY: &str = "0x3F000";
/// As large as the firmware takes its flash to be.
const FLASH: usize = 17 * 4096;

/// A band that is switched on. It ends as a cut of its power would end it.
pub(super) struct Machine {
    child: Child,
    face: TcpStream,
    lines: Receiver<String>,
    /// The radio's bytes.
    pub(super) radio: TcpStream,
}

impl Machine {
    /// Switches a band on, whose flash and factory key are in `folder`.
    pub(super) fn start(toolchain: &Toolchain, image: &Path, folder: &Path) -> Result<Self> {
        let flash = folder.join("flash.bin");
        if !flash.exists() {
            fs::write(&flash, vec![0xFF; FLASH])?;
        }
        let (radio, face) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
        let mut command = toolchain.qemu();
        command.args(["-M", "mps2-an386", "-cpu", "cortex-m4", "-display", "none", "-monitor", "none", "-parallel", "none"]);
        for (name, listener) in [("radio", &radio), ("face", &face)] {
            let port = listener.local_addr()?.port();
            command.args(["-chardev", &format!("socket,id={name},host=127.0.0.1,port={port},nodelay=on")]);
            command.args(["-serial", &format!("chardev:{name}")]);
        }
        command.args(["-semihosting-config", "enable=on,target=native"]);
        command.args(["-device", &format!("loader,file=root.bin,addr={FACTORY},force-raw=on")]);
        command.arg("-kernel").arg(image).current_dir(folder).stdin(Stdio::null());
        let mut child = command.spawn().context("the emulator does not start")?;
        let (radio, face) = match accept(radio).and_then(|radio| Ok((radio, accept(face)?))) {
            Ok(both) => both,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        let (sender, lines) = channel();
        let reader = BufReader::new(face.try_clone()?);
        thread::spawn(move || reader.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Ok(Self { child, face, lines, radio })
    }

    /// Gives the band entropy, without which it does nothing.
    pub(super) fn seed(&mut self) -> Result<()> {
        let mut answer = vec![b'S'];
        answer.extend_from_slice(&entropy()?);
        self.answer_seed(&answer)?;
        self.wait("that it is up", |line| (line == "ok").then_some(()))
    }

    /// Answers the band's question for entropy with these bytes.
    pub(super) fn answer_seed(&mut self, answer: &[u8]) -> Result<()> {
        self.wait("its question for entropy", |line| (line == "seed?").then_some(()))?;
        Ok(self.face.write_all(answer)?)
    }

    /// The wearer does something.
    pub(super) fn touch(&mut self, what: u8) -> Result<()> {
        Ok(self.face.write_all(&[what])?)
    }

    /// The wearer does something, and the band has done what follows from it.
    pub(super) fn done(&mut self, what: u8) -> Result<()> {
        self.forget();
        self.touch(what)?;
        self.wait("that it is done", |line| (line == "ok").then_some(()))
    }

    /// What the band told before is of no interest any more.
    pub(super) fn forget(&self) {
        while self.lines.try_recv().is_ok() {}
    }

    /// Waits for a line that `wanted` takes.
    pub(super) fn wait<T>(&self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> Result<T> {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(found) = wanted(&line) {
                        return Ok(found);
                    }
                    if line.starts_with("complaint machine") || line == "fault" {
                        bail!("the band, waited for {what}, said: {line}");
                    }
                }
                Err(RecvTimeoutError::Timeout) => bail!("the band did not show {what} within {} s", PATIENCE.as_secs()),
                Err(RecvTimeoutError::Disconnected) => bail!("the band is off while waited for {what}"),
            }
        }
    }

    /// The number that follows `word`.
    pub(super) fn number(&self, word: &str) -> Result<u64> {
        self.wait(word, |line| line.strip_prefix(word)?.strip_prefix(' ')?.parse().ok())
    }

    /// That nothing is shown, nor sent, whatever the wearer and a phone do.
    pub(super) fn is_silent(&mut self) -> Result<()> {
        self.touch(b'h')?;
        self.radio.write_all(&[0xFF, 0xFF, 182, 0])?;
        if let Ok(line) = self.lines.recv_timeout(SILENCE) {
            bail!("a band that refused to run said: {line}");
        }
        self.radio.set_nonblocking(true)?;
        match self.radio.peek(&mut [0]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            other => bail!("a band that refused to run used its radio: {other:?}"),
        }
    }

    /// Cuts the power: the emulator is killed, wherever it is.
    pub(super) fn cut(self) {}
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The emulator's end of a line, which it opens as it starts.
fn accept(listener: TcpListener) -> Result<TcpStream> {
    let (sender, accepted) = channel();
    thread::spawn(move || sender.send(listener.accept()));
    let (stream, _) = accepted.recv_timeout(PATIENCE).context("the emulator does not connect")??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn entropy() -> Result<[u8; 32]> {
    use std::io::Read as _;
    let mut bytes = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}
