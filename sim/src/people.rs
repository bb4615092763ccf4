//! People and what they want: to pair, to enrol, to pay, to be paid; and what they do until they have it.

use armring_band::{Event as BandEvent, Face, Gesture};
use armring_payee::Sale;
use armring_wallet::{Collection, Connection, Offer, Payment};
use armring_wire::records::band::ToBand;
use armring_wire::records::issuer::FromIssuer;
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{CredentialId, Opaque, PayeeRef, decode_record};

use crate::cast::{Collecting, Errand, LIMITS, Paying, unix, yuan};
use crate::dice::Dice;
use crate::fault::Flow;
use crate::happening::{Act, Happening, Letter, Node};
use crate::net::encoded;
use crate::phone::Said;
use crate::queue::Time;
use crate::record::{Broken, Held, Invariant, holds};
use crate::rule::Rule;
use crate::world::World;

/// How long people wait before they try again, in milliseconds.
const PATIENCE: Time = 4_000;
/// Pairing, then enrolling.
const PREPARATIONS: u32 = 2;

impl World {
    /// In the middle of what somebody is.
    pub(crate) fn flow(&self, person: usize) -> Flow {
        match &self.people[person].errand {
            Errand::Pair => Flow::Pair,
            Errand::Enrol { .. } => Flow::Enrol,
            Errand::Collect(_) => Flow::Receive,
            Errand::Pay(_) | Errand::Rest => Flow::Pay,
        }
    }

    /// Whom somebody wants to pay now, and how much.
    pub(crate) fn wants(&self, person: usize) -> Option<([u8; 9], u64)> {
        match &self.people[person].errand {
            Errand::Pay(paying) => Some(paying.wants),
            _ => None,
        }
    }

    /// Somebody looks again soon, and no later.
    pub(crate) fn looks_soon(&mut self, person: usize, milliseconds: Time) {
        self.people[person].turn += 1;
        let turn = self.people[person].turn;
        self.after(milliseconds, Happening::Look { person, turn });
    }

    /// Nothing has come for a while.
    pub(crate) fn looks_again(&mut self, person: usize, turn: u32) -> Held {
        if self.people[person].turn != turn {
            return Ok(());
        }
        let phone = &self.people[person].phone;
        if phone.line.is_some() && (phone.waits || !phone.is_linked()) {
            self.phone_hangs_up(person);
        }
        self.again(person);
        self.goes_on(person)
    }

    /// Does the next thing for what somebody wants.
    pub(crate) fn goes_on(&mut self, person: usize) -> Held {
        if self.people[person].is_done {
            return Ok(());
        }
        self.looks_soon(person, PATIENCE);
        match &self.people[person].errand {
            Errand::Rest => self.begins(person),
            Errand::Pair => self.pairs(person),
            Errand::Enrol { .. } => self.enrols(person),
            Errand::Pay(_) | Errand::Collect(_) => self.pays(person),
        }
    }

    /// The next errand.
    fn begins(&mut self, person: usize) -> Held {
        let done = self.faults.errand(person);
        let most = self.setup.errands + PREPARATIONS;
        if done >= most && !self.is_calm() {
            return Ok(());
        }
        let kept = self.faults.next_errand(person);
        let number = self.faults.errand(person);
        if kept.is_some() {
            self.begun.push((u32::try_from(person).unwrap_or(u32::MAX), number));
        }
        let is_thief = self.people[person].is_thief;
        self.operator_does(person, number);
        let is_known = number <= 5 || self.confirms(person)?;
        let errand = match number {
            1 if !is_thief => Some(Errand::Pair),
            _ if !is_known => Some(Errand::Enrol { session: self.session(person) }),
            2 if !is_thief => Some(Errand::Enrol { session: self.session(person) }),
            _ if kept.is_none() => None,
            _ => self.wishes(person, number),
        };
        match errand {
            Some(errand) => self.people[person].errand = errand,
            None => return Ok(()),
        }
        self.people[person].phone.kept.payment = None;
        let wearer = &self.wrists[self.people[person].wrist].wearer;
        if !wearer.is_on || wearer.unlocked < 2 {
            let wrist = self.people[person].wrist;
            self.wearer_acts(wrist, Act::PutOn)?;
            self.wearer_acts(wrist, Act::Unlock)?;
        }
        self.goes_on(person)
    }

    /// A number that no other enrolment has.
    fn session(&self, person: usize) -> u64 {
        1 << 40 | self.now() << 8 | person as u64
    }

    /// What somebody wants next.
    fn wishes(&mut self, person: usize, number: u32) -> Option<Errand> {
        let mut dice = Dice::named(&[self.setup.seed, 0xe44a, person as u64, u64::from(number)]);
        let (since, is_thief) = (self.now(), self.people[person].is_thief);
        if let (Some((till, sale)), false) = (self.people[person].owes.pop_front(), self.is_calm()) {
            let asked = self.tills[till].sales.get(&sale).map(|sale| (self.tills[till].reference, sale.amount().minor()));
            if let Some(wants) = asked.filter(|(_, amount)| *amount <= LIMITS.each) {
                return Some(Errand::Pay(Box::new(Paying { till, sale, wants, payment: None, since })));
            }
        }
        let sale = u64::from(number) << 16 | person as u64;
        if !is_thief && !self.is_calm() && dice.chance(200) {
            let amount = dice.between(LIMITS.free, LIMITS.press);
            self.private.looks_for(&amount.to_le_bytes());
            let collection = Collection::new(yuan(amount), unix(since + 3_600_000), "for the tea")?;
            return Some(Errand::Collect(Box::new(Collecting { collection, sale, since })));
        }
        let amount = match dice.below(20) {
            _ if self.is_calm() => dice.between(1 << 33, 1 << 34),
            _ if person % 6 == 4 && !dice.chance(50) => dice.between(1 << 36, 1 << 37),
            0..6 => dice.between(1 << 36, LIMITS.free),
            6..16 => dice.between(LIMITS.free, LIMITS.press),
            _ => dice.between(LIMITS.press, LIMITS.each),
        };
        let forges = is_thief && !self.is_calm() && (number < 5 || dice.chance(200));
        let amount = if forges { dice.between(1 << 38, LIMITS.each * 2) } else { amount };
        let till = dice.index(self.setup.shops);
        let seconds = if dice.chance(120) && !self.is_calm() { 12 } else { 7_200 };
        self.new_sale(till, sale, amount, seconds);
        if forges {
            self.forges(person, till, sale, &mut dice);
            return None;
        }
        let wants = (self.tills[till].reference, amount);
        Some(Errand::Pay(Box::new(Paying { till, sale, wants, payment: None, since })))
    }

    fn pairs(&mut self, person: usize) -> Held {
        if self.people[person].phone.kept.link.is_some() {
            return self.is_over(person);
        }
        if self.people[person].phone.line.is_some() {
            return Ok(());
        }
        let (wrist, payload) = (self.people[person].wrist, self.payload(person));
        self.wrists[wrist].wearer.code = None;
        self.people[person].phone.code = None;
        self.wrists[wrist].wearer.is_holding = true;
        let held = self.band_hears_of(wrist, BandEvent::Gesture(Gesture::Hold));
        self.wrists[wrist].wearer.is_holding = false;
        held?;
        let connection = match self.wrists[wrist].band.label() {
            Some(label) if person.is_multiple_of(4) => Connection::pair_with_label(label, payload),
            _ => Connection::pair(payload),
        };
        self.phone_calls(person, connection)
    }

    /// Both codes were shown: people compare them.
    pub(crate) fn people_compare(&mut self, person: usize) -> Held {
        let wrist = self.people[person].wrist;
        let codes = (self.wrists[wrist].wearer.code, self.people[person].phone.code);
        if codes.0.is_none() || codes.0 != codes.1 {
            return Ok(());
        }
        let phone = &mut self.people[person].phone;
        let Some((line, connection)) = &mut phone.line else { return Ok(()) };
        let _ = connection.accept_code(&mut self.rng);
        let line = *line;
        self.phone_does(person, line)?;
        self.after(50, Happening::Act { wrist, act: Act::Press });
        Ok(())
    }

    fn enrols(&mut self, person: usize) -> Held {
        if !self.people[person].phone.is_linked() {
            return self.phone_connects(person);
        }
        if self.people[person].phone.waits {
            return Ok(());
        }
        let now = self.now();
        let code = match self.people[person].code {
            Some((code, since)) if now < since + 500_000 => code,
            _ => {
                let account = self.people[person].account;
                let Ok(code) = self.bank.issuer.issue_code(account, unix(now), &mut self.rng) else { return Ok(()) };
                self.secret.looks_for(&code.0);
                self.people[person].code = Some((code, now));
                code
            }
        };
        let session = self.session(person);
        self.people[person].errand = Errand::Enrol { session };
        let key_list = self.bank.key_list.clone();
        self.phone_says(person, &ToBand::Cancel)?;
        let Some(key_list) = Opaque::new(&key_list) else { return Ok(()) };
        self.phone_says(person, &ToBand::Enrol { code, key_list })
    }

    /// The band has its credential, and the wearer saw digits.
    pub(crate) fn is_enrolled(&mut self, person: usize, object: Vec<u8>) -> Held {
        let id: [u8; 8] = object.get(67..75).and_then(|id| id.try_into().ok()).unwrap_or_default();
        let account = self.people[person].account;
        self.private.looks_for(&id);
        self.private.looks_for(&account.0);
        self.record.credentials.entry(id).or_default().account = account.0;
        self.people[person].credential = Some(id);
        let till = self.people[person].till;
        self.tills[till].reference = crate::till::reference(PayeeRef::Credential(CredentialId(id)));
        if self.phone_keeps(person, |kept| kept.credential = object) {
            // Some have not been to the issuer's page when they first pay.
            let may_wait = person.is_multiple_of(4) && person > 0 && self.faults.errand(person) < 5;
            if !may_wait && !self.confirms(person)? {
                // Another enrolment has come between: once more.
                self.looks_soon(person, 500);
                return Ok(());
            }
            return self.is_over(person);
        }
        Ok(())
    }

    /// The user compares the band's digits with those on the issuer's own page. Whether they are the same, or were before.
    pub(crate) fn confirms(&mut self, person: usize) -> Result<bool, Broken> {
        let (Some(id), false) = (self.people[person].credential, self.people[person].is_confirmed) else { return Ok(true) };
        let now = unix(self.now());
        let pending = self.bank.issuer.pending_confirmations(self.people[person].account).unwrap_or_default();
        let digits = self.wrists[self.people[person].wrist].wearer.digits;
        let page = pending.iter().find(|pending| pending.credential == CredentialId(id)).map(|pending| pending.digits.number());
        if page.is_none() || page != digits {
            return Ok(false);
        }
        let confirmed = self.bank.issuer.confirm(CredentialId(id), page.unwrap_or_default(), now);
        holds(confirmed.is_ok(), Invariant::Progress, || format!("{confirmed:?}"))?;
        self.people[person].is_confirmed = true;
        self.record.credentials.entry(id).or_default().is_active = true;
        Ok(true)
    }

    /// The next step of a payment or a collection.
    fn pays(&mut self, person: usize) -> Held {
        if self.gives_up(person) {
            return self.is_over(person);
        }
        match self.what_is_next(person) {
            Said::Asks => self.asks(person, encoded(&ToPayee::Ask)),
            Said::Payee(bytes) => self.asks(person, bytes),
            Said::Connects => self.phone_connects(person),
            Said::Band(bytes) => decode_record(&bytes).map_or(Ok(()), |record| self.phone_says(person, &record)),
            Said::Waits => Ok(()),
            Said::Over(outcome) => {
                self.people[person].last = Some(outcome);
                if let Errand::Pay(paying) = &self.people[person].errand
                    && let Some(payment) = &paying.payment
                {
                    self.receipt_stands(payment)?;
                }
                self.is_over(person)
            }
        }
    }

    /// Whether somebody does not wait any longer, for what may never come: money, a sale that somebody else pays, or the receipt of what the payee
    /// has taken without network.
    fn gives_up(&self, person: usize) -> bool {
        let now = self.now();
        match &self.people[person].errand {
            Errand::Collect(collecting) => collecting.has_waited(now),
            // Whoever pays first ends the sale, and it says no more, even to those who believe that it is pending.
            Errand::Pay(paying) if paying.till >= self.setup.shops => now > paying.since + 120_000,
            Errand::Pay(paying) if paying.payment.as_ref().is_some_and(Payment::is_pending) => {
                !self.is_calm() && person.is_multiple_of(2) && now > paying.since + 10_000
            }
            _ => false,
        }
    }

    fn asks(&mut self, person: usize, bytes: Vec<u8>) -> Held {
        let Errand::Pay(paying) = &self.people[person].errand else { return Ok(()) };
        let (to, about) = (Node::Till(paying.till), paying.sale);
        self.posts(Letter { from: Node::Person(person), to, about, owner: person, flow: Flow::Pay, bytes })
    }

    /// A payee or the issuer has said something to somebody's phone.
    pub(crate) fn person_hears(&mut self, person: usize, letter: &Letter) -> Held {
        if letter.from == Node::Bank {
            let Errand::Enrol { session } = self.people[person].errand else { return Ok(()) };
            return match decode_record(&letter.bytes) {
                Ok(FromIssuer::Enrol(message)) if letter.about == session => {
                    self.phone_says(person, &ToBand::FromIssuer(message))
                }
                _ => Ok(()),
            };
        }
        let now = unix(self.now());
        let (root, keys) = (self.bank.root, &self.bank.keys);
        let sloppy = self.omits(Rule::WalletVerifies);
        let Errand::Pay(paying) = &mut self.people[person].errand else { return Ok(()) };
        if let Some(payment) = &mut paying.payment {
            if letter.about != paying.sale || payment.payee_says(&letter.bytes, &root, keys).is_err() {
                return Ok(());
            }
            let bytes = payment.to_bytes();
            return if self.phone_keeps(person, |kept| kept.payment = Some(bytes)) { self.goes_on(person) } else { Ok(()) };
        }
        let offer = match decode_record(&letter.bytes) {
            Ok(FromPayee::Request { request, certificate }) => {
                Offer::verify(request.as_bytes(), certificate.as_bytes(), &root, keys, now)
            }
            Ok(FromPayee::Person { request, credential }) => {
                Offer::verify_person(request.as_bytes(), credential.as_bytes(), &root, keys, now)
            }
            _ => return Ok(()),
        };
        let expired = matches!(offer, Err(armring_wallet::OfferError::Expired));
        let Ok(offer) = offer else { return if expired { self.is_over(person) } else { Ok(()) } };
        // The wallet shows who asks, and how much; the person knows what they want.
        let shown = (crate::till::reference(offer.payee()), offer.amount().minor());
        if shown != paying.wants && !sloppy {
            return Ok(());
        }
        let credential = self.people[person].phone.kept.credential.clone();
        let payment = Payment::new(offer, &credential);
        let bytes = payment.to_bytes();
        if let Errand::Pay(paying) = &mut self.people[person].errand {
            paying.payment = Some(payment);
        }
        if self.phone_keeps(person, |kept| kept.payment = Some(bytes)) { self.goes_on(person) } else { Ok(()) }
    }

    /// The band signed what the wearer asks for: the sale is shown to somebody, or to two.
    pub(crate) fn has_request(&mut self, person: usize, request: &[u8]) -> Held {
        let Errand::Collect(collecting) = &mut self.people[person].errand else { return Ok(()) };
        if collecting.collection.requested(request).is_err() {
            return Ok(());
        }
        let (sale_number, bytes) = (collecting.sale, collecting.collection.to_bytes());
        if !self.phone_keeps(person, |kept| kept.collection = Some(bytes)) {
            return Ok(());
        }
        let (till, credential) = (self.people[person].till, self.people[person].phone.kept.credential.clone());
        let Ok(sale) = Sale::from_signed_request(request, &credential, &self.bank.root, &self.bank.keys) else { return Ok(()) };
        if self.tills[till].sales.contains_key(&sale_number) {
            return Ok(());
        }
        self.opens(till, sale_number, sale);
        let mut dice = Dice::named(&[self.setup.seed, 0x0e5, sale_number]);
        for _ in 0..3 {
            let payer = dice.index(self.setup.people);
            let owes = &mut self.people[payer].owes;
            // Some pay small amounts alone, one after another.
            if payer != person && payer % 6 != 4 && owes.len() < 4 && !owes.contains(&(till, sale_number)) {
                owes.push_back((till, sale_number));
            }
        }
        Ok(())
    }

    /// Somebody has what they wanted, or does not want it any more.
    pub(crate) fn is_over(&mut self, person: usize) -> Held {
        let errand = std::mem::replace(&mut self.people[person].errand, Errand::Rest);
        if let Errand::Pay(paying) = &errand {
            self.closes(paying.till, paying.sale)?;
        }
        if let (Some(calm), Errand::Pay(paying)) = (self.calm_since, &errand)
            && paying.since >= calm
        {
            return self.has_got_on(person);
        }
        let hangs_up = self.luck.chance(300) || !matches!(errand, Errand::Pay(_)) || self.shares_band(person);
        if hangs_up {
            self.phone_hangs_up(person);
            // Most of the time a resume is too late.
            if self.luck.chance(500) {
                self.people[person].phone.ticket = None;
            }
        }
        self.looks_soon(person, 200 + person as u64);
        Ok(())
    }

    fn shares_band(&self, person: usize) -> bool {
        let wrist = self.people[person].wrist;
        self.people.iter().filter(|other| other.wrist == wrist).count() > 1
    }

    /// What somebody has on their display.
    pub(crate) fn face_of(person: usize) -> Face {
        if person.is_multiple_of(3) { Face::Display } else { Face::Lights }
    }
}
