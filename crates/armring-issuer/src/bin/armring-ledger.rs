//! For whoever runs a ledger: does it agree with itself, what moved on an account, and everything for the accountants.

use std::error::Error;
use std::io::{self, BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use armring_issuer::{Entry, Ledger, Reference, SqliteLedger};
use armring_wire::AccountPseudonym;
use clap::{Parser, Subcommand};

/// How often the progress of an export is told, in entries.
const TOLD: u64 = 1_000_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Looks into a ledger, and changes nothing.
///
/// A ledger is a file of SQLite, or a connection string of PostgreSQL ("host=/run/postgresql dbname=ledger"). It may be in use meanwhile:
/// everything is read as of one moment.
///
/// Examples:
///
///   armring-ledger verify ledger.db
///   armring-ledger statement ledger.db 7a0786b127a9d7b2
///   armring-ledger export ledger.db 7a0786b127a9d7b2 d8cac846aaf615e2 > august.csv
///   armring-ledger export ledger.db > everything.csv
///   armring-ledger --tls authorities.pem verify "host=ledger.example user=auditor dbname=ledger"
#[derive(Parser)]
#[command(name = "armring-ledger", verbatim_doc_comment)]
struct Arguments {
    /// Goes to PostgreSQL over TLS, and trusts these authorities alone: a file of certificates, PEM.
    #[arg(long, value_name = "FILE")]
    tls: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reads everything and says what does not agree; the exit code is 0 where everything does, and 1 otherwise.
    ///
    /// Entries sum to zero and balances are their sums; every token, refund and deposit has exactly its entries, and no entry is without one;
    /// every token has its receipt and every receipt its token; no counter was taken twice, no part of a total, and no request was settled
    /// twice; refunds are no more than payments; the revocation list says what the states say; a file of SQLite is sound. It says meanwhile
    /// what it reads, and holds little in memory: what the database has to sort it puts into files, of SQLite where SQLITE_TMPDIR says.
    Verify {
        /// A file of SQLite, or a connection string of PostgreSQL.
        ledger: String,
    },
    /// Every entry of an account, the oldest first, and its balance.
    Statement {
        /// A file of SQLite, or a connection string of PostgreSQL.
        ledger: String,
        /// The account: 16 hexadecimal digits.
        account: String,
    },
    /// The entries of these accounts, or of all, as CSV, to be reconciled with other books: account, number, time in seconds since 1970, kind,
    /// reference, change in minor units, currency, balance after it.
    ///
    /// An account is read as of one moment, and the next one of a later moment. The float accounts, through which
    /// money comes from outside, are among all.
    Export {
        /// A file of SQLite, or a connection string of PostgreSQL.
        ledger: String,
        /// The accounts: each 16 hexadecimal digits. All, where none is named.
        accounts: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::from(2)
        }
    }
}

fn run(Arguments { tls, command }: Arguments) -> Outcome<ExitCode> {
    let open = |ledger: &str| open(ledger, tls.as_deref());
    match command {
        Command::Verify { ledger } => verify(&*open(&ledger)?),
        Command::Statement { ledger, account } => statement(&*open(&ledger)?, named(&account)?),
        Command::Export { ledger, accounts } => export(&*open(&ledger)?, &accounts),
    }
}

fn open(ledger: &str, tls: Option<&Path>) -> Outcome<Box<dyn Ledger>> {
    if ledger.contains('=') || ledger.starts_with("postgres") {
        return match tls {
            None => open_postgres(ledger),
            Some(authorities) => open_tls(ledger, &read(authorities)?),
        };
    }
    if tls.is_some() {
        return Err(format!("{ledger} is a file, and --tls is for PostgreSQL").into());
    }
    if !std::fs::exists(ledger)? {
        return Err(format!("there is no file {ledger}").into());
    }
    Ok(Box::new(SqliteLedger::open(ledger)?))
}

fn read(file: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()).into())
}

#[cfg(feature = "postgres")]
fn open_postgres(parameters: &str) -> Outcome<Box<dyn Ledger>> {
    Ok(Box::new(armring_issuer::PostgresLedger::open(parameters, armring_issuer::PostgresOptions::default())?))
}

#[cfg(not(feature = "postgres"))]
fn open_postgres(_: &str) -> Outcome<Box<dyn Ledger>> {
    Err("this program was built without the feature postgres".into())
}

#[cfg(feature = "tls")]
fn open_tls(parameters: &str, authorities: &[u8]) -> Outcome<Box<dyn Ledger>> {
    let options = armring_issuer::PostgresOptions::default();
    Ok(Box::new(armring_issuer::PostgresLedger::open_tls(parameters, authorities, options)?))
}

#[cfg(not(feature = "tls"))]
fn open_tls(_: &str, _: &[u8]) -> Outcome<Box<dyn Ledger>> {
    Err("this program was built without the feature tls".into())
}

fn verify(ledger: &dyn Ledger) -> Outcome<ExitCode> {
    let begin = Instant::now();
    let faults = ledger.verify(&mut |what| eprintln!("{:>7.1} s  {what}", begin.elapsed().as_secs_f64()))?;
    for fault in &faults {
        println!("{fault:?}");
    }
    eprintln!("{:>7.1} s  {} faults", begin.elapsed().as_secs_f64(), faults.len());
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn statement(ledger: &dyn Ledger, account: AccountPseudonym) -> Outcome<ExitCode> {
    let found = ledger.account(account)?.ok_or("there is no such account")?;
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out, "{:>10}  {:7}  {:64}  {:>20}", "time", "kind", "reference", "change")?;
    let mut balance = 0_i64;
    each_entry(ledger, account, |entry| {
        balance = balance.saturating_add(entry.change);
        let (kind, reference) = reference(&entry);
        Ok(writeln!(out, "{:>10}  {kind:7}  {reference:64}  {:>20}", entry.time.as_secs(), entry.change)?)
    })?;
    writeln!(out, "balance {balance} {:?}, {:?}", found.currency, found.state)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn export(ledger: &dyn Ledger, accounts: &[String]) -> Outcome<ExitCode> {
    let mut csv = csv::Writer::from_writer(io::stdout().lock());
    csv.write_record(["account", "number", "time", "kind", "reference", "change", "currency", "balance"])?;
    for name in accounts {
        let account = named(name)?;
        ledger.account(account)?.ok_or_else(|| format!("there is no account {name}"))?;
        export_one(ledger, account, &mut csv)?;
    }
    let mut all = if accounts.is_empty() { ledger.accounts(None)? } else { Vec::new() };
    while let Some(last) = all.last().map(|account| account.id) {
        for account in &all {
            export_one(ledger, account.id, &mut csv)?;
        }
        all = ledger.accounts(Some(last))?;
    }
    csv.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn export_one(ledger: &dyn Ledger, account: AccountPseudonym, csv: &mut csv::Writer<impl io::Write>) -> Outcome<()> {
    let (mut number, mut balance) = (0_u64, 0_i64);
    each_entry(ledger, account, |entry| {
        balance = balance.saturating_add(entry.change);
        let (kind, reference) = reference(&entry);
        let columns = [
            hex(&account.0),
            number.to_string(),
            entry.time.as_secs().to_string(),
            kind.to_owned(),
            reference,
            entry.change.to_string(),
            format!("{:03}", entry.currency.numeric()),
            balance.to_string(),
        ];
        number = number.saturating_add(1);
        if number.is_multiple_of(TOLD) {
            eprintln!("{}: {number} entries", hex(&account.0));
        }
        Ok(csv.write_record(columns)?)
    })?;
    eprintln!("{}: balance {balance}", hex(&account.0));
    Ok(())
}

/// One after the other, since all of them may be more than fit into memory, until one cannot be written.
fn each_entry(ledger: &dyn Ledger, account: AccountPseudonym, mut write: impl FnMut(Entry) -> Outcome<()>) -> Outcome<()> {
    let mut written = Ok(());
    ledger.statement(account, &mut |entry| {
        written = write(entry);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written
}

fn reference(entry: &Entry) -> (&'static str, String) {
    match entry.reference {
        Reference::Deposit(reference) => ("deposit", hex(&reference.0)),
        Reference::Payment(digest) => ("payment", hex(&digest.0)),
        Reference::Refund(digest) => ("refund", hex(&digest.0)),
        _ => ("other", String::new()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn named(account: &str) -> Outcome<AccountPseudonym> {
    let wrong = || format!("{account} is no account: 16 hexadecimal digits");
    if account.len() != 16 {
        return Err(wrong().into());
    }
    let number = u64::from_str_radix(account, 16).map_err(|_| wrong())?;
    Ok(AccountPseudonym(number.to_be_bytes()))
}
