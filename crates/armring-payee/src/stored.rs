//! How a sale, or the list of who is revoked, is stored: postcard, held to one encoding, as everything else; and a hash, so that what a disk
//! damaged is not taken for it.

use std::collections::VecDeque;

use armring_token::{Credential, Object, PayeeCertificate, Receipt, Refund, RefundReceipt, Unverified};
use armring_wire::{PayeeRef, RootFingerprint, TokenDigest, decode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::floor::Outstanding;
use crate::refund::{Answer, Given};
use crate::sale::Sale;
use crate::taken::{COPIES_MAX, State, Taken};

/// What stands for the first form of a sale.
const SALE: u8 = 1;
/// How many bytes of hash follow the sale.
const HASH_LEN: usize = 32;

impl Sale {
    /// The sale as it is stored: about 550 bytes for one with a token and its receipt. Nothing in it is secret, but who can change it can
    /// make a sale look paid: it is kept where nobody else writes.
    ///
    /// It is to be durable before its [`Pending`](armring_wire::records::payee::FromPayee::Pending) goes to the payer's wallet, since nobody
    /// need send the token again after that; before a refund is [asked for](Self::ask_refund), since one that was forgotten would be signed
    /// anew and given twice; and when a receipt has come.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        seal(&StoredSale::of(self), &self.root)
    }

    /// The sale that [`to_bytes`](Self::to_bytes) made these bytes of, ready to go on; `None` if they are not that, are damaged, are of another
    /// `root`, or do not agree with themselves. Its signatures were verified when they came and are not again. What is pending of it takes its
    /// place in the book with [`Offline::readmit`](crate::Offline::readmit).
    #[must_use]
    pub fn from_bytes(bytes: &[u8], root: &RootFingerprint) -> Option<Self> {
        open::<StoredSale<'_>>(bytes, root).filter(|stored| stored.form == SALE)?.sale(root)
    }
}

/// `stored` and its hash.
pub(crate) fn seal(stored: &impl Serialize, root: &RootFingerprint) -> Vec<u8> {
    // A vector takes whatever is written to it.
    let mut bytes = postcard::to_extend(stored, Vec::new()).unwrap_or_default();
    let hash = hash(&bytes, root);
    bytes.extend_from_slice(&hash);
    bytes
}

/// What [`seal`] made these bytes of; `None` where they are damaged, of another `root`, or nothing that it would have written.
pub(crate) fn open<'a, T: Deserialize<'a> + Serialize>(bytes: &'a [u8], root: &RootFingerprint) -> Option<T> {
    let (stored, expected) = bytes.split_last_chunk::<HASH_LEN>()?;
    if hash(stored, root) == *expected { decode(stored).ok() } else { None }
}

/// The hash that finds damage. It holds off nobody who can write.
fn hash(stored: &[u8], root: &RootFingerprint) -> [u8; HASH_LEN] {
    Sha256::new().chain_update(root.0).chain_update(stored).finalize().into()
}

#[derive(Serialize, Deserialize)]
struct StoredSale<'a> {
    form: u8,
    #[serde(borrow)]
    request: &'a [u8],
    certificate: &'a [u8],
    tokens: Vec<StoredToken<'a>>,
    refunds: Vec<StoredRefund<'a>>,
}

#[derive(Serialize, Deserialize)]
struct StoredToken<'a> {
    #[serde(borrow)]
    copies: Vec<&'a [u8]>,
    state: StoredState<'a>,
}

#[derive(Serialize, Deserialize)]
enum StoredState<'a> {
    Waiting,
    Pending,
    Answered(&'a [u8]),
}

#[derive(Serialize, Deserialize)]
struct StoredRefund<'a> {
    object: &'a [u8],
    receipt: Option<&'a [u8]>,
}

impl<'a> StoredSale<'a> {
    fn of(sale: &'a Sale) -> Self {
        let refund = |given: &'a Given| StoredRefund {
            object: &given.object,
            receipt: given.receipt.as_ref().map(|answer| answer.object.as_slice()),
        };
        Self {
            form: SALE,
            request: sale.request(),
            certificate: sale.certificate(),
            tokens: sale.tokens.0.iter().map(StoredToken::of).collect(),
            refunds: sale.refunds.iter().map(refund).collect(),
        }
    }

    fn sale(&self, root: &RootFingerprint) -> Option<Sale> {
        let mut sale = Sale::new(self.request, self.certificate, root).ok()?;
        if named(self.certificate, sale.payee)? != sale.payee {
            return None;
        }
        for stored in &self.tokens {
            let taken = stored.taken(&sale)?;
            let is_second_pending = taken.is_pending() && sale.tokens.pending().is_some();
            if is_second_pending || sale.tokens.find(&taken.digest).is_some() {
                return None;
            }
            sale.tokens.0.push(taken);
        }
        for stored in &self.refunds {
            let given = stored.given(&sale)?;
            if sale.refunds.iter().any(|other| other.digest == given.digest) {
                return None;
            }
            sale.refunds.push(given);
        }
        let given = sale.refunds.iter().filter(|given| given.counts());
        let given = given.map(|given| given.amount.minor()).try_fold(0_u64, u64::checked_add)?;
        (given <= sale.amount().minor()).then_some(sale)
    }
}

impl<'a> StoredToken<'a> {
    fn of(taken: &'a Taken) -> Self {
        let state = match &taken.state {
            State::Waiting => StoredState::Waiting,
            State::Pending => StoredState::Pending,
            State::Answered(receipt, _) => StoredState::Answered(receipt),
        };
        Self { copies: taken.copies.iter().map(Vec::as_slice).collect(), state }
    }

    /// The token, if it answers the sale's request, its copies are of one body, and its receipt is for it.
    fn taken(&self, sale: &Sale) -> Option<Taken> {
        let (first, others) = self.copies.split_first()?;
        let unverified = sale.answered_by(first).ok()?;
        let (token, digest) = (*unverified.claims(), unverified.token_digest(&sale.root));
        let mut copies = VecDeque::from([first.to_vec()]);
        for copy in others {
            let is_copy = sale.answered_by(copy).ok()?.token_digest(&sale.root) == digest;
            if !is_copy || copies.iter().any(|other| other == copy) {
                return None;
            }
            copies.push_back(copy.to_vec());
        }
        let state = match self.state {
            StoredState::Waiting => State::Waiting,
            StoredState::Pending => Outstanding::new(&token, digest).map(|_| State::Pending)?,
            StoredState::Answered(receipt) => {
                let claims = *body::<Receipt>(receipt)?.claims();
                (claims.token == digest).then(|| State::Answered(receipt.to_vec(), claims.outcome))?
            }
        };
        let most = if matches!(state, State::Waiting) { COPIES_MAX } else { 1 };
        (copies.len() <= most).then_some(Taken { digest, copies, state })
    }
}

impl StoredRefund<'_> {
    /// The refund, if it is of a token that settled the sale, and its receipt is for it.
    fn given(&self, sale: &Sale) -> Option<Given> {
        let unverified = body::<Refund>(self.object)?;
        let (refund, digest) = (*unverified.claims(), unverified.refund_digest(&sale.root));
        let has_settled = |token: &TokenDigest| sale.tokens.find(token).is_some_and(Taken::is_settled);
        let currency = sale.amount().currency();
        if refund.payee != sale.payee
            || !has_settled(&refund.token)
            || refund.amount.is_zero()
            || refund.amount.currency() != currency
        {
            return None;
        }
        let receipt = match self.receipt {
            None => None,
            Some(object) => {
                let receipt = *body::<RefundReceipt>(object)?.claims();
                let is_for_it = receipt.refund == digest && has_settled(&receipt.token) && receipt.left.currency() == currency;
                is_for_it.then(|| Some(Answer { object: object.to_vec(), outcome: receipt.outcome, left: receipt.left }))?
            }
        };
        Some(Given { object: self.object.to_vec(), digest, amount: refund.amount, receipt })
    }
}

fn body<'a, T: Object<'a>>(object: &'a [u8]) -> Option<Unverified<'a, T>> {
    Unverified::parse(object).ok()
}

/// Whom a certificate names, or a credential where that is what stands in for one.
fn named(certificate: &[u8], payee: PayeeRef) -> Option<PayeeRef> {
    Some(match payee {
        PayeeRef::Certificate(_) => PayeeRef::Certificate(body::<PayeeCertificate<'_>>(certificate)?.claims().payee),
        PayeeRef::Credential(_) => PayeeRef::Credential(body::<Credential>(certificate)?.claims().id),
    })
}
