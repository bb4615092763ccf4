//! Does what the wallet wants done: its file, its radio, those whom it asks.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use armring_loopback::air::{Air, Records};
use armring_token::RootKey;
use armring_wire::{AttPayload, UnixTime};

use crate::book::Book;
use crate::file::StateFile;
use crate::transport::tcp::resolve;
use crate::transport::{Inbox, Radio, Transport};
use crate::wallet::command::{Command, printable};
use crate::wallet::{Effect, Input, Line, Tone, Wallet};
use crate::{picture, provider};

/// A phone that runs: a wallet, its file, and its ways to others.
pub struct Session {
    wallet: Wallet,
    file: StateFile,
    transport: Box<dyn Transport>,
    radio: Option<Box<dyn Radio>>,
    inbox: Inbox,
    askers: HashMap<String, Sender<Question>>,
    /// What a write to a payee or the issuer carries.
    payload: AttPayload,
    over: bool,
}

/// What somebody is asked.
struct Question {
    number: u64,
    record: Vec<u8>,
    anew: bool,
}

/// The memory in the file at `path`; a new one of this issuer where there is none.
///
/// # Errors
/// It cannot be used, or is of another issuer. The error says what to do.
pub fn remember(path: &Path, root: Option<[u8; 32]>, issuer: Option<&str>) -> Result<(StateFile, Book)> {
    let (file, known) = StateFile::open(path)?;
    let book = match known {
        Some(mut book) => {
            let same = root.is_none_or(|root| root == *book.root.as_bytes());
            ensure!(same, "{} is of another issuer than --root says: name another file with --state", path.display());
            if let Some(issuer) = issuer {
                issuer.clone_into(&mut book.issuer);
            }
            book
        }
        None => {
            let first = "a new phone has to know its issuer: --root KEY, which the issuer publishes, and --issuer ADDRESS";
            let (root, issuer) = (root.context(first)?, issuer.context(first)?);
            let root = RootKey::from_bytes(root).context("--root is not the key of an issuer")?;
            let book = Book::new(provider::OwnKey::generate()?, root, issuer.to_owned());
            file.write(&book)?;
            book
        }
    };
    Ok((file, book))
}

impl Session {
    /// A session that is told of what happens through `inbox`, and then to be [handed](Self::handle) it.
    #[must_use]
    pub fn new((file, book): (StateFile, Book), transport: Box<dyn Transport>, inbox: Inbox, payload: AttPayload) -> Self {
        let wallet = Wallet::new(book, transport.roams());
        Self { wallet, file, transport, radio: None, inbox, askers: HashMap::new(), payload, over: false }
    }

    /// The wallet, to be looked at.
    #[must_use]
    pub const fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// Whether the person has ended it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// What a person typed. Gives what there is to tell them.
    pub fn typed(&mut self, line: &str) -> Vec<Line> {
        match Command::parse(line).and_then(|command| command.map(with_picture_read).transpose()) {
            Ok(None) => Vec::new(),
            Ok(Some(command)) => self.handle(Input::Said(command)),
            Err(text) => vec![Line { tone: Tone::Bad, text }],
        }
    }

    /// Something happened. Gives what there is to tell the person.
    pub fn handle(&mut self, input: Input) -> Vec<Line> {
        self.wallet.handle(input, now());
        let mut lines = Vec::new();
        while let Some(effect) = self.wallet.poll() {
            match effect {
                Effect::Store => {
                    if let Err(error) = self.file.write(self.wallet.book()) {
                        self.wallet.handle(Input::NotStored(format!("{error:#}")), now());
                    }
                }
                Effect::Find => self.transport.find(&self.inbox),
                Effect::Dial(number, place) => self.radio = Some(self.transport.dial(number, &place, &self.inbox)),
                Effect::Transmit(fragment) => {
                    if let Some(radio) = &mut self.radio {
                        radio.send(fragment);
                    }
                }
                Effect::HangUp => {
                    if let Some(radio) = &mut self.radio {
                        radio.hang_up();
                    }
                }
                Effect::Ask { number, at, record, anew } => self.ask(at, Question { number, record, anew }),
                Effect::Say(line) => lines.push(line),
                Effect::Quit => self.over = true,
            }
        }
        lines
    }

    fn ask(&mut self, at: String, question: Question) {
        let (inbox, payload) = (self.inbox.clone(), self.payload);
        let asker = self.askers.entry(at).or_insert_with_key(|at| {
            let (sender, questions) = channel();
            let at = at.clone();
            thread::spawn(move || ask_all(&at, payload, &questions, &inbox));
            sender
        });
        // It listens for as long as this session lasts.
        let _ = asker.send(question);
    }
}

/// Where a picture is named, what its QR code says takes its place.
fn with_picture_read(command: Command) -> Result<Command, String> {
    match command {
        Command::Scan { what, at } if !what.starts_with("armring:") => match picture::read(Path::new(&what)) {
            Ok(what) => Ok(Command::Scan { what, at }),
            Err(error) => {
                Err(format!("'{}' is no URI that begins with armring:, and as a picture: {error:#}", printable(&what, 60)))
            }
        },
        command => Ok(command),
    }
}

/// The machine's calendar.
fn now() -> UnixTime {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_secs(u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX))
}

/// Asks one after the other what there is to ask there.
fn ask_all(at: &str, payload: AttPayload, questions: &Receiver<Question>, inbox: &Inbox) {
    let mut line = None;
    for Question { number, record, anew } in questions {
        if anew {
            line = None;
        }
        let answer = ask(&mut line, at, payload, &record).with_context(|| format!("{at} does not answer"));
        if answer.is_err() {
            line = None;
        }
        inbox.tell(Input::Answered(number, answer.map_err(|error| format!("{error:#}"))));
    }
}

fn ask(line: &mut Option<(Air, Records)>, at: &str, payload: AttPayload, record: &[u8]) -> Result<Vec<u8>> {
    let (air, records) = match line {
        Some(line) => line,
        None => line.insert((Air::connect(resolve(at)?)?, Records::new(payload))),
    };
    records.send(air, record)?;
    loop {
        let payload = air.receive()?.context("it hung up")?;
        if let Some(answer) = records.take(&payload)? {
            return Ok(answer);
        }
    }
}
