//! A phone's end of the link on [`btleplug`], which speaks to the Bluetooth of Linux (BlueZ), macOS, iOS, Windows and Android.
//!
//! It needs a Bluetooth adapter to run. The operating system exchanges the MTU, and opens no L2CAP channels for applications everywhere, so that
//! there is none here.

use core::pin::Pin;
use std::boxed::Box;

use armring_wire::{ATT_PAYLOAD_MAX, AttPayload};
use btleplug::api::{CharPropFlags, Characteristic, Peripheral, ValueNotification, WriteType};
use btleplug::{Error, Result};
use futures_core::Stream;
use uuid::Uuid;

use crate::line::{Line, Pipe};
use crate::service::{NOTIFICATIONS, SERVICE, WRITES, payload_of};
use crate::window::{Carrier, Window};

/// The service that a scan filters for.
pub const SERVICE_UUID: Uuid = Uuid::from_u128(SERVICE);

/// Writes and notifications of a peripheral.
pub struct BtleplugPipe<P> {
    peripheral: P,
    writes: Characteristic,
    notifications: Pin<Box<dyn Stream<Item = ValueNotification> + Send>>,
}

/// Finds the band's service on `peripheral`, which is connected, and subscribes.
///
/// # Errors
/// What the system says; [`Error::NoSuchCharacteristic`] where this is no band of this version.
pub async fn open<P: Peripheral>(peripheral: P) -> Result<(Line<BtleplugPipe<P>>, AttPayload)> {
    peripheral.discover_services().await?;
    let characteristics = peripheral.characteristics();
    let find = |uuid, properties| {
        let is_it = |found: &&Characteristic| {
            found.service_uuid == SERVICE_UUID && found.uuid == Uuid::from_u128(uuid) && found.properties.contains(properties)
        };
        characteristics.iter().find(is_it).cloned().ok_or(Error::NoSuchCharacteristic)
    };
    let writes = find(WRITES, CharPropFlags::WRITE_WITHOUT_RESPONSE)?;
    let notified = find(NOTIFICATIONS, CharPropFlags::NOTIFY)?;
    // Before the subscription, since the band speaks at once.
    let notifications = peripheral.notifications().await?;
    peripheral.subscribe(&notified).await?;
    let payload = payload_of(peripheral.mtu());
    Ok((Line::new(BtleplugPipe { peripheral, writes, notifications }, Carrier::Gatt(Window::new())), payload))
}

impl<P: Peripheral> BtleplugPipe<P> {
    /// Ends the connection.
    ///
    /// # Errors
    /// What the system says.
    pub async fn hang_up(self) -> Result<()> {
        self.peripheral.disconnect().await
    }
}

impl<P: Peripheral> Pipe for BtleplugPipe<P> {
    type Error = Error;

    async fn write(&mut self, payload: &[u8]) -> Result<()> {
        self.peripheral.write(&self.writes, payload, WriteType::WithoutResponse).await
    }

    async fn read(&mut self, payload: &mut [u8; ATT_PAYLOAD_MAX]) -> Result<usize> {
        loop {
            let next = core::future::poll_fn(|context| self.notifications.as_mut().poll_next(context)).await;
            let notification = next.ok_or(Error::NotConnected)?;
            if notification.uuid == Uuid::from_u128(NOTIFICATIONS) {
                return Ok(payload.iter_mut().zip(notification.value).map(|(place, byte)| *place = byte).count());
            }
        }
    }
}

impl<P> core::fmt::Debug for BtleplugPipe<P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BtleplugPipe").finish_non_exhaustive()
    }
}
