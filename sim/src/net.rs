//! Everything that is not radio: records between phones, payees and the issuer, over a network that does with them what it likes.

use armring_issuer::{REPLY_MAX, Session};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::{CredentialId, Record, decode_record, encode};

use crate::cast::unix;
use crate::dice::Dice;
use crate::fault::{Flow, Kind, Place};
use crate::happening::{Happening, Letter, Node};
use crate::invariant::{Held, Invariant, holds};
use crate::objects::{SIGNATURE, Token};
use crate::rule::Rule;
use crate::world::World;

/// How many records those who listen remember of each kind.
const REMEMBERED: usize = 128;
/// For how long a connection that was cut carries nothing, in milliseconds.
const CUT: u64 = 3_000;

/// What was ever said to persons, payees and the issuer.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    said: [Vec<Vec<u8>>; 3],
    next: usize,
    /// Until when nothing gets through about this.
    cut: std::collections::BTreeMap<u64, u64>,
}

const fn kind(node: Node) -> usize {
    match node {
        Node::Person(_) => 0,
        Node::Till(_) => 1,
        Node::Bank => 2,
    }
}

impl Heard {
    /// What was said to people's phones.
    pub(crate) fn to_people(&self) -> &[Vec<u8>] {
        &self.said[0]
    }
}

/// A record, ready to be sent.
pub(crate) fn encoded<'a, T: Record<'a>>(record: &T) -> Vec<u8> {
    let mut buffer = vec![0; T::MAX_LEN];
    encode(record, &mut buffer).map(|bytes| bytes.to_vec()).unwrap_or_default()
}

impl World {
    pub(crate) fn posts(&mut self, letter: Letter) -> Held {
        holds(!self.secret.finds(&letter.bytes), Invariant::NoPlaintext, || format!("{letter:?}"))?;
        let now = self.now();
        if self.heard.cut.get(&letter.about).is_some_and(|until| now < *until) {
            return Ok(());
        }
        let fate = self.fate(letter.owner, letter.flow, Place::Net);
        let said = &mut self.heard.said[kind(letter.to)];
        self.heard.next += 1;
        if said.len() < REMEMBERED {
            said.push(letter.bytes.clone());
        } else {
            said[self.heard.next % REMEMBERED].clone_from(&letter.bytes);
        }
        match fate {
            None => self.delivers(letter, 0),
            Some((kind, mut dice)) => self.meddles(kind, &mut dice, letter),
        }
        Ok(())
    }

    fn delivers(&mut self, letter: Letter, late: u64) {
        let latency = self.luck.between(15, 90);
        self.after(latency + late, Happening::Letter(letter));
    }

    fn meddles(&mut self, fault: Kind, dice: &mut Dice, letter: Letter) {
        match fault {
            Kind::Duplicate => {
                self.delivers(letter.clone(), dice.below(3_000));
                self.delivers(letter, 0);
            }
            Kind::Reorder => self.delivers(letter, dice.between(500, 9_000)),
            Kind::Corrupt => {
                let mut changed = letter;
                for _ in 0..=dice.below(3) {
                    let place = dice.index(changed.bytes.len());
                    changed.bytes[place] ^= 1 << dice.below(8);
                }
                self.delivers(changed, 0);
            }
            Kind::Cut => {
                let until = self.now() + CUT;
                self.heard.cut.insert(letter.about, until);
            }
            Kind::Replay | Kind::Mix => {
                let said = &self.heard.said[kind(letter.to)];
                let bytes = said[dice.index(said.len())].clone();
                self.delivers(Letter { bytes, ..letter.clone() }, 0);
                if fault == Kind::Replay {
                    self.delivers(letter, 0);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn letter_comes(&mut self, letter: Letter) -> Held {
        match letter.to {
            Node::Bank => self.bank_answers(&letter),
            Node::Till(till) => self.till_hears(till, &letter),
            Node::Person(person) => self.person_hears(person, &letter),
        }
    }

    fn bank_answers(&mut self, letter: &Letter) -> Held {
        if self.fate(letter.owner, letter.flow, Place::Issuer).is_some() {
            self.bank.issuer.ledger().fails.set(true);
        }
        let now = unix(self.now());
        let mut out = vec![0; REPLY_MAX];
        let mut once = Session::new();
        let session = if letter.flow == Flow::Enrol { self.bank.sessions.entry(letter.about).or_default() } else { &mut once };
        let reply = self.bank.issuer.handle(session, &letter.bytes, now, &mut self.rng, &mut out).map(|it| it.record.to_vec());
        self.bank.issuer.ledger().fails.set(false);
        let Ok(bytes) = reply else { return Ok(()) };
        self.writes_down(&letter.bytes, &bytes)?;
        if self.omits(Rule::OnlyEvidenceFreezes) {
            self.freezes_on_garbage(&letter.bytes, &bytes);
        }
        self.posts(Letter { from: letter.to, to: letter.from, bytes, ..letter.clone() })
    }

    /// What does not verify is held against whoever it names.
    fn freezes_on_garbage(&mut self, asked: &[u8], said: &[u8]) {
        if let (Ok(ToIssuer::Redeem { token, .. }), Ok(FromIssuer::Refused(Refusal::Signature))) =
            (decode_record(asked), decode_record(said))
            && let Some(token) = token.as_bytes().get(SIGNATURE..).and_then(Token::read)
        {
            let _ = self.bank.issuer.freeze(CredentialId(token.credential), unix(self.now()));
        }
    }

    /// What the issuer said goes into the world's record.
    fn writes_down(&mut self, asked: &[u8], said: &[u8]) -> Held {
        let now = self.now();
        match (decode_record(asked), decode_record(said)) {
            (Ok(ToIssuer::Redeem { token, .. }), Ok(FromIssuer::Receipt(receipt))) => {
                self.record.answers(token.as_bytes(), receipt.as_bytes(), now)
            }
            (Ok(ToIssuer::Refund(refund)), Ok(FromIssuer::Refunded(receipt))) => {
                self.record.refunds(refund.as_bytes(), receipt.as_bytes())
            }
            _ => Ok(()),
        }
    }
}
