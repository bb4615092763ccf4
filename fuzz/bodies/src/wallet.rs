//! A wallet's connection, against a band that is its own, or one that says what it likes.

mod fake;

use armring_pairing::{DiffieHellman, Link, PairingLabel, PairingSecret, Source};
use armring_wallet::{Connection, Event, Output};
use armring_wire::records::band::{Awaited, Decline, Status, ToBand, ToWallet};
use armring_wire::{AttPayload, CredentialId, Opaque, Record, VersionRange, encode};

use self::fake::{FakeBand, LABEL, ticket};
use crate::cast::{Draws, Shared};
use crate::flash;
use crate::input::Input;

/// So much happens over one connection at most.
const MOST: usize = 80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Pair,
    PairWithLabel,
    PairByPress,
    Reconnect,
    Resume,
}

/// What the model knows of a connection.
struct Run {
    goal: Goal,
    wallet: Connection,
    band: FakeBand,
    key: Shared,
    rng: Draws,
    /// What the person did.
    shown: bool,
    accepted: bool,
    /// What came out of the connection.
    linked: bool,
    paired: bool,
    kept: usize,
    ended: bool,
    /// What it is to be told next, from records that the band has sealed.
    expected: Vec<String>,
    /// Answers that were lost before.
    lost: u32,
}

/// Lets a wallet connect and a band answer, which may be any. The wallet is linked by its own band alone, and by nothing that was changed
/// on the way; paired by its person alone; and told what the band has said.
pub fn wallet(data: &[u8]) {
    let mut input = Input::new(data);
    let mut run = Run::new(&mut input);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        run.goes_on(&mut input);
        run.polls();
    }
    run.wallet.close();
    run.polls();
    run.wallet.close();
    run.polls();
    assert!(run.ended && !run.wallet.is_linked(), "it ends once, and stays so");
    assert!(run.wallet.say(&ToBand::Status).is_err());
    assert!(run.wallet.take_ticket().is_none() || run.kept > 0 || run.goal == Goal::Resume);
}

impl Run {
    fn new(input: &mut Input<'_>) -> Self {
        let goal = input.one_of(&[Goal::Pair, Goal::PairWithLabel, Goal::PairByPress, Goal::Reconnect, Goal::Resume]);
        let lost = input.any::<u8>() % 4;
        let mut link = flash::link(0, &Shared::band());
        for _ in 0..lost {
            let _ = link.introduce();
        }
        let payload = AttPayload::new(20 + usize::from(input.any::<u8>())).unwrap();
        // The label is of this very band, or of another.
        let band = if input.below(8) == 0 { Shared::issuer() } else { Shared::band() };
        let label = PairingLabel::new(Source::Printed, PairingSecret::new(LABEL), &band.public_key());
        let wallet = match goal {
            Goal::Pair => Connection::pair(payload),
            Goal::PairWithLabel => Connection::pair_with_label(label, payload),
            Goal::PairByPress => Connection::pair_by_press(payload),
            Goal::Reconnect => Connection::reconnect(link, payload),
            Goal::Resume => Connection::resume(link, ticket(), payload),
        };
        let is_own = band.public_key() == Shared::band().public_key() && input.below(8) != 0;
        Self {
            goal,
            wallet,
            band: FakeBand::new(payload, is_own),
            key: Shared::phone(0),
            rng: Draws::new(input.any::<bool>().then(|| input.any::<u8>())),
            shown: false,
            accepted: false,
            linked: false,
            paired: false,
            kept: 0,
            ended: false,
            expected: Vec::new(),
            lost: lost.into(),
        }
    }

    fn goes_on(&mut self, input: &mut Input<'_>) {
        match input.below(16) {
            0..5 => {
                let fragments = self.band.advances(input, &mut self.rng);
                self.hears(&fragments);
            }
            5..9 => self.band_says(input),
            9 => {
                let fragments = self.band.cut(input.bytes(300));
                self.band.spoilt |= self.kept == 0 && !self.linked && !fragments.is_empty();
                self.hears(&fragments);
            }
            10 => {
                // Over a channel, what does not verify changes nothing.
                self.band.spoilt |= self.kept == 0;
                let fragment = input.bytes(30).to_vec();
                self.hears(&[fragment]);
            }
            11 => {
                self.wallet.code_shown();
                self.shown = true;
            }
            12 => {
                let accepted = self.wallet.accept_code(&mut self.rng).is_ok();
                assert!(!accepted || (self.goal == Goal::Pair && self.shown), "a code that was not shown was accepted");
                self.accepted |= accepted;
            }
            13 => self.app_says(input),
            14 => {
                let fragments = self.band.closes();
                self.expected.extend((!fragments.is_empty() && self.linked).then(|| format!("{:?}", Event::Closed)));
                self.hears(&fragments);
            }
            _ if input.below(8) == 0 => self.wallet.close(),
            _ => {}
        }
    }

    fn hears(&mut self, fragments: &[Vec<u8>]) {
        for fragment in fragments {
            let was_over = self.ended;
            let result = self.wallet.fragment(fragment, &self.key, &mut self.rng);
            assert!(!was_over || result.is_err(), "it goes on after its end");
            self.polls();
        }
    }

    /// Takes everything that the connection wants done.
    fn polls(&mut self) {
        while let Some(output) = self.wallet.poll() {
            assert!(!self.ended, "after its end: {output:?}");
            match output {
                Output::Transmit(fragment) => self.band.hears(&fragment),
                Output::Disconnect => self.ended = true,
                Output::Event(event) => self.told(event),
            }
        }
        assert_eq!(self.wallet.is_linked(), self.linked && !self.ended);
    }

    fn told(&mut self, event: Event) {
        match event {
            Event::Code(_) => assert!(self.goal == Goal::Pair && !self.band.spoilt),
            Event::Paired(link) => {
                assert!(!self.paired && !self.band.spoilt, "paired, though something was changed");
                assert!(self.goal != Goal::Pair || self.accepted, "paired without its person");
                assert!(matches!(self.goal, Goal::Pair | Goal::PairWithLabel | Goal::PairByPress));
                assert!(self.goal != Goal::PairWithLabel || self.band.is_own, "paired with a band of another label");
                assert!(self.band.link.as_ref().is_some_and(|band| band.is_same_link(&link)), "both have one link");
                self.paired = true;
            }
            Event::Keep(link) => {
                assert!(self.goal == Goal::Reconnect && self.may_be_linked());
                assert!(Link::from_bytes(&link.to_bytes()).is_some());
                self.kept += 1;
                assert!(self.kept > 1 || !self.band.has_heard_record(), "stored before it is said");
            }
            Event::Linked { used_elsewhere } => {
                assert!(!self.linked && self.may_be_linked(), "linked by another than its band");
                let agrees = self.goal == Goal::Resume || self.band.generation.is_some_and(|band| band <= self.lost);
                assert_eq!(used_elsewhere, !agrees);
                self.linked = true;
            }
            event if self.linked => {
                assert!(!self.expected.is_empty(), "{event:?}, which the band has not said");
                assert_eq!(format!("{event:?}"), self.expected.remove(0));
            }
            Event::Closed => {}
            other => panic!("{other:?} before there is a link"),
        }
    }

    fn may_be_linked(&self) -> bool {
        matches!(self.goal, Goal::Reconnect | Goal::Resume) && self.band.is_own && !self.band.spoilt
    }

    /// The band seals a record, or something that is none.
    fn band_says(&mut self, input: &mut Input<'_>) {
        if !self.linked || self.ended || !self.band.has_session() {
            // Before there is a link, what the band seals is out of turn.
            let record = input.bytes(100).to_vec();
            if let Ok(ToWallet::Confirm { .. }) = armring_wire::decode_record(&record) {
                // This very band's confirmation, with another share: the link is then what both have said.
                return;
            }
            let fragments = self.band.seals(&record);
            self.band.spoilt |= self.kept == 0 && !fragments.is_empty();
            return self.hears(&fragments);
        }
        let bytes = input.bytes(150).to_vec();
        if input.below(4) == 0 {
            let fragments = self.band.seals(&bytes);
            if let Some(event) = armring_wire::decode_record::<ToWallet<'_>>(&bytes).ok().and_then(as_event) {
                self.expected.extend((!fragments.is_empty()).then(|| format!("{event:?}")));
            }
            return self.hears(&fragments);
        }
        let object = Opaque::new(&bytes).unwrap();
        let record = match input.below(11) {
            0 => {
                ToWallet::Status(Status { worn: input.any(), unlocked: input.any(), credential: Some(CredentialId(input.any())) })
            }
            1 => ToWallet::ToIssuer(Opaque::new(&bytes).unwrap()),
            2 => ToWallet::Enrolled { credential: Opaque::new(&bytes).unwrap() },
            3 => ToWallet::Waiting(Awaited::from(input.any::<u8>())),
            4 => ToWallet::Token { token: object },
            5 => ToWallet::Request { request: object },
            6 => ToWallet::Declined(Decline::from(input.any::<u8>())),
            7 => ToWallet::Noted,
            8 => ToWallet::Unknown(input.any()),
            9 => ToWallet::EnrolStart { versions: VersionRange::SUPPORTED, message: Opaque::new(&bytes).unwrap() },
            _ => ToWallet::Unpaired,
        };
        self.expected.push(format!("{:?}", as_event(record).unwrap()));
        let mut buffer = [0; ToWallet::MAX_LEN];
        let fragments = self.band.seals(encode(&record, &mut buffer).unwrap());
        assert!(!fragments.is_empty());
        self.hears(&fragments);
    }

    fn app_says(&mut self, input: &mut Input<'_>) {
        let bytes = input.bytes(150);
        let record = match input.below(4) {
            0 => ToBand::Status,
            1 => ToBand::Pay { request: Opaque::new(bytes).unwrap() },
            2 => ToBand::Unknown(input.any()),
            _ => ToBand::Unlock,
        };
        let linked = self.wallet.is_linked();
        assert_eq!(self.wallet.say(&record).is_ok(), linked, "it is said over a link, and over nothing else");
        self.polls();
        if linked && self.band.has_session() {
            assert_eq!(
                self.band.last_record().as_deref(),
                Some(&*encode(&record, &mut [0; 600]).unwrap()),
                "what was said is heard"
            );
        }
    }
}

/// What the app is told of a record; nothing for one that does not belong on a link that is made.
fn as_event(record: ToWallet<'_>) -> Option<Event> {
    let bytes = |bytes: &[u8]| bytes.to_vec();
    Some(match record {
        ToWallet::Status(status) => Event::Status(status),
        ToWallet::EnrolStart { versions, message } => Event::EnrolStart { versions, message: bytes(message.as_bytes()) },
        ToWallet::ToIssuer(message) => Event::ToIssuer(bytes(message.as_bytes())),
        ToWallet::Enrolled { credential } => Event::Enrolled(bytes(credential.as_bytes())),
        ToWallet::Waiting(awaited) => Event::Waiting(awaited),
        ToWallet::Token { token } => Event::Token(bytes(token.as_bytes())),
        ToWallet::Request { request } => Event::Request(bytes(request.as_bytes())),
        ToWallet::Declined(why) => Event::Declined(why),
        ToWallet::Noted => Event::Noted,
        ToWallet::Unknown(variant) => Event::Unknown(variant),
        ToWallet::Unpaired => Event::Unpaired,
        ToWallet::Confirm { .. } | ToWallet::Generation { .. } => return None,
    })
}
