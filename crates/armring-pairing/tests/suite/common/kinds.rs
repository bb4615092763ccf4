//! The five handshakes between wallet and band behind one face, so that an attack that is tried on one is tried on all.

use armring_channel::Opened;
use armring_pairing::*;
use armring_wire::{Uptime, Version, VersionRange};
use rand_chacha::rand_core::TryCryptoRng;

use super::{ChaCha20Rng, NOW, Two, bytes, range, seal, two};

pub(crate) const KINDS: [Kind; 5] = [Kind::PairCode, Kind::PairOutOfBand, Kind::PairPress, Kind::Reconnect, Kind::Resume];

/// What the band speaks here.
pub(crate) const BAND_SPEAKS: VersionRange = VersionRange { lowest: Version(1), highest: Version(2) };
/// What the wallet speaks here.
pub(crate) const WALLET_SPEAKS: VersionRange = VersionRange { lowest: Version(1), highest: Version(3) };

/// A band and a wallet that have all that any handshake needs.
pub(crate) struct World {
    pub(crate) keys: Two,
    pub(crate) label: PairingLabel,
    pub(crate) at_band: Link,
    pub(crate) at_wallet: Link,
    pub(crate) ticket: ResumeTicket,
    pub(crate) resumption: Resumption,
}

pub(crate) enum Wallet {
    Code(Pairing),
    Uncompared(PairingUncompared),
    Reconnect(Reconnect),
    Resume(Resume),
}

pub(crate) enum Band {
    Opening(AwaitingOpening),
    Static(AwaitingStatic),
    Reconnected(Unproven),
    Resumed(Unproven<RustCrypto, Resumed>),
}

pub(crate) fn is_pairing(kind: Kind) -> bool {
    !matches!(kind, Kind::Reconnect | Kind::Resume)
}

/// `message` as one of the length that a step takes; another length cannot even be given to it.
fn exactly<const N: usize>(message: &[u8]) -> Result<&[u8; N], Error> {
    message.try_into().map_err(|_| PeerError::Length.into())
}

impl World {
    pub(crate) fn new(rng: &mut ChaCha20Rng) -> Self {
        Self::pinning(Version(1), rng)
    }

    /// With a link that accepts `lowest` and up.
    pub(crate) fn pinning(lowest: Version, rng: &mut ChaCha20Rng) -> Self {
        let keys = two(rng);
        let secret: [u8; 32] = bytes(rng);
        let end = |peer: &SoftwareKey| {
            let secret = LinkSecret::new(secret);
            Link::from_parts(peer.public_key(), secret, lowest, Assurance::ComparedCode, LinkState::Provisional)
        };
        let (at_band, at_wallet) = (end(&keys.wallet), end(&keys.band));
        let (ticket, resumption) = reconnect(&keys, &at_band, &at_wallet, rng);
        let label = PairingLabel::new(Source::Printed, PairingSecret::new(bytes(rng)), &keys.band.public_key());
        Self { keys, label, at_band, at_wallet, ticket, resumption }
    }

    /// What a band that can be paired in this way can do.
    pub(crate) fn methods(&self, kind: Kind) -> Methods {
        match kind {
            Kind::PairOutOfBand => Methods::label(PairingSecret::new(*self.label.secret().expose())),
            Kind::PairPress => Methods::press_only(),
            _ => Methods::code(),
        }
    }

    pub(crate) fn window(&self, kind: Kind) -> PairingWindow {
        PairingWindow::open(Uptime::from_millis(0), self.methods(kind))
    }

    pub(crate) fn start(
        &self,
        kind: Kind,
        band: &BandHello,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Wallet, WalletHello, Vec<u8>), Error> {
        self.start_as(kind, &self.keys.wallet, band, rng)
    }

    /// The wallet begins, with `own` as its static key.
    pub(crate) fn start_as(
        &self,
        kind: Kind,
        own: &dyn DiffieHellman,
        band: &BandHello,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Wallet, WalletHello, Vec<u8>), Error> {
        let speaks = WALLET_SPEAKS;
        Ok(match kind {
            Kind::PairOutOfBand => {
                let (wallet, hello, message) = PairingUncompared::start_with_label(&self.label, own, speaks, band, rng)?;
                (Wallet::Uncompared(wallet), hello, message.to_vec())
            }
            Kind::PairPress => {
                let (wallet, hello, message) = PairingUncompared::start_by_press(own, speaks, band, rng)?;
                (Wallet::Uncompared(wallet), hello, message.to_vec())
            }
            Kind::Reconnect => {
                let (wallet, hello, message) = Reconnect::start(&self.at_wallet, own, speaks, band, rng)?;
                (Wallet::Reconnect(wallet), hello, message.to_vec())
            }
            Kind::Resume => {
                let (wallet, hello, message) = Resume::start(&self.at_wallet, &self.ticket, speaks, band, rng)?;
                (Wallet::Resume(wallet), hello, message.to_vec())
            }
            _ => {
                let (wallet, hello, message) = Pairing::start(own, speaks, band, rng)?;
                (Wallet::Code(wallet), hello, message.to_vec())
            }
        })
    }

    /// The band takes message 1 as one of `kind`.
    pub(crate) fn answer(
        &mut self,
        kind: Kind,
        hellos: (&BandHello, &WalletHello),
        message: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Band, Vec<u8>), Error> {
        let (window, own) = (self.window(kind), &self.keys.band);
        Ok(match kind {
            Kind::PairOutOfBand => {
                let (band, answer) = window.receive_secret(exactly(message)?, NOW, own, hellos, rng)?;
                (Band::Static(band), answer.to_vec())
            }
            Kind::PairPress => {
                let (band, answer) = window.receive_press(exactly(message)?, NOW, own, hellos, rng)?;
                (Band::Static(band), answer.to_vec())
            }
            Kind::Reconnect => {
                let (band, answer) = Reconnect::answer(&self.at_band, own, hellos, exactly(message)?, rng)?;
                (Band::Reconnected(band), answer.to_vec())
            }
            Kind::Resume => {
                let (band, answer) = self.resumption.answer(&self.at_band, hellos, exactly(message)?, rng)?;
                (Band::Resumed(band), answer.to_vec())
            }
            _ => {
                let (band, answer) = window.receive(exactly(message)?, NOW, own, hellos, rng)?;
                (Band::Opening(band), answer.to_vec())
            }
        })
    }

    /// The wallet takes message 2. Returns its end of the channel and message 3, where the kind has one.
    pub(crate) fn finish_wallet(
        &self,
        wallet: Wallet,
        message: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Session, Option<Vec<u8>>), Error> {
        let own = &self.keys.wallet;
        Ok(match wallet {
            Wallet::Code(wallet) => {
                let (session, _, last) = wallet.receive(exactly(message)?, own)?;
                (session, Some(last.to_vec()))
            }
            Wallet::Uncompared(wallet) => {
                let (session, _, last) = wallet.receive(exactly(message)?, own, rng)?;
                (session, Some(last.to_vec()))
            }
            Wallet::Reconnect(wallet) => (wallet.receive(exactly(message)?, own)?.0, None),
            Wallet::Resume(wallet) => (wallet.receive(exactly(message)?)?.0, None),
        })
    }

    /// The band takes message 3 or, over a link, the first record.
    pub(crate) fn finish_band(&self, band: Band, message: &[u8], rng: &mut impl TryCryptoRng) -> Result<Session, Error> {
        let own = &self.keys.band;
        match band {
            Band::Opening(band) => Ok(band.receive(exactly(message)?, NOW, own)?.0),
            Band::Static(band) => Ok(band.receive(exactly(message)?, NOW, own, rng)?.0),
            Band::Reconnected(unproven) => proven(unproven, message),
            Band::Resumed(unproven) => proven(unproven, message),
        }
    }

    /// A whole handshake of `kind`, up to a channel that serves both ways. `alter` is given each message by name on its way.
    pub(crate) fn run(
        &mut self,
        kind: Kind,
        rng: &mut ChaCha20Rng,
        mut alter: impl FnMut(&str, &mut Vec<u8>),
    ) -> Result<(), Error> {
        let band_hello = BandHello::new(BAND_SPEAKS, rng)?;
        let mut bytes = band_hello.to_bytes().to_vec();
        alter("band hello", &mut bytes);
        let seen = BandHello::from_bytes(bytes.as_slice().try_into().unwrap());
        let (wallet, wallet_hello, mut first) = self.start(kind, &seen, rng)?;
        let mut bytes = wallet_hello.encode(&mut [0; WalletHello::MAX_LEN]).to_vec();
        alter("wallet hello", &mut bytes);
        let wallet_hello = WalletHello::from_bytes(&bytes)?;
        alter("message 1", &mut first);
        let (band, mut second) = self.answer(kind, (&band_hello, &wallet_hello), &first, rng)?;
        alter("message 2", &mut second);
        let (mut at_wallet, last) = self.finish_wallet(wallet, &second, rng)?;
        let mut last = last.unwrap_or_else(|| seal(&mut at_wallet.channel, b"first record"));
        alter("message 3", &mut last);
        let mut at_band = self.finish_band(band, &last, rng)?;
        assert!(super::speak(&mut at_wallet.channel, &mut at_band.channel));
        Ok(())
    }
}

fn proven<P: std::fmt::Debug>(unproven: Unproven<RustCrypto, P>, record: &[u8]) -> Result<Session, Error> {
    Ok(unproven.open(&mut record.to_vec()).map_err(|_| PeerError::NotAuthentic)?.session)
}

/// A reconnect over a link, both ways and proven: what it leaves to resume with.
pub(crate) fn reconnect(keys: &Two, at_band: &Link, at_wallet: &Link, rng: &mut ChaCha20Rng) -> (ResumeTicket, Resumption) {
    let speaks = range(1, at_band.lowest_version().0);
    let hello = BandHello::new(speaks, rng).unwrap();
    let (wallet, wallet_hello, first) = <Reconnect>::start(at_wallet, &keys.wallet, speaks, &hello, rng).unwrap();
    let (band, second) = <Reconnect>::answer(at_band, &keys.band, (&hello, &wallet_hello), &first, rng).unwrap();
    let (mut wallet, proof) = wallet.receive(&second, &keys.wallet).unwrap();
    let ticket = ResumeTicket::after_reconnect(wallet.resume, &proof);
    let mut record = seal(&mut wallet.channel, b"x");
    let Proven { session, proof, opened } = band.open(&mut record).unwrap();
    assert_eq!(opened, Opened::Record(b"x"));
    let mut resumption = Resumption::NONE;
    resumption.reconnected(ResumeTicket::after_reconnect(session.resume, &proof));
    (ticket, resumption)
}
