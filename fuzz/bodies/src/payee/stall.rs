//! A payee, its bands, and what must hold between them.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use armring_payee::{FloorLimits, Lists, Offline, Payee, Refunded, Revoked, Sale};
use armring_token::{
    Counter, Credential, Epoch, Form, Gesture, KeyList, Minor, PaymentRequest, PaymentToken, Presence, Refund, RefundReceipt,
    Revocation, RevocationList, Revocations, Unlocking, Unverified, Verified,
};
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::records::payee::FromPayee;
use armring_wire::{CredentialId, Currency, KeyId, Opaque, Outcome, PayeeRef, RefundDigest, TokenDigest, UnixTime};
use ed25519_dalek::SigningKey;

use super::{Said, encoded, unchanged};
use crate::cast::{self, Draws, ISSUER, SHOP};
use crate::input::Input;

pub(super) const FLOOR: FloorLimits = FloorLimits { each: 2_500, credential: 4_000, total: 6_000, payments: 4 };
pub(super) const EXPIRY: UnixTime = UnixTime::from_secs(40_000);
/// Until when the revocation lists are good.
const LISTS_UNTIL: UnixTime = UnixTime::from_secs(30_000);
const FIRST_BAND: u8 = 20;

pub(super) struct Running {
    pub(super) sale: Sale,
    /// Those that were brought.
    pub(super) tokens: Vec<Vec<u8>>,
    /// The receipt that settled it.
    settled: Option<Vec<u8>>,
    refunds: Vec<(RefundDigest, u64)>,
}

pub(super) struct Band {
    pub(super) credential: Vec<u8>,
    /// Counter and total after each payment.
    past: Vec<(u32, u64)>,
}

impl Band {
    /// Its next counter and total, or those of a clone that is so many payments behind.
    pub(super) fn goes_on(&mut self, behind: usize, minor: u64) -> (u32, u64) {
        let at = self.past.len().saturating_sub(behind);
        let (counter, total) = at.checked_sub(1).map_or((0, 0), |last| self.past[last]);
        self.past.push((counter + 1, total + minor));
        (counter + 1, total + minor)
    }
}

pub(super) struct Stall {
    shop: Payee<SigningKey>,
    book: Offline,
    pub(super) sales: Vec<Running>,
    pub(super) bands: Vec<Band>,
    list: Revoked,
    pub(super) revoked: BTreeSet<usize>,
    epoch: u32,
    pub(super) now: UnixTime,
    rng: Draws,
}

/// What is the same in each run.
struct Scene {
    key_list: Vec<u8>,
    keys: Verified<KeyList>,
    certificate: Vec<u8>,
    credentials: Vec<Vec<u8>>,
    lists: Vec<Vec<u8>>,
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let credential = |n: u8| {
            let body = cast::credential_body(cast::signer(FIRST_BAND + n).verifying_key().to_bytes());
            cast::sign(&Credential { id: CredentialId([n; 8]), ..body }, ISSUER)
        };
        let key_list = cast::key_list(1, [9; 32]);
        Scene {
            keys: cast::verified(&key_list),
            key_list,
            certificate: cast::certificate(),
            credentials: (0..3).map(credential).collect(),
            // None is revoked, then the first band, then it is restored and the second is.
            lists: vec![list(0, 1, &[]), list(1, 2, &[(0, true)]), list(2, 3, &[(0, false), (1, true)])],
        }
    })
}

fn list(since: u32, epoch: u32, words: &[(u8, bool)]) -> Vec<u8> {
    let mut buffer = [0; 64];
    let word = |(n, revoked): &(u8, bool)| Revocation { subject: PayeeRef::Credential(CredentialId([*n; 8])), revoked: *revoked };
    let entries = Revocations::write(words.iter().map(word), &mut buffer).unwrap();
    let (key, epoch, since) = (KeyId(1), Epoch(epoch), Epoch(since));
    let (issued, next_update) = (UnixTime::from_secs(1_900), LISTS_UNTIL);
    cast::sign(&RevocationList { form: Form, key, epoch, since, part: 0, parts: 1, issued, next_update, entries }, ISSUER)
}

pub(super) fn digest(token: &[u8]) -> Option<TokenDigest> {
    Some(Unverified::<PaymentToken>::parse(token).ok()?.token_digest(&cast::root()))
}

impl Stall {
    pub(super) fn new(input: &mut Input<'_>) -> Self {
        let shop = Payee::new(cast::root_key(), &scene().key_list, &scene().certificate, cast::signing(SHOP)).unwrap();
        let band = |credential: &Vec<u8>| Band { credential: credential.clone(), past: Vec::new() };
        let mut stall = Self {
            shop,
            book: Offline::new(Currency::CNY, FLOOR),
            sales: Vec::new(),
            bands: scene().credentials.iter().map(band).collect(),
            list: Revoked::new(cast::root(), 100),
            revoked: BTreeSet::new(),
            epoch: 0,
            now: cast::NOW,
            rng: Draws::new(None),
        };
        if input.any() {
            stall.takes_list(0, scene().lists[0].clone());
        }
        (0..=input.below(3)).for_each(|n| stall.asks([1_000, 2_400, 2_501][n]));
        stall
    }

    pub(super) fn asks(&mut self, minor: u64) {
        let asked = self.shop.request(cast::yuan(minor), "tea for two", (self.now, EXPIRY), &mut self.rng);
        assert_eq!(asked.is_ok(), self.now < EXPIRY);
        self.sales.extend(asked.ok().map(|sale| Running { sale, tokens: Vec::new(), settled: None, refunds: Vec::new() }));
    }

    pub(super) fn token(&self, sale: usize, who: usize, change: impl FnOnce(&mut PaymentToken)) -> Vec<u8> {
        let sale = &self.sales[sale].sale;
        let request = Unverified::<PaymentRequest<'_>>::parse(sale.request()).unwrap();
        let band = u8::try_from(who).unwrap();
        let mut token = PaymentToken {
            form: Form,
            credential: CredentialId([band; 8]),
            payee: request.claims().payee,
            request: sale.digest(),
            amount: sale.amount(),
            counter: Counter(1),
            cumulative: Minor(sale.amount().minor()),
            presence: Presence { minutes_worn: 9, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false },
        };
        change(&mut token);
        cast::sign(&token, FIRST_BAND + band)
    }

    pub(super) fn lists_are_fresh(&self) -> bool {
        self.epoch > 0 && self.now < LISTS_UNTIL
    }

    pub(super) fn hears_offline(&mut self, at: usize, record: &[u8]) -> Said {
        let lists = Lists { keys: &scene().keys, revoked: &self.list };
        let running = &mut self.sales[at];
        let (before, book) = (running.sale.to_bytes(), self.book.pending().to_vec());
        let said = Said::from(&running.sale.hear_offline(record, &mut self.book, lists, self.now));
        if said != Said::Pending {
            unchanged(&before, &running.sale);
            assert_eq!(book, self.book.pending());
        }
        said
    }

    pub(super) fn hears(&mut self, at: usize, record: &[u8]) {
        use armring_payee::Heard;
        let running = &mut self.sales[at];
        let before = running.sale.to_bytes();
        let redeem = match running.sale.hear(record) {
            Heard::Redeem(digest) => Some(digest),
            Heard::Answer(FromPayee::Receipt(_)) => {
                return assert!(running.settled.is_some() || before == running.sale.to_bytes());
            }
            Heard::Answer(_) => None,
        };
        match redeem {
            Some(digest) => {
                let Some(ToIssuer::Redeem { request, .. }) = running.sale.redeem(&digest) else { panic!("nothing to redeem") };
                assert_eq!(request.as_bytes(), running.sale.request());
            }
            None => unchanged(&before, &running.sale),
        }
    }

    pub(super) fn has_settled(&self, at: usize) -> bool {
        self.sales[at].settled.is_some()
    }

    /// One of the tokens that were brought, and to which sale.
    pub(super) fn one_of_the_tokens(&self, input: &mut Input<'_>) -> Option<(usize, Vec<u8>)> {
        let all: Vec<_> =
            self.sales.iter().enumerate().flat_map(|(at, running)| running.tokens.iter().map(move |token| (at, token))).collect();
        let (at, token) = all.get(usize::from(input.any::<u8>()) % all.len().max(1))?;
        Some((*at, (*token).clone()))
    }

    pub(super) fn issuer_says(&mut self, at: usize, digest: &TokenDigest, answer: &[u8], changed: bool) {
        let running = &mut self.sales[at];
        let before = running.sale.to_bytes();
        let result = running.sale.issuer_says(digest, answer, &scene().keys).map(|said| Said::from(&said));
        if result.is_err() {
            unchanged(&before, &running.sale);
        }
        assert!(!changed || result != Ok(Said::Receipt), "a receipt that was changed was taken");
        self.book.release(&running.sale);
        let settled = running.sale.settled().map(|settled| settled.receipt.to_vec());
        assert!(running.settled.is_none() || running.settled == settled, "what settled stays settled");
        running.settled = settled;
    }

    pub(super) fn refunds(&mut self, at: usize, minor: u64) {
        let running = &mut self.sales[at];
        let (before, left) = (running.sale.to_bytes(), running.sale.left());
        let result = self.shop.refund(&mut running.sale, cast::yuan(minor), &mut self.rng);
        assert_eq!(result.is_ok(), left.is_some_and(|left| (1..=left.minor()).contains(&minor)));
        match result {
            Ok(digest) => running.refunds.push((digest, minor)),
            Err(_) => unchanged(&before, &running.sale),
        }
    }

    pub(super) fn refund_answered(&mut self, at: usize, input: &mut Input<'_>) {
        let running = &mut self.sales[at];
        let Some((digest, minor)) = running.refunds.get(input.below(4)).copied() else { return };
        let Some(ToIssuer::Refund(object)) = running.sale.ask_refund(&digest) else { panic!("a refund that is not there") };
        let refund = *Unverified::<Refund>::parse(object.as_bytes()).unwrap().claims();
        assert_eq!((refund.amount, refund.token), (cast::yuan(minor), refund.token));
        let outcome = if input.any() { Outcome::Settled } else { Outcome::RefundExceeds };
        let (left, token) = (cast::yuan(u64::from(input.any::<u16>())), refund.token);
        let receipt = RefundReceipt { form: Form, key: KeyId(1), refund: digest, token, outcome, left, time: cast::NOW };
        let mut receipt = cast::sign(&receipt, ISSUER);
        let changed = input.below(4) == 0 && input.alter(&mut receipt);
        receipt.truncate(armring_wire::records::OBJECT_MAX);
        let before = running.sale.to_bytes();
        let answer = encoded(&FromIssuer::Refunded(Opaque::new(&receipt).unwrap()));
        let result = running.sale.refund_answered(&digest, &answer, &scene().keys);
        if result.is_err() {
            unchanged(&before, &running.sale);
        }
        assert!(!changed || !matches!(result, Ok(Refunded::Answered(_))), "a receipt that was changed was taken");
        assert!(changed || result.is_ok());
    }

    /// All that is left is what was stored.
    pub(super) fn restarts(&mut self) {
        self.book = Offline::new(Currency::CNY, FLOOR);
        for running in &mut self.sales {
            let bytes = running.sale.to_bytes();
            running.sale = Sale::from_bytes(&bytes, &cast::root()).expect("what was stored");
            unchanged(&bytes, &running.sale);
            self.book.readmit(&running.sale).unwrap();
        }
    }

    pub(super) fn hears_of_revoked(&mut self, input: &mut Input<'_>) {
        let which = input.below(scene().lists.len());
        let mut list = scene().lists[which].clone();
        let changed = input.below(4) == 0 && input.alter(&mut list);
        if changed {
            let before = (self.list.epoch(), self.list.len());
            assert!(self.list.take_part(&list, &scene().keys, self.now).is_err());
            assert_eq!(before, (self.list.epoch(), self.list.len()));
        } else {
            self.takes_list(which, list);
        }
    }

    fn takes_list(&mut self, which: usize, list: Vec<u8>) {
        let taken = self.list.take_part(&list, &scene().keys, self.now).is_ok();
        let next = u32::try_from(which).unwrap() + 1;
        if taken && self.epoch < next {
            assert_eq!(self.epoch + 1, next, "a list is taken by who has the one before");
            self.epoch = next;
        }
        self.revoked = [&[][..], &[], &[0], &[1]][usize::try_from(self.epoch).unwrap()].iter().copied().collect();
        for n in 0..3u8 {
            let subject = PayeeRef::Credential(CredentialId([n; 8]));
            assert_eq!(self.list.contains(subject), self.revoked.contains(&n.into()));
        }
    }

    /// What must hold after each step.
    pub(super) fn check(&self) {
        let pending = self.book.pending();
        let open = self.sales.iter().filter(|running| running.sale.pending().is_some());
        assert_eq!(pending.len(), open.clone().count());
        let sum: u64 = open.map(|running| running.sale.amount().minor()).sum();
        assert_eq!(self.book.total(), sum);
        assert!(sum <= FLOOR.total && pending.len() <= FLOOR.payments);
        let mut spent: Vec<(CredentialId, u32, u64, u64)> = Vec::new();
        for running in &self.sales {
            let left = running.sale.left();
            assert!(left.is_none_or(|left| left.minor() <= running.sale.amount().minor()));
            assert_eq!(left.is_some(), running.settled.is_some());
            let Some(token) = running.sale.pending() else { continue };
            let token = *Unverified::<PaymentToken>::parse(token.token).unwrap().claims();
            assert!(token.amount.minor() <= FLOOR.each);
            spent.push((token.credential, token.counter.0, token.interval_start().unwrap().0, token.cumulative.0));
        }
        for (n, (who, counter, start, end)) in spent.iter().enumerate() {
            for (other, same, from, to) in &spent[..n] {
                let apart = who != other || (counter != same && (end <= from || to <= start));
                assert!(apart, "one counter, or one interval, is pending twice");
            }
            let of_band: u64 = spent.iter().filter(|(other, ..)| other == who).map(|(_, _, from, to)| to - from).sum();
            assert!(of_band <= FLOOR.credential);
        }
    }
}
