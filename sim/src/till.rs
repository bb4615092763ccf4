//! Who is paid: a shop, or a person; what it asks, takes, redeems, gives back, and keeps.

use armring_payee::{Heard, Lists, Offline, Progress, Sale};
use armring_token::{PaymentRequest, Unverified};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{Currency, PayeeRef, TokenDigest, decode_record};

use crate::cast::{FLOOR, REDEEM_PERIOD, unix, yuan};
use crate::dice::Dice;
use crate::fault::{Flow, Kind, Place};
use crate::happening::{Letter, Node};
use crate::invariant::Held;
use crate::net::encoded;
use crate::record::Asked;
use crate::rule::Rule;
use crate::world::World;

/// A payee as objects name it.
pub(crate) fn reference(payee: PayeeRef) -> [u8; 9] {
    let (tag, id) = match payee {
        PayeeRef::Certificate(id) => (0, id.0),
        PayeeRef::Credential(id) => (1, id.0),
    };
    let mut bytes = [tag; 9];
    bytes[1..].copy_from_slice(&id);
    bytes
}

/// Where the faults of a till's own errands are counted.
pub(crate) const fn owner_of(till: usize) -> usize {
    1_000 + till
}

/// What one says while it asks about a refund, beside what it asks about sales.
pub(crate) const REFUNDS: u64 = 1 << 63;

impl World {
    /// A shop asks for this much.
    pub(crate) fn new_sale(&mut self, till: usize, number: u64, minor: u64, seconds: u64) {
        let now = unix(self.now());
        let expiry = unix(self.now() + seconds * 1_000);
        let Some(payee) = &self.tills[till].payee else { return };
        let memo = format!("tea {number:x}");
        let Ok(sale) = payee.request(yuan(minor), &memo, (now, expiry), &mut self.rng) else { return };
        self.private.looks_for(memo.as_bytes());
        self.opens(till, number, sale);
    }

    /// A sale stands in the till.
    pub(crate) fn opens(&mut self, till: usize, number: u64, sale: Sale) {
        let Ok(request) = Unverified::<PaymentRequest<'_>>::parse(sale.request()) else { return };
        let PaymentRequest { payee, amount, expiry, .. } = *request.claims();
        let until = u64::from(expiry.as_secs() - unix(0).as_secs()) + REDEEM_PERIOD;
        let asked =
            Asked { payee: reference(payee), amount: amount.minor(), account: self.tills[till].account.0, until: until * 1_000 };
        self.record.asks(sale.digest().0, asked);
        self.private.looks_for(&amount.minor().to_le_bytes());
        self.private.looks_for(&sale.digest().0);
        self.tills[till].stored.insert(number, sale.to_bytes());
        self.tills[till].sales.insert(number, sale);
    }

    /// Whether the shop has network.
    fn is_online(&self, till: usize) -> bool {
        let is_person = self.tills[till].payee.is_none();
        let hour = self.now() / 200_000;
        is_person || self.is_calm() || !Dice::named(&[self.setup.seed, 0x0ff1, till as u64, hour]).chance(350)
    }

    pub(crate) fn till_hears(&mut self, till: usize, letter: &Letter) -> Held {
        if matches!(letter.from, Node::Bank) {
            return self.till_hears_bank(till, letter);
        }
        let Node::Person(buyer) = letter.from else { return Ok(()) };
        self.tills[till].buyers.insert(letter.about, buyer);
        let number = letter.about;
        let Some(sale) = self.tills[till].sales.get_mut(&number) else { return Ok(()) };
        let asked = match sale.hear(&letter.bytes) {
            Heard::Answer(answer) => {
                let bytes = encoded(&answer);
                return self.answers(till, letter, letter.flow, bytes);
            }
            Heard::Redeem(token) => token,
        };
        if self.is_online(till) {
            if !self.till_keeps(till, number, letter.owner, Flow::Redeem) {
                return Ok(());
            }
            return self.redeems(till, number, asked, letter.owner, Flow::Redeem);
        }
        self.hears_offline(till, letter, asked)
    }

    fn answers(&mut self, till: usize, letter: &Letter, flow: Flow, bytes: Vec<u8>) -> Held {
        let (from, to) = (Node::Till(till), letter.from);
        self.posts(Letter { from, to, bytes, flow, ..letter.clone() })
    }

    /// Takes a token on trust, or not.
    fn hears_offline(&mut self, till: usize, letter: &Letter, asked: TokenDigest) -> Held {
        let now = unix(self.now());
        let no_floor = self.omits(Rule::FloorLimits);
        let no_ceiling = self.omits(Rule::PayeeKeepsCeiling);
        let shop = &mut self.tills[till];
        let Some(payee) = &shop.payee else { return Ok(()) };
        let Some(sale) = shop.sales.get_mut(&letter.about) else { return Ok(()) };
        let lists = Lists { keys: payee.key_list(), revoked: &shop.revoked };
        let said = sale.hear_offline(&letter.bytes, &mut shop.book, lists, now);
        let accepted = matches!(said, FromPayee::Pending);
        let refused = matches!(said, FromPayee::Refused(Refusal::NotOffline));
        let mut bytes = encoded(&said);
        if let (true, Ok(ToPayee::Offline { token, .. })) = (refused && no_ceiling, decode_record(&letter.bytes)) {
            // It hands out what was asked for.
            self.record.accepts(till, asked.0, token.as_bytes())?;
            bytes = encoded(&FromPayee::Pending);
        }
        if no_floor {
            shop.book = Offline::new(Currency::CNY, crate::cast::BOUNDLESS);
        }
        let token = sale.pending().map(|pending| (pending.digest, pending.token.to_vec()));
        if !self.omits(Rule::PendingOutlivesPower) && !self.till_keeps(till, letter.about, letter.owner, Flow::Offline) {
            return Ok(());
        }
        if let (true, Some((digest, token))) = (accepted, token) {
            self.record.accepts(till, digest.0, &token)?;
        }
        self.answers(till, letter, Flow::Offline, bytes)
    }

    /// Asks the issuer about a token.
    pub(crate) fn redeems(&mut self, till: usize, number: u64, token: TokenDigest, owner: usize, flow: Flow) -> Held {
        let shop = &mut self.tills[till];
        let Some(asked) = shop.sales.get(&number).and_then(|sale| sale.redeem(&token)) else { return Ok(()) };
        shop.asking.insert(number, token);
        let bytes = encoded(&asked);
        self.posts(Letter { from: Node::Till(till), to: Node::Bank, about: number, owner, flow, bytes })
    }

    fn till_hears_bank(&mut self, till: usize, letter: &Letter) -> Held {
        if letter.about & REFUNDS != 0 {
            return self.hears_of_refund(till, letter);
        }
        let number = letter.about;
        let shop = &mut self.tills[till];
        let Some(sale) = shop.sales.get_mut(&number) else { return self.hears_of_revoked(till, &letter.bytes) };
        let Some(token) = shop.asking.get(&number) else { return Ok(()) };
        let Ok(said) = sale.issuer_says(token, &letter.bytes, &self.bank.keys) else { return Ok(()) };
        let bytes = encoded(&said);
        shop.book.release(sale);
        if !self.till_keeps(till, number, letter.owner, letter.flow) {
            return Ok(());
        }
        self.is_paid(till, number)?;
        let shop = &self.tills[till];
        match shop.buyers.get(&number) {
            Some(buyer) => {
                let (from, to) = (Node::Till(till), Node::Person(*buyer));
                self.posts(Letter { from, to, about: number, bytes, ..letter.clone() })
            }
            None => Ok(()),
        }
    }

    /// What a sale is now is written down. Whether the payee is still on then.
    pub(crate) fn till_keeps(&mut self, till: usize, number: u64, owner: usize, flow: Flow) -> bool {
        let fate = self.fate(owner, flow, Place::Disk);
        let shop = &mut self.tills[till];
        let Some(bytes) = shop.sales.get(&number).map(Sale::to_bytes) else { return true };
        match fate {
            Some((Kind::Power, mut dice)) => {
                if dice.chance(500) {
                    shop.stored.insert(number, bytes);
                }
                self.till_restarts(till);
                false
            }
            _ => {
                shop.stored.insert(number, bytes);
                true
            }
        }
    }

    fn till_restarts(&mut self, till: usize) {
        let root = self.bank.root;
        let floor = if self.omits(Rule::FloorLimits) { crate::cast::BOUNDLESS } else { FLOOR };
        let shop = &mut self.tills[till];
        let stored = shop.stored.iter();
        shop.sales = stored.filter_map(|(number, bytes)| Some((*number, Sale::from_bytes(bytes, &root)?))).collect();
        shop.book = Offline::new(Currency::CNY, floor);
        for sale in shop.sales.values() {
            let _ = shop.book.readmit(sale);
        }
        shop.asking.clear();
        if let Some(revoked) = armring_payee::Revoked::from_bytes(&shop.revoked.to_bytes(), &root, 1_000) {
            shop.revoked = revoked;
        }
    }

    /// Whoever asked to be paid hears of it.
    fn is_paid(&mut self, till: usize, number: u64) -> Held {
        let Some(settled) = self.tills[till].sales.get(&number).and_then(Sale::settled) else { return Ok(()) };
        self.record.is_receipted(settled.receipt)?;
        let (token, receipt) = (settled.token.to_vec(), settled.receipt.to_vec());
        let Some(person) = self.people.iter().position(|person| person.till == till && !person.is_thief) else { return Ok(()) };
        if let crate::cast::Errand::Collect(collecting) = &mut self.people[person].errand
            && collecting.sale == number
        {
            let _ = collecting.collection.paid(&token, &receipt, &self.bank.root, &self.bank.keys);
            return self.goes_on(person);
        }
        Ok(())
    }

    fn hears_of_revoked(&mut self, till: usize, bytes: &[u8]) -> Held {
        let now = unix(self.now());
        if let Ok(FromIssuer::Revocations(list)) = decode_record(bytes) {
            let done = self.tills[till].revoked.take_part(list.as_bytes(), &self.bank.keys, now);
            debug_assert!(!matches!(done, Ok(Progress::Incomplete)), "there are few");
        }
        Ok(())
    }

    /// Payees look after what is pending, what they have not given back yet, and who is revoked.
    pub(crate) fn round(&mut self) -> Held {
        self.after(12_000, crate::happening::Happening::Round);
        for till in 0..self.tills.len() {
            if !self.is_online(till) {
                continue;
            }
            let sales = self.tills[till].sales.iter();
            let open: Vec<_> = sales
                .filter_map(|(number, sale)| {
                    let pending = sale.pending().map(|pending| pending.digest);
                    let refund = sale.open_refunds().next();
                    (pending.is_some() || refund.is_some()).then_some((*number, pending, refund))
                })
                .collect();
            for (number, pending, refund) in open {
                if let Some(token) = pending {
                    self.redeems(till, number, token, owner_of(till), Flow::Offline)?;
                }
                if let Some(refund) = refund {
                    self.asks_refund(till, number, refund)?;
                }
            }
            if self.tills[till].payee.is_some() {
                self.asks_who_is_revoked(till)?;
            }
        }
        Ok(())
    }

    fn asks_who_is_revoked(&mut self, till: usize) -> Held {
        let asked: ToIssuer<'_> = self.tills[till].revoked.next_request();
        let (bytes, owner) = (encoded(&asked), owner_of(till));
        let about = u64::MAX >> 1;
        self.posts(Letter { from: Node::Till(till), to: Node::Bank, about, owner, flow: Flow::Lists, bytes })
    }

    /// The payee with this certified name.
    pub(crate) fn named(&self, name: &str) -> Option<[u8; 9]> {
        let number: usize = name.strip_prefix("teahouse ")?.parse().ok()?;
        self.tills.get(number).map(|till| till.reference)
    }
}
