//! The phones, and what is at the other end of the radio.

use armring_channel::{Opened, sealed_len};
use armring_pairing::{
    BandHello, Enrol, EnrolVersions, Link, MESSAGE_MAX, Reconnect, Reconnected, ResumeTicket, Session, WalletHello,
};
use armring_token::{Credential, Enrolment, Limits, PaymentKey};
use armring_wallet::Connection;
use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::records::enrol::{EnrolRefusal, EnrolToBand, EnrolToIssuer};
use armring_wire::records::{Assurance, OBJECT_MAX, RELAY_MAX};
use armring_wire::{AttPayload, CredentialId, Fragmenter, Opaque, Reassembler, Record, VersionRange, decode_record, encode};

use crate::cast::{self, Draws, ISSUER, SHOP, Shared};
use crate::flash;
use crate::input::Input;

/// A phone: its key, the link that it has, if any, and what it may resume with.
pub(super) struct Phone {
    pub(super) key: Shared,
    pub(super) link: Option<Link>,
    pub(super) ticket: Option<ResumeTicket>,
}

impl Phone {
    /// Phones 0 and 1 are paired, phone 2 is not.
    pub(super) fn new(n: u8) -> Self {
        Self { key: Shared::phone(n), link: (n < 2).then(|| flash::link(n, &Shared::band())), ticket: None }
    }

    pub(super) fn link(&self) -> Option<Link> {
        Link::from_bytes(&self.link.as_ref()?.to_bytes())
    }
}

/// Who is at the other end.
pub(super) enum Line {
    Nobody,
    /// A wallet that follows the protocol, whatever its app has it say.
    Wallet(Box<Connection>),
    /// One who says what it likes; with a phone's link and key, over its session.
    Stranger(Box<Stranger>),
}

pub(super) struct Stranger {
    mouth: Fragmenter,
    ear: Reassembler<Vec<u8>>,
    /// Whole messages of the band's, until they are read.
    pub(super) heard: Vec<Vec<u8>>,
    pub(super) session: Option<Session>,
}

impl Stranger {
    pub(super) fn new(payload: AttPayload) -> Self {
        let ear = Reassembler::new(vec![0; MESSAGE_MAX]);
        Self { mouth: Fragmenter::new(payload), ear, heard: Vec::new(), session: None }
    }

    pub(super) fn hears(&mut self, fragment: &[u8]) {
        let message = self.ear.push(fragment).expect("the band counts its fragments");
        self.heard.extend(message.map(|message| message.to_vec()));
    }

    /// `message` in fragments.
    pub(super) fn cut(&mut self, message: &[u8]) -> Vec<Vec<u8>> {
        let (mut at, mut fragments) = (0, Vec::new());
        let mut fragment = vec![0; self.mouth.payload().bytes()];
        while let Some((len, next)) = self.mouth.cut(message, at, &mut fragment) {
            at = next;
            fragments.push(fragment[..len].to_vec());
        }
        fragments
    }

    /// `record` sealed, where there is a session that seals.
    pub(super) fn seal(&mut self, record: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = vec![0; sealed_len(record.len())?];
        buffer[..record.len()].copy_from_slice(record);
        Some(self.session.as_mut()?.channel.seal(&mut buffer, record.len()).ok()?.to_vec())
    }

    /// What the band has said over the session, opened.
    pub(super) fn opened(&mut self) -> Vec<Vec<u8>> {
        let Some(session) = &mut self.session else { return Vec::new() };
        let mut records = Vec::new();
        for mut sealed in std::mem::take(&mut self.heard) {
            if let Ok(Opened::Record(record)) = session.channel.open(&mut sealed) {
                assert!(decode_record::<ToWallet<'_>>(record).is_ok(), "the band says what a wallet knows");
                records.push(record.to_vec());
            }
        }
        records
    }
}

/// The steps of a reconnect as a stranger takes them who has a phone's link and key.
pub(super) struct Reconnecting(Reconnect);

impl Reconnecting {
    /// Answers the band's hello: hello and message 1.
    pub(super) fn start(phone: &Phone, hello: &[u8], rng: &mut Draws) -> Option<(Self, [Vec<u8>; 2])> {
        let hello = BandHello::from_bytes(hello.try_into().ok()?);
        let (waits, answer, first) =
            <Reconnect>::start(phone.link.as_ref()?, &phone.key, VersionRange::SUPPORTED, &hello, rng).ok()?;
        let answer = answer.encode(&mut [0; WalletHello::MAX_LEN]).to_vec();
        Some((Self(waits), [answer, first.to_vec()]))
    }

    /// Takes message 2.
    pub(super) fn finish(self, phone: &mut Phone, message: &[u8]) -> Option<(Session, Reconnected)> {
        let (session, proof) = self.0.receive(message.try_into().ok()?, &phone.key).ok()?;
        phone.link.as_mut()?.promote(&proof).ok()?;
        Some((session, proof))
    }
}

/// The issuer's side of an enrolment, as far as a band sees it.
#[derive(Default)]
pub(super) struct Desk {
    session: Option<Session>,
    enrolled: u8,
    /// The payment key that enrolled last.
    last: [u8; 32],
}

impl Desk {
    /// Answers the band's first message.
    pub(super) fn begins(&mut self, versions: VersionRange, message: &[u8], rng: &mut Draws) -> Option<Vec<u8>> {
        let versions = EnrolVersions { band: versions, issuer: VersionRange::SUPPORTED };
        let (session, _, second) = <Enrol>::answer(&Shared::issuer(), versions, message.try_into().ok()?, rng).ok()?;
        self.session = Some(session);
        Some(second.to_vec())
    }

    /// Issues a credential with these limits for what verifies; the last one again, one that does not fit, or says something else.
    pub(super) fn answers(&mut self, message: &[u8], limits: Limits, input: &mut Input<'_>) -> Option<Vec<u8>> {
        let session = self.session.as_mut()?;
        let mut sealed = message.to_vec();
        let Opened::Record(record) = session.channel.open(&mut sealed).ok()? else { return None };
        let Ok(EnrolToIssuer::Request { code, payment_key, assurance, proof }) = decode_record(record) else { return None };
        let key = PaymentKey::from_bytes(payment_key).expect("a key");
        let handshake = session.channel.binding().as_bytes();
        let enrolment = Enrolment { handshake, code, payment_key: key, assurance };
        enrolment.verify(&cast::root(), proof.as_bytes()).expect("the proof of possession");
        let mut credential = Credential { assurance, limits, ..cast::credential_body(payment_key) };
        let mut buffer = [0; RELAY_MAX];
        let how = input.below(16);
        // What is asked for again is given again.
        self.enrolled += u8::from(how != 0 || self.last != payment_key);
        self.last = payment_key;
        credential.id = CredentialId([self.enrolled; 8]);
        match how {
            1 => credential.payment_key = cast::signer(SHOP).verifying_key().to_bytes(),
            2 => credential.assurance = Assurance::Press,
            _ => {}
        }
        let object = cast::sign(&credential, ISSUER);
        assert!(object.len() > OBJECT_MAX);
        let said = match how {
            3 => EnrolToBand::Refused(EnrolRefusal::from(input.any::<u8>())),
            4 => EnrolToBand::Unknown(input.any()),
            _ => EnrolToBand::Issued { nonce: [self.enrolled; 16], credential: Opaque::new(&object)? },
        };
        let mut len = encode(&said, &mut buffer).ok()?.len();
        if how == 5 {
            // A record of a newer protocol.
            (buffer[0], len) = (0x7F, 2);
        }
        Some(session.channel.seal(&mut buffer, len).ok()?.to_vec())
    }
}

/// `record` as it is sealed.
pub(super) fn encoded(record: &ToBand<'_>) -> Vec<u8> {
    encode(record, &mut [0; ToBand::MAX_LEN]).unwrap().to_vec()
}
