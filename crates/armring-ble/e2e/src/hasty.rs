//! A central that comes and goes while nothing else runs: HCI by hand, on the thread that all the others share.

use std::io::{Read, Write};
use std::net::TcpStream;

use trouble_host::Address;

/// HCI commands and events (Bluetooth Core 6.0, Vol 4, Part E, §7).
const RESET: u16 = 0x0C03;
const DISCONNECT: u16 = 0x0406;
const LE_SET_RANDOM_ADDRESS: u16 = 0x2005;
const LE_CREATE_CONNECTION: u16 = 0x200D;
const DISCONNECTION_COMPLETE: u8 = 0x05;
const COMMAND_COMPLETE: u8 = 0x0E;
const LE_META: u8 = 0x3E;

/// Connects the controller at `port` to `band` and ends the connection. When this returns, the band's host has been told of both, and had
/// no chance yet to hear of either.
pub fn come_and_go(port: u16, band: Address) {
    let mut hci = Hci(TcpStream::connect(("127.0.0.1", port)).unwrap());
    hci.0.set_nodelay(true).unwrap();
    hci.command(RESET, &[]);
    hci.command(LE_SET_RANDOM_ADDRESS, &[6, 6, 6, 6, 6, 0xC6]);
    hci.event(|event| matches!(event, [COMMAND_COMPLETE, _, _, 0x05, 0x20, ..]));
    // Scan interval and window, no filter; whom; from a random address; interval, latency, timeout, lengths of events.
    let before = [0x10, 0, 0x10, 0, 0, 1];
    let behind = [1, 6, 0, 6, 0, 0, 0, 100, 0, 0, 0, 0, 0];
    hci.command(LE_CREATE_CONNECTION, &[&before[..], band.addr.raw(), &behind].concat());
    let connected = hci.event(|event| matches!(event, [LE_META, _, 1, ..]));
    assert_eq!(connected[3], 0, "status");
    hci.command(DISCONNECT, &[connected[4], connected[5], 0x13]);
    hci.event(|event| event[0] == DISCONNECTION_COMPLETE);
    // The other end is told of it before this is answered.
    hci.command(RESET, &[]);
    hci.event(|event| matches!(event, [COMMAND_COMPLETE, _, _, 0x03, 0x0C, ..]));
}

struct Hci(TcpStream);

impl Hci {
    fn command(&mut self, opcode: u16, parameters: &[u8]) {
        let [low, high] = opcode.to_le_bytes();
        let head = [1, low, high, u8::try_from(parameters.len()).unwrap()];
        self.0.write_all(&[&head[..], parameters].concat()).unwrap();
    }

    /// Waits for an event: its code, the length of its parameters, and these.
    fn event(&mut self, is_it: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        loop {
            let mut head = [0; 3];
            self.0.read_exact(&mut head).unwrap();
            let mut event = vec![0; 2 + usize::from(head[2])];
            event[..2].copy_from_slice(&head[1..]);
            self.0.read_exact(&mut event[2..]).unwrap();
            assert_eq!(head[0], 4, "nothing but events: {event:?}");
            if is_it(&event) {
                return event;
            }
        }
    }
}
