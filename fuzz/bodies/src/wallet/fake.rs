//! A band that takes the protocol's steps, rightly or not.

use armring_channel::{Opened, sealed_len};
use armring_pairing::{
    AwaitingOpening, AwaitingStatic, AwaitingWalletShare, BandHello, Kind, Link, MESSAGE_MAX, Methods, PairingSecret,
    PairingWindow, Proven, Reconnect, Reconnected, ResumeSecret, ResumeTicket, Resumed, Resumption, RustCrypto, Session, Share,
    Unproven, WalletHello,
};
use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::{AttPayload, Fragmenter, Reassembler, Record, Uptime, VersionRange, decode_record, encode};

use crate::cast::{Draws, Shared};
use crate::flash;
use crate::input::Input;

pub(super) const LABEL: [u8; 32] = [0x51; 32];
const NOW: Uptime = Uptime::from_millis(5_000);
const RESUME: [u8; 32] = [0x7E; 32];

enum Step {
    Silent,
    Greeted(BandHello),
    Opening(AwaitingOpening),
    Static(AwaitingStatic),
    Confirming(AwaitingWalletShare),
    Proving(Unproven),
    Resuming(Unproven<RustCrypto, Resumed>),
    Linked,
    GivenUp,
}

pub(super) struct FakeBand {
    step: Step,
    session: Option<Session>,
    resumption: Resumption,
    mouth: Fragmenter,
    ear: Reassembler<Vec<u8>>,
    heard: Vec<Vec<u8>>,
    /// It has the link's key and secret, and the label's.
    pub(super) is_own: bool,
    /// Something that it said before there was a link was changed, or out of turn.
    pub(super) spoilt: bool,
    /// The link that it made.
    pub(super) link: Option<Link>,
    /// What it answered the wallet's introduction with.
    pub(super) generation: Option<u32>,
}

impl FakeBand {
    pub(super) fn new(payload: AttPayload, is_own: bool) -> Self {
        let mut resumption = Resumption::NONE;
        resumption.reconnected(ticket_of(|proofs| &proofs.0));
        Self {
            step: Step::Silent,
            session: None,
            resumption,
            mouth: Fragmenter::new(payload),
            ear: Reassembler::new(vec![0; MESSAGE_MAX]),
            heard: Vec::new(),
            is_own,
            spoilt: false,
            link: None,
            generation: None,
        }
    }

    pub(super) fn hears(&mut self, fragment: &[u8]) {
        let message = self.ear.push(fragment).expect("the wallet counts its fragments");
        self.heard.extend(message.map(|message| message.to_vec()));
    }

    pub(super) fn cut(&mut self, message: &[u8]) -> Vec<Vec<u8>> {
        let (mut at, mut fragments, mut fragment) = (0, Vec::new(), vec![0; self.mouth.payload().bytes()]);
        while let Some((len, next)) = self.mouth.cut(message, at, &mut fragment) {
            at = next;
            fragments.push(fragment[..len].to_vec());
        }
        fragments
    }

    /// `record` sealed and cut; nothing without a session, or of nothing.
    pub(super) fn seals(&mut self, record: &[u8]) -> Vec<Vec<u8>> {
        let mut buffer = vec![0; sealed_len(record.len()).unwrap()];
        buffer[..record.len()].copy_from_slice(record);
        let Some(session) = &mut self.session else { return Vec::new() };
        let Ok(sealed) = session.channel.seal(&mut buffer, record.len()) else { return Vec::new() };
        let sealed = sealed.to_vec();
        self.cut(&sealed)
    }

    pub(super) fn closes(&mut self) -> Vec<Vec<u8>> {
        let mut buffer = [0; 48];
        let closed = self.session.as_mut().and_then(|session| session.channel.close(&mut buffer).ok().map(<[u8]>::to_vec));
        closed.map_or_else(Vec::new, |sealed| self.cut(&sealed))
    }

    /// Whether it opens what the wallet seals.
    pub(super) const fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// Whether a sealed record of the wallet's has come.
    pub(super) fn has_heard_record(&self) -> bool {
        !self.heard.is_empty()
    }

    /// The last of what the wallet said over the session.
    pub(super) fn last_record(&mut self) -> Option<Vec<u8>> {
        let session = self.session.as_mut()?;
        let mut last = None;
        for mut sealed in std::mem::take(&mut self.heard) {
            if let Ok(Opened::Record(record)) = session.channel.open(&mut sealed) {
                assert!(decode_record::<ToBand<'_>>(record).is_ok());
                last = Some(record.to_vec());
            }
        }
        last
    }

    /// Takes its next step, if what it needs for that was said: fragments, of a message that may be changed.
    pub(super) fn advances(&mut self, input: &mut Input<'_>, rng: &mut Draws) -> Vec<Vec<u8>> {
        let step = std::mem::replace(&mut self.step, Step::GivenUp);
        let needs = match &step {
            Step::Silent => 0,
            Step::Greeted(_) => 2,
            Step::Linked | Step::GivenUp => usize::MAX,
            _ => 1,
        };
        if self.heard.len() < needs {
            self.step = step;
            return Vec::new();
        }
        let heard: Vec<Vec<u8>> = self.heard.drain(..needs).collect();
        let Some((step, mut message)) = self.take(step, heard, input, rng) else { return Vec::new() };
        self.step = step;
        if input.below(8) == 0 {
            self.spoilt |= input.alter(&mut message);
        }
        self.cut(&message)
    }

    fn take(&mut self, step: Step, mut heard: Vec<Vec<u8>>, input: &mut Input<'_>, rng: &mut Draws) -> Option<(Step, Vec<u8>)> {
        Some(match step {
            Step::Silent => {
                let hello = BandHello::new(VersionRange::SUPPORTED, rng).ok()?;
                (Step::Greeted(hello), hello.to_bytes().to_vec())
            }
            Step::Greeted(hello) => {
                let answer = WalletHello::from_bytes(&heard[0]).expect("a wallet's hello");
                self.answer((&hello, &answer), &heard[1], rng)?
            }
            Step::Opening(awaiting) => {
                let (session, code) =
                    awaiting.receive(heard[0].as_slice().try_into().ok()?, NOW, &Self::key(self.is_own)).ok()?;
                self.session = Some(session);
                (Step::Confirming(code.shown().accept(NOW, rng).ok()?), Vec::new())
            }
            Step::Static(awaiting) => {
                let message = heard[0].as_slice().try_into().ok()?;
                let (session, accepted) = awaiting.receive(message, NOW, &Self::key(self.is_own), rng).ok()?;
                self.session = Some(session);
                (Step::Confirming(accepted), Vec::new())
            }
            Step::Confirming(awaiting) => {
                let Ok(Opened::Record(record)) = self.session.as_mut()?.channel.open(&mut heard[0]) else { return None };
                let Ok(ToBand::Confirm { share }) = decode_record(record) else { panic!("the wallet says {record:?}") };
                let (link, store_first) = awaiting.wallet_confirmed(&Share::new(share));
                self.link = Some(link);
                (Step::Linked, self.sealed(&ToWallet::Confirm { share: *store_first.stored().expose() })?)
            }
            Step::Proving(unproven) => {
                let Proven { session, opened: Opened::Record(record), .. } = unproven.open(&mut heard[0]).ok()? else {
                    return None;
                };
                let Ok(ToBand::Generation { .. }) = decode_record(record) else { panic!("the wallet says {record:?}") };
                self.session = Some(session);
                let generation = if input.any() { input.any::<u32>() } else { input.any::<u8>().into() };
                self.generation = Some(generation);
                (Step::Linked, self.sealed(&ToWallet::Generation { generation })?)
            }
            Step::Resuming(unproven) => {
                let Proven { session, .. } = unproven.open(&mut heard[0]).ok()?;
                self.session = Some(session);
                (Step::Linked, Vec::new())
            }
            Step::Linked | Step::GivenUp => return None,
        })
    }

    /// Takes message 1, with its own key and secrets, or with others.
    fn answer(&mut self, hellos: (&BandHello, &WalletHello), message: &[u8], rng: &mut Draws) -> Option<(Step, Vec<u8>)> {
        let (key, secret) = (Self::key(self.is_own), PairingSecret::new(if self.is_own { LABEL } else { [0; 32] }));
        let link = flash::link(if self.is_own { 0 } else { 1 }, &Shared::phone(0));
        Some(match hellos.1.kind() {
            Kind::PairCode => {
                let window = <PairingWindow>::open(NOW, Methods::code());
                let (awaiting, answer) = window.receive(message.try_into().ok()?, NOW, &key, hellos, rng).ok()?;
                (Step::Opening(awaiting), answer.to_vec())
            }
            Kind::PairOutOfBand => {
                let window = <PairingWindow>::open(NOW, Methods::label(secret));
                let (awaiting, answer) = window.receive_secret(message.try_into().ok()?, NOW, &key, hellos, rng).ok()?;
                (Step::Static(awaiting), answer.to_vec())
            }
            Kind::PairPress => {
                let window = <PairingWindow>::open(NOW, Methods::press_only());
                let (awaiting, answer) = window.receive_press(message.try_into().ok()?, NOW, &key, hellos, rng).ok()?;
                (Step::Static(awaiting), answer.to_vec())
            }
            Kind::Reconnect => {
                let (unproven, answer) = <Reconnect>::answer(&link, &key, hellos, message.try_into().ok()?, rng).ok()?;
                (Step::Proving(unproven), answer.to_vec())
            }
            _ => {
                let (unproven, answer) = self.resumption.answer(&link, hellos, message.try_into().ok()?, rng).ok()?;
                (Step::Resuming(unproven), answer.to_vec())
            }
        })
    }

    fn key(is_own: bool) -> Shared {
        if is_own { Shared::band() } else { Shared::phone(2) }
    }

    fn sealed(&mut self, record: &ToWallet<'_>) -> Option<Vec<u8>> {
        let mut buffer = [0; MESSAGE_MAX];
        assert!(ToWallet::MAX_LEN <= buffer.len());
        let len = encode(record, &mut buffer).unwrap().len();
        Some(self.session.as_mut()?.channel.seal(&mut buffer, len).ok()?.to_vec())
    }
}

/// What the wallet of phone 0 may resume with.
pub(super) fn ticket() -> ResumeTicket {
    ticket_of(|proofs| &proofs.1)
}

fn ticket_of(whose: fn(&(Reconnected, Reconnected)) -> &Reconnected) -> ResumeTicket {
    thread_local!(static PROOFS: (Reconnected, Reconnected) = proofs());
    PROOFS.with(|proofs| ResumeTicket::after_reconnect(ResumeSecret::new(RESUME), whose(proofs)))
}

/// That phone 0 and the band have reconnected: what the band has of it, and what the phone has.
fn proofs() -> (Reconnected, Reconnected) {
    let (band, phone, rng) = (Shared::band(), Shared::phone(0), &mut Draws::new(None));
    let hello = BandHello::new(VersionRange::SUPPORTED, rng).unwrap();
    let (waits, answer, first) =
        <Reconnect>::start(&flash::link(0, &band), &phone, VersionRange::SUPPORTED, &hello, rng).unwrap();
    let (unproven, second) = <Reconnect>::answer(&flash::link(0, &phone), &band, (&hello, &answer), &first, rng).unwrap();
    let (mut session, proof) = waits.receive(&second, &phone).unwrap();
    let mut buffer = [0; 48];
    let mut sealed = session.channel.seal(&mut buffer, 1).unwrap().to_vec();
    (unproven.open(&mut sealed).unwrap().proof, proof)
}
