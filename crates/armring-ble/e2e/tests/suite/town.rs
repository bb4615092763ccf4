//! Everybody: an issuer, a shop, a band on a wrist, its phone, and the air between them.

use armring_band::{Face, Gesture, Signal};
use armring_ble_e2e::air::Air;
use armring_ble_e2e::bracelet::{Act, Bracelet};
use armring_ble_e2e::phone::{Call, Over, Phone};
use armring_pairing::PairingLabel;
use armring_token::{
    Counter, Form, Gesture as Made, Minor, Object, Payment, PaymentRequest, PaymentToken, Presence, RootKey, Signing, Unlocking,
    Unverified,
};
use armring_wallet::Event;
use armring_wire::records::band::{Awaited, ToBand};
use armring_wire::{Amount, CredentialId, Currency, Opaque, Outcome, Text};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

// The issuer that the wallet's own tests have.
#[allow(dead_code, unreachable_pub, reason = "it serves other tests as well")]
#[path = "../../../../armring-wallet/tests/suite/common/issuer.rs"]
pub(crate) mod issuer;

use issuer::{CODE, Shop, TestIssuer, at};

/// The controllers: the band's, the phone's, and somebody else's.
pub(crate) const BAND: usize = 0;
const PHONE: usize = 1;
pub(crate) const OTHER: usize = 2;

pub(crate) struct Town {
    pub(crate) air: Air,
    pub(crate) band: Bracelet,
    pub(crate) phone: Phone,
    pub(crate) issuer: TestIssuer,
    pub(crate) shop: Shop,
    pub(crate) rng: ChaCha20Rng,
}

impl Town {
    /// Nobody is paired.
    pub(crate) fn new(att_mtu: u16, face: Face) -> Self {
        Self::over(Air::with(3), att_mtu, face)
    }

    /// Nobody is paired, over this air.
    pub(crate) fn over(air: Air, att_mtu: u16, face: Face) -> Self {
        Self::around(air, att_mtu, |port, root| Bracelet::new(port, root, face))
    }

    /// The same, with a band on this controller that has this root.
    pub(crate) fn around(air: Air, att_mtu: u16, band: impl FnOnce(u16, RootKey) -> Bracelet) -> Self {
        let issuer = TestIssuer::new();
        let mut band = band(air.port(BAND), issuer.root_key());
        band.start();
        let phone = Phone::new(air.port(PHONE), att_mtu, 2);
        Self { air, band, phone, issuer, shop: Shop::new(), rng: ChaCha20Rng::seed_from_u64(3) }
    }

    /// Paired by code.
    pub(crate) async fn paired(att_mtu: u16) -> Self {
        let mut town = Self::new(att_mtu, Face::Lights);
        town.pair().await;
        town
    }

    /// Paired, worn, unlocked, and enrolled.
    pub(crate) async fn ready(att_mtu: u16) -> Self {
        let mut town = Self::paired(att_mtu).await;
        town.put_on().await;
        town.enrol().await;
        town
    }

    pub(crate) async fn enrol(&mut self) {
        let Self { phone, issuer, band, rng, .. } = self;
        let mut call = phone.reconnect().await;
        enrol(&mut call, issuer, rng).await.unwrap();
        band.told_digits().await;
        call.hang_up().await;
    }

    /// Pairs by the secret that a display shows.
    pub(crate) async fn scan(&mut self) {
        let label = self.open_window_with_label().await;
        let mut call = self.phone.scan(label).await;
        let Ok(Event::Paired(_)) = call.next().await else { panic!("not paired") };
        call.hang_up().await;
        self.band.told(Signal::Paired).await;
    }

    /// Opens the window of a band with a display, which shows this.
    pub(crate) async fn open_window_with_label(&mut self) -> PairingLabel {
        self.band.gesture(Gesture::Hold);
        loop {
            let told = self.band.tells().await;
            if told.signal == Signal::PairingOpen {
                return told.label.unwrap();
            }
        }
    }

    pub(crate) async fn open_window(&mut self) {
        self.band.gesture(Gesture::Hold);
        self.band.told(Signal::PairingOpen).await;
    }

    /// Pairs by code.
    pub(crate) async fn pair(&mut self) {
        self.open_window().await;
        let mut call = self.phone.pair().await;
        let Ok(Event::Code(code)) = call.next().await else { panic!("no code") };
        let shown = self.band.tells().await.signal;
        assert_eq!(shown, Signal::Code(code), "both show the same");
        call.accept_code();
        self.band.gesture(Gesture::Press);
        let Ok(Event::Paired(_)) = call.next().await else { panic!("not paired") };
        call.hang_up().await;
        self.band.told(Signal::Paired).await;
    }

    pub(crate) async fn put_on(&mut self) {
        self.band.does(Act::PutOn);
        self.band.does(Act::Recognised);
        self.band.told(Signal::Unlocked).await;
    }

    /// Pays over a call, up to the token.
    pub(crate) async fn pays(call: &mut Call<'_>, band: &mut Bracelet, request: &[u8]) -> Result<Vec<u8>, Over> {
        Self::has_signed(call, band, &ToBand::Pay { request: Opaque::new(request).unwrap() }).await
    }

    async fn has_signed(call: &mut Call<'_>, band: &mut Bracelet, asked: &ToBand<'_>) -> Result<Vec<u8>, Over> {
        call.say(asked);
        match call.next().await? {
            Event::Waiting(Awaited::PayGesture) => {}
            // Asked again for what it signed, the band gives the same token at once.
            Event::Token(token) => return Ok(token),
            other => panic!("{other:?}"),
        }
        band.gesture(Gesture::Press);
        match call.next().await? {
            Event::Token(token) => Ok(token),
            other => panic!("{other:?}"),
        }
    }

    /// A payment from the request to the wrist, over a connection of its own: what works if the link does.
    pub(crate) async fn pays_from_scratch(&mut self) {
        let request = self.shop.asks(1_250);
        let certificate = self.issuer.certificate(&self.shop, |_| {});
        let asked = Opaque::new(&request).unwrap();
        let asked = match self.band.face() {
            Face::Display => ToBand::PayTo { request: asked, certificate: Opaque::new(&certificate).unwrap() },
            _ => ToBand::Pay { request: asked },
        };
        let mut call = self.phone.reconnect().await;
        linked(&mut call).await;
        let token = Self::has_signed(&mut call, &mut self.band, &asked).await.unwrap();
        let receipt = self.issuer.receipt(&token, Outcome::Settled, 2_000, 9_000);
        call.say(&ToBand::Paid { receipt: Opaque::new(&receipt).unwrap() });
        let Ok(Event::Noted) = call.next().await else { panic!("the band took no note") };
        call.hang_up().await;
        while !matches!(self.band.tells().await.signal, Signal::Paid(Outcome::Settled, _)) {}
    }

    /// Pairs, by what the band can show, enrols and pays: what works if the band is as new.
    pub(crate) async fn works_from_scratch(&mut self) {
        match self.band.face() {
            Face::Display => self.scan().await,
            _ => self.pair().await,
        }
        self.put_on().await;
        self.enrol().await;
        self.pays_from_scratch().await;
    }

    /// The wearer is paid, over a connection of its own.
    pub(crate) async fn is_paid(&mut self) {
        let Self { phone, band, issuer, .. } = self;
        let mut call = phone.reconnect().await;
        is_paid(&mut call, band, issuer).await.unwrap();
        band.told(Signal::Received(PAID)).await;
        call.hang_up().await;
    }
}

/// Waits until records can be said; says whether somebody else has used the link.
pub(crate) async fn linked(call: &mut Call<'_>) {
    match call.next().await {
        Ok(Event::Linked { used_elsewhere: false }) => {}
        other => panic!("{other:?}"),
    }
}

/// Resumes, and hears what the band says to that.
pub(crate) async fn resumes(phone: &mut Phone) -> Call<'_> {
    let mut call = phone.resume().await;
    linked(&mut call).await;
    let Ok(Event::Status(_)) = call.next().await else { panic!("no status") };
    call
}

/// From the reconnect to the credential, as far as the phone is there for it.
pub(crate) async fn enrol(call: &mut Call<'_>, issuer: &mut TestIssuer, rng: &mut ChaCha20Rng) -> Result<(), Over> {
    let Event::Linked { .. } = call.next().await? else { panic!("not linked") };
    let list = issuer.key_list();
    call.say(&ToBand::Enrol { code: CODE, key_list: Opaque::new(&list).unwrap() });
    loop {
        let answer = match call.next().await? {
            Event::EnrolStart { versions, message } => issuer.begin(versions, &message, rng),
            Event::ToIssuer(message) => issuer.answer(&message),
            Event::Enrolled(_) => return Ok(()),
            other => panic!("{other:?}"),
        };
        call.say(&ToBand::FromIssuer(Opaque::new(&answer.unwrap()).unwrap()));
    }
}

/// What a friend pays the wearer.
pub(crate) const PAID: Amount = Amount::new(2_000, Currency::CNY);

/// From the reconnect to the note that money came, as far as the phone is there for it.
pub(crate) async fn is_paid(call: &mut Call<'_>, band: &Bracelet, issuer: &TestIssuer) -> Result<(), Over> {
    let Event::Linked { .. } = call.next().await? else { panic!("not linked") };
    call.say(&ToBand::Receive { amount: PAID, expiry: at(9_000), memo: Text::new("the taxi").unwrap() });
    let Event::Waiting(Awaited::ReceiveGesture) = call.next().await? else { panic!("does not wait") };
    band.gesture(Gesture::DoublePress);
    let Event::Request(request) = call.next().await? else { panic!("no request") };
    let token = payment(&request, issuer);
    let receipt = issuer.receipt(&token, Outcome::Settled, 2_000, 0);
    let (token, receipt) = (Opaque::new(&token).unwrap(), Opaque::new(&receipt).unwrap());
    call.say(&ToBand::Received { token, receipt });
    let Event::Noted = call.next().await? else { panic!("took no note") };
    Ok(())
}

/// A friend's token for `request`.
fn payment(request: &[u8], issuer: &TestIssuer) -> Vec<u8> {
    let request = Unverified::<PaymentRequest<'_>>::parse(request).unwrap();
    let token = PaymentToken {
        form: Form,
        credential: CredentialId(*b"a friend"),
        payee: request.claims().payee,
        request: request.request_digest(&issuer.fingerprint()),
        amount: PAID,
        counter: Counter(1),
        cumulative: Minor(2_000),
        presence: Presence { minutes_worn: 1, unlocking: Unlocking::Pin, gesture: Made::Press, online_only: false },
    };
    let key = Signing::<Payment, _>::new(SigningKey::from_bytes(&[8; 32]));
    token.sign(&issuer.fingerprint(), &key, &mut [0; PaymentToken::LEN]).unwrap().to_vec()
}

pub(crate) trait Digits {
    async fn told_digits(&mut self);
}

impl Digits for Bracelet {
    async fn told_digits(&mut self) {
        while !matches!(self.tells().await.signal, Signal::EnrolmentDigits(_)) {}
    }
}
