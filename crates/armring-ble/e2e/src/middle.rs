//! Whoever stands between: a band to the phone, a phone to the band, on a controller of its own for each.

use armring_ble::{Advertisement as Advertised, INFO, Info, NOTIFICATIONS, SERVICE, WRITES};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use heapless::Vec as Bytes;
use tokio::task::JoinHandle;
use trouble_host::prelude::*;

use crate::air::hci;
use crate::central::{Central, Way};
use crate::heap::Heap;

/// Which way a payload goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Towards {
    Band,
    Phone,
}

/// Sees each payload, and may change it.
pub type Meddler = Box<dyn FnMut(Towards, &mut Vec<u8>)>;

/// Relays one connection of the phone's to the band, for as long as both last.
pub struct Middle(JoinHandle<()>);

const MTU: usize = 247 + 4;
const VALUE: usize = 244;

impl Middle {
    /// Stands between the air of the phone, where it advertises, and that of the band, which it calls.
    pub fn stand(towards_phone: u16, towards_band: u16, meddler: Meddler) -> Self {
        Self(tokio::task::spawn_local(relay(towards_phone, towards_band, meddler)))
    }

    pub async fn leave(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}

async fn relay(towards_phone: u16, towards_band: u16, meddler: Meddler) {
    let mut resources = HostResources::<Heap<MTU>, 1, 2>::new();
    let stack = trouble_host::new(hci(towards_phone).await, &mut resources)
        .set_random_address(Address::random([9, 9, 9, 9, 9, 0xC9]))
        .build();
    let mut runner = stack.runner();
    let uuid = |uuid: u128| Uuid::new_long(uuid.to_le_bytes());
    let info = Info { channel: None }.to_bytes();
    let (mut written, mut notified) = ([], []);
    let mut table: AttributeTable<'_, NoopRawMutex, 16> = AttributeTable::new();
    let mut service = table.add_service(Service::new(uuid(SERVICE)));
    let properties = [CharacteristicProp::Write, CharacteristicProp::WriteWithoutResponse];
    let empty = Bytes::<u8, VALUE>::new();
    let writes = service.add_characteristic(uuid(WRITES), properties, empty.clone(), &mut written).build();
    let notifies =
        service.add_characteristic(uuid(NOTIFICATIONS), [CharacteristicProp::Notify], empty, &mut notified).build().to_raw();
    let _ = service.add_characteristic_ro(uuid(INFO), &info).build();
    service.build();
    let server = AttributeServer::<NoopRawMutex, Heap<MTU>, 16, 1>::new(table);
    let between = async {
        let advertised = Advertised { company: 0xFFFF, tag: None };
        let data = Advertisement::ConnectableScannableUndirected { adv_data: &advertised.data(), scan_data: &[] };
        let mut role = stack.peripheral();
        let phone = role.advertise(&Default::default(), data).await.unwrap().accept().await.unwrap();
        let phone = phone.with_attribute_server(&server).unwrap();
        between(&phone, (&writes, &notifies), towards_band, meddler).await;
    };
    tokio::select! { _ = runner.run() => {} () = between => {} }
}

async fn between(
    phone: &GattConnection<'_, '_, Heap<MTU>>,
    (writes, notifies): (&Characteristic<Bytes<u8, VALUE>>, &Characteristic<[u8]>),
    towards_band: u16,
    mut meddler: Meddler,
) {
    let mut band = Central::dial(towards_band, 247, Way::Raw);
    band.up().await.unwrap();
    let mut subscribed = false;
    loop {
        tokio::select! {
            event = phone.next() => match event {
                GattConnectionEvent::Disconnected { .. } => return band.hang_up().await,
                GattConnectionEvent::Gatt { event: GattEvent::Write(write) } if write.handle() == writes.handle => {
                    let mut payload = write.with_data(|_, data| data.to_vec());
                    write.accept_unprocessed().unwrap().send().await;
                    meddler(Towards::Band, &mut payload);
                    band.send(&payload);
                }
                GattConnectionEvent::Gatt { event } => {
                    event.accept().unwrap().send().await;
                    subscribed = notifies.should_notify(phone);
                }
                _ => {}
            },
            payload = band.receive(), if subscribed => match payload {
                Some(mut payload) => {
                    meddler(Towards::Phone, &mut payload);
                    notifies.notify_raw(phone, &payload, false).await.unwrap();
                }
                None => {
                    phone.raw().disconnect();
                    while phone.raw().is_connected() {
                        phone.next().await;
                    }
                    return;
                }
            },
        }
    }
}
