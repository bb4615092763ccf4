//! The committed files against implementations that nobody here wrote: snow for the handshakes, ed25519-dalek for the signatures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

use std::fs;
use std::path::Path;

use armring_channel::{Aead, ChaChaPoly, Key};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

fn file(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    serde_json::from_str(&fs::read_to_string(path).expect(name)).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let hex = value.as_str().expect("a text");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// One side of a handshake of the file.
fn side(vector: &Value, role: &str, other: &str, initiator: bool) -> snow::HandshakeState {
    let protocol = vector["protocol"].as_str().unwrap();
    let (own, ephemeral) = (bytes(&vector["static"][role]), bytes(&vector["ephemeral"][role]));
    let (prologue, psk) = (bytes(&vector["prologue"]), vector.get("psk").map(bytes));
    let peer = bytes(&vector["static"][other]);
    let peer = x25519(&peer);
    let mut builder = snow::Builder::new(protocol.parse().unwrap())
        .local_private_key(&own)
        .unwrap()
        .prologue(&prologue)
        .unwrap()
        .fixed_ephemeral_key_for_testing_only(&ephemeral);
    if let Some(psk) = &psk {
        builder = builder.psk(0, psk.as_slice().try_into().unwrap()).unwrap();
    }
    let knows_peer = protocol.contains("_KK") || (protocol.contains("_IK") && initiator);
    if knows_peer {
        builder = builder.remote_public_key(&peer).unwrap();
    }
    if initiator { builder.build_initiator().unwrap() } else { builder.build_responder().unwrap() }
}

/// The public key of a private one, as snow computes it.
fn x25519(secret: &[u8]) -> Vec<u8> {
    use snow::resolvers::{CryptoResolver, DefaultResolver};
    let mut dh = DefaultResolver.resolve_dh(&snow::params::DHChoice::Curve25519).unwrap();
    dh.set(secret);
    dh.pubkey().to_vec()
}

#[test]
fn snow_writes_and_reads_the_same_messages() {
    let vectors = file("handshakes.json");
    let handshakes = vectors["handshakes"].as_array().unwrap();
    assert_eq!(handshakes.len(), 6);
    for vector in handshakes {
        let messages = vector["messages"].as_array().unwrap();
        let roles = [&messages[0]["from"], &messages[1]["from"]].map(|role| role.as_str().unwrap());
        let mut sides = [side(vector, roles[0], roles[1], true), side(vector, roles[1], roles[0], false)];
        let mut buffer = [0; 256];
        for (number, message) in messages.iter().enumerate() {
            let (payload, expected) = (bytes(&message["payload"]), bytes(&message["message"]));
            let len = sides[number % 2].write_message(&payload, &mut buffer).unwrap();
            assert_eq!(&buffer[..len], expected, "{} {number}", vector["name"]);
            let len = sides[(number + 1) % 2].read_message(&expected, &mut buffer).unwrap();
            assert_eq!(&buffer[..len], payload, "{} {number}", vector["name"]);
            assert_eq!(sides[0].get_handshake_hash(), bytes(&message["hash"]), "{} {number}", vector["name"]);
        }
        for (side, key) in sides.into_iter().zip(["initiator_seals_with", "responder_seals_with"]) {
            let len = side.into_transport_mode().unwrap().write_message(b"said", &mut buffer).unwrap();
            let (sealed, tag) = buffer[..len].split_last_chunk_mut().unwrap();
            let aead = ChaChaPoly::new(Key::new(bytes(&vector[key]).try_into().unwrap()));
            aead.open(0, &[], sealed, tag).expect("the key of the file opens what snow sealed");
            assert_eq!(sealed, b"said");
        }
    }
}

#[test]
fn dalek_takes_every_signature_over_what_is_said_to_be_signed() {
    let vectors = file("objects.json");
    let key = |name: &Value| {
        let public = bytes(&vectors["keys"][name.as_str().unwrap()]["public"]);
        VerifyingKey::from_bytes(public.as_slice().try_into().unwrap()).unwrap()
    };
    let objects = vectors["objects"].as_array().unwrap();
    assert_eq!(objects.len(), 9);
    for object in objects {
        let (signed, bytes) = (bytes(&object["signed"]), bytes(&object["object"]));
        assert!(signed.ends_with(&bytes[64..]), "{}", object["label"]);
        let signature = Signature::from_slice(&bytes[..64]).unwrap();
        key(&object["signed_by"]).verify_strict(&signed, &signature).expect("a valid signature");
    }
    let proof = &vectors["enrolment_proof"];
    let signature = Signature::from_slice(&bytes(&proof["proof"])).unwrap();
    let public = VerifyingKey::from_bytes(bytes(&proof["payment_key"]).as_slice().try_into().unwrap()).unwrap();
    public.verify_strict(&bytes(&proof["signed"]), &signature).expect("a valid proof");
}
