//! Everybody in the ordeal, as processes: one of them doomed, all of them started again with what they have on disk.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use armring_wire::AttPayload;

use crate::control::{BandCommand, Clock, IssuerCommand, PhoneCommand, PhoneReport, Report, ShopCommand};
use crate::story::stage::{Actor, Stage};
use crate::story::telling::Telling;

/// A process of the ordeal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Who {
    Issuer,
    Shop,
    Band,
    Phone,
    /// Lin's phone, which is its own band.
    Payer,
}

impl Who {
    pub(super) const ALL: [Self; 5] = [Self::Issuer, Self::Shop, Self::Band, Self::Phone, Self::Payer];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Shop => "Tea House",
            Self::Band => "Mei's band",
            Self::Phone => "Mei's phone",
            Self::Payer => "Lin's phone",
        }
    }
}

/// What happens to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blow {
    /// It is killed at this step.
    Killed(u64),
    /// Its connection is cut behind this fragment.
    Cut(u64),
}

/// To whom it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) who: Who,
    pub(super) blow: Blow,
}

/// A running process and where it listens.
#[derive(Clone)]
struct Running {
    actor: Actor,
    address: String,
}

pub(super) struct World {
    pub(super) stage: Stage,
    fate: Option<Fate>,
    /// Whether the doomed process was started.
    begun: bool,
    /// Whether it has died, or was started again after its connection was cut.
    pub(super) struck: bool,
    running: Vec<(Who, Running)>,
    root: String,
    pub(super) key_list: String,
    pub(super) shop_key: String,
    pub(super) online: bool,
    /// Whether the shop has its lists.
    pub(super) lists: bool,
    /// Whether Mei has the band on and unlocked.
    pub(super) worn: bool,
    /// Whose phones are connected to their bands.
    pub(super) linked: Vec<Who>,
    /// Whether Mei's phone waits at its door for a payer.
    pub(super) listening: bool,
}

impl World {
    pub(super) fn begin(dir: &Path, payload: AttPayload, fate: Option<Fate>) -> Result<Self> {
        let mut telling = Telling::new(false);
        telling.quiet(true);
        let mut world = Self {
            stage: Stage::new(dir, payload, telling),
            fate,
            begun: false,
            struck: false,
            running: Vec::new(),
            root: String::new(),
            key_list: String::new(),
            shop_key: String::new(),
            online: true,
            lists: false,
            worn: false,
            linked: Vec::new(),
            listening: false,
        };
        Who::ALL.into_iter().try_for_each(|who| world.start(who))?;
        Ok(world)
    }

    /// Whether something is to happen to somebody, so that not everything succeeds at once.
    pub(super) const fn is_doomed(&self) -> bool {
        self.fate.is_some()
    }

    /// From here on nothing more happens to anybody.
    pub(super) fn be_spared(&mut self) {
        self.fate = None;
    }

    pub(super) fn actor(&self, who: Who) -> Result<Actor> {
        Ok(self.find(who)?.actor)
    }

    pub(super) fn address(&self, who: Who) -> Result<String> {
        Ok(self.find(who)?.address.clone())
    }

    fn find(&self, who: Who) -> Result<&Running> {
        let found = self.running.iter().find(|(known, _)| *known == who);
        found.map(|(_, running)| running).with_context(|| format!("{} is not there", who.name()))
    }

    /// Starts a process. One that dies while it starts is started again, once.
    fn start(&mut self, who: Who) -> Result<()> {
        for _ in 0..2 {
            let arguments = self.arguments(who)?;
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let actor = self.stage.start(who.name(), &arguments)?;
            self.running.retain(|(known, _)| *known != who);
            let mut root = None;
            let ready = self.stage.hear(actor, |report| match report {
                Report::Root { root: key, key_list } => {
                    root = Some((key.clone(), key_list.clone()));
                    None
                }
                Report::Ready { address, key } => Some((address.clone().unwrap_or_default(), key.clone())),
                _ => None,
            })?;
            if let Some((address, key)) = ready {
                self.running.push((who, Running { actor, address: address.clone() }));
                return self.introduce(who, root, key, address);
            }
            self.strike(who)?;
        }
        bail!("{} does not start", who.name())
    }

    /// What others have to know of a process that has started.
    fn introduce(&mut self, who: Who, root: Option<(String, String)>, key: Option<String>, address: String) -> Result<()> {
        match who {
            Who::Issuer => {
                let (root, key_list) = root.context("an issuer without keys")?;
                ensure!(self.root.is_empty() || self.root == root, "the issuer has another root");
                (self.root, self.key_list) = (root, key_list);
                for phone in [Who::Phone, Who::Payer] {
                    if let Ok(actor) = self.actor(phone) {
                        // One that is gone hears of it when it starts.
                        let _ = self.stage.tell(actor, &PhoneCommand::FindIssuer { address: address.clone() });
                    }
                }
                if let Ok(actor) = self.actor(Who::Shop) {
                    let _ = self.stage.tell(actor, &ShopCommand::FindIssuer { address });
                }
            }
            Who::Shop => {
                let key = key.context("a shop without a key")?;
                ensure!(self.shop_key.is_empty() || self.shop_key == key, "the shop has another key");
                (self.shop_key, self.online) = (key, true);
            }
            Who::Band => self.worn = false,
            Who::Phone | Who::Payer => {}
        }
        Ok(())
    }

    fn arguments(&mut self, who: Who) -> Result<Vec<String>> {
        let at = |name: &str| self.stage.dir.join(name).display().to_string();
        let mut arguments: Vec<String> = Vec::new();
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(|word| (*word).to_owned()));
        match who {
            Who::Issuer => add(&["issuer", "--ledger", &at("ledger.sqlite")]),
            Who::Band => add(&["band", "--root", &self.root, "--folder", &at("band")]),
            Who::Shop | Who::Phone | Who::Payer => {
                let issuer = self.address(Who::Issuer)?;
                match who {
                    Who::Shop => add(&["shop", "--name", who.name(), "--folder", &at("shop")]),
                    Who::Phone => add(&["phone", "--owner", "Mei", "--folder", &at("phone")]),
                    _ => add(&["phone", "--owner", "Lin", "--inside", "--folder", &at("payer")]),
                }
                add(&["--root", &self.root, "--issuer", &issuer]);
            }
        }
        if let Some(Fate { blow, .. }) = self.fate.filter(|fate| fate.who == who && !self.begun) {
            self.begun = true;
            match blow {
                Blow::Killed(step) => add(&["--die-at", &step.to_string()]),
                Blow::Cut(fragment) => add(&["--cut-at", &fragment.to_string()]),
            }
        }
        Ok(arguments)
    }

    /// A process is gone: that must be the one whose fate it was, and only once.
    fn strike(&mut self, who: Who) -> Result<()> {
        let fated = self.fate.is_some_and(|fate| fate.who == who && matches!(fate.blow, Blow::Killed(_)));
        ensure!(fated && !self.struck, "{} died, which was not its fate", who.name());
        self.struck = true;
        Ok(())
    }

    /// How many steps and fragments a process counts; `None` if it is gone.
    pub(super) fn count(&mut self, who: Who) -> Result<Option<(u64, u64)>> {
        let actor = self.actor(who)?;
        self.stage.ask(actor, &Clock::Count, |report| match report {
            Report::Counted { steps, fragments } => Some((*steps, *fragments)),
            _ => None,
        })
    }

    /// Whether the doomed process is behind the fragment at which its connection is cut.
    pub(super) fn was_cut(&mut self) -> Result<bool> {
        let Some(Fate { who, blow: Blow::Cut(fragment) }) = self.fate else { return Ok(false) };
        Ok(self.count(who)?.is_some_and(|(_, fragments)| fragments >= fragment))
    }

    /// Something went wrong. Whoever is gone is started again, and everybody lets go of what they were at.
    pub(super) fn settle(&mut self) -> Result<()> {
        if std::mem::take(&mut self.listening) {
            // The app is closed and opened again.
            let phone = self.actor(Who::Phone)?;
            if self.count(Who::Phone)?.is_some() {
                self.struck |= self.was_cut()?;
                self.stage.kill(phone)?;
                self.start(Who::Phone)?;
            }
        }
        // A process may reach its fate even here.
        for _ in 0..3 {
            for who in Who::ALL {
                if self.count(who)?.is_none() {
                    let actor = self.actor(who)?;
                    self.stage.kill(actor)?;
                    self.strike(who)?;
                    self.start(who)?;
                }
            }
            if self.let_go()? {
                return Ok(());
            }
        }
        bail!("processes go on dying")
    }

    /// Phones hang up, and everybody ends what they were told. Says whether nobody died meanwhile.
    fn let_go(&mut self) -> Result<bool> {
        self.linked.clear();
        let lost = |report: &Report| matches!(report, Report::Phone(PhoneReport::OutOfReach)).then_some(());
        let synced = |report: &Report| matches!(report, Report::Synced).then_some(());
        let done = |report: &Report| matches!(report, Report::Done).then_some(());
        let [issuer, shop, band, phone, payer] = Who::ALL.map(|who| self.actor(who));
        let (issuer, shop, band, stage, up) = (issuer?, shop?, band?, &mut self.stage, self.online);
        Ok(stage.ask(payer?, &PhoneCommand::Lose, lost)?.is_some()
            && stage.ask(phone?, &PhoneCommand::Lose, lost)?.is_some()
            && stage.ask(band, &BandCommand::Sync, synced)?.is_some()
            && stage.ask(band, &BandCommand::AwaitAlone, done)?.is_some()
            && stage.ask(shop, &ShopCommand::Sync, synced)?.is_some()
            && stage.ask(shop, &ShopCommand::Network { up }, done)?.is_some()
            && stage.ask(issuer, &IssuerCommand::Sync, synced)?.is_some())
    }

    pub(super) fn network(&mut self, up: bool) -> Result<()> {
        self.online = up;
        let shop = self.actor(Who::Shop)?;
        self.stage.done(shop, &ShopCommand::Network { up })
    }
}
