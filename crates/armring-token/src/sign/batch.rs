//! Verifying many objects at once.

extern crate alloc;

use alloc::vec::Vec;

use armring_wire::RootFingerprint;
use ed25519_dalek::Signature;
use rand_core::TryCryptoRng;

use super::{Object, PublicKey, Unverified, Verified, object_digest, parts};
use crate::criterion::Equation;
use crate::criterion::batch::valid;
use crate::error::VerifyError;
use crate::hash::label_len;

/// Objects of one issuer that are verified together, faster than one by one.
///
/// The answer is the same as that of [`Unverified::verify`], for each object and whatever else is in the batch. A batch in which a signature
/// is invalid is bisected, so that each object gets its own answer.
///
/// An item is one [`Signed`] object, or a pair of items: what belongs together stays together.
///
/// ```
/// # use armring_token::{Object, Payee, Payment, PaymentKey, PayeeKey, PaymentRequest, PaymentToken, Root, RootKey, Signing, Verified};
/// # use armring_token::{Counter, Gesture, Minor, Presence, Unlocking, VerifyError};
/// # use armring_wire::{Amount, CredentialId, Currency, PayeeId, PayeeRef, RootFingerprint, Text, UnixTime};
/// # use ed25519_dalek::SigningKey;
/// use armring_token::{Batch, Unverified};
///
/// /// What came in at a counter since the last time: token, request, and the keys that they claim to be signed with.
/// fn verify(
///     root: RootFingerprint,
///     payments: &[(&[u8], PaymentKey, &[u8], PayeeKey)],
///     rng: &mut impl rand_core::TryCryptoRng,
/// ) -> Result<usize, armring_wire::DecodeError> {
///     let mut batch = Batch::new(root);
///     for (token, payer, request, payee) in payments {
///         let token = Unverified::<PaymentToken>::parse(token)?.signed_by(*payer);
///         let request = Unverified::<PaymentRequest>::parse(request)?.signed_by(*payee);
///         batch.push((token, request));
///     }
///     let verified = batch.verify(rng);
///     Ok(verified.iter().filter(|(token, request)| token.is_ok() && request.is_ok()).count())
/// }
/// # use rand_chacha::rand_core::SeedableRng;
/// # let root = RootKey::from_bytes(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()).ok_or("a key")?.fingerprint();
/// # let (shop, band) = (SigningKey::from_bytes(&[2; 32]), SigningKey::from_bytes(&[3; 32]));
/// # let shop_key = PayeeKey::from_bytes(shop.verifying_key().to_bytes()).ok_or("a key")?;
/// # let band_key = PaymentKey::from_bytes(band.verifying_key().to_bytes()).ok_or("a key")?;
/// # let (payee, amount) = (PayeeRef::Certificate(PayeeId(*b"teahouse")), Amount::new(12_50, Currency::CNY));
/// # let request = PaymentRequest {
/// #     form: Default::default(), payee, amount, nonce: [7; 16], expiry: UnixTime::from_secs(9), memo: Text::new("tea").ok_or("long")?,
/// # };
/// # let mut buffer = [0; PaymentRequest::MAX_LEN];
/// # let request = request.sign(&root, &Signing::<Payee, _>::new(shop), &mut buffer)?;
/// # let digest = Unverified::<PaymentRequest>::parse(request)?.request_digest(&root);
/// # let token = PaymentToken {
/// #     form: Default::default(), credential: CredentialId([1; 8]), payee, request: digest, amount, counter: Counter(1),
/// #     cumulative: Minor(12_50),
/// #     presence: Presence { minutes_worn: 1, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false },
/// # };
/// # let mut buffer = [0; PaymentToken::MAX_LEN];
/// # let token = token.sign(&root, &Signing::<Payment, _>::new(band), &mut buffer)?;
/// # let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
/// # assert_eq!(verify(root, &[(token, band_key, request, shop_key)], &mut rng)?, 1);
/// # assert_eq!(verify(root, &[(token, band_key, request, band_key.as_payee())], &mut rng)?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is verified until `verify`"]
pub struct Batch<I> {
    root: RootFingerprint,
    items: Vec<I>,
}

impl<I: Item> Batch<I> {
    /// An empty batch of objects of the issuer with this root.
    pub const fn new(root: RootFingerprint) -> Self {
        Self { root, items: Vec::new() }
    }

    /// Adds an item.
    pub fn push(&mut self, item: I) {
        self.items.push(item);
    }

    /// How many items there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Verifies all items; the verdicts are in the order in which the items were pushed.
    ///
    /// `rng` gives 16 bytes for each object. They must not be known to whoever made the objects, or invalid signatures can be made that cancel
    /// each other out. Where it fails, each object is verified by itself.
    ///
    /// From 16 objects on that takes half of the time that they take one by one, from 256 on less; if one of them is invalid, about as long as one by one;
    /// if most are, two to three times as long.
    pub fn verify<R: TryCryptoRng + ?Sized>(self, rng: &mut R) -> Vec<I::Verdict> {
        let mut signatures = private::Signatures(Vec::new());
        for item in &self.items {
            item.gather(&self.root, &mut signatures);
        }
        let mut valid = valid(&signatures.0, rng).into_iter();
        self.items.into_iter().map(|item| item.judge(&self.root, &mut valid)).collect()
    }
}

/// An object and the key that it is to be verified with.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a, T: Object<'a>> {
    object: Unverified<'a, T>,
    key: PublicKey<T::By>,
}

impl<'a, T: Object<'a>> Unverified<'a, T> {
    /// Makes this an item of a [`Batch`], to be verified with `key`.
    pub const fn signed_by(self, key: PublicKey<T::By>) -> Signed<'a, T> {
        Signed { object: self, key }
    }
}

/// What a [`Batch`] verifies, and what it answers: a [`Signed`] object, answered by `Result<Verified<T>, VerifyError>`; or a pair of items,
/// answered by the pair of their answers.
pub trait Item: private::Gather {}

impl<I: private::Gather> Item for I {}

/// What is nobody else's to call: an answer taken by the wrong object would make it [`Verified`].
mod private {
    use super::{Equation, RootFingerprint, Vec};

    pub struct Signatures(pub(super) Vec<([u8; 32], Option<Equation>)>);

    pub trait Gather {
        type Verdict;

        /// Adds key and equation of each of its objects.
        fn gather(&self, root: &RootFingerprint, signatures: &mut Signatures);

        /// Takes the answers for its objects, in the same order.
        fn judge(self, root: &RootFingerprint, valid: &mut impl Iterator<Item = bool>) -> Self::Verdict;
    }
}

impl<'a, T: Object<'a>> private::Gather for Signed<'a, T> {
    type Verdict = Result<Verified<T>, VerifyError>;

    fn gather(&self, root: &RootFingerprint, signatures: &mut private::Signatures) {
        let (key, len) = (&self.key.key, label_len(T::LABEL));
        let message = parts(&len, T::LABEL, root, self.object.bytes);
        signatures.0.push((*key.as_bytes(), Equation::new(key, &message, &Signature::from_bytes(self.object.signature))));
    }

    fn judge(self, root: &RootFingerprint, valid: &mut impl Iterator<Item = bool>) -> Self::Verdict {
        if valid.next() == Some(true) {
            Ok(Verified { body: self.object.body, digest: object_digest(T::LABEL, root, self.object.bytes) })
        } else {
            Err(VerifyError::Signature)
        }
    }
}

impl<A: private::Gather, B: private::Gather> private::Gather for (A, B) {
    type Verdict = (A::Verdict, B::Verdict);

    fn gather(&self, root: &RootFingerprint, signatures: &mut private::Signatures) {
        self.0.gather(root, signatures);
        self.1.gather(root, signatures);
    }

    fn judge(self, root: &RootFingerprint, valid: &mut impl Iterator<Item = bool>) -> Self::Verdict {
        (self.0.judge(root, valid), self.1.judge(root, valid))
    }
}
