//! Reconnecting over a link: that it works, and that each known attack ends it. The names of the tests say the attacks.

use armring_channel::{FAILURES_UNTIL_CUT, OpenError, Opened};
use armring_pairing::*;
use armring_wire::{Version, VersionRange};

use crate::common::*;

const SPEAKS: VersionRange = VersionRange::SUPPORTED;

/// A band, a wallet and both ends of their link.
struct Linked {
    keys: Two,
    at_band: Link,
    at_wallet: Link,
}

fn linked(rng: &mut ChaCha20Rng) -> Linked {
    let keys = two(rng);
    let (at_band, at_wallet) = keys.link(rng);
    Linked { keys, at_band, at_wallet }
}

impl Linked {
    fn start(&self, hello: &BandHello, rng: &mut ChaCha20Rng) -> Result<(Reconnect, WalletHello, [u8; 48]), Error> {
        Reconnect::start(&self.at_wallet, &self.keys.wallet, SPEAKS, hello, rng)
    }

    fn answer(
        &self,
        hello: &BandHello,
        wallet_hello: &WalletHello,
        message: &[u8; 48],
        rng: &mut ChaCha20Rng,
    ) -> Result<(Unproven, [u8; 48]), Error> {
        Reconnect::answer(&self.at_band, &self.keys.band, (hello, wallet_hello), message, rng)
    }
}

#[test]
fn a_link_is_established_once_both_have_spoken_over_it() {
    let mut rng = random();
    for _ in 0..50 {
        let mut linked = linked(&mut rng);
        let hello = hello(&mut rng);
        let (wallet, wallet_hello, first) = linked.start(&hello, &mut rng).unwrap();
        assert_eq!(wallet_hello.kind(), Kind::Reconnect);
        let found = find_link([&linked.at_band], hello.challenge(), wallet_hello.hint().unwrap()).unwrap();
        assert_eq!(found.peer(), linked.at_band.peer());
        let (band, second) = linked.answer(&hello, &wallet_hello, &first, &mut rng).unwrap();
        let (mut wallet, wallet_proof) = wallet.receive(&second, &linked.keys.wallet).unwrap();
        linked.at_wallet.promote(&wallet_proof).unwrap();

        let mut record = seal(&mut wallet.channel, b"hello again");
        let Proven { session: mut band, proof, opened } = band.open(&mut record).unwrap();
        assert_eq!(opened, Opened::Record(b"hello again"));
        assert_eq!(linked.at_band.state(), LinkState::Provisional);
        linked.at_band.promote(&proof).unwrap();
        assert_eq!([linked.at_band.state(), linked.at_wallet.state()], [LinkState::Established; 2]);
        assert!(speak(&mut wallet.channel, &mut band.channel));
        assert_eq!(wallet.resume.expose(), band.resume.expose());
    }
}

#[test]
fn a_tampered_byte_of_any_message_ends_the_handshake() {
    let mut rng = fixed();
    let linked = linked(&mut rng);
    let hello = hello(&mut rng);
    let refused = Some(PeerError::NotAuthentic.into());
    for at in 0..48 {
        let (wallet, wallet_hello, mut first) = linked.start(&hello, &mut rng).unwrap();
        let (_, mut second) = linked.answer(&hello, &wallet_hello, &first, &mut rng).unwrap();
        first[at] ^= 1;
        second[at] ^= 1;
        assert_eq!(linked.answer(&hello, &wallet_hello, &first, &mut rng).err(), refused, "message 1, byte {at}");
        assert_eq!(wallet.receive(&second, &linked.keys.wallet).err(), refused, "message 2, byte {at}");
    }
    for at in 0..BandHello::LEN {
        let mut bytes = hello.to_bytes();
        bytes[at] ^= 1;
        match linked.start(&BandHello::from_bytes(&bytes), &mut rng) {
            Ok((_, wallet_hello, first)) => {
                assert_eq!(linked.answer(&hello, &wallet_hello, &first, &mut rng).err(), refused, "band hello, byte {at}");
            }
            Err(error) => assert_eq!(error, PeerError::Unsupported.into(), "band hello, byte {at}"),
        }
    }
    for at in 0..WalletHello::MAX_LEN {
        let (_, wallet_hello, first) = linked.start(&hello, &mut rng).unwrap();
        if let Ok(wallet_hello) = altered(&wallet_hello, at, |byte| byte ^ 1) {
            assert!(linked.answer(&hello, &wallet_hello, &first, &mut rng).is_err(), "wallet hello, byte {at}");
        }
    }
}

#[test]
fn version_rollback_ends_the_handshake() {
    let mut rng = fixed();
    let linked = linked(&mut rng);
    let hello = BandHello::new(range(1, 3), &mut rng).unwrap();
    let (_, wallet_hello, first) =
        <Reconnect>::start(&linked.at_wallet, &linked.keys.wallet, range(1, 2), &hello, &mut rng).unwrap();
    assert!(linked.answer(&hello, &wallet_hello, &first, &mut rng).is_ok());
    let rolled_back = altered(&wallet_hello, 2, |_| 1).unwrap();
    let refused = Some(PeerError::NotAuthentic.into());
    assert_eq!(linked.answer(&hello, &rolled_back, &first, &mut rng).err(), refused);
    let mut narrowed = hello.to_bytes();
    narrowed[17] = 1;
    let narrowed = BandHello::from_bytes(&narrowed);
    let (_, wallet_hello, first) =
        <Reconnect>::start(&linked.at_wallet, &linked.keys.wallet, range(1, 2), &narrowed, &mut rng).unwrap();
    assert_eq!(linked.answer(&hello, &wallet_hello, &first, &mut rng).err(), refused);
}

#[test]
fn a_link_refuses_versions_below_the_one_it_was_paired_with() {
    let mut rng = fixed();
    let keys = two(&mut rng);
    let link = Link::from_parts(
        keys.band.public_key(),
        LinkSecret::new([7; 32]),
        Version(2),
        Assurance::ComparedCode,
        LinkState::Established,
    );
    let mut start = |lowest, highest| {
        let hello = BandHello::new(range(lowest, highest), &mut rng).unwrap();
        <Reconnect>::start(&link, &keys.wallet, range(1, 3), &hello, &mut rng).err()
    };
    assert_eq!(start(1, 1), Some(PeerError::Unsupported.into()));
    assert_eq!(start(1, 2), None);
}

#[test]
fn a_hint_for_another_challenge_or_another_link_finds_nobody() {
    let mut rng = fixed();
    let (first, second, stranger) = (linked(&mut rng), linked(&mut rng), linked(&mut rng));
    let links = [&first.at_band, &second.at_band];
    let (now, before) = (hello(&mut rng), hello(&mut rng));
    let mut hint = |linked: &Linked, hello: &BandHello| *linked.start(hello, &mut rng).unwrap().1.hint().unwrap();

    let find = |hint: &Hint| find_link(links, now.challenge(), hint).map(Link::peer);
    assert_eq!(find(&hint(&first, &now)), Some(first.at_band.peer()));
    assert_eq!(find(&hint(&second, &now)), Some(second.at_band.peer()));
    assert_eq!(find(&hint(&first, &before)), None, "replayed from another connection");
    assert_eq!(find(&hint(&stranger, &now)), None, "a link of another band");
    assert_ne!(hint(&first, &now), hint(&first, &now), "two connections are not to be linked");
    for at in 0..Hint::LEN {
        let mut bytes = *hint(&first, &now).as_bytes();
        bytes[at] ^= 1;
        assert_eq!(find(&Hint::new(bytes)), None, "byte {at}");
    }
}

#[test]
fn kind_confusion_is_refused() {
    let mut rng = fixed();
    let linked = linked(&mut rng);
    let hello = hello(&mut rng);
    let (_, wallet_hello, first) = linked.start(&hello, &mut rng).unwrap();
    let resume = altered(&wallet_hello, 0, |_| Kind::Resume as u8).unwrap();
    assert_eq!(linked.answer(&hello, &resume, &first, &mut rng).err(), Some(PeerError::Kind.into()));
    assert_ne!(Prologue::opening(&hello, &resume), Prologue::opening(&hello, &wallet_hello));
}

#[test]
fn a_replayed_message_1_proves_nothing() {
    let mut rng = fixed();
    let linked = linked(&mut rng);
    let hello = hello(&mut rng);
    let (wallet, wallet_hello, first) = linked.start(&hello, &mut rng).unwrap();
    let (_, second) = linked.answer(&hello, &wallet_hello, &first, &mut rng).unwrap();
    let (mut wallet, _) = wallet.receive(&second, &linked.keys.wallet).unwrap();
    let mut old_record = seal(&mut wallet.channel, b"hello again");

    // On another connection the challenge is another; even if it were the same, who replays cannot seal.
    let other = crate::common::hello(&mut rng);
    assert_eq!(linked.answer(&other, &wallet_hello, &first, &mut rng).err(), Some(PeerError::NotAuthentic.into()));
    let (mut unproven, _) = linked.answer(&hello, &wallet_hello, &first, &mut rng).unwrap();
    for _ in 1..FAILURES_UNTIL_CUT {
        let failed = unproven.open(&mut old_record).unwrap_err();
        assert_eq!(failed.error, OpenError::NotAuthentic);
        unproven = failed.unproven;
    }
    assert_eq!(unproven.open(&mut old_record).unwrap_err().error, OpenError::Cut);
}

#[test]
fn a_record_that_does_not_verify_leaves_the_next_its_chance() {
    let mut rng = fixed();
    let linked = linked(&mut rng);
    let hello = hello(&mut rng);
    let (wallet, wallet_hello, first) = linked.start(&hello, &mut rng).unwrap();
    let (band, second) = linked.answer(&hello, &wallet_hello, &first, &mut rng).unwrap();
    let (mut wallet, _) = wallet.receive(&second, &linked.keys.wallet).unwrap();
    let band = band.open(&mut [0; 48]).unwrap_err().unproven;
    assert!(band.open(&mut seal(&mut wallet.channel, b"x")).is_ok());
}

#[test]
fn a_proof_promotes_only_its_own_link() {
    let mut rng = fixed();
    let linked = linked(&mut rng);
    let (mut other, _) = linked.keys.link(&mut rng);
    let hello = hello(&mut rng);
    let (wallet, wallet_hello, first) = linked.start(&hello, &mut rng).unwrap();
    let (_, second) = linked.answer(&hello, &wallet_hello, &first, &mut rng).unwrap();
    let (_, proof) = wallet.receive(&second, &linked.keys.wallet).unwrap();
    assert_eq!(other.promote(&proof), Err(CallerError::OtherLink.into()), "same keys, another secret");
    assert_eq!(other.state(), LinkState::Provisional);
}

#[test]
fn neither_the_secret_nor_the_key_alone_opens_a_link() {
    let mut rng = fixed();
    let linked = linked(&mut rng);
    let (thief, hello) = (two(&mut rng), hello(&mut rng));
    let refused = Some(PeerError::NotAuthentic.into());

    let (_, wallet_hello, first) = <Reconnect>::start(&linked.at_wallet, &thief.wallet, SPEAKS, &hello, &mut rng).unwrap();
    assert_eq!(linked.answer(&hello, &wallet_hello, &first, &mut rng).err(), refused, "the secret without the key");
    let (_, other_secret) = linked.keys.link(&mut rng);
    let (_, wallet_hello, first) = <Reconnect>::start(&other_secret, &linked.keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
    assert_eq!(linked.answer(&hello, &wallet_hello, &first, &mut rng).err(), refused, "the key without the secret");
}

#[test]
fn a_reflected_message_ends_the_handshake() {
    let mut rng = fixed();
    let linked = linked(&mut rng);
    let hello = hello(&mut rng);
    let (wallet, _, first) = linked.start(&hello, &mut rng).unwrap();
    assert_eq!(wallet.receive(&first, &linked.keys.wallet).err(), Some(PeerError::EchoedKey.into()));
    let (wallet, _, mut first) = linked.start(&hello, &mut rng).unwrap();
    first[31] |= 0x80;
    assert_eq!(wallet.receive(&first, &linked.keys.wallet).err(), Some(PeerError::EchoedKey.into()), "with bit 255");

    // A link whose peer has our own key: somebody paired us with ourselves.
    let own = Link::from_parts(
        PublicKey::new(with_high_bit(*linked.keys.wallet.public_key().as_bytes())),
        LinkSecret::new([7; 32]),
        Version(1),
        Assurance::ComparedCode,
        LinkState::Established,
    );
    let error = <Reconnect>::start(&own, &linked.keys.wallet, SPEAKS, &hello, &mut rng).err();
    assert_eq!(error, Some(PeerError::EchoedKey.into()));
}

#[test]
fn zero_keys_and_failing_machines_end_the_handshake() {
    let mut rng = fixed();
    let linked = linked(&mut rng);
    let hello = hello(&mut rng);
    let (wallet, wallet_hello, mut first) = linked.start(&hello, &mut rng).unwrap();
    for draws in 0..2 {
        let error = <Reconnect>::start(&linked.at_wallet, &linked.keys.wallet, SPEAKS, &hello, &mut FailingRng(draws)).err();
        assert_eq!(error, Some(MachineError::Randomness.into()));
    }
    let answer = |key: &dyn DiffieHellman, first: &[u8; 48], draws| {
        <Reconnect>::answer(&linked.at_band, key, (&hello, &wallet_hello), first, &mut FailingRng(draws)).err()
    };
    assert_eq!(answer(&linked.keys.band, &first, 0), Some(MachineError::Randomness.into()));
    let broken = ClaimedKey(linked.keys.band.public_key(), None);
    assert_eq!(answer(&broken, &first, 1), Some(MachineError::KeyUnavailable.into()));

    first[..32].fill(0);
    assert_eq!(answer(&linked.keys.band, &first, 1), Some(PeerError::ZeroSharedSecret.into()));
    assert_eq!(wallet.receive(&[0; 48], &linked.keys.wallet).err(), Some(PeerError::ZeroSharedSecret.into()));
}
