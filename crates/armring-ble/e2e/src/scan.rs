//! Looking for bands.

use std::cell::RefCell;

use armring_ble::Seen;
use trouble_host::prelude::*;

use crate::air::{Controller, hci};
use crate::heap::Heap;

/// Where the band is that advertises, as the controller at `port` hears it.
pub async fn sighted(port: u16) -> Address {
    let mut resources = HostResources::<Heap<27>, 1, 2>::new();
    let address = Address::random([5, 5, 5, 5, 5, 0xC5]);
    let stack = trouble_host::new(hci(port).await, &mut resources).set_random_address(address).build();
    let (mut runner, scanned) = (stack.runner(), Scanned::default());
    tokio::select! {
        result = runner.run_with_handler(&scanned) => panic!("the controller is gone: {result:?}"),
        address = find(&stack, &scanned) => address,
    }
}

/// Scans until a band is seen.
pub(crate) async fn find<const MTU: usize>(stack: &Stack<'_, Controller, Heap<MTU>>, scanned: &Scanned) -> Address {
    let mut central = stack.central();
    let mut scanner = Scanner::new(&mut central);
    let session = scanner.scan(&ScanConfig::default()).await.unwrap();
    let address = scanned.found().await;
    session.stop().await;
    address
}

/// Who advertises that they are a band.
#[derive(Default)]
pub(crate) struct Scanned {
    found: RefCell<Option<Address>>,
    seen: tokio::sync::Notify,
}

impl Scanned {
    async fn found(&self) -> Address {
        loop {
            if let Some(address) = *self.found.borrow() {
                return address;
            }
            self.seen.notified().await;
        }
    }

    fn sees(&self, kind: AddrKind, addr: BdAddr, data: &[u8]) {
        if Seen::default().and(data).is_band {
            *self.found.borrow_mut() = Some(Address::new(kind, addr));
            self.seen.notify_one();
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
