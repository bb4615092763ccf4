//! How somebody pays, and is paid: what their wallet does next, and what it hears.

use armring_payee::Sale;
use armring_wallet::{Offer, Payment};
use armring_wire::decode_record;
use armring_wire::records::band::ToBand;
use armring_wire::records::issuer::FromIssuer;
use armring_wire::records::payee::{FromPayee, ToPayee};

use crate::cast::{Errand, unix};
use crate::dice::Dice;
use crate::fault::Flow;
use crate::happening::{Letter, Node};
use crate::invariant::Held;
use crate::net::encoded;
use crate::phone::Said;
use crate::rule::Rule;
use crate::world::World;

impl World {
    /// The next step of a payment or a collection.
    pub(crate) fn pays(&mut self, person: usize) -> Held {
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
}
