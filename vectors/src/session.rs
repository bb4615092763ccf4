//! A band's whole day, as its host sees it: what happened to it, which random bytes it drew, and what it said, from the pairing to the money
//! that comes. Whoever writes a band again can play it; `cargo xtask budget` plays it on a microcontroller and counts.

mod issuer;

use std::convert::Infallible;

use armring_band::{Band, Event, Gesture, Output, Signal, SoftwareKeys};
use armring_pairing::{Link, ResumeTicket, SoftwareKey};
use armring_token::RootKey;
use armring_wallet::{Connection, Event as Told, Output as Wanted};
use armring_wire::records::band::ToBand;
use armring_wire::{ATT_PAYLOAD_MAX, Amount, AttPayload, Currency, EnrolmentCode, Opaque, Text, UnixTime, Uptime};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{TryCryptoRng, TryRng};
use serde_json::{Value, json};

use crate::seed::{bytes, hex, rng};
use issuer::Issuer;

/// Bytes of one write or notification.
const PAYLOAD: usize = 182;
/// The time goes on by this much with each event, in milliseconds.
const STEP: u64 = 10;

pub(crate) fn vectors() -> Value {
    let mut day = Day::new();
    let chapters: [(&str, Play); 9] = [
        ("pair", Day::pair),
        ("reconnect", Day::reconnect),
        ("enrol", Day::enrol),
        ("put on", Day::put_on),
        ("pay", Day::pay),
        ("hear of the receipt", Day::hear_of_the_receipt),
        ("resume", Day::resume),
        ("receive", Day::receive),
        ("be paid", Day::be_paid),
    ];
    let chapters = chapters.map(|(name, play)| {
        play(&mut day);
        day.chapter(name)
    });
    json!({
        "what": "what a band is told, draws and says, in the order in which it happens; one payload of the radio a line",
        "band_key": hex(bytes::<32>("session band")),
        "root": hex(day.issuer.root().as_bytes()),
        "chapters": chapters,
    })
}

/// Plays a chapter.
type Play = fn(&mut Day);

/// Everybody whom the band meets.
struct Day {
    band: Band<SoftwareKey, SoftwareKeys>,
    wallet: Option<Connection>,
    key: SoftwareKey,
    link: Option<Link>,
    ticket: Option<ResumeTicket>,
    issuer: Issuer,
    now: Uptime,
    /// What the band draws; the others have a generator of their own.
    drawn: Tape,
    rng: ChaCha20Rng,
    /// What the wallet told its app.
    told: Vec<Told>,
    token: Vec<u8>,
    request: Vec<u8>,
    /// What happened in this chapter, and what the band said.
    happened: Vec<Value>,
    said: Vec<String>,
}

/// A generator that remembers what it gave.
struct Tape {
    rng: ChaCha20Rng,
    given: Vec<u8>,
}

impl TryRng for Tape {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.rng.try_fill_bytes(bytes)?;
        self.given.extend_from_slice(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Tape {}

impl Day {
    fn new() -> Self {
        let issuer = Issuer::new();
        let root: RootKey = issuer.root();
        Self {
            band: Band::new(SoftwareKey::new(bytes("session band")), SoftwareKeys, root),
            wallet: None,
            key: SoftwareKey::new(bytes("session wallet")),
            link: None,
            ticket: None,
            issuer,
            now: Uptime::from_millis(1_000),
            drawn: Tape { rng: rng("session band draws"), given: Vec::new() },
            rng: rng("session others draw"),
            told: Vec::new(),
            token: Vec::new(),
            request: Vec::new(),
            happened: Vec::new(),
            said: Vec::new(),
        }
    }

    /// What was played since the last chapter.
    fn chapter(&mut self, name: &str) -> Value {
        let (happened, said) = (std::mem::take(&mut self.happened), std::mem::take(&mut self.said));
        json!({ "name": name, "happens": happened, "draws": hex(std::mem::take(&mut self.drawn.given)), "says": said })
    }

    fn pair(&mut self) {
        self.happens("hold", Event::Gesture(Gesture::Hold));
        self.connect(Connection::pair(payload()));
        let wallet = self.wallet.as_mut().unwrap();
        wallet.code_shown();
        wallet.accept_code(&mut self.rng).unwrap();
        self.carry();
        self.happens("press", Event::Gesture(Gesture::Press));
        self.told(|told| matches!(told, Told::Paired(_)));
    }

    fn reconnect(&mut self) {
        let link = self.link.take().unwrap();
        self.connect(Connection::reconnect(link, payload()));
        self.told(|told| matches!(told, Told::Linked { .. }));
    }

    fn enrol(&mut self) {
        let list = self.issuer.key_list();
        self.say(&ToBand::Enrol { code: EnrolmentCode(bytes("session code")), key_list: Opaque::new(&list).unwrap() });
        while let Some(told) = self.told.pop() {
            let answer = match told {
                Told::EnrolStart { versions, message } => self.issuer.begin(versions, &message, &mut self.rng),
                Told::ToIssuer(message) => self.issuer.answer(&message),
                Told::Enrolled(_) => return,
                other => panic!("{other:?}"),
            };
            self.say(&ToBand::FromIssuer(Opaque::new(&answer).unwrap()));
        }
        panic!("not enrolled");
    }

    fn put_on(&mut self) {
        self.happens("put on", Event::PutOn);
        self.happens("recognised", Event::Recognised);
    }

    /// A request, a press, the token.
    fn pay(&mut self) {
        let request = self.issuer.request();
        self.say(&ToBand::Pay { request: Opaque::new(&request).unwrap() });
        self.happens("press", Event::Gesture(Gesture::Press));
        let Told::Token(token) = self.told(|told| matches!(told, Told::Token(_))) else { unreachable!() };
        self.token = token;
    }

    fn hear_of_the_receipt(&mut self) {
        let receipt = self.issuer.receipt(&self.token);
        self.say(&ToBand::Paid { receipt: Opaque::new(&receipt).unwrap() });
        self.told(|told| matches!(told, Told::Noted));
    }

    /// The connection is lost, and resumed.
    fn resume(&mut self) {
        self.hang_up();
        self.happens("disconnected", Event::Disconnected);
        let (link, ticket) = (self.link.take().unwrap(), self.ticket.take().unwrap());
        self.connect(Connection::resume(link, ticket, payload()));
        self.told(|told| matches!(told, Told::Status(_)));
    }

    fn receive(&mut self) {
        let (amount, memo) = (Amount::new(20_00, Currency::CNY), Text::new("the taxi").unwrap());
        self.say(&ToBand::Receive { amount, expiry: UnixTime::from_secs(9_000), memo });
        self.happens("double press", Event::Gesture(Gesture::DoublePress));
        let Told::Request(request) = self.told(|told| matches!(told, Told::Request(_))) else { unreachable!() };
        self.request = request;
    }

    fn be_paid(&mut self) {
        let token = self.issuer.token_of_somebody(&self.request);
        let receipt = self.issuer.receipt(&token);
        self.say(&ToBand::Received { token: Opaque::new(&token).unwrap(), receipt: Opaque::new(&receipt).unwrap() });
        self.told(|told| matches!(told, Told::Noted));
    }

    /// What the wallet told its app and is `wanted`. Nothing else of it is kept.
    fn told(&mut self, wanted: fn(&Told) -> bool) -> Told {
        let told = std::mem::take(&mut self.told);
        told.into_iter().find(wanted).expect("the wallet tells its app")
    }

    fn connect(&mut self, wallet: Connection) {
        self.wallet = Some(wallet);
        self.happens("connected", Event::Connected(payload()));
    }

    fn hang_up(&mut self) {
        if let Some(mut wallet) = self.wallet.take() {
            self.ticket = wallet.take_ticket();
        }
    }

    fn say(&mut self, record: &ToBand<'_>) {
        self.wallet.as_mut().unwrap().say(record).unwrap();
        self.carry();
    }

    /// Something happens to the band, and all that follows from it.
    fn happens(&mut self, name: &str, event: Event<'_>) {
        self.happened.push(json!({ "at": self.now.as_millis(), "what": name }));
        self.handle(event);
        self.carry();
    }

    /// Carries what the wallet says to the band until nothing moves.
    fn carry(&mut self) {
        while let Some(wanted) = self.wallet.as_mut().and_then(Connection::poll) {
            match wanted {
                Wanted::Transmit(fragment) => {
                    self.happened.push(json!({ "at": self.now.as_millis(), "what": "fragment", "bytes": hex(&fragment) }));
                    self.handle(Event::Fragment(&fragment));
                }
                Wanted::Event(told) => {
                    if let Told::Paired(link) | Told::Keep(link) = &told {
                        self.link = Link::from_bytes(&link.to_bytes());
                    }
                    self.told.push(told);
                }
                Wanted::Disconnect => {
                    self.hang_up();
                    self.happens("disconnected", Event::Disconnected);
                }
            }
        }
    }

    /// The band handles an event, and its host does what it wants done. Whatever is to be stored is, before anything else happens.
    fn handle(&mut self, event: Event<'_>) {
        self.band.handle(event, self.now, &mut self.drawn).expect("nothing goes wrong on this day");
        self.now = Uptime::from_millis(self.now.as_millis() + STEP);
        let mut fragment = [0; ATT_PAYLOAD_MAX];
        let mut next = None;
        while let Some(output) = self.band.poll(&mut fragment) {
            match output {
                Output::Transmit(bytes) => {
                    self.said.push(hex(bytes));
                    self.wallet.as_mut().unwrap().fragment(bytes, &self.key, &mut self.rng).expect("the wallet understands");
                }
                Output::Store { .. } | Output::Erase { .. } | Output::EraseAll => next = Some(("stored", Event::Stored)),
                Output::Signal(Signal::Code(_)) => next = Some(("code shown", Event::CodeShown)),
                Output::Signal(_) => {}
                Output::Disconnect => {
                    self.hang_up();
                    next = next.or(Some(("disconnected", Event::Disconnected)));
                }
            }
        }
        if let Some((name, event)) = next {
            self.happened.push(json!({ "at": self.now.as_millis(), "what": name }));
            self.handle(event);
        }
    }
}

fn payload() -> AttPayload {
    AttPayload::new(PAYLOAD).unwrap()
}
