//! Who no longer counts, as far as a payee has heard.

use std::borrow::Cow;
use std::collections::BTreeMap;

use armring_token::{Epoch, KeyList, Revocation, RevocationList, Unverified, Verified, VerifyError};
use armring_wire::records::issuer::ToIssuer;
use armring_wire::{PayeeRef, RootFingerprint, UnixTime};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::stored::{open, seal};

/// What stands for the first form of a stored list. A stored sale begins with another number.
const LIST: u8 = 2;

/// The revoked credentials and payees of one issuer, built from the parts of its revocation lists.
///
/// ```text
///  next_request() ──▶ issuer ──part──▶ take_part(…) ──▶ Incomplete: ask for the next one
///                                                   └─▶ Complete: from now on this list counts
/// ```
///
/// A list counts as a whole or not at all: until its last part is there, the one before holds.
///
/// In memory it is 9 bytes an entry, for at most as many entries as [`new`](Self::new) allows; while a list is gathered, 10 bytes for each of
/// its entries and some 50 for each of its parts (65,535 at most) come on top. [Stored](Self::to_bytes), it is there again after a restart
/// without network.
#[derive(Clone, Debug)]
pub struct Revoked {
    root: RootFingerprint,
    most: usize,
    epoch: Epoch,
    next_update: UnixTime,
    /// In ascending order.
    subjects: Vec<PayeeRef>,
    gathering: Option<Gathering>,
}

/// A list as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    form: u8,
    epoch: Epoch,
    next_update: UnixTime,
    subjects: Cow<'a, [PayeeRef]>,
}

/// The parts of a list that have come so far.
#[derive(Clone, Debug)]
struct Gathering {
    epoch: Epoch,
    since: Epoch,
    parts: u16,
    next_update: UnixTime,
    entries: BTreeMap<u16, Vec<Revocation>>,
}

/// How far a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All of it is there, and it counts.
    Complete,
    /// Other parts are still to come.
    Incomplete,
}

/// Why a part of a revocation list is not taken. Whoever sent it is to blame; all is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RevokedError {
    /// It does not verify, or is older than what was seen.
    #[error("the revocation list does not verify: {0}")]
    NotVerified(VerifyError),
    /// It says of itself that a newer one is out.
    #[error("the revocation list is stale")]
    Stale,
    /// It says what came after another list than the one that is here.
    #[error("the revocation list goes on from another one")]
    OtherSince,
    /// It has no such part, or contradicts another part of the same list.
    #[error("the parts of the revocation list do not agree")]
    Disagree,
    /// It has more entries than there is room for.
    #[error("the revocation list is too long")]
    TooLong,
}

impl From<VerifyError> for RevokedError {
    fn from(error: VerifyError) -> Self {
        Self::NotVerified(error)
    }
}

impl Revoked {
    /// Nothing is known of the issuer with this root yet; at most `most` entries will be.
    #[must_use]
    pub const fn new(root: RootFingerprint, most: usize) -> Self {
        Self { root, most, epoch: Epoch(0), next_update: UnixTime::EPOCH, subjects: Vec::new(), gathering: None }
    }

    /// The list that counts as it is stored: 9 bytes an entry and at most 48 besides. Parts that were gathered for the next one are left out.
    ///
    /// Nothing in it is secret, but who can change it can make a revoked credential count again: it is kept where nobody else writes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { epoch, next_update, subjects, .. } = self;
        let stored = Stored { form: LIST, epoch: *epoch, next_update: *next_update, subjects: Cow::Borrowed(subjects) };
        seal(&stored, &self.root)
    }

    /// The list that [`to_bytes`](Self::to_bytes) made these bytes of, for at most `most` entries from now on; `None` if they are not that, are
    /// damaged, are of another `root`, or are more than `most`. Its signatures were verified when it came. Whether it is still good
    /// [`is_fresh`](Self::is_fresh) says, as ever.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], root: &RootFingerprint, most: usize) -> Option<Self> {
        let Stored { form, epoch, next_update, subjects } = open(bytes, root)?;
        let in_order = subjects.is_sorted_by(|lower, upper| order(*lower) < order(*upper));
        (form == LIST && in_order && subjects.len() <= most).then(|| {
            let subjects = subjects.into_owned();
            Self { root: *root, most, epoch, next_update, subjects, gathering: None }
        })
    }

    /// Whether the list that counts says that this credential or payee no longer does.
    #[must_use]
    pub fn contains(&self, subject: PayeeRef) -> bool {
        self.find(subject).is_ok()
    }

    /// Whether a payee without network may rely on it at `now`.
    #[must_use]
    pub fn is_fresh(&self, now: UnixTime) -> bool {
        now < self.next_update
    }

    /// The epoch of the list that counts; 0 for none, and for that of an issuer that never revoked anybody.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How many are revoked.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.subjects.len()
    }

    /// Whether nobody is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// What to ask the issuer for: the first part that is missing, or the first one of what came since.
    #[must_use]
    pub fn next_request(&self) -> ToIssuer<'static> {
        let part = self.gathering.as_ref().map_or(0, Gathering::first_missing);
        ToIssuer::Revocations { since: self.epoch.0, part }
    }

    /// Forgets the parts of a list that is not complete: the issuer has no such part any more.
    pub fn start_over(&mut self) {
        self.gathering = None;
    }

    /// Takes a part of a list, as it came. A part that was taken before, or that is no fresher than what counts, changes nothing. A part of a
    /// newer list, or of one since another epoch, takes the place of the parts that were gathered so far.
    ///
    /// # Errors
    /// A [`RevokedError`]; nothing has then changed, but where all parts are there and [do not agree](RevokedError::Disagree) or are
    /// [too long](RevokedError::TooLong): those are let go of.
    pub fn take_part(&mut self, object: &[u8], key_list: &Verified<KeyList>, now: UnixTime) -> Result<Progress, RevokedError> {
        let unverified = Unverified::<RevocationList<'_>>::parse(object).map_err(VerifyError::from)?;
        let key = key_list.signing_key(unverified.claims().key, unverified.claims().issued)?;
        let list = unverified.verify(&self.root, &key)?;
        self.check(&list, now)?;
        if list.epoch == self.epoch && list.next_update <= self.next_update {
            return Ok(Progress::Complete);
        }
        if list.since != Epoch(0) && list.since != self.epoch {
            return Err(RevokedError::OtherSince);
        }
        let mut gathering = match self.gathering.take_if(|gathering| gathering.is_of(&list)) {
            Some(gathering) => gathering,
            None => Gathering::new(&list),
        };
        if let Err(error) = gathering.add(&list, self.most) {
            // A list that has not begun takes no other's place.
            if !gathering.entries.is_empty() {
                self.gathering = Some(gathering);
            }
            return Err(error);
        }
        if gathering.entries.len() < usize::from(gathering.parts) {
            self.gathering = Some(gathering);
            return Ok(Progress::Incomplete);
        }
        self.gathering = None;
        self.count(&gathering)?;
        Ok(Progress::Complete)
    }

    /// Whether this list makes sense, is still good, and is no older than what was seen.
    fn check(&self, list: &RevocationList<'_>, now: UnixTime) -> Result<(), RevokedError> {
        let seen = self.gathering.as_ref().map_or(self.epoch, |gathering| gathering.epoch);
        if list.epoch < seen {
            return Err(VerifyError::OldEpoch.into());
        }
        if list.epoch < list.since || list.parts <= list.part {
            return Err(RevokedError::Disagree);
        }
        if list.next_update <= now {
            return Err(RevokedError::Stale);
        }
        let parts = self.gathering.as_ref().filter(|gathering| gathering.is_of(list)).map(|gathering| gathering.parts);
        if parts.is_some_and(|parts| parts != list.parts) { Err(RevokedError::Disagree) } else { Ok(()) }
    }

    /// All parts are there.
    fn count(&mut self, list: &Gathering) -> Result<(), RevokedError> {
        let mut words: Vec<Revocation> = list.entries.values().flatten().copied().collect();
        words.sort_unstable_by_key(|word| order(word.subject));
        if words.is_sorted_by(|lower, upper| order(lower.subject) < order(upper.subject)) {
            let before = if list.since == Epoch(0) { &[][..] } else { self.subjects.as_slice() };
            let subjects = merged(before, &words);
            if subjects.len() > self.most {
                return Err(RevokedError::TooLong);
            }
            (self.epoch, self.next_update) = (list.epoch, list.next_update);
            self.subjects = subjects;
            Ok(())
        } else {
            Err(RevokedError::Disagree)
        }
    }

    fn find(&self, subject: PayeeRef) -> Result<usize, usize> {
        self.subjects.binary_search_by_key(&order(subject), |subject| order(*subject))
    }
}

impl Gathering {
    const fn new(list: &RevocationList<'_>) -> Self {
        Self { epoch: list.epoch, since: list.since, parts: list.parts, next_update: list.next_update, entries: BTreeMap::new() }
    }

    fn is_of(&self, list: &RevocationList<'_>) -> bool {
        self.epoch == list.epoch && self.since == list.since
    }

    fn first_missing(&self) -> u16 {
        (0..self.parts).find(|part| !self.entries.contains_key(part)).unwrap_or(0)
    }

    /// Adds a part. Each may have been signed when it was asked for: the list is as fresh as the one that is fresh for the shortest time.
    fn add(&mut self, list: &RevocationList<'_>, most: usize) -> Result<(), RevokedError> {
        if let Some(known) = self.entries.get(&list.part) {
            return if list.entries.iter().eq(known.iter().copied()) { Ok(()) } else { Err(RevokedError::Disagree) };
        }
        let held: usize = self.entries.values().map(Vec::len).sum();
        if held.saturating_add(list.entries.len()) > most {
            return Err(RevokedError::TooLong);
        }
        self.entries.insert(list.part, list.entries.iter().collect());
        self.next_update = self.next_update.min(list.next_update);
        Ok(())
    }
}

/// Those of `before` about whom `words` say nothing, and those whom they revoke: both in order, and so is what comes of them.
fn merged(before: &[PayeeRef], words: &[Revocation]) -> Vec<PayeeRef> {
    let mut after = Vec::with_capacity(before.len().saturating_add(words.len()));
    let mut before = before.iter().copied().peekable();
    for word in words {
        while let Some(subject) = before.next_if(|subject| order(*subject) < order(word.subject)) {
            after.push(subject);
        }
        let _ = before.next_if_eq(&word.subject);
        after.extend(word.revoked.then_some(word.subject));
    }
    after.extend(before);
    after.shrink_to_fit();
    after
}

/// By kind, then by id, as the entries of a list.
const fn order(subject: PayeeRef) -> (u8, [u8; 8]) {
    match subject {
        PayeeRef::Certificate(id) => (0, id.0),
        PayeeRef::Credential(id) => (1, id.0),
    }
}
