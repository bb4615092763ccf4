//! What there is to be seen, whatever draws it.

use armring_loopback::money::show;
use armring_token::{Credential, PaymentToken, Receipt, Unverified};
use armring_wire::Outcome;
use armring_wire::records::Assurance;

use super::command::printable;
use super::{Call, Task, Wallet};
use crate::book::{Book, Entry};

/// All that is to be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// What the connection is doing.
    pub link: String,
    /// The band and what is known of it: what, and how it is.
    pub band: Vec<(&'static str, String)>,
    /// The code that the person compares.
    pub code: Option<String>,
    /// The payment that is on its way, or the last one: what, and how it is.
    pub payment: Vec<(&'static str, String)>,
    /// What the wearer is to do now.
    pub awaited: Option<String>,
    /// What was paid, the newest first.
    pub receipts: Vec<String>,
    /// What can be said now.
    pub hints: Vec<&'static str>,
}

impl Wallet {
    /// What there is to be seen.
    #[must_use]
    pub fn view(&self) -> View {
        View {
            link: self.link_state(),
            band: self.band_state(),
            code: self.code.as_ref().map(|code| code.digits.clone()),
            payment: self.book.payments.last().map(|entry| self.payment_state(entry)).unwrap_or_default(),
            awaited: self.awaited.clone(),
            receipts: receipts(&self.book),
            hints: self.hints(),
        }
    }

    fn link_state(&self) -> String {
        match &self.call {
            Call::None if self.finding.is_some() => "looking for bands".to_owned(),
            Call::None if self.book.in_use.is_some() => "not connected".to_owned(),
            Call::None => "no band is paired".to_owned(),
            Call::Dialing { place, .. } => format!("calling {}", printable(place, 40)),
            Call::Up { linked: true, .. } => "connected".to_owned(),
            Call::Up { .. } if self.code.is_some() => "pairing: compare the codes".to_owned(),
            Call::Up { .. } => "shaking hands".to_owned(),
            Call::Ending { .. } => "hanging up".to_owned(),
        }
    }

    fn band_state(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        let Some((band, place)) = &self.book.in_use else { return lines };
        let id: String = crate::book::hex(band.as_bytes()).chars().take(8).collect();
        lines.push(("band", format!("{id}… at {}", printable(place, 40))));
        if let Some(link) = self.book.link() {
            lines.push(("paired", assurance(link.assurance()).to_owned()));
        }
        if self.used_elsewhere {
            lines.push(("WARNING", "somebody else has used this link: 'forget' it, and pair again".to_owned()));
        }
        if let (Some(status), true) = (&self.status, self.is_linked()) {
            lines.push(("worn", yes_no(status.worn)));
            lines.push(("unlocked", yes_no(status.unlocked)));
        }
        match self.book.credential().and_then(|object| Unverified::<Credential>::parse(object).ok()) {
            None => lines.push(("enrolled", "no".to_owned())),
            Some(credential) => {
                let Credential { id, limits, currency, .. } = *credential.claims();
                lines.push(("enrolled", format!("credential {id}")));
                let of = |minor: armring_token::Minor| show(minor.of(currency));
                lines.push(("limits", format!("{} a payment, {} with a press alone", of(limits.each), of(limits.press))));
                let (free, count) = (of(limits.free), limits.free_count.0);
                let free = if count == 0 { "nothing".to_owned() } else { format!("{count} in a row of {free} each") };
                lines.push(("", format!("{free} without a gesture, {} offline", of(limits.offline_total))));
            }
        }
        lines.extend(counters(&self.book).map(|counters| ("counters", counters)));
        lines
    }

    fn payment_state(&self, entry: &Entry) -> Vec<(&'static str, String)> {
        let offer = entry.payment.offer();
        let mut lines =
            vec![("to", payee(entry)), ("amount", show(offer.amount())), ("for", format!("\"{}\"", printable(offer.memo(), 40)))];
        let state = match (outcome(entry), entry.payment.refused()) {
            (Some(outcome), _) if entry.payment.is_told() => format!("{outcome}; the band told its wearer"),
            (Some(outcome), _) => outcome.to_string(),
            _ if self.task == Some(Task::Pay) => {
                self.awaited.as_ref().map_or("with the band".to_owned(), |awaited| format!("waits for {awaited}"))
            }
            (None, Some(why)) => format!("not taken yet: {why}. 'again' sends it once more"),
            _ if entry.payment.is_pending() => {
                "pending: the shop took it without network. 'again' asks for the receipt".to_owned()
            }
            _ if entry.over => "given up: nothing was paid".to_owned(),
            _ if entry.token.is_empty() => "not signed yet: 'again' asks the band".to_owned(),
            _ => "signed: 'again' takes it to the payee".to_owned(),
        };
        lines.push(("state", state));
        lines
    }

    /// What can be said now, the likeliest first.
    fn hints(&self) -> Vec<&'static str> {
        match &self.call {
            _ if self.code.is_some() => vec!["yes", "no"],
            Call::None if self.book.in_use.is_none() => vec!["find", "pair", "scan", "help", "quit"],
            Call::None => vec!["connect", "pair", "receipts", "help", "quit"],
            Call::Up { linked: true, .. } if self.task.is_some() => vec!["cancel", "disconnect", "help"],
            Call::Up { linked: true, .. } if self.book.credential().is_none() => vec!["enrol", "status", "disconnect", "help"],
            Call::Up { linked: true, .. } if self.book.open().is_some() => vec!["again", "cancel", "status", "help"],
            Call::Up { linked: true, .. } => vec!["pay", "status", "unlock", "receipts", "disconnect", "help"],
            _ => vec!["disconnect", "help"],
        }
    }
}

/// Who is paid: a name that the issuer certified, or one of its users.
pub(super) fn payee(entry: &Entry) -> String {
    let offer = entry.payment.offer();
    match offer.name() {
        Some(name) => format!("{}, certified by the issuer", printable(name, 40)),
        None => format!("the wearer with {}, a user of the issuer", offer.payee()),
    }
}

/// What the issuer decided, as its receipt says, which was verified when it came.
pub(super) fn outcome(entry: &Entry) -> Option<Outcome> {
    Some(Unverified::<Receipt>::parse(entry.payment.receipt()?).ok()?.claims().outcome)
}

fn receipts(book: &Book) -> Vec<String> {
    let line = |entry: &Entry| {
        let offer = entry.payment.offer();
        let name = offer.name().map_or_else(|| offer.payee().to_string(), |name| printable(name, 32));
        let outcome = outcome(entry)?;
        Some(format!("{} to {name}, \"{}\": {outcome}", show(offer.amount()), printable(offer.memo(), 40)))
    };
    book.payments.iter().rev().filter_map(line).collect()
}

/// What this phone knows of the band's counters: from the last token that it saw, and the last receipt.
fn counters(book: &Book) -> Option<String> {
    let credential = Unverified::<Credential>::parse(book.credential()?).ok()?.claims().id;
    let (entry, token) = book.payments.iter().rev().find_map(|entry| {
        let token = *Unverified::<PaymentToken>::parse(&entry.token).ok()?.claims();
        (token.credential == credential).then_some((entry, token))
    })?;
    let PaymentToken { counter, cumulative, amount, .. } = token;
    let signed = format!("{} tokens signed, {} in all", counter.0, show(cumulative.of(amount.currency())));
    let receipt = entry.payment.receipt().and_then(|receipt| Unverified::<Receipt>::parse(receipt).ok());
    Some(match receipt {
        Some(receipt) => format!("{signed}; {} answered by the issuer", receipt.claims().sequence.0),
        None => signed,
    })
}

const fn assurance(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::Press => "by a press: whoever was in range first has the link",
        Assurance::PrintedSecret => "by its printed label",
        Assurance::ComparedCode => "by a compared code",
        Assurance::DisplayedSecret => "by the code on its display",
    }
}

fn yes_no(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}
