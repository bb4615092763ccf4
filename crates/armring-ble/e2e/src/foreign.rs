//! A phone whose radio is another implementation of Bluetooth's host: a process that writes and prints payloads.

use std::process::Stdio;

use armring_ble::{Carrier, Info, Line, Pipe, Window, payload_of};
use armring_wire::{ATT_PAYLOAD_MAX, AttPayload};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::air::script;

/// The process. It ends with this value.
pub struct Foreign {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    security: Option<String>,
    _process: Child,
}

/// What it does about Bluetooth's own security.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Nothing.
    None,
    /// It pairs and encrypts before it looks at the band.
    Before,
    /// While the first of what it writes is under way.
    Beside,
    /// Likewise, and the band does not let it.
    Refused,
    /// Likewise, and the band does not even answer.
    Unanswered,
}

impl Security {
    /// How the process calls it, and how it says that it came out.
    const fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::None => ("none", None),
            Self::Before => ("before", Some("encrypted")),
            Self::Beside => ("beside", Some("encrypted")),
            Self::Refused => ("beside", Some("refused: DHKEY_CHECK_FAILED")),
            Self::Unanswered => ("vain", Some("unanswered")),
        }
    }
}

/// The process said that the connection is over.
#[derive(Debug)]
pub struct Gone;

impl Foreign {
    /// Connects the controller at `port`, with bumble's host, to the band that advertises.
    pub async fn connect(port: u16, att_mtu: u16, security: Security) -> Option<(Line<Self>, AttPayload, Info)> {
        let mut command = Command::from(script("bumble_phone.py"));
        command
            .args([&port.to_string(), &att_mtu.to_string(), security.words().0])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let input = process.stdin.take()?;
        let output = BufReader::new(process.stdout.take()?).lines();
        let mut foreign = Self { input, output, security: None, _process: process };
        let said: serde_json::Value = serde_json::from_str(&foreign.line().await?).unwrap();
        let payload = payload_of(said["mtu"].as_u64()?.try_into().ok()?);
        let info = Info::from_bytes(&unhex(said["info"].as_str()?)).unwrap();
        Some((Line::new(foreign, Carrier::Gatt(Window::new())), payload, info))
    }

    /// The next line, but for what it says of Bluetooth's own security.
    async fn line(&mut self) -> Option<String> {
        loop {
            let line = self.output.next_line().await.ok()??;
            match line.strip_prefix(r#"{"security": ""#) {
                Some(outcome) => self.security = outcome.strip_suffix(r#""}"#).map(str::to_owned),
                None => return Some(line),
            }
        }
    }

    /// Ends the connection in order. What came of Bluetooth's own security is what was expected.
    pub async fn hang_up(mut self, security: Security) {
        let _ = self.input.write_all(b"\n").await;
        while self.line().await.is_some() {}
        assert_eq!(self.security.as_deref(), security.words().1, "{security:?}");
    }
}

impl Pipe for Foreign {
    type Error = Gone;

    async fn write(&mut self, payload: &[u8]) -> Result<(), Gone> {
        let line: String = payload.iter().map(|byte| format!("{byte:02x}")).chain(["\n".to_owned()]).collect();
        self.input.write_all(line.as_bytes()).await.map_err(|_| Gone)
    }

    async fn read(&mut self, payload: &mut [u8; ATT_PAYLOAD_MAX]) -> Result<usize, Gone> {
        let line = self.line().await.ok_or(Gone)?;
        let bytes = unhex(&line);
        payload[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
