//! A band on a virtual Bluetooth controller, on a thread of its own.

use std::thread::{self, JoinHandle};

use armring_band::{Face, Signal};
use armring_ble_e2e::bracelet::{Act, Bracelet};
use armring_pairing::PairingLabel;
use armring_token::RootKey;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

/// It is off when this value is gone.
pub(crate) struct Worn {
    acts: Option<UnboundedSender<Act>>,
    thread: Option<JoinHandle<()>>,
}

impl Worn {
    /// On the controller at `port`; what the wearer is told goes to `hear`, with the URI that a display shows.
    pub(crate) fn start(port: u16, root: &str, face: Face, hear: impl Fn(Signal, Option<String>) + Send + 'static) -> Self {
        let root = RootKey::from_bytes(armring_phone::book::array(root).unwrap()).unwrap();
        let (acts, mut next) = unbounded_channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(LocalSet::new().run_until(async {
                let mut band = Bracelet::new(port, root, face);
                band.start();
                loop {
                    tokio::select! {
                        act = next.recv() => match act {
                            Some(act) => band.does(act),
                            None => return band.stop().await,
                        },
                        told = band.tells() => hear(told.signal, told.label.map(|label| uri(&label))),
                    }
                }
            }));
        });
        Self { acts: Some(acts), thread: Some(thread) }
    }

    pub(crate) fn does(&self, act: Act) {
        self.acts.as_ref().unwrap().send(act).unwrap();
    }
}

impl Drop for Worn {
    fn drop(&mut self) {
        self.acts = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn uri(label: &PairingLabel) -> String {
    label.to_uri(&mut [0; PairingLabel::URI_LEN]).unwrap().to_owned()
}
