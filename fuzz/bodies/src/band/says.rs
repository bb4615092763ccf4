//! What a wallet may say, rightly or not, as the input has it.

use std::sync::OnceLock;

use armring_pairing::DiffieHellman;
use armring_token::{Counter, Credential, Form, Gesture, Minor, PaymentRequest, PaymentToken, Presence, Unlocking, Unverified};
use armring_wire::records::OBJECT_MAX;
use armring_wire::records::band::ToBand;
use armring_wire::{CredentialId, EnrolmentCode, Opaque, Outcome, PayeeRef, Text, UnixTime};

use super::life::Life;
use super::peer::{Line, encoded};
use crate::cast::{self, ISSUER, SHOP, Shared, TEAHOUSE};
use crate::input::Input;

/// Below and above the limits for nothing, for a press and for each payment.
const AMOUNTS: [u64; 8] = [1, 40, 90, 1_500, 5_000, 5_001, 10_000, 10_001];

impl Life {
    /// Something that a wallet may say.
    pub(super) fn says(&mut self, input: &mut Input<'_>) {
        let which = input.below(24);
        let epoch = input.below(3);
        let number = input.below(AMOUNTS.len() * 2);
        let mut request = requests()[number].clone();
        if input.below(16) == 0 {
            input.alter(&mut request);
        }
        let lists = key_lists();
        let key_list = Opaque::new(&lists[epoch]).unwrap();
        request.truncate(OBJECT_MAX);
        let receipt = self.receipt(input);
        let token = self.room.token.clone().unwrap_or_default();
        let (received, word) = if which == 6 && input.any() { self.paid() } else { (token, receipt.clone()) };
        let request = Opaque::new(&request).unwrap();
        let memo = Text::new("for tea").unwrap();
        let record = match which {
            0 => ToBand::Status,
            1 => ToBand::Enrol { code: EnrolmentCode([input.any::<u8>() % 3; 16]), key_list },
            2 => ToBand::KeyList(key_list),
            3 => ToBand::Unlock,
            4 => ToBand::Receive { amount: cast::yuan(AMOUNTS[epoch]), expiry: UnixTime::from_secs(3_000), memo },
            5 => ToBand::Paid { receipt: Opaque::new(&receipt).unwrap() },
            6 => ToBand::Received { token: Opaque::new(&received).unwrap(), receipt: Opaque::new(&word).unwrap() },
            7 => ToBand::Cancel,
            8 => ToBand::Unpair,
            9 => ToBand::UnpairOthers,
            10 => ToBand::Replace,
            11 => ToBand::Unknown(input.any()),
            12 => ToBand::Generation { generation: input.any(), lost: input.any() },
            13 => ToBand::Confirm { share: [input.any(); 32] },
            14 => ToBand::FromIssuer(Opaque::new(input.bytes(100)).unwrap()),
            15..18 => {
                // That of whoever asks, a shop or a wearer, or of the other.
                let certificate = &certificates()[(number + usize::from(input.below(8) == 7)) % 2];
                ToBand::PayTo { request, certificate: Opaque::new(certificate).unwrap() }
            }
            _ => ToBand::Pay { request },
        };
        self.say(&record);
    }

    pub(super) fn say(&mut self, record: &ToBand<'_>) {
        if let Line::Wallet(connection) = &mut self.room.line {
            if connection.say(record).is_ok() {
                self.room.rules.wallet_says(record);
            }
            return self.room.settle_down();
        }
        self.seal_and_utter(&encoded(record));
    }

    /// The wearer was paid what the last request that the band signed asks for: the token of somebody, and its receipt.
    fn paid(&self) -> (Vec<u8>, Vec<u8>) {
        let request = self.room.request.as_deref().and_then(|request| Unverified::<PaymentRequest<'_>>::parse(request).ok());
        let Some(request) = request else { return (Vec::new(), Vec::new()) };
        let PaymentRequest { payee, amount, .. } = *request.claims();
        let token = PaymentToken {
            form: Form,
            credential: NEIGHBOR,
            payee,
            request: request.request_digest(&cast::root()),
            amount,
            counter: Counter(1),
            cumulative: Minor(amount.minor()),
            presence: Presence { minutes_worn: 9, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false },
        };
        let token = cast::sign(&token, SHOP);
        let digest = Unverified::<PaymentToken>::parse(&token).unwrap().token_digest(&cast::root());
        (token, cast::receipt(digest, Outcome::Settled, 9_000))
    }

    /// A receipt for the last token that was seen, or one that was never signed.
    fn receipt(&self, input: &mut Input<'_>) -> Vec<u8> {
        let token = self.room.token.as_deref().and_then(|token| Unverified::<PaymentToken>::parse(token).ok());
        let Some(digest) = token.map(|token| token.token_digest(&cast::root())) else { return Vec::new() };
        let outcome = Outcome::from(input.any::<u8>() % 4);
        let mut receipt = cast::receipt(digest, outcome, u64::from(input.any::<u16>()));
        if input.below(8) == 0 {
            input.alter(&mut receipt);
            receipt.truncate(OBJECT_MAX);
        }
        receipt
    }
}

/// The wearer who asks for some payments, as the shop that asks for the others is: with the shop's key.
const NEIGHBOR: CredentialId = CredentialId(*b"neighbor");

/// Two of each amount, of a shop and of a wearer; and the last, which is paid at the end.
pub(super) fn requests() -> &'static [Vec<u8>] {
    static REQUESTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    REQUESTS.get_or_init(|| {
        let payees = [PayeeRef::Certificate(TEAHOUSE), PayeeRef::Credential(NEIGHBOR)];
        let mut nonce = 0;
        let mut request = |payee, minor, seconds| {
            nonce += 1;
            let (amount, expiry) = (cast::yuan(minor), UnixTime::from_secs(seconds));
            let memo = Text::new("tea").unwrap();
            cast::sign(&PaymentRequest { form: Form, payee, amount, nonce: [nonce; 16], expiry, memo }, SHOP)
        };
        let mut all: Vec<_> = AMOUNTS.into_iter().flat_map(|minor| payees.map(|payee| (payee, minor))).collect();
        all.push((payees[0], 100));
        all.into_iter().map(|(payee, minor)| request(payee, minor, 50_000)).collect()
    })
}

fn key_lists() -> &'static [Vec<u8>; 3] {
    static LISTS: OnceLock<[Vec<u8>; 3]> = OnceLock::new();
    LISTS.get_or_init(|| [0, 1, 2].map(|epoch| cast::key_list(epoch, *Shared::issuer().public_key().as_bytes())))
}

/// The shop's, and the other wearer's credential.
fn certificates() -> &'static [Vec<u8>; 2] {
    static CERTIFICATES: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    CERTIFICATES.get_or_init(|| {
        let body = cast::credential_body(cast::signer(SHOP).verifying_key().to_bytes());
        [cast::certificate(), cast::sign(&Credential { id: NEIGHBOR, ..body }, ISSUER)]
    })
}
