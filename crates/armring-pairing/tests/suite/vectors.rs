//! Published vectors, message for message: `vectors/noise.json` names their source.

use armring_channel::{Aead, ChaChaPoly};
use armring_pairing::noise::{HandshakeState, IK, KKPSK0, Keys, NNPSK0, Pattern, Psk, Side, XX};
use armring_pairing::{DiffieHellman, PublicKey, SoftwareKey};
use serde_json::Value;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The field of that name, if the vector has it.
fn field(vector: &Value, name: &str) -> Option<Vec<u8>> {
    vector[name].as_str().map(hex)
}

fn field32(vector: &Value, name: &str) -> Option<[u8; 32]> {
    field(vector, name).map(|bytes| bytes.try_into().unwrap())
}

/// One side: its static key, and its handshake at the start.
fn side(vector: &Value, pattern: &'static Pattern, side: Side, prefix: &str) -> (Option<SoftwareKey>, HandshakeState) {
    let named = |name: &str| format!("{prefix}_{name}");
    let own = field32(vector, &named("static")).map(SoftwareKey::new);
    let psk = vector[named("psks")][0].as_str().map(|psk| Psk::new(hex(psk).try_into().unwrap()));
    let keys = Keys {
        own: own.as_ref().map(|own| own as &dyn DiffieHellman),
        peer: field32(vector, &named("remote_static")).map(PublicKey::new),
        psk,
        ephemeral: SoftwareKey::new(field32(vector, &named("ephemeral")).unwrap()),
    };
    let state = HandshakeState::new(pattern, side, &field(vector, &named("prologue")).unwrap(), keys).unwrap();
    (own, state)
}

fn replay(vector: &Value, pattern: &'static Pattern) {
    let (initiator_key, mut initiator) = side(vector, pattern, Side::Initiator, "init");
    let (responder_key, mut responder) = side(vector, pattern, Side::Responder, "resp");
    let initiator_key = initiator_key.as_ref().map(|key| key as &dyn DiffieHellman);
    let responder_key = responder_key.as_ref().map(|key| key as &dyn DiffieHellman);
    let messages: Vec<_> = vector["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| (field(message, "payload").unwrap(), field(message, "ciphertext").unwrap()))
        .collect();
    let (handshake, transport) = messages.split_at(pattern.messages.len());

    for (number, (payload, ciphertext)) in handshake.iter().enumerate() {
        let (mut sent, mut received) = (vec![0; ciphertext.len()], vec![0; payload.len()]);
        if number % 2 == 0 {
            initiator = initiator.write(initiator_key, payload, &mut sent).unwrap();
            responder = responder.read(responder_key, &sent, &mut received).unwrap();
        } else {
            responder = responder.write(responder_key, payload, &mut sent).unwrap();
            initiator = initiator.read(initiator_key, &sent, &mut received).unwrap();
        }
        assert_eq!((&sent, &received), (ciphertext, payload), "message {number}");
    }

    let (initiator, responder) = (initiator.finish().unwrap(), responder.finish().unwrap());
    assert_eq!(initiator.hash.as_bytes(), &field32(vector, "handshake_hash").unwrap());
    assert_eq!(initiator.hash, responder.hash);
    assert_eq!(initiator.resume.expose(), responder.resume.expose());
    for (at, (payload, ciphertext)) in transport.iter().enumerate() {
        // Writers go on taking turns; each direction counts for itself.
        let nonce = u64::try_from(at / 2).unwrap();
        let even = (handshake.len() + at) % 2 == 0;
        let (seals, opens) =
            if even { (&initiator.initiator, &responder.initiator) } else { (&responder.responder, &initiator.responder) };
        let mut text = payload.clone();
        let tag = ChaChaPoly::new(seals.clone()).seal(nonce, &[], &mut text);
        assert_eq!([text.as_slice(), &tag].concat(), *ciphertext, "transport message {at}");
        ChaChaPoly::new(opens.clone()).open(nonce, &[], &mut text, &tag).unwrap();
        assert_eq!(text, *payload);
    }
}

#[test]
fn the_published_vectors_are_reproduced() {
    let file: Value = serde_json::from_str(include_str!("../vectors/noise.json")).unwrap();
    let mut seen = Vec::new();
    for vector in file["vectors"].as_array().unwrap() {
        let name = vector["protocol_name"].as_str().unwrap();
        let pattern = [&XX, &KKPSK0, &IK, &NNPSK0].into_iter().find(|pattern| pattern.name == name).unwrap();
        replay(vector, pattern);
        seen.push(name);
    }
    seen.sort_unstable();
    assert_eq!(seen, [IK.name, KKPSK0.name, NNPSK0.name, XX.name]);
}
