//! How attackers play their parts: what each tries, and that it fails.

mod counter;
mod enrolment;
mod link;
mod pairing;
mod play;
mod victim;
mod wallet;

use anyhow::Result;

use self::victim::Victim;
use super::person::Service;
use super::stage::{Actor, Stage};
use crate::control::{AttackCommand, AttackReport, Deed, End, Report, Which};

/// A man in the middle.
pub(super) struct Attacker {
    name: String,
    actor: Actor,
    /// Where he listens.
    address: String,
    /// What he has overheard last: between a phone and its band, a wallet and a shop, a shop and the issuer.
    heard: Heard,
}

#[derive(Default)]
struct Heard {
    link: Option<Over>,
    counter: Option<Over>,
    redeem: Option<Over>,
}

/// A connection that led through his hands.
#[derive(Clone, Copy)]
struct Over {
    session: usize,
    near: usize,
    far: usize,
}

impl Attacker {
    fn enter(stage: &mut Stage, name: &str, service: &Service) -> Result<Self> {
        let folder = stage.dir.join(format!("{}-attacker", name.to_lowercase())).display().to_string();
        let actor = stage.start(name, &["attacker", "--folder", &folder, "--root", &service.root])?;
        Ok(Self { name: name.to_owned(), actor, address: stage.address(actor)?, heard: Heard::default() })
    }

    /// From now on whoever connects to him means this address.
    fn stand_before(&self, stage: &mut Stage, address: &str) -> Result<()> {
        stage.done(self.actor, &AttackCommand::StandBefore { address: address.to_owned() })
    }

    /// What he does to the connections that come.
    fn plan(&self, stage: &mut Stage, deed: Deed) -> Result<()> {
        stage.forget(self.actor)?;
        stage.done(self.actor, &AttackCommand::Do(deed))
    }

    /// Waits until he has done it, and the connection is over.
    fn did(&self, stage: &mut Stage) -> Result<Over> {
        stage.wait(self.actor, "the deed", |report| matches!(report, Report::Attack(AttackReport::Done)).then_some(()))?;
        self.over(stage)
    }

    /// Waits until a connection through his hands is over.
    fn over(&self, stage: &mut Stage) -> Result<Over> {
        stage.wait(self.actor, "the end of a connection", |report| match report {
            Report::Attack(AttackReport::Over { session, near, far }) => Some(Over { session: *session, near: *near, far: *far }),
            _ => None,
        })
    }

    /// Has him say again what the near end said in an earlier session. Gives how many answers he got, of how many, and whether they were the
    /// same.
    fn replay(&self, stage: &mut Stage, session: usize) -> Result<(usize, usize, bool)> {
        stage.tell(self.actor, &AttackCommand::Replay { session })?;
        stage.wait(self.actor, "answers to a replay", |report| match report {
            Report::Attack(AttackReport::Answered { answers, of, same }) => Some((*answers, *of, *same)),
            _ => None,
        })
    }

    /// Has him look for things in all that he heard. Gives the names of what he found, and in how much.
    fn look_for(&self, stage: &mut Stage, things: Vec<(String, String)>) -> Result<(Vec<String>, usize, usize)> {
        stage.tell(self.actor, &AttackCommand::LookFor { things })?;
        stage.wait(self.actor, "what he found", |report| match report {
            Report::Attack(AttackReport::Found { messages, bytes, found }) => Some((found.clone(), *messages, *bytes)),
            _ => None,
        })
    }
}

const fn near(number: usize) -> Which {
    Which { from: End::Near, number }
}

const fn far(number: usize) -> Which {
    Which { from: End::Far, number }
}

/// How a band, or anybody, says that something is wrong.
fn complaint(stage: &mut Stage, actor: Actor) -> Result<String> {
    stage.wait(actor, "a complaint", |report| match report {
        Report::Complaint(complaint) => Some(complaint.clone()),
        _ => None,
    })
}

/// Waits until somebody could not do what they were asked. Gives why.
fn failure(stage: &mut Stage, actor: Actor) -> Result<String> {
    stage.wait(actor, "a failure", |report| match report {
        Report::Failed(why) => Some(why.clone()),
        _ => None,
    })
}
