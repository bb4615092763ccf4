//! The ordeal: a small story of seven chapters, played once for each step of each process, at which that process is killed, and once for each
//! fragment, behind which its connection is cut.
//!
//! ```text
//! undisturbed: chapter 1 ─▶ chapter 2 ─▶ …          counts steps and fragments, and keeps everybody's folders as they were before each
//! each point:  the folders before its chapter ─▶ the chapter with the blow; started again, tried again ─▶ the chapter is reached
//!              ─▶ books, receipts and balances as in the undisturbed story ─▶ the next payment, at once
//! ```

mod buying;
mod goals;
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use armring_wire::AttPayload;

use self::goals::{CHAPTERS, Memory, People};
use self::world::{Blow, Fate, Who, World};
use crate::control::{IssuerCommand, PhoneCommand, PhoneReport, Report, ShopCommand};

/// One thing that is tried.
#[derive(Clone, Copy, Debug)]
struct Point {
    chapter: usize,
    fate: Fate,
}

impl Point {
    fn told(&self) -> String {
        let chapter = CHAPTERS.get(self.chapter).map_or("?", |(name, _)| name);
        match self.fate.blow {
            Blow::Killed(step) => format!("{} killed at step {step} of '{chapter}'", self.fate.who.name()),
            Blow::Cut(fragment) => format!("{} cut off behind fragment {fragment} of '{chapter}'", self.fate.who.name()),
        }
    }
}

/// The undisturbed story: what everybody remembers before each chapter, and all that can be tried.
struct Base {
    memories: Vec<Memory>,
    points: Vec<Point>,
}

/// Tries every point. `only` tries those that are told with these words.
///
/// # Errors
/// What did not end as it must, point by point.
pub(crate) fn run(dir: &Path, payload: AttPayload, only: Option<&str>) -> Result<()> {
    super::prepare(dir)?;
    let base = undisturbed(dir, payload)?;
    let points: Vec<Point> =
        base.points.iter().filter(|point| only.is_none_or(|words| point.told().contains(words))).copied().collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    // Most of the time a process waits for another.
    let workers = 4 * thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for worker in 0..workers {
            let (base, points, next, wrong) = (&base, &points, &next, &wrong);
            scope.spawn(move || {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = try_out(dir, payload, base, point, worker)
                        && let Ok(mut wrong) = wrong.lock()
                    {
                        wrong.push(format!("{}: {error:#}", point.told()));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap_or_default();
    let kills = points.iter().filter(|point| matches!(point.fate.blow, Blow::Killed(_))).count();
    println!("{kills} points at which a process was killed, {} at which a connection was cut", points.len() - kills);
    ensure!(wrong.is_empty(), "{} of {} did not end as they must:\n  {}", wrong.len(), points.len(), wrong.join("\n  "));
    fs::remove_dir_all(dir).with_context(|| format!("cannot empty {}", dir.display()))
}

/// Plays the story without any blow.
fn undisturbed(dir: &Path, payload: AttPayload) -> Result<Base> {
    let (mut memories, mut points) = (vec![Memory::default()], Vec::new());
    fs::create_dir_all(before(dir, 0))?;
    for (chapter, (name, goals)) in CHAPTERS.iter().enumerate() {
        let place = before(dir, chapter + 1);
        copy(&before(dir, chapter), &place)?;
        let memory = memories.last().cloned().unwrap_or_default();
        let mut people = People::new(World::begin(&place, payload, None)?, memory);
        for goal in *goals {
            people.reach(*goal).with_context(|| format!("undisturbed, '{name}'"))?;
        }
        let People { mut world, memory, .. } = people;
        memories.push(memory);
        // Whoever hears of the end of a chapter does so before the next one.
        world.settle()?;
        for who in Who::ALL {
            let (steps, fragments) = world.count(who)?.with_context(|| format!("{} is gone", who.name()))?;
            points.extend((1..=steps).map(|step| Point { chapter, fate: Fate { who, blow: Blow::Killed(step) } }));
            // Each connection has a phone or the shop at one end, and that counts the fragments of both directions.
            if matches!(who, Who::Phone | Who::Payer | Who::Shop) {
                points.extend((1..=fragments).map(|fragment| Point { chapter, fate: Fate { who, blow: Blow::Cut(fragment) } }));
            }
        }
    }
    Ok(Base { memories, points })
}

/// Plays one chapter with one blow, and looks at what is left.
fn try_out(dir: &Path, payload: AttPayload, base: &Base, point: &Point, worker: usize) -> Result<()> {
    let place = dir.join(format!("worker-{worker}"));
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    copy(&before(dir, point.chapter), &place)?;
    let (_, goals) = CHAPTERS.get(point.chapter).context("no such chapter")?;
    let world = World::begin(&place, payload, Some(point.fate))?;
    let mut people = People::new(world, base.memories.get(point.chapter).cloned().unwrap_or_default());
    for goal in *goals {
        people.reach(*goal)?;
    }
    people.world.settle()?;
    ensure!(people.world.struck || people.world.was_cut()?, "that point was not reached");
    people.world.be_spared();
    let expected = base.memories.get(point.chapter + 1).context("no such memory")?;
    look_at(&mut people, expected).with_context(|| format!("after {:?}", people.trouble))?;
    if people.memory.receipts.is_empty() {
        return Ok(());
    }
    people.trouble.clear();
    people.reach(People::pay_once_more).context("the next payment")?;
    let mut after = expected.clone();
    after.receipts.clone_from(&people.memory.receipts);
    after.balances.iter_mut().zip([-1_00, 0, 1_00]).for_each(|(balance, change)| *balance += change);
    look_at(&mut people, &after).context("after the next payment")
}

/// Holds the issuer's books and everybody's receipts to what they must be.
fn look_at(people: &mut People, expected: &Memory) -> Result<()> {
    let People { world, memory, .. } = people;
    let (issuer, shop) = (world.actor(Who::Issuer)?, world.actor(Who::Shop)?);
    world.stage.tell(issuer, &IssuerCommand::Books)?;
    let books = world.stage.wait(issuer, "the books", |report| match report {
        Report::Books(books) => Some(books.clone()),
        _ => None,
    })?;
    ensure!(books.faults.is_empty(), "the books do not agree: {:?}", books.faults);
    let balances: Vec<i64> = books.balances.iter().map(|(_, balance)| *balance).collect();
    ensure!(balances == expected.balances, "the balances are {balances:?} and should be {:?}", expected.balances);
    let things = |memory: &Memory| memory.receipts.iter().map(|(what, _)| what.clone()).collect::<Vec<_>>();
    ensure!(things(memory) == things(expected), "bought were {:?}, not {:?}", things(memory), things(expected));
    for (what, receipt) in memory.receipts.iter().filter(|(what, _)| what != goals::DEBT) {
        world.stage.tell(shop, &ShopCommand::RedeemAgain { memo: what.clone() })?;
        let again = world.stage.wait(shop, "the receipt", |report| match report {
            Report::Receipt { receipt, .. } => Some(receipt.clone()),
            _ => None,
        })?;
        ensure!(again == *receipt, "the issuer has another receipt for {what}");
    }
    let owed = memory.receipts.iter().filter(|(what, _)| what == goals::DEBT).count();
    for (who, held) in [(Who::Phone, memory.receipts.len()), (Who::Payer, owed)] {
        if held == 0 {
            continue;
        }
        let phone = world.actor(who)?;
        world.stage.tell(phone, &PhoneCommand::CheckReceipts)?;
        let found = world.stage.wait(phone, "its receipts", |report| match report {
            Report::Phone(PhoneReport::Receipts(found)) => Some(*found),
            _ => None,
        })?;
        ensure!(found == held, "{} has {found} receipts, and should have {held}", who.name());
    }
    Ok(())
}

/// Everybody's folders before a chapter.
fn before(dir: &Path, chapter: usize) -> PathBuf {
    dir.join(format!("before-{chapter}"))
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), &place)?;
        }
    }
    Ok(())
}
