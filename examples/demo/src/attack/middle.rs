//! The man in the middle: a process that listens where somebody connects, and connects to whom they mean.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use anyhow::{Context, Result, bail};
use armring_token::RootKey;
use armring_wire::records::payee::ToPayee;
use armring_wire::{AttPayload, encode};

use super::connection::{Connection, Task, Wire};
use super::deed::{Doing, disturb};
use super::recording::Session;
use super::twin::Twin;
use crate::air::{Air, Heard, listen, read_all};
use crate::control::{AttackCommand, AttackReport, Deed, End, Report, Which, commands, report, unhex};
use crate::disk::Disk;

/// Marks the far end of a connection.
const OUTWARD: u64 = 1 << 63;
/// Connections that he makes by himself count from here, those that are made to him from 1.
const OWN: u64 = 1 << 62;

enum Input {
    Command(Option<AttackCommand>),
    Heard(Heard),
}

impl From<Option<AttackCommand>> for Input {
    fn from(command: Option<AttackCommand>) -> Self {
        Self::Command(command)
    }
}

impl From<Heard> for Input {
    fn from(heard: Heard) -> Self {
        Self::Heard(heard)
    }
}

struct Middle {
    disk: Disk,
    root: RootKey,
    payload: AttPayload,
    sender: Sender<Input>,
    /// Before whom he stands.
    target: Option<SocketAddr>,
    /// What he does to the connections that come.
    deed: Deed,
    sessions: Vec<Session>,
    connections: HashMap<u64, Connection>,
}

pub(crate) fn run(folder: &Path, root: [u8; 32], payload: AttPayload) -> Result<()> {
    let root = RootKey::from_bytes(root).context("not an issuer's root key")?;
    let (sender, inputs) = channel();
    let address = listen(sender.clone())?;
    commands(sender.clone());
    report(&Report::Ready { address: Some(address.to_string()), key: None })?;
    let (sessions, connections) = (Vec::new(), HashMap::new());
    let disk = Disk::open(folder)?;
    let mut middle = Middle { disk, root, payload, sender, target: None, deed: Deed::Relay, sessions, connections };
    for input in inputs {
        match input {
            Input::Command(None) => break,
            Input::Command(Some(command)) => {
                if let Err(error) = middle.obey(command) {
                    report(&Report::Failed(format!("{error:#}")))?;
                }
            }
            Input::Heard(heard) => middle.hear(heard)?,
        }
    }
    Ok(())
}

impl Middle {
    fn obey(&mut self, command: AttackCommand) -> Result<()> {
        match command {
            AttackCommand::StandBefore { address } => self.target = Some(address.parse()?),
            AttackCommand::Do(deed) => self.deed = deed,
            AttackCommand::Replay { session } => {
                let said: Vec<_> =
                    self.sessions.get(session).context("no such session")?.said(End::Near).map(<[u8]>::to_vec).collect();
                return self.say_all(session, &said);
            }
            AttackCommand::Ask { address } => {
                self.target = Some(address.parse()?);
                return self.say_all(self.sessions.len(), &[encode(&ToPayee::Ask, &mut [0; 8])?.to_vec()]);
            }
            AttackCommand::Accept => {
                let pairing = self.connections.values_mut().find_map(|connection| match &mut connection.task {
                    Task::Pair(twin) => Some(twin),
                    _ => None,
                });
                pairing.context("nobody pairs")?.accept()?;
            }
            AttackCommand::LookFor { things } => return self.look_for(&things),
        }
        Ok(report(&Report::Done)?)
    }

    fn look_for(&self, things: &[(String, String)]) -> Result<()> {
        let mut found = Vec::new();
        for (name, thing) in things {
            let thing = unhex(thing)?;
            if self.sessions.iter().any(|session| session.holds(&thing)) {
                found.push(name.clone());
            }
        }
        let all = || self.sessions.iter().flat_map(Session::messages);
        let (messages, bytes) = (all().count(), all().map(<[u8]>::len).sum());
        Ok(report(&Report::Attack(AttackReport::Found { messages, bytes, found }))?)
    }

    fn hear(&mut self, heard: Heard) -> Result<()> {
        match heard {
            Heard::Opened(id, air) => match self.opened(id, air) {
                Ok(()) => Ok(()),
                Err(error) => Ok(report(&Report::Complaint(format!("{error:#}")))?),
            },
            Heard::Payload(id, payload) => {
                let from = if id & OUTWARD == 0 { End::Near } else { End::Far };
                match self.heard(id & !OUTWARD, from, &payload) {
                    Ok(()) => Ok(()),
                    Err(error) => {
                        report(&Report::Complaint(format!("{error:#}")))?;
                        self.over(id & !OUTWARD)
                    }
                }
            }
            Heard::Over(id, _) => self.over(id & !OUTWARD),
        }
    }

    /// Somebody connected. He connects to whom they mean, unless he speaks for them himself.
    fn opened(&mut self, id: u64, air: Air) -> Result<()> {
        let near = Wire::new(air, self.payload);
        self.sessions.push(Session::default());
        let (session, deed) = (self.sessions.len() - 1, self.deed);
        let connection = match deed {
            Deed::PlayBack { session: recorded } => {
                let mut near = near;
                let said: Vec<_> =
                    self.sessions.get(recorded).context("no such session")?.said(End::Far).map(<[u8]>::to_vec).collect();
                for message in &said {
                    // Who has heard enough hangs up.
                    let _ = near.send(message);
                }
                Connection { session, near: Some(near), far: None, task: Task::PlayBack }
            }
            Deed::PairWithBoth => {
                let far = self.dial(id)?;
                let twin = Twin::begin(&self.disk, self.root, self.payload, near.air, far)?;
                Connection { session, near: None, far: None, task: Task::Pair(Box::new(twin)) }
            }
            deed => {
                let far = Wire::new(self.dial(id)?, self.payload);
                Connection { session, near: Some(near), far: Some(far), task: Task::HandOn(Doing::new(deed)) }
            }
        };
        self.connections.insert(id, connection);
        Ok(())
    }

    /// Connects to whom he stands before. What they say is heard as the far end of connection `id`.
    fn dial(&self, id: u64) -> Result<Air> {
        let air = Air::connect(self.target.context("he stands before nobody")?)?;
        let (reader, sender) = (air.second_end()?, self.sender.clone());
        thread::spawn(move || read_all(id | OUTWARD, reader, &sender));
        Ok(air)
    }

    /// Connects to whom he stands before, says all of this at once, and waits for as many answers as `recorded` has, or the end.
    fn say_all(&mut self, recorded: usize, said: &[Vec<u8>]) -> Result<()> {
        self.sessions.push(Session::default());
        let session = self.sessions.len() - 1;
        let id = u64::try_from(session)? | OWN;
        let mut far = Wire::new(self.dial(id)?, self.payload);
        for message in said {
            // Who has heard enough hangs up.
            let _ = far.send(message);
            self.session(session)?.note(End::Near, message);
        }
        self.connections.insert(id, Connection { session, near: None, far: Some(far), task: Task::Replay(recorded) });
        Ok(())
    }

    fn session(&mut self, session: usize) -> Result<&mut Session> {
        self.sessions.get_mut(session).context("no such session")
    }

    fn heard(&mut self, id: u64, from: End, payload: &[u8]) -> Result<()> {
        // What is left of a connection that is over.
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        if let Task::Pair(twin) = &mut connection.task {
            return twin.hear(from, payload);
        }
        let wire = match from {
            End::Near => &mut connection.near,
            End::Far => &mut connection.far,
        };
        let Some(message) = wire.as_mut().context("nobody is there")?.records.take(payload)? else { return Ok(()) };
        let session = connection.session;
        let which = self.session(session)?.note(from, &message);
        self.go_on(id, which, &message)
    }

    /// A whole message came.
    fn go_on(&mut self, id: u64, which: Which, message: &[u8]) -> Result<()> {
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        match &mut connection.task {
            Task::HandOn(doing) => {
                let acts = doing.act(which, message, &self.sessions)?;
                for (to, message, fragments) in acts.send {
                    let wire = if to == End::Near { &mut connection.near } else { &mut connection.far };
                    let wire = wire.as_mut().context("nobody is there")?;
                    let (mut cut, _) = wire.records.cut(&message);
                    if let Some(how) = fragments {
                        disturb(&mut cut, how)?;
                    }
                    for fragment in &cut {
                        // Whoever is gone is heard of.
                        let _ = wire.air.send(fragment);
                    }
                }
                if acts.done {
                    report(&Report::Attack(AttackReport::Done))?;
                }
                if acts.hang_up { self.over(id) } else { Ok(()) }
            }
            Task::Replay(recorded) => {
                let (session, recorded) = (connection.session, *recorded);
                let expected = self.sessions.get(recorded).map_or(0, |session| session.count(End::Far));
                let answers = self.session(session)?.count(End::Far);
                if recorded == session || answers >= expected { self.over(id) } else { Ok(()) }
            }
            Task::PlayBack => Ok(()),
            Task::Pair(_) => bail!("he does not hand on what he pairs with"),
        }
    }

    /// A connection is over, and so is its other half.
    fn over(&mut self, id: u64) -> Result<()> {
        let Some(connection) = self.connections.remove(&id) else { return Ok(()) };
        let Connection { session, near, far, task } = connection;
        for wire in [near, far].into_iter().flatten() {
            wire.air.close();
        }
        let said = |session: usize| self.sessions.get(session).context("no such session");
        let (near, far) = (said(session)?.count(End::Near), said(session)?.count(End::Far));
        Ok(report(&Report::Attack(match task {
            Task::Replay(recorded) if recorded == session => AttackReport::Asked { session },
            Task::Replay(recorded) => {
                let recorded = said(recorded)?;
                let same = recorded.said(End::Far).eq(said(session)?.said(End::Far));
                AttackReport::Answered { answers: far, of: recorded.count(End::Far), same }
            }
            Task::HandOn(_) | Task::PlayBack => AttackReport::Over { session, near, far },
            Task::Pair(twin) => {
                twin.end();
                AttackReport::Over { session, near, far }
            }
        }))?)
    }
}
