//! Handshakes of each kind: all keys, all messages, what both sides have afterwards. And messages that end a handshake.

use armring_pairing::noise::{HandshakeState, IK, KKPSK0, Keys, NNPSK0, Pattern, Psk, Side, Split, XX, XXPSK0};
use armring_pairing::{BandHello, Code, DiffieHellman, EnrolVersions, Prologue, SoftwareKey, WalletHello, labelled_hash};
use armring_wire::VersionRange;
use serde_json::{Value, json};

use crate::links;
use crate::seed::{bytes, hex};

/// One handshake, with everything that goes into it.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) pattern: &'static Pattern,
    pub(crate) roles: [&'static str; 2],
    pub(crate) hellos: Option<[Vec<u8>; 2]>,
    pub(crate) prologue: Vec<u8>,
    pub(crate) psk: Option<[u8; 32]>,
    pub(crate) payloads: Vec<Vec<u8>>,
}

/// The private keys of a party.
pub(crate) fn static_key(role: &str) -> SoftwareKey {
    SoftwareKey::new(bytes(&format!("{role} static")))
}

fn ephemeral_secret(name: &str, role: &str) -> [u8; 32] {
    bytes(&format!("{name} {role}"))
}

/// The band's hello of every connection in the vectors.
pub(crate) fn band_hello() -> BandHello {
    let mut hello = [1; BandHello::LEN];
    hello[..16].copy_from_slice(&bytes::<16>("challenge"));
    BandHello::from_bytes(&hello)
}

fn wallet_hello(kind: u8, hint: Option<[u8; 16]>) -> WalletHello {
    let hint = hint.as_ref().map_or(&[][..], |hint| hint);
    WalletHello::from_bytes(&[&[kind, 1, 1, u8::try_from(hint.len()).unwrap()], hint].concat()).unwrap()
}

/// What the wallet opens in message 3 of a pairing by code.
pub(crate) fn opening() -> [u8; 32] {
    bytes("opening")
}

pub(crate) fn settings() -> Vec<Setting> {
    let wallet = static_key("wallet").public_key();
    let commitment = labelled_hash("armring/1 sas commit", &[wallet.as_bytes(), &opening()]);
    let psk = |label, secret: &[u8; 32]| Some(labelled_hash(label, &[secret]));
    let (link, resume) = (links::link_secret(), bytes("resume secret"));
    let to_band = |name, pattern, kind, hint, psk, payloads| {
        let hellos = (band_hello(), wallet_hello(kind, hint));
        let prologue = Prologue::opening(&hellos.0, &hellos.1).unwrap().as_bytes().to_vec();
        let hellos = Some([hellos.0.to_bytes().to_vec(), hellos.1.encode(&mut [0; WalletHello::MAX_LEN]).to_vec()]);
        Setting { name, pattern, roles: ["wallet", "band"], hellos, prologue, psk, payloads }
    };
    let empty = |messages| vec![vec![]; messages];
    let enrol = Setting {
        name: "enrol",
        pattern: &IK,
        roles: ["band", "issuer"],
        hellos: None,
        prologue: Prologue::enrol(VERSIONS.band, VERSIONS.issuer).unwrap().as_bytes().to_vec(),
        psk: None,
        payloads: empty(2),
    };
    let payloads = vec![commitment.to_vec(), vec![], opening().to_vec()];
    vec![
        to_band("pair by code", &XX, 1, None, None, payloads),
        to_band("pair out of band", &XXPSK0, 2, None, psk("armring/1 oob psk", &links::pairing_secret()), empty(3)),
        to_band("pair by press", &XX, 3, None, None, empty(3)),
        to_band("reconnect", &KKPSK0, 4, Some(links::hint()), psk("armring/1 psk", &link), empty(2)),
        to_band("resume", &NNPSK0, 5, Some(links::hint()), psk("armring/1 resume psk", &resume), empty(2)),
        enrol,
    ]
}

const VERSIONS: EnrolVersions = EnrolVersions { band: VersionRange::SUPPORTED, issuer: VersionRange::SUPPORTED };

/// Both sides of a handshake that has begun.
pub(crate) struct Run {
    states: [HandshakeState; 2],
    keys: [SoftwareKey; 2],
}

impl Run {
    pub(crate) fn new(setting: &Setting) -> Self {
        let [initiator, responder] = setting.roles;
        let state = |side, role: &str, other: &str, knows| {
            let keys = Keys {
                own: Some(&static_key(role) as &dyn DiffieHellman),
                peer: Some(static_key(other).public_key()).filter(|_| knows),
                psk: setting.psk.map(Psk::new),
                ephemeral: SoftwareKey::new(ephemeral_secret(setting.name, role)),
            };
            HandshakeState::new(setting.pattern, side, &setting.prologue, keys).unwrap()
        };
        let states = [
            state(Side::Initiator, initiator, responder, setting.pattern.responder_known),
            state(Side::Responder, responder, initiator, setting.pattern.initiator_known),
        ];
        Self { states, keys: setting.roles.map(static_key) }
    }

    /// Message `number`, as its writer writes it.
    pub(crate) fn write(self, number: usize, payload: &[u8]) -> (Self, Vec<u8>) {
        let Self { states: [initiator, responder], keys } = self;
        let writes = |state: HandshakeState, own: &SoftwareKey| {
            let mut message = vec![0; payload.len() + state.overhead()];
            (state.write(Some(own), payload, &mut message).unwrap(), message)
        };
        let (states, message) = if number.is_multiple_of(2) {
            let (initiator, message) = writes(initiator, &keys[0]);
            ([initiator, responder], message)
        } else {
            let (responder, message) = writes(responder, &keys[1]);
            ([initiator, responder], message)
        };
        (Self { states, keys }, message)
    }

    /// Message `number`, as its reader reads it: each kind of handshake has payloads of one length.
    pub(crate) fn read(self, number: usize, message: &[u8], payload_len: usize) -> Result<Self, armring_pairing::Error> {
        let Self { states: [initiator, responder], keys } = self;
        let reads = |state: HandshakeState, own: &SoftwareKey| {
            let mut payload = vec![0; payload_len];
            state.read(Some(own), message, &mut payload)
        };
        let states = if number.is_multiple_of(2) {
            [initiator, reads(responder, &keys[1])?]
        } else {
            [reads(initiator, &keys[0])?, responder]
        };
        Ok(Self { states, keys })
    }

    fn hash(&self) -> [u8; 32] {
        let [ours, theirs] = self.states.each_ref().map(|state| *state.hash().as_bytes());
        assert_eq!(ours, theirs, "both sides have said and heard the same");
        ours
    }

    fn finish(self) -> Split {
        let [initiator, responder] = self.states.map(|state| state.finish().unwrap());
        assert_eq!(initiator.resume.expose(), responder.resume.expose());
        initiator
    }
}

pub(crate) fn vectors() -> Value {
    let handshakes: Vec<_> = settings().iter().map(vector).collect();
    json!({
        "about": "Noise handshakes as each kind uses them. A psk is H(label, secret). The resume secret is the third output of the HKDF at \
                  Split. In a bad handshake, message `at` (counted from 0) comes in place of the one that is named there.",
        "handshakes": handshakes,
        "bad": settings().iter().flat_map(bad).collect::<Vec<_>>(),
    })
}

fn vector(setting: &Setting) -> Value {
    let mut run = Run::new(setting);
    let (mut messages, mut hashes) = (Vec::new(), Vec::new());
    for (number, payload) in setting.payloads.iter().enumerate() {
        let (after, message) = run.write(number, payload);
        run = after.read(number, &message, payload.len()).unwrap();
        hashes.push(run.hash());
        let from = setting.roles[number % 2];
        messages.push(json!({ "from": from, "payload": hex(payload), "message": hex(message), "hash": hex(run.hash()) }));
    }
    let split = run.finish();
    let secrets =
        |of: fn(&str, &str) -> [u8; 32]| setting.roles.map(|role| (role.to_owned(), hex(of(setting.name, role)).into()));
    let mut vector = json!({
        "name": setting.name,
        "protocol": setting.pattern.name,
        "prologue": hex(&setting.prologue),
        "static": serde_json::Map::from_iter(secrets(|_, role| *static_key(role).expose().first_chunk().unwrap())),
        "ephemeral": serde_json::Map::from_iter(secrets(ephemeral_secret)),
        "messages": messages,
        "handshake_hash": hex(split.hash.as_bytes()),
        "initiator_seals_with": hex(split.initiator.as_bytes()),
        "responder_seals_with": hex(split.responder.as_bytes()),
        "resume_secret": hex(split.resume.expose()),
    });
    if let Some([band, wallet]) = &setting.hellos {
        vector["band_hello"] = hex(band).into();
        vector["wallet_hello"] = hex(wallet).into();
    }
    if let Some(psk) = setting.psk {
        vector["psk"] = hex(psk).into();
    }
    if setting.name == "pair by code" {
        vector["code"] = code(&hashes[1]);
    }
    vector
}

/// What two people compare: `hash` is that after message 2.
fn code(hash: &[u8; 32]) -> Value {
    let wallet = static_key("wallet").public_key();
    let hash = labelled_hash("armring/1 sas", &[hash, wallet.as_bytes(), &opening()]);
    json!({ "hash": hex(hash), "digits": Code::new(hash).digits().to_string().replace(' ', "") })
}

/// Messages that end this handshake.
fn bad(setting: &Setting) -> Vec<Value> {
    let mut vectors = Vec::new();
    for at in 0..setting.payloads.len() {
        let good = reach(setting, at).1;
        // In a first message without a key there is nothing but the ephemeral key and bytes in the clear: that it was changed shows later.
        let sealed = at > 0 || setting.pattern.messages[0].len() > 1;
        let mut cases = vec![
            ("cut by a byte", good[..good.len() - 1].to_vec(), true),
            ("a byte too long", [&good[..], &[0]].concat(), true),
            ("the ephemeral key is all zeros, of small order", [&[0; 32], &good[32..]].concat(), at > 0),
            ("the ephemeral key is one, of small order", [&one(), &good[32..]].concat(), at > 0),
            ("the peer's own ephemeral key comes back", [&own_ephemeral(setting, at)[..], &good[32..]].concat(), true),
        ];
        let last = good.len() - 1;
        cases.push(("the last byte is changed", with(&good, last), sealed));
        cases.push(("the first byte is changed", with(&good, 0), sealed));
        for (name, message, ends) in cases {
            // Message 3 of XX has no ephemeral key.
            if !ends || (at == 2 && name.contains("ephemeral")) {
                continue;
            }
            let (run, _) = reach(setting, at);
            let error = run
                .read(at, &message, setting.payloads[at].len())
                .err()
                .unwrap_or_else(|| panic!("{} {at}: {name} was read", setting.name));
            vectors.push(json!({
                "handshake": setting.name, "at": at, "name": name, "message": hex(message), "error": format!("{error:?}")
            }));
        }
    }
    vectors
}

/// The handshake before message `at` is read, and that message.
fn reach(setting: &Setting, at: usize) -> (Run, Vec<u8>) {
    let mut run = Run::new(setting);
    for number in 0..at {
        let (after, message) = run.write(number, &setting.payloads[number]);
        run = after.read(number, &message, setting.payloads[number].len()).unwrap();
    }
    run.write(at, &setting.payloads[at])
}

fn own_ephemeral(setting: &Setting, at: usize) -> [u8; 32] {
    let reader = setting.roles[(at + 1) % 2];
    *SoftwareKey::new(ephemeral_secret(setting.name, reader)).public_key().as_bytes()
}

fn one() -> [u8; 32] {
    let mut one = [0; 32];
    one[0] = 1;
    one
}

fn with(message: &[u8], at: usize) -> Vec<u8> {
    let mut message = message.to_vec();
    message[at] ^= 1;
    message
}
