//! How the wallet pays: a [`Payment`] says what to do next, and is stored after everything that came of it.

use armring_loopback::money::show;
use armring_pairing::PairingLabel;
use armring_wallet::{Next, Offer, OfferError, Payment};
use armring_wire::records::band::Decline;
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::uri::PaymentUri;
use armring_wire::{Opaque, decode_record, encode};

use super::banding::what_helps;
use super::command::printable;
use super::view::payee;
use super::{Purpose, Task, Tone, Wallet};
use crate::book::Entry;

impl Wallet {
    /// Does what a URI says.
    pub(super) fn scanned(&mut self, uri: &str, at: Option<String>) {
        if let Ok(label) = PairingLabel::from_uri(uri) {
            return self.scanned_label(label, at);
        }
        let offer = match self.book.keys() {
            Ok(keys) => Offer::from_uri(uri, &self.book.root.fingerprint(), &keys, self.now),
            Err(error) => return self.say(Tone::Bad, &format!("{error}, and then what was scanned can be verified")),
        };
        match (offer, at) {
            (Ok(offer), Some(at)) => self.pay(offer, at),
            (Ok(offer), None) => {
                let (name, amount) = (printable(offer.name().unwrap_or("a wearer"), 40), show(offer.amount()));
                self.say(
                    Tone::Bad,
                    &format!("{name} asks for {amount}, and its code does not say where to pay: 'pay … at WHERE'"),
                );
            }
            (Err(error), _) => self.say(Tone::Bad, &format!("not to be paid: {error}{}", what_now(&error))),
        }
    }

    /// Asks the payee there what is to be paid.
    pub(super) fn ask_offer(&mut self, at: String) {
        match (self.book.keys(), encode(&ToPayee::Ask, &mut [0; 8])) {
            (Ok(_), Ok(record)) => self.ask(Purpose::Offer(at.clone()), at, record.to_vec()),
            (Err(error), _) => self.say(Tone::Bad, &error.to_string()),
            (_, Err(error)) => self.say(Tone::Bad, &error.to_string()),
        }
    }

    pub(super) fn offered(&mut self, at: String, answer: Result<Vec<u8>, String>) {
        let asked = answer.and_then(|answer| match decode_record(&answer) {
            Ok(FromPayee::Request { request, certificate }) => {
                uri(request.as_bytes(), certificate.as_bytes()).ok_or_else(too_long)
            }
            Ok(FromPayee::Person { request, credential }) => uri(request.as_bytes(), credential.as_bytes()).ok_or_else(too_long),
            Ok(FromPayee::Nothing) => Err("there is nothing to pay there".to_owned()),
            _ => Err("whoever is there is no payee".to_owned()),
        });
        match asked {
            Ok(uri) => self.scanned(&uri, Some(at)),
            Err(why) => self.say(Tone::Bad, &format!("{}. Say it again when the payee is ready", printable(&why, 200))),
        }
    }

    fn pay(&mut self, offer: Offer, at: String) {
        if self.book.open().is_some() {
            return self.say(Tone::Bad, "another payment is on its way: go on with 'again', or give it up with 'cancel'");
        }
        let payment = Payment::new(offer, self.book.credential().unwrap_or_default());
        let entry = Entry { payment, payee: at, token: Vec::new(), over: false };
        let offer = entry.payment.offer();
        let asks = format!("{} asks for {}, \"{}\"", payee(&entry), show(offer.amount()), printable(offer.memo(), 40));
        self.book.payments.push(entry);
        self.store();
        self.say(Tone::Plain, &asks);
        if !self.is_linked() {
            return self.say(Tone::Ask, "'connect' to the band: then it is asked");
        }
        self.go_on();
    }

    /// Goes on with the payment that is on its way.
    pub(super) fn pay_again(&mut self) {
        let Some(entry) = self.book.open_mut() else { return self.say(Tone::Bad, "no payment is on its way") };
        if self.task.is_none() && !self.asked.values().any(|purpose| *purpose == Purpose::Token) {
            entry.payment.again();
        }
        self.go_on();
    }

    /// Does what the payment says, as far as it goes now.
    pub(super) fn go_on(&mut self) {
        let busy = self.task.is_some() || self.asked.values().any(|purpose| *purpose == Purpose::Token);
        let linked = self.is_linked();
        let Some(entry) = self.book.open_mut().filter(|_| !busy) else { return };
        match entry.payment.poll() {
            Next::Wait => {}
            Next::Band(_) if !linked => entry.payment.again(),
            Next::Band(record) => {
                let task =
                    if matches!(record, armring_wire::records::band::ToBand::Paid { .. }) { Task::Paid } else { Task::Pay };
                let super::Call::Up { connection, .. } = &mut self.call else { return };
                match connection.say(&record) {
                    Ok(()) => {
                        self.task = Some(task);
                        self.flush();
                    }
                    Err(error) => self.say(Tone::Bad, &error.to_string()),
                }
            }
            Next::Payee(record) => {
                let (at, encoded) = (entry.payee.clone(), encode(&record, &mut [0; 1024]).map(|record| record.to_vec()));
                match encoded {
                    Ok(record) => self.ask(Purpose::Token, at, record),
                    Err(error) => self.say(Tone::Bad, &error.to_string()),
                }
            }
            Next::Done(_) => {
                entry.over = true;
                self.store();
            }
            Next::Ended(why) => {
                entry.over = true;
                self.store();
                self.say(Tone::Bad, &format!("nothing was paid: {why}{}", what_helps(why)));
            }
        }
    }

    pub(super) fn token_came(&mut self, token: &[u8]) {
        (self.task, self.awaited) = (None, None);
        let Some(entry) = self.book.open_mut() else { return };
        match entry.payment.token(token) {
            Ok(()) => {
                entry.token = token.to_vec();
                self.store();
                self.say(Tone::Good, "the band has signed");
                self.go_on();
            }
            Err(error) => self.say(Tone::Bad, &format!("the band signed something else: {error}. 'again' asks it once more")),
        }
    }

    pub(super) fn payment_declined(&mut self, why: Decline) {
        let Some(entry) = self.book.open_mut() else { return };
        entry.payment.declined(why);
        // A band that wants to be told who asks is told; what has ended says so itself.
        let asks_more = why == Decline::Unshown;
        let may_come = matches!(why, Decline::NotWorn | Decline::Locked | Decline::Busy | Decline::Machine);
        self.store();
        if may_come && !asks_more {
            self.say(Tone::Bad, &format!("the band declines: {why}{}", what_helps(why)));
        }
    }

    pub(super) fn payee_said(&mut self, answer: Result<Vec<u8>, String>) {
        let (root, keys) = (self.book.root.fingerprint(), self.book.keys());
        let (Some(entry), Ok(keys)) = (self.book.open_mut(), keys) else { return };
        let at = printable(&entry.payee, 40);
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => {
                let why = printable(&why, 200);
                return self.say(Tone::Bad, &format!("{why}. The token is kept: 'again' takes it to {at} once more"));
            }
        };
        if let Err(error) = entry.payment.payee_says(&answer, &root, &keys) {
            return self.say(Tone::Bad, &format!("the payee's answer is no good: {error}. 'again' asks once more"));
        }
        let (outcome, refused, pending) = (super::view::outcome(entry), entry.payment.refused(), entry.payment.is_pending());
        let amount = show(entry.payment.offer().amount());
        self.store();
        match outcome {
            Some(outcome) if outcome.is_settled() => self.say(Tone::Good, &format!("receipt: {amount}, {outcome}")),
            Some(outcome) => self.say(Tone::Bad, &format!("receipt: {amount}, {outcome}")),
            None if pending => {
                self.say(Tone::Plain, "pending: the payee took it without network. 'again' asks for the receipt later")
            }
            None => {}
        }
        if let Some(why) = refused.filter(|_| outcome.is_none()) {
            self.say(Tone::Bad, &format!("the payee did not take it: {why}. It may still: 'again' sends it once more"));
        }
        self.go_on();
    }

    /// The band has told its wearer of the receipt.
    pub(super) fn wrist_told(&mut self) {
        if let Some(entry) = self.book.open_mut() {
            entry.payment.noted();
            self.store();
        }
    }

    /// What the band has not signed is not asked for again.
    pub(super) fn give_up_payment(&mut self) {
        match self.book.open_mut() {
            None => self.say(Tone::Bad, "there is nothing to give up"),
            Some(entry) if !entry.token.is_empty() => {
                self.say(
                    Tone::Bad,
                    "the band has signed it: it may settle, and is kept until there is a receipt. 'again' asks for it",
                );
            }
            Some(entry) => {
                entry.over = true;
                self.store();
                self.say(Tone::Plain, "given up: nothing was paid");
            }
        }
    }
}

fn uri(request: &[u8], certificate: &[u8]) -> Option<String> {
    let (request, certificate) = (Opaque::new(request)?, Opaque::new(certificate)?);
    Some(PaymentUri { request, certificate }.encode(&mut [0; PaymentUri::MAX_LEN]).ok()?.to_owned())
}

fn too_long() -> String {
    "what the payee asks is too long".to_owned()
}

const fn what_now(error: &OfferError) -> &'static str {
    match error {
        OfferError::Uri(_) => ". Scan an armring:pay or armring:pair code",
        OfferError::Uncertified => ". Ask the payee itself: 'pay at WHERE'",
        OfferError::Expired => ". Ask the payee for a new one",
        OfferError::NotVerified(_) => ". If the issuer has new keys, 'keys' gets them",
        _ => "",
    }
}
