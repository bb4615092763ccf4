//! A phone's end of the link.

use armring_wire::{ATT_PAYLOAD_MAX, AttPayload};
use trouble_host::prelude::*;

use crate::line::{Line, Pipe};
use crate::service::{INFO, Info, NOTIFICATIONS, SERVICE, Spsm, WRITES, payload_of, payload_of_channel};
use crate::trouble::uuid;
use crate::window::{Carrier, Window};

/// Writes and notifications.
pub struct GattPipe<'c, 'stack, C: Controller, P: PacketPool, const S: usize> {
    client: &'c GattClient<'stack, C, P, S>,
    writes: Characteristic<[u8]>,
    notifications: NotificationListener<'c, { trouble_host::config::GATT_CLIENT_NOTIFICATION_MTU }>,
}

impl<C: Controller, P: PacketPool, const S: usize> Pipe for GattPipe<'_, '_, C, P, S> {
    type Error = BleHostError<C::Error>;

    async fn write(&mut self, payload: &[u8]) -> Result<(), Self::Error> {
        self.client.write_characteristic_without_response(&self.writes, payload).await
    }

    async fn read(&mut self, payload: &mut [u8; ATT_PAYLOAD_MAX]) -> Result<usize, Self::Error> {
        let notification = self.notifications.next().await;
        Ok(fill(payload, notification.as_ref()))
    }
}

/// Finds the band's service over `client`, reads what it says of its radio and subscribes. The client has exchanged the MTU, and its
/// [`task`](GattClient::task) runs beside all this; where it ends, the band is gone.
///
/// # Errors
/// What the stack says; [`Error::NotFound`] where this is no band of this version.
pub async fn open<'c, 'stack, C: Controller, P: PacketPool, const S: usize>(
    client: &'c GattClient<'stack, C, P, S>,
    connection: &Connection<'stack, P>,
) -> Result<(Line<GattPipe<'c, 'stack, C, P, S>>, AttPayload), BleHostError<C::Error>> {
    let service = find(client).await?;
    let writes: Characteristic<[u8]> = client.characteristic_by_uuid(&service, &uuid(WRITES)).await?;
    let notified: Characteristic<[u8]> = client.characteristic_by_uuid(&service, &uuid(NOTIFICATIONS)).await?;
    // Before the subscription, since the band speaks at once.
    let notifications = client.listen(&notified)?;
    client.write_handle(notified.cccd_handle.ok_or(Error::NotFound)?, &[1, 0]).await?;
    let line = Line::new(GattPipe { client, writes, notifications }, Carrier::Gatt(Window::new()));
    Ok((line, payload_of(connection.att_mtu())))
}

/// What the band says of its radio.
///
/// # Errors
/// What the stack says; [`Error::NotFound`] where this is no band of this version.
pub async fn info<C: Controller, P: PacketPool, const S: usize>(
    client: &GattClient<'_, C, P, S>,
) -> Result<Info, BleHostError<C::Error>> {
    let service = find(client).await?;
    let info: Characteristic<[u8]> = client.characteristic_by_uuid(&service, &uuid(INFO)).await?;
    let mut bytes = [0; ATT_PAYLOAD_MAX];
    let len = client.read_characteristic(&info, &mut bytes).await?;
    Ok(Info::from_bytes(bytes.get(..len).unwrap_or_default()).map_err(|_| Error::NotFound)?)
}

async fn find<C: Controller, P: PacketPool, const S: usize>(
    client: &GattClient<'_, C, P, S>,
) -> Result<ServiceHandle, BleHostError<C::Error>> {
    let services = client.services_by_uuid(&uuid(SERVICE)).await?;
    Ok(services.first().cloned().ok_or(Error::NotFound)?)
}

/// An L2CAP channel.
pub struct ChannelPipe<'s, 'stack, C, P: PacketPool> {
    stack: &'s Stack<'stack, C, P>,
    channel: L2capChannel<'s, P>,
}

impl<C: Controller, P: PacketPool> Pipe for ChannelPipe<'_, '_, C, P> {
    type Error = BleHostError<C::Error>;

    async fn write(&mut self, payload: &[u8]) -> Result<(), Self::Error> {
        self.channel.send(self.stack, payload).await
    }

    async fn read(&mut self, payload: &mut [u8; ATT_PAYLOAD_MAX]) -> Result<usize, Self::Error> {
        self.channel.receive(self.stack, payload).await
    }
}

/// Opens a channel to the band where it [says](info) that it listens.
///
/// # Errors
/// What the stack says.
pub async fn open_channel<'s, 'stack, C: Controller, P: PacketPool>(
    stack: &'s Stack<'stack, C, P>,
    connection: &Connection<'_, P>,
    spsm: Spsm,
) -> Result<(Line<ChannelPipe<'s, 'stack, C, P>>, AttPayload), BleHostError<C::Error>> {
    let channel = L2capChannel::create(stack, connection, spsm.get(), &L2capChannelConfig::default()).await?;
    let payload = payload_of_channel(channel.mtu(), channel.peer_mtu());
    Ok((Line::new(ChannelPipe { stack, channel }, Carrier::Channel), payload))
}

/// Writes as much of `bytes` as there is room for to the front of `payload` and returns how much that is.
fn fill(payload: &mut [u8], bytes: &[u8]) -> usize {
    payload.iter_mut().zip(bytes).map(|(place, byte)| *place = *byte).count()
}
