//! Resuming after a connection was lost: that it works, whatever was lost, and that each known attack ends it. The names say the attacks.

use armring_pairing::noise::{HandshakeState, Keys, NNPSK0, Side};
use armring_pairing::*;
use armring_wire::VersionRange;
use proptest::prelude::*;
use rand_chacha::rand_core::SeedableRng;

use crate::common::*;

const SPEAKS: VersionRange = VersionRange::SUPPORTED;
const REFUSED: Error = Error::Peer(PeerError::NotAuthentic);

/// What is lost of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    Nothing,
    Message1,
    Message2,
    FirstRecord,
}

/// A wallet and a band that are connected, or were.
struct Pair {
    keys: Two,
    at_band: Link,
    at_wallet: Link,
    ticket: ResumeTicket,
    resumption: Resumption,
}

impl Pair {
    fn reconnected(rng: &mut ChaCha20Rng) -> Self {
        let keys = two(rng);
        let (at_band, at_wallet) = keys.link(rng);
        let (ticket, resumption) = kinds::reconnect(&keys, &at_band, &at_wallet, rng);
        Self { keys, at_band, at_wallet, ticket, resumption }
    }

    fn start(&self, hello: &BandHello, rng: &mut ChaCha20Rng) -> (Resume, WalletHello, [u8; 48]) {
        Resume::start(&self.at_wallet, &self.ticket, SPEAKS, hello, rng).unwrap()
    }

    fn answer(
        &mut self,
        hellos: (&BandHello, &WalletHello),
        first: &[u8; 48],
        rng: &mut ChaCha20Rng,
    ) -> Result<(Unproven<RustCrypto, Resumed>, [u8; 48]), Error> {
        self.resumption.answer(&self.at_band, hellos, first, rng)
    }

    /// One attempt of the wallet's to resume.
    fn resume(&mut self, lost: Lost, rng: &mut ChaCha20Rng) -> Result<(), Error> {
        let hello = hello(rng);
        let (wallet, wallet_hello, first) = self.start(&hello, rng);
        assert_eq!(wallet_hello.kind(), Kind::Resume);
        if lost == Lost::Message1 {
            return Ok(());
        }
        let (band, second) = self.answer((&hello, &wallet_hello), &first, rng)?;
        if lost == Lost::Message2 {
            return Ok(());
        }
        let (mut wallet, next) = wallet.receive(&second)?;
        self.ticket = next.ticket(ResumeSecret::new(*wallet.resume.expose()));
        if lost == Lost::FirstRecord {
            return Ok(());
        }
        let mut record = seal(&mut wallet.channel, b"here I am again");
        let Proven { session: mut band, proof, .. } = band.open(&mut record).unwrap();
        assert_eq!(band.resume.expose(), wallet.resume.expose());
        self.resumption.confirm(&proof);
        assert!(speak(&mut wallet.channel, &mut band.channel));
        Ok(())
    }

    fn left(&self) -> u8 {
        self.ticket.left()
    }
}

#[test]
fn a_link_is_resumed_32_times_in_a_row_and_then_reconnected() {
    let mut rng = random();
    let mut pair = Pair::reconnected(&mut rng);
    for left in (1..=32).rev() {
        assert_eq!(pair.left(), left);
        pair.resume(Lost::Nothing, &mut rng).unwrap();
    }
    let hello = hello(&mut rng);
    let error = Resume::<RustCrypto>::start(&pair.at_wallet, &pair.ticket, SPEAKS, &hello, &mut rng).err();
    assert_eq!(error, Some(CallerError::NoResumesLeft.into()), "the wallet has nothing to go on with");
    assert_eq!(format!("{:?}", pair.resumption), "Resumption { confirmed: Some(ResumeTicket { left: 0, .. }), pending: None }");
    let (ticket, resumption) = kinds::reconnect(&pair.keys, &pair.at_band, &pair.at_wallet, &mut rng);
    (pair.ticket, pair.resumption) = (ticket, resumption);
    assert_eq!(pair.left(), 32);
    pair.resume(Lost::Nothing, &mut rng).unwrap();
}

#[test]
fn a_lost_message_changes_nothing_for_the_next_attempt() {
    let mut rng = random();
    for lost in [Lost::Message1, Lost::Message2, Lost::FirstRecord] {
        for in_a_row in 1..=5 {
            let mut pair = Pair::reconnected(&mut rng);
            for _ in 0..in_a_row {
                pair.resume(lost, &mut rng).unwrap();
            }
            assert_eq!(pair.left(), if lost == Lost::FirstRecord { 32 - in_a_row } else { 32 }, "{lost:?}");
            pair.resume(Lost::Nothing, &mut rng).unwrap();
            pair.resume(Lost::Nothing, &mut rng).unwrap();
        }
    }
}

#[test]
fn two_losses_one_after_the_other_change_nothing_for_the_next_attempt() {
    let mut rng = fixed();
    let all = [Lost::Nothing, Lost::Message1, Lost::Message2, Lost::FirstRecord];
    for (first, second) in all.into_iter().flat_map(|first| all.map(|second| (first, second))) {
        let mut pair = Pair::reconnected(&mut rng);
        for lost in [first, second, Lost::Nothing] {
            assert_eq!(pair.resume(lost, &mut rng), Ok(()), "{first:?}, {second:?}");
        }
    }
}

#[test]
fn the_last_resume_can_be_lost_too() {
    let mut rng = fixed();
    for lost in [Lost::Message1, Lost::Message2] {
        let mut pair = Pair::reconnected(&mut rng);
        for _ in 0..31 {
            pair.resume(Lost::Nothing, &mut rng).unwrap();
        }
        pair.resume(lost, &mut rng).unwrap();
        assert_eq!(pair.left(), 1);
        pair.resume(Lost::Nothing, &mut rng).unwrap();
        assert_eq!(pair.left(), 0);
    }
}

#[test]
fn replayed_resume_message_desynchronises_nothing() {
    let mut rng = random();
    let mut pair = Pair::reconnected(&mut rng);
    let mut overheard = Vec::new();
    for round in 0..8 {
        // Somebody hears each message 1 and repeats all of them, between any two connections, with its own hello and with that of the band.
        let hello = hello(&mut rng);
        let (_, wallet_hello, first) = pair.start(&hello, &mut rng);
        overheard.push((hello, wallet_hello, first));
        let lost = [Lost::Nothing, Lost::Message2, Lost::FirstRecord, Lost::Message1][round % 4];
        pair.resume(lost, &mut rng).unwrap();
        let now = crate::common::hello(&mut rng);
        for (_, wallet_hello, first) in &overheard {
            assert_eq!(pair.answer((&now, wallet_hello), first, &mut rng).err(), Some(REFUSED));
        }
    }
    pair.resume(Lost::Nothing, &mut rng).unwrap();
    // Even with the same challenge: after the connection that followed, the ticket in it is gone.
    for (hello, wallet_hello, first) in &overheard {
        assert_eq!(pair.answer((hello, wallet_hello), first, &mut rng).err(), Some(REFUSED));
    }
    pair.resume(Lost::Nothing, &mut rng).unwrap();
}

#[test]
fn who_repeats_message_1_on_the_same_connection_cannot_seal() {
    let mut rng = fixed();
    let mut pair = Pair::reconnected(&mut rng);
    let hello = hello(&mut rng);
    let (wallet, wallet_hello, first) = pair.start(&hello, &mut rng);
    let (_, second) = pair.answer((&hello, &wallet_hello), &first, &mut rng).unwrap();
    let (mut wallet, _) = wallet.receive(&second).unwrap();
    let mut record = seal(&mut wallet.channel, b"x");
    let (again, _) = pair.answer((&hello, &wallet_hello), &first, &mut rng).unwrap();
    assert!(again.open(&mut record).is_err(), "the band drew another key");
}

#[test]
fn stolen_link_record_does_not_resume() {
    let mut rng = fixed();
    let mut pair = Pair::reconnected(&mut rng);
    pair.resume(Lost::Nothing, &mut rng).unwrap();
    // The thief has all that the wallet stores, and makes a psk of each secret that can be had from it.
    let stolen = Link::from_bytes(&pair.at_wallet.to_bytes()).unwrap();
    for secret in [stolen.secret().expose(), stolen.psk().expose(), stolen.hint_key().expose(), stolen.advertising_key().expose()]
    {
        let hello = hello(&mut rng);
        let (_, wallet_hello, _) = pair.start(&hello, &mut rng);
        for psk in [*secret, labelled_hash("armring/1 resume psk", &[secret])] {
            let prologue = Prologue::opening(&hello, &wallet_hello).unwrap();
            let keys =
                Keys { own: None, peer: None, psk: Some(Psk::new(psk)), ephemeral: SoftwareKey::generate(&mut rng).unwrap() };
            let state = <HandshakeState>::new(&NNPSK0, Side::Initiator, prologue.as_bytes(), keys).unwrap();
            let mut first = [0; 48];
            state.write(None, &[], &mut first).unwrap();
            assert_eq!(pair.answer((&hello, &wallet_hello), &first, &mut rng).err(), Some(REFUSED));
        }
    }
    // Nor does it help to have static keys as well: a connection of the thief's own leaves a ticket that this band does not have.
    let (own, _) = kinds::reconnect(&pair.keys, &pair.at_band, &stolen, &mut rng);
    let hello = hello(&mut rng);
    let (_, wallet_hello, first) = Resume::<RustCrypto>::start(&stolen, &own, SPEAKS, &hello, &mut rng).unwrap();
    assert_eq!(pair.answer((&hello, &wallet_hello), &first, &mut rng).err(), Some(REFUSED));
    pair.resume(Lost::Nothing, &mut rng).unwrap();
}

#[test]
fn a_band_that_has_forgotten_refuses_and_reconnects() {
    let mut rng = fixed();
    let mut pair = Pair::reconnected(&mut rng);
    // Both were switched off, or one was; the band's next reconnect leaves another ticket.
    let (ticket, resumption) = kinds::reconnect(&pair.keys, &pair.at_band, &pair.at_wallet, &mut rng);
    pair.resumption = resumption;
    assert_eq!(pair.resume(Lost::Nothing, &mut rng), Err(REFUSED));
    pair.ticket = ticket;
    pair.resume(Lost::Nothing, &mut rng).unwrap();
}

#[test]
fn a_ticket_serves_only_its_own_link() {
    let mut rng = fixed();
    let mut pair = Pair::reconnected(&mut rng);
    let (other_at_band, other_at_wallet) = pair.keys.link(&mut rng);
    let hello = hello(&mut rng);
    let other = Some(CallerError::OtherLink.into());
    let error = Resume::<RustCrypto>::start(&other_at_wallet, &pair.ticket, SPEAKS, &hello, &mut rng).err();
    assert_eq!(error, other, "at the wallet");
    let (_, wallet_hello, first) = pair.start(&hello, &mut rng);
    let error = pair.resumption.answer::<RustCrypto>(&other_at_band, (&hello, &wallet_hello), &first, &mut rng).err();
    assert_eq!(error, other, "at the band");
    pair.resume(Lost::Nothing, &mut rng).unwrap();
}

#[test]
fn only_the_last_answer_can_be_confirmed() {
    let mut rng = fixed();
    let mut pair = Pair::reconnected(&mut rng);
    let mut answered = |pair: &mut Pair| {
        let hello = hello(&mut rng);
        let (wallet, wallet_hello, first) = pair.start(&hello, &mut rng);
        let (band, second) = pair.answer((&hello, &wallet_hello), &first, &mut rng).unwrap();
        let (mut wallet, next) = wallet.receive(&second).unwrap();
        let proof = band.open(&mut seal(&mut wallet.channel, b"x")).unwrap().proof;
        (proof, next.ticket(wallet.resume))
    };
    let (old, _) = answered(&mut pair);
    let (new, ticket) = answered(&mut pair);
    let before = format!("{:?}", pair.resumption);
    pair.resumption.confirm(&old);
    assert_eq!(format!("{:?}", pair.resumption), before);
    pair.resumption.confirm(&new);
    pair.ticket = ticket;
    pair.resume(Lost::Nothing, &mut rng).unwrap();
}

#[test]
fn a_message_that_does_not_verify_changes_nothing() {
    let mut rng = fixed();
    let mut pair = Pair::reconnected(&mut rng);
    pair.resume(Lost::FirstRecord, &mut rng).unwrap();
    let before = format!("{:?}", pair.resumption);
    let hello = hello(&mut rng);
    for at in 0..48 {
        let (_, wallet_hello, mut first) = pair.start(&hello, &mut rng);
        first[at] ^= 1;
        assert_eq!(pair.answer((&hello, &wallet_hello), &first, &mut rng).err(), Some(REFUSED));
    }
    let (_, wallet_hello, first) = pair.start(&hello, &mut rng);
    let failed = pair.resumption.answer::<RustCrypto>(&pair.at_band, (&hello, &wallet_hello), &first, &mut FailingRng(0)).err();
    assert_eq!(failed, Some(MachineError::Randomness.into()));
    assert_eq!(format!("{:?}", pair.resumption), before);
    pair.resume(Lost::Nothing, &mut rng).unwrap();
}

#[test]
fn debug_shows_how_many_are_left_and_no_secret() {
    let mut rng = fixed();
    let mut pair = Pair::reconnected(&mut rng);
    pair.resume(Lost::Message2, &mut rng).unwrap();
    assert_eq!(format!("{:?}", pair.ticket), "ResumeTicket { left: 32, .. }");
    assert_eq!(
        format!("{:?}", pair.resumption),
        "Resumption { confirmed: Some(ResumeTicket { left: 32, .. }), pending: Some(ResumeTicket { left: 31, .. }) }"
    );
}

proptest! {
    #![proptest_config(cases(64))]
    #[test]
    fn whatever_is_lost_the_next_attempt_succeeds_while_tickets_last(
        seed: u64,
        lost in prop::collection::vec(prop::sample::select(vec![Lost::Nothing, Lost::Message1, Lost::Message2, Lost::FirstRecord]), 0..60),
    ) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut pair = Pair::reconnected(&mut rng);
        for lost in lost {
            let left = pair.left();
            if left == 0 {
                break;
            }
            prop_assert_eq!(pair.resume(lost, &mut rng), Ok(()));
            let used = matches!(lost, Lost::Nothing | Lost::FirstRecord);
            prop_assert_eq!(pair.left(), left - u8::from(used));
        }
    }
}
