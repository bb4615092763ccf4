//! What a band may do, from what its wearer has done: a model that knows the rules and not how the band keeps them.

use std::collections::{BTreeMap, BTreeSet};

use armring_band::{Event, Gesture, OFF_WRIST_GRACE, Signal, StoreKey, UNLOCK_TRIES};
use armring_pairing::{Link, LinkState};
use armring_token::{Credential, Gesture as Effort, Issuer, PaymentKey, PaymentRequest, PaymentToken, Unlocking, Unverified};
use armring_wire::records::band::{Awaited, ToBand};
use armring_wire::{Amount, CredentialId, PayeeRef, RequestDigest, Uptime};

use super::purse::{Purse, body};
use crate::cast::{self, ISSUER};
use crate::flash::{CREDENTIAL, Flash, LINK, REPLACEMENT, SECRET};

const TOKEN: u8 = 0x50;

/// What happened last, as far as it allows anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Made(Gesture),
    Record,
    Other,
}

pub(super) struct Rules {
    last: Last,
    worn: bool,
    lost_touch: Option<Uptime>,
    unlocked: bool,
    /// It was unlocked on the band since it was last asked for a fresh unlock.
    fresh: bool,
    purses: BTreeMap<CredentialId, Purse>,
    asked: BTreeMap<RequestDigest, (PayeeRef, Amount)>,
    /// What the wallet asked for last, and what the band waits for a fresh unlock for. Asked for once more, the same needs no other one.
    asks: Option<RequestDigest>,
    waits: Option<RequestDigest>,
    /// How often the window was opened by its gesture, and how many new links there were.
    holds: usize,
    paired: usize,
    /// The wallet asked for this over the connection that there is.
    may_unpair: bool,
    may_replace: bool,
    erasing: bool,
    resetting: bool,
    /// Something was erased, or may have been, before a restart or after it.
    forgot: bool,
    /// What is entered is what was chosen; and what the band took last was.
    enters_right: bool,
    entered_right: bool,
    /// Requests that were signed since the last double press.
    signed_requests: usize,
    /// What the peer sent last was refused, so that nothing comes of it.
    refused: bool,
    /// What it wanted stored last, if nothing was erased since.
    stored: Option<StoreKey>,
    /// Credentials whose keys could not be opened, so that they were to be erased.
    unopened: BTreeSet<StoreKey>,
}

impl Rules {
    pub(super) fn new(flash: &Flash) -> Self {
        let mut rules = Self {
            last: Last::Other,
            worn: false,
            lost_touch: None,
            unlocked: false,
            fresh: false,
            purses: BTreeMap::new(),
            asked: BTreeMap::new(),
            asks: None,
            waits: None,
            holds: 0,
            paired: 0,
            may_unpair: false,
            may_replace: false,
            erasing: false,
            resetting: false,
            forgot: false,
            enters_right: false,
            entered_right: false,
            signed_requests: 0,
            refused: false,
            stored: None,
            unopened: BTreeSet::new(),
        };
        flash.iter().filter(|(key, _)| key.as_u8() == CREDENTIAL).for_each(|(_, value)| rules.enrolled(value));
        rules
    }

    /// This is happening to the band.
    pub(super) fn happens(&mut self, event: &Event<'_>, now: Uptime) {
        let away = self.lost_touch.is_some_and(|lost| now.since(lost) >= OFF_WRIST_GRACE);
        if away {
            (self.worn, self.lost_touch, self.unlocked, self.fresh) = (false, None, false, false);
        }
        self.last = match event {
            Event::Gesture(gesture) => Last::Made(*gesture),
            Event::Fragment(_) => Last::Record,
            _ => Last::Other,
        };
        match event {
            Event::PutOn => (self.worn, self.lost_touch) = (true, None),
            Event::TakenOff if self.worn => drop(self.lost_touch.get_or_insert(now)),
            Event::Recognised => self.unlocks(true),
            Event::Entered(_) if self.is_on() => {
                self.entered_right = self.enters_right;
                if self.entered_right {
                    self.unlocks(true);
                }
            }
            Event::Gesture(Gesture::Hold) => self.holds += 1,
            Event::Gesture(Gesture::DoublePress) => self.signed_requests = 0,
            Event::Gesture(Gesture::Unpair) => self.erasing |= self.may_unpair,
            Event::Gesture(Gesture::Reset) => self.resetting = true,
            Event::Connected(_) | Event::Disconnected => (self.may_unpair, self.may_replace, self.waits) = (false, false, None),
            _ => {}
        }
        self.forgot |= self.erasing || self.resetting;
    }

    /// What it was given was the peer's fault.
    pub(super) const fn refused(&mut self, refused: bool) {
        self.refused = refused;
    }

    /// What is entered next is right, or not. It counts once the band takes it.
    pub(super) const fn will_enter(&mut self, right: bool) {
        self.enters_right = right;
    }

    fn unlocks(&mut self, on_band: bool) {
        if self.is_on() {
            (self.unlocked, self.fresh) = (true, self.fresh || on_band);
        }
    }

    const fn is_on(&self) -> bool {
        self.worn && self.lost_touch.is_none()
    }

    /// The band loses power.
    pub(super) fn restarts(&mut self) {
        (self.worn, self.lost_touch, self.unlocked, self.fresh) = (false, None, false, false);
        (self.may_unpair, self.may_replace, self.erasing, self.resetting) = (false, false, false, false);
        (self.last, self.refused, self.waits) = (Last::Other, false, None);
        self.stored = None;
        self.unopened.clear();
    }

    /// A wallet that is linked says this.
    pub(super) fn wallet_says(&mut self, record: &ToBand<'_>) {
        match record {
            ToBand::Unlock => self.unlocks(false),
            ToBand::Pay { request } | ToBand::PayTo { request, .. } => {
                if let Ok(request) = Unverified::<PaymentRequest<'_>>::parse(request.as_bytes()) {
                    let PaymentRequest { payee, amount, .. } = *request.claims();
                    let digest = request.request_digest(&cast::root());
                    self.asked.insert(digest, (payee, amount));
                    self.asks = Some(digest);
                }
            }
            ToBand::Unpair | ToBand::UnpairOthers => self.may_unpair = true,
            ToBand::Replace => self.may_replace = true,
            _ => {}
        }
    }

    pub(super) fn signals(&mut self, signal: Signal) {
        match signal {
            // Asked for by a record; after a press it is said once more.
            Signal::Waiting(Awaited::FreshUnlock, _) if self.last == Last::Record && self.waits != self.asks => {
                (self.fresh, self.waits) = (false, self.asks);
            }
            Signal::Dropped => self.waits = None,
            Signal::Erased => assert!(self.resetting, "erased without the gesture"),
            Signal::Unpaired => assert!(self.erasing, "unpaired without the gesture"),
            Signal::Paired => assert!(self.paired <= self.holds, "paired without the gesture"),
            _ => {}
        }
    }

    /// The band wants this stored; `flash` is what there is.
    pub(super) fn stores(&mut self, key: StoreKey, value: &[u8], flash: &Flash) {
        assert!(!self.refused, "a message that was refused has stored {key:?}");
        self.stored = Some(key);
        match key.as_u8() {
            SECRET => self.stores_tries(value, flash.get(&key)),
            REPLACEMENT => {
                self.paired += 1;
                assert!(self.paired <= self.holds, "a link in place of another without the gesture");
            }
            at if at & 0xF0 == LINK => self.stores_link(value, flash.get(&key), flash),
            at if at & 0xF0 == CREDENTIAL => {
                let is_free = !flash.contains_key(&key) || self.unopened.remove(&key);
                assert!(is_free, "a credential takes no other's place");
                self.stores_credential(value);
            }
            at if at & 0xF0 == TOKEN => self.reserves(value),
            _ => {}
        }
    }

    fn stores_tries(&self, value: &[u8], before: Option<&Vec<u8>>) {
        let Some(before) = before else { return };
        let (same, more) = (value[..49] == before[..49], value[49] > before[49]);
        assert!(value[49] <= UNLOCK_TRIES);
        assert!(!same || !more || self.entered_right, "tries come back by what was right alone");
        assert!(same || self.unlocked, "another secret is chosen while it is unlocked");
    }

    fn stores_link(&mut self, value: &[u8], before: Option<&Vec<u8>>, flash: &Flash) {
        let link = |bytes: &[u8]| Link::from_bytes(bytes.try_into().unwrap()).unwrap();
        let (new, old) = (link(value), before.map(|before| link(before)));
        if old.as_ref().is_some_and(|old| old.is_same_link(&new)) {
            assert!(new.generation() >= old.unwrap().generation(), "a generation never goes back");
            return;
        }
        let replacement = StoreKey::from_u8(REPLACEMENT).and_then(|key| flash.get(&key));
        if replacement.is_some_and(|replacement| link(&replacement[32..]).is_same_link(&new)) {
            return;
        }
        assert!(old.is_none_or(|old| old.state() == LinkState::Provisional), "an established link was overwritten");
        assert_eq!(new.state(), LinkState::Provisional, "a link is established by a reconnect alone");
        self.paired += 1;
        assert!(self.paired <= self.holds, "a new link without the gesture");
    }

    fn stores_credential(&mut self, value: &[u8]) {
        let object = &value[34..];
        let unverified = Unverified::<Credential>::parse(object).unwrap();
        let verified = unverified.verify(&cast::root(), &cast::public::<Issuer>(ISSUER)).expect("the issuer's signature");
        let handle = ed25519_dalek::SigningKey::from_bytes(value[..32].try_into().unwrap());
        assert_eq!(verified.payment_key, handle.verifying_key().to_bytes(), "a key of this band's");
        self.enrolled(value);
    }

    fn enrolled(&mut self, value: &[u8]) {
        let credential = *Unverified::<Credential>::parse(&value[34..]).unwrap().claims();
        let new = Purse { credential, durable: BTreeMap::new(), said: BTreeMap::new() };
        let purse = self.purses.entry(credential.id).or_insert(new);
        if purse.credential.payment_key != credential.payment_key {
            // Enrolled anew with another key: its counter starts again.
            *purse = Purse { credential, durable: BTreeMap::new(), said: BTreeMap::new() };
        }
    }

    /// A token is about to be signed.
    fn reserves(&mut self, value: &[u8]) {
        let token = body(value);
        let purse = &self.purses[&token.credential];
        let limits = purse.credential.limits;
        assert!(self.is_on() && self.unlocked, "off the wrist or locked nothing is paid");
        assert_eq!(self.asked.get(&token.request), Some(&(token.payee, token.amount)), "what was asked for");
        let minor = token.amount.minor();
        assert!(minor > 0 && minor <= limits.each.0 && token.amount.currency() == purse.credential.currency);
        assert_ne!(token.presence.unlocking, Unlocking::Locked);
        match token.presence.gesture {
            Effort::None => assert!(purse.has_free(&token), "more without a gesture than the credential allows"),
            Effort::Press => {
                assert_eq!(self.last, Last::Made(Gesture::Press));
                assert!(minor <= limits.press.0);
            }
            Effort::FreshUnlock => {
                assert_eq!(self.last, Last::Made(Gesture::Press));
                assert!(self.fresh, "a large amount needs a fresh unlock");
                self.waits = None;
            }
        }
        // One that was durable and was not said is gone: whoever has the flash may have seen it signed.
        let last = purse.durable.last_key_value();
        assert!(last.is_none_or(|(counter, _)| token.counter.0 > *counter), "no counter twice");
        let before = last.map_or(0, |(_, last)| last.cumulative.0);
        assert_eq!(token.cumulative.0, before + minor, "the total is of all that was signed");
    }

    /// What was to be stored is.
    pub(super) fn durable(&mut self, key: StoreKey, value: &[u8]) {
        if key.as_u8() & 0xF0 == TOKEN {
            let token = body(value);
            self.purses.get_mut(&token.credential).unwrap().durable.insert(token.counter.0, token);
        }
    }

    /// The band wants this erased, or everything.
    pub(super) fn erases(&mut self, key: Option<StoreKey>, keys_fail: bool) {
        let stored = self.stored.take();
        match key {
            // The credential that it has just stored: its key does not open.
            Some(key) if keys_fail && !self.erasing && stored == Some(key) && key.as_u8() & 0xF0 == CREDENTIAL => {
                self.unopened.insert(key);
            }
            Some(key) => assert!(self.erasing, "{key:?} erased without the gesture"),
            None => assert!(self.resetting, "everything erased without the gesture"),
        }
    }

    /// A phone got this token.
    pub(super) fn says_token(&mut self, object: &[u8]) {
        let unverified = Unverified::<PaymentToken>::parse(object).unwrap();
        let token = *unverified.claims();
        let purse = self.purses.get_mut(&token.credential).unwrap();
        assert_eq!(purse.durable.get(&token.counter.0), Some(&token), "signed before it was stored");
        let known = purse.said.entry(token.counter.0).or_insert_with(|| {
            let key = PaymentKey::from_bytes(purse.credential.payment_key).unwrap();
            unverified.verify(&cast::root(), &key).expect("the payment key's signature");
            object.to_vec()
        });
        assert_eq!(known, object, "no counter twice, and the same request, the same token");
    }

    /// A phone got this request of the wearer's.
    pub(super) fn says_request(&mut self, object: &[u8]) {
        assert_eq!(self.last, Last::Made(Gesture::DoublePress), "a request without its gesture");
        self.signed_requests += 1;
        assert_eq!(self.signed_requests, 1, "one gesture, one request");
        assert!(self.is_on() && self.unlocked);
        assert!(Unverified::<PaymentRequest<'_>>::parse(object).is_ok());
    }

    /// Whether the band may not know its first phone any more.
    pub(super) const fn may_have_forgotten(&self) -> bool {
        self.forgot || self.holds > 0
    }
}
