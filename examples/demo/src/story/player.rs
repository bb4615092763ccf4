//! Plays a story, line by line: finds who does what, and takes note of what came of it.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};

use super::attack::Attacker;
use super::language::{Action, Line, Wanted};
use super::outcome::Outcome;
use super::person::{Person, Service};
use super::selling::Shop;
use super::stage::{Refused, Stage};
use crate::control::{BandCommand, PhoneCommand};

/// Everybody in a story, and how far it is.
pub(crate) struct Player {
    pub(crate) stage: Stage,
    pub(super) service: Service,
    pub(super) people: Vec<Person>,
    pub(super) shops: Vec<Shop>,
    pub(super) attackers: Vec<Attacker>,
    /// What came of the last line.
    pub(super) last: Outcome,
    /// Its number.
    pub(crate) last_line: usize,
    /// Whether the story has said what it expected of it.
    heeded: bool,
    /// The first receipt for each thing that was bought.
    pub(super) receipts: HashMap<String, String>,
    /// What all accounts together were opened with, in minor units.
    pub(super) deposited: i64,
}

impl Player {
    /// Starts the issuer.
    pub(crate) fn begin(mut stage: Stage) -> Result<Self> {
        let service = Service::start(&mut stage)?;
        let (people, shops, attackers, receipts) = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
        let last = Outcome::done();
        Ok(Self { stage, service, people, shops, attackers, last, last_line: 0, heeded: true, receipts, deposited: 0 })
    }

    /// Goes on from the last line. What was refused there, and not expected to be, ends the story; what else came of it is told.
    pub(crate) fn pass_over(&mut self, next: Option<&Action>) -> Result<()> {
        if self.heeded || next.is_some_and(Action::is_expectation) {
            return Ok(());
        }
        self.heeded = true;
        match self.last.how {
            Wanted::Waiting | Wanted::Resumed | Wanted::Reconnected => {}
            Wanted::Done if self.last.said.is_empty() => {}
            Wanted::Refused => bail!("refused: {}", self.last.said),
            Wanted::UsedElsewhere => bail!("somebody else has used the link"),
            _ => self.stage.telling.prose(&self.last.told()),
        }
        Ok(())
    }

    /// Plays one line.
    pub(crate) fn play(&mut self, line: &Line) -> Result<()> {
        if line.action.is_expectation() {
            self.expect(&line.action)?;
            self.heeded = true;
            return Ok(());
        }
        let outcome = match self.act(&line.who, &line.action) {
            Ok(outcome) => outcome,
            Err(error) => self.refused(&line.who, error)?,
        };
        (self.last, self.last_line, self.heeded) = (outcome, line.number, false);
        Ok(())
    }

    /// What came of the last line, as it is told to somebody who watches.
    pub(crate) fn told(&self) -> Option<String> {
        let told_already = self.heeded || self.last.how == Wanted::Waiting;
        let nothing = self.last.how == Wanted::Done && self.last.said.is_empty();
        (!told_already && !nothing).then(|| self.last.told())
    }

    /// A refusal is an outcome; anything else that went wrong is not.
    fn refused(&mut self, who: &str, error: anyhow::Error) -> Result<Outcome> {
        let refused = error.downcast::<Refused>()?;
        if refused.failed && refused.by == format!("{who}'s phone") {
            let (person, stage) = self.person(who)?;
            (person.linked, person.begun) = (false, None);
            person.alone(stage)?;
        }
        Ok(Outcome::new(Wanted::Refused, refused.why))
    }

    fn act(&mut self, who: &str, action: &Action) -> Result<Outcome> {
        match action {
            Action::Title(text) => self.tell(|stage| stage.title(text)),
            Action::Chapter(text) => self.tell(|stage| stage.telling.chapter(text)),
            Action::Say(text) => self.tell(|stage| stage.telling.prose(text)),
            Action::Messages { shown } => self.tell(|stage| stage.telling.mute(!shown)),
            Action::Wait { seconds } => self.wait(*seconds),
            Action::Enter { name, with, money } => self.enter(name, with, *money),
            Action::Open { name } => self.open(name),
            Action::Noise(door) => self.noise(door),
            Action::Middle { name } => self.enter_middle(name),
            Action::Quote { section, words, stops } => self.quote(*section, words, *stops),
            Action::Attack(attack) => self.attack(who, attack),
            Action::Pair(how) => self.pair(who, *how),
            Action::PairNot { on } => self.pair_not(who, *on),
            Action::Hold => self.hold(who),
            Action::AskToPairAgain => self.ask_to_pair_again(who),
            Action::Connect => self.connect(who),
            Action::HangUp => self.disconnect(who, true),
            Action::CutTheLink => self.disconnect(who, false),
            Action::Enrol => self.enrol(who),
            Action::SetUp => self.set_up(who),
            Action::PutOn => self.on_band(who, BandCommand::PutOn),
            Action::TakeOff => self.on_band(who, BandCommand::TakeOff),
            Action::Unlock { right } => self.unlock(who, *right),
            Action::UnlockByPin { right } => {
                self.enter_secret(who, if *right { BandCommand::Pin } else { BandCommand::WrongPin })
            }
            Action::UnlockByPhone => self.unlock_by_phone(who),
            Action::Press => self.press(who),
            Action::PressTwice => self.press_twice(who),
            Action::PressThreeTimes => self.press_three_times(who),
            Action::Shake => self.shake(who),
            Action::Reset => self.reset(who),
            Action::Pay { amount, payee, memo } => self.pay(who, *amount, payee, memo.as_deref()),
            Action::GoOn => self.go_on(who),
            Action::Receive { amount, memo } => self.receive(who, *amount, memo.as_deref()),
            Action::Unpair { others } => self.unpair(who, *others),
            Action::NewBand { face } => self.with_person(who, |person, stage, service| person.new_band(stage, *face, service)),
            Action::NewPhone => self.with_person(who, |person, stage, service| person.new_phone(stage, service)),
            Action::Old(device) => self.with_person(who, |person, stage, _| person.take_old(stage, *device)),
            Action::Kill(device) => self.with_person(who, |person, stage, _| person.kill(stage, *device)),
            Action::Start(device) => self.with_person(who, |person, stage, service| person.start(stage, *device, service)),
            Action::UpdateKeys => self.update_keys(who),
            Action::FirstKeys => self.first_keys(who),
            Action::CheckReceipts => self.check_receipts(who),
            Action::Sell { amount, memo } => self.sell(who, *amount, memo.as_deref()),
            Action::Network { up } => self.network(who, *up),
            Action::FetchLists => self.fetch_lists(who),
            Action::RedeemPending => self.redeem_pending(who),
            Action::RedeemAgain { memo } => self.redeem_again(who, memo),
            Action::Refund { amount, memo, other_till } => self.refund(who, *amount, memo, *other_till),
            Action::RefundAgain { memo } => self.refund_again(who, memo),
            Action::Replace { person } => self.replace(person),
            Action::AllowFree { count, each, total } => self.allow_free(*count, *each, *total),
            Action::AnnounceKeys => self.announce_keys(),
            Action::UseNewKeys => self.use_new_keys(),
            Action::Audit => self.audit(),
            Action::ExpectBooks(balances) => self.expect_books(balances),
            Action::Expect { .. } | Action::ExpectSameReceipt { .. } => Ok(Outcome::done()),
        }
    }

    fn tell(&mut self, how: impl FnOnce(&mut Stage)) -> Result<Outcome> {
        how(&mut self.stage);
        Ok(Outcome::done())
    }

    /// Time passes. What somebody waited for in vain is given up.
    fn wait(&mut self, seconds: u64) -> Result<Outcome> {
        self.stage.pass(seconds)?;
        let Self { people, stage, .. } = self;
        for person in people.iter().filter(|person| stage.is_there(person.band.actor)).collect::<Vec<_>>() {
            if person.is_phone() {
                stage.done(person.phone, &PhoneCommand::Tick)?;
            } else {
                person.on_band(stage, BandCommand::Tick)?;
            }
        }
        Ok(Outcome::done())
    }

    /// A person of this name, with the stage.
    pub(super) fn person(&mut self, who: &str) -> Result<(&mut Person, &mut Stage)> {
        let Self { people, stage, .. } = self;
        let person = people.iter_mut().find(|person| person.name == who).with_context(|| format!("there is no {who}"))?;
        Ok((person, stage))
    }

    fn with_person(&mut self, who: &str, act: impl FnOnce(&mut Person, &mut Stage, &Service) -> Result<()>) -> Result<Outcome> {
        let service = self.service.clone();
        let (person, stage) = self.person(who)?;
        act(person, stage, &service)?;
        Ok(Outcome::done())
    }
}
