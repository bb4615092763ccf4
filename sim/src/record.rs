//! The world's own record: what people did, what was signed, settled and promised; and what must hold of all that.

use std::collections::{BTreeMap, BTreeSet};

use crate::invariant::{Held, Invariant, holds};
use crate::objects::{self, Token};

/// What a credential may do, as the operator gave it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) each: u64,
    pub(crate) press: u64,
    pub(crate) free: u64,
    pub(crate) free_count: u64,
    pub(crate) free_total: u64,
    pub(crate) offline_total: u64,
}

/// What is known of a credential.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credential {
    pub(crate) account: [u8; 8],
    /// Whether its user has confirmed it, outside the wallet.
    pub(crate) is_active: bool,
    /// Its band was copied.
    pub(crate) has_clone: bool,
    /// Its operator froze it.
    pub(crate) is_frozen: bool,
    /// Two answered tokens of it show that its key is in two bands.
    pub(crate) is_cloned: bool,
    /// All tokens that the issuer answered.
    answered: Vec<Token>,
    /// All that was signed, by counter.
    signed: BTreeMap<u32, Vec<[u8; Token::LEN]>>,
    /// What was settled, by counter.
    settled: BTreeMap<u32, Token>,
    /// How many payments without a gesture, and how much, since the last one with one.
    free: (u64, u64),
}

/// A request, as its payee made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) payee: [u8; 9],
    pub(crate) amount: u64,
    /// Whose account is to be paid.
    pub(crate) account: [u8; 8],
    /// Until when, with the time for redeeming what was accepted without network.
    pub(crate) until: u64,
}

pub(crate) struct Record {
    pub(crate) limits: Limits,
    /// What one payee without network takes in all.
    pub(crate) floor: u64,
    pub(crate) credentials: BTreeMap<[u8; 8], Credential>,
    asked: BTreeMap<[u8; 32], Asked>,
    /// By token: what was settled, and to which account.
    settled: BTreeMap<[u8; 32], (Token, [u8; 8])>,
    settled_requests: BTreeMap<[u8; 32], [u8; 32]>,
    receipts: BTreeMap<[u8; 32], Vec<u8>>,
    refunds: BTreeMap<[u8; 32], u64>,
    refunded: BTreeSet<[u8; 32]>,
    pub(crate) balances: BTreeMap<[u8; 8], i64>,
    /// What was accepted without network and has no receipt: by token, where and how much.
    pending: BTreeMap<[u8; 32], (usize, Token)>,
}

impl Record {
    pub(crate) fn new(limits: Limits, floor: u64) -> Self {
        Self {
            limits,
            floor,
            credentials: BTreeMap::new(),
            asked: BTreeMap::new(),
            settled: BTreeMap::new(),
            settled_requests: BTreeMap::new(),
            receipts: BTreeMap::new(),
            refunds: BTreeMap::new(),
            refunded: BTreeSet::new(),
            balances: BTreeMap::new(),
            pending: BTreeMap::new(),
        }
    }

    pub(crate) fn asks(&mut self, digest: [u8; 32], asked: Asked) {
        self.asked.insert(digest, asked);
    }

    /// A band has stored this body, to sign it. Of a band that was copied, the copy's bodies come here as well.
    pub(crate) fn signs(&mut self, body: &[u8; Token::LEN]) -> Held {
        let Some(token) = Token::read(body) else { return Ok(()) };
        let limits = self.limits;
        let credential = self.credentials.entry(token.credential).or_default();
        let same = credential.signed.entry(token.counter).or_default();
        if same.contains(body) {
            return Ok(());
        }
        let twice = !same.is_empty() && !credential.has_clone;
        same.push(*body);
        holds(!twice, Invariant::NoCounterTwice, || format!("{token:?}"))?;
        let amount = token.amount;
        credential.free = match token.presence.gesture {
            0 => (credential.free.0 + 1, credential.free.1 + amount),
            _ => (0, 0),
        };
        let free = credential.free;
        let granted = amount <= limits.free || token.presence.gesture != 0;
        let within = free.0 <= limits.free_count && free.1 <= limits.free_total;
        holds(granted && (within || credential.has_clone), Invariant::FreeLimit, || format!("{free:?} with {token:?}"))?;
        let fresh = amount <= limits.press || token.presence.gesture == 2;
        holds(amount <= limits.each && fresh, Invariant::Limits, || format!("{token:?}"))?;
        let (start, end) = token.interval();
        let others = credential.signed.range(..token.counter).next_back();
        let before =
            others.and_then(|(_, bodies)| bodies.iter().filter_map(|body| Token::read(body)).map(|it| it.cumulative).max());
        let follows = before.is_none_or(|before| before <= start) || credential.has_clone;
        holds(start < end && follows, Invariant::NoIntervalTwice, || format!("{before:?} before {token:?}"))
    }

    /// Somebody who has the key of a band signs what they like.
    pub(crate) fn forges(&mut self, body: &[u8; Token::LEN]) {
        if let Some(token) = Token::read(body) {
            let credential = self.credentials.entry(token.credential).or_default();
            credential.signed.entry(token.counter).or_default().push(*body);
        }
    }

    /// A token has left a band.
    pub(crate) fn leaves(&self, object: &[u8]) -> Held {
        let body = object.get(objects::SIGNATURE..).unwrap_or_default();
        let Some(token) = Token::read(body) else { return Ok(()) };
        let signed = self.credentials.get(&token.credential).and_then(|credential| credential.signed.get(&token.counter));
        let is_stored = signed.is_some_and(|bodies| bodies.iter().any(|known| known == body));
        holds(is_stored, Invariant::StoredBeforeSigned, || format!("{token:?}"))
    }

    /// The issuer gave this receipt for this token at this time.
    pub(crate) fn answers(&mut self, object: &[u8], receipt: &[u8], now: u64) -> Held {
        let body = object.get(objects::SIGNATURE..).unwrap_or_default();
        let (Some(token), Some(said)) = (Token::read(body), objects::Receipt::read(receipt)) else { return Ok(()) };
        let known = self.receipts.entry(said.token).or_insert_with(|| receipt.to_vec());
        holds(known == receipt, Invariant::OneAnswer, || format!("{token:?}"))?;
        self.pending.remove(&said.token);
        let credential = self.credentials.entry(token.credential).or_default();
        let was_cloned = credential.is_cloned;
        if !credential.answered.contains(&token) {
            credential.is_cloned |= credential.answered.iter().any(|other| token.collides_with(other));
            credential.answered.push(token);
        }
        holds(!was_cloned || !said.settled || self.settled.contains_key(&said.token), Invariant::ClonesAreFrozen, || {
            format!("settled after a clone was seen: {token:?}")
        })?;
        if !said.settled || self.settled.contains_key(&said.token) {
            return Ok(());
        }
        self.leaves(object)?;
        self.settles(said.token, token, now)
    }

    fn settles(&mut self, digest: [u8; 32], token: Token, now: u64) -> Held {
        let asked = self.asked.get(&token.request).copied();
        let fits = asked.is_some_and(|asked| (asked.payee, asked.amount) == (token.payee, token.amount));
        holds(fits, Invariant::WhatWasAsked, || format!("{asked:?}, {token:?}"))?;
        let asked = asked.unwrap_or(Asked { payee: token.payee, amount: token.amount, account: [0; 8], until: u64::MAX });
        holds(now < asked.until, Invariant::NotExpired, || format!("at {now}: {asked:?}"))?;
        let other = self.settled_requests.insert(token.request, digest);
        holds(other.is_none(), Invariant::NoRequestTwice, || format!("{token:?}"))?;
        let limits = self.limits;
        let credential = self.credentials.entry(token.credential).or_default();
        holds(credential.is_active && !credential.is_frozen, Invariant::OnlyActivePays, || format!("{token:?}"))?;
        holds(credential.account != asked.account, Invariant::NotToSelf, || format!("{token:?}"))?;
        let enough = match token.presence.gesture {
            0 => token.amount <= limits.free,
            1 => token.amount <= limits.press,
            _ => token.amount <= limits.each,
        };
        holds(enough && token.presence.unlocking > 0, Invariant::Limits, || format!("{token:?}"))?;
        let other = credential.settled.get(&token.counter);
        holds(other.is_none(), Invariant::NoCounterTwice, || format!("{other:?}, {token:?}"))?;
        let (start, end) = token.interval();
        let overlaps = |other: &&Token| other.interval().0 < end && start < other.interval().1;
        let other = credential.settled.values().find(overlaps);
        holds(other.is_none(), Invariant::NoIntervalTwice, || format!("{other:?}, {token:?}"))?;
        credential.settled.insert(token.counter, token);
        let payer = credential.account;
        self.settled.insert(digest, (token, asked.account));
        self.moves(payer, asked.account, token.amount)
    }

    fn moves(&mut self, from: [u8; 8], to: [u8; 8], amount: u64) -> Held {
        let minor = i64::try_from(amount).unwrap_or(i64::MAX);
        let balance = self.balances.entry(from).or_default();
        *balance = balance.saturating_sub(minor);
        let left = *balance;
        let balance = self.balances.entry(to).or_default();
        *balance = balance.saturating_add(minor);
        holds(left >= 0, Invariant::NoOverdraft, || format!("{left} after {amount}"))
    }

    /// The issuer gave this receipt for this refund.
    pub(crate) fn refunds(&mut self, object: &[u8], receipt: &[u8]) -> Held {
        let (Some((token, amount)), Some((refund, true))) = (objects::refund(object), objects::refund_receipt(receipt)) else {
            return Ok(());
        };
        if !self.refunded.insert(refund) {
            return Ok(());
        }
        let paid = self.settled.get(&token).copied();
        let given = self.refunds.entry(token).or_default();
        *given = given.saturating_add(amount);
        let within = paid.is_some_and(|(paid, _)| *given <= paid.amount);
        holds(within, Invariant::RefundsAreBounded, || format!("{given} of {paid:?}"))?;
        let Some((paid, payee)) = paid else { return Ok(()) };
        let payer = self.credentials.get(&paid.credential).map_or([0; 8], |credential| credential.account);
        self.moves(payee, payer, amount)
    }

    /// A payee took this token without asking the issuer.
    pub(crate) fn accepts(&mut self, till: usize, digest: [u8; 32], object: &[u8]) -> Held {
        let Some(token) = Token::read(object.get(objects::SIGNATURE..).unwrap_or_default()) else { return Ok(()) };
        if self.receipts.contains_key(&digest) || self.pending.insert(digest, (till, token)).is_some() {
            return Ok(());
        }
        let credential = self.credentials.get(&token.credential).cloned().unwrap_or_default();
        let sum =
            |of: &dyn Fn(&(usize, Token)) -> bool| self.pending.values().filter(|it| of(it)).map(|it| it.1.amount).sum::<u64>();
        let (here, everywhere) = (sum(&|it| it.0 == till), sum(&|it| it.1.credential == token.credential));
        let within = everywhere <= self.limits.offline_total || credential.has_clone;
        let may = within && here <= self.floor && !token.presence.online_only;
        holds(may, Invariant::PendingIsBounded, || format!("{here} here, {everywhere} of this credential: {token:?}"))
    }

    /// Somebody holds this receipt for a settled payment of so much.
    pub(crate) fn is_receipted(&self, receipt: &[u8]) -> Held {
        let Some(said) = objects::Receipt::read(receipt) else { return Ok(()) };
        let stands = !said.settled || self.settled.contains_key(&said.token);
        holds(stands, Invariant::ReceiptedIsSettled, || format!("{said:?}"))
    }

    /// What was accepted without network, and has no receipt yet: where.
    pub(crate) fn pending(&self) -> impl Iterator<Item = (usize, [u8; 32])> + '_ {
        self.pending.iter().map(|(digest, (till, _))| (*till, *digest))
    }

    /// How many payments were settled, and given back.
    pub(crate) fn done(&self) -> (usize, usize) {
        (self.settled.len(), self.refunded.len())
    }
}
