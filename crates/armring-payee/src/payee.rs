//! Whoever has a payee certificate: a shop, or a person who sells.

use armring_token::{
    Epoch, Form, KeyList, Object, Payee as PayeeUse, PayeeCertificate, PayeeKey, PayeeRights, PaymentRequest, RootKey, Signature,
    Signing, Unverified, Verified, VerifyError,
};
use armring_wire::records::OBJECT_MAX;
use armring_wire::{Amount, Currency, PayeeRef, RootFingerprint, Text, UnixTime, Validity};
use rand_core::TryCryptoRng;
use signature::MultipartSigner;

use crate::error::Error;
use crate::sale::Sale;

/// A payee: its certificate, its key, and the issuer's keys to check receipts with.
pub struct Payee<S> {
    root: RootKey,
    fingerprint: RootFingerprint,
    key_list: Verified<KeyList>,
    certificate: Vec<u8>,
    reference: PayeeRef,
    currency: Currency,
    validity: Validity,
    signing: Signing<PayeeUse, S>,
}

impl<S: MultipartSigner<Signature>> Payee<S> {
    /// A payee with the certificate that the issuer with this `root` gave it. That `signing` is with the certificate's key is tried once.
    ///
    /// # Errors
    /// [`Error::NotVerified`] where the key list or the certificate does not verify, [`Error::OtherKey`] where the certificate is for another
    /// key, [`Error::NotAllowed`] where it does not allow to ask for payments, [`Error::Signer`] where the signer fails.
    pub fn new(root: RootKey, key_list: &[u8], certificate: &[u8], signing: Signing<PayeeUse, S>) -> Result<Self, Error> {
        let fingerprint = root.fingerprint();
        let key_list = Unverified::<KeyList>::parse(key_list).map_err(VerifyError::from)?.verify(&fingerprint, &root)?;
        let unverified = Unverified::<PayeeCertificate<'_>>::parse(certificate).map_err(VerifyError::from)?;
        let issuer = key_list.signing_key(unverified.claims().key, unverified.claims().validity.from)?;
        let verified = unverified.verify(&fingerprint, &issuer)?;
        let key = verified.payee_key().ok_or(VerifyError::Key)?;
        if !verified.rights.allows(PayeeRights::PAYMENT) {
            return Err(Error::NotAllowed);
        }
        let (reference, currency) = (PayeeRef::Certificate(verified.payee), verified.currency);
        let validity = verified.validity;
        signs_with(&signing, &key, reference, currency, &fingerprint)?;
        Ok(Self { root, fingerprint, key_list, certificate: certificate.to_vec(), reference, currency, validity, signing })
    }

    /// What the certificate calls this payee.
    #[must_use]
    pub const fn reference(&self) -> PayeeRef {
        self.reference
    }

    pub(crate) const fn signing(&self) -> &Signing<PayeeUse, S> {
        &self.signing
    }

    /// The issuer's keys, as last heard.
    pub const fn key_list(&self) -> &Verified<KeyList> {
        &self.key_list
    }

    /// The epoch of the key list.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.key_list.body().epoch
    }

    /// Takes a newer key list.
    ///
    /// # Errors
    /// [`Error::NotVerified`] where it does not verify or is of a lower epoch; the payee keeps the one that it has.
    pub fn take_key_list(&mut self, object: &[u8]) -> Result<(), Error> {
        let list = Unverified::<KeyList>::parse(object).map_err(VerifyError::from)?.verify(&self.fingerprint, &self.root)?;
        self.key_list = list.not_older_than(self.epoch())?;
        Ok(())
    }

    /// Asks for `amount`, payable from `now` until `expiry`.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] where the certificate is not valid now or is for another currency, [`Error::Request`] for a bad amount or memo,
    /// [`Error::Randomness`], [`Error::Signer`].
    pub fn request<R: TryCryptoRng>(
        &self,
        amount: Amount,
        memo: &str,
        (now, expiry): (UnixTime, UnixTime),
        rng: &mut R,
    ) -> Result<Sale, Error> {
        if amount.currency() != self.currency || !self.validity.contains(now) {
            return Err(Error::NotAllowed);
        }
        let memo = Text::new(memo).filter(|_| !amount.is_zero() && now < expiry).ok_or(Error::Request)?;
        let mut nonce = [0; 16];
        rng.try_fill_bytes(&mut nonce).map_err(|_| Error::Randomness)?;
        let request = PaymentRequest { form: Form, payee: self.reference, amount, nonce, expiry, memo };
        let mut buffer = [0; OBJECT_MAX];
        let object = request.sign(&self.fingerprint, &self.signing, &mut buffer)?;
        Ok(Sale::new(object, &self.certificate, &self.fingerprint)?)
    }
}

/// Tries whether `signing` signs with `key`, on a request for nothing that expired in 1970: nobody can do anything with it.
fn signs_with<S: MultipartSigner<Signature>>(
    signing: &Signing<PayeeUse, S>,
    key: &PayeeKey,
    payee: PayeeRef,
    currency: Currency,
    root: &RootFingerprint,
) -> Result<(), Error> {
    let (amount, expiry, memo) = (Amount::new(0, currency), UnixTime::EPOCH, Text::new("").ok_or(Error::Request)?);
    let request = PaymentRequest { form: Form, payee, amount, nonce: [0; 16], expiry, memo };
    let mut buffer = [0; OBJECT_MAX];
    let object = request.sign(root, signing, &mut buffer)?;
    let unverified = Unverified::<PaymentRequest<'_>>::parse(object).map_err(VerifyError::from)?;
    unverified.verify(root, key).map(|_| ()).map_err(|_| Error::OtherKey)
}

impl<S> core::fmt::Debug for Payee<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Payee").field("reference", &self.reference).finish_non_exhaustive()
    }
}
