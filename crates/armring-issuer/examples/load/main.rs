//! How many payments a ledger settles, how long each takes, and what it costs when there have been many.
//!
//! Tokens of many bands are signed beforehand. Then they go through the front that an issuer has, in this process: every signature is verified,
//! every payment is durable before it is answered.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program that measures"
)]

#[cfg(feature = "postgres")]
mod in_postgres;
mod people;
mod place;
mod plot;
mod run;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use armring_issuer::{GroupOptions, Ledger, MachineError, SqliteLedger};
use clap::{Parser, Subcommand};

use people::People;
use place::{InSqlite, Place};
use run::{Load, Measured};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Measures a ledger under load.
///
/// Examples, to be run with --release and --features tools,postgres:
///
///   load pay --ledger /tmp/load.db
///   load pay --ledger "host=/run/postgresql user=issuer dbname=load"
///   load growth --ledger /tmp/growth.db --spent 10000,100000,1000000 --plot growth.svg
///   load growth --ledger "host=/run/postgresql user=issuer dbname=load" --spent 10000,100000
#[derive(Parser)]
#[command(verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Payments/s as fast as they go, latency at half of that, and what the database does with plain rows.
    Pay {
        /// A file of SQLite, which is made anew, or a connection string of PostgreSQL with an empty database.
        #[arg(long)]
        ledger: String,
        /// How many payments, each from a band of its own.
        #[arg(long, default_value_t = 50_000)]
        payments: usize,
        /// Payments/s while latency is measured; half of the fastest where it is not given.
        #[arg(long)]
        rate: Option<f64>,
        /// The most payments in one transaction.
        #[arg(long, default_value_t = GroupOptions::default().batch)]
        batch: usize,
        /// How many threads verify signatures; one for each core where it is not given.
        #[arg(long)]
        verifiers: Option<usize>,
        /// Where to draw the latencies, as SVG.
        #[arg(long)]
        plot: Option<PathBuf>,
    },
    /// What a payment costs when so many tokens were spent before, of random bands; of a file nothing is in memory at first.
    Growth {
        /// A file of SQLite, which is made anew for each, or a connection string of PostgreSQL, where the schema `armring_growth` is.
        #[arg(long)]
        ledger: String,
        /// How many tokens were spent.
        #[arg(long, value_delimiter = ',', default_value = "10000,100000,1000000")]
        spent: Vec<usize>,
        /// How many payments to measure.
        #[arg(long, default_value_t = 10_000)]
        payments: usize,
        /// A control group whose memory is bounded, page cache included, to go into before anything is measured: its folder. A PostgreSQL is
        /// bounded by where its server was started.
        #[arg(long)]
        bounded_by: Option<PathBuf>,
        /// Where to draw what a payment costs, as SVG.
        #[arg(long)]
        plot: Option<PathBuf>,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Pay { ledger, payments, rate, batch, verifiers, plot } => {
            let options = GroupOptions { batch, verifiers, ..GroupOptions::default() };
            let wish = Wish { payments, rate, options, plot };
            if is_postgres(&ledger) {
                pay_in_postgres(&ledger, &wish)
            } else {
                let place = InSqlite::anew(&ledger)?;
                pay(SqliteLedger::open(&ledger)?, place, &wish)
            }
        }
        Command::Growth { ledger, spent, payments, bounded_by, plot } => {
            println!("machine: {} cores, load {}", std::thread::available_parallelism()?, load_average());
            println!(
                "{:>12} {:>12} {:>12} {:>14} {:>12} {:>12}",
                "spent", "size, MiB", "payments/s", "us/payment", "us processor", "to first"
            );
            let mut points = Vec::new();
            for spent in spent {
                let (measured, size) = if is_postgres(&ledger) {
                    growth_in_postgres(&ledger, spent, payments)?
                } else {
                    let place = InSqlite::anew(&ledger)?;
                    growth(|| SqliteLedger::open(&ledger), place, spent, payments, bounded_by.as_deref())?
                };
                let [cost, processor] = [1e6 / measured.rate, measured.processor_each()];
                points.push((spent as f64, [cost, processor]));
                let ratio = cost / points.first().map_or(cost, |(_, [first, _])| *first);
                println!("{spent:>12} {:>12} {:>12.0} {cost:>14.1} {processor:>12.1} {ratio:>12.2}", size >> 20, measured.rate);
            }
            println!("machine: load {}", load_average());
            if let Some(path) = plot {
                std::fs::write(&path, plot::growth(&points))?;
                println!("drawn: {}", path.display());
            }
            Ok(())
        }
    }
}

fn is_postgres(ledger: &str) -> bool {
    ledger.contains('=') || ledger.starts_with("postgres")
}

#[cfg(feature = "postgres")]
fn growth_in_postgres(parameters: &str, spent: usize, payments: usize) -> Result<(Measured, u64)> {
    let parameters = in_postgres::anew(parameters)?;
    let open = || armring_issuer::PostgresLedger::open(&parameters, armring_issuer::PostgresOptions::default());
    drop(open()?);
    growth(open, in_postgres::InPostgres::open(&parameters)?, spent, payments, None)
}

#[cfg(not(feature = "postgres"))]
fn growth_in_postgres(_: &str, _: usize, _: usize) -> Result<(Measured, u64)> {
    Err("built without the feature postgres".into())
}

#[cfg(feature = "postgres")]
fn pay_in_postgres(parameters: &str, wish: &Wish) -> Result<()> {
    let ledger = armring_issuer::PostgresLedger::open(parameters, armring_issuer::PostgresOptions::default())?;
    pay(ledger, in_postgres::InPostgres::open(parameters)?, wish)
}

#[cfg(not(feature = "postgres"))]
fn pay_in_postgres(_: &str, _: &Wish) -> Result<()> {
    Err("built without the feature postgres".into())
}

struct Wish {
    payments: usize,
    rate: Option<f64>,
    options: GroupOptions,
    plot: Option<PathBuf>,
}

fn pay<L: Ledger + Send + 'static>(ledger: L, mut place: impl Place, wish: &Wish) -> Result<()> {
    println!("machine: {} cores, load {}", std::thread::available_parallelism()?, load_average());
    let started = Instant::now();
    let people = People::new(wish.payments * 2);
    people.move_in(&mut place)?;
    let sent = people.sign(0);
    println!("prepared: {} bands, each with a signed token, in {:.1} s", sent.len(), started.elapsed().as_secs_f64());
    let (fast, slow) = sent.split_at(wish.payments);

    let single = place.single_inserts(Duration::from_secs(3))?;
    let batched = place.batched_inserts(Duration::from_secs(3), wish.options.batch)?;
    println!("plain rows of the same size: {single:.0}/s one by one, {batched:.0}/s in batches of {}", wish.options.batch);

    let front = people.open_for_business(ledger, wish.options)?;
    let measured = run::pay(&front, fast, Load::AsFastAsItGoes);
    tell("as fast as it goes", &measured);
    println!("  to plain rows: {:.1} times one by one, {:.2} times in batches", measured.rate / single, measured.rate / batched);
    let rate = wish.rate.unwrap_or(measured.rate / 2.0);
    let measured = run::pay(&front, slow, Load::Rate(rate));
    tell(&format!("at {rate:.0} payments/s"), &measured);
    if let Some(path) = &wish.plot {
        let title = format!("{} payments at {rate:.0}/s: how long each took", slow.len());
        std::fs::write(path, plot::latencies(&title, &measured.latencies, measured.rate))?;
        println!("drawn: {}", path.display());
    }
    let started = Instant::now();
    let faults = front.issuer(|issuer| issuer.ledger().audit())?;
    println!("audit: {} faults, in {:.1} s", faults.len(), started.elapsed().as_secs_f64());
    println!("machine: load {}", load_average());
    if faults.is_empty() { Ok(()) } else { Err(format!("{faults:?}").into()) }
}

fn tell(what: &str, measured: &Measured) {
    let [half, most, nearly_all, all] = [0.5, 0.99, 0.999, 1.0].map(|part| measured.quantile(part).as_secs_f64() * 1e3);
    println!(
        "{what}: {:.0} payments/s, {:.1} us of processor each; p50 {half:.1} ms, p99 {most:.1} ms, p99.9 {nearly_all:.1} ms, longest {all:.1} ms{}",
        measured.rate,
        measured.processor_each(),
        if measured.busy > 0 { format!("; {} times busy", measured.busy) } else { String::new() }
    );
    for (thread, time) in &measured.threads {
        println!("  {thread}: {:.1} us each", time.as_secs_f64() * 1e6 / measured.latencies.len() as f64);
    }
}

fn growth<L: Ledger + Send + 'static>(
    open: impl Fn() -> std::result::Result<L, MachineError>,
    mut place: impl Place,
    spent: usize,
    payments: usize,
    bounded_by: Option<&Path>,
) -> Result<(Measured, u64)> {
    const EACH: usize = 100;
    let people = People::new((spent / EACH).max(payments));
    people.move_in(&mut place)?;
    let each = spent / people.len();
    place.spend(&people, each)?;
    let sent = people.sign(each);
    place.forget()?;
    let front = people.open_for_business(open()?, GroupOptions::default())?;
    let outside = bounded_by.map(enter).transpose()?;
    let measured = run::pay(&front, sent.get(..payments).unwrap_or(&sent), Load::AsFastAsItGoes);
    outside.map(|group| enter(&group)).transpose()?;
    Ok((measured, place.size()?))
}

/// Goes into a control group for memory, and says which it came from.
fn enter(group: &Path) -> Result<PathBuf> {
    let groups = std::fs::read_to_string("/proc/self/cgroup")?;
    let now = groups.lines().find_map(|line| line.split_once(":memory:")).map_or("/", |(_, path)| path);
    std::fs::write(group.join("cgroup.procs"), std::process::id().to_string())?;
    Ok(PathBuf::from(format!("/sys/fs/cgroup/memory{now}")))
}

fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg").map_or_else(|_| "unknown".into(), |load| load.trim().to_owned())
}
