//! How much a payee risks while it cannot ask the issuer, and what of it is taken.

use armring_token::{Counter, Credential, PaymentToken};
use armring_wire::{Amount, CredentialId, Currency, RequestDigest, TokenDigest};

use crate::error::OfflineError;
use crate::sale::Sale;

/// A payee's floor limits: how much it takes on trust. In minor units of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloorLimits {
    /// One payment.
    pub each: u64,
    /// What is pending of one credential.
    pub credential: u64,
    /// All that is pending.
    pub total: u64,
    /// How many payments are pending.
    pub payments: usize,
}

impl FloorLimits {
    /// Nothing is taken on trust.
    pub const NONE: Self = Self { each: 0, credential: 0, total: 0, payments: 0 };
}

/// What a payee has accepted without network and the issuer has not answered yet. It holds the payee's floor limits, whatever the sales.
///
/// A key that was taken out of a band signs what it likes, and payees without network do not know of each other: what these limits and a
/// fresh revocation list allow is what such a key can take from this payee.
#[derive(Clone, Debug)]
pub struct Offline {
    currency: Currency,
    floor: FloorLimits,
    taken: Vec<Outstanding>,
}

/// A pending payment, as it stands in the payee's book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outstanding {
    /// The request of the sale that it pays.
    pub sale: RequestDigest,
    /// What the token is known by.
    pub token: TokenDigest,
    /// The payer's credential.
    pub credential: CredentialId,
    /// How much it will have paid.
    pub amount: Amount,
    counter: Counter,
    /// What the credential had ever signed before it, and with it.
    interval: (u64, u64),
}

impl Offline {
    /// An empty book of a payee that is paid in `currency`.
    #[must_use]
    pub const fn new(currency: Currency, floor: FloorLimits) -> Self {
        Self { currency, floor, taken: Vec::new() }
    }

    /// What is pending, to be redeemed sale by sale.
    #[must_use]
    pub fn pending(&self) -> &[Outstanding] {
        &self.taken
    }

    /// How much is pending in all. Never above [`FloorLimits::total`], unless what was accepted under a higher one was readmitted.
    #[must_use]
    pub fn total(&self) -> u64 {
        sum(self.taken.iter())
    }

    /// Puts back what is pending of a sale that was [stored](Sale::from_bytes), once. It was accepted: neither its floor nor its credential is
    /// looked at again. For a book that is made anew when the payee starts, this is called with each sale that was not
    /// [written off](Self::write_off).
    ///
    /// # Errors
    /// [`OfflineError::NotAllowed`] where the sale is in another currency than the book; nothing has then changed.
    pub fn readmit(&mut self, sale: &Sale) -> Result<(), OfflineError> {
        let Some(pending) = sale.pending() else { return Ok(()) };
        let token = *sale.answered_by(pending.token)?.claims();
        let outstanding =
            Outstanding::new(&token, pending.digest).filter(|outstanding| outstanding.amount.currency() == self.currency);
        let outstanding = outstanding.ok_or(OfflineError::NotAllowed)?;
        if !self.holds(&outstanding.token) {
            self.taken.push(outstanding);
        }
        Ok(())
    }

    /// Makes room for what the issuer has answered of `sale`, settled or refused. Until this is called it counts as pending.
    pub fn release(&mut self, sale: &Sale) {
        self.taken.retain(|taken| sale.tokens.find(&taken.token).is_none_or(|known| known.receipt().is_none()));
    }

    /// Makes room for a payment that is given up: the issuer will not answer it. The sale keeps it, and a receipt that comes after all counts.
    /// That it was given up is for the caller to remember, beside the sale, so as not to [readmit](Self::readmit) it.
    pub fn write_off(&mut self, token: &TokenDigest) {
        self.taken.retain(|taken| taken.token != *token);
    }

    /// Takes a token that verified into the book, once.
    pub(crate) fn admit(
        &mut self,
        token: &PaymentToken,
        credential: &Credential,
        digest: TokenDigest,
    ) -> Result<(), OfflineError> {
        if self.holds(&digest) {
            return Ok(());
        }
        let outstanding = Outstanding::new(token, digest).ok_or(OfflineError::NotAllowed)?;
        let mut same = self.taken.iter().filter(|taken| taken.credential == outstanding.credential);
        if same.clone().any(|taken| taken.collides_with(&outstanding)) {
            return Err(OfflineError::DoubleSpend);
        }
        self.fits(outstanding.amount, sum(&mut same), credential.limits.offline_total.0)?;
        self.taken.push(outstanding);
        Ok(())
    }

    fn holds(&self, token: &TokenDigest) -> bool {
        self.taken.iter().any(|taken| taken.token == *token)
    }

    /// Whether the limits have room for `amount`. A band never has more outstanding than its credential's offline total.
    fn fits(&self, amount: Amount, of_credential: u64, offline_total: u64) -> Result<(), OfflineError> {
        if amount.currency() != self.currency || amount.is_zero() {
            return Err(OfflineError::NotAllowed);
        }
        let within = |held: u64, most: u64| held.checked_add(amount.minor()).is_some_and(|sum| sum <= most);
        let fits = within(0, self.floor.each)
            && within(of_credential, self.floor.credential.min(offline_total))
            && within(self.total(), self.floor.total)
            && self.taken.len() < self.floor.payments;
        if fits { Ok(()) } else { Err(OfflineError::Floor) }
    }
}

impl Outstanding {
    /// `None` for a token that no band signs.
    pub(crate) fn new(token: &PaymentToken, digest: TokenDigest) -> Option<Self> {
        Some(Self {
            sale: token.request,
            token: digest,
            credential: token.credential,
            amount: token.amount,
            counter: token.counter,
            interval: interval(token)?,
        })
    }

    /// Whether the issuer can settle only one of both: the same counter, or intervals of the cumulative total that overlap.
    fn collides_with(&self, other: &Self) -> bool {
        let ((start, end), (other_start, other_end)) = (self.interval, other.interval);
        self.counter == other.counter || (start < other_end && other_start < end)
    }
}

/// What had been signed before the token, and with it. `None` where no band signs it: a total below the amount, or above 2⁶³ − 1.
fn interval(token: &PaymentToken) -> Option<(u64, u64)> {
    let end = i64::try_from(token.cumulative.0).ok()?.unsigned_abs();
    Some((token.interval_start()?.0, end))
}

/// The sum of what was admitted, which the total's limit has bounded.
fn sum<'a>(taken: impl Iterator<Item = &'a Outstanding>) -> u64 {
    taken.fold(0, |sum, taken| sum.saturating_add(taken.amount.minor()))
}
