//! Generations: honest losses are never taken for somebody else's use, and somebody else's use is noticed. And the tags that a band
//! advertises.

use armring_pairing::Generations::{Agree, UsedElsewhere};
use armring_pairing::*;
use armring_wire::VersionRange;
use proptest::prelude::*;

use crate::common::*;

/// Proofs that the link at both ends was reconnected.
fn proofs(keys: &Two, at_band: &Link, at_wallet: &Link, rng: &mut ChaCha20Rng) -> (Reconnected, Reconnected) {
    let (hello, speaks) = (hello(rng), VersionRange::SUPPORTED);
    let (wallet, wallet_hello, first) = <Reconnect>::start(at_wallet, &keys.wallet, speaks, &hello, rng).unwrap();
    let (band, second) = <Reconnect>::answer(at_band, &keys.band, (&hello, &wallet_hello), &first, rng).unwrap();
    let (mut wallet, at_wallet) = wallet.receive(&second, &keys.wallet).unwrap();
    let at_band = band.open(&mut seal(&mut wallet.channel, b"x")).unwrap().proof;
    (at_wallet, at_band)
}

/// Attempts without an answer, as they are stored. The last byte of a link.
fn lost(link: &Link) -> u8 {
    link.to_bytes()[Link::LEN - 1]
}

/// A band and a wallet, and a thief with everything.
struct Three {
    keys: Two,
    at_band: Link,
    at_wallet: Link,
    rng: ChaCha20Rng,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    Nothing,
    FirstRecord,
    Answer,
}

impl Three {
    fn new() -> Self {
        let mut rng = fixed();
        let keys = two(&mut rng);
        let (at_band, at_wallet) = keys.link(&mut rng);
        Self { keys, at_band, at_wallet, rng }
    }

    fn proofs(&mut self) -> (Reconnected, Reconnected) {
        proofs(&self.keys, &self.at_band, &self.at_wallet, &mut self.rng)
    }

    /// A reconnect: what the wallet and the band find out of it, as far as it gets.
    fn reconnect(&mut self, lost: Lost) -> (Option<Generations>, Option<Generations>) {
        let (at_wallet, at_band) = self.proofs();
        self.at_wallet.promote(&at_wallet).unwrap();
        let (generation, said) = self.at_wallet.introduce();
        // What is stored before anything is sent is what comes back after a power cut.
        self.at_wallet = Link::from_bytes(&self.at_wallet.to_bytes()).unwrap();
        if lost == Lost::FirstRecord {
            return (None, None);
        }
        self.at_band.promote(&at_band).unwrap();
        let (answer, band_says) = self.at_band.introduced(generation, said);
        self.at_band = Link::from_bytes(&self.at_band.to_bytes()).unwrap();
        if lost == Lost::Answer {
            return (None, Some(band_says));
        }
        (Some(self.at_wallet.answered(answer)), Some(band_says))
    }

    /// Somebody with a copy of the wallet's end reconnects with the band, and says what it likes.
    fn thief_at_the_band(&mut self, generation: u32, lost: u8) -> Generations {
        let (_, proof) = self.proofs();
        self.at_band.promote(&proof).unwrap();
        self.at_band.introduced(generation, lost).1
    }

    /// Somebody with a copy of the band's end takes the wallet's reconnect, and answers what it likes.
    fn thief_at_the_wallet(&mut self, answer: u32) -> Generations {
        let (proof, _) = self.proofs();
        self.at_wallet.promote(&proof).unwrap();
        let _ = self.at_wallet.introduce();
        self.at_wallet.answered(answer)
    }
}

#[test]
fn both_ends_count_each_reconnect() {
    let mut three = Three::new();
    for generation in 0..5 {
        assert_eq!([three.at_band.generation(), three.at_wallet.generation()], [generation; 2]);
        assert_eq!(three.reconnect(Lost::Nothing), (Some(Agree), Some(Agree)));
        assert_eq!([lost(&three.at_band), lost(&three.at_wallet)], [0; 2]);
    }
    assert_eq!([three.at_band.state(), three.at_wallet.state()], [LinkState::Established; 2]);
}

#[test]
fn up_to_255_attempts_in_a_row_may_be_lost() {
    for losing in [Lost::FirstRecord, Lost::Answer] {
        let mut three = Three::new();
        for _ in 0..255 {
            assert_ne!(three.reconnect(losing).1, Some(UsedElsewhere), "{losing:?}");
        }
        assert_eq!(lost(&three.at_wallet), 255);
        assert_eq!(three.reconnect(Lost::Nothing), (Some(Agree), Some(Agree)), "{losing:?}");
        assert_eq!(three.at_wallet.generation(), three.at_band.generation());
    }
}

#[test]
fn a_copy_of_the_wallet_used_once_is_noticed_by_both() {
    for before in [0, 1, 7] {
        for (claim_more, claim_lost) in [(0, 0), (0, 255), (1, 0), (1_000, 3)] {
            let mut three = Three::new();
            for _ in 0..before {
                assert_eq!(three.reconnect(Lost::Nothing), (Some(Agree), Some(Agree)));
            }
            let claim = three.at_wallet.generation() + claim_more;
            assert_eq!(three.thief_at_the_band(claim, claim_lost), if claim_more == 0 { Agree } else { UsedElsewhere });
            assert_eq!(three.reconnect(Lost::Nothing), (Some(UsedElsewhere), Some(UsedElsewhere)));
            assert_eq!(three.reconnect(Lost::Nothing), (Some(Agree), Some(Agree)), "said once, and both agree again");
        }
    }
}

#[test]
fn a_copy_of_the_band_used_once_is_noticed_by_both() {
    for before in [0, 1, 7] {
        for answer_more in [0, 1, 1_000] {
            let mut three = Three::new();
            for _ in 0..before {
                assert_eq!(three.reconnect(Lost::Nothing), (Some(Agree), Some(Agree)));
            }
            let answer = three.at_band.generation() + answer_more;
            assert_eq!(three.thief_at_the_wallet(answer), if answer_more == 0 { Agree } else { UsedElsewhere });
            assert_eq!(three.reconnect(Lost::Nothing), (Some(UsedElsewhere), Some(UsedElsewhere)));
            assert_eq!(three.reconnect(Lost::Nothing), (Some(Agree), Some(Agree)));
        }
    }
}

#[test]
fn each_attempt_that_was_lost_can_hide_one_use_and_no_more() {
    for lost in [0, 1, 5] {
        let mut three = Three::new();
        for _ in 0..lost {
            three.reconnect(Lost::FirstRecord);
        }
        for _ in 0..lost {
            assert_eq!(three.thief_at_the_band(three.at_band.generation(), 0), Agree);
        }
        let (mut hidden, mut noticed) = (three, Three::new());
        assert_eq!(hidden.reconnect(Lost::Nothing), (Some(Agree), Some(Agree)), "{lost}");
        for _ in 0..lost {
            noticed.reconnect(Lost::FirstRecord);
        }
        for _ in 0..=lost {
            let _ = noticed.thief_at_the_band(noticed.at_band.generation(), 0);
        }
        assert_eq!(noticed.reconnect(Lost::Nothing), (Some(UsedElsewhere), Some(UsedElsewhere)), "{lost}");
    }
}

#[test]
fn a_band_set_back_to_an_older_copy_of_its_memory_is_noticed() {
    let mut three = Three::new();
    let before = three.at_band.to_bytes();
    assert_eq!(three.reconnect(Lost::Nothing), (Some(Agree), Some(Agree)));
    three.at_band = Link::from_bytes(&before).unwrap();
    assert_eq!(three.reconnect(Lost::Nothing), (Some(UsedElsewhere), Some(UsedElsewhere)));
}

#[test]
fn the_count_stops_at_its_end() {
    let mut three = Three::new();
    assert_eq!(three.thief_at_the_band(u32::MAX, 255), UsedElsewhere);
    assert_eq!(three.at_band.generation(), u32::MAX);
    assert_eq!(three.reconnect(Lost::Nothing), (Some(UsedElsewhere), Some(UsedElsewhere)));
    assert_eq!([three.at_band.generation(), three.at_wallet.generation()], [u32::MAX; 2]);
    assert_eq!(three.reconnect(Lost::Answer), (None, Some(Agree)));
    assert_eq!(three.reconnect(Lost::Nothing), (Some(Agree), Some(Agree)));
}

#[test]
fn a_proof_counts_only_for_its_own_link() {
    let mut three = Three::new();
    let (mut other_at_band, mut other_at_wallet) = three.keys.link(&mut three.rng);
    let (at_wallet, at_band) = three.proofs();
    let other = Some(CallerError::OtherLink.into());
    assert_eq!(other_at_wallet.promote(&at_wallet).err(), other);
    assert_eq!(other_at_band.promote(&at_band).err(), other);
    for link in [&other_at_band, &other_at_wallet] {
        assert_eq!((link.generation(), lost(link), link.state()), (0, 0, LinkState::Provisional));
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Reconnect(Lost),
    ThiefAtTheBand,
    ThiefAtTheWallet,
}

fn honest_steps() -> impl Strategy<Value = Step> {
    prop::sample::select(vec![Lost::Nothing, Lost::FirstRecord, Lost::Answer]).prop_map(Step::Reconnect)
}

proptest! {
    #![proptest_config(cases(32))]
    #[test]
    fn honest_losses_are_never_somebody_else(steps in prop::collection::vec(honest_steps(), 0..40)) {
        let mut three = Three::new();
        for step in steps {
            let Step::Reconnect(lost) = step else { unreachable!() };
            let (wallet, band) = three.reconnect(lost);
            prop_assert_ne!(wallet, Some(UsedElsewhere));
            prop_assert_ne!(band, Some(UsedElsewhere));
        }
    }

    #[test]
    fn a_use_by_somebody_else_is_noticed_when_no_attempt_was_lost(
        before in prop::collection::vec(honest_steps(), 0..20),
        uses in prop::collection::vec(prop::sample::select(vec![Step::ThiefAtTheBand, Step::ThiefAtTheWallet]), 1..5),
        says: u8,
    ) {
        let mut three = Three::new();
        for step in before {
            let Step::Reconnect(lost) = step else { unreachable!() };
            three.reconnect(lost);
        }
        prop_assert_eq!(three.reconnect(Lost::Nothing), (Some(Agree), Some(Agree)));
        let says = three.at_band.generation() + u32::from(says % 3);
        let mut noticed = false;
        let (mut at_band, mut at_wallet) = (0, 0);
        for step in uses {
            let found = match step {
                Step::ThiefAtTheBand => { at_band += 1; three.thief_at_the_band(says, 0) }
                _ => { at_wallet += 1; three.thief_at_the_wallet(says) }
            };
            noticed |= found == UsedElsewhere;
        }
        let apart = three.at_band.generation() != three.at_wallet.generation();
        let (wallet, band) = three.reconnect(Lost::Nothing);
        let at_the_end = wallet == Some(UsedElsewhere) && band == Some(UsedElsewhere);
        prop_assert_eq!(at_the_end, apart, "the ends differ, and both say so");
        // Who uses both ends as often, and says what is expected, has carried the link on in place of both.
        prop_assert!(noticed || at_the_end || at_band == at_wallet);
        prop_assert_eq!(three.reconnect(Lost::Nothing), (Some(Agree), Some(Agree)));
    }
}

#[test]
fn a_wallet_with_several_bands_knows_which_it_sees() {
    let mut rng = random();
    let links: Vec<_> = (0..5).map(|_| two(&mut rng).link(&mut rng)).collect();
    let at_wallets = || links.iter().map(|(_, at_wallet)| at_wallet);
    for (at_band, at_wallet) in &links {
        let tag = AdvertisingTag::draw(at_band, &mut rng).unwrap();
        assert!(tag.is_of(at_wallet));
        let found = find_advertiser(at_wallets(), &AdvertisingTag::new(*tag.as_bytes())).unwrap();
        assert_eq!(found.secret().expose(), at_wallet.secret().expose());
        assert_ne!(tag, AdvertisingTag::draw(at_band, &mut rng).unwrap(), "two tags of one band are not to be linked");
        for at in 0..AdvertisingTag::LEN {
            let mut bytes = *tag.as_bytes();
            bytes[at] ^= 1;
            assert!(find_advertiser(at_wallets(), &AdvertisingTag::new(bytes)).is_none(), "byte {at}");
        }
    }
    let (stranger, _) = two(&mut rng).link(&mut rng);
    assert!(find_advertiser(at_wallets(), &AdvertisingTag::draw(&stranger, &mut rng).unwrap()).is_none());
    assert_eq!(AdvertisingTag::draw(&stranger, &mut FailingRng(0)).err(), Some(MachineError::Randomness.into()));
}

#[test]
fn a_tag_is_no_hint_and_a_hint_no_tag() {
    let mut rng = fixed();
    let keys = two(&mut rng);
    let (at_band, at_wallet) = keys.link(&mut rng);
    let hello = hello(&mut rng);
    let (_, wallet_hello, _) = <Reconnect>::start(&at_wallet, &keys.wallet, VersionRange::SUPPORTED, &hello, &mut rng).unwrap();
    assert!(!AdvertisingTag::new(*wallet_hello.hint().unwrap().as_bytes()).is_of(&at_band));
    let tag = AdvertisingTag::draw(&at_band, &mut rng).unwrap();
    assert!(find_link([&at_band], hello.challenge(), &Hint::new(*tag.as_bytes())).is_none());
    let keys = [at_band.psk().expose(), at_band.hint_key().expose(), at_band.advertising_key().expose()].map(|key| *key);
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
}
