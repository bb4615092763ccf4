//! An issuer, a few shops, and many bands.

use armring_issuer::{
    EnrolmentKey, GroupCommit, GroupOptions, Issuer, Keys, Ledger, MachineError, Policy, SigningKey as OwnKey, sign_key_list,
};
use armring_pairing::DiffieHellman;
use armring_token::{
    Counter, Credential, CredentialRights, Epoch, Form, FreeCount, Gesture, KeyEntry, KeyUse, Limits, Minor, Object, Payee,
    PayeeCertificate, PayeeRights, Payment, PaymentRequest, PaymentToken, Presence, RootKey, Signing, Unlocking, Unverified,
};
use armring_wire::records::Assurance;
use armring_wire::*;
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::Result;
use crate::place::{Holder, Place, Shop};

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const UNTIL: UnixTime = UnixTime::from_secs(1_900_000_000);
const ALWAYS: Validity = Validity { from: UnixTime::from_secs(1_700_000_000), until: UNTIL };
const SHOPS: usize = 50;
/// How many requests are made in one second, and expire in one.
const EACH_SECOND: usize = 2_500;

/// What each payment is, in minor units.
pub(crate) const MINOR: u64 = 1;

/// What each has at first.
pub(crate) const WEALTH: i64 = 1_000_000;

/// A request and the token that answers it.
pub(crate) type Sent = (Vec<u8>, Vec<u8>);

pub(crate) type Front<L> = GroupCommit<L>;

pub(crate) struct People {
    root: RootKey,
    online: [u8; 32],
    bands: usize,
}

/// A key that everyone can work out: nothing here is secret.
fn key(kind: u8, number: usize) -> SigningKey {
    let mut seed = [kind; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    SigningKey::from_bytes(&seed)
}

/// Ids in an order of their own, as those that are drawn have.
pub(crate) fn id(kind: u8, number: usize) -> [u8; 8] {
    let mixed = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(kind).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9).to_be_bytes()
}

impl People {
    pub(crate) fn new(bands: usize) -> Self {
        let root = RootKey::from_bytes(key(b'r', 0).verifying_key().to_bytes()).expect("a key");
        Self { root, online: key(b'o', 0).to_bytes(), bands }
    }

    pub(crate) const fn len(&self) -> usize {
        self.bands
    }

    fn sign_as_issuer<'a, T: Object<'a, By = armring_token::Issuer>>(&self, object: &T) -> Vec<u8> {
        let mut buffer = vec![0; T::MAX_LEN];
        let signing = Signing::new(SigningKey::from_bytes(&self.online));
        object.sign(&self.root.fingerprint(), &signing, &mut buffer).expect("signs").to_vec()
    }

    /// Puts everyone into the ledger, past its interface: enrolling so many takes long and is not what is measured.
    pub(crate) fn move_in(&self, place: &mut impl Place) -> Result<()> {
        let shops: Vec<_> = (0..SHOPS).map(|number| self.shop(number)).collect();
        place.add_shops(&shops)?;
        for from in (0..self.bands).step_by(10_000) {
            let holders: Vec<_> = (from..self.bands.min(from + 10_000)).map(|number| self.holder(number)).collect();
            place.add_holders(&holders)?;
        }
        place.all_are_in(self.bands)
    }

    fn shop(&self, number: usize) -> Shop {
        let certificate = PayeeCertificate {
            form: Form,
            key: KeyId(1),
            payee: PayeeId(id(b's', number)),
            payee_key: key(b's', number).verifying_key().to_bytes(),
            name: Text::new("a shop").expect("short"),
            currency: Currency::CNY,
            rights: PayeeRights::PAYMENT,
            validity: ALWAYS,
        };
        Shop {
            id: certificate.payee,
            account: AccountPseudonym(id(b'S', number)),
            certificate: self.sign_as_issuer(&certificate),
        }
    }

    fn holder(&self, number: usize) -> Holder {
        let limits = Limits {
            each: Minor(1_000),
            press: Minor(500),
            free: Minor(0),
            free_count: FreeCount(0),
            free_total: Minor(0),
            offline_total: Minor(300),
        };
        let credential = Credential {
            form: Form,
            key: KeyId(1),
            id: CredentialId(id(b'c', number)),
            payment_key: key(b'c', number).verifying_key().to_bytes(),
            account: AccountPseudonym(id(b'a', number)),
            currency: Currency::CNY,
            limits,
            assurance: Assurance::ComparedCode,
            rights: CredentialRights::PAY,
            validity: ALWAYS,
        };
        Holder { number, object: self.sign_as_issuer(&credential), credential }
    }

    /// The next token of each band, after so many others.
    pub(crate) fn sign(&self, spent: usize) -> Vec<Sent> {
        (0..self.bands).map(|number| self.sign_one(number, spent)).collect()
    }

    fn sign_one(&self, number: usize, spent: usize) -> Sent {
        let root = self.root.fingerprint();
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&id(b'n', number));
        let payee = PayeeRef::Certificate(PayeeId(id(b's', number % SHOPS)));
        let (amount, memo) = (Amount::new(MINOR, Currency::CNY), Text::new("tea for two").expect("short"));
        let expiry = UnixTime::from_secs(NOW.as_secs() + 600 + u32::try_from(number / EACH_SECOND).expect("few"));
        let request = PaymentRequest { form: Form, payee, amount, nonce, expiry, memo };
        let mut buffer = vec![0; PaymentRequest::MAX_LEN];
        let shop = Signing::<Payee, _>::new(key(b's', number % SHOPS));
        let request = request.sign(&root, &shop, &mut buffer).expect("signs").to_vec();
        let digest = Unverified::<PaymentRequest<'_>>::parse(&request).expect("a request").request_digest(&root);
        let token = PaymentToken {
            form: Form,
            credential: CredentialId(id(b'c', number)),
            payee,
            request: digest,
            amount,
            counter: Counter(u32::try_from(spent + 1).expect("few")),
            cumulative: Minor((spent as u64 + 1) * MINOR),
            presence: Presence { minutes_worn: 9, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false },
        };
        let mut buffer = vec![0; PaymentToken::MAX_LEN];
        let band = Signing::<Payment, _>::new(key(b'c', number));
        (request, token.sign(&root, &band, &mut buffer).expect("signs").to_vec())
    }

    pub(crate) fn open_for_business<L: Ledger + Send + 'static>(&self, ledger: L, options: GroupOptions) -> Result<Front<L>> {
        let online = OwnKey::from_bytes(&self.online)?;
        let enrolment = EnrolmentKey::from_bytes(&[7; 32])?;
        let keys = [
            KeyEntry { id: KeyId(1), key_use: KeyUse::Signing, key: online.public_key(), validity: ALWAYS },
            KeyEntry { id: KeyId(2), key_use: KeyUse::Enrolment, key: *enrolment.public_key().as_bytes(), validity: ALWAYS },
        ];
        let key_list = sign_key_list(&self.root, &Signing::new(key(b'r', 0)), Epoch(1), (NOW, UNTIL), &keys)?;
        let keys = Keys { root: self.root, signing_id: KeyId(1), signing: Signing::new(online), enrolment, key_list };
        let issuer = Issuer::new(keys, Policy::default(), ledger, NOW)?;
        let mut seed = 0;
        let rng = || {
            seed += 1;
            ChaCha20Rng::seed_from_u64(seed)
        };
        Ok(GroupCommit::start(issuer, options, rng).map_err(|error: MachineError| Box::new(error))?)
    }
}
