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
    _process: Child,
}

/// The process said that the connection is over.
#[derive(Debug)]
pub struct Gone;

impl Foreign {
    /// Connects the controller at `port`, with bumble's host, to the band that advertises.
    pub async fn connect(port: u16, att_mtu: u16) -> Option<(Line<Self>, AttPayload, Info)> {
        let mut command = Command::from(script("bumble_phone.py"));
        command.args([port.to_string(), att_mtu.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let input = process.stdin.take()?;
        let mut output = BufReader::new(process.stdout.take()?).lines();
        let said: serde_json::Value = serde_json::from_str(&output.next_line().await.ok()??).unwrap();
        let payload = payload_of(said["mtu"].as_u64()?.try_into().ok()?);
        let info = Info::from_bytes(&unhex(said["info"].as_str()?)).unwrap();
        let line = Line::new(Self { input, output, _process: process }, Carrier::Gatt(Window::new()));
        Some((line, payload, info))
    }

    /// Ends the connection in order.
    pub async fn hang_up(mut self) {
        let _ = self.input.write_all(b"\n").await;
        while let Ok(Some(_)) = self.output.next_line().await {}
    }
}

impl Pipe for Foreign {
    type Error = Gone;

    async fn write(&mut self, payload: &[u8]) -> Result<(), Gone> {
        let line: String = payload.iter().map(|byte| format!("{byte:02x}")).chain(["\n".to_owned()]).collect();
        self.input.write_all(line.as_bytes()).await.map_err(|_| Gone)
    }

    async fn read(&mut self, payload: &mut [u8; ATT_PAYLOAD_MAX]) -> Result<usize, Gone> {
        let line = self.output.next_line().await.ok().flatten().ok_or(Gone)?;
        let bytes = unhex(&line);
        payload[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
