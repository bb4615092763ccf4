//! lakers: a responder's side of EDHOC (RFC 9528), both sides with static Diffie-Hellman keys, suite 2: P-256, AES-CCM, SHA-256.

#![no_std]
#![no_main]
#![allow(clippy::unwrap_used, reason = "a measuring program stops where it cannot measure")]

use armring_meter::{Meter, finish};
use armring_peers::{Draws, Side};
use cortex_m_rt::entry;
use lakers::{
    Credential, CredentialTransfer, EDHOCMethod, EDHOCSuite, EdhocInitiator, EdhocResponder, credential_check_or_fetch,
};
use lakers_crypto_rustcrypto::Crypto;

// The keys and credentials of lakers' own tests.
const INITIATOR: [u8; 32] = unhex("fb13adeb6518cee5f88417660841142e830a81fe334380a953406a1305e8706b");
const RESPONDER: [u8; 32] = unhex("72cc4761dbd4c78f758931aa589d348d1ef874a7e303ede2f140dcf3e6aa4aac");
const CREDENTIAL_I: [u8; 107] = unhex(concat!(
    "A2027734322D35302D33312D46462D45462D33372D33322D333908A101A5010202412B2001215820AC75E9ECE3E50BFC8ED60399889522405C47BF16DF",
    "96660A41298CB4307F7EB62258206E5DE611388A4B8A8211334AC7D37ECB52A387D257E6DB3C2A93DF21FF3AFFC8",
));
const CREDENTIAL_R: [u8; 84] = unhex(concat!(
    "A2026008A101A5010202410A2001215820BBC34960526EA4D32E940CAD2A234148DDC21791A12AFBCBAC93622046DD44F02258204519E257236B2A0CE2",
    "023F0931F1F386CA7AFDA64FCDE0108C224C51EABF6072",
));

#[entry]
fn main() -> ! {
    let meter = Meter::start();
    let (credential_i, credential_r) =
        (Credential::parse_ccs(&CREDENTIAL_I).unwrap(), Credential::parse_ccs(&CREDENTIAL_R).unwrap());
    let mut side = Side::default();

    let initiator = EdhocInitiator::new(Crypto::new(Draws::default()), EDHOCMethod::StatStat, EDHOCSuite::CipherSuite2);
    let (initiator, message_1) = initiator.prepare_message_1(None, &None).unwrap();

    let (own, crypto) = (credential_r, Crypto::new(Draws::default()));
    let (responder, message_2) = side
        .step(&meter, || {
            let responder = EdhocResponder::new(crypto, EDHOCMethod::StatStat, RESPONDER, own);
            let (responder, _, _) = responder.process_message_1(&message_1).unwrap();
            responder.prepare_message_2(CredentialTransfer::ByReference, None, &None).unwrap()
        })
        .unwrap();

    let (mut initiator, _, id, _) = initiator.parse_message_2(&message_2).unwrap();
    let known = credential_check_or_fetch(Some(credential_r), id).unwrap();
    initiator.set_identity(INITIATOR, credential_i).unwrap();
    let initiator = initiator.verify_message_2(known).unwrap();
    let (_, message_3, secret) = initiator.prepare_message_3(CredentialTransfer::ByReference, &None).unwrap();

    let verified = side
        .step(&meter, || {
            let (responder, id, _) = responder.parse_message_3(&message_3).unwrap();
            let known = credential_check_or_fetch(Some(credential_i), id).unwrap();
            let (_, secret) = responder.verify_message_3(known).unwrap();
            secret
        })
        .unwrap();
    assert!(verified == secret, "both sides have the same secret");
    side.report(&meter, "lakers EDHOC");
    finish()
}

/// The bytes that are written in hexadecimal.
#[expect(clippy::indexing_slicing, reason = "of constants: what is out of bounds does not compile")]
const fn unhex<const N: usize>(text: &str) -> [u8; N] {
    assert!(text.len() == 2 * N, "two digits a byte");
    let (mut bytes, mut at) = ([0; N], 0);
    while at < N {
        bytes[at] = digit(text.as_bytes()[2 * at]) << 4 | digit(text.as_bytes()[2 * at + 1]);
        at += 1;
    }
    bytes
}

const fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => byte - b'A' + 10,
    }
}
