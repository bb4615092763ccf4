//! Both sides of each handshake.

use armring_channel::{Channel, Opened, sealed_len};
use armring_pairing::{
    AwaitingBandShare, AwaitingWalletShare, BandHello, DiffieHellman, Enrol, EnrolVersions, Error, Kind, Link, LinkSecret,
    LinkState, Methods, Pairing, PairingLabel, PairingSecret, PairingUncompared, PairingWindow, PeerError, Reconnect,
    Reconnected, Resume, ResumeSecret, ResumeTicket, Resumption, Session, SoftwareKey, Source, WalletHello,
};
use armring_wire::records::Assurance;
use armring_wire::{Version, VersionRange};

use super::{Times, Way};
use crate::cast::Draws;

/// What the band speaks here, and what the wallet does.
const SPEAK: [VersionRange; 2] =
    [VersionRange { lowest: Version(1), highest: Version(2) }, VersionRange { lowest: Version(1), highest: Version(3) }];

/// A band and a wallet with all that any handshake needs. In an enrolment the wallet is the issuer.
pub(super) struct World {
    band: SoftwareKey,
    wallet: SoftwareKey,
    at_band: Link,
    at_wallet: Link,
    /// Both ends' proofs of a reconnect, and the secret to resume with.
    proofs: (Reconnected, Reconnected),
    resume: [u8; 32],
}

type Both = (Session, Session);

/// `message` as one of the length that a step takes; another length cannot even be given to it.
fn exactly<const N: usize>(message: &[u8]) -> Result<&[u8; N], Error> {
    message.try_into().map_err(|_| PeerError::Length.into())
}

impl World {
    /// Does something in a world that is the same each time.
    pub(super) fn with<T>(does: impl FnOnce(&Self) -> T) -> T {
        thread_local!(static WORLD: World = World::new());
        WORLD.with(does)
    }

    fn new() -> Self {
        let (band, wallet) = (SoftwareKey::new([0x0B; 32]), SoftwareKey::new([0x0A; 32]));
        let end = |peer: &SoftwareKey| {
            let (secret, code) = (LinkSecret::new([0x11; 32]), Assurance::ComparedCode);
            Link::from_parts(peer.public_key(), secret, Version(1), code, LinkState::Provisional)
        };
        let (at_band, at_wallet) = (end(&wallet), end(&band));
        let rng = &mut Draws::new(None);
        let hello = BandHello::new(SPEAK[0], rng).unwrap();
        let (waits, answer, first) = <Reconnect>::start(&at_wallet, &wallet, SPEAK[1], &hello, rng).unwrap();
        let (unproven, second) = <Reconnect>::answer(&at_band, &band, (&hello, &answer), &first, rng).unwrap();
        let (mut session, proof) = waits.receive(&second, &wallet).unwrap();
        let mut record = seal(&mut session.channel, b"x");
        let proven = unproven.open(&mut record).unwrap();
        let resume = *session.resume.expose();
        Self { band, wallet, at_band, at_wallet, proofs: (proven.proof, proof), resume }
    }

    /// A whole handshake, up to a channel and, where it pairs, a link.
    pub(super) fn run(&self, kind: Kind, times: &Times, way: &mut Way<'_, '_>, rng: &mut Draws) -> Result<Both, Error> {
        if kind == Kind::Enrol {
            return self.enrol(way, rng);
        }
        let hello = BandHello::new(SPEAK[0], rng)?;
        let seen = BandHello::from_bytes(exactly(&way.carries(&hello.to_bytes()))?);
        match kind {
            Kind::Reconnect => self.reconnect((hello, seen), way, rng),
            Kind::Resume => self.resume((hello, seen), way, rng),
            Kind::PairCode => self.pair((hello, seen), times, way, rng),
            _ => self.pair_uncompared(kind, (hello, seen), times, way, rng),
        }
    }

    fn enrol(&self, way: &mut Way<'_, '_>, rng: &mut Draws) -> Result<Both, Error> {
        let versions = EnrolVersions { band: SPEAK[0], issuer: SPEAK[1] };
        let (waits, first) = <Enrol>::start(&self.band, &self.wallet.public_key(), versions, rng)?;
        // The versions travel beside the message.
        let said = way.carries(&[versions.band.lowest.0, versions.band.highest.0]);
        let [lowest, highest] = *exactly(&said)?;
        let told = EnrolVersions { band: VersionRange { lowest: Version(lowest), highest: Version(highest) }, ..versions };
        let (at_issuer, band, second) = <Enrol>::answer(&self.wallet, told, exactly(&way.carries(&first))?, rng)?;
        let at_band = waits.receive(exactly(&way.carries(&second))?, &self.band)?;
        assert_eq!(band, self.band.public_key());
        Ok((at_issuer, at_band))
    }

    fn reconnect(&self, (hello, seen): (BandHello, BandHello), way: &mut Way<'_, '_>, rng: &mut Draws) -> Result<Both, Error> {
        let (waits, answer, first) = <Reconnect>::start(&self.at_wallet, &self.wallet, SPEAK[1], &seen, rng)?;
        let answer = carried(answer, way)?;
        let first = way.carries(&first);
        let (unproven, second) = <Reconnect>::answer(&self.at_band, &self.band, (&hello, &answer), exactly(&first)?, rng)?;
        let (mut at_wallet, proof) = waits.receive(exactly(&way.carries(&second))?, &self.wallet)?;
        let mut record = way.carries(&seal(&mut at_wallet.channel, b"first"));
        let proven = unproven.open(&mut record).map_err(|_| PeerError::NotAuthentic)?;
        assert_eq!(proven.opened, Opened::Record(b"first"));
        for (link, proof) in [(&self.at_band, &proven.proof), (&self.at_wallet, &proof)] {
            let mut link = Link::from_bytes(&link.to_bytes()).unwrap();
            assert_eq!(link.promote(proof), Ok(()));
            assert_eq!(link.state(), LinkState::Established);
        }
        Ok((at_wallet, proven.session))
    }

    fn resume(&self, (hello, seen): (BandHello, BandHello), way: &mut Way<'_, '_>, rng: &mut Draws) -> Result<Both, Error> {
        let ticket = |proof| ResumeTicket::after_reconnect(ResumeSecret::new(self.resume), proof);
        let mut resumption = Resumption::NONE;
        resumption.reconnected(ticket(&self.proofs.0));
        let ticket = ticket(&self.proofs.1);
        let (waits, answer, first) = <Resume>::start(&self.at_wallet, &ticket, SPEAK[1], &seen, rng)?;
        let answer = carried(answer, way)?;
        let first = way.carries(&first);
        let (unproven, second) = resumption.answer(&self.at_band, (&hello, &answer), exactly(&first)?, rng)?;
        let (mut at_wallet, next) = waits.receive(exactly(&way.carries(&second))?)?;
        assert_eq!(next.ticket(ResumeSecret::new([0; 32])).left() + 1, ticket.left());
        let mut record = way.carries(&seal(&mut at_wallet.channel, b"first"));
        let proven = unproven.open(&mut record).map_err(|_| PeerError::NotAuthentic)?;
        resumption.confirm(&proven.proof);
        Ok((at_wallet, proven.session))
    }

    fn pair(
        &self,
        (hello, seen): (BandHello, BandHello),
        times: &Times,
        way: &mut Way<'_, '_>,
        rng: &mut Draws,
    ) -> Result<Both, Error> {
        let window = <PairingWindow>::open(times.opened, Methods::code());
        let (waits, answer, first) = <Pairing>::start(&self.wallet, SPEAK[1], &seen, rng)?;
        let answer = carried(answer, way)?;
        let first = way.carries(&first);
        let (awaiting, second) = window.receive(exactly(&first)?, times.first, &self.band, (&hello, &answer), rng)?;
        let (at_wallet, code, third) = waits.receive(exactly(&way.carries(&second))?, &self.wallet)?;
        let (at_band, same) = awaiting.receive(exactly(&way.carries(&third))?, times.last, &self.band)?;
        assert_eq!(code.code(), same.code());
        let (wallet, band) = (code.shown().accept(rng)?, same.shown().accept(times.last, rng)?);
        linked(wallet, band);
        Ok((at_wallet, at_band))
    }

    fn pair_uncompared(
        &self,
        kind: Kind,
        (hello, seen): (BandHello, BandHello),
        times: &Times,
        way: &mut Way<'_, '_>,
        rng: &mut Draws,
    ) -> Result<Both, Error> {
        let secret = || PairingSecret::new([0x51; 32]);
        let is_press = kind == Kind::PairPress;
        let methods = if is_press { Methods::press_only() } else { Methods::label(secret()) };
        let window = <PairingWindow>::open(times.opened, methods);
        let label = PairingLabel::new(Source::Printed, secret(), &self.band.public_key());
        let (awaiting, waits, second) = if is_press {
            let (waits, answer, first) = <PairingUncompared>::start_by_press(&self.wallet, SPEAK[1], &seen, rng)?;
            let (answer, first) = (carried(answer, way)?, way.carries(&first));
            let (awaiting, second) = window.receive_press(exactly(&first)?, times.first, &self.band, (&hello, &answer), rng)?;
            (awaiting, waits, second)
        } else {
            let (waits, answer, first) = <PairingUncompared>::start_with_label(&label, &self.wallet, SPEAK[1], &seen, rng)?;
            let (answer, first) = (carried(answer, way)?, way.carries(&first));
            let (awaiting, second) = window.receive_secret(exactly(&first)?, times.first, &self.band, (&hello, &answer), rng)?;
            (awaiting, waits, second)
        };
        let (at_wallet, wallet, third) = waits.receive(exactly(&way.carries(&second))?, &self.wallet, rng)?;
        let (at_band, band) = awaiting.receive(exactly(&way.carries(&third))?, times.last, &self.band, rng)?;
        linked(wallet, band);
        Ok((at_wallet, at_band))
    }
}

/// The wallet's hello as the band reads it.
fn carried(hello: WalletHello, way: &mut Way<'_, '_>) -> Result<WalletHello, Error> {
    WalletHello::from_bytes(&way.carries(hello.encode(&mut [0; WalletHello::MAX_LEN])))
}

/// Both have one link, of each other.
fn linked(wallet: AwaitingBandShare, band: AwaitingWalletShare) {
    let (at_band, store_first) = band.wallet_confirmed(wallet.share());
    let at_wallet = wallet.band_confirmed(&store_first.stored());
    assert!(at_band.is_same_link(&at_wallet) && at_band.peer() != at_wallet.peer());
    assert_eq!(at_band.assurance(), at_wallet.assurance());
}

fn seal(channel: &mut Channel, record: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0; sealed_len(record.len()).unwrap()];
    buffer[..record.len()].copy_from_slice(record);
    channel.seal(&mut buffer, record.len()).unwrap().to_vec()
}

/// Whether each end opens what the other seals.
pub(super) fn speak(a: &mut Channel, b: &mut Channel) -> bool {
    a.binding() == b.binding()
        && b.open(&mut seal(a, b"one way")) == Ok(Opened::Record(b"one way"))
        && a.open(&mut seal(b, b"and back")) == Ok(Opened::Record(b"and back"))
}
