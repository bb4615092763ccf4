//! Virtual controllers, and HCI to them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bt_hci::controller::ExternalController;
use bt_hci_serial::SerialTransport;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_io_adapters::tokio_1::FromTokio;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;

/// Where `cargo xtask ble` says which Python has bumble.
pub const PYTHON: &str = "ARMRING_BLE_PYTHON";

pub type Controller =
    ExternalController<SerialTransport<NoopRawMutex, FromTokio<ReadHalf<TcpStream>>, FromTokio<WriteHalf<TcpStream>>>, 10>;

/// Starts one of the scripts in `air/`, which ends with its standard input.
pub fn script(name: &str) -> Command {
    let python = std::env::var_os(PYTHON).expect("run these tests with `cargo xtask ble`, which installs what they need");
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/air/").to_owned() + name).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// Some controllers on one air. They end with this value.
pub struct Air {
    process: Child,
    ports: Vec<u16>,
}

impl Air {
    /// `count` controllers.
    pub fn with(count: usize) -> Self {
        Self::start(script("virtual_air.py").arg(count.to_string()))
    }

    /// `count` controllers, whose HCI is captured to this path with `.` and their numbers at its end.
    pub fn captured(count: usize, path: &Path) -> Self {
        Self::start(script("virtual_air.py").arg(count.to_string()).arg(path))
    }

    fn start(script: &mut Command) -> Self {
        let mut process = script.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).expect("the virtual controllers did not start");
        let ports = said["ports"].as_array().unwrap().iter().map(|port| port.as_u64().unwrap().try_into().unwrap());
        Self { process, ports: ports.collect() }
    }

    /// Where the controller of this number listens.
    pub fn port(&self, controller: usize) -> u16 {
        self.ports[controller]
    }
}

impl Drop for Air {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// HCI to the controller that listens there.
pub async fn hci(port: u16) -> Controller {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // Without it each packet waits for the acknowledgement of the one before.
    stream.set_nodelay(true).unwrap();
    let (read, write) = tokio::io::split(stream);
    ExternalController::new(SerialTransport::new(FromTokio::new(read), FromTokio::new(write)))
}
