//! The wallet alone: no band, no terminal, no file.

use armring_pairing::PublicKey;
use armring_token::RootKey;
use armring_wire::AttPayload;

use super::*;
use crate::provider::OwnKey;

/// A key on the curve.
const ROOT: &str = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";

fn book() -> Book {
    let root = RootKey::from_bytes(crate::book::array(ROOT).expect("32 bytes")).expect("a key");
    Book::new(OwnKey::new([7; 32].into()).unwrap(), root, "127.0.0.1:1".to_owned())
}

/// A wallet whose bands stay where they are, and what it wants done so far.
struct Room {
    wallet: Wallet,
    effects: Vec<Effect>,
}

impl Room {
    fn new(book: Book, roams: bool) -> Self {
        Self { wallet: Wallet::new(book, roams), effects: Vec::new() }
    }

    fn happens(&mut self, input: Input) -> &mut Self {
        self.wallet.handle(input, UnixTime::from_secs(1_000));
        self.effects.clear();
        while let Some(effect) = self.wallet.poll() {
            self.effects.push(effect);
        }
        self
    }

    fn says(&mut self, line: &str) -> &mut Self {
        let command = Command::parse(line).expect(line).expect("a command");
        self.happens(Input::Said(command))
    }

    fn finds(&mut self, place: &str, tag: Option<[u8; 16]>) -> &mut Self {
        self.happens(Input::Found(Found { place: place.to_owned(), tag }))
    }

    /// What it told last.
    fn told(&self) -> String {
        let lines = self.effects.iter().filter_map(|effect| match effect {
            Effect::Say(line) => Some(line.text.as_str()),
            _ => None,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn dialed(&self) -> Option<&str> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Dial(_, place) => Some(place.as_str()),
            _ => None,
        })
    }
}

#[test]
fn nothing_is_done_without_a_band_and_each_command_says_what_to_do_first() {
    let enrol = format!("enrol {}", "00".repeat(16));
    for (line, told) in [
        ("connect", "no band is paired: hold the band's button, then 'pair'"),
        ("yes", "there is no code to compare"),
        ("no", "there is no code to compare"),
        ("unlock", "no band is connected: 'connect' first"),
        (&*enrol, "no band is connected: 'connect' first"),
        ("again", "no payment is on its way"),
        ("cancel", "there is nothing to give up"),
        ("pay at 127.0.0.1:1", "this phone has no key list of the issuer yet: 'keys' gets it"),
        ("receipts", "nothing was paid with this phone yet"),
        ("forget", "no band is paired"),
        ("disconnect", "no band is connected"),
        ("status", "no band is paired"),
    ] {
        let mut room = Room::new(book(), false);
        assert!(room.says(line).told().contains(told), "{line}: {}", room.told());
        assert!(room.effects.iter().all(|effect| matches!(effect, Effect::Say(_))), "{line}");
        assert!(room.wallet.is_idle(), "{line}");
    }
}

#[test]
fn a_band_is_called_by_its_number_or_its_place_and_the_first_that_is_found_else() {
    let mut room = Room::new(book(), false);
    room.says("find").finds("here", None).finds("there", None);
    assert!(room.told().contains("2  there  a band"), "{}", room.told());
    room.happens(Input::FindOver(Ok(())));
    assert_eq!(room.says("pair 2").dialed(), Some("there"));
    assert!(room.says("pair").told().contains("'disconnect' first"));
    let mut room = Room::new(book(), false);
    assert_eq!(room.says("pair 127.0.0.1:2").dialed(), Some("127.0.0.1:2"));
    let mut room = Room::new(book(), false);
    assert_eq!(room.says("pair").finds("near", Some([1; 16])).dialed(), Some("near"));
    assert_eq!(room.finds("too late", None).dialed(), None);
}

#[test]
fn a_search_that_finds_nothing_says_so_and_one_that_fails_says_why() {
    let mut room = Room::new(book(), false);
    assert!(room.says("pair").happens(Input::FindOver(Ok(()))).told().contains("no band is in reach"));
    assert!(room.says("find").happens(Input::FindOver(Err("no adapter".to_owned()))).told().contains("no adapter"));
    assert!(room.wallet.is_idle());
}

#[test]
fn a_band_that_roams_is_connected_by_its_tag_and_another_one_is_not() {
    let mut known = book();
    known.in_use = Some((PublicKey::new([9; 32]), "where it was".to_owned()));
    let mut room = Room::new(known, true);
    assert_eq!(room.says("connect").finds("another's", Some([1; 16])).dialed(), None);
    room.happens(Input::FindOver(Ok(())));
    assert!(room.told().contains("bands are in reach, but not the one in use"), "{}", room.told());
    // A tag that was lost on air is no proof that it is another one.
    room.says("connect").finds("silent", None);
    assert_eq!(room.happens(Input::FindOver(Ok(()))).dialed(), Some("silent"));
}

#[test]
fn what_is_told_of_an_earlier_connection_is_passed_over() {
    let mut room = Room::new(book(), false);
    room.says("pair here").happens(Input::Heard(1, Heard::Over(Some("refused".to_owned()))));
    assert!(room.told().contains("no band answers at here: refused"), "{}", room.told());
    room.says("pair there");
    for late in [Heard::Up(AttPayload::MIN), Heard::Fragment(vec![0; 20]), Heard::Over(None)] {
        assert!(room.happens(Input::Heard(1, late)).effects.is_empty());
    }
    room.happens(Input::Heard(2, Heard::Up(AttPayload::MIN)));
    assert_eq!(room.wallet.view().link, "shaking hands");
    room.happens(Input::Heard(2, Heard::Fragment(vec![0xFF; 20])));
    assert!(room.effects.iter().any(|effect| matches!(effect, Effect::HangUp)), "noise ends it");
    room.happens(Input::Answered(77, Ok(vec![1, 2, 3])));
    assert!(room.effects.is_empty(), "nobody was asked that");
}

#[test]
fn what_cannot_be_stored_stops_all_that_would_follow() {
    let mut room = Room::new(book(), false);
    room.says("pair here").happens(Input::Heard(1, Heard::Up(AttPayload::MIN)));
    room.wallet.effects.push_back(Effect::Transmit(vec![1]));
    room.happens(Input::NotStored("cannot write it: make room".to_owned()));
    assert!(room.told().contains("make room"));
    assert!(room.effects.iter().any(|effect| matches!(effect, Effect::HangUp)));
    assert!(!room.effects.iter().any(|effect| matches!(effect, Effect::Transmit(_))));
}

#[test]
fn what_was_begun_and_could_not_be_stored_can_be_begun_again() {
    let mut room = Room::new(book(), false);
    room.wallet.ask(Purpose::Token, "there".to_owned(), vec![1]);
    room.happens(Input::NotStored("make room".to_owned()));
    assert!(room.wallet.is_idle() && room.told() == "make room");
    room.wallet.dial("here".to_owned(), Goal::Paired);
    room.happens(Input::NotStored("make room".to_owned()));
    assert!(room.wallet.is_idle() && room.says("pair here").dialed() == Some("here"));
    // On its way to hang up, as after pairing.
    room.happens(Input::Heard(2, Heard::Up(AttPayload::MIN)));
    room.wallet.hang_up(Then::Nothing);
    room.happens(Input::NotStored("make room".to_owned()));
    assert!(room.effects.iter().any(|effect| matches!(effect, Effect::HangUp)));
}

#[test]
fn quitting_says_goodbye_first_and_is_not_waited_for_when_said_twice() {
    let mut room = Room::new(book(), false);
    assert!(room.says("quit").effects.iter().any(|effect| matches!(effect, Effect::Quit)));
    let mut room = Room::new(book(), false);
    room.says("pair here").happens(Input::Heard(1, Heard::Up(AttPayload::MIN)));
    room.says("quit");
    assert!(matches!(room.effects.as_slice(), [Effect::HangUp]), "{:?}", room.effects);
    assert!(matches!(room.says("quit").effects.as_slice(), [Effect::Quit]));
    assert!(matches!(room.happens(Input::Heard(1, Heard::Over(None))).effects.as_slice(), [Effect::Quit] | []));
}

#[test]
fn a_memory_comes_back_as_it_was_and_no_changed_bit_is_taken_for_it() {
    let mut known = book();
    known.in_use = Some((PublicKey::new([9; 32]), "127.0.0.1:2".to_owned()));
    known.keep_credential(PublicKey::new([9; 32]), vec![1, 2, 3]);
    let bytes = known.to_bytes().expect("bytes");
    let back = Book::from_bytes(&bytes).expect("the same");
    assert_eq!(back.to_bytes().expect("bytes"), bytes);
    assert_eq!(
        (back.key.expose(), back.in_use, back.credentials),
        (known.key.expose(), known.in_use.clone(), known.credentials.clone())
    );
    for place in 0..bytes.len() - 1 {
        let mut changed = bytes.to_vec();
        if let Some(byte) = changed.get_mut(place) {
            *byte ^= 1;
        }
        assert!(Book::from_bytes(&changed).is_err(), "{place}");
        assert!(Book::from_bytes(bytes.get(..place).unwrap_or_default()).is_err(), "{place}");
    }
    assert!(!format!("{known:?}").contains("0707"), "the key is not printed");
}
