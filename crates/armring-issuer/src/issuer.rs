//! The issuer: its keys, its policy and its ledger; and what moves money.

use core::fmt;
use core::ops::ControlFlow;

use armring_pairing::DiffieHellman;
use armring_token::{Epoch, Signature};
use armring_wire::records::issuer::Refusal;
use armring_wire::{AccountPseudonym, Amount, Currency, RootFingerprint, UnixTime};
use rand_core::TryCryptoRng;
use signature::MultipartSigner;

use crate::error::{CallerError, Error, MachineError};
use crate::keys::{CheckedKeys, Keys, draw};
use crate::ledger::{Account, AccountState, Answer, DepositRef, Entry, Ledger, RefundAnswer, RefundTerms, Terms};
use crate::makers::{Makers, NoMakers};
use crate::policy::Policy;
use crate::provider::{EnrolmentKey, SigningKey};
use crate::redeem::{self, VerifiedPayment};
use crate::refund::{self, VerifiedRefund};

/// A payment service: what it signs with, what it allows, and what it has written down.
///
/// It holds no socket, no clock and no thread. Bytes from wallets and payees go through [`handle`](Self::handle); everything else is for the
/// operator, behind the operator's own sign-in.
pub struct Issuer<L, S = SigningKey, D = EnrolmentKey> {
    pub(crate) keys: CheckedKeys<S, D>,
    pub(crate) policy: Policy,
    pub(crate) ledger: L,
    pub(crate) makers: Box<dyn Makers + Send + Sync>,
}

impl<L: Ledger, S: MultipartSigner<Signature>, D: DiffieHellman> Issuer<L, S, D> {
    /// An issuer with these keys.
    ///
    /// # Errors
    /// [`CallerError::KeyList`] or [`CallerError::KeyNotListed`] where nobody would accept at `now` what these keys sign;
    /// [`MachineError::Signer`].
    pub fn new(keys: Keys<S, D>, policy: Policy, ledger: L, now: UnixTime) -> Result<Self, Error> {
        Ok(Self { keys: CheckedKeys::new(keys, now)?, policy, ledger, makers: Box::new(NoMakers) })
    }

    /// Takes newer keys in place of those that it has: a rotation. What the older ones signed is good for as long as the key list has them, so
    /// leave them in it until then, the newest enrolment key first, and publish the list before the new keys sign.
    ///
    /// An enrolment whose handshake is over goes on; one whose first message is for an older enrolment key is refused, and its wallet asks for
    /// the key list anew.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`CallerError::KeyList`] with a lower epoch or of another root.
    pub fn set_keys(&mut self, keys: Keys<S, D>, now: UnixTime) -> Result<(), Error> {
        self.keys = CheckedKeys::new(keys, now)?.not_older_than(&self.keys)?;
        Ok(())
    }

    /// Opens an account without money and names it.
    ///
    /// # Errors
    /// The machine's alone.
    pub fn open_account(&mut self, currency: Currency, rng: &mut impl TryCryptoRng) -> Result<AccountPseudonym, Error> {
        let account = AccountPseudonym(draw(rng)?);
        self.ledger.open_account(account, currency)?;
        Ok(account)
    }

    /// Credits an account with money that came from outside. The same deposit again does nothing, so that it is safe to repeat.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`], [`CallerError::Amount`]; [`CallerError::ReferenceUsed`] where the reference stands for another deposit.
    pub fn deposit(
        &mut self,
        account: AccountPseudonym,
        amount: Amount,
        reference: DepositRef,
        now: UnixTime,
    ) -> Result<(), Error> {
        self.ledger.deposit(account, amount, reference, now)
    }

    /// How an account stands.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`].
    pub fn account(&self, account: AccountPseudonym) -> Result<Account, Error> {
        self.ledger.account(account)?.ok_or_else(|| CallerError::UnknownAccount.into())
    }

    /// Blocks an account, so that it neither pays nor is paid, or opens it again.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`].
    pub fn set_account_state(&mut self, account: AccountPseudonym, state: AccountState) -> Result<(), Error> {
        self.ledger.set_account_state(account, state)
    }

    /// Tells every entry of an account, the oldest first, one after the other, until `tell` has enough. They may be more than fit into memory.
    ///
    /// # Errors
    /// [`CallerError::UnknownAccount`].
    pub fn statement(&self, account: AccountPseudonym, mut tell: impl FnMut(Entry) -> ControlFlow<()>) -> Result<(), Error> {
        self.account(account)?;
        Ok(self.ledger.statement(account, &mut tell)?)
    }

    /// Verifies a token and the request that it answers: every signature, and that they speak of the same payment. Changes nothing. The
    /// inner error is what to answer.
    ///
    /// # Errors
    /// The machine's alone.
    pub fn verify(&self, request: &[u8], token: &[u8]) -> Result<Result<VerifiedPayment, Refusal>, MachineError> {
        redeem::verify(self.keys.root(), &self.ledger, request, token)
    }

    /// Answers payments that verified, in order and for good, all in one transaction.
    ///
    /// # Errors
    /// The machine's alone. Nothing was then recorded, of any of them.
    pub fn settle(&mut self, payments: &[VerifiedPayment], now: UnixTime) -> Result<Vec<Answer>, MachineError> {
        let keys = &self.keys;
        let sign = |ruling: &_| keys.sign_receipt(ruling, now);
        self.ledger.settle(payments, &Terms { now, policy: &self.policy, sign: &sign })
    }

    /// As [`settle`](Self::settle), with [`Ledger::settle_early`].
    pub(crate) fn settle_early(&mut self, payments: &[VerifiedPayment], now: UnixTime) -> Result<Vec<Answer>, MachineError> {
        let keys = &self.keys;
        let sign = |ruling: &_| keys.sign_receipt(ruling, now);
        self.ledger.settle_early(payments, &Terms { now, policy: &self.policy, sign: &sign })
    }

    /// Verifies a refund with the key of the payee that it names. Changes nothing. The inner error is what to answer.
    ///
    /// # Errors
    /// The machine's alone.
    pub fn verify_refund(&self, refund: &[u8]) -> Result<Result<VerifiedRefund, Refusal>, MachineError> {
        refund::verify(self.keys.root(), &self.ledger, refund)
    }

    /// Answers a refund that verified, for good: money goes back from the payee to the payer, and frees no counter, total or limit. The inner
    /// error is [`Refusal::UnknownPayment`] where this payee was not to be paid with such a token: nothing was then recorded.
    ///
    /// # Errors
    /// The machine's alone. Nothing was then recorded.
    pub fn refund(&mut self, refund: &VerifiedRefund, now: UnixTime) -> Result<Result<RefundAnswer, Refusal>, MachineError> {
        let keys = &self.keys;
        let sign = |ruling: &_| keys.sign_refund_receipt(ruling, now);
        Ok(self.ledger.refund(refund, &RefundTerms { now, sign: &sign })?.ok_or(Refusal::UnknownPayment))
    }

    /// Signs a part of the revocation list: what came since the epoch `since`, or everything where `since` is 0 or an epoch that has not been.
    /// The inner error is [`Refusal::NoSuchPart`].
    ///
    /// Parts with the same epoch and `since` are of the same list. Where the epoch has moved on between two parts, begin anew.
    ///
    /// # Errors
    /// The machine's alone.
    pub fn revocation_list(&self, since: Epoch, part: u16, now: UnixTime) -> Result<Result<Vec<u8>, Refusal>, MachineError> {
        let Some(part) = self.ledger.revoked(since, part)? else { return Ok(Err(Refusal::NoSuchPart)) };
        self.keys.sign_revocations(&part, self.policy.revocation_period, now).map(Ok)
    }
}

impl<L, S, D> Issuer<L, S, D> {
    /// What the issuer is known by.
    pub const fn root(&self) -> &RootFingerprint {
        self.keys.root()
    }

    /// The signed key list.
    pub fn key_list(&self) -> &[u8] {
        self.keys.key_list()
    }

    /// What it allows.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Allows something else from now on.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Listens to these makers of bands from now on. A new issuer listens to none.
    pub fn set_makers(&mut self, makers: impl Makers + Send + Sync + 'static) {
        self.makers = Box::new(makers);
    }

    /// Its ledger.
    pub const fn ledger(&self) -> &L {
        &self.ledger
    }

    /// Its ledger, to keep or to close it.
    pub fn into_ledger(self) -> L {
        self.ledger
    }
}

impl<L: fmt::Debug, S, D> fmt::Debug for Issuer<L, S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("keys", &self.keys).field("policy", &self.policy).field("ledger", &self.ledger).finish()
    }
}
