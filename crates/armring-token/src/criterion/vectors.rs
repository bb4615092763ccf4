//! Published vectors, judged by the criterion.

extern crate std;

use std::vec::Vec;

use ed25519_dalek::SigningKey;
use signature::MultipartSigner;

use super::*;

/// Message, key, signature, and whether the criterion takes it: the 12 cases of Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs"
/// (2020), table 6c. The bytes are those of the authors' `cases.json` in novifinancial/ed25519-speccheck at d2b2ba58, which has three more
/// cases than the paper and no verdicts; these are what Algorithm 2 of the paper says.
pub(in crate::criterion) const TAMING: [(&str, &str, &str, bool); 12] = [
    // 0: A and R of small order, S = 0.
    (
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000",
        false,
    ),
    // 1: A of small order, R of mixed order.
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        false,
    ),
    // 2: A of mixed order, R of small order.
    (
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        true,
    ),
    // 3: A and R of mixed order, valid with the cofactor and without.
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        true,
    ),
    // 4: A and R of mixed order, valid with the cofactor alone.
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        true,
    ),
    // 5: valid with the cofactor unless k is reduced after it was multiplied by 8.
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        true,
    ),
    // 6: S above L.
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        false,
    ),
    // 7: S far above L.
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        false,
    ),
    // 8: R not canonical, its bytes hashed as they came.
    (
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
        false,
    ),
    // 9: R not canonical, encoded anew to be hashed.
    (
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
        false,
    ),
    // 10: A of small order and not canonical, its bytes hashed as they came.
    (
        "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        false,
    ),
    // 11: A of small order and not canonical, encoded anew to be hashed.
    (
        "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        false,
    ),
];

/// Secret key, public key, message and signature: RFC 8032 §7.1, tests 1, 2, 3 and SHA(abc).
const RFC8032: [[&str; 4]; 4] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

pub(in crate::criterion) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

pub(in crate::criterion) fn unhex_array<const N: usize>(text: &str) -> [u8; N] {
    unhex(text).try_into().unwrap()
}

#[test]
fn the_12_cases_of_taming_the_many_eddsas() {
    for (case, (message, key, signature, valid)) in TAMING.into_iter().enumerate() {
        let signature = Signature::from_bytes(&unhex_array(signature));
        assert_eq!(is_valid(&unhex_array(key), &[&unhex(message)], &signature), valid, "case {case}");
    }
}

/// Signs a message given in parts, as whatever holds the key does it.
fn sign<S: MultipartSigner<Signature>>(signer: &S, message: &[&[u8]]) -> Signature {
    signer.try_multipart_sign(message).unwrap()
}

#[test]
fn rfc_8032_signatures_are_made_and_taken_however_the_message_is_cut() {
    for (test, [secret, key, message, signature]) in RFC8032.into_iter().enumerate() {
        let (key, message) = (unhex_array(key), unhex(message));
        let signer = SigningKey::from_bytes(&unhex_array(secret));
        let signature = Signature::from_bytes(&unhex_array(signature));
        assert_eq!(signer.verifying_key().to_bytes(), key, "test {test}");
        for cut in 0..=message.len() {
            let (head, tail) = message.split_at(cut);
            assert_eq!(sign(&signer, &[head, &[], tail]), signature, "test {test}, cut at {cut}");
            assert!(is_valid(&key, &[head, tail], &signature), "test {test}, cut at {cut}");
            assert!(!is_valid(&key, &[head, tail, &[0]], &signature), "test {test}, a byte more");
        }
    }
}

/// With and without the feature `small-stack` it is one criterion, for keys of mixed order and wrong signatures too.
#[test]
fn both_ways_to_multiply_give_the_same_point() {
    let taming = TAMING.into_iter().map(|(message, key, signature, _)| (key, message, signature));
    let published =
        RFC8032.into_iter().flat_map(|[_, key, message, signature]| [(key, message, signature), (key, "00", signature)]);
    let mut compared = 0;
    for (key, message, signature) in taming.chain(published) {
        let signature = Signature::from_bytes(&unhex_array(signature));
        if let Some(equation) = Key::new(unhex_array(key)).and_then(|key| Equation::new(&key, &[&unhex(message)], &signature)) {
            assert_eq!(equation.at_once(), equation.in_turn(), "{key}, {message}");
            compared += 1;
        }
    }
    assert!(compared >= 10, "only {compared} have an equation");
}
