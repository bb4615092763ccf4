//! Key-compromise impersonation: who has stolen everything that a victim keeps still cannot pass for its peer *to the victim*. `patterns.rs`
//! has the same for each pattern, pairing's among them.

use armring_pairing::*;
use armring_wire::VersionRange;

use crate::common::*;

const SPEAKS: VersionRange = VersionRange::SUPPORTED;
const REFUSED: Option<Error> = Some(Error::Peer(PeerError::NotAuthentic));

/// Claims to be `peer`, with the victim's key: what the victim's and the peer's static keys have in common can be computed with either.
struct Thief {
    victim: SoftwareKey,
    peer: PublicKey,
}

impl DiffieHellman for Thief {
    fn public_key(&self) -> PublicKey {
        self.peer
    }

    fn diffie_hellman(&self, other: &PublicKey) -> Result<SharedSecret, DhError> {
        let is_victim = *other == self.victim.public_key();
        self.victim.diffie_hellman(if is_victim { &self.peer } else { other })
    }
}

fn thief(victim: &SoftwareKey, peer: &SoftwareKey) -> Thief {
    Thief { victim: SoftwareKey::new(*victim.expose()), peer: peer.public_key() }
}

/// The thief has the band's key and its link, and comes to the band as its wallet; and the same the other way round.
#[test]
fn a_stolen_static_key_impersonates_nobody_to_its_owner() {
    let mut rng = fixed();
    let keys = two(&mut rng);
    let (at_band, at_wallet) = keys.link(&mut rng);
    let hello = hello(&mut rng);

    let as_wallet = thief(&keys.band, &keys.wallet);
    let (false_wallet, wallet_hello, first) = <Reconnect>::start(&at_wallet, &as_wallet, SPEAKS, &hello, &mut rng).unwrap();
    let (unproven, second) =
        <Reconnect>::answer(&at_band, &keys.band, (&hello, &wallet_hello), &first, &mut rng).expect("message 1 can be forged");
    assert_eq!(false_wallet.receive(&second, &as_wallet).err(), REFUSED, "but it gets no channel");
    assert!(unproven.open(&mut [7; 48]).is_err(), "and proves nothing");

    let as_band = thief(&keys.wallet, &keys.band);
    let (wallet, wallet_hello, first) = <Reconnect>::start(&at_wallet, &keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
    let answer = <Reconnect>::answer(&at_band, &as_band, (&hello, &wallet_hello), &first, &mut rng);
    assert_eq!(answer.err(), REFUSED, "a false band cannot even read message 1, which is for the band's own key");
    drop(wallet);
}

#[test]
fn an_issuers_stolen_key_enrols_nobody_elses_band() {
    let mut rng = fixed();
    let keys = two(&mut rng);
    let versions = EnrolVersions { band: SPEAKS, issuer: SPEAKS };
    let (issuer, band) = (&keys.band, &keys.wallet);
    let as_band = thief(issuer, band);
    let (false_band, first) = <Enrol>::start(&as_band, &issuer.public_key(), versions, &mut rng).unwrap();
    let (_, claimed, second) = <Enrol>::answer(issuer, versions, &first, &mut rng).expect("message 1 can be forged");
    assert_eq!(claimed, band.public_key());
    assert_eq!(false_band.receive(&second, &as_band).err(), REFUSED, "but it gets no channel");
}
