//! The issuer as a process: its ledger is a SQLite file, its operator and its users' own page the standard input.

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use armring_issuer::{Applicant, DAY, DepositRef, Issuer, Keys, Ledger, Policy, REPLY_MAX, Session, SqliteLedger};
use armring_token::{FreeCount, Limits, Minor, PayeeKey};
use armring_wire::{AccountPseudonym, Amount, AttPayload, CredentialId, Currency, Validity};
use getrandom::SysRng;

use crate::air::{Heard, listen};
use crate::control::{Books, IssuerCommand, Report, calendar, commands, hex, report, unhex_array};
use crate::disk::Disk;
use crate::keyring::Keyring;
use crate::server::Clients;

pub(crate) const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Whose account is which, by the names that the operator uses.
const ACCOUNTS: &str = "accounts";

enum Input {
    Command(Option<IssuerCommand>),
    Heard(Heard),
}

impl From<Option<IssuerCommand>> for Input {
    fn from(command: Option<IssuerCommand>) -> Self {
        Self::Command(command)
    }
}

impl From<Heard> for Input {
    fn from(heard: Heard) -> Self {
        Self::Heard(heard)
    }
}

struct Service {
    issuer: Issuer<SqliteLedger>,
    kept: Kept,
}

/// What is kept beside the ledger.
struct Kept {
    keyring: Keyring,
    accounts: Vec<(String, AccountPseudonym)>,
    disk: Disk,
}

pub(crate) fn run(ledger: &Path, payload: AttPayload) -> Result<()> {
    let disk = Disk::open(&ledger.with_extension("keys"))?;
    let keyring = Keyring::open(&disk, calendar())?;
    let accounts = read_accounts(&disk)?;
    let (root, keys) = (keyring.root(), keyring.keys()?);
    let key_list = hex(&keys.key_list);
    let mut service = Service::open(ledger, keys, Kept { keyring, accounts, disk }).with_context(|| {
        format!("the ledger {} cannot be used: if there is room on the disk, put back a copy that is whole", ledger.display())
    })?;
    let mut clients = Clients::<Session>::new(payload);
    let (sender, inputs) = channel();
    let address = listen(sender.clone())?;
    commands(sender);
    report(&Report::Root { root: hex(root.as_bytes()), key_list })?;
    report(&Report::Ready { address: Some(address.to_string()), key: None })?;
    for input in inputs {
        match input {
            Input::Command(None) => break,
            Input::Command(Some(command)) => {
                let answer = service.operate(command).unwrap_or_else(|error| Report::Failed(format!("{error:#}")));
                report(&answer)?;
            }
            Input::Heard(heard) => {
                if let Some((id, record)) = clients.hear(heard)? {
                    service.serve(&mut clients, id, &record)?;
                }
            }
        }
    }
    Ok(())
}

/// Limits that a story can run into: 200.00 a payment, 50.00 with a press alone; where a label was scanned, 20.00 and 10.00. What was accepted without network is good for another day.
fn policy() -> Policy {
    let standard = Policy::default();
    let lower = |limits: Option<Limits>| limits.map(|limits| Limits { each: Minor(200_00), press: Minor(50_00), ..limits });
    let (compared_code, displayed_secret) = (lower(standard.compared_code), lower(standard.displayed_secret));
    let printed_secret = standard.printed_secret.map(|limits| Limits { each: Minor(20_00), press: Minor(10_00), ..limits });
    Policy { printed_secret, compared_code, displayed_secret, redeem_period: DAY, ..standard }
}

/// The same for what comes without a gesture, over links that were compared.
fn with_free(policy: Policy, (free_count, free, free_total): (FreeCount, Minor, Minor)) -> Policy {
    let grant = |limits: Option<Limits>| limits.map(|limits| Limits { free, free_count, free_total, ..limits });
    let (compared_code, displayed_secret) = (grant(policy.compared_code), grant(policy.displayed_secret));
    Policy { compared_code, displayed_secret, ..policy }
}

impl Service {
    /// Opens the ledger, and reads all of it: what is damaged is found before anybody is answered.
    fn open(ledger: &Path, keys: Keys, kept: Kept) -> Result<Self> {
        let issuer = Issuer::new(keys, policy(), SqliteLedger::open(ledger)?, calendar())?;
        let service = Self { issuer, kept };
        let faults = service.books()?.faults;
        ensure!(faults.is_empty(), "the books do not agree: {}", faults.join(", "));
        Ok(service)
    }

    fn serve(&mut self, clients: &mut Clients<Session>, id: u64, record: &[u8]) -> Result<()> {
        let Some(client) = clients.get(id) else { return Ok(()) };
        let mut out = [0; REPLY_MAX];
        let reply = self.issuer.handle(&mut client.state, record, calendar(), &mut SysRng, &mut out)?;
        if let Some(failure) = reply.failure {
            report(&Report::Complaint(format!("{:#}", anyhow::Error::from(failure))))?;
        }
        if is_malformed(reply.record) {
            report(&Report::Complaint("refused bytes that are not a record of this link".to_owned()))?;
        }
        // A client that is gone asks again when it is back.
        let _ = client.send(reply.record);
        Ok(())
    }

    fn operate(&mut self, command: IssuerCommand) -> Result<Report> {
        let now = calendar();
        Ok(match command {
            IssuerCommand::OpenAccount { name, minor } => {
                self.open_account(name, Amount::new(minor, Currency::CNY))?;
                Report::Done
            }
            IssuerCommand::CertifyPayee { name, key } => {
                let key = PayeeKey::from_bytes(unhex_array(&key)?).context("not a payee's key")?;
                let validity = Validity { from: now, until: now.checked_add(YEAR).context("the calendar ends")? };
                let applicant = Applicant { name: &name, key, account: self.account(&name)?, validity };
                let payee = self.issuer.certify_payee(&applicant, now, &mut SysRng)?;
                Report::Certificate { certificate: hex(payee.certificate()) }
            }
            IssuerCommand::IssueCode { name } => {
                let code = self.issuer.issue_code(self.account(&name)?, now, &mut SysRng)?;
                Report::Code { code: hex(&code.0) }
            }
            IssuerCommand::Digits { name } => {
                let pending = self.issuer.pending_confirmations(self.account(&name)?)?;
                let digits = pending.last().map(|pending| pending.digits);
                Report::Digits {
                    digits: digits.map(armring_wire::Digits::number),
                    shown: digits.map_or_else(|| "nothing to confirm".to_owned(), |digits| digits.to_string()),
                }
            }
            IssuerCommand::Confirm { name, digits } => {
                let pending = self.issuer.pending_confirmations(self.account(&name)?)?;
                let pending = pending.last().context("nothing waits to be confirmed")?;
                self.issuer.confirm(pending.credential, digits, calendar())?;
                Report::Done
            }
            IssuerCommand::ReplaceBand { credential } => {
                let credential = CredentialId(unhex_array(&credential)?);
                Report::Code { code: hex(&self.issuer.replace_band(credential, now, &mut SysRng)?.0) }
            }
            IssuerCommand::AllowFree { count, each, total } => {
                self.issuer.set_policy(with_free(self.issuer.policy().clone(), (FreeCount(count), Minor(each), Minor(total))));
                Report::Done
            }
            IssuerCommand::AnnounceKeys => {
                self.kept.keyring.announce(now)?;
                self.kept.keyring.store(&self.kept.disk)?;
                self.issuer.set_keys(self.kept.keyring.keys()?, now)?;
                Report::Done
            }
            IssuerCommand::UseNewKeys => {
                self.kept.keyring.use_new()?;
                self.kept.keyring.store(&self.kept.disk)?;
                self.issuer.set_keys(self.kept.keyring.keys()?, now)?;
                Report::Done
            }
            IssuerCommand::Sync => Report::Synced,
            IssuerCommand::Books => Report::Books(self.books()?),
        })
    }

    /// Opens an account with so much in it. Done again after an interruption it goes on: nobody gets two accounts, or twice the money.
    fn open_account(&mut self, name: String, amount: Amount) -> Result<()> {
        let account = match self.account(&name) {
            Ok(account) => account,
            Err(_) => {
                let account = self.issuer.open_account(Currency::CNY, &mut SysRng)?;
                self.kept.accounts.push((name, account));
                let stored: Vec<_> = self.kept.accounts.iter().map(|(name, account)| (name, hex(&account.0))).collect();
                self.kept.disk.write(ACCOUNTS, &serde_json::to_vec(&stored)?)?;
                account
            }
        };
        if amount.minor() > 0 {
            let mut reference = [0; 16];
            reference.iter_mut().zip(account.0).for_each(|(to, from)| *to = from);
            self.issuer.deposit(account, amount, DepositRef(reference), calendar())?;
        }
        Ok(())
    }

    fn account(&self, name: &str) -> Result<AccountPseudonym> {
        let found = self.kept.accounts.iter().find(|(known, _)| known == name);
        found.map(|(_, account)| *account).with_context(|| format!("nobody here is called {name}"))
    }

    fn books(&self) -> Result<Books> {
        let mut balances = Vec::new();
        for (name, account) in &self.kept.accounts {
            balances.push((name.clone(), self.issuer.account(*account)?.balance));
        }
        let faults = self.issuer.ledger().audit()?.iter().map(|fault| format!("{fault:?}")).collect();
        Ok(Books { balances, faults })
    }
}

fn read_accounts(disk: &Disk) -> Result<Vec<(String, AccountPseudonym)>> {
    let Some(stored) = disk.read(ACCOUNTS)? else { return Ok(Vec::new()) };
    let stored: Vec<(String, String)> = serde_json::from_slice(&stored).with_context(|| disk.damaged(ACCOUNTS))?;
    stored
        .into_iter()
        .map(|(name, account)| Ok((name, AccountPseudonym(unhex_array(&account).with_context(|| disk.damaged(ACCOUNTS))?))))
        .collect()
}

fn is_malformed(record: &[u8]) -> bool {
    use armring_wire::records::issuer::{FromIssuer, Refusal};
    matches!(armring_wire::decode_record(record), Ok(FromIssuer::Refused(Refusal::Malformed)))
}
