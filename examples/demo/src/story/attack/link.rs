//! A man in the middle between a phone and its band, after they have paired.

use anyhow::{Context, Result, ensure};

use super::{Attacker, Over, Victim, complaint, failure, far, near};
use crate::control::{Counter, Deed, Fragments, PhoneCommand, Place, Which, hex};
use crate::story::stage::Stage;

/// Each part of a reconnect, by its message and a byte in it.
const PARTS: [(&str, Which, Place); 14] = [
    ("the band's challenge", far(0), Place::Byte(0)),
    ("the band's lowest version", far(0), Place::Byte(16)),
    ("the band's highest version", far(0), Place::Byte(17)),
    ("what the connection is for", near(0), Place::Byte(0)),
    ("the wallet's lowest version", near(0), Place::Byte(1)),
    ("the wallet's highest version", near(0), Place::Byte(2)),
    ("the length of the hint", near(0), Place::Byte(3)),
    ("the random part of the hint", near(0), Place::Byte(4)),
    ("the MAC in the hint", near(0), Place::Byte(-1)),
    ("the wallet's ephemeral key", near(1), Place::Byte(0)),
    ("the tag of message 1", near(1), Place::Byte(-1)),
    ("the band's ephemeral key", far(1), Place::Byte(0)),
    ("the tag of message 2", far(1), Place::Byte(-1)),
    ("the band's first record", far(2), Place::Byte(0)),
];

/// How long message 1 of a reconnect is, in bytes.
const MESSAGE_1: usize = 48;
/// The wallet's first record of a reconnect: hello and message 1 come before.
const FIRST_RECORD: Which = near(2);

impl Victim {
    /// The same person, whose phone finds the attacker where it looks for the band.
    fn through(&self, attacker: &Attacker) -> Self {
        Self { band_address: attacker.address.clone(), ..self.clone() }
    }
}

impl Attacker {
    /// Stands between a phone and its band, and does something. The phone fails to connect, and all three notice. Gives why, as the phone says
    /// it.
    fn spoils(&self, stage: &mut Stage, victim: &Victim, deed: Deed) -> Result<String> {
        self.stand_before(stage, &victim.band_address)?;
        self.plan(stage, deed)?;
        let why = victim.through(self).fails_to_connect(stage)?;
        self.did(stage)?;
        victim.alone(stage)?;
        Ok(why)
    }

    /// Hands everything on while somebody pays, and looks for whatever either of the two keeps, and for what is paid. Gives the session.
    pub(super) fn overhear(&self, stage: &mut Stage, victim: &Victim, at: &Counter) -> Result<Over> {
        self.stand_before(stage, &victim.band_address)?;
        self.plan(stage, Deed::Relay)?;
        let through = victim.through(self);
        through.connect(stage)?;
        through.press_to_pay(stage, at)?;
        through.settles(stage)?;
        through.hang_up(stage)?;
        let over = self.over(stage)?;
        let mut things = vec![(format!("the payee's name, {}", at.payee), hex(at.payee.as_bytes()))];
        for place in &victim.folders {
            for file in std::fs::read_dir(place).with_context(|| place.display().to_string())? {
                let path = file?.path();
                if path.is_file() {
                    things.push((path.display().to_string(), hex(&std::fs::read(&path)?)));
                }
            }
        }
        let kept = things.len() - 1;
        let (found, messages, bytes) = self.look_for(stage, things)?;
        ensure!(found.is_empty(), "the attacker reads {}", found.join(", "));
        let Over { near, far, .. } = over;
        ensure!(near > 3 && far > 3, "the payment did not lead through his hands");
        stage.telling.refused(&format!(
            "{messages} messages and {bytes} bytes went through these hands, {near} of the phone's and {far} of the band's: not 8 bytes \
             in a row are of the payee's name or of any of the {kept} files that band and phone keep, keys, credential, request and token among them."
        ));
        Ok(over)
    }

    /// Says again what the phone said, and to the phone what the band said.
    pub(super) fn replay_session(&self, stage: &mut Stage, victim: &Victim, session: usize) -> Result<()> {
        stage.forget(victim.band)?;
        let (answers, of, _) = self.replay(stage, session)?;
        victim.alone(stage)?;
        ensure!(answers == 1, "the band answered {answers} messages of a replay");
        stage
            .telling
            .refused(&format!("All that the phone said, said again to the band: one hello for an answer, not {of} messages."));
        self.plan(stage, Deed::PlayBack { session })?;
        stage.tell(victim.phone, &PhoneCommand::Connect { band: self.address.clone() })?;
        let why = failure(stage, victim.phone)?;
        self.over(stage)?;
        stage.telling.refused(&format!("All that the band said, said again to the phone: {why}."));
        Ok(())
    }

    /// Says again what the phone said when it resumed: the next time it resumes all the same.
    pub(super) fn replay_resume(&self, stage: &mut Stage, victim: &Victim) -> Result<()> {
        self.stand_before(stage, &victim.band_address)?;
        self.plan(stage, Deed::Relay)?;
        let through = victim.through(self);
        through.connect(stage)?;
        through.lose(stage)?;
        self.over(stage)?;
        ensure!(through.connect(stage)?, "the phone did not resume");
        through.lose(stage)?;
        let over = self.over(stage)?;
        let (answers, of, _) = self.replay(stage, over.session)?;
        victim.alone(stage)?;
        ensure!(answers == 1, "the band answered {answers} messages of a replay");
        stage
            .telling
            .refused(&format!("All that the phone said to resume, said again: one hello for an answer, not {of} messages."));
        ensure!(through.connect(stage)?, "the replay has put both out of step");
        stage.telling.check("The phone's next connection resumes all the same.");
        through.hang_up(stage)?;
        self.over(stage).map(drop)
    }

    /// Changes each part of a reconnect, one after the other.
    pub(super) fn change_parts(&self, stage: &mut Stage, victim: &Victim) -> Result<()> {
        for (part, which, place) in PARTS {
            let why = self.spoils(stage, victim, Deed::Change { which, place })?;
            stage.telling.refused(&format!("{} changes {part}: {why}.", self.name));
        }
        self.leave_in_peace(stage, victim)
    }

    /// Puts changed records before the real one: one changes nothing, the eighth ends it.
    pub(super) fn forge_records(&self, stage: &mut Stage, victim: &Victim) -> Result<()> {
        self.plan(stage, Deed::Forge { which: FIRST_RECORD, times: 7 })?;
        stage.forget(victim.band)?;
        let through = victim.through(self);
        through.connect(stage)?;
        let mut why = String::new();
        for _ in 0..7 {
            why = complaint(stage, victim.band)?;
        }
        stage
            .telling
            .refused(&format!("{} puts 7 forged records before the phone's: {why}, 7 times, and the real one opens.", self.name));
        through.hang_up(stage)?;
        self.did(stage)?;
        let why = self.spoils(stage, victim, Deed::Forge { which: FIRST_RECORD, times: 8 })?;
        stage.telling.refused(&format!("{} puts 8 of them before it: {why}.", self.name));
        self.leave_in_peace(stage, victim)
    }

    /// Keeps messages for himself, repeats them, swaps them, and sends them back.
    pub(super) fn disorder(&self, stage: &mut Stage, victim: &Victim) -> Result<()> {
        for (what, which) in [("hello", 0), ("message 1", 1), ("first record", 2)].map(|(what, number)| (what, near(number))) {
            let why = self.spoils(stage, victim, Deed::Drop { which })?;
            stage.telling.refused(&format!("{} keeps the phone's {what} and hangs up: {why}.", self.name));
        }
        let disorder = [
            ("sends the phone's message 1 before its hello", Deed::Swap { which: near(0) }),
            ("sends the phone's hello twice", Deed::Repeat { which: near(0) }),
            ("sends the band's message 2 twice", Deed::Repeat { which: far(1) }),
            ("sends the phone its own message 1 for an answer", Deed::Reflect { which: near(1) }),
        ];
        for (what, deed) in disorder {
            let why = self.spoils(stage, victim, deed)?;
            stage.telling.refused(&format!("{} {what}: {why}.", self.name));
        }
        for (what, which) in [("message 1", near(1)), ("first record", FIRST_RECORD)] {
            self.plan(stage, Deed::Repeat { which })?;
            stage.forget(victim.band)?;
            let through = victim.through(self);
            through.connect(stage)?;
            let why = complaint(stage, victim.band)?;
            stage.telling.refused(&format!(
                "{} sends the phone's {what} twice: the band takes one, and of the other says: {why}.",
                self.name
            ));
            through.hang_up(stage)?;
            self.did(stage)?;
        }
        self.leave_in_peace(stage, victim)
    }

    /// Repeats fragments of the phone's message 1; loses and swaps them where there are several.
    pub(super) fn disorder_fragments(&self, stage: &mut Stage, victim: &Victim) -> Result<()> {
        let all = [("loses", Fragments::Lose), ("swaps", Fragments::Swap), ("repeats", Fragments::Repeat)];
        let alone = stage.payload().fragments(MESSAGE_1) < 2;
        for (what, how) in all.into_iter().filter(|(_, how)| !alone || *how == Fragments::Repeat) {
            let why = self.spoils(stage, victim, Deed::Fragments { which: near(1), how })?;
            stage.telling.refused(&format!("{} {what} fragments of the phone's message 1: {why}.", self.name));
        }
        self.leave_in_peace(stage, victim)
    }

    /// Nothing that he did is left: phone and band connect, and neither takes it for somebody else's use.
    fn leave_in_peace(&self, stage: &mut Stage, victim: &Victim) -> Result<()> {
        self.plan(stage, Deed::Relay)?;
        let through = victim.through(self);
        through.connect(stage)?;
        stage.telling.check("Nothing of it is left: as soon as he hands on what they say, phone and band connect.");
        through.hang_up(stage)?;
        self.over(stage).map(drop)
    }
}
