//! Which attack is on whom, as a story says it.

use anyhow::{Context, Result, bail};

use super::counter::Till;
use super::{Attacker, Over, Victim};
use crate::control::{Counter, IssuerCommand, PhoneCommand, PhoneReport, Report};
use crate::story::language::{Attack, Face};
use crate::story::outcome::Outcome;
use crate::story::pairing::code;
use crate::story::person::{Band, Person};
use crate::story::player::Player;
use crate::story::spec;
use crate::story::stage::Stage;

impl Player {
    pub(in crate::story) fn enter_middle(&mut self, name: &str) -> Result<Outcome> {
        let attacker = Attacker::enter(&mut self.stage, name, &self.service)?;
        self.attackers.push(attacker);
        Ok(Outcome::done())
    }

    /// Says which words of SPEC.md stop what was tried, or that none do.
    pub(in crate::story) fn quote(&mut self, section: u32, words: &str, stops: bool) -> Result<Outcome> {
        let quote = spec::quote(section, words).with_context(|| format!("section {section} of SPEC.md does not say that"))?;
        let told = if stops { "What stops it" } else { "Not stopped, and said so" };
        self.stage.telling.prose(&format!("{told}: {quote}."));
        Ok(Outcome::done())
    }

    pub(in crate::story) fn attack(&mut self, who: &str, attack: &Attack) -> Result<Outcome> {
        match attack {
            Attack::Infect => self.infect(who)?,
            Attack::EnrolMalware => self.enrol_malware(who)?,
            Attack::ChangeEnrolment(person) => self.change_enrolment(who, person)?,
            Attack::Approach(person) => self.approach(who, person)?,
            Attack::OtherAmount { .. }
            | Attack::OtherPayee { .. }
            | Attack::TwoForOne { .. }
            | Attack::OldToken(_)
            | Attack::NoGesture(_)
            | Attack::NotWorn(_)
            | Attack::UnlockByPhone(_)
            | Attack::OwnRoot
            | Attack::CallAfterUnpairing => self.misbehave(who, attack)?,
            Attack::OverhearCounter { .. }
            | Attack::ChangeRequest { .. }
            | Attack::ReplaceRequest { .. }
            | Attack::ChangeToken { .. }
            | Attack::ChangeReceipt { .. }
            | Attack::ReplayRedeem { .. }
            | Attack::ChangeRedeem { .. } => self.stand_at_the_counter(who, attack)?,
            _ => self.stand_at_the_link(who, attack)?,
        }
        Ok(Outcome::done())
    }

    /// Between a phone and its band, which are not connected before it, nor after.
    fn stand_at_the_link(&mut self, who: &str, attack: &Attack) -> Result<()> {
        let (person, at) = match attack {
            Attack::PairWithBoth(person)
            | Attack::ChangePairing(person)
            | Attack::Replay(person)
            | Attack::ReplayResume(person)
            | Attack::ChangeReconnect(person)
            | Attack::ForgeRecords(person)
            | Attack::Disorder(person)
            | Attack::DisorderFragments(person) => (person, None),
            Attack::Overhear { person, shop } => (person, Some(self.counter(shop)?)),
            _ => bail!("that is none between a phone and a band"),
        };
        let victim = self.victim(person, false)?;
        let (attacker, stage) = self.attacker(who)?;
        match (attack, at) {
            (Attack::Overhear { .. }, Some(at)) => attacker.heard.link = Some(attacker.overhear(stage, &victim, &at)?),
            (Attack::PairWithBoth(_), _) => attacker.pair_with_both(stage, &victim)?,
            (Attack::ChangePairing(_), _) => attacker.change_pairing(stage, &victim)?,
            (Attack::Replay(_), _) => attacker.replay_session(stage, &victim, overheard(attacker.heard.link)?.session)?,
            (Attack::ReplayResume(_), _) => attacker.replay_resume(stage, &victim)?,
            (Attack::ChangeReconnect(_), _) => attacker.change_parts(stage, &victim)?,
            (Attack::ForgeRecords(_), _) => attacker.forge_records(stage, &victim)?,
            (Attack::Disorder(_), _) => attacker.disorder(stage, &victim)?,
            _ => attacker.disorder_fragments(stage, &victim)?,
        }
        Ok(())
    }

    /// Between a wallet and a shop, or a shop and the issuer, while the phone is connected to its band.
    fn stand_at_the_counter(&mut self, who: &str, attack: &Attack) -> Result<()> {
        let (Attack::OverhearCounter { person, shop }
        | Attack::ChangeRequest { person, shop }
        | Attack::ReplaceRequest { person, shop, .. }
        | Attack::ChangeToken { person, shop }
        | Attack::ChangeReceipt { person, shop }
        | Attack::ReplayRedeem { person, shop }
        | Attack::ChangeRedeem { person, shop }) = attack
        else {
            bail!("that is none at a counter")
        };
        let (victim, till) = (self.victim(person, true)?, self.till(shop)?);
        let other = if let Attack::ReplaceRequest { by, .. } = attack { Some(self.counter(by)?) } else { None };
        let (attacker, stage) = self.attacker(who)?;
        match (attack, other) {
            (Attack::OverhearCounter { .. }, _) => {
                attacker.heard.counter = Some(attacker.overhear_counter(stage, &victim, &till.at)?);
            }
            (Attack::ChangeRequest { .. }, _) => attacker.change_request(stage, &victim, &till.at)?,
            (Attack::ReplaceRequest { .. }, Some(other)) => attacker.replace_request(stage, &victim, (&till.at, &other))?,
            (Attack::ChangeToken { .. }, _) => attacker.change_token(stage, &victim, &till.at)?,
            (Attack::ChangeReceipt { .. }, _) => {
                attacker.change_receipt(stage, &victim, &till.at, overheard(attacker.heard.counter)?)?;
            }
            (Attack::ReplayRedeem { .. }, _) => attacker.heard.redeem = Some(attacker.replay_redeem(stage, &victim, &till)?),
            _ => attacker.change_redeem(stage, &victim, &till, overheard(attacker.heard.redeem)?)?,
        }
        Ok(())
    }

    /// What a person's infected phone does.
    fn misbehave(&mut self, who: &str, attack: &Attack) -> Result<()> {
        let victim = self.victim(who, true)?;
        let counters = match attack {
            Attack::OtherAmount { shop, .. }
            | Attack::OldToken(shop)
            | Attack::NoGesture(shop)
            | Attack::NotWorn(shop)
            | Attack::UnlockByPhone(shop) => vec![self.counter(shop)?],
            Attack::OtherPayee { shown, paid } => vec![self.counter(shown)?, self.counter(paid)?],
            Attack::TwoForOne { first, second } => vec![self.counter(first)?, self.counter(second)?],
            _ => Vec::new(),
        };
        let stage = &mut self.stage;
        match (attack, counters.as_slice()) {
            (Attack::OtherAmount { amount, .. }, [at]) => victim.is_shown_another_amount(stage, at, amount.minor()),
            (Attack::OtherPayee { .. }, [shown, paid]) => victim.is_shown_another_payee(stage, (shown, paid)),
            (Attack::TwoForOne { .. }, [first, second]) => victim.presses_once_for_two(stage, (first, second)),
            (Attack::OldToken(_), [at]) => victim.old_token_is_sent(stage, at),
            (Attack::NoGesture(_), [at]) => victim.makes_no_gesture(stage, at),
            (Attack::NotWorn(_), [at]) => victim.is_not_wearing_it(stage, at),
            (Attack::UnlockByPhone(_), [at]) => victim.unlocks_by_phone_alone(stage, at),
            (Attack::OwnRoot, _) => victim.is_brought_another_root(stage),
            _ => {
                victim.unpairs_and_is_called(stage)?;
                self.person(who)?.0.linked = false;
                Ok(())
            }
        }
    }

    /// Malware gets into a phone: the app is started anew, with what it had stored, and connects.
    fn infect(&mut self, who: &str) -> Result<()> {
        let service = self.service.clone();
        let (person, stage) = self.person(who)?;
        person.disconnect(stage, true)?;
        stage.kill(person.phone)?;
        let folder = stage.dir.join(&person.phone_folder).display().to_string();
        let arguments = ["phone", "--owner", who, "--folder", &folder, "--root", &service.root, "--issuer", &service.address];
        person.phone = stage.start(&format!("{who}'s phone"), &[&arguments[..], &["--infected"]].concat())?;
        self.connect(who).map(drop)
    }

    /// The code that the issuer gives to a signed-in user.
    fn issue_code(&mut self, name: &str) -> Result<String> {
        let Self { stage, service, .. } = self;
        stage.tell(service.actor, &IssuerCommand::IssueCode { name: name.to_owned() })?;
        stage.wait(service.actor, "an enrolment code", code)
    }

    /// Between a phone and the issuer. The person enrols with the same code afterwards.
    fn change_enrolment(&mut self, who: &str, person: &str) -> Result<()> {
        let (victim, code, issuer) = (self.victim(person, true)?, self.issue_code(person)?, self.service.address.clone());
        let (attacker, stage) = self.attacker(who)?;
        attacker.change_enrolment(stage, &victim, (&issuer, &code))?;
        self.person(person)?.0.code = Some(code);
        Ok(())
    }

    /// Malware in a phone has a code of its owner's, and enrols a band that it plays itself.
    fn enrol_malware(&mut self, who: &str) -> Result<()> {
        let service = self.service.clone();
        let code = self.issue_code(who)?;
        let stage = &mut self.stage;
        let folder = stage.dir.join("malware").display().to_string();
        let arguments =
            ["phone", "--owner", "malware", "--folder", &folder, "--root", &service.root, "--issuer", &service.address];
        let malware = stage.start("malware", &[&arguments[..], &["--inside"]].concat())?;
        stage.tell(malware, &PhoneCommand::PairInside)?;
        stage.wait(malware, "its own band", |report| {
            matches!(report, Report::Phone(PhoneReport::Connected { .. })).then_some(())
        })?;
        stage.tell(malware, &PhoneCommand::Enrol { code })?;
        stage.wait(malware, "a credential", |report| {
            matches!(report, Report::Phone(PhoneReport::Enrolled { .. })).then_some(())
        })?;
        stage.tell(service.actor, &IssuerCommand::Digits { name: who.to_owned() })?;
        let on_page = stage.wait(service.actor, "the digits", |report| match report {
            Report::Digits { shown, .. } => Some(shown.clone()),
            _ => None,
        })?;
        stage
            .telling
            .refused(&format!("The issuer's page shows {on_page}; {who}'s band shows nothing, so {who} confirms nothing."));
        // From now on whatever this person does is done with what malware enrolled.
        let (person, _) = self.person(who)?;
        (person.phone, person.linked, person.begun) = (malware, true, None);
        let (address, folder, face) = (String::new(), "malware".to_owned(), Face::Display);
        person.band = Band { actor: malware, address, face, folder, number: person.band.number, credential: None };
        Ok(())
    }

    /// A phone finds somebody else's band.
    fn approach(&mut self, who: &str, whose: &str) -> Result<()> {
        let (owner, _) = self.person(whose)?;
        let band = owner.band.clone();
        let (person, stage) = self.person(who)?;
        person.disconnect(stage, true)?;
        person.band = Band { number: person.band.number, credential: None, ..band };
        Ok(())
    }

    fn attacker(&mut self, who: &str) -> Result<(&mut Attacker, &mut Stage)> {
        let Self { attackers, stage, .. } = self;
        let attacker = attackers.iter_mut().find(|attacker| attacker.name == who);
        Ok((attacker.with_context(|| format!("there is no {who}"))?, stage))
    }

    /// A person who is attacked, with a phone that is connected to the band, or is not.
    fn victim(&mut self, who: &str, connected: bool) -> Result<Victim> {
        let (person, stage) = self.person(who)?;
        if !connected {
            person.disconnect(stage, true)?;
        } else if !person.linked {
            self.connect(who)?;
        }
        let (person, stage) = self.person(who)?;
        let Person { name, band, phone, phone_folder, .. } = person;
        Ok(Victim {
            name: name.clone(),
            band: band.actor,
            phone: *phone,
            band_address: band.address.clone(),
            display: band.face == Face::Display,
            folders: [stage.dir.join(&band.folder), stage.dir.join(phone_folder)],
        })
    }

    fn counter(&mut self, shop: &str) -> Result<Counter> {
        let payee = &self.shop(shop)?.payee;
        Ok(Counter { payee: payee.name.clone(), address: payee.address.clone() })
    }

    fn till(&mut self, shop: &str) -> Result<Till> {
        Ok(Till { actor: self.shop(shop)?.actor, at: self.counter(shop)?, issuer: self.service.address.clone() })
    }
}

fn overheard(over: Option<Over>) -> Result<Over> {
    over.context("he has overheard nothing of that yet")
}
