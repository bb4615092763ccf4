//! Bands in reach of this machine's own Bluetooth adapter, by btleplug. Nobody has run this on an adapter yet.

use anyhow::{Context, Result};
use armring_ble::Seen;
use armring_ble::btleplug::{SERVICE_UUID, open};
use btleplug::api::{Central, CentralEvent, Manager as _, Peripheral as _, ScanFilter};
use btleplug::platform::{Adapter, Manager, Peripheral};
use futures_util::StreamExt;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use super::worker::{ANSWER, Host, Wires, Worker, carry};
use crate::wallet::Heard;

/// Bands in reach of the first adapter.
///
/// # Errors
/// The machine has no thread for it.
pub fn start() -> Result<Worker> {
    Worker::start(|| Own)
}

struct Own;

async fn adapter() -> Result<Adapter> {
    let manager = Manager::new().await.context("this system's Bluetooth service does not answer: start it")?;
    let adapters = manager.adapters().await.context("this system's Bluetooth service has no adapters")?;
    adapters.into_iter().next().context("this machine has no Bluetooth adapter, or it is off")
}

/// What a peripheral says of itself.
async fn seen(peripheral: &Peripheral) -> Result<(String, Seen)> {
    let properties = peripheral.properties().await?.unwrap_or_default();
    let tag = properties.manufacturer_data.values().find_map(|data| data.as_slice().try_into().ok());
    Ok((peripheral.id().to_string(), Seen { is_band: properties.services.contains(&SERVICE_UUID), tag }))
}

impl Host for Own {
    async fn scan(&self, tell: UnboundedSender<(String, Seen)>) -> Result<()> {
        let adapter = adapter().await?;
        let mut events = adapter.events().await?;
        adapter.start_scan(ScanFilter { services: vec![SERVICE_UUID] }).await?;
        while let Some(event) = events.next().await {
            let id = match event {
                CentralEvent::DeviceDiscovered(id) | CentralEvent::DeviceUpdated(id) => id,
                CentralEvent::ManufacturerDataAdvertisement { id, .. } | CentralEvent::ServicesAdvertisement { id, .. } => id,
                _ => continue,
            };
            if tell.send(seen(&adapter.peripheral(&id).await?).await?).is_err() {
                break;
            }
        }
        Ok(adapter.stop_scan().await?)
    }

    async fn call(&self, place: &str, mut wires: Wires) -> Result<()> {
        let adapter = adapter().await?;
        let _ = adapter.stop_scan().await;
        let mut known = adapter.peripherals().await?.into_iter();
        let peripheral = known.find(|peripheral| peripheral.id().to_string() == place);
        let peripheral = peripheral.context("it was not seen lately: 'find' lists the bands in reach")?;
        timeout(ANSWER, peripheral.connect()).await.context("it does not answer")??;
        let (mut line, payload) = match open(peripheral.clone()).await {
            Ok(opened) => opened,
            Err(error) => {
                let _ = peripheral.disconnect().await;
                return Err(error).context("this is no band");
            }
        };
        wires.tell(Heard::Up(payload));
        carry(&mut line, &mut wires).await;
        Ok(line.into_pipe().hang_up().await?)
    }
}
