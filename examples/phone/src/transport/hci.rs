//! Bands in reach of a Bluetooth controller that speaks HCI over TCP, on the host stack trouble-host.

use anyhow::{Context, Result, anyhow, ensure};
use armring_ble::Seen;
use armring_ble::trouble::open;
use bt_hci::controller::ExternalController;
use bt_hci_serial::SerialTransport;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_io_adapters::tokio_1::FromTokio;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use trouble_host::prelude::*;

use super::worker::{ANSWER, Host, Wires, Worker, carry};
use crate::wallet::Heard;

/// The largest useful ATT MTU, and 4 bytes of L2CAP.
const PACKET: usize = 517 + 4;
/// How many packets there may be at once.
const PACKETS: usize = 64;

type Controller =
    ExternalController<SerialTransport<NoopRawMutex, FromTokio<ReadHalf<TcpStream>>, FromTokio<WriteHalf<TcpStream>>>, 10>;
type Resources = HostResources<Heap, 1, 2>;

/// Bands in reach of the controller whose HCI is at `address`.
///
/// # Errors
/// The machine has no thread for it.
pub fn start(address: String) -> Result<Worker> {
    Worker::start(move || Hci(address))
}

struct Hci(String);

impl Hci {
    async fn controller(&self) -> Result<Controller> {
        let stream = TcpStream::connect(&self.0)
            .await
            .with_context(|| format!("no controller at {}: start it, or check --hci", self.0))?;
        // Without it each packet waits for the acknowledgement of the one before.
        stream.set_nodelay(true)?;
        let (read, write) = tokio::io::split(stream);
        Ok(ExternalController::new(SerialTransport::new(FromTokio::new(read), FromTokio::new(write))))
    }
}

impl Host for Hci {
    async fn scan(&self, seen: UnboundedSender<(String, Seen)>) -> Result<()> {
        let mut resources = Resources::new();
        let stack = trouble_host::new(self.controller().await?, &mut resources).set_random_address(own_address()?).build();
        let (mut runner, scanned) = (stack.runner(), Scanned(seen));
        let search = async {
            let mut central = stack.central();
            let mut scanner = Scanner::new(&mut central);
            let session = scanner.scan(&ScanConfig::default()).await.map_err(wrong)?;
            // For as long as anybody wants to know.
            scanned.0.closed().await;
            session.stop().await;
            Ok(())
        };
        tokio::select! {
            result = runner.run_with_handler(&scanned) => result.map_err(wrong),
            result = search => result,
        }
    }

    async fn call(&self, place: &str, mut wires: Wires) -> Result<()> {
        let address = parsed(place)?;
        let mut resources = Resources::new();
        let stack = trouble_host::new(self.controller().await?, &mut resources).set_random_address(own_address()?).build();
        let mut runner = stack.runner();
        let call = async {
            let filter = [address];
            let scan_config = ScanConfig { filter_accept_list: &filter, ..Default::default() };
            let config = ConnectConfig { connect_params: Default::default(), scan_config };
            let mut central = stack.central();
            let connecting = tokio::time::timeout(ANSWER, central.connect(&config)).await;
            let connection = connecting.map_err(|_| anyhow!("it does not answer"))?.map_err(wrong)?;
            let result = talk(&stack, &connection, &mut wires).await;
            connection.disconnect();
            while connection.is_connected() {
                connection.next().await;
            }
            result
        };
        tokio::select! {
            result = runner.run() => result.map_err(wrong),
            result = call => result,
        }
    }
}

/// Talks until the wallet or the band ends it.
async fn talk(stack: &Stack<'_, Controller, Heap>, connection: &Connection<'_, Heap>, wires: &mut Wires) -> Result<()> {
    let gone = async { while !matches!(connection.next().await, ConnectionEvent::Disconnected { .. }) {} };
    let work = async {
        let client = GattClient::<_, _, 4>::new(stack, connection).await.map_err(wrong)?;
        let calls = async {
            let (mut line, payload) = open(&client, connection).await.map_err(|error| anyhow!("this is no band: {error:?}"))?;
            wires.tell(Heard::Up(payload));
            carry(&mut line, wires).await;
            Ok(())
        };
        tokio::select! {
            _ = client.task() => Ok(()),
            result = calls => result,
        }
    };
    tokio::select! {
        () = gone => Ok(()),
        result = work => result,
    }
}

fn wrong(error: impl std::fmt::Debug) -> anyhow::Error {
    anyhow!("the Bluetooth controller says {error:?}")
}

/// A static random address, another one each time.
fn own_address() -> Result<Address> {
    let mut bytes = [0; 6];
    rand_core::TryRng::try_fill_bytes(&mut crate::provider::random(), &mut bytes)?;
    let [.., last] = &mut bytes;
    *last |= 0xC0;
    Ok(Address::random(bytes))
}

/// `C0:55:44:33:22:11`, with `/public` behind it where it is one.
fn shown(kind: AddrKind, address: BdAddr) -> String {
    let bytes: Vec<String> = address.raw().iter().rev().map(|byte| format!("{byte:02X}")).collect();
    let kind = if kind == AddrKind::PUBLIC { "/public" } else { "" };
    bytes.join(":") + kind
}

fn parsed(place: &str) -> Result<Address> {
    let (address, kind) = match place.strip_suffix("/public") {
        Some(address) => (address, AddrKind::PUBLIC),
        None => (place, AddrKind::RANDOM),
    };
    let bytes: Option<Vec<u8>> = address.rsplit(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    let bytes = bytes.and_then(|bytes| <[u8; 6]>::try_from(bytes).ok());
    ensure!(bytes.is_some(), "'{place}' is no Bluetooth address, such as C0:55:44:33:22:11: 'find' lists those in reach");
    Ok(Address::new(kind, BdAddr::new(bytes.unwrap_or_default())))
}

/// Who advertises that they are a band.
struct Scanned(UnboundedSender<(String, Seen)>);

impl Scanned {
    fn sees(&self, kind: AddrKind, address: BdAddr, data: &[u8]) {
        let seen = Seen::default().and(data);
        // What may be a tag comes in a packet of its own.
        if seen.is_band || seen.tag.is_some() {
            let _ = self.0.send((shown(kind, address), seen));
        }
    }
}

impl EventHandler for Scanned {
    fn on_adv_reports(&self, reports: LeAdvReportsIter<'_>) {
        for report in reports.flatten() {
            self.sees(report.addr_kind, report.addr, report.data);
        }
    }

    fn on_ext_adv_reports(&self, reports: LeExtAdvReportsIter<'_>) {
        for report in reports.flatten() {
            self.sees(report.addr_kind, report.addr, report.data);
        }
    }
}

/// A pool of packets on the heap.
struct Heap;

struct Boxed(Box<[u8]>);

impl AsRef<[u8]> for Boxed {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsMut<[u8]> for Boxed {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Packet for Boxed {}

impl PacketPool for Heap {
    type Packet = Boxed;
    const MTU: usize = PACKET;

    fn allocate() -> Option<Boxed> {
        Some(Boxed(vec![0; PACKET].into()))
    }

    fn capacity() -> usize {
        PACKETS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_and_nothing_else_is() {
        for place in ["C0:55:44:33:22:11", "00:01:02:03:04:05/public"] {
            let address = parsed(place).expect(place);
            assert_eq!(shown(address.kind, address.addr), place);
        }
        for none in ["", "127.0.0.1:4000", "C0:55:44:33:22", "C0:55:44:33:22:11:00", "C0:55:44:33:22:1G", "/public"] {
            assert!(parsed(none).is_err(), "{none}");
        }
    }
}
