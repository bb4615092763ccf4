//! The bodies of what is signed.

use armring_wire::records::{Assurance, CREDENTIAL_MAX, KEY_LIST_MAX, MEMO_MAX, NAME_MAX, OBJECT_MAX, REVOCATIONS_MAX};
use armring_wire::{
    AccountPseudonym, Amount, CredentialId, Currency, KeyId, Outcome, PayeeId, PayeeRef, RequestDigest, RootFingerprint, Text,
    TokenDigest, UnixTime, Validity,
};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

use crate::fields::{Counter, CredentialRights, Form, FreeCount, Gesture, Minor, PayeeRights, Presence, Sequence, Unlocking};
use crate::keylist::KeyList;
use crate::refund::{Refund, RefundReceipt};
use crate::revocation::RevocationList;
use crate::sign::{Issuer, Object, Payee, PayeeKey, Payment, PaymentKey, SIGNATURE_LEN, Unverified, Verified, object_digest};

/// What a payee is and may ask, signed by the issuer. At most 151 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct PayeeCertificate<'a> {
    /// 2.
    pub form: Form<2>,
    /// The issuer's key that signed it.
    pub key: KeyId,
    /// Names the payee.
    pub payee: PayeeId,
    /// The payee's key, 32 bytes.
    pub payee_key: [u8; 32],
    /// Shown to payers: at most 32 bytes.
    #[serde(borrow)]
    pub name: Text<'a, NAME_MAX>,
    /// The currency that it may ask for.
    pub currency: Currency,
    /// What it may ask.
    pub rights: PayeeRights,
    /// When.
    pub validity: Validity,
}

impl<'a> Object<'a> for PayeeCertificate<'a> {
    type By = Issuer;
    const LABEL: &'static str = "payee certificate";
}

impl PayeeCertificate<'_> {
    /// The payee's key; `None` where the issuer certified bytes that are none.
    #[must_use]
    pub fn payee_key(&self) -> Option<PayeeKey> {
        PayeeKey::from_bytes(self.payee_key)
    }
}

/// How much may be paid under a credential, and with how much effort. In minor units of its currency; 42 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct Limits {
    /// One payment.
    pub each: Minor,
    /// One payment with a press; above it a fresh unlock is needed as well.
    pub press: Minor,
    /// One payment without any gesture. Zero unless the band has a display or the issuer takes the risk.
    pub free: Minor,
    /// How many payments without a gesture there may be between two gestures.
    pub free_count: FreeCount,
    /// How much they may come to.
    pub free_total: Minor,
    /// How much may be outstanding in tokens that no receipt has answered yet.
    pub offline_total: Minor,
}

impl Limits {
    /// Whether one payment of `amount` is within the limits for a wearer who was present like this. Whoever judges a token holds it to this
    /// one rule, with network and without.
    #[must_use]
    pub fn allows(&self, amount: Minor, presence: Presence) -> bool {
        let by_gesture = match presence.gesture {
            Gesture::None => amount <= self.free && amount <= self.press,
            Gesture::Press => amount <= self.press,
            Gesture::FreshUnlock => true,
        };
        amount <= self.each && by_gesture && presence.unlocking != Unlocking::Locked
    }
}

/// What a band may do for an account, signed by the issuer. 169 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct Credential {
    /// 3.
    pub form: Form<3>,
    /// The issuer's key that signed it.
    pub key: KeyId,
    /// Names it.
    pub id: CredentialId,
    /// The band's payment key, 32 bytes, made for this credential alone.
    pub payment_key: [u8; 32],
    /// Stands for the account.
    pub account: AccountPseudonym,
    /// The one currency that it pays and receives in.
    pub currency: Currency,
    /// How much, and with how much effort.
    pub limits: Limits,
    /// How the link that it was enrolled over was made.
    pub assurance: Assurance,
    /// What it may do.
    pub rights: CredentialRights,
    /// When.
    pub validity: Validity,
}

impl Object<'_> for Credential {
    type By = Issuer;
    const LABEL: &'static str = "credential";
}

impl Credential {
    /// The band's payment key; `None` where the issuer certified bytes that are none.
    #[must_use]
    pub fn payment_key(&self) -> Option<PaymentKey> {
        PaymentKey::from_bytes(self.payment_key)
    }
}

/// What a payee asks for, signed by the payee: 105 bytes and a memo of at most 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct PaymentRequest<'a> {
    /// 4.
    pub form: Form<4>,
    /// Who is to be paid.
    pub payee: PayeeRef,
    /// How much.
    pub amount: Amount,
    /// 16 random bytes, which make the request one of a kind.
    pub nonce: [u8; 16],
    /// Until when it may be paid.
    pub expiry: UnixTime,
    /// Shown to the payer: at most 32 bytes.
    #[serde(borrow)]
    pub memo: Text<'a, MEMO_MAX>,
}

impl<'a> Object<'a> for PaymentRequest<'a> {
    type By = Payee;
    const LABEL: &'static str = "payment request";
}

/// What a band signs to pay: one amount to one payee, for one request. 139 bytes, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct PaymentToken {
    /// 5.
    pub form: Form<5>,
    /// The payer's credential.
    pub credential: CredentialId,
    /// Who is paid.
    pub payee: PayeeRef,
    /// For what.
    pub request: RequestDigest,
    /// How much.
    pub amount: Amount,
    /// How many tokens were signed under this credential, this one included. Each number is used once.
    pub counter: Counter,
    /// How much was ever signed under this credential, this token included, in minor units of its currency. Never reset.
    pub cumulative: Minor,
    /// How the wearer was present.
    pub presence: Presence,
}

impl Object<'_> for PaymentToken {
    type By = Payment;
    const LABEL: &'static str = "payment token";
}

impl PaymentToken {
    /// The length of a signed token, in bytes.
    pub const LEN: usize = 139;

    /// What the token is known by once it is signed.
    #[must_use]
    pub fn digest(&self, root: &RootFingerprint) -> TokenDigest {
        let mut body = [0; Self::LEN - SIGNATURE_LEN];
        let body = armring_wire::encode(self, &mut body).map_or(&[][..], |body| body);
        TokenDigest(object_digest(Self::LABEL, root, body))
    }

    /// How much was ever signed before this token: the lower end of its interval, (start, cumulative]. `None` where the token claims a
    /// total below its own amount.
    #[must_use]
    pub fn interval_start(&self) -> Option<Minor> {
        self.cumulative.0.checked_sub(self.amount.minor()).map(Minor)
    }
}

/// What the issuer decided about a token. 122 bytes, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct Receipt {
    /// 6.
    pub form: Form<6>,
    /// The issuer's key that signed it.
    pub key: KeyId,
    /// Which token.
    pub token: TokenDigest,
    /// What became of it.
    pub outcome: Outcome,
    /// How many tokens of this credential the issuer had answered, this one included.
    pub sequence: Sequence,
    /// When it was decided, by the issuer's clock.
    pub time: UnixTime,
    /// Up to which cumulative total the band may sign tokens for payees that cannot ask the issuer first.
    pub ceiling: Amount,
}

impl Object<'_> for Receipt {
    type By = Issuer;
    const LABEL: &'static str = "receipt";
}

/// Gives an object's digest a type of its own.
macro_rules! digest {
    ($object:ty, $digest:ident, $method:ident, $doc:literal) => {
        impl<'a> Unverified<'a, $object> {
            #[doc = $doc]
            #[must_use]
            pub fn $method(&self, root: &armring_wire::RootFingerprint) -> $digest {
                $digest(self.digest(root))
            }
        }

        impl<'a> Verified<$object> {
            #[doc = $doc]
            #[must_use]
            pub const fn $method(&self) -> $digest {
                $digest(*self.digest())
            }
        }
    };
}

pub(crate) use digest;

digest!(PaymentToken, TokenDigest, token_digest, "What the token is known by.");
digest!(PaymentRequest<'a>, RequestDigest, request_digest, "What the request is known by.");

const _: () = {
    assert!(PayeeCertificate::MAX_LEN <= OBJECT_MAX);
    assert!(PaymentRequest::MAX_LEN <= OBJECT_MAX);
    assert!(PaymentToken::MAX_LEN <= OBJECT_MAX && PaymentToken::LEN == 139);
    assert!(Receipt::MAX_LEN <= OBJECT_MAX);
    assert!(Refund::MAX_LEN <= OBJECT_MAX && RefundReceipt::MAX_LEN <= OBJECT_MAX);
    assert!(RevocationList::MAX_LEN <= REVOCATIONS_MAX);
    assert!(Credential::MAX_LEN <= CREDENTIAL_MAX);
    assert!(KeyList::MAX_LEN <= KEY_LIST_MAX);
};
