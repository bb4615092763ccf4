//! What moves by itself in the room: fragments over the radio, and what the band has stored.

use armring_band::{Event as BandEvent, Output as BandOutput};
use armring_wallet::{Connection, Event, Output};

use super::{Change, Flash, Room, Way, counted};

impl Room {
    /// Carries everything to where it belongs until nothing moves.
    pub(crate) fn pump(&mut self) {
        while self.pump_band() | self.pump_wallet() {}
    }

    fn pump_band(&mut self) -> bool {
        let mut fragment = [0; 514];
        let (mut moved, mut lost) = (false, false);
        let mut next = None;
        while let Some(output) = counted(&mut self.allocations.band, || self.band.poll(&mut fragment)) {
            moved = true;
            let mut change = None;
            match output {
                BandOutput::Transmit(bytes) => {
                    if self.connection.is_some() && ends(&mut self.radio) {
                        self.phone.ticket = self.connection.take().and_then(|mut connection| connection.take_ticket());
                        lost = true;
                        continue;
                    }
                    let Some(connection) = &mut self.connection else {
                        self.heard.extend(self.ear.push(bytes).ok().flatten().map(|record| record.to_vec()));
                        continue;
                    };
                    let mut bytes = bytes.to_vec();
                    if !self.meddler.as_mut().is_none_or(|meddler| meddler(Way::ToWallet, &mut bytes)) {
                        continue;
                    }
                    let hear = || connection.fragment(&bytes, &self.phone.key, &mut self.rng);
                    if let Err(error) = counted(&mut self.allocations.wallet, hear) {
                        self.errors.push(format!("wallet: {error}"));
                    }
                }
                BandOutput::Store { key, value } => change = Some(Change::Store(key, value.to_vec())),
                BandOutput::Erase { key } => change = Some(Change::Erase(key)),
                BandOutput::EraseAll => change = Some(Change::EraseAll),
                BandOutput::Signal(signal) => self.signals.push(signal),
                BandOutput::Disconnect => {
                    // What the band said before, the wallet has heard.
                    if let Some(mut wallet) = self.connection.take() {
                        let heard = std::iter::from_fn(|| wallet.poll());
                        let events =
                            heard.filter_map(|output| if let Output::Event(event) = output { Some(event) } else { None });
                        self.events.extend(events);
                        self.phone.ticket = wallet.take_ticket();
                    }
                    next = next.or(Some(BandEvent::Disconnected));
                }
            }
            if let Some(change) = change {
                match self.store(change) {
                    Ok(event) => next = event,
                    Err(PowerCut) => return true,
                }
            }
        }
        if let Some(event) = next {
            self.happens_to_band(event);
        }
        if lost {
            self.happens_to_band(BandEvent::Disconnected);
        }
        moved
    }

    fn store(&mut self, change: Change) -> Result<Option<BandEvent<'static>>, PowerCut> {
        assert!(self.unsettled.is_none(), "one thing is stored at a time");
        match self.flash {
            Flash::Works => {
                self.keep(change);
                Ok(Some(BandEvent::Stored))
            }
            Flash::Fails => Ok(Some(BandEvent::StoreFailed)),
            Flash::Slow => {
                self.unsettled = Some(change);
                Ok(None)
            }
            Flash::CutAfter(0, kept) => {
                if kept {
                    self.keep(change);
                }
                self.flash = Flash::Works;
                self.power_cuts += 1;
                self.restart_band();
                Err(PowerCut)
            }
            Flash::CutAfter(left, kept) => {
                self.flash = Flash::CutAfter(left - 1, kept);
                self.keep(change);
                Ok(Some(BandEvent::Stored))
            }
        }
    }

    fn keep(&mut self, change: Change) {
        match change {
            Change::Store(key, value) => drop(self.storage.insert(key, value)),
            Change::Erase(key) => drop(self.storage.remove(&key)),
            Change::EraseAll => self.storage.clear(),
        }
    }

    /// The slow flash has stored what it was given, or has failed.
    pub(crate) fn settle(&mut self, works: bool) {
        let change = self.unsettled.take().unwrap();
        if works {
            self.keep(change);
        }
        self.happens(if works { BandEvent::Stored } else { BandEvent::StoreFailed });
    }

    fn poll_wallet(&mut self) -> Option<Output> {
        counted(&mut self.allocations.wallet, || self.connection.as_mut().and_then(Connection::poll))
    }

    fn pump_wallet(&mut self) -> bool {
        let mut moved = false;
        while let Some(output) = self.poll_wallet() {
            moved = true;
            match output {
                Output::Transmit(_) if ends(&mut self.radio) => {
                    self.hang_up();
                    self.happens_to_band(BandEvent::Disconnected);
                }
                Output::Transmit(mut fragment) => {
                    if self.meddler.as_mut().is_none_or(|meddler| meddler(Way::ToBand, &mut fragment)) {
                        self.happens_to_band(BandEvent::Fragment(&fragment));
                    }
                    self.written.push(fragment);
                    self.pump_band();
                }
                Output::Event(event) => {
                    if let Event::Paired(link) | Event::Keep(link) = &event {
                        self.phone.link = Some(link.to_bytes().to_vec());
                    }
                    self.events.push(event);
                }
                Output::Disconnect => {
                    self.hang_up();
                    self.happens_to_band(BandEvent::Disconnected);
                }
            }
        }
        moved
    }
}

struct PowerCut;

/// Whether this fragment is the one that the radio does not carry.
fn ends(radio: &mut Option<usize>) -> bool {
    let ends = *radio == Some(0);
    *radio = radio.and_then(|left| left.checked_sub(1));
    ends
}
