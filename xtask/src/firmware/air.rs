//! What is between a phone and the emulated band: the phone dials a port, the emulator's UART has no way to know of that, and here is who tells it.
//!
//! Both sides put two bytes of length before each ATT payload. Towards the band `FFFF` and a size in two bytes stand for a phone that
//! connected. `FFFE`, once each way, ends a connection, whoever began to.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::{Result, ensure};

use super::machine::PATIENCE;

/// How many bytes a notification carries: what an iPhone does.
pub(super) const ATT_PAYLOAD: u16 = 182;
const CONNECTED: u16 = 0xFFFF;
const DISCONNECTED: u16 = 0xFFFE;

/// A place to dial at, whether or not the band is on.
pub(super) struct Air {
    pub(super) address: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    ends: Mutex<Ends>,
    changed: Condvar,
}

#[derive(Default)]
struct Ends {
    band: Option<TcpStream>,
    phone: Option<Phone>,
}

/// The one phone that is connected, or was: it is over when both sides have said so.
struct Phone {
    id: u64,
    stream: TcpStream,
    phone_is_gone: bool,
    band_knows: bool,
}

impl Air {
    pub(super) fn new() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, shared) = (listener.local_addr()?.to_string(), Arc::new(Shared::default()));
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for (id, phone) in (0..).zip(listener.incoming().flatten()) {
                connected(&accepting, id, phone);
            }
        });
        Ok(Self { address, shared })
    }

    /// The band is on, and this is its radio.
    pub(super) fn band_is_on(&self, radio: &TcpStream) -> Result<()> {
        let mut reader = radio.try_clone()?;
        self.shared.locked().band = Some(radio.try_clone()?);
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || {
            while let Some((len, payload)) = frame(&mut reader) {
                let mut ends = shared.locked();
                let Some(phone) = &mut ends.phone else { continue };
                if len == DISCONNECTED {
                    phone.band_knows = true;
                    // Whoever reads from it notices.
                    let _ = phone.stream.shutdown(Shutdown::Both);
                    shared.tidy(&mut ends);
                } else {
                    let _ = phone.stream.write_all(&[&len.to_le_bytes()[..], &payload].concat());
                }
            }
        });
        Ok(())
    }

    /// The band is off: whoever was connected is not any more.
    pub(super) fn band_is_off(&self) {
        let mut ends = self.shared.locked();
        ends.band = None;
        if let Some(phone) = &mut ends.phone {
            let _ = phone.stream.shutdown(Shutdown::Both);
            phone.band_knows = true;
        }
        self.shared.tidy(&mut ends);
        self.shared.changed.notify_all();
    }

    /// Waits until no phone is connected, and the band knows. Else the next one would be a second one.
    pub(super) fn wait_alone(&self) -> Result<()> {
        let ends = self.shared.locked();
        let (ends, _) = self
            .shared
            .changed
            .wait_timeout_while(ends, PATIENCE, |ends| ends.phone.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        ensure!(ends.phone.is_none(), "the phone stays connected");
        Ok(())
    }
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a connection that is over on both sides.
    fn tidy(&self, ends: &mut Ends) {
        if ends.phone.as_ref().is_some_and(|phone| phone.phone_is_gone && phone.band_knows) {
            ends.phone = None;
            self.changed.notify_all();
        }
    }
}

/// Takes in a phone, and in a thread of its own all that it sends. A band that is connected does not advertise: whoever dials meanwhile waits
/// until the connection before is over on both sides, and is turned away where it stays.
fn connected(shared: &Arc<Shared>, id: u64, stream: TcpStream) {
    let ends = shared.locked();
    let busy = |ends: &mut Ends| ends.band.is_some() && ends.phone.is_some();
    let waited = shared.changed.wait_timeout_while(ends, PATIENCE, busy);
    let mut ends = waited.unwrap_or_else(PoisonError::into_inner).0;
    if ends.phone.is_some() {
        return;
    }
    let (Some(band), Ok(mut reader)) = (&mut ends.band, stream.try_clone()) else { return };
    let _ = band.write_all(&[CONNECTED.to_le_bytes(), ATT_PAYLOAD.to_le_bytes()].concat());
    let _ = stream.set_nodelay(true);
    ends.phone = Some(Phone { id, stream, phone_is_gone: false, band_knows: false });
    drop(ends);
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        while let Some((len, payload)) = frame(&mut reader) {
            if let Some(band) = &mut shared.locked().band {
                let _ = band.write_all(&[&len.to_le_bytes()[..], &payload].concat());
            }
        }
        let mut ends = shared.locked();
        if let Some(phone) = ends.phone.as_mut().filter(|phone| phone.id == id) {
            phone.phone_is_gone = true;
            if let Some(band) = &mut ends.band {
                let _ = band.write_all(&DISCONNECTED.to_le_bytes());
            }
            shared.tidy(&mut ends);
        }
    });
}

/// The next length, and the payload that it announces.
fn frame(reader: &mut TcpStream) -> Option<(u16, Vec<u8>)> {
    let mut len = [0; 2];
    reader.read_exact(&mut len).ok()?;
    let len = u16::from_le_bytes(len);
    let mut payload = vec![0; if len >= DISCONNECTED { 0 } else { usize::from(len) }];
    reader.read_exact(&mut payload).ok()?;
    Some((len, payload))
}
