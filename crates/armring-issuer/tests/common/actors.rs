//! Shops and bands, and what they sign, for the tests.

use armring_token::{
    Counter, Credential, Form, Minor, Object, Payee, Payment, PaymentRequest, PaymentToken, Refund, Signature, Signing,
    Unverified,
};
use armring_wire::*;
use ed25519_dalek::SigningKey;
use signature::MultipartSigner;

use super::{PRESSED, World, cny, later, random};

pub(crate) struct Shop {
    pub(crate) id: PayeeId,
    pub(crate) account: AccountPseudonym,
    pub(crate) signing: Signing<Payee, SigningKey>,
}

pub(crate) struct Band {
    pub(crate) account: AccountPseudonym,
    pub(crate) credential: Credential,
    pub(crate) signing: Signing<Payment, SigningKey>,
    pub(crate) counter: u32,
    pub(crate) cumulative: u64,
}

pub(crate) fn request_body(payee: PayeeRef, minor: u64, nonce: [u8; 16]) -> PaymentRequest<'static> {
    let memo = Text::new("tea for two").unwrap();
    PaymentRequest { form: Form, payee, amount: cny(minor), nonce, expiry: later(600), memo }
}

pub(crate) fn sign<'a, T: Object<'a>, S: MultipartSigner<Signature>>(
    object: &T,
    root: &RootFingerprint,
    key: &Signing<T::By, S>,
) -> Vec<u8> {
    let mut buffer = vec![0; T::MAX_LEN];
    object.sign(root, key, &mut buffer).unwrap().to_vec()
}

/// A refund of a payment to `payee`, of this much.
pub(crate) fn refund_body(payee: PayeeRef, token: TokenDigest, minor: u64, nonce: [u8; 16]) -> Refund {
    Refund { form: Form, payee, token, amount: cny(minor), nonce }
}

impl Shop {
    pub(crate) fn refund<L>(&self, world: &mut World<L>, token: TokenDigest, minor: u64) -> Vec<u8> {
        let nonce = random(&mut world.rng);
        sign(&refund_body(self.payee(), token, minor, nonce), &world.root, &self.signing)
    }

    pub(crate) fn payee(&self) -> PayeeRef {
        PayeeRef::Certificate(self.id)
    }

    pub(crate) fn request<L>(&self, world: &mut World<L>, minor: u64) -> Vec<u8> {
        let nonce = random(&mut world.rng);
        sign(&request_body(self.payee(), minor, nonce), &world.root, &self.signing)
    }
}

impl Band {
    pub(crate) fn payee(&self) -> PayeeRef {
        PayeeRef::Credential(self.credential.id)
    }

    /// Asks for money in the wearer's name.
    pub(crate) fn request<L>(&self, world: &mut World<L>, minor: u64) -> Vec<u8> {
        let nonce = random(&mut world.rng);
        sign(&request_body(self.payee(), minor, nonce), &world.root, &self.signing.as_payee())
    }

    /// What the band would sign next for this request.
    pub(crate) fn body(&self, root: &RootFingerprint, request: &[u8]) -> PaymentToken {
        let request = Unverified::<PaymentRequest<'_>>::parse(request).unwrap();
        let asked = request.claims();
        PaymentToken {
            form: Form,
            credential: self.credential.id,
            payee: asked.payee,
            request: request.request_digest(root),
            amount: asked.amount,
            counter: Counter(self.counter + 1),
            cumulative: Minor(self.cumulative + asked.amount.minor()),
            presence: PRESSED,
        }
    }

    /// Signs for this request, and counts.
    pub(crate) fn token<L>(&mut self, world: &World<L>, request: &[u8]) -> Vec<u8> {
        let body = self.body(&world.root, request);
        (self.counter, self.cumulative) = (body.counter.0, body.cumulative.0);
        self.sign(world, &body)
    }

    pub(crate) fn sign<L>(&self, world: &World<L>, body: &PaymentToken) -> Vec<u8> {
        sign(body, &world.root, &self.signing)
    }

    /// Signs for this request with something changed.
    pub(crate) fn token_with<L>(&self, world: &World<L>, request: &[u8], change: impl FnOnce(&mut PaymentToken)) -> Vec<u8> {
        let mut body = self.body(&world.root, request);
        change(&mut body);
        self.sign(world, &body)
    }
}
