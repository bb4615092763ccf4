//! Bands that listen on TCP, as those of the demo do. They do not advertise: their places are given.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context, Result};
use armring_loopback::air::Air;
use armring_wire::AttPayload;

use super::{Inbox, Radio, Transport};
use crate::wallet::{Found, Heard, Input};

/// Bands at known addresses.
#[derive(Debug)]
pub struct Tcp {
    bands: Vec<String>,
    payload: AttPayload,
}

impl Tcp {
    /// These bands, in writes and notifications of this size.
    #[must_use]
    pub const fn new(bands: Vec<String>, payload: AttPayload) -> Self {
        Self { bands, payload }
    }
}

impl Transport for Tcp {
    fn find(&mut self, inbox: &Inbox) {
        // Knocking would use up the pairing window of whoever is there.
        for place in &self.bands {
            inbox.tell(Input::Found(Found { place: place.clone(), tag: None }));
        }
        let none = "no band is given: start with --band ADDRESS, or say where it is: 'pair ADDRESS', 'connect ADDRESS'";
        inbox.tell(Input::FindOver(if self.bands.is_empty() { Err(none.to_owned()) } else { Ok(()) }));
    }

    fn dial(&mut self, number: u64, place: &str, inbox: &Inbox) -> Box<dyn Radio> {
        let (orders, to_do) = channel();
        let (place, payload, inbox) = (place.to_owned(), self.payload, inbox.clone());
        thread::spawn(move || match connect(&place) {
            Ok((air, reader)) => {
                inbox.tell(Input::Heard(number, Heard::Up(payload)));
                thread::spawn(move || read(number, reader, &inbox));
                write(air, &to_do);
            }
            Err(error) => inbox.tell(Input::Heard(number, Heard::Over(Some(format!("{error:#}"))))),
        });
        Box::new(Socket(orders))
    }
}

/// Where a name and a port lead.
///
/// # Errors
/// Nowhere.
pub fn resolve(place: &str) -> Result<SocketAddr> {
    let mut found = place.to_socket_addrs().context("an address is a host and a port, such as 127.0.0.1:4000")?;
    found.next().context("nobody has that name")
}

fn connect(place: &str) -> Result<(Air, Air)> {
    let air = Air::connect(resolve(place)?)?;
    let reader = air.second_end()?;
    Ok((air, reader))
}

enum Order {
    Send(Vec<u8>),
    HangUp,
}

struct Socket(Sender<Order>);

impl Radio for Socket {
    fn send(&mut self, fragment: Vec<u8>) {
        let _ = self.0.send(Order::Send(fragment));
    }

    fn hang_up(&mut self) {
        let _ = self.0.send(Order::HangUp);
    }
}

fn write(mut air: Air, orders: &Receiver<Order>) {
    for order in orders {
        match order {
            // A band that is gone is noticed by whoever reads.
            Order::Send(fragment) => drop(air.send(&fragment)),
            Order::HangUp => air.finish(),
        }
    }
    air.close();
}

fn read(number: u64, mut air: Air, inbox: &Inbox) {
    air.wait_for_good();
    loop {
        let heard = match air.receive() {
            Ok(Some(fragment)) => Heard::Fragment(fragment),
            Ok(None) => Heard::Over(None),
            Err(error) => Heard::Over(Some(error.to_string())),
        };
        let over = matches!(heard, Heard::Over(_));
        inbox.tell(Input::Heard(number, heard));
        if over {
            return;
        }
    }
}
